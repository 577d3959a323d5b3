"""From a log to a factory description that runs.

The order of the work: times to working time; activities that run side by side as one; stations and
ways; clocks; buffers and hold-ups; processing times, stops and drift of each station; the supply.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.errors import FactoryError, TelemetryError
from gigatwin.events.case_log import CaseLog, read_case_log
from gigatwin.events.log_mapping import CaseMapping
from gigatwin.events.state_log import StateLog
from gigatwin.factory.checks import check
from gigatwin.factory.durations import Distribution, Empirical
from gigatwin.factory.factory import Factory
from gigatwin.learning.clock.clocks import Clocks, corrected, find_clocks
from gigatwin.learning.clock.time_axis import TimeAxis, rest_note, time_axis
from gigatwin.learning.description import described
from gigatwin.learning.drift.drift import Drift, changed_stations, since, watch
from gigatwin.learning.flow.batches import residence
from gigatwin.learning.flow.concurrency import Block, find_blocks, folded
from gigatwin.learning.flow.fleets import Fleet, find_fleet
from gigatwin.learning.flow.moves import without_transports
from gigatwin.learning.flow.stations import slug
from gigatwin.learning.flow.supply import Supply, supplies_of
from gigatwin.learning.flow.topology import IN, Flow, discover
from gigatwin.learning.flow.ways_out import ways_on
from gigatwin.learning.learned import Learned, LearnedStation
from gigatwin.learning.provenance import rows_text
from gigatwin.learning.states.failures import FailureRatio, failure_ratios
from gigatwin.learning.states.reliability import StopEstimate, learn_stops
from gigatwin.learning.states.state_alignment import aligned
from gigatwin.learning.times.conditions import explain, with_neighbours
from gigatwin.learning.times.formats import find_formats
from gigatwin.learning.times.station_times import NO_TIMES, station_times
from gigatwin.learning.unknowns import LITTLE_LOST, unknowns
from gigatwin.learning.usable import usable
from gigatwin.learning.waiting.buffers import BufferEstimate, buffer_of, with_blocking
from gigatwin.learning.waiting.passages import passages_of
from gigatwin.learning.waiting.starts import transfer_from_exits, with_starts
from gigatwin.learning.waiting.transfers import TransferEstimate, estimate_transfer

_LEAST_CASES = 2
_NOT_WORKING = ("breakdown", "micro_stop", "planned_stop", "setup", "waiting_for_crew")
"""Recorded states that are no part of the processing time."""
_MUCH_LOST = 0.05
_OFTEN_BLOCKED = 0.1
_OFTEN_HELD_UP = 0.1
"""Share of held-up visits from which processing times are not watched for changes."""
_LEAST_SINCE = 50
"""Visits since a change that are enough to learn a station from."""
_FEW_VISITS, _MANY_VISITS = 60, 20_000
_BESIDE = 10
"""Times as many items as ever seen in activities side by side: their times hold any wait, so
they have no limit of their own."""


@dataclass(frozen=True)
class _Line:
    """What is known of the line as a whole before its stations are looked at."""

    visits: pl.DataFrame
    axis: TimeAxis
    blocks: dict[str, Block]
    flow: Flow
    clocks: Clocks
    only_ends: tuple[str, ...]
    fleet: Fleet | None


def learn(
    log: CaseLog | str | Path,
    name: str | None = None,
    *,
    mapping: CaseMapping | None = None,
    states: StateLog | None = None,
) -> Learned:
    """Learn a factory from a log.

    Parameters
    ----------
    log : CaseLog or path
        The visits of items to machines, or the file they are read from.
    name : str, optional
        Name of the factory; left out, that of the file.
    mapping : CaseMapping, optional
        Which column of the file is what; left out, it is guessed.
    states : StateLog, optional
        What the machines say of themselves, by which stops are told from slow work.

    Returns
    -------
    Learned
        The factory, what each number rests on, and what the log does not tell.

    Raises
    ------
    TelemetryError
        If the log holds one case only, no visit with both a start and an end can be made of it,
        or everything in it happens at the same time; or if the states are of other machines or
        another time.
    """
    if not isinstance(log, CaseLog):
        name = name or Path(log).stem
        log = read_case_log(log, mapping)
    visits, put_right = usable(log.visits)
    log = replace(log, visits=visits)
    _check(log)
    states = None if states is None else aligned(states, log)
    line = _line(log)
    buffers, transfers, ready = _between_stations(line)
    visits = line.visits.with_columns(
        with_blocking(line.visits, buffers).select("bound", "is_blocked"),
        is_unsure=_may_be_blocked(line.visits, buffers),
    ).with_columns(ready=pl.Series(ready).fill_nan(None))
    downtimes: dict[str, tuple[StopEstimate, ...]] = {}
    if states is not None:
        downtimes = learn_stops(line.axis.to_working(states.intervals))
        visits = _without_downtime(visits, states, line)
    visits = with_neighbours(visits.sort(pl.coalesce("start", "end"), maintain_order=True))
    drifts = _drifts(visits)
    stations = _stations(line, _present(visits, drifts), downtimes)
    ways, trapped = ways_on(line.flow)
    learned_stations = {
        station: replace(
            item,
            next=ways[station],
            buffer=buffers.get(station),
            transfer=transfers.get(station),
            drift=_drift_of(station, drifts),
        )
        for station, item in stations.items()
    }
    supplies = _supplies(line)
    learned = Learned(
        factory=described(
            name or "learned",
            stations=learned_stations,
            flow=line.flow,
            supplies=supplies,
            axis=line.axis,
            blocks=line.blocks,
            fleet=line.fleet,
            log=log,
        ),
        stations=learned_stations,
        flow=line.flow,
        clocks=line.clocks,
        axis=line.axis,
        supplies=supplies,
        blocks=line.blocks,
        fleet=line.fleet,
        unknowns=(),
        notes=(
            *put_right,
            *_notes(line, log),
            *trapped,
            *_state_notes(states),
            *_explanations(learned_stations),
        ),
    )
    _check_description(learned.factory)
    return replace(learned, unknowns=unknowns(learned))


def _check_description(factory: Factory) -> None:
    try:
        check(factory)
    except FactoryError as error:
        message = (
            f"What the log shows is no line that can run ({error}); needs cases from their first "
            "to their last visit"
        )
        raise TelemetryError(message) from error


def _check(log: CaseLog) -> None:
    if log.visits.height == 0:
        message = "The log holds no visits; needs rows of who was where and when"
        raise TelemetryError(message)
    if log.n_cases < _LEAST_CASES:
        message = (
            "The log holds 1 case, from which no time between cases can be learned; needs at least "
            "2 (is the column taken for the case the right one?)"
        )
        raise TelemetryError(message)
    moments = pl.concat([log.visits["start"], log.visits["end"]]).drop_nulls()
    if moments.n_unique() < _LEAST_CASES:
        message = (
            f"All {log.visits.height} visits of the log are at the same moment; needs times that "
            "differ (is the column taken for the time the right one?)"
        )
        raise TelemetryError(message)


def _line(log: CaseLog) -> _Line:
    visits, moves = without_transports(log.visits)
    axis = time_axis(visits, log.origin)
    fleet = find_fleet(axis.to_working(moves)) if moves.height else None
    visits, blocks = _folded(axis.to_working(visits))
    flow = discover(visits)
    visits = flow.station_of(visits).drop_nulls("station")
    before = _predecessors(flow)
    only_ends = _with_only_ends(visits)
    if only_ends:
        visits = _with_inferred_starts(visits, before, only_ends)
    clocks = find_clocks(visits, before)
    # An offset that is only suspected may be an overlap of two activities that was meant.
    proven = {name: offset for name, offset in clocks.offsets.items() if offset.is_identified}
    visits = corrected(visits, replace(clocks, offsets=proven))
    if visits.drop_nulls(["start", "end"]).height == 0:
        message = (
            "No visit of the log has both a start and an end, and none can be inferred; needs "
            "records of when items enter and leave machines"
        )
        raise TelemetryError(message)
    return _Line(visits, axis, blocks, flow, clocks, only_ends, fleet)


def _with_only_ends(visits: pl.DataFrame) -> tuple[str, ...]:
    """Return the stations at which hardly any start was recorded, but ends were."""
    counts = visits.group_by("station", maintain_order=True).agg(
        starts=pl.col("start").count(), ends=pl.col("end").count()
    )
    few = counts.filter(2 * pl.col("starts") < pl.col("ends"))
    return tuple(few["station"].to_list())


def _with_inferred_starts(
    visits: pl.DataFrame, before: Mapping[str, list[str]], stations: tuple[str, ...]
) -> pl.DataFrame:
    """Return visits with the starts at some stations inferred from the times that items left."""
    rough = with_starts(visits, before)
    names, ends = rough["station"].to_numpy(), rough["end"].to_numpy()
    transfers = {}
    for station, passages in passages_of(rough, before).items():
        arrived = passages.where((passages.to_row >= 0) & (passages.from_row >= 0))
        for source in before[station]:
            part = arrived.where(names[arrived.from_row] == source)
            found = transfer_from_exits(part.entries, ends[part.to_row], part.released)
            if station in stations and found.is_identified:
                transfers[source, station] = found.value
    inferred = with_starts(visits, before, transfers)
    return inferred.with_columns(
        start=pl.when(pl.col("station").is_in(stations)).then("start").otherwise(visits["start"])
    )


def _folded(visits: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, Block]]:
    return folded(visits, find_blocks(visits))


def _predecessors(flow: Flow) -> dict[str, list[str]]:
    """Return the stations before each one; a stream that ends in an assembly is none."""
    joined = {(join.source, station) for station, joins in flow.joins.items() for join in joins}
    return {
        station: [
            source
            for source, ways in flow.arcs.items()
            if station in ways and source != IN and (source, station) not in joined
        ]
        for station in flow.stations
    }


def _between_stations(
    line: _Line,
) -> tuple[dict[str, BufferEstimate], dict[str, TransferEstimate], NDArray[np.float64]]:
    """Return buffers and transfers by station, and when each visit could have begun."""
    sigma = line.clocks.sigma.value
    before = {station: names for station, names in _predecessors(line.flow).items() if names}
    buffers, transfers = {}, {}
    ready = np.full(line.visits.height, np.nan)
    for station, passages in passages_of(line.visits, before).items():
        buffers[station] = buffer_of(passages, sigma)
        arrived = passages.where(passages.to_row >= 0)
        if len(arrived.entries):
            transfers[station] = estimate_transfer(
                arrived.entries, arrived.exits, arrived.released, sigma
            )
            ready[arrived.to_row] = arrived.entries + transfers[station].time.value
    return buffers, transfers, ready


def _may_be_blocked(visits: pl.DataFrame, buffers: Mapping[str, BufferEstimate]) -> pl.Series:
    """Return which departures into a buffer that was full at times may have been held up, too."""
    is_unsure = np.zeros(visits.height, dtype=np.bool_)
    for buffer in buffers.values():
        if buffer.is_identified:
            # The first ones found an empty buffer; later ones lack the record of an exit.
            rows = np.where(np.isnan(buffer.bound), buffer.rows, -1)[buffer.capacity :]
            is_unsure[rows[rows >= 0]] = True
    return pl.Series(is_unsure)


def _without_downtime(visits: pl.DataFrame, states: StateLog, line: _Line) -> pl.DataFrame:
    """Return visits with the time added in which their machine says that it was down."""
    down = line.axis.to_working(states.intervals.filter(pl.col("state").is_in(_NOT_WORKING)))
    parts = []
    for (machine,), group in visits.group_by("machine", maintain_order=True):
        own = down.filter(pl.col("machine") == machine).sort("start")
        lengths = np.concatenate(([0.0], np.cumsum((own["end"] - own["start"]).to_numpy())))

        def until(
            times: pl.Series, own: pl.DataFrame = own, lengths: np.ndarray = lengths
        ) -> np.ndarray:
            """Return the time down until each moment."""
            moments = times.to_numpy()
            k = np.searchsorted(own["start"].to_numpy(), moments, side="right")
            begun = lengths[k]
            last = own["end"].to_numpy()[np.maximum(k - 1, 0)] if own.height else moments
            return begun - np.where(k > 0, np.maximum(last - moments, 0.0), 0.0)

        parts.append(
            group.with_columns(down=pl.Series(until(group["end"]) - until(group["start"])))
        )
    return pl.concat(parts)


def _drift_of(station: str, drifts: list[Drift]) -> Drift | None:
    """Return the first signal of a station that changed, or its first one."""
    own = [drift for drift in drifts if drift.station == station]
    return next((drift for drift in own if drift.is_changed), own[0] if own else None)


def _drifts(visits: pl.DataFrame) -> list[Drift]:
    """Return what changed; hold-ups are left out, or every change of a neighbour would show.

    Of a station that is often held up only the longest cycles are left, the more so the more it is
    held up, so that they would show a change where there is none.
    """
    is_held_up = pl.col("is_blocked") | pl.col("is_unsure")
    is_often = is_held_up.mean().over("station") > _OFTEN_HELD_UP
    return watch(visits.with_columns(is_normal=~is_held_up & ~is_often), normal="is_normal")


def _present(visits: pl.DataFrame, drifts: list[Drift]) -> pl.DataFrame:
    """Return the visits of each station since its last change, where these are enough."""
    kept = since(visits, changed_stations(drifts)).drop_nulls(["start", "end"])
    enough = kept["station"].value_counts().filter(pl.col("count") >= _LEAST_SINCE)
    changes = changed_stations(drifts)
    names = set(enough["station"].to_list())
    return since(visits, {name: moment for name, moment in changes.items() if name in names})


def _stations(
    line: _Line, visits: pl.DataFrame, downtimes: Mapping[str, tuple[StopEstimate, ...]]
) -> dict[str, LearnedStation]:
    complete = visits.drop_nulls(["start", "end"]).sort("start")
    groups = {
        str(station): group
        for (station,), group in complete.group_by("station", maintain_order=True)
    }
    failures = failure_ratios(visits, by="station")
    rows = {str(name): rows_text(group) for (name,), group in line.visits.group_by("station")}
    block_names = {slug(name) for name in line.blocks}
    found = {}
    for name, station in line.flow.stations.items():
        item = LearnedStation(
            name=name,
            activities=station.activities,
            machines=station.machines,
            n_servers=_BESIDE * station.n_servers if name in block_names else station.n_servers,
            times=NO_TIMES,
            failures=failures.get(name, FailureRatio(0, 0, 0.0, 1.0)),
            rows=rows.get(name, ""),
            pool=station.pool,
            recorded_stops=tuple(
                stop for machine in station.machines for stop in downtimes.get(machine, ())
            ),
        )
        group = groups.get(name)
        if group is not None:
            item = _with_times(
                item, group, line.clocks.sigma.value, is_job_shop=line.flow.is_job_shop
            )
            item = _doubted(item, line.flow.loss.events, has_starts=name not in line.only_ends)
        found[name] = item
    return found


def _doubted(item: LearnedStation, lost: float, *, has_starts: bool) -> LearnedStation:
    """Return a station whose numbers are not called identified where missing events spoil them.

    A hold-up whose other event is lost looks like slow work: a stop, or a longer processing time.
    Where starts are inferred, time on the way may be in the processing time.
    """
    times = item.times
    is_spoiled = lost > LITTLE_LOST and bool(item.is_blocked.mean() > _OFTEN_BLOCKED)
    if has_starts and not is_spoiled:
        return item
    doubt = {"is_identified": False}
    stops = tuple(
        replace(stop, mean_between=stop.mean_between.model_copy(update=doubt))
        for stop in times.stops
    )
    times = replace(times, stops=stops)
    if lost > _MUCH_LOST or not has_starts:
        law = times.law
        if isinstance(law, Distribution | Empirical):
            estimates = {
                key: known.model_copy(update=doubt) for key, known in law.estimates.items()
            }
            law = law.model_copy(update={"estimates": estimates})
        times = replace(times, law=law, mean=times.mean.model_copy(update=doubt))
    return replace(item, times=times)


def _with_times(
    item: LearnedStation, group: pl.DataFrame, jitter: float, *, is_job_shop: bool
) -> LearnedStation:
    """Return a station with what its visits tell; they have both times."""
    kept = residence(group)
    whole = group
    sure = group.filter(~pl.col("is_unsure"))
    if (~sure["is_blocked"]).any():
        group = sure
    stays = (group["end"] - group["start"]).to_numpy()
    durations = stays
    if "down" in group.columns:
        durations = np.maximum(stays - group["down"].fill_null(0.0).to_numpy(), 0.0)
    has_records = bool(item.recorded_stops)
    formats = find_formats(group, durations, jitter, may_stop=not (has_records or is_job_shop))
    times = station_times(
        np.maximum(durations - formats.level, 0.0),
        group["is_blocked"].to_numpy(),
        group["start"].to_numpy(),
        jitter=jitter,
        rows=rows_text(group),
        may_stop=not is_job_shop,
        has_records=has_records,
    )
    explanation = None
    if _FEW_VISITS <= group.height <= _MANY_VISITS:
        explanation = explain(stays, group.select("previous", "next"))
    return replace(
        item,
        explanation=explanation,
        n_servers=kept.n_servers if kept.kind == "batch" else item.n_servers,
        times=replace(times, by_format=formats.laws),
        residence=kept,
        changeovers=formats.changeovers,
        durations=(whole["end"] - whole["start"]).to_numpy(),
        is_blocked=whole["is_blocked"].to_numpy(),
    )


def _supplies(line: _Line) -> dict[str, Supply]:
    tolerance = max(4 * line.clocks.sigma.value, line.clocks.resolution, 1e-6)
    return supplies_of(line.visits, line.flow, tolerance)


def _notes(line: _Line, log: CaseLog) -> tuple[str, ...]:
    rest = rest_note(line.visits, line.axis)
    notes = [*line.axis.notes, *line.flow.notes, *line.clocks.notes]
    notes += [] if rest is None else [rest]
    if line.only_ends:
        is_all = len(line.only_ends) == len(line.flow.stations)
        where = "" if is_all else f" {', '.join(line.only_ends)}"
        notes.append(
            f"The log tells only when items left{where}; they are taken to have started there as "
            "soon as they and their machine were free."
        )
    notes += [
        f"{' and '.join(repr(name) for name in block.activities)} run side by side; they are one "
        f"station here, '{block.name}'."
        for block in line.blocks.values()
    ]
    return (*notes, *(f"In reading the log: {warning}." for warning in log.warnings))


def _explanations(stations: Mapping[str, LearnedStation]) -> tuple[str, ...]:
    return tuple(
        f"At {item.name} the time depends on the {item.explanation.attribute} station: knowing it "
        f"foretells times better by {item.explanation.gain:.0%}. The description has one law for "
        "all."
        for item in stations.values()
        if item.explanation is not None
    )


def _state_notes(states: StateLog | None) -> tuple[str, ...]:
    warnings = () if states is None else states.warnings
    return tuple(f"In reading the states: {warning}." for warning in warnings)
