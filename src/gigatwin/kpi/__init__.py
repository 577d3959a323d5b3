"""Key figures of a run: ISO 22400 time elements, bottleneck, lead times, energy, and intervals.

Reads: event tables and tallies of machines.
Writes: figures and tables; nothing on disk.
"""

from gigatwin.kpi.active_periods import (
    ShiftingBottleneck,
    mean_active_period,
    mean_active_period_from_tallies,
    shifting_bottleneck,
    station_means,
)
from gigatwin.kpi.bottleneck import (
    BottleneckCandidates,
    candidates,
    lowest_waiting,
    turning_points,
)
from gigatwin.kpi.energy import (
    EnergyRates,
    EnergyUse,
    constant_energy,
    energy_per_good_item,
    energy_per_product_energy,
    machine_energy,
)
from gigatwin.kpi.from_events import active_intervals, processed_counts, state_durations
from gigatwin.kpi.lead_time import (
    BINS_PER_OCTAVE,
    LOWEST_OCTAVE,
    N_BINS,
    bin_edges,
    count_lead_times,
    histogram_mean,
    quantile,
)
from gigatwin.kpi.state_times import time_elements
from gigatwin.kpi.statistics import (
    BatchMeans,
    Interval,
    IntervalKind,
    WarmUp,
    batch_means,
    has_relative_precision,
    mean_interval,
    mser5,
    paired_difference,
)

__all__ = [
    "BINS_PER_OCTAVE",
    "LOWEST_OCTAVE",
    "N_BINS",
    "BatchMeans",
    "BottleneckCandidates",
    "EnergyRates",
    "EnergyUse",
    "Interval",
    "IntervalKind",
    "ShiftingBottleneck",
    "WarmUp",
    "active_intervals",
    "batch_means",
    "bin_edges",
    "candidates",
    "constant_energy",
    "count_lead_times",
    "energy_per_good_item",
    "energy_per_product_energy",
    "has_relative_precision",
    "histogram_mean",
    "lowest_waiting",
    "machine_energy",
    "mean_active_period",
    "mean_active_period_from_tallies",
    "mean_interval",
    "mser5",
    "paired_difference",
    "processed_counts",
    "quantile",
    "shifting_bottleneck",
    "state_durations",
    "station_means",
    "time_elements",
    "turning_points",
]
