"""A plain plan of the line: every station, storage, vehicle path and arrival as the kernel sees it.

All kinds of stations become one kind here, so that the arrays can be filled without asking again.
"""

import functools
from dataclasses import dataclass, field

from gigatwin.factory.durations import Duration, FormatDuration
from gigatwin.factory.factory import Factory
from gigatwin.factory.resources import Crew, Resource
from gigatwin.factory.routing import OUT, Next, Route, Shortest
from gigatwin.factory.stations import (
    BatchStation,
    Buffer,
    Finds,
    FormatAmount,
    FormatCount,
    FormatRatio,
    Input,
    Output,
    StorageStation,
    WebStation,
)
from gigatwin.factory.stops import Changeover, Stop
from gigatwin.kernel.layout import UNLIMITED

OUTSIDE = "outside"
"""Line of the stations behind which arrivals queue."""


@dataclass(frozen=True)
class PlannedBuffer:
    """A buffer: its places and the time items are on their way."""

    name: str
    capacity: int
    transfer: FormatDuration


@dataclass(frozen=True)
class PlannedInput:
    """An input of a station beside the item it works on."""

    buffer: PlannedBuffer
    per_item: FormatAmount


@dataclass
class PlannedStation:
    """A station in the one form that the kernel knows."""

    name: str
    line: str
    n_machines: int
    route: Next
    time: FormatDuration = 0.0
    rate: FormatAmount | None = None
    scales: bool = False
    speed: float = 1.0
    buffer: PlannedBuffer | None = None
    inputs: dict[str, PlannedInput] = field(default_factory=dict)
    output: Output = field(default_factory=Output)
    batch: FormatCount | None = None
    minimum: int = 0
    operators: Crew | None = None
    stops: dict[str, Stop] = field(default_factory=dict)
    stop_factors: dict[str, float] = field(default_factory=dict)
    changeover: Changeover | None = None
    scrap: FormatRatio = 0.0
    defects: dict[str, FormatRatio] = field(default_factory=dict)
    defect_factor: float = 1.0
    finds: Finds | None = None
    repairs: tuple[str, ...] | str = ()
    arrivals: Duration | None = None
    mix: dict[str, float] = field(default_factory=dict)


def most_at_work(resource: Resource) -> int:
    """Return how many of a resource are there at the best of times."""
    if resource.shifts is None:
        return resource.capacity
    return max(step.capacity for step in resource.shifts.steps)


def targets(route: Next) -> tuple[str, ...]:
    """Return the names a route leads to."""
    if isinstance(route, str):
        return (route,)
    if isinstance(route, Shortest):
        return route.shortest
    return tuple(way.to for way in route)


def routes_by_order(factory: Factory) -> dict[str, Next]:
    """Return the way on of each station; left out, it is the next station of the file."""
    names = list(factory.stations)
    following = [*names[1:], OUT]
    return {
        name: factory.stations[name].next or after
        for name, after in zip(names, following, strict=True)
    }


def _planned_buffer(name: str, buffer: Buffer) -> PlannedBuffer:
    capacity = UNLIMITED if buffer.capacity == "unlimited" else int(buffer.capacity)
    return PlannedBuffer(name, capacity, 0.0 if buffer.vehicle else buffer.transfer)


def _vehicle_path(
    factory: Factory, name: str, line: str, buffer: Buffer, vehicle: Crew
) -> PlannedStation:
    most = most_at_work(factory.resources[vehicle.resource])
    return PlannedStation(
        name=f"{name}.transport",
        line=line,
        n_machines=max(1, most // vehicle.quantity),
        route=name,
        time=buffer.transfer,
        buffer=PlannedBuffer(f"{name}.transport", 0, 0.0),
        operators=vehicle,
    )


def _plan_station(name: str, factory: Factory, route: Next) -> PlannedStation:
    station = factory.stations[name]
    plan = PlannedStation(name, station.line, 1, route, scrap=station.scrap)
    plan.defects = dict(station.defects)
    if isinstance(station, StorageStation):
        plan.buffer = PlannedBuffer(name, station.capacity, station.dwell)
        return plan
    plan.n_machines = station.machines
    plan.speed = station.speed
    plan.buffer = _planned_buffer(name, station.buffer)
    plan.inputs = {key: _plan_input(name, key, item) for key, item in station.inputs.items()}
    plan.output = station.output
    plan.operators = station.operators
    plan.stops = dict(station.stops)
    effects = station.speed_effects
    exponents = {"breakdown": effects.breakdown, "micro_stop": effects.micro_stop, "planned": 0.0}
    plan.stop_factors = {
        key: station.speed ** -exponents[stop.kind] for key, stop in station.stops.items()
    }
    plan.defect_factor = station.speed**effects.defect
    plan.changeover = station.changeover
    plan.finds = station.finds
    plan.repairs = station.repairs
    if isinstance(station, WebStation):
        plan.rate = station.rate
        plan.scales = True
    elif station.time is not None:
        plan.time = station.time
    else:
        plan.rate = station.rate
    if isinstance(station, BatchStation):
        plan.batch = station.size
        plan.minimum = station.minimum or 0
    return plan


def _plan_input(name: str, key: str, item: Input) -> PlannedInput:
    return PlannedInput(_planned_buffer(f"{name}.{key}", item.buffer), item.per_item)


def plan_stations(factory: Factory) -> list[PlannedStation]:
    """Return all stations as the kernel sees them, those of the description first.

    A station that nothing leads to has no primary buffer: it creates its items.
    """
    routes = routes_by_order(factory)
    plans = [_plan_station(name, factory, routes[name]) for name in factory.stations]
    for name, station in factory.stations.items():
        if isinstance(station, StorageStation):
            continue
        if station.buffer.vehicle:
            plans.append(
                _vehicle_path(factory, name, station.line, station.buffer, station.buffer.vehicle)
            )
        for key, item in station.inputs.items():
            if item.buffer.vehicle:
                path = f"{name}.{key}"
                plans.append(
                    _vehicle_path(factory, path, station.line, item.buffer, item.buffer.vehicle)
                )
    for name, arrivals in factory.arrivals.items():
        plans.append(
            PlannedStation(
                name,
                OUTSIDE,
                1,
                arrivals.next,
                buffer=PlannedBuffer(name, UNLIMITED, 0.0),
                arrivals=arrivals.interval,
                mix=dict(arrivals.formats),
            )
        )
    fed = {
        target
        for plan in plans
        if not plan.name.endswith(".transport")
        for target in targets(plan.route)
    }
    fed |= {plan.finds.rework for plan in plans if plan.finds is not None and plan.finds.rework}
    for plan in plans:
        if plan.name not in fed and plan.arrivals is None and not plan.name.endswith(".transport"):
            plan.buffer = None
    return plans


@functools.lru_cache(maxsize=4096)
def _whole(name: str) -> Route:
    """Return the only way on; it is asked for often, and a factory is compiled often."""
    return Route(to=name)


def routes_for(plan: PlannedStation, product_format: str) -> tuple[list[Route], bool]:
    """Return the ways open to a format with their shares, and whether the shortest is taken."""
    route = plan.route
    if isinstance(route, str):
        return [_whole(route)], False
    if isinstance(route, Shortest):
        return [_whole(name) for name in route.shortest], True
    return [way for way in route if not way.formats or product_format in way.formats], False
