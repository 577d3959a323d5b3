"""Mixtures of lognormal laws, for durations with several modes."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from gigatwin.factory.durations import Empirical

Array = NDArray[np.float64]

_FITTED_POINTS = 300
_ITERATIONS = 100
_PROGRESS = 1e-5
_N_QUANTILES = 401
_LEAST_DIFFERENT = 5
_SCORES = np.linspace(-6.0, 6.0, 241)


@dataclass(frozen=True)
class MixtureFit:
    """A mixture of lognormal laws fitted to observations."""

    shares: tuple[float, ...]
    """Share of each component, by ascending median."""
    medians: tuple[float, ...]
    """Median of each component. [s]"""
    deviations: tuple[float, ...]
    """Standard deviation of the logarithm in each component."""
    log_likelihood: float
    """Logarithm of the likelihood."""

    @property
    def n_parameters(self) -> int:
        """Number of fitted numbers."""
        return 3 * len(self.shares) - 1

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2 * self.n_parameters - 2 * self.log_likelihood

    def bic(self, n: float) -> float:
        """Return the Bayesian criterion for so many observations."""
        return math.log(n) * self.n_parameters - 2 * self.log_likelihood

    @property
    def mean(self) -> float:
        """Mean, in s."""
        parts = zip(self.shares, self.medians, self.deviations, strict=True)
        return sum(share * median * math.exp(s * s / 2) for share, median, s in parts)

    def quantiles(self, probabilities: Array) -> Array:
        """Return the durations that are not exceeded with these probabilities, in s."""
        centres, widths = np.log(self.medians), np.asarray(self.deviations)
        grid = np.unique((centres[:, None] + widths[:, None] * _SCORES).ravel())
        heights = special.ndtr((grid[:, None] - centres) / widths) @ np.asarray(self.shares)
        return np.asarray(np.exp(np.interp(probabilities, heights, grid)))

    def law(self) -> Empirical:
        """Return quantiles for a description, which has no mixtures; they have the same mean."""
        n = _N_QUANTILES - 1
        probabilities = np.linspace(0.0, 1.0, _N_QUANTILES)
        probabilities[[0, -1]] = 0.25 / n, 1 - 0.25 / n
        values = self.quantiles(probabilities)
        # The mean of the piecewise linear law is a trapezoidal sum; its last point is free.
        last = 2 * (n * self.mean - values[1:-1].sum()) - values[0]
        values[-1] = max(last, values[-2])
        return Empirical(quantiles=tuple(float(f"{value:.6g}") for value in values))


def fit_mixture(
    values: Array, n_components: int, weights: Array | None = None
) -> MixtureFit | None:
    """Return a mixture of lognormal laws by expectation maximisation.

    Parameters
    ----------
    values : ndarray
        Durations, all above 0. Shape (n,). [s]
    n_components : int
        Number of components.
    weights : ndarray, optional
        Weights; their sum counts as the number of observations. Shape (n,).

    Returns
    -------
    MixtureFit or None
        None with less than 5 different values for each component, or if a component vanishes.
    """
    mass = np.ones(len(values)) if weights is None else weights
    order = np.argsort(values, kind="stable")
    ordered, mass = values[order], mass[order]
    n_different = 1 + np.count_nonzero(np.diff(ordered))
    if ordered[0] <= 0 or n_different < _LEAST_DIFFERENT * n_components:
        return None
    logs = np.log(ordered)
    total = float(mass.sum())
    if len(logs) > _FITTED_POINTS:
        logs, mass = _slices(logs, mass, _FITTED_POINTS)
    # Without a floor a component can shrink onto tied values, where the likelihood has no bound.
    floor = max(0.01 * float(np.sqrt(np.cov(logs, aweights=mass))), 1e-5)
    best: tuple[float, Array, Array, Array] | None = None
    for start in (_by_mass(mass, n_components), _by_gaps(logs, n_components)):
        found = _expectation_maximisation(logs, mass, start, n_components, floor)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
    if best is None:
        return None
    likelihood, shares, centres, widths = best
    rank = np.argsort(centres)
    # The likelihood of durations, not of their logarithms.
    likelihood -= float(mass @ logs)
    return MixtureFit(
        tuple((shares[rank]).tolist()),
        tuple(np.exp(centres[rank]).tolist()),
        tuple(widths[rank].tolist()),
        likelihood * total / float(mass.sum()),
    )


def _slices(ordered: Array, mass: Array, n: int) -> tuple[Array, Array]:
    """Return so many means of equal shares of sorted values, with equal weights."""
    heights = np.concatenate(([0.0], np.cumsum(mass)))
    totals = np.concatenate(([0.0], np.cumsum(mass * ordered)))
    edges = np.interp(np.linspace(0.0, heights[-1], n + 1), heights, totals)
    return np.diff(edges) / (heights[-1] / n), np.full(n, heights[-1] / n)


def _by_mass(mass: Array, n: int) -> NDArray[np.intp]:
    """Return a first component for each value: equal shares."""
    heights = np.cumsum(mass) / mass.sum()
    return np.asarray(np.minimum(heights * n, n - 1), dtype=np.intp)


def _by_gaps(logs: Array, n: int) -> NDArray[np.intp]:
    """Return a first component for each value: cut where the largest gaps are."""
    inner = np.diff(logs)
    edge = max(2, len(logs) // 50)
    inner[:edge] = inner[-edge:] = 0.0
    cuts = np.sort(np.argsort(inner)[-(n - 1) :]) + 1
    return np.asarray(np.searchsorted(cuts, np.arange(len(logs)), side="right"), dtype=np.intp)


def _expectation_maximisation(
    logs: Array, mass: Array, first: NDArray[np.intp], n: int, floor: float
) -> tuple[float, Array, Array, Array] | None:
    """Return likelihood, shares, centres and widths of a normal mixture."""
    member = np.asarray(first[:, None] == np.arange(n), dtype=np.float64)
    total = float(mass.sum())
    before = -math.inf
    shares = centres = widths = np.empty(0)
    for _ in range(_ITERATIONS):
        weighted = member * mass[:, None]
        counts = weighted.sum(axis=0)
        if counts.min() < 1e-3 * total:
            return None
        shares = counts / total
        centres = (logs @ weighted) / counts
        spread = ((logs[:, None] - centres) ** 2 * weighted).sum(axis=0) / counts
        widths = np.maximum(np.sqrt(spread), floor)
        heights = (
            -0.5 * ((logs[:, None] - centres) / widths) ** 2
            + np.log(shares / widths)
            - 0.5 * math.log(2 * math.pi)
        )
        peak = heights.max(axis=1, keepdims=True)
        member = np.exp(heights - peak)
        sums = member.sum(axis=1, keepdims=True)
        member /= sums
        likelihood = float(mass @ (peak + np.log(sums))[:, 0])
        if likelihood - before < _PROGRESS * total:
            break
        before = likelihood
    return likelihood, shares, centres, widths
