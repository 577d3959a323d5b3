r"""When a signal changed, found afterwards: the best cut of a series into pieces.

PELT [1]_ minimises the cost of the pieces plus a penalty for each cut, exactly, by dynamic
programming that forgets starts which can never be best again. The cost of a piece is its sum of
squared deviations (change of the mean) or :math:`n \log \hat\sigma^2` (mean and variance).

The interval of a date is the set of moments that hold 95 % of the likelihood of the two
neighbouring pieces, with their means integrated out.

References
----------
.. [1] R. Killick, P. Fearnhead, I. A. Eckley, "Optimal detection of changepoints with a linear
   computational cost", J. Am. Stat. Assoc. 107 (2012) 1590-1598.
.. [2] N. R. Zhang, D. O. Siegmund, "A modified Bayes information criterion with applications to
   the analysis of comparative genomic hybridization data", Biometrics 63 (2007) 22-32.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Cost = Literal["mean", "mean_variance"]

LONGEST = 1000
"""Longer series are cut by blocks first, and then to the value."""
_CONFIDENCE = 0.95
_LEAST_VARIANCE = 1e-12
_FEW = 4
# A short series is cut no more readily than one of this length.
_CAUTION = 1000


@dataclass(frozen=True)
class ChangePoint:
    """A moment at which the mean of a series changed."""

    index: int
    """First value after the change."""
    low: int
    """Earliest value of the 95 % interval of ``index``."""
    high: int
    """Latest value of it."""


def penalty(n: int, kind: Literal["bic", "mbic"] = "mbic") -> float:
    """Return what a cut must gain, in units of the variance of the values.

    Parameters
    ----------
    n : int
        Number of values.
    kind : {"bic", "mbic"}
        2 log n (a mean and a date more), or 3 log n, the leading term of the modified criterion
        [2]_ of this module, which hardly ever cuts without need.
    """
    return (2.0 if kind == "bic" else 3.0) * math.log(max(n, 2))


def pelt(values: Floats, penalty: float, minimum: int = 2, cost: Cost = "mean") -> list[int]:
    """Return the first values of all pieces but the first, for the cheapest cut.

    Parameters
    ----------
    values : ndarray
        Shape (n,).
    penalty : float
        Cost of one more piece, in the unit of the cost: squared values for the mean.
    minimum : int
        Least number of values in a piece.
    cost : {"mean", "mean_variance"}
        Sum of squared deviations, or n log(variance).

    Returns
    -------
    list of int
        Ascending; empty without a change.
    """
    n = len(values)
    if n < 2 * minimum:
        return []
    # Sums of deviations lose fewer digits than those of the values.
    centred = np.asarray(values, dtype=np.float64) - np.mean(values)
    sums = np.concatenate(([0.0], np.cumsum(centred)))
    squares = np.concatenate(([0.0], np.cumsum(centred**2)))
    least_variance = _LEAST_VARIANCE * max(float(squares[-1]) / n, 1e-300)
    best = np.full(n + 1, np.inf)
    best[0] = -penalty
    cut_before = np.zeros(n + 1, dtype=np.int64)
    starts = np.zeros(1, dtype=np.int64)
    expires = np.full(1, n + 1, dtype=np.int64)
    for end in range(minimum, n + 1):
        alive = expires > end
        starts, expires = starts[alive], expires[alive]
        lengths = end - starts
        deviations = squares[end] - squares[starts] - (sums[end] - sums[starts]) ** 2 / lengths
        if cost == "mean_variance":
            deviations = lengths * np.log(np.maximum(deviations / lengths, least_variance))
        totals = best[starts] + deviations
        place = int(np.argmin(totals))
        best[end] = totals[place] + penalty
        cut_before[end] = starts[place]
        # A start worse than a cut here is out, but only once a piece that begins here is long
        # enough. Rounding must not drop one that is as good.
        beaten = totals > best[end] + 1e-9 * abs(best[end])
        expires[beaten] = np.minimum(expires[beaten], end + minimum)
        opening = end + 1 - minimum
        if opening >= minimum:
            starts, expires = np.append(starts, opening), np.append(expires, n + 1)
    cuts: list[int] = []
    end = n
    while cut_before[end] > 0:
        end = int(cut_before[end])
        cuts.append(end)
    return cuts[::-1]


def change_points(
    values: Floats, *, minimum: int = 5, least_deviation: float = 0.0
) -> tuple[ChangePoint, ...]:
    """Return when the mean of a series changed, each with the interval of its date.

    Parameters
    ----------
    values : ndarray
        Values with bounded or normal noise, such as normal scores. Shape (n,).
    minimum : int
        Least number of values in a piece.
    least_deviation : float
        The noise is taken as no smaller than this, so that one odd value among equal ones is no
        change.
    """
    n = len(values)
    if n < 2 * minimum or np.ptp(values) == 0:
        return ()
    deviation = max(long_run_deviation(values), least_deviation, 1e-3 * float(np.ptp(values)))
    block = math.ceil(n / LONGEST)
    n_blocks = n // block
    means = values[: n_blocks * block].reshape(n_blocks, block).mean(axis=1)
    shortest = max(2, math.ceil(minimum / block)) if block > 1 else minimum
    cuts = pelt(means * math.sqrt(block) / deviation, penalty(max(n, _CAUTION)), shortest)
    edges = [0, *(cut * block for cut in cuts), n]
    found = []
    for place in range(1, len(edges) - 1):
        point = _dated(values, edges[place - 1], edges[place + 1])
        if block > 1:
            edges[place] = point.index
        found.append(
            ChangePoint(edges[place], min(point.low, edges[place]), max(point.high, edges[place]))
        )
    return tuple(found)


def long_run_deviation(values: Floats) -> float:
    """Return the standard deviation that counts for sums of values, whatever their level does.

    It is taken from differences, which a few changes of level hardly touch, and enlarged by
    sqrt((1 + r) / (1 - r)) where neighbours are correlated (r > 0).

    Parameters
    ----------
    values : ndarray
        Shape (n,).

    Returns
    -------
    float
        0 for fewer than 4 values, or where all between the changes are equal.
    """
    n = len(values)
    if n < _FEW:
        return 0.0
    first = _mean_without_jumps(np.diff(values) ** 2)
    second = _mean_without_jumps((values[2:] - values[:-2]) ** 2)
    if first == 0.0:
        return math.sqrt(0.5 * second)
    # For a first-order autoregression the ratio is 1 + r; below 4 standard errors r counts as 0.
    correlation = min(second / first - 1.0, 0.95)
    if correlation < 4.0 / math.sqrt(n):
        return math.sqrt(0.5 * max(first, second))
    variance = 0.5 * first / (1.0 - correlation)
    return math.sqrt(variance * (1.0 + correlation) / (1.0 - correlation))


def _mean_without_jumps(squares: Floats) -> float:
    """Return the mean, with the few largest taken as the next smaller: they may be changes."""
    n_jumps = min(max(2, len(squares) // 200), len(squares) - 1)
    return float(np.mean(np.minimum(squares, np.sort(squares)[-1 - n_jumps])))


def _dated(values: Floats, begin: int, end: int) -> ChangePoint:
    """Return the best place of one change between two others, with its interval."""
    piece = values[begin:end] - np.mean(values[begin:end])
    n = len(piece)
    before = np.arange(1, n)
    sums = np.cumsum(piece)[:-1]
    after = n - before
    # What a cut takes off the squared deviations, for each place.
    gains = sums**2 * n / (before * after)
    best = int(np.argmax(gains))
    rest = float(piece @ piece) - float(gains[best])
    variance = max(rest / max(n - 2, 1), _LEAST_VARIANCE * float(piece @ piece), 1e-300)
    split = best + 1
    residuals = np.concatenate(
        (piece[:split] - np.mean(piece[:split]), piece[split:] - np.mean(piece[split:]))
    )
    variance = max(variance, long_run_deviation(residuals) ** 2)
    likelihoods = (gains - gains[best]) / (2.0 * variance) - 0.5 * np.log(before * after / n)
    weights = np.exp(likelihoods - likelihoods.max())
    order = np.argsort(-weights, kind="stable")
    shares = np.cumsum(weights[order]) / weights.sum()
    chosen = order[: int(np.searchsorted(shares, _CONFIDENCE)) + 1]
    low, high = int(chosen.min()), int(chosen.max())
    return ChangePoint(begin + split, begin + 1 + min(low, best), begin + 1 + max(high, best))
