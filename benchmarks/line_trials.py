"""Trials of learning: random lines whose truth is known, logged, learned, and held against it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from gigatwin.compiler.build import compile_factory
from gigatwin.events.case_log import CaseLog
from gigatwin.factory.factory import Factory
from gigatwin.factory.uncertainty import drawn
from gigatwin.learning.clock.working_clock import WorkingClock
from gigatwin.learning.learn import learn
from gigatwin.learning.learned import Learned
from gigatwin.simulation.sampling import throughput_of
from gigatwin.simulation.simulate import simulate
from gigatwin.testing.random_lines import LineHistory, RandomLine, Variant, random_line
from gigatwin.testing.spoiled_logs import with_jitter, with_lost_events

PARTS = 5_000
JITTER = 0.02
LOST = 0.01
_DRAWS = 40
_FORECAST_PARTS = 40_000
_TRUE_PARTS = 1_000_000
_BOTTLENECK_PARTS = 100_000
_DAY = 86_400.0

Spoiling = Literal["clean", "spoiled"]
"""``spoiled``: 20 ms of jitter, and 1 % of the events lost."""


@dataclass(frozen=True)
class StationTrial:
    """A station against its truth."""

    mean_error: float
    """Relative error of the processing time against the mean of the law."""
    realised_error: float
    """The same against the mean of the parts of the log, which is all that can be known."""
    sampling_error: float
    """Relative difference of these two: what even a log without hold-ups would leave."""
    n_failures: int
    """Failures in the log."""
    mtbf_covered: bool
    """Whether the interval of the time between failures covers the truth."""
    mtbf_error: float
    """Its relative error; infinite if no breakdown was found."""
    capacity: int
    """True places in front of it; -1 for the first station."""
    learned_capacity: int
    """Learned ones."""
    is_identified: bool
    """Whether they are said to be identified."""
    n_held_up: int
    """Departures into that buffer which were held up: without any its size cannot show."""
    blocked_ratio: float
    """Share of the station's own departures that were held up."""
    covers: bool = True
    """Whether the interval of the processing time covers the mean of the law."""

    @property
    def is_flag_right(self) -> bool:
        """Whether an identified capacity is exact and any other a lower bound."""
        if self.is_identified:
            return self.learned_capacity == self.capacity
        return self.learned_capacity <= self.capacity


@dataclass(frozen=True)
class LineTrial:
    """A line against its truth."""

    seed: int
    variant: Variant
    spoiling: Spoiling
    n_parts: int
    stations: tuple[StationTrial, ...] = ()
    throughput: float = 0.0
    """True one. [1/s]"""
    forecast: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """That of the learned line: low end, median, high end of 95 %. [1/s]"""
    realised: float = 0.0
    """What the log itself shows. [1/s]"""
    bottleneck: str = ""
    learned_bottleneck: str = ""
    problem: str = ""
    """What went wrong, if no line was learned."""
    notes: tuple[str, ...] = field(default=(), repr=False)

    @property
    def worst_error(self) -> float:
        """Error of the processing time of the worst station, against the mean of its law."""
        return max(station.mean_error for station in self.stations)

    @property
    def worst_realised_error(self) -> float:
        """The same against the parts of the log."""
        return max(station.realised_error for station in self.stations)

    @property
    def worst_sampling_error(self) -> float:
        """Largest difference of the parts of the log from their law."""
        return max(station.sampling_error for station in self.stations)

    @property
    def is_covered(self) -> bool:
        """Whether the true throughput lies in the interval of the learned line."""
        low, _, high = self.forecast
        return low <= self.throughput <= high

    @property
    def throughput_error(self) -> float:
        """Relative error of the throughput of the learned line."""
        return abs(self.forecast[1] / self.throughput - 1.0)

    @property
    def is_bottleneck_found(self) -> bool:
        """Whether both lines have the same bottleneck."""
        return self.bottleneck == self.learned_bottleneck


def parts_for_failures(seed: int, n_failures: int) -> int:
    """Return the number of parts after which each machine of a line has failed so often."""
    line = random_line(seed)
    return int(1.4 * n_failures * max(s.mtbf / s.time.mean for s in line.stations))


def trial(
    seed: int,
    variant: Variant = "plain",
    spoiling: Spoiling = "clean",
    n_parts: int = PARTS,
    *,
    has_forecast: bool = True,
) -> LineTrial:
    """Return how well one random line is learned from its log."""
    line = random_line(seed, variant=variant)
    history = line.simulate(n_parts, seed=seed + 1)
    visits = history.visits
    if spoiling == "spoiled":
        visits = with_lost_events(with_jitter(visits, JITTER, seed), LOST, seed)
    try:
        learned = learn(CaseLog(visits.drop("station")), "trial")
        stations = tuple(_station_trials(line, history, learned))
    except Exception as error:  # noqa: BLE001 - a line that cannot be learned is a result, too
        return LineTrial(
            seed, variant, spoiling, n_parts, problem=f"{type(error).__name__}: {error}"
        )
    base = LineTrial(
        seed,
        variant,
        spoiling,
        n_parts,
        stations,
        realised=history.throughput(),
        notes=learned.notes,
    )
    if not has_forecast:
        return base
    throughput, _ = line.throughput(_TRUE_PARTS, seed=seed + 2)
    return LineTrial(
        **{
            **vars(base),
            "throughput": throughput,
            "forecast": _forecast(learned.factory, throughput, seed),
            "bottleneck": _bottleneck(line.factory(), throughput),
            "learned_bottleneck": _bottleneck(learned.factory, throughput),
        }
    )


def _station_trials(
    line: RandomLine, history: LineHistory, learned: Learned
) -> Iterable[StationTrial]:
    for j, station in enumerate(line.stations):
        found = learned.stations[station.name]
        realised = float(history.processing[:, j].mean())
        mean = found.times.mean
        breakdown = next((stop for stop in found.times.stops if stop.kind == "breakdown"), None)
        between = None if breakdown is None else breakdown.mean_between
        covered = between is not None and (
            between.low <= station.mtbf <= (between.high or float("inf"))
        )
        yield StationTrial(
            mean_error=abs(mean.value / station.time.mean - 1.0),
            realised_error=abs(mean.value / realised - 1.0),
            sampling_error=abs(realised / station.time.mean - 1.0),
            n_failures=int(history.n_failures[j]),
            mtbf_covered=covered,
            mtbf_error=float("inf") if between is None else abs(between.value / station.mtbf - 1.0),
            capacity=station.buffer if j else -1,
            learned_capacity=-1 if found.buffer is None else found.buffer.capacity,
            is_identified=found.buffer is not None and found.buffer.is_identified,
            n_held_up=int(history.is_blocked[:, j - 1].sum()) if j else 0,
            blocked_ratio=float(history.is_blocked[:, j].mean()),
            covers=mean.low <= station.time.mean <= (mean.high or float("inf")),
        )


def _forecast(factory: Factory, throughput: float, seed: int) -> tuple[float, float, float]:
    seconds = _FORECAST_PARTS / throughput
    rates = [
        throughput_of(drawn(factory, seed, k), 1.1 * seconds, 0.1 * seconds, seed, k)
        for k in range(_DRAWS)
    ]
    # The description counts working time, the truth all hours.
    hours = factory.working_hours
    rates = np.array(rates) * (1.0 if hours is None else WorkingClock(hours).working_ratio)
    mean, reach = float(np.mean(rates)), 2.02 * float(np.std(rates, ddof=1))
    return mean - reach, mean, mean + reach


def _bottleneck(factory: Factory, throughput: float) -> str:
    days = _BOTTLENECK_PARTS / throughput / _DAY
    result = simulate(compile_factory(factory), days=days, replications=2, seed=1, threads=1)
    return result.bottleneck.stations[0]
