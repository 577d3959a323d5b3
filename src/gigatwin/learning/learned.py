"""What was learned: a description that runs, how sure it is, and what the log could not tell."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.factory.durations import Distribution, Empirical
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.factory import Factory
from gigatwin.learning.clock.clocks import Clocks
from gigatwin.learning.clock.time_axis import TimeAxis
from gigatwin.learning.drift.drift import Drift
from gigatwin.learning.flow.batches import Residence
from gigatwin.learning.flow.concurrency import Block
from gigatwin.learning.flow.fleets import Fleet
from gigatwin.learning.flow.supply import Supply
from gigatwin.learning.flow.topology import Flow
from gigatwin.learning.provenance import Unknown
from gigatwin.learning.states.failures import FailureRatio
from gigatwin.learning.states.reliability import StopEstimate
from gigatwin.learning.times.changeovers import Changeovers
from gigatwin.learning.times.conditions import Explanation
from gigatwin.learning.times.station_times import StationTimes
from gigatwin.learning.waiting.buffers import BufferEstimate
from gigatwin.learning.waiting.transfers import TransferEstimate


@dataclass(frozen=True)
class LearnedStation:
    """What a station was learned from, and how well it is known."""

    name: str
    """Name in the description."""
    activities: tuple[str, ...]
    """Activities, as the log names them."""
    machines: tuple[str, ...]
    """Machines, as the log names them."""
    n_servers: int
    """Items it works on at once, over all its machines."""
    times: StationTimes
    """Processing time, stops, changeovers."""
    failures: FailureRatio
    """Share of failed activities, where the log has outcomes."""
    next: dict[str, int] = field(default_factory=dict)
    """Where items went, ``out`` for the last activity of a case."""
    rows: str = ""
    """Rows of the log with its visits."""
    residence: Residence | None = None
    """Whether it works on items one by one, in batches, or keeps them for a dwell."""
    pool: str | None = None
    """Pool of people or machines that does the work, and that of other stations too."""
    recorded_stops: tuple[StopEstimate, ...] = ()
    """Stops that the machines recorded themselves; they count in place of those of ``times``."""
    changeovers: Changeovers | None = None
    """Time to change from one format to another, where the log has several."""
    buffer: BufferEstimate | None = None
    """The places in front of it; None where nothing comes from another station."""
    transfer: TransferEstimate | None = None
    """Time from the station before."""
    durations: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """End less start of its visits, as recorded. Shape (n_visits,). [s]"""
    is_blocked: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=np.bool_))
    """Whether the end of each of them was held up by a full buffer. Shape (n_visits,)."""
    explanation: Explanation | None = None
    """The neighbour of the station on which its time depends, where it does; the description has
    one law for all."""
    drift: Drift | None = None
    """What changed with time; None where nothing was looked for."""


@dataclass(frozen=True)
class Learned:
    """A learned factory, and what it was learned from."""

    factory: Factory
    """The description."""
    stations: dict[str, LearnedStation]
    """What each station was learned from, in the order of the flow."""
    flow: Flow
    """How stations follow each other."""
    clocks: Clocks
    """How well the clocks of the machines agree."""
    axis: TimeAxis
    """How times of the log and of the description go together."""
    supplies: dict[str, Supply]
    """Where items come from: streams by name."""
    blocks: dict[str, Block]
    """Activities that run side by side and were taken as one station, by its name."""
    fleet: Fleet | None
    """Vehicles between the stations, where the log has their trips."""
    unknowns: tuple[Unknown, ...]
    """What the log does not tell, and what would."""
    notes: tuple[str, ...]
    """What the description leaves out or assumes."""

    @property
    def identified_ratio(self) -> float:
        """Share of visits at stations whose mean time is known to within 10 %."""
        known = sum(s.times.mean.n for s in self.stations.values() if s.times.is_identified)
        return known / sum(s.times.mean.n for s in self.stations.values())

    def table(self) -> pl.DataFrame:
        """Return one row for each station: times in s, shares from 0 to 1."""
        return pl.DataFrame([_row(item) for item in self.stations.values()])


def _breakdown(item: LearnedStation) -> tuple[Estimate | None, Estimate | None]:
    """Return the time between breakdowns and their length, as recorded or else as learned."""
    for recorded in item.recorded_stops:
        if recorded.kind == "breakdown":
            return recorded.between, recorded.repair.mean
    for stop in item.times.stops:
        if stop.kind == "breakdown":
            law = stop.duration
            known = law.estimates.get("mean") if isinstance(law, Distribution | Empirical) else None
            return stop.mean_between, known
    return None, None


def _row(item: LearnedStation) -> dict[str, object]:
    times = item.times
    between, repair = _breakdown(item)
    return {
        "station": item.name,
        "machine": ", ".join(item.machines),
        "activity": ", ".join(item.activities),
        "n_observations": times.mean.n,
        "mean": times.mean.value,
        "mean_low": times.mean.low,
        "mean_high": times.mean.high,
        "cv": times.cv,
        "law": times.kind,
        "n_servers": item.n_servers,
        "mean_between_failures": between and between.value,
        "mean_between_failures_low": between and between.low,
        "mean_between_failures_high": between and between.high,
        "mean_repair": repair and repair.value,
        "mean_repair_low": repair and repair.low,
        "mean_repair_high": repair and repair.high,
        "capacity": item.buffer and item.buffer.capacity,
        "is_capacity_identified": item.buffer and item.buffer.is_identified,
        "blocked_ratio": float(item.is_blocked.mean()) if len(item.is_blocked) else None,
        "failure_ratio": item.failures.ratio if item.failures.n_known else None,
        "failure_low": item.failures.low,
        "failure_high": item.failures.high,
        "is_identified": times.is_identified,
    }
