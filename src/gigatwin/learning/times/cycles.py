"""Processing time and stops of a station, from nothing but when visits begin and end.

Models with and without stops are fitted by maximum likelihood; where none fits well, the
distribution as observed is compared with them on visits that were held out.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from gigatwin.errors import TelemetryError
from gigatwin.factory.durations import Distribution, Duration, Empirical
from gigatwin.factory.estimates import Estimate
from gigatwin.learning.times.cycle_density import Floats, StopLaw
from gigatwin.learning.times.cycle_fit import CycleFit
from gigatwin.learning.times.cycle_likelihood import CHI_SQUARE, CycleEstimate, profile_interval
from gigatwin.learning.times.cycle_search import Choice, choose_model, moments
from gigatwin.learning.times.stops import LEAST_VISIBLE, ProductLimit, StopFit, product_limit

__all__ = ["LEAST_FITTED", "CycleFit", "fit_cycles"]

LEAST_FITTED = 10
"""Visits with a seen end below which nothing is fitted."""
_MAXIMUM_SAMPLES = 400
_CONSTANT_CV = 0.02
_LONG_PAUSE = 3600.0
_LONG_RATIO = 50.0
_APART = 3.0
_LONGER, _ENOUGH_STOPS, _FAR_SPREADS = 2.0, 5, 4.0
_LARGEST_LOGARITHM = 300.0
_MUCH_UNKNOWN, _MOSTLY_UNKNOWN = 0.05, 0.5
_SIGNIFICANT_DIGITS = 6
_DOUBTFUL = 0.01
_NORMAL_QUANTILE = 1.959963984540054
_TOLERATED_JITTERS = 4.0
_WELL_KNOWN_RATIO = 10.0
_KNOWN_MEAN_RATIO = 1.5


def fit_cycles(
    durations: NDArray[np.float64],
    is_censored: NDArray[np.bool_] | None = None,
    *,
    rows: str = "",
    resolution: float = 0.0,
    jitter: float = 0.0,
) -> CycleFit:
    """Return the law of the processing time and the stops of a station.

    Parameters
    ----------
    durations : ndarray
        Time from entry to departure of each visit, in the order of the visits; those that are not
        finite or below 0 are left out. [s] Shape (n,).
    is_censored : ndarray
        Whether the visit was blocked, so that the work took at most this long. Default: none.
    rows : str
        Rows of the log, for the estimates.
    resolution : float
        Smallest difference of two times in the log; 0: look for it in the data. [s]
    jitter : float
        Standard deviation of the noise of one time in the log; a visit is taken as blocked within
        four of them. [s]

    Raises
    ------
    TelemetryError
        If no visit is left, or the two arrays differ in length.
    """
    durations = np.asarray(durations, dtype=np.float64)
    flags = np.zeros(len(durations), dtype=bool) if is_censored is None else is_censored
    flags = np.asarray(flags, dtype=bool)
    if len(flags) != len(durations):
        message = (
            f"is_censored has {len(flags)} values for {len(durations)} durations; "
            "needs one for each"
        )
        raise TelemetryError(message)
    usable = np.isfinite(durations) & (durations >= 0)
    notes = []
    if n_unusable := int(len(durations) - usable.sum()):
        notes.append(f"{n_unusable} visits without a time of 0 or more are left out.")
    durations, flags = durations[usable], flags[usable]
    if len(durations) == 0:
        message = "No visit has a time of 0 s or more; needs visits with entry and departure"
        raise TelemetryError(message)
    is_pause = _long_pauses(durations, flags)
    pauses = tuple(sorted(durations[is_pause].tolist()))
    if pauses:
        notes.append(
            f"{len(pauses)} visits of {pauses[0] / 3600:.3g} h or more are far longer than all "
            "others; taken as pauses, not as stops."
        )
    durations, flags = durations[~is_pause], flags[~is_pause]
    task = _Task.of(durations, flags, rows, resolution, jitter)
    fit = _fitted(task) if task.is_fitted else _as_observed(task)
    return replace(fit, long_pauses=pauses, notes=(*notes, *fit.notes))


def _long_pauses(durations: Floats, flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    threshold = max(_LONG_PAUSE, _LONG_RATIO * float(np.median(durations)))
    ordered = np.sort(durations[~flags])
    first = int(np.searchsorted(ordered, threshold, side="right"))
    if first == 0 or first == len(ordered):
        return np.zeros(len(durations), dtype=bool)
    ratios = ordered[first:] / ordered[first - 1 : -1]
    for place in np.flatnonzero(ratios > _APART):
        pause, others = ordered[first + place], ordered[: first + place]
        stops = np.log(others[others > _LONGER * np.median(ordered)])
        if len(stops) < _ENOUGH_STOPS or (
            math.log(pause) > stops.mean() + _FAR_SPREADS * stops.std()
        ):
            return np.asarray(~flags & (durations >= pause))
    return np.zeros(len(durations), dtype=bool)


@dataclass(frozen=True)
class _Task:
    """What is given, cleaned."""

    durations: Floats
    flags: NDArray[np.bool_]
    rows: str
    resolution: float
    jitter: float

    @classmethod
    def of(
        cls,
        durations: Floats,
        flags: NDArray[np.bool_],
        rows: str,
        resolution: float,
        jitter: float,
    ) -> "_Task":
        found = resolution if resolution > 0 else _resolution(durations)
        return cls(durations, flags, rows, found, jitter)

    @property
    def exact(self) -> Floats:
        return self.durations[~self.flags]

    @property
    def bounds(self) -> Floats:
        return np.asarray(self.durations[self.flags] + self.slack)

    @property
    def slack(self) -> float:
        # A visit within the tolerance of its bound is called blocked, so that is what is known.
        return _TOLERATED_JITTERS * self.jitter

    @property
    def n_exact(self) -> int:
        return int(len(self.flags) - self.flags.sum())

    @property
    def n_censored(self) -> int:
        return int(self.flags.sum())

    @property
    def is_fitted(self) -> bool:
        exact = self.exact
        enough = len(exact) >= LEAST_FITTED and bool(exact.max() > exact.min())
        return enough and float(product_limit(exact, self.bounds).quantiles((0.5,))[0]) > 0

    def estimate(  # noqa: PLR0913 - the fields of an estimate
        self,
        value: float,
        low: float,
        high: float,
        unit: str,
        method: str,
        *,
        is_identified: bool = True,
    ) -> Estimate:
        upper = max(high, value) if math.isfinite(high) else None
        return Estimate(
            value=value,
            low=max(min(low, value), 0.0),
            high=upper,
            unit=unit,
            n=len(self.durations),
            method=method,
            rows=self.rows,
            is_identified=is_identified,
        )


def _resolution(durations: Floats) -> float:
    distinct = np.unique(np.round(durations, 6))
    if len(distinct) < 3:  # noqa: PLR2004 - two values are always on a lattice
        return 0.0
    gap = float(np.diff(distinct).min())
    on_lattice = np.abs(distinct / gap - np.round(distinct / gap)) < 0.01  # noqa: PLR2004 - of a step
    return gap if gap > 1e-5 and bool(on_lattice.all()) else 0.0  # noqa: PLR2004 - finer than any log writes


def _as_observed(task: _Task) -> CycleFit:
    """Return what visits tell that are few, equal, or mostly without length."""
    exact = task.exact
    n, n_censored, n_exact = len(task.durations), task.n_censored, task.n_exact
    if n_exact == 0:
        value = float(task.bounds.min())
        mean = task.estimate(value, 0.0, math.inf, "s", "least upper bound", is_identified=False)
        note = "Every visit was blocked; the processing time is at most the shortest of them."
        return CycleFit(value, mean, (), n, n_censored, "all visits blocked", notes=(note,))
    limit = product_limit(exact, task.bounds)
    value, deviation = limit.mean, limit.deviation
    is_enough = n_exact >= LEAST_FITTED
    if is_enough and exact.max() == exact.min():
        value = float(exact[0])
        mean = task.estimate(value, value, value, "s", "all visits equal")
        notes = (_no_stop_note(task, value),)
        return CycleFit(value, mean, (), n, n_censored, "all visits equal", notes=notes)
    reach = math.inf
    if deviation > 0 and n_exact > 1:
        reach = float(stats.t.ppf(0.975, n_exact - 1)) * deviation / math.sqrt(n_exact)
    mean = task.estimate(
        value, value - reach, value + reach, "s", "sample mean", is_identified=is_enough
    )
    law = _equal_shares(limit.times, limit.masses, mean)
    if is_enough:
        return CycleFit(law, mean, (), n, n_censored, "half of the visits take no time")
    note = f"Visits that were not blocked: {n_exact}; {LEAST_FITTED} are needed for a law."
    return CycleFit(law, mean, (), n, n_censored, "too few visits", notes=(note,))


def _no_stop_note(task: _Task, mean: float) -> str:
    seen = task.n_exact * mean
    return (
        f"No stops found; the mean running time between two is at least {seen / 3:.4g} s "
        "(95 %, rule of three)."
    )


def _fitted(task: _Task) -> CycleFit:
    limit = product_limit(task.exact, task.bounds)
    known = np.where(task.flags, task.durations + task.slack, task.durations)
    choice = choose_model(known, task.flags, limit, task.resolution)
    law, mean, scatter = _processing(task, choice, limit)
    stops, notes = _stops(task, choice, mean.value)
    if limit.below > _MUCH_UNKNOWN:
        note = (
            f"Below {task.exact.min():.4g} s only bounds are known, of {limit.below:.0%} of the "
            "visits; the shape there is extrapolated."
        )
        notes = (*notes, note)
    p_value = float(special.kolmogorov(choice.kolmogorov_smirnov * math.sqrt(task.n_exact)))
    if p_value < _DOUBTFUL:
        note = (
            "The fit differs from the observed distribution function by "
            f"{choice.kolmogorov_smirnov:.3f}, more than chance explains."
        )
        notes = (*notes, note)
    return CycleFit(
        law=law,
        mean=mean,
        stops=stops,
        n=len(task.durations),
        n_censored=task.n_censored,
        reason=choice.reason,
        considered=choice.considered,
        scatter=scatter,
        kolmogorov_smirnov=choice.kolmogorov_smirnov,
        p_value=p_value,
        notes=notes,
    )


def _processing(
    task: _Task, choice: Choice, limit: ProductLimit
) -> tuple[Duration, Estimate, float]:
    """Return the law of the processing time, its mean, and the scatter about a constant."""
    chosen = choice.chosen
    quantile = float(stats.t.ppf(0.975, task.n_exact - 1))
    if chosen.kind != "family" or chosen.estimate is None:
        if chosen.processing is None:
            times, masses = limit.times, limit.masses
            value, deviation = limit.mean, limit.deviation
        else:
            edges = choice.visits.grid.edges
            times = np.maximum((edges[1:] + edges[:-1]) / 2, 0.0)
            masses = chosen.processing
            value, deviation = moments(choice.visits, masses)
        reach = quantile * deviation / math.sqrt(task.n_exact)
        method = "distribution without a family"
        is_identified = limit.below < _MUCH_UNKNOWN
        mean = task.estimate(
            value, value - reach, value + reach, "s", method, is_identified=is_identified
        )
        return _equal_shares(times, masses, mean), mean, 0.0
    found = chosen.estimate
    value, cv = found.processing
    errors = quantile * found.standard_errors()
    method = f"maximum likelihood, {found.model.processing}"
    if found.stops:
        method += " with stops"
    value = float(f"{value:.12g}")
    ratio = math.exp(min(float(errors[0]), _LARGEST_LOGARITHM))
    is_identified = ratio < _KNOWN_MEAN_RATIO and limit.below < _MOSTLY_UNKNOWN
    mean = task.estimate(
        value, value / ratio, value * ratio, "s", method, is_identified=is_identified
    )
    noise = 2 * task.jitter**2 + task.resolution**2 / 12
    own = (value * cv) ** 2 - noise
    if own <= (_CONSTANT_CV * value) ** 2:
        return value, mean, value * cv
    true_cv = math.sqrt(own) / value
    spread = task.estimate(
        true_cv, true_cv * math.exp(-errors[1]), true_cv * math.exp(errors[1]), "", method
    )
    law = Distribution(
        distribution=found.model.processing,
        mean=value,
        cv=true_cv,
        estimates={"mean": mean, "cv": spread},
    )
    return law, mean, 0.0


def _stops(task: _Task, choice: Choice, mean: float) -> tuple[tuple[StopFit, ...], tuple[str, ...]]:
    found = choice.chosen.estimate
    if found is None or not found.stops:
        return (), (_no_stop_note(task, mean),)
    shortest = min(stop.mean for stop in found.stops)
    fits = tuple(
        StopFit(
            kind="micro_stop" if len(found.stops) > 1 and stop.mean == shortest else "breakdown",
            mean_between=_profiled(task, choice, stop.law, at, n_visible),
            duration=_repair_law(task, choice, stop, at, n_visible),
            n_visible=n_visible,
            n_expected=len(task.durations) * mean / stop.mean_between,
        )
        for stop, at, n_visible in zip(
            found.stops, found.model.places(), _visible(choice), strict=True
        )
    )
    notes = tuple(
        f"The {fit.kind.replace('_', '-')} rests on {fit.n_visible} visible stops."
        for fit in fits
        if not fit.mean_between.is_identified
    )
    return fits, notes


def _repair_law(
    task: _Task, choice: Choice, stop: StopLaw, at: int, n_visible: int
) -> Distribution:
    estimates = {"mean": _profiled(task, choice, stop.law, at + 1, n_visible)}
    cv = None
    if stop.law != "exponential" and choice.chosen.estimate is not None:
        cv = stop.cv
        error = choice.chosen.estimate.standard_errors()[at + 2]
        ratio = math.exp(min(_NORMAL_QUANTILE * error, _LARGEST_LOGARITHM))
        method = f"maximum likelihood, {stop.law} repairs"
        estimates["cv"] = task.estimate(cv, cv / ratio, cv * ratio, "", method)
    return Distribution(distribution=stop.law, mean=stop.mean, cv=cv, estimates=estimates)


def _profiled(task: _Task, choice: Choice, law: str, parameter: int, n_visible: int) -> Estimate:
    """Return a time, by the place of its logarithm among the parameters."""
    chosen = choice.chosen
    if chosen.estimate is None:
        message = "The observed distribution has no parameters; needs a model with stops"
        raise TypeError(message)
    ends = [profile_interval(chosen.estimate, choice.visits, parameter, chosen.processing)]
    # The family is a parameter as well: a rival may lose as much less as its criterion is worse.
    for rival in choice.rivals:
        left = CHI_SQUARE - max(rival.aic - chosen.estimate.aic, 0.0)
        ends.append(
            _with_ends(
                rival, parameter, profile_interval(rival, choice.visits, parameter, loss=left)
            )
        )
    low = math.exp(min(end for end, _ in ends))
    highest = max(end for _, end in ends)
    high = math.exp(highest) if highest < _LARGEST_LOGARITHM else math.inf
    return task.estimate(
        math.exp(chosen.estimate.parameters[parameter]),
        low,
        high,
        "s",
        f"maximum likelihood, {law} repairs; profile interval",
        is_identified=n_visible >= LEAST_VISIBLE and high < _WELL_KNOWN_RATIO * max(low, 1e-9),
    )


def _with_ends(
    rival: CycleEstimate, parameter: int, ends: tuple[float, float]
) -> tuple[float, float]:
    """Return an interval with ends by the standard error where the likelihood shows none.

    A rival with ever more and ever shorter stops fits as well as the family chosen, but says
    nothing about the stops that matter.
    """
    centre = float(rival.parameters[parameter])
    reach = _NORMAL_QUANTILE * float(rival.standard_errors()[parameter])
    low, high = ends
    return (
        low if math.isfinite(low) else centre - reach,
        high if math.isfinite(high) else centre + reach,
    )


def _visible(choice: Choice) -> list[int]:
    """Return for each kind the visits with a seen end that have rather a stop than none."""
    found, visits = choice.chosen.estimate, choice.visits
    if found is None:
        return []
    grid = visits.grid
    processing = choice.chosen.processing
    if processing is None:
        processing = grid.processing_masses(found.model.processing, *found.processing)
    rate = sum(1 / stop.mean_between for stop in found.stops)
    middles = np.maximum((grid.edges[1:] + grid.edges[:-1]) / 2, 0.0)
    without = processing * np.exp(-rate * middles)
    with_one = [grid.visit_masses(processing, (stop,)) - without for stop in found.stops]
    is_seen = choice.chosen.masses > 2 * without
    most = np.argmax(np.array(with_one), axis=0)
    return [int(visits.exact[is_seen & (most == kind)].sum()) for kind in range(len(found.stops))]


def _equal_shares(times: Floats, masses: Floats, mean: Estimate) -> Duration:
    """Return a sample of at most 400 values, each the mean of an equal share of the masses."""
    times, masses = times[masses > 0], masses[masses > 0]
    cumulative = np.concatenate(([0.0], np.cumsum(masses)))
    totals = np.concatenate(([0.0], np.cumsum(masses * times)))
    edges = np.linspace(0.0, cumulative[-1], _MAXIMUM_SAMPLES + 1)
    means = np.diff(np.interp(edges, cumulative, totals)) / np.diff(edges)
    if len(times) < _MAXIMUM_SAMPLES and np.ptp(masses) < 1e-9:  # noqa: PLR2004 - rounding
        means = times
    means = np.clip(np.maximum.accumulate(means), times[0], times[-1])
    samples = tuple(float(f"{value:.{_SIGNIFICANT_DIGITS}g}") for value in means)
    if min(samples) == max(samples):
        return samples[0]
    return Empirical(samples=samples, estimates={"mean": mean})
