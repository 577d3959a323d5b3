"""Calibration: what a log does not show directly, from what the whole line does.

Single numbers (times, breakdowns, buffers) are estimated one by one from a log. Put together, the
line may still give another output, contents or lead time than the log, because of what cannot be
seen: waits between stations, capacities that were never reached, stops that look like long cycles.
Factors on these numbers are then found by simulation, see `abc_smc`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from gigatwin.compiler.build import compile_factory
from gigatwin.errors import SimulationError, StudyError
from gigatwin.events.case_log import CaseLog
from gigatwin.factory.factory import Factory
from gigatwin.learning.calibration.abc_smc import Posterior, Settings, abc_smc
from gigatwin.learning.calibration.factors import NORMAL, Factor, Scaling, candidates, with_factors
from gigatwin.learning.check.log_as_described import as_described
from gigatwin.learning.check.log_measures import LogMeasures, visits_of_frame
from gigatwin.learning.check.log_replications import (
    LogWindow,
    real_measures,
    simulated_measures,
    window_of,
)
from gigatwin.learning.check.station_matching import StationOf, matched_visits
from gigatwin.learning.threads import on_threads

Floats = NDArray[np.float64]
MAXIMUM_FACTORS = 6
"""Unknown factors that a log of a few figures can tell apart at most."""
_MOST_VISITS = 20_000
_N_BASE = 16
_N_SCREEN = 4
_NO_INFLUENCE = 0.25
_LEAST_ERROR = 1e-3
_LEAST_WAIT = 0.01
_NOT_TOLD = 0.9
_SUMMARIES = (
    "throughput",
    "items in process",
    "lead time 10 % quantile",
    "lead time 50 % quantile",
    "lead time 90 % quantile",
    "load of the busiest station",
    "mean time at a station",
    "mean time between stations",
)


@dataclass(frozen=True)
class Calibration:
    """A factory whose hidden numbers were fitted to a log."""

    factory: Factory
    """The calibrated description, with the posterior intervals as estimates."""
    factors: tuple[Factor, ...]
    """What was unknown."""
    posterior: Posterior
    """Sample of the logarithms of the factors."""
    summaries: tuple[str, ...]
    """Figures of the log that were used."""
    observed: Floats
    """Logarithm of each in the log."""
    errors: Floats
    """Standard error of each logarithm: its spread over simulated logs."""
    before: Floats
    """Mean over simulated logs before calibration."""
    after: Floats
    """Mean over simulated logs after it."""
    notes: tuple[str, ...]
    """What moved, what the log does not tell, what was assumed."""

    @property
    def mismatch(self) -> tuple[float, float]:
        """Root mean square of the differences in standard errors, before and after."""
        before, after = (
            float(np.sqrt(np.mean(((found - self.observed) / self.errors) ** 2)))
            for found in (self.before, self.after)
        )
        return before, after

    def table(self) -> pl.DataFrame:
        """Return one row for each factor: prior and posterior 95 % intervals, without a unit."""
        mean, low, high = (
            np.exp(values)
            for values in (
                self.posterior.mean,
                self.posterior.quantile(0.025),
                self.posterior.quantile(0.975),
            )
        )
        rows: list[dict[str, Any]] = []
        for k, factor in enumerate(self.factors):
            reach = float(np.exp(NORMAL * factor.spread))
            rows.append(
                {
                    "factor": factor.name,
                    "prior_low": 1 / reach,
                    "prior_high": reach,
                    "mean": float(mean[k]),
                    "low": float(low[k]),
                    "high": float(high[k]),
                    "deviation": float(self.posterior.deviation[k]),
                }
            )
        return pl.DataFrame(rows)

    def summary_table(self) -> pl.DataFrame:
        """Return one row for each figure: log, before, after (rates 1/s, times s), and errors."""
        return pl.DataFrame(
            {
                "summary": self.summaries,
                "observed": np.exp(self.observed),
                "before": np.exp(self.before),
                "after": np.exp(self.after),
                "relative_error": self.errors,
            }
        )


def calibrate(  # noqa: PLR0913 - keyword arguments of the public call
    factory: Factory,
    log: CaseLog,
    *,
    particles: int = 200,
    rounds: int = 5,
    mismatch: float = 2.0,
    most_factors: int = MAXIMUM_FACTORS,
    seed: int = 1,
    station_of: StationOf | None = None,
    threads: int | None = None,
    progress: Callable[[float, int], None] | None = None,
) -> Calibration:
    """Fit what a log does not show directly, so that the simulated line gives the figures it shows.

    Parameters
    ----------
    factory : Factory
        A learned description; its estimates are the prior.
    log : CaseLog
        The log it was learned from, or another one of the same line.
    particles, rounds : int
        Size of the population of factors, and rounds in which it is moved.
    mismatch : float
        How many times wider than the intervals of the estimates the priors are.
    most_factors : int
        Number of factors at most; the most influential ones are taken.
    seed : int
        Chooses all random numbers.
    station_of : callable, optional
        Gives the station of each visit, see `station_matching.matched_visits`.
    threads : int, optional
        Number of threads; the result does not depend on it.
    progress : callable, optional
        Called with the share of a simulation just done and the number of simulations wanted.

    Raises
    ------
    TelemetryError
        If the log has nothing to compare, or its stations have other names.
    StudyError
        If the log is too short for any figure, or no number of the factory has an influence.
    """
    settings = Settings(particles=particles, rounds=rounds, seed=seed, threads=threads)
    matched = matched_visits(factory, as_described(factory, log), station_of)
    visits = visits_of_frame(matched.visits)
    real, ends = real_measures(visits)
    window, shortening = _shortened(window_of(visits, ends), real)
    work = _Work(factory, window, real, threads, progress, _count(settings))
    own, waits = work.base(seed)
    factors = work.screened(candidates(factory, own, waits, mismatch), most_factors, seed)
    prior = {factor.name: stats.norm(0.0, factor.spread) for factor in factors}
    posterior = abc_smc(
        prior,
        lambda x, number: work.summaries(factors, np.exp(x), number)[work.used],
        work.observed[work.used],
        work.errors[work.used],
        settings,
        work.done,
    )
    calibrated = with_factors(factory, _scalings(factors, posterior))
    after = work.mean_of(calibrated, seed)
    return Calibration(
        factory=calibrated,
        factors=factors,
        posterior=posterior,
        summaries=tuple(np.array(_SUMMARIES)[work.used].tolist()),
        observed=work.observed[work.used],
        errors=work.errors[work.used],
        before=work.before[work.used],
        after=after[work.used],
        notes=(*matched.notes, *shortening, *_notes(factors, posterior)),
    )


def _count(settings: Settings) -> int:
    """Return about how many simulations a calibration takes."""
    rounds = settings.particles * (1 + (settings.rounds - 1) * (1 - settings.kept))
    return round(rounds) + 2 * _N_BASE + 2 * _N_SCREEN * (MAXIMUM_FACTORS + 1)


def _shortened(window: LogWindow, real: LogMeasures) -> tuple[LogWindow, tuple[str, ...]]:
    """Return a window of a length that can be simulated a thousand times."""
    n_visits = sum(item.visits for item in real.stations.values())
    if n_visits <= _MOST_VISITS:
        return window, ()
    length = window.length * _MOST_VISITS / n_visits
    longest = float(real.lead_times[-1]) if len(real.lead_times) else length
    length = min(window.length, max(length, 20 * longest))
    # In a long log the begin with an empty line hardly counts; in a short one it would.
    warm_up = min(max(window.warm_up, 20 * longest), length)
    note = (
        f"Simulated logs are {100 * length / window.length:.2g} % as long as the log, to save "
        "time; the intervals come out wider for it."
    )
    return replace(window, length=length, warm_up=warm_up), (note,)


class _Work:
    """Simulations of a factory, summarised as the log is."""

    def __init__(  # noqa: PLR0913, PLR0917 - set once, by `calibrate`
        self,
        factory: Factory,
        window: LogWindow,
        real: LogMeasures,
        threads: int | None,
        progress: Callable[[float, int], None] | None,
        n_simulations: int,
    ) -> None:
        self._factory, self._window, self._real = factory, window, real
        self._threads, self._progress, self._n = threads, progress, n_simulations
        machines = {
            name: getattr(factory.stations[name], "machines", 1) for name in window.stations
        }
        # The busiest is the one that waits least for items, per machine.
        self._busiest = max(
            window.stations, key=lambda name: real.stations[name].occupied / machines[name]
        )
        self.observed = _summaries(real, self._busiest)
        self.before = self.observed
        self.errors = np.ones(len(_SUMMARIES))
        self.used = np.isfinite(self.observed)

    def done(self) -> None:
        """Report that one simulation is done."""
        if self._progress is not None:
            self._progress(1.0, self._n)

    def base(self, seed: int) -> tuple[tuple[str, ...], dict[str, float]]:
        """Simulate the factory as it is; find errors, the busiest station, unexplained waits."""
        found = self._replicated(self._factory, seed, _N_BASE)
        summaries = np.array([_summaries(item, self._busiest) for item in found])
        self.used &= np.isfinite(summaries).all(axis=0)
        if not self.used.any():
            message = (
                f"{self._factory.name}: no case comes and goes within the log or within a "
                "simulated one; needs a log of many lead times to calibrate with"
            )
            raise StudyError(message)
        self.before = summaries.mean(axis=0)
        self.errors = np.maximum(summaries.std(axis=0, ddof=1), _LEAST_ERROR)
        lead = float(self._real.lead_times.mean()) if len(self._real.lead_times) else 0.0
        waits = {}
        for name, item in self._real.stations.items():
            simulated = np.array([other.stations[name].wait for other in found])
            if np.isfinite(item.wait) and np.isfinite(simulated).all():
                rest = item.wait - float(simulated.mean())
                if rest > max(_LEAST_WAIT * lead, 2 * float(simulated.std(ddof=1))):
                    waits[name] = rest
        return (self._busiest,), waits

    def screened(self, factors: Sequence[Factor], most: int, seed: int) -> tuple[Factor, ...]:
        """Return the factors that move the summaries most, one at a time, up and down."""
        influence = []
        for factor in factors:
            ends = [
                self.mean_of(
                    with_factors(self._factory, [(factor, Scaling(float(np.exp(step))))]),
                    seed,
                    _N_SCREEN,
                )
                for step in (-factor.spread, factor.spread)
            ]
            moved = np.abs(ends[1] - ends[0])[self.used] / (2 * self.errors[self.used])
            influence.append(float(np.nanmax(moved, initial=0.0)))
        order = sorted(range(len(factors)), key=lambda k: -influence[k])[:most]
        kept = tuple(factors[k] for k in sorted(order) if influence[k] >= _NO_INFLUENCE)
        if not kept:
            message = (
                f"{self._factory.name}: no number of the factory has an influence on what the log "
                "shows of the whole line, within what is known of it; nothing to calibrate"
            )
            raise StudyError(message)
        return kept

    def mean_of(self, factory: Factory, seed: int, n: int = _N_BASE) -> Floats:
        """Return the mean of the summaries over replications; the same luck for every factory."""
        found = self._replicated(factory, seed, n)
        return np.asarray(np.mean([_summaries(item, self._busiest) for item in found], axis=0))

    def summaries(self, factors: Sequence[Factor], values: Floats, seed: int) -> Floats:
        """Return the summaries of one simulation with some factors; NaN if it cannot go on."""
        pairs = [
            (factor, Scaling(float(value))) for factor, value in zip(factors, values, strict=True)
        ]
        try:
            found = simulated_measures(with_factors(self._factory, pairs), self._window, seed)
        except SimulationError:
            return np.full(len(_SUMMARIES), np.nan)
        return _summaries(found, self._busiest)

    def _replicated(self, factory: Factory, seed: int, n: int) -> list[LogMeasures]:
        compiled = compile_factory(factory)

        def one(replication: int, check: Callable[[], None]) -> LogMeasures:
            return simulated_measures(compiled, self._window, seed, replication, check=check)

        return on_threads(one, range(n), self._threads, self.done)


def _summaries(found: LogMeasures, busiest: str) -> Floats:
    """Return the logarithms of the figures of a line, NaN where there are none."""
    visits = [item.visits for item in found.stations.values()]
    values = np.array(
        [
            found.n_finished / (found.end - found.begin),
            found.in_process.mean,
            *found.lead_time_quantiles(0.1, 0.5, 0.9),
            found.stations[busiest].occupied,
            _mean([item.mean for item in found.stations.values()], visits),
            _mean([item.wait for item in found.stations.values()], visits),
        ]
    )
    return np.log(np.where(values > 0, values, np.nan))


def _mean(values: Sequence[float], weights: Sequence[int]) -> float:
    """Return the weighted mean of the values that there are."""
    known = np.isfinite(values) & (np.asarray(weights) > 0)
    if not known.any():
        return np.nan
    return float(np.average(np.asarray(values)[known], weights=np.asarray(weights)[known]))


def _scalings(factors: Sequence[Factor], posterior: Posterior) -> list[tuple[Factor, Scaling]]:
    return [
        (
            factor,
            Scaling(
                value=float(np.exp(mean)),
                spread=float(deviation),
                method=(
                    "ABC-SMC on output, contents, times and waits of the line, "
                    f"{len(posterior.sample)} particles, factor {np.exp(mean):.3g} on {factor.name}"
                ),
                is_identified=_is_told(factor, float(deviation)),
                is_common=len(factor.stations) > 1 and factor.kind != "waits",
            ),
        )
        for factor, mean, deviation in zip(
            factors, posterior.mean, posterior.deviation, strict=True
        )
    ]


def _is_told(factor: Factor, deviation: float) -> bool:
    return deviation < _NOT_TOLD * factor.spread


def _notes(factors: Sequence[Factor], posterior: Posterior) -> list[str]:
    notes = []
    for factor, mean, deviation in zip(factors, posterior.mean, posterior.deviation, strict=True):
        value = float(np.exp(mean))
        if factor.kind == "waits":
            seconds = sum(factor.waits.values()) * value
            notes.append(
                f"Waits that queueing does not explain were put before {len(factor.stations)} "
                f"stations as transfer times, {seconds:.4g} s in all."
            )
        elif abs(mean) > NORMAL * factor.spread:
            reach = float(np.exp(NORMAL * factor.spread))
            notes.append(
                f"The factor on {factor.name} moved to {value:.3g}, beyond its prior interval "
                f"{1 / reach:.3g} to {reach:.3g}: its estimate and the log as a whole disagree."
            )
        if not _is_told(factor, float(deviation)):
            notes.append(f"The log as a whole says next to nothing about {factor.name}.")
    return notes
