"""Days that begin and end an hour earlier or later from some date on: summer time in a log."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]

_DAY = 86400.0
_HOUR = 3600.0
_SLACK = 600.0
"""How far a jump of the day's begin and end may be from an hour. [s]"""
_LEAST_DAYS = 5
_WINDOW = 20
_MOST_DAYS = 3000


@dataclass(frozen=True)
class ClockChange:
    """A moment from which on all days lie an hour later or earlier."""

    moment: float
    """Midnight before the first day that is moved. [s]"""
    shift: float
    """An hour, or minus an hour. [s]"""


def find_clock_changes(times: Times, midnight: float = 0.0) -> tuple[ClockChange, ...]:
    """Return the dates on which the begin and the end of the working day both moved by an hour.

    Each part of the record is cut where the daily first and last events, less the hour, agree
    best; a cut counts when the medians of both jump by an hour to within ten minutes, between at
    least five and at most twenty days on either side.

    Parameters
    ----------
    times : ndarray
        Moments of activity; NaN does not count. [s]
    midnight : float
        A moment at which a day begins. [s]
    """
    known = np.sort(times[np.isfinite(times)]) - midnight
    if not len(known):
        return ()
    days = np.floor(known / _DAY)
    new = np.flatnonzero(np.diff(days, prepend=days[0] - 1))
    first = known[new] - days[new] * _DAY
    last = known[np.append(new[1:], len(known)) - 1] - days[new] * _DAY
    changes = _changes(days[new], np.column_stack((first, last)))
    return tuple(ClockChange(day * _DAY + midnight, shift) for day, shift in sorted(changes))


def without_changes(times: Times, changes: tuple[ClockChange, ...]) -> Times:
    """Return the times that a clock would have shown that was never changed."""
    corrected = np.array(times, dtype=np.float64)
    for change in changes:
        corrected -= np.where(times >= change.moment, change.shift, 0.0)
    return corrected


def with_changes(times: Times, changes: tuple[ClockChange, ...]) -> Times:
    """Return the times of a clock that is changed, the inverse of `without_changes`."""
    shown = np.array(times, dtype=np.float64)
    for change in changes:
        shown += np.where(shown >= change.moment, change.shift, 0.0)
    return shown


def _changes(days: Times, edges: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return day and shift of each change; edges: first and last event, shape (n_days, 2)."""
    best: tuple[float, int, float] | None = None
    for cut in range(_LEAST_DAYS, len(days) - _LEAST_DAYS + 1):
        before, after = edges[max(0, cut - _WINDOW) : cut], edges[cut : cut + _WINDOW]
        jump = np.median(after, axis=0) - np.median(before, axis=0)
        shift = float(np.sign(jump.sum()) * _HOUR)
        is_steady = max(_spread(before), _spread(after)) <= 1.5 * _SLACK
        if not is_steady or shift == 0.0 or (np.abs(jump - shift) > _SLACK).any():
            continue
        moved = edges.copy()
        moved[cut:] -= shift
        misfit = float(np.abs(moved - np.median(moved, axis=0)).sum())
        if best is None or misfit < best[0]:
            best = (misfit, cut, shift)
    if best is None or len(days) > _MOST_DAYS:
        return []
    _, cut, shift = best
    earlier, later = _changes(days[:cut], edges[:cut]), _changes(days[cut:], edges[cut:])
    return [*earlier, (float(days[cut]), shift), *later]


def _spread(edges: NDArray[np.float64]) -> float:
    """Return the mean distance of the first or of the last events from their median."""
    return float(np.abs(edges - np.median(edges, axis=0)).mean(axis=0).max())
