"""Search for the model of a station's visits: families in turn, with and without stops.

The processing time is chosen first, then the repair time, then whether there are two kinds of
stops. Where the best model still differs clearly from what was observed, processing times without
a family and the observed distribution itself are compared with it on held-out visits.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gigatwin.factory.durations import Family
from gigatwin.learning.times.cycle_density import Floats, StopLaw, make_grid
from gigatwin.learning.times.cycle_likelihood import (
    CHI_SQUARE,
    ENOUGH,
    LEAST_CV,
    CountedVisits,
    CycleEstimate,
    CycleModel,
    free_processing,
    masses_of,
    maximise,
)
from gigatwin.learning.times.stops import FirstGuess, ProductLimit, first_guess, implausible

PROCESSING_FAMILIES: tuple[Family, ...] = ("gamma", "lognormal", "weibull")
"""Families tried for the processing time."""
REPAIR_FAMILIES: tuple[Family, ...] = ("lognormal", "exponential", "gamma")
"""Families tried for the repair time."""
_CLEAR_BIC = 10.0
_ENOUGH_TO_CHOOSE = 0.1
_LEAST_RELATIVE_SPREAD = 1e-4
_POORLY = 0.01
# Quantiles of sqrt(n) times the distance with fitted (Lilliefors) and with given parameters.
_SUSPECT, _WRONG = 0.9, 1.36
_BETTER = 0.95
_LEAST_FOR_FREE = 200
_MOST_STOPS_IN_CYCLE = 0.5
_FREE_ROUNDS = 3
_ALL_WORK = 0.9999
_OPEN = 1e-6


@dataclass(frozen=True)
class FamilyScore:
    """How well one choice of families did."""

    processing: str
    """Family of the processing time."""
    repairs: str
    """Families of the repairs; empty: no stops."""
    n_parameters: int
    """Number of parameters."""
    log_likelihood: float | None = None
    """Logarithm of the likelihood."""
    aic: float | None = None
    """Akaike's criterion, smaller is better."""
    bic: float | None = None
    """Schwarz' criterion, smaller is better."""
    held_out: float | None = None
    """Excess of the CRPS of the other half of the visits over what they allow. [s]"""


@dataclass(frozen=True)
class Candidate:
    """A model of the visits."""

    kind: Literal["family", "free", "sample"]
    """With a family of the processing time, without one, or the observed distribution."""
    masses: Floats
    """Probability of each cell."""
    estimate: CycleEstimate | None = None
    """Parameters; of a free processing time those of the stops count only."""
    processing: Floats | None = None
    """Cell masses of a free processing time."""

    @property
    def n_parameters(self) -> int:
        """Number of parameters, without the masses of a distribution."""
        if self.estimate is None:
            return 0
        return self.estimate.model.n_parameters - (2 if self.kind == "free" else 0)


@dataclass(frozen=True)
class Choice:
    """The model that was chosen, and how."""

    chosen: Candidate
    """The model."""
    visits: CountedVisits
    """What it was fitted to."""
    guess: FirstGuess
    """What the outlier rule says."""
    considered: tuple[FamilyScore, ...]
    """All choices of families."""
    reason: str
    """Why it was chosen."""
    kolmogorov_smirnov: float
    """Largest difference from the observed distribution function."""
    rivals: tuple[CycleEstimate, ...] = ()
    """Fits with another family of repairs that are nearly as good."""


def choose_model(
    durations: Floats,
    is_bound: NDArray[np.bool_],
    limit: ProductLimit,
    resolution: float,
) -> Choice:
    """Return the model of visits.

    Parameters
    ----------
    durations : ndarray
        Exact times and upper bounds, in the order of the visits. [s] Shape (n,).
    is_bound : ndarray
        Which of them are bounds, shape (n,).
    limit : ProductLimit
        Their distribution.
    resolution : float
        Smallest difference of two times; 0: continuous. [s]
    """
    return _Search(durations, is_bound, limit, resolution).run()


class _Search:
    def __init__(
        self,
        durations: Floats,
        is_bound: NDArray[np.bool_],
        limit: ProductLimit,
        resolution: float,
    ) -> None:
        self.durations, self.is_bound, self.limit = durations, is_bound, limit
        exact = durations[~is_bound]
        self.n_exact = len(exact)
        centre = float(limit.quantiles((0.5,))[0])
        least = max(_LEAST_RELATIVE_SPREAD * centre, resolution / 2, 1e-6)
        self.guess = first_guess(limit, exact, least)
        # Where most visits are equal there is no scatter to fit, and a cell has to have that
        # value in its middle.
        self.is_constant = self.guess.spread <= least and resolution <= 0
        if self.is_constant:
            resolution = 2 * least
        stops = (*self.guess.stops, *self.guess.two_kinds)
        self.grid = make_grid(
            centre=self.guess.centre,
            spread=self.guess.spread,
            reach=float(exact.max()),
            expected_stops=min(self._expected(stops), _MOST_STOPS_IN_CYCLE),
            resolution=resolution,
            shortest_stop=min((stop.mean for stop in stops), default=math.inf),
        )
        self.visits = CountedVisits.of(self.grid, exact, durations[is_bound])
        self.scores: list[FamilyScore] = []
        self.fits: list[CycleEstimate] = []
        self.why_not = ""

    def _expected(self, stops: tuple[StopLaw, ...]) -> float:
        return self.guess.centre * sum(1 / stop.mean_between for stop in stops)

    def run(self) -> Choice:
        best = self._best_family()
        distance = self._distance(best.masses)
        threshold = _POORLY + _SUSPECT / math.sqrt(self.n_exact)
        if distance <= threshold or self.n_exact < _LEAST_FOR_FREE // 4:
            reason = f"best criterion of {len(self.scores)} choices of families"
            return self._choice(best, f"{reason}{self.why_not}")
        others = []
        free = self._free(best)
        if free is not None and self._distance(free.masses) <= threshold:
            others.append(free)
        sample = Candidate("sample", _observed(self.visits))
        others.append(sample)
        chosen, held_out = best, self._held_out(best)
        self._score(best, held_out)
        for other in others:
            score = self._held_out(other)
            self._score(other, score)
            if score < _BETTER * held_out:
                chosen, held_out = other, score
        wrong = _POORLY + _WRONG / math.sqrt(self.n_exact)
        has_stops = chosen.estimate is not None and bool(chosen.estimate.stops)
        if has_stops and self._distance(chosen.masses) > wrong:
            chosen = sample
            self.why_not = "; no stops: the models with stops do not fit"
        reason = (
            f"the best families differ by {distance:.3f} from the observed distribution function; "
            f"chosen on held-out visits among {1 + len(others)} kinds"
        )
        return self._choice(chosen, f"{reason}{self.why_not}")

    def _choice(self, chosen: Candidate, reason: str) -> Choice:
        distance = self._distance(chosen.masses)
        best = chosen.estimate if chosen.kind == "family" else None
        rivals = tuple(
            fit
            for fit in self.fits
            if best is not None
            and len(best.stops) == len(fit.stops) == 1
            and fit.model.processing == best.model.processing
            and fit.model.repairs != best.model.repairs
            and fit.aic - best.aic < CHI_SQUARE
        )
        scores = tuple(self.scores)
        return Choice(chosen, self.visits, self.guess, scores, reason, distance, rivals)

    def _best_family(self) -> Candidate:
        plain = min(
            (self._fit(CycleModel(law), self._whole()) for law in self._families()),
            key=lambda found: found.aic,
        )
        best = plain
        if self.guess.stops:
            with_stops = self._with_stops()
            gain = plain.bic(self.visits.n) - with_stops.bic(self.visits.n)
            mean, cv = with_stops.processing
            doubt = implausible(mean, mean * cv, with_stops.stops)
            if gain > _CLEAR_BIC and doubt is None:
                best = with_stops
            elif gain > _CLEAR_BIC:
                self.why_not = f"; no stops: {doubt}"
        best = self._most_likely(self.visits, best.model, best.parameters)
        self._score_family(best)
        return Candidate("family", masses_of(self.grid, best.model, best.parameters), best)

    def _families(self) -> tuple[Family, ...]:
        return ("lognormal",) if self.is_constant else PROCESSING_FAMILIES

    def _most_likely(
        self, visits: CountedVisits, model: CycleModel, start: Floats, enough: float = ENOUGH
    ) -> CycleEstimate:
        if not self.is_constant:
            return maximise(visits, model, start, enough=enough)
        fixed = np.log([self.guess.centre, LEAST_CV])
        start = np.concatenate((fixed, start[2:]))
        return maximise(visits, model, start, free=range(2, model.n_parameters), enough=enough)

    def _whole(self) -> Floats:
        mean = max(self.limit.mean, 1e-6)
        return np.log([mean, max(self.limit.deviation / mean, LEAST_CV)])

    def _with_stops(self) -> CycleEstimate:
        guess = self.guess
        work = [math.log(guess.centre), math.log(guess.spread / guess.centre)]
        start = np.array([*work, *_parameters(guess.stops)])
        found = []
        for law in self._families():
            found.append(self._fit(CycleModel(law, ("lognormal",)), start))
            start = min(found, key=lambda fit: fit.aic).parameters
        best = min(found, key=lambda fit: fit.aic)
        processing = best.model.processing
        for law in REPAIR_FAMILIES[1:]:
            model = CycleModel(processing, (law,))
            found.append(self._fit(model, start[: model.n_parameters]))
        best = min(found, key=lambda fit: fit.aic)
        if guess.two_kinds:
            model = CycleModel(processing, ("lognormal", "lognormal"))
            begin = np.array([*best.parameters[:2], *_parameters(guess.two_kinds)])
            two = self._fit(model, begin)
            gain = best.bic(self.visits.n) - two.bic(self.visits.n)
            mean, cv = two.processing
            if gain > _CLEAR_BIC and implausible(mean, mean * cv, two.stops) is None:
                return two
        return best

    def _fit(self, model: CycleModel, start: Floats) -> CycleEstimate:
        # Near enough to choose between families, as criteria of 0.2 apart say nothing.
        found = self._most_likely(self.visits, model, start, _ENOUGH_TO_CHOOSE)
        self._score_family(found)
        self.fits.append(found)
        return found

    def _score_family(self, found: CycleEstimate, held_out: float | None = None) -> None:
        score = FamilyScore(
            found.model.processing,
            " and ".join(found.model.repairs),
            found.model.n_parameters,
            found.log_likelihood,
            found.aic,
            found.bic(self.visits.n),
            held_out,
        )
        key = (score.processing, score.repairs)
        others = [other for other in self.scores if (other.processing, other.repairs) != key]
        self.scores = [*others, score]

    def _free(self, best: Candidate) -> Candidate | None:
        """Return processing times without a family, with the stops fitted to them."""
        estimate = best.estimate
        if estimate is None or not estimate.stops or self.n_exact < _LEAST_FOR_FREE:
            return None
        found, masses = _fit_free(self.visits, estimate, _FREE_ROUNDS)
        mean, deviation = moments(self.visits, masses)
        if implausible(mean, deviation, found.stops) is not None:
            return None
        return Candidate("free", self.grid.visit_masses(masses, found.stops), found, masses)

    def _distance(self, masses: Floats) -> float:
        observed = np.cumsum(_observed(self.visits))
        difference = np.abs(np.cumsum(masses) - observed)[_is_known(self.visits)]
        return float(difference.max(initial=0.0))

    def _held_out(self, candidate: Candidate) -> float:
        """Return the mean over both halves of the integrated squared difference from the other.

        It is the CRPS of the other half without the part that no law can avoid.
        """
        n = len(self.durations)
        late = np.arange(n) >= n // 2
        halves = [
            CountedVisits.of(
                self.grid,
                self.durations[half & ~self.is_bound],
                self.durations[half & self.is_bound],
            )
            for half in (late, ~late)
        ]
        if min(half.exact.sum() for half in halves) == 0:
            return math.inf
        is_known = np.logical_and.reduce([_is_known(half) for half in halves])
        widths = np.diff(self.grid.edges) * is_known
        total = 0.0
        for training, test in (halves, halves[::-1]):
            if candidate.estimate is None:
                masses = _observed(training)
            elif candidate.kind == "free":
                found, work = _fit_free(training, candidate.estimate, 1)
                masses = self.grid.visit_masses(work, found.stops)
            else:
                model = candidate.estimate.model
                found = self._most_likely(training, model, candidate.estimate.parameters)
                masses = masses_of(self.grid, model, found.parameters)
            difference = np.cumsum(masses) - np.cumsum(_observed(test))
            total += float(difference**2 @ widths)
        return total / 2

    def _score(self, candidate: Candidate, held_out: float) -> None:
        if candidate.kind == "family" and candidate.estimate is not None:
            self._score_family(candidate.estimate, held_out)
            return
        repairs = (
            "" if candidate.estimate is None else " and ".join(candidate.estimate.model.repairs)
        )
        name = "no family" if candidate.kind == "free" else "as observed"
        self.scores.append(FamilyScore(name, repairs, candidate.n_parameters, held_out=held_out))


def _observed(visits: CountedVisits) -> Floats:
    """Return the product limit on the cells; what is open below goes to the lowest seen."""
    at_most = _at_most(visits)
    hazard = visits.exact / np.maximum(at_most, 1.0)
    upto = np.concatenate((np.cumprod((1 - hazard)[:0:-1])[::-1], [1.0]))
    masses = upto * hazard
    first = int(np.flatnonzero(visits.exact > 0)[0])
    masses[first] += max(1 - masses.sum(), 0.0)
    return np.asarray(masses)


def _at_most(visits: CountedVisits) -> Floats:
    """Return the visits that could have ended in each cell; of the bounds in it, half (actuary)."""
    return np.asarray(np.cumsum(visits.exact + visits.bounds) - visits.bounds / 2)


def _is_known(visits: CountedVisits) -> NDArray[np.bool_]:
    """Return the cells up to which the product limit is known about as well as in the middle.

    Below the shortest exact time it is not known at all; shortly above it rests on few visits.
    The standard error is that of Greenwood.
    """
    at_most = _at_most(visits)
    left = np.maximum(at_most - visits.exact, 1.0)
    terms = visits.exact / (left * np.maximum(at_most, 1.0))
    relative = np.concatenate((np.cumsum(terms[:0:-1])[::-1], [0.0]))
    error = np.cumsum(_observed(visits)) * np.sqrt(relative)
    return (np.cumsum(visits.exact) > 0) & (error <= 1 / math.sqrt(visits.exact.sum()))


def moments(visits: CountedVisits, masses: Floats) -> tuple[float, float]:
    """Return mean and standard deviation in s of cell masses."""
    edges = visits.grid.edges
    middles = np.maximum((edges[1:] + edges[:-1]) / 2, 0.0)
    weights = masses / masses.sum()
    mean = float(middles @ weights)
    return mean, math.sqrt(float((middles - mean) ** 2 @ weights))


def _fit_free(
    visits: CountedVisits, estimate: CycleEstimate, n_rounds: int
) -> tuple[CycleEstimate, Floats]:
    """Return stops and free masses of the processing time, each fitted given the other."""
    model = estimate.model
    grid = visits.grid
    mean, cv = estimate.processing
    masses = grid.processing_masses(model.processing, mean, cv)
    # Where the best family has nothing, longer visits are stops and not work.
    is_work = np.cumsum(masses) < _ALL_WORK
    masses = np.where(is_work, masses + _OPEN, 0.0)
    free = range(2, model.n_parameters)
    found = estimate
    for _ in range(n_rounds):
        masses = free_processing(visits, found.stops, masses)
        found = maximise(visits, model, found.parameters, free=free, processing=masses)
    return found, masses


def _parameters(stops: tuple[StopLaw, ...]) -> list[float]:
    return [math.log(value) for stop in stops for value in (stop.mean_between, stop.mean, stop.cv)]
