"""Whether a measured figure could be one of the simulated ones: prediction intervals, chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
CONFIDENCE = 0.95
"""Of each prediction interval."""
FAMILY_ERROR = 0.05
"""Chance that any figure at all is flagged when the simulated line is the real one."""
_POINTS = 512
_TINY = 1e-9


@dataclass(frozen=True)
class Agreement:
    """What replications of the same length give for a measured value."""

    simulated: float
    """Mean over the replications."""
    p_value: float
    """Probability of a value at least as far off, if the measured one is another replication."""
    n: int
    """Number of replications."""
    centre: float
    """Mean on the scale of the comparison."""
    scale: float
    """Standard deviation of one more value around it."""
    is_log: bool
    """Whether that scale is logarithmic."""
    is_distance: bool
    """Whether only large values speak against agreement."""

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Return the interval in which one more replication would lie."""
        one_sided = confidence if self.is_distance else 0.5 + confidence / 2
        reach = float(special.stdtrit(self.n - 1, one_sided)) * self.scale
        low, high = self.centre - reach, self.centre + reach
        if self.is_log:
            low, high = math.exp(low), math.exp(high)
        return 0.0 if self.is_distance else low, high

    def detectable(self, error: float) -> float:
        """Return the difference that would be seen at an error probability.

        Of a distance it is its value; otherwise relative to the value on a logarithmic scale.
        """
        if self.is_distance:
            return self.interval(1 - error)[1]
        reach = float(special.stdtrit(self.n - 1, 1 - error / 2)) * self.scale
        return math.expm1(reach) if self.is_log else reach


def agreement(
    measured: float,
    simulated: Sequence[float],
    *,
    is_ratio: bool,
    is_distance: bool = False,
    resolution: float = 0.0,
) -> Agreement:
    """Compare a measured value with the same value of independent replications.

    Parameters
    ----------
    measured : float
        Value of the log.
    simulated : sequence of float
        Value of each replication, at least 2.
    is_ratio : bool
        Whether the values spread in proportion to their size (times, rates), so that logarithms
        are compared, where all are above 0.
    is_distance : bool
        Whether only large values speak against agreement.
    resolution : float
        Least standard deviation, because the values are counts: relative for ratios.

    Notes
    -----
    Student's t for one more draw: ``(x - mean) / (s sqrt(1 + 1/n))`` with n - 1 degrees of freedom.
    """
    values = np.asarray(simulated, dtype=np.float64)
    is_log = is_ratio and measured > 0 and bool((values > 0).all())
    x, sample = (math.log(measured), np.log(values)) if is_log else (measured, values)
    n, centre = len(sample), float(sample.mean())
    scale = max(float(sample.std(ddof=1)), resolution * _unit(measured, is_ratio, is_log))
    scale *= math.sqrt(1 + 1 / n)
    # Rounding is no spread.
    floor = _TINY * (1.0 if is_log else max(abs(centre), _TINY))
    t = (x - centre) / max(scale, floor)
    tail = float(special.stdtr(n - 1, -t if is_distance else -abs(t)))
    return Agreement(
        simulated=float(values.mean()),
        p_value=tail if is_distance else min(1.0, 2 * tail),
        n=n,
        centre=centre,
        scale=scale,
        is_log=is_log,
        is_distance=is_distance,
    )


def _unit(measured: float, is_ratio: bool, is_log: bool) -> float:  # noqa: FBT001 - as above
    """Return what a relative resolution is relative to."""
    return measured if is_ratio and not is_log else 1.0


def holm(p_values: Sequence[float], error: float = FAMILY_ERROR) -> list[bool]:
    """Return which hypotheses fall, with a bounded chance that any true one does [1]_.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist.
       6 (1979) 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03, 0.005])
    [True, False, False, True]
    """
    falls = [False] * len(p_values)
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        if p_values[index] > error / (len(p_values) - rank):
            break
        falls[index] = True
    return falls


@dataclass(frozen=True)
class Distances:
    """How far samples are from the pool of simulated ones."""

    measured: float
    """The measured sample against all replications."""
    simulated: tuple[float, ...]
    """Each replication against the others."""


def distances(measured: Floats, simulated: Sequence[Floats]) -> tuple[Distances, Distances]:
    """Return Kolmogorov-Smirnov and Wasserstein distances to the pooled replications.

    Parameters
    ----------
    measured : ndarray
        Ascending values of the log, at least one.
    simulated : sequence of ndarray
        Ascending values of each replication; those without values are left out.

    Notes
    -----
    A replication is part of the pool P: with share w of it, ``F - P = (1 - w)(F - Q)``, where Q is
    the pool of the others, so both distances to Q are those to P over ``1 - w``.
    """
    samples = [sample for sample in simulated if len(sample)]
    pool = np.sort(np.concatenate(samples))
    grid = np.unique(np.concatenate((_order_statistics(pool), _order_statistics(measured))))
    steps = np.diff(grid)
    pooled = _shares(pool, grid)

    def apart(sample: Floats) -> tuple[float, float]:
        difference = np.abs(_shares(sample, grid) - pooled)
        return float(difference.max()), float(difference[:-1] @ steps)

    ks, w1 = apart(measured)
    found = [apart(sample) for sample in samples]
    others = [max(1 - len(sample) / len(pool), _TINY) for sample in samples]
    return (
        Distances(ks, tuple(d[0] / other for d, other in zip(found, others, strict=True))),
        Distances(w1, tuple(d[1] / other for d, other in zip(found, others, strict=True))),
    )


def _order_statistics(ordered: Floats) -> Floats:
    places = np.linspace(0, len(ordered) - 1, min(len(ordered), _POINTS)).round().astype(int)
    return np.asarray(ordered[places])


def _shares(ordered: Floats, grid: Floats) -> Floats:
    return np.asarray(np.searchsorted(ordered, grid, side="right") / len(ordered))
