"""How items can move: resolved routes, who feeds whom, what can be reached."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from gigatwin.factory.factory import Factory
from gigatwin.factory.routing import OUT, Next, Route, Shortest
from gigatwin.factory.stations import Finds, Station, StorageStation


def all_routes(factory: Factory) -> dict[str, Next]:
    """Return where items go after each station, with the default filled in.

    Without ``next``, items go to the next station of the file, and from the last one to ``out``.
    """
    names = list(factory.stations)
    followers = dict(pairwise([*names, OUT]))
    return {
        name: followers[name] if station.next is None else station.next
        for name, station in factory.stations.items()
    }


def routes_of(factory: Factory, station_name: str) -> Next:
    """Return where items go after one station, with the default filled in."""
    return all_routes(factory)[station_name]


def targets_of(way: Next) -> tuple[str, ...]:
    """Return the targets of a route as written: ``station``, ``station.input`` or ``out``."""
    if isinstance(way, str):
        return (way,)
    if isinstance(way, Shortest):
        return way.shortest
    return tuple(route.to for route in way)


def split_target(target: str) -> tuple[str, str | None]:
    """Return the station and the input (None: the station's own buffer) that a target names."""
    station, dot, name = target.partition(".")
    return station, name if dot else None


def finds_of(station: Station) -> Finds | None:
    """Return what a station looks for; storage looks for nothing."""
    return None if isinstance(station, StorageStation) else station.finds


def feeders(factory: Factory) -> dict[str, tuple[str, ...]]:
    """Return who leads to each target.

    Returns
    -------
    dict
        For every station ``name`` and every input ``name.input``: the stations whose route or
        rework goes there, and ``arrivals.name`` for streams from outside. Empty: nothing does.
    """
    found: dict[str, dict[str, None]] = {name: {} for name in factory.stations}
    for name, station in factory.stations.items():
        if not isinstance(station, StorageStation):
            found.update({f"{name}.{given}": {} for given in station.inputs})
    for name, way in all_routes(factory).items():
        finds = finds_of(factory.stations[name])
        rework = () if finds is None or finds.rework is None else (finds.rework,)
        for target in (*targets_of(way), *rework):
            if target in found:
                found[target][name] = None
    for name, arrivals in factory.arrivals.items():
        for target in targets_of(arrivals.next):
            if target in found:
                found[target][f"arrivals.{name}"] = None
    return {target: tuple(names) for target, names in found.items()}


def supplied_stations(factory: Factory) -> tuple[str, ...]:
    """Return the stations with an endless supply: nothing leads to their own buffer."""
    fed = feeders(factory)
    return tuple(name for name in factory.stations if not fed[name])


def successors(factory: Factory) -> dict[str, tuple[str, ...]]:
    """Return the stations, and ``out``, that an item can enter next from each station."""
    following = {}
    for name, way in all_routes(factory).items():
        finds = finds_of(factory.stations[name])
        rework = () if finds is None or finds.rework is None else (finds.rework,)
        following[name] = tuple(split_target(target)[0] for target in (*targets_of(way), *rework))
    return following


def reachable(starts: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    """Return everything that can be reached from some places, themselves included."""
    seen = set(starts)
    waiting = list(seen)
    while waiting:
        for following in edges.get(waiting.pop(), ()):
            if following not in seen:
                seen.add(following)
                waiting.append(following)
    return seen


def is_open(route: Route, format_name: str) -> bool:
    """Return whether items of a format may take a route."""
    return not route.formats or format_name in route.formats
