"""How many items a machine works on at once, from how its activities overlap."""

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 0.001
"""Share of the busy time that an overlap may take and still count as a slip of the clock."""
RARE = 0.01
"""Share of activities that may begin in an overlap and still count as wrong records."""
_BRIEF = 0.1
"""Overlaps of which nearly all are shorter than this share of an activity are jitter."""
_NEARLY_ALL = 0.95


def n_servers(
    starts: NDArray[np.float64], ends: NDArray[np.float64], tolerance: float = TOLERANCE
) -> int:
    """Return the largest number of overlapping activities that is no slip of the clock.

    Parameters
    ----------
    starts, ends : ndarray
        Begin and end of each activity; those of which one is missing (NaN) do not count. Shape
        (n,). [s]
    tolerance : float
        A number that is reached in no more than this share of the busy time does not count; nor
        does one that is reached at the begin of no more than 1 % of the activities, or only for
        moments that are short beside an activity.

    Returns
    -------
    int
        At least 1.
    """
    known = np.isfinite(starts) & np.isfinite(ends)
    starts, ends = starts[known], ends[known]
    times = np.concatenate((starts, ends))
    steps = np.concatenate((np.ones(len(starts)), -np.ones(len(ends))))
    # At equal times ends come first: handing over is no overlap.
    order = np.lexsort((steps, times))
    lengths = np.diff(times[order])
    levels = np.maximum(np.cumsum(steps[order]).astype(int), 0)
    spent = np.bincount(levels[:-1], weights=lengths, minlength=2)
    begun = np.bincount(levels[steps[order] > 0], minlength=len(spent))[: len(spent)]
    busy = float(spent[1:].sum())
    if busy == 0:
        return 1
    is_long = _at_least(spent) > tolerance * busy
    is_frequent = _at_least(begun) > RARE * len(starts)
    most = int(np.flatnonzero(is_long & is_frequent)[-1])
    brief = _BRIEF * float(np.median(ends - starts))
    while most > 1 and _is_brief(times[order], levels >= most, brief):
        most -= 1
    return max(1, most)


def _is_brief(times: NDArray[np.float64], above: NDArray[np.bool_], brief: float) -> bool:
    """Return whether nearly all stretches in which a level is reached are brief."""
    turns = np.flatnonzero(np.diff(above.astype(np.int8), prepend=0, append=0))
    bounds = times[np.minimum(turns, len(times) - 1)]
    lengths = bounds[1::2] - bounds[::2]
    return float(np.quantile(lengths[lengths > 0], _NEARLY_ALL)) < brief


def _at_least(values: NDArray[np.number]) -> NDArray[np.float64]:
    return np.cumsum(values[::-1].astype(np.float64))[::-1]
