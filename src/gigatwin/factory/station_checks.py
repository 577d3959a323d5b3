"""Cross-checks of single stations: batches, buffers, changeovers, defects, stops."""

from collections.abc import Mapping

from gigatwin.factory.described import ByFormat
from gigatwin.factory.factory import Factory
from gigatwin.factory.findings import Findings, Path
from gigatwin.factory.flow import feeders, finds_of, reachable, successors, supplied_stations
from gigatwin.factory.stations import (
    BatchStation,
    Buffer,
    Input,
    Station,
    StorageStation,
)
from gigatwin.factory.stops import Changeover, Stop
from gigatwin.units import to_text

_MOST_ITEMS_HELD = 10_000_000


def add_station_problems(factory: Factory, findings: Findings) -> None:
    """Add what cannot work within a station."""
    made = {name for station in factory.stations.values() for name in station.defects}
    supplied = set(supplied_stations(factory))
    fed = feeders(factory)
    for name, station in factory.stations.items():
        path: Path = ("stations", name)
        _check_buffer(station.buffer, (*path, "buffer"), findings)
        _check_defects(station, path, made, findings)
        if isinstance(station, StorageStation):
            continue
        for given, source in station.inputs.items():
            here = (*path, "inputs", given)
            _check_buffer(source.buffer, (*here, "buffer"), findings)
            _check_content(source, here, factory, fed.get(f"{name}.{given}", ()), findings)
        if station.changeover is not None:
            _check_changeover(station.changeover, (*path, "changeover"), factory, findings)
        if isinstance(station, BatchStation):
            _check_batch(station, path, findings, is_supplied=name in supplied)
        _check_stops(station.stops, (*path, "stops"), findings)
        _check_size(station, path, findings)
    _check_rework(factory, findings)


def _check_size(station: Station, path: Path, findings: Findings) -> None:
    """Refuse what would need the memory of a thousand plants."""
    if isinstance(station, StorageStation):
        return
    counts = _values(station.output.count)
    sizes = _values(station.size) if isinstance(station, BatchStation) else [1]
    most = max(counts, default=1) * max(sizes, default=1) * station.machines
    if most > _MOST_ITEMS_HELD:
        required = (
            f"machines x batch size x output count must be {_MOST_ITEMS_HELD} or less; check the "
            "counts"
        )
        findings.add(path, f"{most} items at a time", required, is_element=True)


def _check_stops(stops: Mapping[str, Stop], path: Path, findings: Findings) -> None:
    for name, stop in stops.items():
        every, duration = stop.every, stop.duration
        if every == 0:
            findings.add((*path, name, "every"), "0 s", "must be more than 0")
            continue
        is_calendar = stop.clock == "calendar" or (stop.clock is None and stop.kind == "planned")
        if not is_calendar or not isinstance(every, float) or not isinstance(duration, float):
            continue
        if duration >= every:
            found = f"{to_text(duration, 's')} every {to_text(every, 's')}"
            required = "must be shorter, or the machine never works"
            findings.add((*path, name, "duration"), found, required)


def _check_buffer(buffer: Buffer, path: Path, findings: Findings) -> None:
    if buffer.capacity == 0 and buffer.transfer != 0:
        required = "must be 1 or more where there is a transfer time: items are in it on their way"
        findings.add((*path, "capacity"), "0", required)
    if buffer.vehicle is not None and buffer.transfer == 0:
        required = "must be given for a vehicle: the time it takes to carry an item"
        findings.add((*path, "transfer"), "missing", required)


def _units(amount: float | ByFormat[float] | None) -> set[str]:
    amounts = amount.by_format.values() if isinstance(amount, ByFormat) else [amount]
    # A plain number says nothing about its unit.
    return {unit for value in amounts if (unit := getattr(value, "unit", "item")) != "item"}


def _check_content(
    source: Input, path: Path, factory: Factory, names: tuple[str, ...], findings: Findings
) -> None:
    """Add an input in metres whose feeder gives kilograms, or the other way round."""
    used = _units(source.per_item)
    for name in names:
        feeder = factory.stations.get(name)
        if feeder is None or isinstance(feeder, StorageStation):
            continue
        given = _units(feeder.output.content)
        if used and given and not used & given:
            required = f"must be in {', '.join(sorted(given))}, as what comes from {name}"
            findings.add((*path, "per_item"), f"a content in {', '.join(sorted(used))}", required)


def _values(count: int | ByFormat[int]) -> list[int]:
    return list(count.by_format.values()) if isinstance(count, ByFormat) else [count]


def _check_batch(
    station: BatchStation, path: Path, findings: Findings, *, is_supplied: bool
) -> None:
    smallest = min(_values(station.size), default=1)
    if station.minimum is not None and station.minimum > smallest:
        required = f"must be at most the size of a batch ({smallest})"
        findings.add((*path, "minimum"), f"{station.minimum}", required)
        return
    needed = station.minimum or max(_values(station.size), default=1)
    capacity = station.buffer.capacity
    if not is_supplied and needed > 1 and capacity != "unlimited" and capacity < needed:
        required = f"must be {needed} or more, or no batch ever starts"
        findings.add((*path, "buffer", "capacity"), f"{capacity}", required)


def _check_changeover(
    changeover: Changeover, path: Path, factory: Factory, findings: Findings
) -> None:
    formats = factory.formats
    initial = changeover.initial_format
    if initial is not None and initial not in formats:
        findings.add_unknown((*path, "initial_format"), initial, formats, "a format")
    seen: set[tuple[str, str]] = set()
    for index, entry in enumerate(changeover.times):
        place = (*path, "times", index)
        for field, name in (("from_format", entry.from_format), ("to_format", entry.to_format)):
            if name not in formats:
                findings.add_unknown((*place, field), name, formats, "a format")
        pair = (entry.from_format, entry.to_format)
        shown = f"{pair[0]} to {pair[1]}"
        if entry.from_format == entry.to_format:
            findings.add(place, shown, "must be two formats", is_element=True)
        elif pair in seen:
            findings.add(place, shown, "is given twice; remove one", is_element=True)
        seen.add(pair)


def _check_defects(station: Station, path: Path, made: set[str], findings: Findings) -> None:
    finds = finds_of(station)
    if finds is not None and finds.defects != "all":
        for name in finds.defects:
            if name not in made:
                place = (*path, "finds", "defects", name)
                findings.add_unknown(place, name, made, "a defect that a station makes")
    if not isinstance(station, StorageStation) and station.repairs != "all":
        for index, name in enumerate(station.repairs):
            if name not in made:
                place = (*path, "repairs", index)
                findings.add_unknown(place, name, made, "a defect that a station makes")


def _check_rework(factory: Factory, findings: Findings) -> None:
    """Add rework that leads back to the inspection without anything being repaired."""
    following = successors(factory)
    for name, station in factory.stations.items():
        finds = finds_of(station)
        if finds is None or finds.rework is None or finds.rework not in factory.stations:
            continue
        edges = {key: targets for key, targets in following.items() if key != name}
        ahead = reachable([finds.rework], edges)
        repaired = False
        for other in ahead & factory.stations.keys():
            reached = factory.stations[other]
            if not isinstance(reached, StorageStation) and reached.repairs:
                repaired = True
        if name in ahead and not repaired:
            required = "must repair something before items come back; give it 'repairs: all'"
            findings.add(("stations", name, "finds", "rework"), finds.rework, required)
