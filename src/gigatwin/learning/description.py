"""What was learned, written as a factory description with an estimate beside every number."""

from collections.abc import Mapping
from typing import Any

from gigatwin.events.case_log import CaseLog
from gigatwin.factory.described import ByFormat
from gigatwin.factory.durations import Distribution, Duration, Empirical, FormatDuration, mean_of
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.factory import Factory
from gigatwin.factory.product import Arrivals, Format, Order
from gigatwin.factory.resources import Crew, Resource
from gigatwin.factory.routing import OUT, Next, Route
from gigatwin.factory.stations import (
    AssemblyStation,
    BatchStation,
    Buffer,
    DiscreteStation,
    Input,
    Recorded,
    Station,
    StorageStation,
)
from gigatwin.factory.stops import Stop
from gigatwin.learning.clock.time_axis import TimeAxis
from gigatwin.learning.flow.concurrency import Block
from gigatwin.learning.flow.fleets import Fleet
from gigatwin.learning.flow.shares import share, way_shares
from gigatwin.learning.flow.stations import slug
from gigatwin.learning.flow.supply import CASES, Supply
from gigatwin.learning.flow.topology import Flow
from gigatwin.learning.learned import LearnedStation
from gigatwin.learning.provenance import with_rows
from gigatwin.learning.rounded import rounded
from gigatwin.learning.times.laws import choose_law

FAILED = "failed"
"""Name of the defect that stands for a failed activity."""
VEHICLES = "vehicles"
"""Name of the resource that carries items."""
_MOST_NAMES = 5
"""Names in a sentence."""
_DECIMALS = 6
_ORDER_ROUNDS, _MOST_ORDERS = 100, 5000
_LEAST_SHARE = 10.0**-_DECIMALS


def described(  # noqa: PLR0913 - the parts of a description
    name: str,
    *,
    stations: Mapping[str, LearnedStation],
    flow: Flow,
    supplies: Mapping[str, Supply],
    axis: TimeAxis,
    blocks: Mapping[str, Block],
    fleet: Fleet | None,
    log: CaseLog,
) -> Factory:
    """Return the description of a learned line.

    Parameters
    ----------
    name : str
        Name of the factory.
    stations : Mapping
        What was learned of each station.
    flow : Flow
        Stations and ways.
    supplies : Mapping
        Streams of items by name.
    axis : TimeAxis
        How times of the log and of the description go together.
    blocks : Mapping
        Activities that run side by side, by the name that they have together.
    fleet : Fleet, optional
        Vehicles between the stations.
    log : CaseLog
        What it was learned from.
    """
    builder = _Builder(stations, flow, supplies, blocks, fleet)
    built = {
        station: rounded(with_rows(builder.station(item), item.rows))
        for station, item in stations.items()
    }
    return Factory(
        name=name,
        description=f"Learned from {log.visits.height} visits of {log.n_cases} cases.",
        formats=builder.formats(),
        stations=built,
        resources=builder.resources(),
        arrivals=builder.arrivals(),
        orders=builder.orders(),
        working_hours=axis.calendar.shifts,
    )


class _Builder:
    """Builds the parts of a description that depend on each other."""

    def __init__(
        self,
        stations: Mapping[str, LearnedStation],
        flow: Flow,
        supplies: Mapping[str, Supply],
        blocks: Mapping[str, Block],
        fleet: Fleet | None,
    ) -> None:
        self.stations = stations
        self.flow = flow
        self.supplies = supplies
        self.blocks = blocks
        self.fleet = fleet
        self.machine_resources = _resource_names(flow)
        self.targets = {
            (join.source, station): f"{station}.{slug(join.source)}"
            for station, joins in flow.joins.items()
            for join in joins
        }
        self.endless = {
            station
            for supply in supplies.values()
            if supply.kind == "endless"
            for station in supply.first
        }
        # Finite places on a circle of stations could lock it up for ever.
        self.has_finite_buffers = bool(self.endless) and not (flow.rework or flow.is_job_shop)

    # Stations

    def station(self, item: LearnedStation) -> Station:
        """Return the station of a description."""
        estimates: dict[str, Estimate] = {}
        fields: dict[str, Any] = {
            "description": _station_text(item),
            "recorded_as": self._recorded_as(item),
            "next": self._next(item),
            "estimates": estimates,
        }
        if item.buffer is not None or item.name not in self.endless:
            fields["buffer"] = self._buffer(item)
        scrap = self._scrap(item)
        if scrap is not None:
            fields["scrap"], estimates["scrap"] = scrap.value, scrap
        if item.failures.n_failed:
            estimate = item.failures.estimate()
            fields["defects"] = {FAILED: estimate.value}
            estimates[f"defects.{FAILED}"] = estimate
        kept = item.residence
        if kept is not None and kept.storage is not None:
            return _with_fields(kept.storage.station(), fields)
        fields["stops"] = _stops(item)
        fields["operators"] = self._operators(item)
        if item.changeovers is not None and item.changeovers.changeover is not None:
            fields["changeover"] = item.changeovers.changeover
        if kept is not None and kept.batch is not None:
            fields["machines"] = max(1, kept.n_servers)
            if "buffer" in fields:
                fields["buffer"] = _for_batches(fields["buffer"], round(kept.batch.size.value))
            return _with_fields(kept.batch.station(), fields)
        fields["time"] = self._time(item)
        fields["machines"] = item.n_servers
        if isinstance(fields["time"], float):
            estimates["time"] = item.times.mean
        inputs = self._inputs(item)
        if inputs:
            return AssemblyStation(kind="assembly", inputs=inputs, **fields)
        return DiscreteStation(**fields)

    def _recorded_as(self, item: LearnedStation) -> Recorded:
        block = self.blocks.get(item.activities[0])
        if block is None:
            return Recorded(activities=item.activities, machines=item.machines)
        return Recorded(activities=block.activities, is_side_by_side=True)

    def _time(self, item: LearnedStation) -> FormatDuration:
        laws = item.times.by_format
        if not laws:
            return item.times.law
        # Every format must have a time, also one that never came here.
        return ByFormat[Duration](
            by_format={name: laws.get(name, item.times.law) for name in self.formats()}
        )

    def _operators(self, item: LearnedStation) -> Crew | None:
        if item.pool is not None:
            return Crew(resource=item.pool)
        resource = self.machine_resources.get(item.machines[0]) if len(item.machines) == 1 else None
        return None if resource is None else Crew(resource=resource)

    def _inputs(self, item: LearnedStation) -> dict[str, Input]:
        inputs = {}
        for join in self.flow.joins.get(item.name, ()):
            per_item = max(1, round(join.n / max(1, item.times.mean.n)))
            inputs[slug(join.source)] = Input(
                per_item=per_item, buffer=Buffer(capacity="unlimited")
            )
        return inputs

    def _buffer(self, item: LearnedStation) -> Buffer:
        carried = self._carried(item)
        if carried is not None:
            return carried
        known = item.buffer
        transfer: Duration = 0.0
        estimates: dict[str, Estimate] = {}
        if item.transfer is not None:
            transfer = item.transfer.duration()
            if isinstance(transfer, Empirical):
                mean = _at(item.transfer.time, mean_of(transfer))
                transfer = transfer.model_copy(update={"estimates": {"mean": mean}})
            elif transfer:
                estimates["transfer"] = item.transfer.time
        # Without any record of entries and exits there is not even a lower bound.
        if known is None or not known.estimate.n or not self.has_finite_buffers:
            return Buffer(capacity="unlimited", transfer=transfer, estimates=estimates)
        if known.capacity == 0 and known.is_identified:
            return Buffer(capacity=0, estimates={"capacity": known.estimate})
        # A buffer never seen with an item is no proof of direct handing over.
        capacity = max(1, known.capacity)
        estimates["capacity"] = _at(known.estimate, float(capacity))
        return Buffer(capacity=capacity, transfer=transfer, estimates=estimates)

    def _carried(self, item: LearnedStation) -> Buffer | None:
        """Return the way to a station that vehicles go to."""
        if self.fleet is None:
            return None
        places = {item.name, *item.machines}
        return self.fleet.way_to(places, VEHICLES)

    # Ways

    def _n_scrap(self, item: LearnedStation) -> int:
        # In a job shop cases of different kinds end at different stations.
        return 0 if self.flow.is_job_shop else self.flow.scrap.get(item.name, 0)

    def _scrap(self, item: LearnedStation) -> Estimate | None:
        n = self._n_scrap(item)
        return share(n, sum(item.next.values())) if n else None

    def _next(self, item: LearnedStation) -> Next:
        ways = dict(item.next)
        n_scrap = self._n_scrap(item)
        if n_scrap:
            ways[OUT] = ways.get(OUT, 0) - n_scrap
        ways = {target: n for target, n in ways.items() if n > 0} or {OUT: 1}
        return self._routes(ways, item.name)

    def _routes(self, ways: Mapping[str, int], source: str | None = None) -> Next:
        names = {way: self.targets.get((source or "", way), way) for way in ways}
        if len(ways) == 1:
            return names[next(iter(ways))]
        estimates = way_shares(ways)
        total = sum(ways.values())
        shares = {way: max(round(n / total, _DECIMALS), _LEAST_SHARE) for way, n in ways.items()}
        most = max(shares, key=lambda way: shares[way])
        rest = sum(value for way, value in shares.items() if way != most)
        shares[most] = round(1.0 - rest, _DECIMALS)
        return tuple(
            Route(
                to=names[way],
                share=shares[way],
                estimates={"share": _at(estimates[way], shares[way])},
            )
            for way in ways
        )

    # Supply

    def resources(self) -> dict[str, Resource]:
        """Return pools of people and machines that do several activities."""
        shared = {
            resource: Resource(
                capacity=max(self.stations[name].n_servers for name in self.flow.shared[machine]),
                description=f"Machine {machine} of the log, which does several activities.",
            )
            for machine, resource in self.machine_resources.items()
        }
        pools = {
            pool: Resource(
                capacity=len(members),
                description=f"{len(members)} that do the same work, such as {members[0]}.",
            )
            for pool, members in self.flow.pools.items()
        }
        vehicles = {} if self.fleet is None else {VEHICLES: self.fleet.resource()}
        return shared | pools | vehicles

    def formats(self) -> dict[str, Format]:
        """Return the formats that the log names, or one without a name."""
        named = {name for supply in self.supplies.values() for name in supply.formats}
        return {name: Format() for name in sorted(named)} or {"item": Format()}

    def arrivals(self) -> dict[str, Arrivals]:
        """Return the streams of items that come in their own time."""
        return {
            slug(name) if name == CASES else f"{slug(name)}-parts": self._stream(supply)
            for name, supply in self.supplies.items()
            if supply.kind == "arrivals" and len(supply.intervals)
        }

    def _stream(self, supply: Supply) -> Arrivals:
        choice = choose_law(supply.intervals, rows=supply.rows)
        is_constant = not isinstance(choice.law, Distribution | Empirical)
        total = sum(supply.formats.values())
        arrivals = Arrivals(
            interval=choice.law,
            formats={name: part / total for name, part in supply.formats.items()},
            next=self._routes(supply.first),
            description=f"Items as they came in the log. {choice.reason}",
            estimates={"interval": choice.mean} if is_constant else {},
        )
        return rounded(with_rows(arrivals, supply.rows))

    def orders(self) -> tuple[Order, ...]:
        """Return the formats in the order of the log, again and again, where supply is endless."""
        supply = self.supplies.get(CASES)
        if supply is None or supply.kind == "arrivals":
            return ()
        if not supply.runs:
            return ()
        # Orders come to an end; a log that is played once would stop any longer run.
        n_times = max(1, min(_ORDER_ROUNDS, _MOST_ORDERS // len(supply.runs)))
        return tuple(Order(format=name, quantity=n) for name, n in supply.runs * n_times)


def _station_text(item: LearnedStation) -> str:
    kept = item.residence
    is_kept = kept is not None and kept.kind in {"batch", "storage"}
    sentences = [kept.note if kept is not None and is_kept else item.times.reason]
    if {*item.activities, *item.machines} != {item.name}:
        sentences.insert(0, f"Does {_listed(item.activities)} on {_listed(item.machines)}.")
    if item.failures.n_known:
        sentences.append(f"By its outcomes, {item.failures}.")
    if not is_kept and not item.times.is_identified:
        sentences.append("Its mean time is not known to within 10 %.")
    return " ".join(sentences)


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{', '.join(names[:_MOST_NAMES])}{more}"


def _for_batches(buffer: Buffer, size: int) -> Buffer:
    """Return the places in front of a station where a whole batch must have come together."""
    if buffer.capacity == "unlimited" or buffer.capacity >= size:
        return buffer
    estimates = dict(buffer.estimates)
    if "capacity" in estimates:
        estimates["capacity"] = _at(estimates["capacity"], size)
    return buffer.model_copy(update={"capacity": size, "estimates": estimates})


def _stops(item: LearnedStation) -> dict[str, Stop]:
    found: dict[str, Stop] = {}
    if item.recorded_stops:
        for stop in item.recorded_stops:
            found.setdefault(stop.kind, stop.to_stop())
        return found
    return {stop.kind: stop.to_stop() for stop in item.times.stops}


def _with_fields(station: BatchStation | StorageStation, fields: Mapping[str, Any]) -> Station:
    """Return a station with further fields, of those that its kind has."""
    own = {name: getattr(station, name) for name in station.model_fields_set}
    further = {name: value for name, value in fields.items() if name in type(station).model_fields}
    estimates = {**station.estimates, **fields["estimates"]}
    return type(station)(**{**own, **further, "estimates": estimates})


def _resource_names(flow: Flow) -> dict[str, str]:
    """Return the resource of each machine that does several activities."""
    names: dict[str, str] = {}
    for machine in sorted(flow.shared):
        wanted = name = slug(machine)
        number = 1
        while name in names.values() or name in flow.pools:
            number += 1
            name = f"{wanted}-{number}"
        names[machine] = name
    return names


def _at(estimate: Estimate, value: float) -> Estimate:
    """Return an estimate moved to the value that stands in the description."""
    low, high = min(estimate.low, value), estimate.high
    moved = {"value": value, "low": low, "high": None if high is None else max(high, value)}
    return Estimate.model_validate({**estimate.model_dump(), **moved})
