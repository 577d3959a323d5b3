"""Plain objects of a plant, read from the arrays of a model and of its initial state."""

import math
from collections import deque
from dataclasses import dataclass, field
from types import SimpleNamespace

from gigatwin.kernel.layout import UNDECIDED, Feature, Phase
from gigatwin.standards.machine_states import MachineState
from tests.reference.streams import Stream


def rows(array):
    """Return the records of a structured array as objects with Python numbers."""
    return [
        SimpleNamespace(**{name: row[name].item() for name in array.dtype.names}) for row in array
    ]


@dataclass(eq=False)
class Item:
    """A product, a lot or a component."""

    serial: int
    format: int
    order: int
    content: float
    born: float
    defects: set = field(default_factory=set)
    made: float = math.inf
    reworks: int = 0
    arrives: float = 0.0


@dataclass(eq=False)
class Magazine:
    """What a machine has loaded from one port."""

    level: float = 0.0
    order: int = -1
    format: int = -1
    defects: set = field(default_factory=set)
    made: float = math.inf
    blend: set = field(default_factory=set)
    blend_made: float = math.inf

    def empty(self):
        self.level = 0.0
        self.blend = set()
        self.blend_made = math.inf


@dataclass(eq=False)
class Clock:
    """A stop of one machine: what it is, and when it is due."""

    rule: SimpleNamespace
    due: float
    interval_stream: Stream
    duration_stream: Stream


@dataclass(eq=False)
class Machine:
    """One machine with what it holds and what it waits for."""

    number: int
    station: SimpleNamespace
    streams: list
    clocks: list
    magazines: list
    format: int
    phase: Phase = Phase.READY
    state: MachineState = MachineState.STARVED
    items: deque = field(default_factory=deque)
    target: int = UNDECIDED
    stop: int = -1
    cause: int = 0
    because: int = 0
    created: bool = False
    in_work: bool = False
    granted: bool = False
    began: float = 0.0
    work: float = 0.0
    running: float = 0.0
    n_done: float = 0.0
    content_done: float = 0.0

    @property
    def origin(self):
        """What it waited for last, and which actor ended that."""
        return self.cause, self.because


@dataclass(eq=False)
class Buffer:
    """A row of places; its first ``arrived`` items can be taken."""

    number: int
    rule: SimpleNamespace
    stream: Stream
    items: deque = field(default_factory=deque)
    arrived: int = 0
    waiters: deque = field(default_factory=deque)
    last_arrival: float = 0.0


@dataclass(eq=False)
class Resource:
    """A pool of people or vehicles and the machines that wait for some."""

    capacity: int
    free: int
    steps: list
    period: float
    queue: deque = field(default_factory=deque)
    next_step: int = 0
    cycle: int = 0

    def next_time(self):
        return self.cycle * self.period + self.steps[self.next_step].at

    def advance(self):
        self.next_step += 1
        if self.next_step == len(self.steps):
            self.next_step = 0
            self.cycle += 1


def read_resource(rule, shifts):
    steps = shifts[rule.first_shift : rule.first_shift + rule.n_shifts]
    if not steps:
        return Resource(rule.capacity, rule.capacity, steps, rule.period)
    # Before the first step of a period the last one of the period before still holds.
    capacity = steps[0].capacity if steps[0].at == 0.0 else steps[-1].capacity
    resource = Resource(capacity, capacity, steps, rule.period)
    if steps[0].at == 0.0:
        resource.advance()
    return resource


def read_stations(model):
    n_formats = int(model.sizes[4])
    recipes, chances = rows(model.recipes), rows(model.defects)
    finds, routes, stops = rows(model.finds), rows(model.routes), rows(model.stops)
    ports, needs = model.ports.tolist(), model.needs.reshape(-1).tolist()
    setups = model.setups.reshape(-1).tolist()
    for recipe in recipes:
        recipe.defects = chances[recipe.first_defect : recipe.first_defect + recipe.n_defects]
        recipe.routes = routes[recipe.first_route : recipe.first_route + recipe.n_routes]
    stations = rows(model.stations)
    for number, station in enumerate(stations):
        station.number = number
        station.recipes = recipes[number * n_formats : (number + 1) * n_formats]
        station.finds = finds[station.first_find : station.first_find + station.n_finds]
        station.stops = stops[station.first_stop : station.first_stop + station.n_stops]
        numbers = range(station.first_port, station.first_port + station.n_ports)
        station.ports = [
            SimpleNamespace(
                number=port,
                buffer=ports[port],
                needs=needs[port * n_formats : (port + 1) * n_formats],
            )
            for port in numbers
        ]
        station.setups = []
        if station.features & Feature.CHANGEOVER:
            station.setups = setups[station.first_setup : station.first_setup + n_formats**2]
        station.idle = deque()
        station.order = 0
        station.remaining = None
    return stations


def read_machines(model, state, stations, streams):
    machines = []
    for number, row in enumerate(rows(state.machines)):
        station = stations[int(model.machine_station[number])]
        own = streams[row.first_stream :]
        clocks = [
            Clock(rule, float(state.due[row.first_clock + j]), own[4 + 2 * j], own[5 + 2 * j])
            for j, rule in enumerate(station.stops)
        ]
        magazines = [Magazine() for _ in station.ports]
        machine = Machine(number, station, own[:4], clocks, magazines, row.format, because=number)
        machines.append(machine)
    return machines


@dataclass(eq=False)
class Plant:
    """All of it."""

    n_formats: int
    stations: list
    machines: list
    buffers: list
    arrivals: list
    resources: list
    orders: list
    laws: list
    tables: list
    transfers: list


def read_plant(model, state):
    streams = [Stream(row["state"], row["gamma"]) for row in state.streams]
    stations = read_stations(model)
    shifts, mixes = rows(model.shifts), rows(model.mixes)
    arrivals = rows(model.arrivals)
    for arrival in arrivals:
        arrival.mix = mixes[arrival.first_mix : arrival.first_mix + arrival.n_mix]
        arrival.interval_stream, arrival.mix_stream = streams[arrival.stream : arrival.stream + 2]
    buffers = [
        Buffer(number, rule, streams[queue.stream] if rule.moves else None)
        for number, (rule, queue) in enumerate(
            zip(rows(model.buffers), rows(state.queues), strict=True)
        )
    ]
    return Plant(
        n_formats=int(model.sizes[4]),
        stations=stations,
        machines=read_machines(model, state, stations, streams),
        buffers=buffers,
        arrivals=arrivals,
        resources=[read_resource(rule, shifts) for rule in rows(model.resources)],
        orders=rows(model.orders),
        laws=rows(model.laws),
        tables=model.tables.tolist(),
        transfers=model.transfers.reshape(-1).tolist(),
    )
