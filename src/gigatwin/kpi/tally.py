"""What was counted up to a moment of one run; the difference of two is what happened between."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """Cumulative counts of one run at one moment, by station; S stations, F formats, B buffers."""

    time: float
    """Simulated time. [s]"""
    state_seconds: Floats
    """Machine time by state, shape (S, 9), columns in the order of `MachineState`. [s]"""
    active_periods: Counts
    """Times that machines left an inactive state, shape (S,)."""
    processed: Counts
    """Items processed, shape (S, F)."""
    content: Floats
    """Content processed (m for webs), shape (S, F)."""
    production_seconds: Floats
    """Processing time of the cycles begun, shape (S, F). [s]"""
    setup_seconds: Floats
    """Time of the changeovers begun to a format, shape (S, F). [s]"""
    left: Counts
    """Items passed on, rework included, shape (S, F)."""
    scrapped: Counts
    """Items scrapped, shape (S, F)."""
    reworked: Counts
    """Items sent to rework, shape (S, F)."""
    finished: Counts
    """Items that left the factory as products, shape (S, F)."""
    first_pass: Counts
    """Of these, never reworked, shape (S, F)."""
    lead_time: Floats
    """Sum of the lead times of finished items, shape (S, F). [s]"""
    lead_times: Counts
    """Lead times by bin, shape (F, n_bins)."""
    findings: Counts
    """Findings by place and cause, shape (S, D + 2): defects, spoiled here, false alarm."""
    finding_delay: Floats
    """Sum of the time from made to found, same shape. [s]"""
    buffer_area: Floats
    """Integral of the level, shape (B,). [item s]"""
    resource_area: Floats
    """Integral of the units in use, shape (R,). [s]"""
    stop_counts: Counts
    """Stops begun, by stop of the model, shape (K,)."""
    stop_seconds: Floats
    """Time in stops that ended, crew waits included, same shape. [s]"""

    def since(self, earlier: "Tally") -> "Tally":
        """Return what was counted after an earlier moment; ``time`` becomes the time between."""
        values = {
            field.name: getattr(self, field.name) - getattr(earlier, field.name)
            for field in fields(self)
        }
        return Tally(**values)
