"""Estimates and how sure they are: warm-up, intervals, batch means, paired differences."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy

from gigatwin.errors import StudyError

_MSER_BATCH = 5
_MSER_LEAST_BATCHES = 10
_LAG_1_CONFIDENCE = 0.95

IntervalKind = Literal["mean", "prediction"]
"""What an interval is about: the mean of the values, or one more value of the same kind."""


@dataclass(frozen=True)
class Interval:
    """A mean with its interval, in the unit of the values."""

    mean: float
    """Estimate."""
    half_width: float
    """Half the width of the interval; NaN for a single value, which says nothing about spread."""
    n: int
    """Number of independent values."""
    confidence: float
    """Probability with which the interval covers what it is about. [-]"""
    kind: IntervalKind = "mean"
    """What it is about: the true mean, which more values narrow down, or one more value."""

    @property
    def low(self) -> float:
        """Lower end."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end."""
        return self.mean + self.half_width

    @property
    def relative_half_width(self) -> float:
        """Half width over the magnitude of the mean; NaN when both are 0."""
        if self.mean == 0.0:
            return math.inf if self.half_width > 0.0 else math.nan
        return self.half_width / abs(self.mean)


@dataclass(frozen=True)
class WarmUp:
    """How much of the start of a series is warm-up."""

    cut: int
    """Values to leave out, a multiple of 5."""
    is_accepted: bool
    """Whether the cut lies in the first half; if not, the run is too short."""


@dataclass(frozen=True)
class BatchMeans:
    """Interval from the means of consecutive batches of one long series."""

    interval: Interval
    """Interval that treats the batch means as independent."""
    lag_1_correlation: float
    """Correlation of each batch mean with the next. [-]"""
    is_uncorrelated: bool
    """Whether that correlation is small enough for independence; if not, run longer."""


def _values(values: npt.ArrayLike, least: int, what: str) -> npt.NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size < least:
        message = (
            f"{what}: found values of shape {array.shape}; need a series of at least {least};"
            " run longer or with more replications."
        )
        raise StudyError(message)
    return array


def _check_confidence(confidence: float) -> None:
    if not 0.0 < confidence < 1.0:
        message = f"confidence: {confidence:g}; must lie between 0 and 1, for example 0.95."
        raise StudyError(message)


def mean_interval(
    values: npt.ArrayLike, confidence: float = 0.95, kind: IntervalKind = "mean"
) -> Interval:
    r"""Return the mean of independent values with a Student t interval.

    Parameters
    ----------
    values : array_like
        float64, shape (n,).
    confidence : float
        Confidence of the interval. [-]
    kind : str
        ``mean``: the interval covers the true mean. ``prediction``: it covers one more value.

    Notes
    -----
    Of n values with standard deviation s, the half-width is :math:`t s / \sqrt{n}` for the mean
    and :math:`t s \sqrt{1 + 1/n}` for one more value, which is exact when they are normal.
    """
    _check_confidence(confidence)
    array = _values(values, 1, "mean_interval")
    n = array.size
    if n == 1:
        return Interval(float(array[0]), math.nan, n, confidence, kind)
    quantile = float(scipy.special.stdtrit(n - 1, 0.5 + 0.5 * confidence))
    spread = math.sqrt(1.0 / n + (kind == "prediction"))
    half_width = quantile * float(array.std(ddof=1)) * spread
    return Interval(float(array.mean()), half_width, n, confidence, kind)


def paired_difference(
    baseline: npt.ArrayLike,
    variant: npt.ArrayLike,
    confidence: float = 0.95,
    kind: IntervalKind = "mean",
) -> Interval:
    """Return the mean of ``variant - baseline`` over replications that share their draws.

    Parameters
    ----------
    baseline, variant : array_like
        One value for each replication, in the same order; float64, shape (n_replications,).
    confidence : float
        Confidence of the interval. [-]
    kind : str
        Whether the interval is that of the mean difference or of one more difference.

    Raises
    ------
    StudyError
        If the two have different numbers of replications.
    """
    first = _values(baseline, 1, "paired_difference baseline")
    second = _values(variant, 1, "paired_difference variant")
    if first.size != second.size:
        message = (
            f"paired_difference: {first.size} baseline and {second.size} variant replications;"
            " need the same replications of both; run both with the same number."
        )
        raise StudyError(message)
    return mean_interval(second - first, confidence, kind)


def has_relative_precision(interval: Interval, relative_error: float, least: int = 10) -> bool:
    r"""Say whether enough replications were made for a relative error.

    Parameters
    ----------
    interval : Interval
        Interval from the replications so far.
    relative_error : float
        Error accepted, relative to the true mean (:math:`\gamma`). [-]
    least : int
        Replications to make in any case, because the first few may agree by chance.

    Notes
    -----
    The half width relative to the estimate must not exceed :math:`\gamma / (1 + \gamma)`; the
    error relative to the true mean is then at most :math:`\gamma` [1]_.

    References
    ----------
    .. [1] A. M. Law, *Simulation Modeling and Analysis*, 5th ed., McGraw-Hill, 2015, sec. 9.4.
    """
    if interval.n < least:
        return False
    allowed = relative_error / (1.0 + relative_error) * abs(interval.mean)
    return interval.half_width <= allowed


def mser5(series: npt.ArrayLike) -> WarmUp:
    """Return how many values at the start of a series to leave out (MSER-5).

    Parameters
    ----------
    series : array_like
        Values in the order of time, at least 50; float64, shape (n,).

    Returns
    -------
    WarmUp
        The cut that leaves the smallest squared standard error of the mean of means of five.

    Notes
    -----
    The last five means are never cut off, where the error estimate is small by chance, and a cut
    in the second half is not accepted [2]_.

    References
    ----------
    .. [1] K. P. White, "An effective truncation heuristic for bias reduction in simulation
       output", *Simulation* 69(6), 1997.
    .. [2] K. Hoad, S. Robinson, "Implementing MSER-5 in commercial simulation software and its
       wider implications", *Winter Simulation Conference*, 2011.
    """
    array = _values(series, _MSER_BATCH * _MSER_LEAST_BATCHES, "mser5")
    n_batches = array.size // _MSER_BATCH
    means = array[: n_batches * _MSER_BATCH].reshape(n_batches, _MSER_BATCH).mean(axis=1)
    # Centred on the end of the series, so that sums over what is kept lose no digits.
    centred = means - means[-1]
    kept = np.arange(n_batches, 0, -1)
    sums = np.cumsum(centred[::-1])[::-1]
    squares = np.cumsum(centred[::-1] ** 2)[::-1]
    error = np.maximum(squares - sums**2 / kept, 0.0) / kept**2
    candidates = error[: n_batches - _MSER_BATCH + 1]
    # Rounding must not decide between equal errors: the earliest one wins.
    rounding = 1e-24 * float(np.abs(means).max()) ** 2
    cut = int(np.argmax(candidates <= candidates.min() + rounding))
    return WarmUp(cut * _MSER_BATCH, cut <= n_batches // 2)


def batch_means(series: npt.ArrayLike, n_batches: int = 20, confidence: float = 0.95) -> BatchMeans:
    """Return the mean of one long series without its warm-up, with an interval from batch means.

    Parameters
    ----------
    series : array_like
        Values in the order of time; float64, shape (n,). The first ``n mod n_batches`` are left
        out.
    n_batches : int
        Number of batches, at least 10; 20 or more are usual.
    confidence : float
        Confidence of the interval. [-]

    Notes
    -----
    The check is one-sided at 5 %: of independent batch means, the lag-1 correlation is close to
    normal with mean ``-1/n_batches`` and variance ``1/n_batches``.
    """
    least = 10
    if n_batches < least:
        message = f"batch_means n_batches: {n_batches}; must be {least} or more."
        raise StudyError(message)
    array = _values(series, n_batches, "batch_means")
    size = array.size // n_batches
    means = array[array.size - n_batches * size :].reshape(n_batches, size).mean(axis=1)
    centred = means - means.mean()
    total = float(centred @ centred)
    correlation = float(centred[1:] @ centred[:-1]) / total if total > 0.0 else 0.0
    limit = -1.0 / n_batches + float(scipy.special.ndtri(_LAG_1_CONFIDENCE)) / math.sqrt(n_batches)
    return BatchMeans(mean_interval(means, confidence), correlation, correlation <= limit)


__all__ = [
    "BatchMeans",
    "Interval",
    "IntervalKind",
    "WarmUp",
    "batch_means",
    "has_relative_precision",
    "mean_interval",
    "mser5",
    "paired_difference",
]
