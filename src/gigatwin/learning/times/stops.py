"""Breakdowns and micro-stops seen in the times of visits: what is visible, and the first guess.

A blocked visit shows only an upper bound of its work. The distribution function from the product
limit, run from the longest to the shortest visit, gives each visible stop the weight that makes up
for those hidden behind a bound of the same length.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gigatwin.factory.durations import Distribution, Duration
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.stops import Stop
from gigatwin.learning.times.cycle_density import Floats, StopLaw

LEAST_VISIBLE = 3
"""Visible stops below which none are fitted."""
_CLEAR_SPREADS = (6.0, 4.0)
_ONE_SPREAD_BELOW, _ONE_SPREAD_ABOVE = 0.158655, 0.841345
_LEAST_FOR_TWO_KINDS = 20
_MOST_SHARE = 0.3
_COMMON_SHARE = 0.05
_NARROW = 0.35
_LEAST_SPREADS = 2.0
_WIDE_PROCESSING = 0.5


@dataclass(frozen=True)
class StopFit:
    """A kind of stop as estimated from the times of visits."""

    kind: Literal["breakdown", "micro_stop"]
    """What it is."""
    mean_between: Estimate
    """Mean running time between two, which is exponential. [s]"""
    duration: Duration
    """Law of the repair times, with estimates."""
    n_visible: int
    """Stops that stand out from the scatter of the processing time."""
    n_expected: float
    """Expected number of stops in all visits, hidden ones included."""

    def to_stop(self) -> Stop:
        """Return the stop as a factory description has it."""
        every = Distribution(
            distribution="exponential",
            mean=self.mean_between.value,
            estimates={"mean": self.mean_between},
        )
        return Stop(kind=self.kind, every=every, clock="running", duration=self.duration)


@dataclass(frozen=True)
class ProductLimit:
    """The distribution of times of which some are known only as upper bounds.

    The masses sum to 1. What is known to lie below the shortest exact time, but not where, is put
    on the lowest bound.
    """

    times: Floats
    """Distinct times, ascending. [s] Shape (n,)."""
    masses: Floats
    """Their probabilities, shape (n,)."""
    below: float
    """Probability known only to lie below the shortest exact time."""

    def at(self, times: Floats) -> Floats:
        """Return the distribution function."""
        cumulative = np.concatenate(([0.0], np.cumsum(self.masses)))
        return np.asarray(cumulative[np.searchsorted(self.times, times, side="right")])

    def quantiles(self, probabilities: Sequence[float]) -> Floats:
        """Return quantiles in s of the part whose place is known."""
        wanted = self.below + (1 - self.below) * np.asarray(probabilities)
        places = np.searchsorted(np.cumsum(self.masses), wanted - 1e-12)
        return np.asarray(self.times[np.minimum(places, len(self.times) - 1)])

    @property
    def mean(self) -> float:
        """Mean in s."""
        return float(self.times @ self.masses)

    @property
    def deviation(self) -> float:
        """Standard deviation in s."""
        return math.sqrt(max(float((self.times - self.mean) ** 2 @ self.masses), 0.0))


def product_limit(exact: Floats, bounds: Floats) -> ProductLimit:
    """Return the distribution of exact times and of times known to be at most a bound.

    Parameters
    ----------
    exact : ndarray
        Exact times, at least one. [s]
    bounds : ndarray
        Upper bounds of the other times. [s]

    References
    ----------
    .. [1] E. L. Kaplan, P. Meier, "Nonparametric estimation from incomplete observations",
       J. Am. Stat. Assoc. 53 (1958) 457-481, with the direction of time turned round.

    Examples
    --------
    >>> found = product_limit(np.array([1.0, 3.0]), np.array([2.0]))
    >>> found.times.tolist(), found.masses.round(4).tolist()
    ([1.0, 3.0], [0.6667, 0.3333])
    """
    times, counts = np.unique(exact, return_counts=True)
    at_most = np.cumsum(counts) + np.searchsorted(np.sort(bounds), times, side="right")
    kept = 1 - counts / at_most
    # Distribution function at each time: what all longer ones leave.
    upto = np.concatenate((np.cumprod(kept[:0:-1])[::-1], [1.0]))
    masses = upto * counts / at_most
    below = float(upto[0] * kept[0])
    if below <= 0:
        return ProductLimit(times, masses, 0.0)
    lowest = min(float(bounds.min()), float(times[0]))
    if lowest == times[0]:
        masses[0] += below
    else:
        times, masses = np.append(lowest, times), np.append(below, masses)
    return ProductLimit(times, masses, below)


@dataclass(frozen=True)
class FirstGuess:
    """Where the search for the laws of a visit begins."""

    centre: float
    """Median of the processing time. [s]"""
    spread: float
    """Scatter of the processing time on the scale of a standard deviation. [s]"""
    n_visible: int
    """Visits that are clearly longer than the processing time."""
    share: float
    """Share of such visits, those hidden by blocking included."""
    stops: tuple[StopLaw, ...]
    """One kind of stop; none if too few are visible."""
    two_kinds: tuple[StopLaw, ...]
    """Short and long stops; none if too few are visible."""


def first_guess(limit: ProductLimit, exact: Floats, least_spread: float) -> FirstGuess:
    """Return the guess by the outlier rule: a stop is what lies 6 spreads above the median.

    Parameters
    ----------
    limit : ProductLimit
        Distribution of the visits.
    exact : ndarray
        Visits whose end was seen. [s]
    least_spread : float
        Smallest scatter that is believed. [s]
    """
    lower, centre, upper = limit.quantiles((_ONE_SPREAD_BELOW, 0.5, _ONE_SPREAD_ABOVE))
    # Stops widen the upper side only; blocking may cut off the lower one.
    sides = [side for side in (centre - lower, upper - centre) if side > 0]
    spread = max(min(sides, default=0.0), least_spread)
    for n_spreads in _CLEAR_SPREADS:
        cut = centre + n_spreads * spread
        n_visible = int(np.count_nonzero(exact > cut))
        if n_visible >= LEAST_VISIBLE:
            break
    is_clear = limit.times > cut
    share = float(limit.masses[is_clear].sum())
    if n_visible < LEAST_VISIBLE or not 0 < share < 1:
        return FirstGuess(float(centre), float(spread), n_visible, share, (), ())
    excess, weights = limit.times[is_clear] - centre, limit.masses[is_clear]
    rate = -math.log1p(-share) / max(float(centre), float(spread))
    both = (_guess(excess, weights, rate),)
    two: tuple[StopLaw, ...] = ()
    if n_visible >= _LEAST_FOR_TWO_KINDS and excess[0] < excess[-1]:
        split = _best_split(np.log(excess), weights)
        parts = (slice(None, split), slice(split, None))
        two = tuple(
            _guess(excess[part], weights[part], rate * weights[part].sum() / share)
            for part in parts
        )
    return FirstGuess(float(centre), float(spread), n_visible, share, both, two)


def _guess(excess: Floats, weights: Floats, rate: float) -> StopLaw:
    mean = float(np.average(excess, weights=weights))
    deviation = math.sqrt(float(np.average((excess - mean) ** 2, weights=weights)))
    return StopLaw("lognormal", 1 / rate, mean, min(max(deviation / mean, 0.2), 2.0))


def _best_split(ordered: Floats, weights: Floats) -> int:
    """Return where to part values so that the two groups are as far apart as can be (Otsu)."""
    mass, total = np.cumsum(weights)[:-1], np.cumsum(weights * ordered)[:-1]
    all_mass, all_total = weights.sum(), weights @ ordered
    between = (all_total * mass / all_mass - total) ** 2 / (mass * (all_mass - mass))
    return int(np.argmax(between)) + 1


def implausible(
    processing_mean: float, processing_spread: float, stops: Sequence[StopLaw]
) -> str | None:
    """Return why a fit with stops is rather a second mode of the work, or None.

    The durations alone cannot tell a stop from slower work, so a stop has to be rare, longer than
    the scatter, and of varying length.
    """
    for stop in stops:
        share = -math.expm1(-processing_mean / stop.mean_between)
        if share > _MOST_SHARE:
            return f"a stop in {share:.0%} of all visits is rather a kind of work"
        if share > _COMMON_SHARE and stop.law != "exponential" and stop.cv < _NARROW:
            return "the longer visits are frequent and all alike, rather a second kind of work"
        if stop.mean < _LEAST_SPREADS * processing_spread:
            return "the longer visits hardly differ from the scatter of the work"
    if stops and processing_spread > _WIDE_PROCESSING * processing_mean:
        return "the work varies so much that stops cannot be told from it"
    return None
