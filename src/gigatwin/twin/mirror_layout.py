"""What the mirror must know of a factory, in plain lists that are quick to ask."""

from dataclasses import dataclass

import numpy as np

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.compiler.model_items import ModelItems
from gigatwin.compiler.residual_laws import ResidualLaws
from gigatwin.kernel.layout import UNLIMITED, Clock
from gigatwin.standards.machine_states import MachineState

OUT = "out"
SCRAP = "scrap"


@dataclass(frozen=True, slots=True)
class StopFacts:
    """One stop of a station."""

    name: str
    """Without the station's name."""
    state: MachineState
    clock: Clock
    interrupts: bool
    """Whether it stops a machine in the middle of an item."""
    interval: float
    """Fixed time between two, where it keeps a timetable; else 0. [s]"""
    needs_crew: bool
    mean_interval: float
    """Mean on its clock; items and content count as seconds."""


@dataclass(frozen=True, slots=True)
class StationFacts:
    """One station."""

    name: str
    index: int
    first: int
    """First machine."""
    n_machines: int
    buffer: int
    """Primary buffer; -1: it makes its items."""
    ports: tuple[int, ...]
    """Buffer of each input."""
    needs: tuple[tuple[float, ...], ...]
    """Content for one item, by input and format."""
    is_batch: bool
    counts: tuple[int, ...]
    """Items that come out for one that goes in, by format."""
    batch: tuple[int, ...]
    """Items of a full batch, by format."""
    ways: tuple[tuple[int, ...], ...]
    """Buffers that items go to, by format; -1: out."""
    stops: tuple[StopFacts, ...]
    is_ordered: bool
    is_arrival: bool
    needs_people: bool
    """Whether it needs a crew to work, or to be set up."""
    run_times: tuple[float, ...]
    """Mean time of a cycle, by format. [s]"""


class MirrorLayout:
    """The layout of a compiled factory.

    Parameters
    ----------
    compiled : CompiledModel
        The factory.
    """

    def __init__(self, compiled: CompiledModel) -> None:
        model = compiled.model
        self.compiled = compiled
        self.laws = ResidualLaws(model.laws, model.tables)
        self.formats = {name: index for index, name in enumerate(compiled.formats)}
        self.machines = {name: index for index, name in enumerate(compiled.machines)}
        self.buffers = {name: index for index, name in enumerate(compiled.buffers)}
        self.stations = tuple(self._station(index) for index in range(len(compiled.stations)))
        self.station_of = tuple(self.stations[int(s)] for s in model.machine_station)
        self.capacities = tuple(
            None if int(b["capacity"]) == UNLIMITED else int(b["capacity"]) for b in model.buffers
        )
        self.consumers = tuple(self.stations[int(b["station"])] for b in model.buffers)
        """Station behind each buffer."""
        self.contents = ModelItems(compiled).contents
        self.input_buffer = self._input_names()
        self.orders = self._order_ends()

    def _station(self, index: int) -> StationFacts:
        compiled, model = self.compiled, self.compiled.model
        station = model.stations[index]
        n_formats = len(compiled.formats)
        recipes = model.recipes[index * n_formats : (index + 1) * n_formats]
        first_port, n_ports = int(station["first_port"]), int(station["n_ports"])
        ways = tuple(
            tuple(
                int(b)
                for b in model.routes["buffer"][int(r["first_route"]) :][: int(r["n_routes"])]
            )
            for r in recipes
        )
        name = compiled.stations[index]
        return StationFacts(
            name=name,
            index=index,
            first=int(station["first_machine"]),
            n_machines=int(station["n_machines"]),
            buffer=int(station["buffer"]),
            ports=tuple(int(b) for b in model.ports[first_port : first_port + n_ports]),
            needs=tuple(
                tuple(float(x) for x in model.needs[p * n_formats : (p + 1) * n_formats])
                for p in range(first_port, first_port + n_ports)
            ),
            is_batch=bool(station["batches"]),
            counts=tuple(int(r["count"]) for r in recipes),
            batch=tuple(max(int(r["batch"]), 1) for r in recipes),
            ways=ways,
            stops=self._stops(index),
            is_ordered=bool(station["ordered"]),
            is_arrival=name in compiled.arrivals,
            needs_people=int(station["operators"]) >= 0 or int(station["setup_crew"]) >= 0,
            run_times=tuple(
                float(t) * max(int(r["batch"]), 1)
                for t, r in zip(compiled.run_times[index], recipes, strict=True)
            ),
        )

    def _stops(self, index: int) -> tuple[StopFacts, ...]:
        compiled, model = self.compiled, self.compiled.model
        station = model.stations[index]
        first, n = int(station["first_stop"]), int(station["n_stops"])
        skip = len(compiled.stations[index]) + 1
        laws = self.laws
        return tuple(
            StopFacts(
                name=compiled.stops[k][skip:],
                state=MachineState(int(model.stops[k]["state"])),
                clock=Clock(int(model.stops[k]["clock"])),
                interrupts=bool(model.stops[k]["preempts"]),
                interval=float(
                    model.laws[int(model.stops[k]["law"])]["a"] * model.stops[k]["factor"]
                )
                if model.stops[k]["timetable"]
                else 0.0,
                needs_crew=int(model.stops[k]["crew"]) >= 0,
                mean_interval=laws.mean(int(model.stops[k]["law"]))
                * float(model.stops[k]["factor"]),
            )
            for k in range(first, first + n)
        )

    def _input_names(self) -> dict[tuple[int, str], int]:
        """Return the buffer of an input, by station and by any name it is called by."""
        found = {}
        for station in self.stations:
            for buffer in station.ports:
                name = self.compiled.buffers[buffer]
                found[station.index, name] = buffer
                found[station.index, name[len(station.name) + 1 :]] = buffer
        return found

    def _order_ends(self) -> dict[int, list[float]]:
        """Return how many items a station has made when each order is done."""
        model, n_formats = self.compiled.model, len(self.compiled.formats)
        ends: dict[int, list[float]] = {}
        for station in self.stations:
            if not station.is_ordered:
                continue
            total = 0.0
            ends[station.index] = []
            for order in model.orders:
                recipe = model.recipes[station.index * n_formats + int(order["format"])]
                content = 1.0 if np.isnan(recipe["content"]) else float(recipe["content"])
                need = float(order["quantity"]) * float(recipe["per_product"])
                total += float(np.ceil(need / content - 1e-9))
                ends[station.index].append(total)
        return ends

    def stop_of(self, station: StationFacts, name: str, state: MachineState) -> StopFacts | None:
        """Return the stop that a plant calls by a name, or one that looks the same, or None."""
        plain = name.removeprefix(f"{station.name}.")
        for stop in station.stops:
            if stop.name == plain:
                return stop
        return next((stop for stop in station.stops if stop.state is state), None)

    def likely_stop(self, station: StationFacts, *, interrupts: bool) -> StopFacts | None:
        """Return the stop that a machine waits for a crew for, when it does not say which.

        The most frequent one that begins as this one did; None: it waits for people to work.
        """
        if not interrupts and station.needs_people:
            return None
        known = [s for s in station.stops if s.needs_crew and s.interrupts is interrupts]
        return min(known, key=lambda stop: stop.mean_interval, default=None)
