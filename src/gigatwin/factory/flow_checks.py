"""Cross-checks of the flow: targets that exist, shares that sum to one, ways that lead out."""

from collections.abc import Mapping

from gigatwin.factory.factory import Factory
from gigatwin.factory.findings import Findings, Path
from gigatwin.factory.flow import (
    all_routes,
    feeders,
    finds_of,
    is_open,
    reachable,
    split_target,
    successors,
    supplied_stations,
    targets_of,
)
from gigatwin.factory.routing import OUT, Next, Shortest
from gigatwin.factory.stations import StorageStation

_SHARE_TOLERANCE = 1e-6


def add_flow_problems(factory: Factory, findings: Findings) -> None:
    """Add what is wrong with the ways items take."""
    before = len(findings.problems)
    inputs = {
        name: {} if isinstance(station, StorageStation) else station.inputs
        for name, station in factory.stations.items()
    }
    for name, station in factory.stations.items():
        if station.next is not None:
            _check_targets(station.next, ("stations", name, "next"), inputs, findings)
        finds = finds_of(station)
        if finds is not None and finds.rework is not None and finds.rework not in inputs:
            path: Path = ("stations", name, "finds", "rework")
            findings.add_unknown(path, finds.rework, inputs, "a station")
    for name, arrivals in factory.arrivals.items():
        here: Path = ("arrivals", name, "next")
        _check_targets(arrivals.next, here, inputs, findings)
        if OUT in targets_of(arrivals.next):
            findings.add(here, OUT, "must be a station; arrivals cannot leave at once")
        _check_shares(arrivals.next, here, _arriving(factory, name), findings)
    unknown = len(findings.problems) > before
    _check_all_shares(factory, findings)
    _check_orders(factory, findings)
    # With a wrong name the flow is not what was meant, and what follows would only confuse.
    if not unknown:
        _check_reach(factory, findings)
        _check_inputs(factory, findings)


def _check_targets(
    way: Next, path: Path, inputs: Mapping[str, Mapping[str, object]], findings: Findings
) -> None:
    for index, target in enumerate(targets_of(way)):
        place = path
        if isinstance(way, Shortest):
            place = (*path, "shortest", index)
        elif not isinstance(way, str):
            place = (*path, index, "to")
        station, name = split_target(target)
        if target == OUT:
            if isinstance(way, Shortest):
                findings.add(place, OUT, "must be a station; 'out' has no buffer to compare")
        elif station not in inputs:
            findings.add_unknown(place, target, [*inputs, OUT], "a station")
        elif name is not None and name not in inputs[station]:
            known = [f"{station}.{given}" for given in inputs[station]]
            findings.add_unknown(place, target, known, f"an input of {station}")
    if isinstance(way, Shortest) and len(set(way.shortest)) < len(way.shortest):
        findings.add((*path, "shortest"), "a station twice", "must be different stations")


def _arriving(factory: Factory, name: str) -> list[str]:
    return list(factory.arrivals[name].formats) or [next(iter(factory.formats))]


def _check_all_shares(factory: Factory, findings: Findings) -> None:
    routes = all_routes(factory)
    present = _formats_present(factory, routes)
    for name, station in factory.stations.items():
        if station.next is not None:
            _check_shares(station.next, ("stations", name, "next"), present[name], findings)
        if isinstance(station.next, tuple):
            for index, route in enumerate(station.next):
                for place, format_name in enumerate(route.formats):
                    if format_name not in factory.formats:
                        path: Path = ("stations", name, "next", index, "formats", place)
                        findings.add_unknown(path, format_name, factory.formats, "a format")


def _check_shares(way: Next, path: Path, formats: list[str], findings: Findings) -> None:
    if not isinstance(way, tuple):
        return
    totals: dict[float | None, list[str]] = {}
    for name in formats:
        shares = [route.share for route in way if is_open(route, name)]
        if not shares:
            totals.setdefault(None, []).append(name)
        elif abs(sum(shares) - 1) > _SHARE_TOLERANCE:
            totals.setdefault(sum(shares), []).append(name)
    for total, names in totals.items():
        listed = ", ".join(names)
        if total is None:
            findings.add(path, f"no way for {listed}", "must have one for every format that comes")
        else:
            findings.add(path, f"shares with a sum of {total:.6g} for {listed}", "must sum to 1")


def _formats_present(factory: Factory, routes: Mapping[str, Next]) -> dict[str, list[str]]:
    """Return the formats that can come to each station."""
    starts: dict[str, set[str]] = {name: set() for name in factory.formats}
    made = [order.format for order in factory.orders] or [next(iter(factory.formats))]
    for name in made:
        if name in starts:
            starts[name].update(supplied_stations(factory))
    for stream, arrivals in factory.arrivals.items():
        for name in _arriving(factory, stream):
            if name in starts:
                starts[name].update(split_target(t)[0] for t in _open(arrivals.next, name))
    present: dict[str, list[str]] = {name: [] for name in factory.stations}
    for name, stations in starts.items():
        edges = {}
        for station, way in routes.items():
            finds = finds_of(factory.stations[station])
            rework = [] if finds is None or finds.rework is None else [finds.rework]
            edges[station] = [split_target(t)[0] for t in (*_open(way, name), *rework)]
        for station in reachable(stations, edges):
            if station in present:
                present[station].append(name)
    return present


def _open(way: Next, format_name: str) -> tuple[str, ...]:
    if isinstance(way, tuple):
        return tuple(route.to for route in way if is_open(route, format_name))
    return targets_of(way)


def _check_orders(factory: Factory, findings: Findings) -> None:
    if factory.orders and not supplied_stations(factory):
        required = "need a station that nothing leads to; every station is fed by another"
        findings.add(("orders",), f"{len(factory.orders)} orders", required)


def _check_reach(factory: Factory, findings: Findings) -> None:
    following = successors(factory)
    starts = set(supplied_stations(factory))
    for arrivals in factory.arrivals.values():
        starts.update(split_target(target)[0] for target in targets_of(arrivals.next))
    reached = reachable(starts, following)
    for name in factory.stations:
        if name not in reached:
            required = "is never reached: items go round in a circle that nothing leads into"
            findings.add(("stations", name), "", required, is_element=True)
    leading: dict[str, list[str]] = {}
    for name, targets in following.items():
        for target in targets:
            leading.setdefault(target, []).append(name)
    leaving = reachable([OUT], leading)
    trapped = [name for name in factory.stations if name in reached and name not in leaving]
    if OUT not in reached and reached:
        required = "must lead to 'out'; nothing ever leaves the factory"
        findings.add(("stations",), "", required, is_element=True)
    else:
        for name in trapped:
            required = "must lead to 'out'; items that come here never leave the factory"
            findings.add(("stations", name), "", required, is_element=True)


def _check_inputs(factory: Factory, findings: Findings) -> None:
    for target, names in feeders(factory).items():
        station, name = split_target(target)
        if name is not None and not names:
            required = f"is fed by nothing; let a station's or arrivals' next be '{target}'"
            findings.add(("stations", station, "inputs", name), "", required, is_element=True)
