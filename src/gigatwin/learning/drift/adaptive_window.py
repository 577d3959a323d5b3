"""A window that grows while nothing changes and drops its old part when something has.

ADWIN [1]_: the window is cut in two at every place it remembers; when the means of the two parts
differ by more than chance allows, the older part goes. The memory is an exponential histogram: at
most five sums each of 1, 2, 4, 8 .. values, so that a window of a million values takes some 90
numbers. The bound holds for any law of values between 0 and 1 and is wide: it is a second opinion
with hardly a false alarm, not a quick one.

References
----------
.. [1] A. Bifet, R. Gavalda, "Learning from time-changing data with adaptive windowing", SIAM
   International Conference on Data Mining (2007) 443-448.
"""

import math

import numba
import numpy as np
from numpy.typing import NDArray

DELTA = 0.002
"""Default confidence of the bound, as in the original."""
_BUCKETS = 5
_LEVELS = 48
_PAUSE = 32
_SHORTEST = 5
_REACH = 5.0


def unit_values(values: NDArray[np.float64], n_reference: int) -> NDArray[np.float64]:
    """Return values between 0 and 1: the median of the first ones +- 5 robust deviations.

    Parameters
    ----------
    values : ndarray
        Shape (n,), n at least 1.
    n_reference : int
        Number of values at the begin that median and spread are taken from.

    Returns
    -------
    ndarray
        Shape (n,); values beyond the range are taken as its end.
    """
    reference = values[:n_reference]
    middle = float(np.median(reference))
    # 1.4826 makes the median absolute deviation of normal values their standard deviation.
    spread = 1.4826 * float(np.median(np.abs(reference - middle))) or float(reference.std())
    reach = _REACH * (spread or abs(middle) or 1.0)
    return np.asarray(np.clip(0.5 + (values - middle) / (2.0 * reach), 0.0, 1.0))


def drops(values: NDArray[np.float64], delta: float = DELTA) -> NDArray[np.int64]:
    """Return the values at which the window dropped its older part.

    Parameters
    ----------
    values : ndarray
        Values between 0 and 1. Shape (n,).
    delta : float
        Confidence of the bound; smaller means fewer false alarms.

    Returns
    -------
    ndarray
        Indices, ascending. The window is cut after every 32nd value.

    Raises
    ------
    ValueError
        If a value is not between 0 and 1.
    """
    if len(values) and not (np.min(values) >= 0 and np.max(values) <= 1):
        message = (
            f"ADWIN: values from {np.min(values):g} to {np.max(values):g}; needs values between 0 "
            "and 1 (scale them with unit_values)"
        )
        raise ValueError(message)
    found = _drops(np.ascontiguousarray(values, dtype=np.float64), delta)
    return np.flatnonzero(found)


@numba.njit(cache=True, nogil=True)
def _drops(values: NDArray[np.float64], delta: float) -> NDArray[np.bool_]:
    found = np.zeros(len(values), dtype=np.bool_)
    # Sums and sums of squared deviations of each bucket; the oldest of a level comes first.
    sums = np.zeros((_LEVELS, _BUCKETS + 1))
    squares = np.zeros((_LEVELS, _BUCKETS + 1))
    counts = np.zeros(_LEVELS, dtype=np.int64)
    for i in range(len(values)):
        _insert(values[i], sums, squares, counts)
        if (i + 1) % _PAUSE == 0:
            found[i] = _shrink(sums, squares, counts, delta)
    return found


@numba.njit(cache=True, nogil=True)
def _insert(
    value: float,
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> None:
    sums[0, counts[0]] = value
    squares[0, counts[0]] = 0.0
    counts[0] += 1
    for level in range(_LEVELS - 1):
        if counts[level] <= _BUCKETS:
            break
        n = 2.0**level
        between = (sums[level, 0] - sums[level, 1]) ** 2 / (2.0 * n)
        place = counts[level + 1]
        sums[level + 1, place] = sums[level, 0] + sums[level, 1]
        squares[level + 1, place] = squares[level, 0] + squares[level, 1] + between
        counts[level + 1] += 1
        _forget(level, 2, sums, squares, counts)


@numba.njit(cache=True, nogil=True)
def _forget(
    level: int,
    n: int,
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> None:
    for place in range(n, counts[level]):
        sums[level, place - n] = sums[level, place]
        squares[level, place - n] = squares[level, place]
    counts[level] -= n


@numba.njit(cache=True, nogil=True)
def _shrink(
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
    counts: NDArray[np.int64],
    delta: float,
) -> bool:
    dropped = False
    while _differs(sums, squares, counts, delta):
        dropped = True
        oldest = _LEVELS - 1
        while counts[oldest] == 0:
            oldest -= 1
        _forget(oldest, 1, sums, squares, counts)
    return dropped


@numba.njit(cache=True, nogil=True)
def _differs(
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
    counts: NDArray[np.int64],
    delta: float,
) -> bool:
    n, total, square = 0.0, 0.0, 0.0
    for level in range(_LEVELS):
        for place in range(counts[level]):
            # Squared deviations of parts add up to those of the whole (Chan et al. 1983).
            size, part = 2.0**level, sums[level, place]
            if n > 0:
                square += n * size / (n + size) * (part / size - total / n) ** 2
            square += squares[level, place]
            n += size
            total += part
    if n < 2 * _SHORTEST:
        return False
    variance = square / n
    logarithm = math.log(2.0 * math.log(n) / delta)
    n_old, old = 0.0, 0.0
    for level in range(_LEVELS - 1, -1, -1):
        for place in range(counts[level]):
            n_old += 2.0**level
            old += sums[level, place]
            n_new = n - n_old
            if n_new < _SHORTEST:
                return False
            if n_old >= _SHORTEST:
                inverse = 1.0 / n_old + 1.0 / n_new
                reach = math.sqrt(2.0 * inverse * variance * logarithm)
                reach += 2.0 / 3.0 * inverse * logarithm
                if abs(old / n_old - (total - old) / n_new) > reach:
                    return True
    return False
