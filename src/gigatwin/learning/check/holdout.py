"""How well a learned factory foretells what came after: learn early cases, compare late ones.

Beside the learned factory the plain sample of the early cases foretells the late ones, too; a law
that is not better than that is not worth having.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.errors import TelemetryError
from gigatwin.events.case_log import CaseLog
from gigatwin.factory.described import ByFormat
from gigatwin.factory.factory import Factory
from gigatwin.factory.stations import DiscreteStation
from gigatwin.learning.check.log_as_described import as_described
from gigatwin.learning.check.simulated_durations import Durations, simulated_durations
from gigatwin.learning.learn import learn
from gigatwin.learning.learned import Learned
from gigatwin.learning.times.law_fits import law_quantiles
from gigatwin.learning.times.law_scores import crps, distances
from gigatwin.learning.times.laws import choose_law

_N_QUANTILES = 2000
_NOTHING = np.empty(0)
_DECIMALS = 6


@dataclass(frozen=True)
class StationScore:
    """How far foretold and held-out processing times of a station are apart."""

    station: str
    """Name of the station."""
    n_learned: int
    """Activities it was learned from."""
    n_held_out: int
    """Activities it is compared with."""
    foretold_mean: float
    """Mean of the foretold times. [s]"""
    held_out_mean: float
    """Mean of the held-out times. [s]"""
    mean_error: float
    """Difference of the means over the held-out mean, without its sign."""
    wasserstein: float
    """Wasserstein distance over the held-out mean."""
    kolmogorov_smirnov: float
    """Largest difference of the distribution functions."""
    crps: float
    """Mean continuous ranked probability score over the held-out mean."""


@dataclass(frozen=True)
class Holdout:
    """The scores of all stations with enough activities."""

    scores: tuple[StationScore, ...]
    """One for each compared station, foretold by what was learned."""
    n_left_out: int
    """Stations with too few activities to compare, or new in the later part."""
    plain: tuple[StationScore, ...] = ()
    """The same, foretold by the plain sample of the early activities."""

    @property
    def mean_error(self) -> float:
        """Median over the stations of the relative error of the mean."""
        return median(score.mean_error for score in self.scores)

    @property
    def wasserstein(self) -> float:
        """Median over the stations of the relative Wasserstein distance."""
        return median(score.wasserstein for score in self.scores)

    @property
    def kolmogorov_smirnov(self) -> float:
        """Median over the stations of the Kolmogorov-Smirnov distance."""
        return median(score.kolmogorov_smirnov for score in self.scores)

    def medians(self) -> pl.DataFrame:
        """Return the medians over the stations: a row each for learned and plain."""
        rows = [
            {
                "foretold_by": name,
                "mean_error": median(score.mean_error for score in scores),
                "wasserstein": median(score.wasserstein for score in scores),
                "kolmogorov_smirnov": median(score.kolmogorov_smirnov for score in scores),
                "crps": median(score.crps for score in scores),
            }
            for name, scores in (("learned", self.scores), ("plain", self.plain))
            if scores
        ]
        return pl.DataFrame(rows)

    def table(self) -> pl.DataFrame:
        """Return one row for each compared station."""
        return pl.DataFrame([asdict(score) for score in self.scores])


def law_durations(factory: Factory) -> Durations:
    """Return for each station equally likely values of its law, which a simulation draws from."""
    found: dict[str, NDArray[np.float64]] = {}
    for name, station in factory.stations.items():
        law = station.time if isinstance(station, DiscreteStation) else None
        if law is not None and not isinstance(law, ByFormat):
            found[name] = law_quantiles(law, _N_QUANTILES)
    return found


def holdout(
    log: CaseLog,
    *,
    split: float = 0.7,
    minimum: int = 60,
    minimum_part: int = 10,
    simulate: Callable[[Factory], Durations] = simulated_durations,
) -> Holdout:
    """Learn from the first cases and compare with the rest.

    Parameters
    ----------
    log : CaseLog
        The whole log.
    split : float
        Share of the cases, in the order of their first starts, to learn from.
    minimum : int
        Activities a station needs in the whole log to be compared.
    minimum_part : int
        Activities it needs before and after the split.
    simulate : callable
        Foretells processing times for the stations of a factory: from a simulation, or with
        `law_durations` quicker from the laws that the simulation draws from.

    Raises
    ------
    TelemetryError
        If no station has enough activities.
    """
    early, late = split_by_time(log, split)
    learned = learn(early, "holdout")
    foretold = simulate(learned.factory)
    scores, plain = [], []
    n_left_out = 0
    before, after = (_by_station(learned, part) for part in (early, late))
    for station in sorted({*before, *after}):
        past, actual = before.get(station, _NOTHING), after.get(station, _NOTHING)
        if (
            len(past) + len(actual) < minimum
            or min(len(past), len(actual)) < minimum_part
            or not len(foretold.get(station, ()))
        ):
            n_left_out += 1
            continue
        scores.append(_score(station, len(past), foretold[station], actual))
        plain.append(_score(station, len(past), past, actual))
    _check_compared(scores, split, minimum, minimum_part)
    return Holdout(tuple(scores), n_left_out, tuple(plain))


def compare_laws(
    log: CaseLog, *, split: float = 0.7, minimum: int = 60, minimum_part: int = 10
) -> Holdout:
    """Compare chosen laws with plain samples, without a factory or a simulation.

    Parameters
    ----------
    log : CaseLog
        The whole log.
    split : float
        Share of the cases, in the order of their first starts, to choose the laws from.
    minimum : int
        Activities that an activity on a machine needs in the whole log to be compared.
    minimum_part : int
        Activities it needs before and after the split.

    Returns
    -------
    Holdout
        ``scores`` of the laws of `choose_law` and ``plain`` of the samples; stations are named
        machine/activity.

    Raises
    ------
    TelemetryError
        If nothing has enough activities.
    """
    early, late = split_by_time(log, split)
    scores, plain = [], []
    n_left_out = 0
    for activity, machine, n_total in _pair_counts(log):
        past, actual = (_durations(part, activity, machine) for part in (early, late))
        if n_total < minimum or min(len(past), len(actual)) < minimum_part:
            n_left_out += 1
            continue
        name = f"{machine}/{activity.strip('/')}"
        foretold = law_quantiles(choose_law(past).law, _N_QUANTILES)
        scores.append(_score(name, len(past), foretold, actual))
        plain.append(_score(name, len(past), past, actual))
    _check_compared(scores, split, minimum, minimum_part)
    return Holdout(tuple(scores), n_left_out, tuple(plain))


def _by_station(learned: Learned, log: CaseLog) -> dict[str, NDArray[np.float64]]:
    """Return the times of visits by station, on the clock and in the terms of what was learned."""
    visits = as_described(learned.factory, log).drop_nulls(["start", "end"])
    groups = learned.flow.station_of(visits).drop_nulls("station").group_by("station")
    return {str(name): (group["end"] - group["start"]).to_numpy() for (name,), group in groups}


def _durations(log: CaseLog, activity: str, machine: str) -> NDArray[np.float64]:
    """Return the durations of an activity on a machine in the order of their starts."""
    chosen = (pl.col("activity") == activity) & (pl.col("machine") == machine)
    rows = log.activities.filter(chosen).sort("start", maintain_order=True)
    return (rows["end"] - rows["start"]).to_numpy()


def _check_compared(
    scores: list[StationScore], split: float, minimum: int, minimum_part: int
) -> None:
    if not scores:
        message = (
            f"The log has no activity with {minimum} observations, {minimum_part} of them before "
            f"and {minimum_part} after the split at {split:.0%} of its cases; needs a longer log, "
            "or a lower minimum"
        )
        raise TelemetryError(message)


def split_by_time(log: CaseLog, split: float) -> tuple[CaseLog, CaseLog]:
    """Return the log of the first cases and that of the others, by their first starts."""
    if not 0 < split < 1:
        message = f"split is {split:g}; needs a share of the cases between 0 and 1"
        raise TelemetryError(message)
    when = pl.coalesce("start", "end").min().alias("when")
    begins = log.visits.group_by("case").agg(when).sort("when", "case")
    early = begins.head(round(split * begins.height)).select("case")
    parts = (
        log.visits.join(early, on="case", how="semi", maintain_order="left"),
        log.visits.join(early, on="case", how="anti", maintain_order="left"),
    )
    return CaseLog(parts[0], log.origin), CaseLog(parts[1], log.origin)


def _score(
    station: str, n_learned: int, foretold: NDArray[np.float64], actual: NDArray[np.float64]
) -> StationScore:
    mean = float(actual.mean())
    scale = mean if mean > 0 else 1.0
    # Differences of times have noise in the tenth digit, which would part equal values.
    foretold, actual = np.round(foretold, _DECIMALS), np.round(actual, _DECIMALS)
    largest, area = distances(foretold, actual)
    return StationScore(
        station=station,
        n_learned=n_learned,
        n_held_out=len(actual),
        foretold_mean=float(foretold.mean()),
        held_out_mean=mean,
        mean_error=abs(float(foretold.mean()) - mean) / scale,
        wasserstein=area / scale,
        kolmogorov_smirnov=largest,
        crps=crps(foretold, actual) / scale,
    )


def _pair_counts(log: CaseLog) -> list[tuple[str, str, int]]:
    counts = log.activities.group_by("activity", "machine").len()
    return counts.sort("machine", "activity").rows()
