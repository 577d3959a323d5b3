"""Laws of durations as observed: plain empirical samples.

One family of distributions is not good enough for real machines, which often work in two or three
modes; the sample is. Nothing is left out as an outlier.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gigatwin.factory.durations import Duration, Empirical

MAXIMUM_SAMPLES = 400
"""Samples kept in a description, so that it stays readable."""
_SIGNIFICANT_DIGITS = 5
_FEW = 10


@dataclass(frozen=True)
class DurationEstimate:
    """What is known of a duration."""

    n_observations: int
    """Number of observations."""
    mean: float
    """Mean. [s]"""
    low: float
    """Lower end of the 95 % interval of the mean; minus infinity with one observation. [s]"""
    high: float
    """Upper end. [s]"""
    cv: float
    """Standard deviation over mean; 0 with one observation."""

    @property
    def is_identified(self) -> bool:
        """Whether there are 10 observations and the mean is known to within 10 %."""
        precise = self.high - self.mean <= 0.1 * self.mean
        return self.n_observations >= _FEW and precise

    def __str__(self) -> str:
        """Return the estimate in words."""
        text = f"{self.n_observations} observations; mean {self.mean:.4g} s"
        if math.isfinite(self.low):
            text += f", 95 % interval {self.low:.4g}-{self.high:.4g} s, cv {self.cv:.2f}"
        return text


def empirical_law(observations: NDArray[np.float64]) -> Duration:
    """Return the law that draws from the observations: a constant when they are all equal."""
    samples = thinned(observations)
    values = tuple(float(f"{value:.{_SIGNIFICANT_DIGITS}g}") for value in samples)
    return values[0] if min(values) == max(values) else Empirical(samples=values)


def thinned(
    observations: NDArray[np.float64], maximum: int = MAXIMUM_SAMPLES
) -> NDArray[np.float64]:
    """Return at most so many samples with the same mean, equally spaced in probability.

    Each sample is the mean of an equal share of the sorted observations.

    Parameters
    ----------
    observations : ndarray
        Shape (n,), n at least 1.
    maximum : int
        Number of samples to keep.

    Returns
    -------
    ndarray
        Ascending. Shape (min(n, maximum),).
    """
    ordered = np.sort(np.asarray(observations, dtype=np.float64))
    n = len(ordered)
    if n <= maximum:
        return ordered
    totals = np.concatenate(([0.0], np.cumsum(ordered)))
    edges = np.interp(np.linspace(0.0, n, maximum + 1), np.arange(n + 1), totals)
    # Rounding in the long sums must not disturb the order or leave the range.
    means = np.diff(edges) / (n / maximum)
    return np.asarray(np.clip(np.maximum.accumulate(means), ordered[0], ordered[-1]))


def estimate(observations: NDArray[np.float64]) -> DurationEstimate:
    """Return the mean of observations with its interval by Student's t."""
    n = len(observations)
    mean = float(np.mean(observations))
    if n == 1:
        return DurationEstimate(1, mean, -math.inf, math.inf, 0.0)
    deviation = float(np.std(observations, ddof=1))
    reach = float(stats.t.ppf(0.975, n - 1)) * deviation / math.sqrt(n)
    cv = deviation / mean if mean > 0 else 0.0
    return DurationEstimate(n, mean, mean - reach, mean + reach, cv)
