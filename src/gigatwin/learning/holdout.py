"""How well a learned factory foretells what came after: learn early cases, compare late ones."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from gigatwin.errors import TelemetryError
from gigatwin.events.case_log import CaseLog
from gigatwin.factory.durations import Empirical
from gigatwin.factory.factory import Factory
from gigatwin.factory.stations import DiscreteStation
from gigatwin.learning.event_durations import Durations
from gigatwin.learning.learn import Learned, learn
from gigatwin.learning.simulated_durations import simulated_durations


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


@dataclass(frozen=True)
class Holdout:
    """The scores of all stations with enough activities."""

    scores: tuple[StationScore, ...]
    """One for each compared station."""
    n_left_out: int
    """Stations with too few activities to compare, or new in the later part."""

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

    def table(self) -> pl.DataFrame:
        """Return one row for each compared station."""
        return pl.DataFrame([asdict(score) for score in self.scores])


def law_durations(factory: Factory) -> Durations:
    """Return for each station the samples of its law, which a simulation draws from."""
    found: dict[str, NDArray[np.float64]] = {}
    for name, station in factory.stations.items():
        law = station.time if isinstance(station, DiscreteStation) else None
        if isinstance(law, Empirical) and law.samples is not None:
            found[name] = np.asarray(law.samples)
        elif isinstance(law, int | float):
            found[name] = np.asarray([float(law)])
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
    scores = []
    n_left_out = 0
    for activity, machine, n_total in _pair_counts(log):
        station = _station_of(learned, activity, machine)
        rows = late.activities.filter(
            (pl.col("activity") == activity) & (pl.col("machine") == machine)
        )
        n_learned = n_total - rows.height
        if (
            n_total < minimum
            or min(n_learned, rows.height) < minimum_part
            or station is None
            or not len(foretold.get(station, ()))
        ):
            n_left_out += 1
            continue
        actual = (rows["end"] - rows["start"]).to_numpy()
        scores.append(_score(station, n_learned, foretold[station], actual))
    if not scores:
        message = (
            f"The log has no activity with {minimum} observations, {minimum_part} of them before "
            f"and {minimum_part} after the split at {split:.0%} of its cases; needs a longer log, "
            "or a lower minimum"
        )
        raise TelemetryError(message)
    return Holdout(tuple(scores), n_left_out)


def split_by_time(log: CaseLog, split: float) -> tuple[CaseLog, CaseLog]:
    """Return the log of the first cases and that of the others, by their first starts."""
    if not 0 < split < 1:
        message = f"split is {split:g}; needs a share of the cases between 0 and 1"
        raise TelemetryError(message)
    begins = log.activities.group_by("case").agg(pl.col("start").min()).sort("start", "case")
    early = begins.head(round(split * begins.height)).select("case")
    parts = (
        log.activities.join(early, on="case", how="semi", maintain_order="left"),
        log.activities.join(early, on="case", how="anti", maintain_order="left"),
    )
    return CaseLog(parts[0], log.origin), CaseLog(parts[1], log.origin)


def _score(
    station: str, n_learned: int, foretold: NDArray[np.float64], actual: NDArray[np.float64]
) -> StationScore:
    mean = float(actual.mean())
    scale = mean if mean > 0 else 1.0
    return StationScore(
        station=station,
        n_learned=n_learned,
        n_held_out=len(actual),
        foretold_mean=float(foretold.mean()),
        held_out_mean=mean,
        mean_error=abs(float(foretold.mean()) - mean) / scale,
        wasserstein=float(stats.wasserstein_distance(foretold, actual)) / scale,
        kolmogorov_smirnov=float(stats.ks_2samp(foretold, actual).statistic),
    )


def _pair_counts(log: CaseLog) -> list[tuple[str, str, int]]:
    counts = log.activities.group_by("activity", "machine").len()
    return counts.sort("machine", "activity").rows()


def _station_of(learned: Learned, activity: str, machine: str) -> str | None:
    return next(
        (
            name
            for name, item in learned.stations.items()
            if (item.activity, item.machine) == (activity, machine)
        ),
        None,
    )
