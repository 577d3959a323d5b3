"""From a factory to the layout that the virtual plant builds, and what it cannot build."""

from typing import Any

from gigatwin.equipment.station_machines import with_cycle_models
from gigatwin.errors import CompileError
from gigatwin.factory.described import ByFormat
from gigatwin.factory.durations import mean_of
from gigatwin.factory.factory import Factory
from gigatwin.factory.flow import all_routes, feeders
from gigatwin.factory.routing import Next, Route, Shortest
from gigatwin.factory.stations import (
    BatchStation,
    Buffer,
    Output,
    Station,
    StorageStation,
    WebStation,
)
from gigatwin.factory.stops import Stop
from gigatwin.plant.described_settings import described_settings
from gigatwin.plant.layout import (
    ArrivalsLayout,
    BufferLayout,
    PlantLayout,
    StationLayout,
    StopLayout,
    Ways,
)
from gigatwin.plant.truth.described_times import cv_of
from gigatwin.units import Items, Length

SUPPORTED = "discrete, assembly, inspection, batch and storage"
"""Kinds of stations that the virtual plant can run."""


def plant_layout(factory: Factory) -> PlantLayout:
    """Return what the virtual plant builds from a factory.

    Parameters
    ----------
    factory : Factory
        A factory that has passed its checks.

    Raises
    ------
    CompileError
        If it asks for something that the virtual plant cannot run; the station is named.
    """
    return _Planner(factory).plan()


class _Planner:
    """Reads a factory once."""

    def __init__(self, factory: Factory) -> None:
        self.described = factory
        for name, station in factory.stations.items():
            _check(name, station)
        self.factory = with_cycle_models(factory)
        self.formats = tuple(self.factory.formats)
        self.routes = all_routes(self.factory)
        self.fed = feeders(self.factory)
        names = (name for station in self.factory.stations.values() for name in station.defects)
        self.bits = {name: 1 << number for number, name in enumerate(dict.fromkeys(names))}
        self.unseen = 1 << len(self.bits)

    def plan(self) -> PlantLayout:
        factory = self.factory
        pools: dict[str, tuple[int, float, tuple[tuple[float, int], ...]]] = {}
        for name, resource in factory.resources.items():
            shifts = resource.shifts
            steps = () if shifts is None else tuple((s.at, s.capacity) for s in shifts.steps)
            pools[name] = (resource.capacity, 0.0 if shifts is None else shifts.period, steps)
        stations = tuple(self._station(name) for name in factory.stations)
        for station in stations:
            if station.buffer is None and not station.inputs and min(station.seconds) <= 0.0:
                _refuse(station.name, "new items in no time", "supply that takes some time")
        return PlantLayout(
            name=factory.name,
            formats=self.formats,
            stations=stations,
            arrivals=tuple(self._arrivals(name) for name in factory.arrivals),
            orders=tuple(
                (self.formats.index(order.format), order.quantity, order.release)
                for order in factory.orders
            ),
            pools=pools,
            unseen=self.unseen,
        )

    def _by_format(self, value: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a value of any kind
        if isinstance(value, ByFormat):
            return tuple(value.by_format[name] for name in self.formats)
        return (value,) * len(self.formats)

    def _means(self, value: Any) -> tuple[float, ...]:  # noqa: ANN401 - a duration
        return tuple(mean_of(item) for item in self._by_format(value))

    def _ways(self, way: Next) -> tuple[Ways, ...]:
        return tuple(_open_ways(way, name) for name in self.formats)

    def _buffer(self, name: str, station: str, buffer: Buffer, port: int = -1) -> BufferLayout:
        capacity = float("inf") if buffer.capacity == "unlimited" else float(buffer.capacity)
        cv = cv_of(self._by_format(buffer.transfer)[0])
        return BufferLayout(name, station, capacity, self._means(buffer.transfer), cv, port)

    def _station(self, name: str) -> StationLayout:
        station = self.factory.stations[name]
        common: dict[str, Any] = {
            "name": name,
            "kind": station.kind,
            "ways": self._ways(self.routes[name]),
            "scrap": self._by_format(station.scrap),
            "defects": tuple(
                (self.bits[key], self._by_format(value)) for key, value in station.defects.items()
            ),
        }
        if isinstance(station, StorageStation):
            dwell = self._means(station.dwell)
            cv = cv_of(self._by_format(station.dwell)[0])
            rack = BufferLayout(name, name, float(station.capacity), dwell, cv)
            none = (0.0,) * len(self.formats)
            return StationLayout(**common, n_machines=1, seconds=none, speed=1.0, buffer=rack)
        return StationLayout(
            **common,
            n_machines=station.machines,
            seconds=self._seconds(station),
            speed=station.speed,
            buffer=self._buffer(name, name, station.buffer) if self.fed[name] else None,
            inputs=tuple(
                self._buffer(f"{name}.{key}", name, given.buffer, port)
                for port, (key, given) in enumerate(station.inputs.items())
            ),
            needs=tuple(
                tuple(float(need) for need in self._by_format(given.per_item))
                for given in station.inputs.values()
            ),
            operators=station.operators,
            stops=tuple(_stop(key, stop) for key, stop in station.stops.items()),
            **self._batch(station),
            **self._quality(station),
            **self._changeover(station),
            **described_settings(self.described, name),
        )

    def _seconds(self, station: Any) -> tuple[float, ...]:  # noqa: ANN401 - a kind with a time
        if station.time is not None:
            return self._means(station.time)
        return tuple(1.0 / rate for rate in self._by_format(station.rate))

    def _batch(self, station: Station) -> dict[str, Any]:
        if not isinstance(station, BatchStation):
            return {}
        return {"sizes": self._by_format(station.size), "minimum": station.minimum or 0}

    def _quality(self, station: Any) -> dict[str, Any]:  # noqa: ANN401 - a kind with machines
        everything = sum(self.bits.values()) | self.unseen
        repairs = (
            everything
            if station.repairs == "all"
            else sum(self.bits[name] for name in station.repairs)
        )
        finds = station.finds
        if finds is None:
            return {"repairs": repairs}
        looked_for = (
            tuple((bit, 1.0) for bit in (*self.bits.values(), self.unseen))
            if finds.defects == "all"
            else tuple((self.bits[name], chance) for name, chance in finds.defects.items())
        )
        return {
            "repairs": repairs,
            "finds": looked_for,
            "false_alarm": finds.false_alarm,
            "rework": finds.rework,
        }

    def _changeover(self, station: Any) -> dict[str, Any]:  # noqa: ANN401 - a kind with machines
        changeover = station.changeover
        if changeover is None:
            return {}
        special = {(t.from_format, t.to_format): t.time for t in changeover.times}
        first = changeover.initial_format
        return {
            "changeover": tuple(
                tuple(
                    mean_of(special.get((before, after), changeover.time)) for after in self.formats
                )
                for before in self.formats
            ),
            "setup_crew": changeover.crew,
            "initial_format": -1 if first is None else self.formats.index(first),
        }

    def _arrivals(self, name: str) -> ArrivalsLayout:
        arrivals = self.factory.arrivals[name]
        mix = arrivals.formats or {self.formats[0]: 1.0}
        shares = []
        total = 0.0
        for product_format in self.formats:
            total += mix.get(product_format, 0.0)
            shares.append(total)
        return ArrivalsLayout(
            name=name,
            interval=mean_of(arrivals.interval),
            interval_cv=cv_of(arrivals.interval),
            shares=tuple(shares),
            ways=self._ways(arrivals.next),
        )


def _open_ways(way: Next, product_format: str) -> Ways:
    if isinstance(way, str):
        return Ways((way,), (1.0,))
    if isinstance(way, Shortest):
        return Ways(way.shortest, ())
    routes: list[Route] = [r for r in way if not r.formats or product_format in r.formats]
    shares = []
    total = 0.0
    for route in routes:
        total += route.share
        shares.append(total)
    return Ways(tuple(route.to for route in routes), tuple(shares))


def _stop(name: str, stop: Stop) -> StopLayout:
    is_planned = stop.kind == "planned"
    counts: str = stop.clock or ("calendar" if is_planned else "running")
    every, cv = 0.0, 0.0
    is_random = not is_planned
    is_timetable = False
    if isinstance(stop.every, Items):
        counts, every, is_random = "items", stop.every.value, stop.is_random
    elif isinstance(stop.every, int | float):
        every = float(stop.every)
        is_timetable = is_planned and counts == "calendar"
    elif not isinstance(stop.every, Length):
        every, cv = mean_of(stop.every), cv_of(stop.every)
    return StopLayout(
        name=name,
        kind=stop.kind,
        counts=counts,
        every=every,
        every_cv=cv,
        is_random=is_random,
        is_timetable=is_timetable,
        duration=mean_of(stop.duration),
        crew=stop.crew,
    )


def _check(name: str, station: Station) -> None:
    """Raise if the virtual plant cannot run a station."""
    if isinstance(station, WebStation):
        _refuse(name, "kind web", f"kinds {SUPPORTED}")
    if isinstance(station, StorageStation):
        return
    if station.output != Output():
        _refuse(name, "an output that differs from its input", "one item out for each item in")
    buffers = [station.buffer, *(given.buffer for given in station.inputs.values())]
    if any(buffer.vehicle is not None for buffer in buffers):
        _refuse(name, "a buffer served by vehicles", "buffers with a transfer time only")
    for key, stop in station.stops.items():
        if isinstance(stop.every, Length):
            _refuse(name, f"stop '{key}' after a length", "stops after a time or a number of items")
        if stop.startup_scrap:
            _refuse(name, f"stop '{key}' with startup_scrap", "stops without it")


def _refuse(name: str, found: str, required: str) -> None:
    message = (
        f"station '{name}': {found}; the virtual plant runs {required}. Leave the station out of "
        "the line that it runs, or describe it in that way."
    )
    raise CompileError(message)
