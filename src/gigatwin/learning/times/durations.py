"""Samples of durations: thinned for a description, and how well their mean is known."""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from gigatwin.factory.durations import Duration, Empirical
from gigatwin.factory.estimates import Estimate

MAXIMUM_SAMPLES = 400
"""Samples kept in a description, so that it stays readable."""
FEW = 10
"""Below so many observations nothing counts as identified."""
NEARLY_CONSTANT = 0.02
"""Coefficient of variation below which values may be equal but for their resolution."""
_SIGNIFICANT_DIGITS = 5
_RELATIVE_REACH = 0.1
_N_BATCHES = 20
_LEAST_PER_BATCH = 10
_NORMAL_QUANTILE = 1.959963984540054


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
        precise = self.high - self.mean <= _RELATIVE_REACH * self.mean
        return self.n_observations >= FEW and precise

    def __str__(self) -> str:
        """Return the estimate in words."""
        text = f"{self.n_observations} observations; mean {self.mean:.4g} s"
        if math.isfinite(self.low):
            text += f", 95 % interval {self.low:.4g}-{self.high:.4g} s, cv {self.cv:.2f}"
        return text


def empirical_law(observations: NDArray[np.float64]) -> Duration:
    """Return the law that draws from the observations: a constant when they are all equal."""
    values = rounded(thinned(observations))
    return values[0] if min(values) == max(values) else Empirical(samples=values)


def rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    """Return values with the digits that a description shows."""
    return tuple(float(f"{value:.{_SIGNIFICANT_DIGITS}g}") for value in values)


def thinned(
    observations: NDArray[np.float64],
    maximum: int = MAXIMUM_SAMPLES,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return at most so many samples with the same mean, equally spaced in probability.

    Each sample is the mean of an equal share of the sorted observations.

    Parameters
    ----------
    observations : ndarray
        Shape (n,), n at least 1.
    maximum : int
        Number of samples to keep.
    weights : ndarray, optional
        Weights of the observations; left out, they count alike. Shape (n,).

    Returns
    -------
    ndarray
        Ascending. Shape (min(n, maximum),); with weights at most (maximum,).
    """
    values = np.asarray(observations, dtype=np.float64)
    n = len(values)
    if weights is None:
        ordered = np.sort(values)
        if n <= maximum:
            return ordered
        heights = np.arange(n + 1, dtype=np.float64)
        totals = np.concatenate(([0.0], np.cumsum(ordered)))
    else:
        order = np.argsort(values, kind="stable")
        ordered, mass = values[order], weights[order]
        # Unequal weights need more samples than observations to show.
        maximum = min(maximum, 4 * n)
        heights = np.concatenate(([0.0], np.cumsum(mass)))
        totals = np.concatenate(([0.0], np.cumsum(mass * ordered)))
    height = heights[-1]
    edges = np.interp(np.linspace(0.0, height, maximum + 1), heights, totals)
    # Rounding in the long sums must not disturb the order or leave the range.
    means = np.diff(edges) / (height / maximum)
    return np.asarray(np.clip(np.maximum.accumulate(means), ordered[0], ordered[-1]))


def estimate(observations: NDArray[np.float64]) -> DurationEstimate:
    """Return the mean of observations with its interval by Student's t."""
    n = len(observations)
    mean = float(np.mean(observations))
    if n == 1:
        return DurationEstimate(1, mean, -math.inf, math.inf, 0.0)
    deviation = float(np.std(observations, ddof=1))
    reach = student_quantile(n - 1) * deviation / math.sqrt(n)
    cv = deviation / mean if mean > 0 else 0.0
    return DurationEstimate(n, mean, mean - reach, mean + reach, cv)


def mean_estimate(
    values: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
    *,
    unit: str = "s",
    rows: str = "",
) -> Estimate:
    """Return the mean of observations with a 95 % interval that minds dependence in time.

    Where neighbours are alike (first autocorrelation significantly above 0) the interval comes
    from means of 20 batches, or with less than 200 observations from the effective number of an
    autoregressive series of first order; otherwise from Student's t.

    Parameters
    ----------
    values : ndarray
        Observations of a positive quantity in the order of time. Shape (n,), n at least 1.
    weights : ndarray, optional
        Weights of the observations. Shape (n,).
    unit, rows : str
        For the estimate.
    """
    n = len(values)
    mean = float(np.average(values, weights=weights))
    known = functools.partial(Estimate, value=mean, unit=unit, n=n, rows=rows)
    if n == 1:
        return known(low=0.0, method="one observation", is_identified=False)
    variance = float(np.average((values - mean) ** 2, weights=weights)) * n / (n - 1)
    effective = float(n)
    method = "mean, Student's t"
    if weights is not None and np.ptp(weights) > 0:
        effective = float(weights.sum() ** 2 / (weights**2).sum())
        method = "weighted mean, Student's t with the effective number of observations"
    error = math.sqrt(variance / effective)
    freedom = max(effective - 1.0, 1.0)
    first = _autocorrelation(values)
    if first > _NORMAL_QUANTILE / math.sqrt(n):
        if n >= _N_BATCHES * _LEAST_PER_BATCH:
            means = [float(part.mean()) for part in np.array_split(values, _N_BATCHES)]
            inflation = float(np.var(means, ddof=1)) / _N_BATCHES / (float(np.var(values)) / n)
            error *= math.sqrt(max(inflation, 1.0))
            freedom = min(freedom, _N_BATCHES - 1.0)
            method = f"mean, {_N_BATCHES} batches in time because neighbours are alike"
        else:
            error *= math.sqrt((1 + first) / max(1 - first, 0.05))
            method = "mean, fewer effective observations because neighbours are alike"
    reach = student_quantile(freedom) * error
    return known(
        low=min(max(mean - reach, 0.0), mean),
        high=mean + reach,
        method=method,
        is_identified=n >= FEW and reach <= _RELATIVE_REACH * mean,
    )


def cv_estimate(
    values: NDArray[np.float64], weights: NDArray[np.float64] | None = None, *, rows: str = ""
) -> Estimate:
    """Return the coefficient of variation with a 95 % interval by the delta method.

    Its relative variance is ((kurtosis - 1) / 4 + cv^2 - skewness cv) / n.
    """
    n = len(values)
    mean = float(np.average(values, weights=weights))
    variance = float(np.average((values - mean) ** 2, weights=weights)) * n / max(n - 1, 1)
    if n == 1 or variance <= 0 or mean <= 0:
        return Estimate(
            value=0.0,
            low=0.0,
            high=0.0 if n > 1 else None,
            n=n,
            method="no scatter seen",
            rows=rows,
            is_identified=n >= FEW,
        )
    deviation = math.sqrt(variance)
    cv = deviation / mean
    scores = (values - mean) / deviation
    skewness = float(np.average(scores**3, weights=weights))
    kurtosis = float(np.average(scores**4, weights=weights))
    effective = n if weights is None else float(weights.sum() ** 2 / (weights**2).sum())
    spread = max((kurtosis - 1) / 4 + cv * cv - skewness * cv, 0.0) / effective
    reach = _NORMAL_QUANTILE * cv * math.sqrt(spread)
    return Estimate(
        value=cv,
        low=max(cv - reach, 0.0),
        high=cv + reach,
        n=n,
        method="standard deviation over mean, delta method",
        rows=rows,
        is_identified=n >= FEW,
    )


def student_quantile(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's t."""
    return float(special.stdtrit(freedom, 0.975))


def sameness(values: NDArray[np.float64], cv: float, unit: str) -> str | None:
    """Return why the values count as one, or None."""
    n = len(values)
    if n == 1:
        return "there is one observation"
    spread = float(np.ptp(values))
    if spread <= 1e-9 * float(values.max()):
        return f"all {n} observations are equal"
    resolution = _resolution(values)
    if cv < NEARLY_CONSTANT and spread <= resolution * (1 + 1e-6):
        return f"the {n} observations differ by no more than the resolution {resolution:g} {unit}"
    return None


def _resolution(values: NDArray[np.float64]) -> float:
    """Return the coarsest of 1, 0.1, ... 1e-6 of which all values are multiples, or 0."""
    for digits in range(7):
        scaled = values * 10.0**digits
        if float(np.abs(scaled - np.round(scaled)).max()) < 1e-4:  # noqa: PLR2004 - rounding
            return 10.0**-digits
    return 0.0


def _autocorrelation(values: NDArray[np.float64]) -> float:
    """Return the correlation of neighbours; 0 for values without scatter."""
    centred = values - values.mean()
    # Sums, because a matrix product starts threads, which take longer.
    total = float((centred * centred).sum())
    if total <= 1e-20 * float((values * values).sum()) or len(values) < FEW:
        return 0.0
    return float((centred[1:] * centred[:-1]).sum()) / total
