"""Maximum likelihood for visits counted in cells, some of them known only as upper bounds.

A visit whose end was seen contributes the probability of its cell; a blocked one, whose work ended
somewhere before it could leave, contributes the probability of all cells up to its own. The bound
does not depend on the work, so their product is the full likelihood.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigatwin.factory.durations import Family
from gigatwin.learning.times.cycle_density import CycleGrid, Floats, StopLaw

CHI_SQUARE = 3.841458820694124
"""95 % quantile of chi-square with one degree of freedom."""
LEAST_CV = 1e-5
"""Smallest variation of a processing time; what varies less is a constant."""
ENOUGH = 1e-4
"""Gain of the logarithm of the likelihood below which a search ends."""
_MOST_CV = 5.0
# Keeps a visit that no law explains from deciding everything.
_FLOOR = 1e-14
_DIFFERENCE = 1e-4
_ITERATIONS = 40
_MOST_DAMPING = 1e8
_LEAST_REPAIR_CV = 0.05
_PROFILE_STEPS = 6
_EM_CHANGE = 1e-4
_NEAR_ENOUGH = 0.01
_LEAST_STEP, _USUAL_STEP = 1e-6, 0.1
_PROFILE_GAIN = 0.02
# A weak prior of the logarithm of the variation of repairs; two equal repairs are no constant.
_REPAIR_CV, _REPAIR_CV_SPREAD = 0.8, 1.0


@dataclass(frozen=True)
class CycleModel:
    """The families of a visit: of the processing time, and of the repairs of each kind of stop.

    Parameters are the logarithms of mean and variation of the processing time, then, for each kind
    of stop, of the running time between two, the mean repair and, unless exponential, its
    variation.
    """

    processing: Family
    """Family of the processing time."""
    repairs: tuple[Family, ...] = ()
    """Family of the repair times of each kind of stop."""

    @property
    def n_parameters(self) -> int:
        """Number of parameters."""
        return 2 + sum(2 if law == "exponential" else 3 for law in self.repairs)

    def places(self) -> list[int]:
        """Return where the parameters of each kind of stop begin."""
        begins, at = [], 2
        for law in self.repairs:
            begins.append(at)
            at += 2 if law == "exponential" else 3
        return begins

    def stops(self, parameters: Floats) -> tuple[StopLaw, ...]:
        """Return the kinds of stops with these parameters."""
        found = []
        for law, at in zip(self.repairs, self.places(), strict=True):
            cv = 1.0 if law == "exponential" else math.exp(parameters[at + 2])
            mean_between, mean = math.exp(parameters[at]), math.exp(parameters[at + 1])
            found.append(StopLaw(law, mean_between, mean, cv))
        return tuple(found)

    def prior(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        """Return the logarithm of the prior, its gradient, and minus its curvature."""
        gradient, curvature = np.zeros(self.n_parameters), np.zeros(self.n_parameters)
        value = 0.0
        for law, at in zip(self.repairs, self.places(), strict=True):
            if law != "exponential":
                distance = (parameters[at + 2] - math.log(_REPAIR_CV)) / _REPAIR_CV_SPREAD
                value -= distance**2 / 2
                gradient[at + 2] = -distance / _REPAIR_CV_SPREAD
                curvature[at + 2] = _REPAIR_CV_SPREAD**-2
        return value, gradient, curvature


@dataclass(frozen=True)
class CountedVisits:
    """Visits counted in the cells of a grid."""

    grid: CycleGrid
    """The cells."""
    exact: Floats
    """Visits whose end was seen, shape (n_cells,)."""
    bounds: Floats
    """Visits that ended in this cell or before, shape (n_cells,)."""

    @classmethod
    def of(cls, grid: CycleGrid, exact: Floats, bounds: Floats) -> "CountedVisits":
        """Return the counts; bounds beyond the grid say nothing and are left out."""
        return cls(grid, grid.count(exact)[:-1], grid.count(bounds)[:-1])

    @property
    def n(self) -> float:
        """Number of visits."""
        return float(self.exact.sum() + self.bounds.sum())

    def log_likelihood(self, masses: Floats) -> float:
        """Return the logarithm of the likelihood of cell probabilities."""
        probabilities, counts = self._probabilities(masses)
        return float(counts @ np.log(probabilities))

    def log_probabilities(self, masses: Floats) -> tuple[Floats, Floats]:
        """Return the logarithm of the probability of each kind of observation, and its count."""
        probabilities, counts = self._probabilities(masses)
        return np.asarray(np.log(probabilities)), counts

    def _probabilities(self, masses: Floats) -> tuple[Floats, Floats]:
        exact, bounds = self.exact > 0, self.bounds > 0
        up_to = np.cumsum(masses) - masses / 2
        probabilities = np.concatenate((masses[exact], up_to[bounds])) + _FLOOR
        return probabilities, np.concatenate((self.exact[exact], self.bounds[bounds]))


@dataclass(frozen=True)
class CycleEstimate:
    """The most likely parameters of a model."""

    model: CycleModel
    """The families."""
    parameters: Floats
    """See `CycleModel`, shape (n_parameters,)."""
    log_likelihood: float
    """Logarithm of the likelihood, without the prior."""
    information: Floats
    """Observed information, shape (n_parameters, n_parameters)."""
    penalised: float
    """Logarithm of likelihood and prior."""

    @property
    def aic(self) -> float:
        """Akaike's criterion; smaller is better."""
        return 2 * self.model.n_parameters - 2 * self.log_likelihood

    def bic(self, n: float) -> float:
        """Return the criterion of Schwarz for so many visits; smaller is better."""
        return self.model.n_parameters * math.log(max(n, 2.0)) - 2 * self.log_likelihood

    @property
    def processing(self) -> tuple[float, float]:
        """Mean [s] and variation of the processing time."""
        return math.exp(self.parameters[0]), math.exp(self.parameters[1])

    @property
    def stops(self) -> tuple[StopLaw, ...]:
        """The kinds of stops."""
        return self.model.stops(self.parameters)

    def standard_errors(self) -> Floats:
        """Return the standard error of each parameter; infinite where nothing is known."""
        scale = np.sqrt(np.maximum(np.diag(self.information), 1e-12))
        correlation = self.information / np.outer(scale, scale)
        variances = np.diag(np.linalg.pinv(correlation, hermitian=True)) / scale**2
        return np.asarray(np.sqrt(np.maximum(variances, 0.0)))


def masses_of(grid: CycleGrid, model: CycleModel, parameters: Floats) -> Floats:
    """Return the probability of each cell."""
    mean, cv = math.exp(parameters[0]), math.exp(parameters[1])
    processing = grid.processing_masses(model.processing, mean, cv)
    return grid.visit_masses(processing, model.stops(parameters))


def maximise(  # noqa: PLR0913 - data, model, start, and what is left as it is
    visits: CountedVisits,
    model: CycleModel,
    start: Floats,
    *,
    free: Sequence[int] | None = None,
    processing: Floats | None = None,
    enough: float = ENOUGH,
) -> CycleEstimate:
    """Return the most likely parameters, by scoring with Levenberg's damping.

    The information is the sum of the outer products of the scores of all visits, which needs first
    derivatives only.

    Parameters
    ----------
    visits : CountedVisits
        The data.
    model : CycleModel
        Families.
    start : ndarray
        Parameters to begin with. Shape (n_parameters,).
    free : sequence of int
        Parameters to look for; the others stay. Default: all.
    processing : ndarray
        Cell probabilities of the processing time, instead of a family. Shape (n_cells,).
    enough : float
        Stops when the next step can gain less.
    """
    of = _LogProbabilities(visits, model, processing)
    chosen = np.arange(model.n_parameters) if free is None else np.asarray(free, dtype=int)
    parameters = of.within_bounds(start)
    values, prior, value = of.at(parameters)
    damping = 1e-3
    gradient, information = of.derivatives(parameters, values, chosen)
    for _ in range(_ITERATIONS):
        block = information[np.ix_(chosen, chosen)]
        block = block + np.diag(damping * np.diag(block) + 1e-9)
        step = np.linalg.solve(block, gradient[chosen])
        if gradient[chosen] @ step < enough:
            break
        trial = parameters.copy()
        trial[chosen] += np.clip(step, -1.0, 1.0)
        trial = of.within_bounds(trial)
        new_values, new_prior, new_value = of.at(trial)
        if new_value > value:
            parameters, values, prior, value = trial, new_values, new_prior, new_value
            damping = max(damping / 10, 1e-9)
            gradient, information = of.derivatives(parameters, values, chosen)
        else:
            damping *= 10
            if damping > _MOST_DAMPING:
                break
    return CycleEstimate(model, parameters, value - prior, information, value)


class _LogProbabilities:
    """Logarithms of the probabilities of the observations as a function of the parameters."""

    def __init__(self, visits: CountedVisits, model: CycleModel, processing: Floats | None) -> None:
        self.visits, self.model, self.processing = visits, model, processing
        self.counts = np.zeros(0)
        self.low = np.full(model.n_parameters, math.log(1e-6))
        self.high = np.full(model.n_parameters, math.log(1e9))
        self.low[1], self.high[1] = math.log(LEAST_CV), math.log(_MOST_CV)
        for law, at in zip(model.repairs, model.places(), strict=True):
            self.low[at + 1] = math.log(visits.grid.step)
            if law != "exponential":
                self.low[at + 2] = math.log(_LEAST_REPAIR_CV)
                self.high[at + 2] = math.log(_MOST_CV)

    def within_bounds(self, parameters: Floats) -> Floats:
        return np.clip(parameters, self.low, self.high)

    def logarithms(self, parameters: Floats) -> Floats:
        grid = self.visits.grid
        if self.processing is None:
            masses = masses_of(grid, self.model, parameters)
        else:
            masses = grid.visit_masses(self.processing, self.model.stops(parameters))
        values, self.counts = self.visits.log_probabilities(masses)
        return values

    def at(self, parameters: Floats) -> tuple[Floats, float, float]:
        values = self.logarithms(parameters)
        prior = self.model.prior(parameters)[0]
        return values, prior, float(self.counts @ values) + prior

    def derivatives(
        self, parameters: Floats, values: Floats, chosen: NDArray[np.int64]
    ) -> tuple[Floats, Floats]:
        n = self.model.n_parameters
        scores = np.zeros((n, len(values)))
        for k in chosen:
            # The mean matters on the scale of the scatter.
            step = _DIFFERENCE * (math.exp(parameters[1]) if k == 0 else 1.0)
            shifted = parameters.copy()
            shifted[k] += step
            scores[k] = (self.logarithms(shifted) - values) / step
        _, gradient, curvature = self.model.prior(parameters)
        weighted = scores * self.counts
        information: Floats = weighted @ scores.T + np.diag(curvature)
        return gradient + weighted.sum(axis=1), information


def profile_interval(
    estimate: CycleEstimate,
    visits: CountedVisits,
    parameter: int,
    processing: Floats | None = None,
    loss: float = CHI_SQUARE,
) -> tuple[float, float]:
    """Return the interval of a parameter by profile likelihood; its ends may be infinite.

    Parameters
    ----------
    estimate : CycleEstimate
        The most likely parameters.
    visits : CountedVisits
        The data.
    parameter : int
        Which one, see `CycleModel`.
    processing : ndarray
        As in `maximise`.
    loss : float
        Loss of twice the logarithm of the likelihood at its ends; default: 95 %.
    """
    error = estimate.standard_errors()[parameter]
    return (
        _profile_end(estimate, visits, parameter, -error, processing, loss),
        _profile_end(estimate, visits, parameter, error, processing, loss),
    )


def _profile_end(  # noqa: PLR0913, PLR0917 - what is fitted, and how far
    estimate: CycleEstimate,
    visits: CountedVisits,
    parameter: int,
    step: float,
    processing: Floats | None,
    loss: float,
) -> float:
    quantile = math.sqrt(loss)
    first = 0 if processing is None else 2
    others = [k for k in range(first, estimate.model.n_parameters) if k != parameter]
    centre = estimate.parameters[parameter]
    at = estimate.parameters

    def distance(shift: float) -> float:
        """Return the signed root of the loss, which is nearly linear in the shift."""
        nonlocal at
        begin = at.copy()
        begin[parameter] = centre + shift
        found = maximise(
            visits, estimate.model, begin, free=others, processing=processing, enough=_PROFILE_GAIN
        )
        at = found.parameters
        return math.sqrt(max(2 * (estimate.penalised - found.penalised), 0.0))

    inner, inner_distance = 0.0, 0.0
    # At the edge of what is allowed the information may be singular, and the error meaningless.
    is_usable = math.isfinite(step) and abs(step) > _LEAST_STEP
    shift = quantile * (step if is_usable else math.copysign(_USUAL_STEP, step))
    outer, outer_distance = math.inf, math.inf
    for _ in range(_PROFILE_STEPS):
        found = distance(shift)
        if abs(found - quantile) < _NEAR_ENOUGH:
            return float(centre + shift)
        if found < quantile:
            inner, inner_distance = shift, found
        else:
            outer, outer_distance = shift, found
        if math.isinf(outer_distance):
            grown = shift * quantile / max(found, quantile / 4, 1e-9)
            shift = math.copysign(min(abs(grown), 3 * abs(shift) + 0.1), step)
        else:
            share = (quantile - inner_distance) / (outer_distance - inner_distance)
            shift = inner + share * (outer - inner)
    if math.isinf(outer_distance):
        return math.copysign(math.inf, step)
    return float(centre + shift)


def free_processing(
    visits: CountedVisits, stops: Sequence[StopLaw], start: Floats, n_iterations: int = 300
) -> Floats:
    """Return the most likely masses of the processing time without a family, given the stops.

    Expectation-maximisation over the fine cells, after Turnbull; visits beyond them say next to
    nothing about the processing time.

    Parameters
    ----------
    visits : CountedVisits
        The data.
    stops : sequence of StopLaw
        The stops.
    start : ndarray
        Cell masses to begin with; where they are 0 they stay so. Shape (n_cells,).
    n_iterations : int
        Most iterations.

    Returns
    -------
    ndarray
        Shape (n_cells,), 0 beyond the fine cells.
    """
    grid = visits.grid
    n = grid.n_fine
    powers = grid.repair_powers(stops)
    numbers = grid.number_of_stops(sum(1 / stop.mean_between for stop in stops))
    # Probability of a cell (row) given the processing time (column).
    shifts = np.arange(n)[:, None] - np.arange(n)[None, :]
    given = np.zeros((n, n))
    for power, number in zip(powers, numbers, strict=True):
        given += np.where(shifts >= 0, power[np.maximum(shifts, 0)], 0.0) * number[None, :]
    given_bound = np.cumsum(given, axis=0) - given / 2
    exact, bounds = visits.exact[:n] > 0, visits.bounds[:n] > 0
    kernel = np.concatenate((given[exact], given_bound[bounds]))
    counts = np.concatenate((visits.exact[:n][exact], visits.bounds[:n][bounds]))
    # Visits beyond the fine cells have any processing time that leads there.
    beyond = visits.n - counts.sum()
    weights = start[:n] / start[:n].sum()
    for _ in range(n_iterations):
        shares = weights * (kernel.T @ (counts / (kernel @ weights + _FLOOR)))
        renewed = (shares + beyond * weights) / (shares.sum() + beyond)
        change = np.abs(renewed - weights).sum()
        weights = renewed
        if change < _EM_CHANGE:
            break
    return np.concatenate((weights, np.zeros(grid.n_cells - n)))
