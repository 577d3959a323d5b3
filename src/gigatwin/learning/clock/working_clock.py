"""A clock that runs only while the line works, so that nights are no part of any duration."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigatwin.factory.resources import Shifts

Times = NDArray[np.float64]


@dataclass(frozen=True)
class WorkingClock:
    """Converts times of the calendar to working time and back."""

    shifts: Shifts
    """When the line works: where the capacity is above 0."""
    phase: float = 0.0
    """Time since the beginning of the shifts' period at calendar time 0. [s]"""

    @property
    def working_ratio(self) -> float:
        """Share of the period in which the line works."""
        _, worked = self._knots()
        return float(worked[-1] / self.shifts.period)

    def to_working(self, times: Times) -> Times:
        """Return working time since calendar time 0; while the line rests it stands still.

        Parameters
        ----------
        times : ndarray
            Calendar times; NaN stays. [s]
        """
        return self._worked(np.asarray(times) + self.phase) - self._worked(np.array(self.phase))

    def to_calendar(self, working: Times, *, at_end: bool = False) -> Times:
        """Return the calendar times of working times since calendar time 0.

        Parameters
        ----------
        working : ndarray
            Working times; NaN stays. [s]
        at_end : bool
            Whether a moment that lies between two shifts is the end of the earlier one, as for the
            end of an activity, and not the begin of the later one.
        """
        places, worked = self._knots()
        total = worked[-1]
        wanted = np.asarray(working) + self._worked(np.array(self.phase))
        turns = np.floor(wanted / total)
        rest = wanted - turns * total
        if at_end:
            is_first = rest == 0.0
            turns, rest = np.where(is_first, turns - 1, turns), np.where(is_first, total, rest)
        k = np.searchsorted(worked, rest, side="left" if at_end else "right")
        k = np.clip(k, 1, len(worked) - 1)
        return np.asarray(turns * self.shifts.period + places[k] - (worked[k] - rest) - self.phase)

    def _knots(self) -> tuple[Times, Times]:
        """Return the moments of change in a period and the time worked until each."""
        steps = self.shifts.steps
        places = [0.0, *(step.at for step in steps), self.shifts.period]
        is_open = [step.capacity > 0 for step in (steps[-1], *steps)]
        lengths = np.diff(places) * is_open
        return np.array(places), np.concatenate(([0.0], np.cumsum(lengths)))

    def _worked(self, times: Times) -> Times:
        places, worked = self._knots()
        turns = np.floor(times / self.shifts.period)
        rest = times - turns * self.shifts.period
        return np.asarray(turns * worked[-1] + np.interp(rest, places, worked))
