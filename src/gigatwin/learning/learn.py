"""From a log of activities to a factory description that runs."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gigatwin.events.case_log import CaseLog, read_case_log
from gigatwin.events.log_mapping import CaseMapping
from gigatwin.factory.described import ByFormat
from gigatwin.factory.durations import Duration
from gigatwin.factory.factory import Factory
from gigatwin.factory.product import Arrivals
from gigatwin.factory.resources import Crew, Resource
from gigatwin.factory.stations import Buffer, DiscreteStation
from gigatwin.learning.arrivals import intervals
from gigatwin.learning.durations import DurationEstimate, empirical_law, estimate
from gigatwin.learning.failures import FailureRatio, failure_ratios
from gigatwin.learning.routing import first_stations, next_of, overlap_ratio, transitions
from gigatwin.learning.servers import n_servers
from gigatwin.learning.stations import in_order_of_flow, slug, with_stations

FAILED = "failed"
"""Name of the defect that stands for a failed activity."""
CASES = "cases"
"""Name of the stream of arrivals."""
_LONG_PAUSE = 4 * 3600.0


@dataclass(frozen=True)
class LearnedStation:
    """What a station was learned from, and how well it is known."""

    activity: str
    """Activity as the log names it."""
    machine: str
    """Machine as the log names it."""
    time: DurationEstimate
    """Processing time."""
    failures: FailureRatio
    """Share of failed activities."""
    n_servers: int
    """Items its machine works on at once."""
    next: dict[str, int]
    """Where items went, ``out`` for the last activity of a case."""


@dataclass(frozen=True)
class Learned:
    """A learned factory, and what it was learned from."""

    factory: Factory
    """The description."""
    stations: dict[str, LearnedStation]
    """What each station was learned from, in the order of the flow."""
    interval: DurationEstimate
    """Time between cases."""
    notes: tuple[str, ...]
    """What the description leaves out or assumes."""

    @property
    def identified_ratio(self) -> float:
        """Share of activities at stations whose mean time is known to within 10 %."""
        known = sum(
            item.time.n_observations for item in self.stations.values() if item.time.is_identified
        )
        return known / sum(item.time.n_observations for item in self.stations.values())

    def table(self) -> pl.DataFrame:
        """Return one row for each station: times in s, shares from 0 to 1."""
        return pl.DataFrame(
            [
                {
                    "station": name,
                    "machine": item.machine,
                    "activity": item.activity,
                    "n_observations": item.time.n_observations,
                    "mean": item.time.mean,
                    "mean_low": item.time.low,
                    "mean_high": item.time.high,
                    "cv": item.time.cv,
                    "n_servers": item.n_servers,
                    "failure_ratio": item.failures.ratio if item.failures.n_known else None,
                    "failure_low": item.failures.low,
                    "failure_high": item.failures.high,
                    "is_identified": item.time.is_identified,
                }
                for name, item in self.stations.items()
            ]
        )


def learn(
    log: CaseLog | str | Path, name: str | None = None, *, mapping: CaseMapping | None = None
) -> Learned:
    """Learn a factory from a log.

    Each activity on each machine becomes a station. A machine with several activities is a
    resource that its stations share. Buffers are unlimited.

    Parameters
    ----------
    log : CaseLog or path
        The activities, or the CSV or Parquet file they are read from.
    name : str, optional
        Name of the factory; left out, that of the file.
    mapping : CaseMapping, optional
        Which column of the file is what; left out, it is guessed.

    Returns
    -------
    Learned
        The factory and its provenance.

    Raises
    ------
    TelemetryError
        If the log holds one case only or all cases begin at the same time.
    """
    if not isinstance(log, CaseLog):
        name = name or Path(log).stem
        log = read_case_log(log, mapping)
    steps = with_stations(log.activities)
    between = intervals(steps)
    learned = _stations(steps)
    shared = _shared_machines(steps)
    notes = _notes(steps, log)
    factory = Factory(
        name=name or "learned",
        description=" ".join((_summary(steps, log), *notes)),
        stations={
            station: _station(item, _law(steps, station), shared.get(item.machine))
            for station, item in learned.items()
        },
        resources={
            resource: Resource(
                capacity=_servers(steps, machine),
                description=f"The machine '{machine}' of the log, which does several activities.",
                sources={"capacity": "learned, from how the activities of the machine overlap"},
            )
            for machine, resource in shared.items()
        },
        arrivals={CASES: _arrivals(steps)},
    )
    return Learned(factory, learned, estimate(between), notes)


def _stations(steps: pl.DataFrame) -> dict[str, LearnedStation]:
    ways = transitions(steps)
    failures = failure_ratios(steps, by="station")
    pairs = {station: (activity, machine) for activity, machine, station in _pairs(steps)}
    servers = {machine: _servers(steps, machine) for _, machine in pairs.values()}
    return {
        station: LearnedStation(
            activity=pairs[station][0],
            machine=pairs[station][1],
            time=estimate(_durations(steps, station).to_numpy()),
            failures=failures[station],
            n_servers=servers[pairs[station][1]],
            next=ways[station],
        )
        for station in in_order_of_flow(steps)
    }


def _station(item: LearnedStation, law: Duration, resource: str | None) -> DiscreteStation:
    sources = {
        "time": f"learned, {item.time}",
        "next": f"learned, {sum(item.next.values())} moves counted",
        "machines": "learned, from how the activities of the machine overlap",
    }
    defects: dict[str, float | ByFormat[float]] = {}
    if item.failures.n_failed:
        defects[FAILED] = round(item.failures.ratio, 6)
        sources["defects"] = f"learned, {item.failures}"
    text = f"'{item.activity}' on '{item.machine}', learned from {item.time}."
    if item.failures.n_known:
        text += f" Outcomes: {item.failures}."
    if not item.time.is_identified:
        text += " Not identified: fewer than 10 observations, or a mean not known to within 10 %."
    return DiscreteStation(
        description=text,
        sources=sources,
        time=law,
        machines=item.n_servers,
        operators=None if resource is None else Crew(resource=resource),
        buffer=Buffer(capacity="unlimited"),
        defects=defects,
        next=next_of(item.next),
    )


def _arrivals(steps: pl.DataFrame) -> Arrivals:
    between = intervals(steps)
    firsts = first_stations(steps)
    return Arrivals(
        interval=empirical_law(between),
        next=next_of(firsts),
        description=(
            "The cases of the log. Long pauses such as nights and weekends are among the intervals "
            "and come at any time; no shift calendar was learned."
        ),
        sources={
            "interval": f"learned, {estimate(between)}; longest {between.max():.4g} s",
            "next": f"learned, {sum(firsts.values())} first activities counted",
        },
    )


def _notes(steps: pl.DataFrame, log: CaseLog) -> tuple[str, ...]:
    notes = [
        "Buffers are unlimited, because a log of activities does not show what was full.",
        (
            "Waits between activities are not learned, only those for a busy machine arise in the "
            "simulation; so lead times come out too short."
        ),
    ]
    if steps["success"].null_count() < steps.height and not steps["success"].all():
        notes.append(
            f"Failures are noted as the defect '{FAILED}' of their station; nothing finds it, so "
            "the yield stays 100 %. What follows a failure is part of the routing."
        )
    overlap = overlap_ratio(steps)
    if overlap > 0:
        notes.append(
            f"In {100 * overlap:.2g} % of its steps a case was at two activities at once; here "
            "they follow each other."
        )
    pauses = int((intervals(steps) > _LONG_PAUSE).sum())
    if pauses:
        notes.append(
            f"{pauses} pauses between cases were longer than 4 h; they are part of the law of "
            "arrivals, not of a shift calendar."
        )
    if steps["success"].null_count() == steps.height:
        notes.append("The log has no outcomes, so nothing fails here.")
    return (*notes, *(f"In reading the log: {warning}." for warning in log.warnings))


def _summary(steps: pl.DataFrame, log: CaseLog) -> str:
    return (
        f"Learned from {steps.height} activities of {log.n_cases} cases at "
        f"{steps['machine'].n_unique()} machines."
    )


def _pairs(steps: pl.DataFrame) -> list[tuple[str, str, str]]:
    return steps.select("activity", "machine", "station").unique().rows()


def _shared_machines(steps: pl.DataFrame) -> dict[str, str]:
    """Return the resource names of machines with several activities."""
    machines = [machine for _, machine, _ in sorted(_pairs(steps))]
    shared = sorted({machine for machine in machines if machines.count(machine) > 1})
    names: dict[str, str] = {}
    for machine in shared:
        wanted = name = slug(machine)
        number = 1
        while name in names.values():
            number += 1
            name = f"{wanted}-{number}"
        names[machine] = name
    return names


def _durations(steps: pl.DataFrame, station: str) -> pl.Series:
    rows = steps.filter(pl.col("station") == station)
    return rows["end"] - rows["start"]


def _law(steps: pl.DataFrame, station: str) -> Duration:
    return empirical_law(_durations(steps, station).to_numpy())


def _servers(steps: pl.DataFrame, machine: str) -> int:
    rows = steps.filter(pl.col("machine") == machine)
    return n_servers(rows["start"].to_numpy(), rows["end"].to_numpy())
