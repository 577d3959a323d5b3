"""Calendar, agenda, records, crews and buffers: what moves machines and items along."""

import math
from collections import deque
from typing import NamedTuple

from gigatwin.kernel.layout import UNDECIDED, Cause, Kind, Phase
from gigatwin.standards.machine_states import MachineState
from tests.reference.plant import Item, read_plant
from tests.reference.streams import draw
from tests.reference.tally import Tally

NO_FORMAT = 255
TOO_MANY = 1_000_000


class Record(NamedTuple):
    """What a machine did, in the order that the fields are compared."""

    time: float
    machine: int
    kind: int
    state: int
    item: int
    format: int
    cause: int
    because: int
    detail: int = 0


class Engine:
    """A run without the rules of machines: `handle_machine` and `proceed` are the subclass's."""

    def __init__(self, model, state):
        self.plant = read_plant(model, state)
        self.now = 0.0
        self.records = []
        self.agenda = deque()
        self.actor = -1
        self.tally = Tally()
        plant = self.plant
        self.first_buffer = len(plant.machines)
        self.first_arrival = self.first_buffer + len(plant.buffers)
        self.first_resource = self.first_arrival + len(plant.arrivals)
        self.entries = [math.inf] * (self.first_resource + len(plant.resources))
        for actor in range(self.first_arrival, self.first_resource):
            # The first interval was drawn with the state, like the first due times of stops.
            self.entries[actor] = float(state.clock[actor])
        for number, resource in enumerate(plant.resources):
            if resource.steps:
                self.entries[self.first_resource + number] = resource.next_time()
        for machine in plant.machines:
            machine.cause = Cause.NOTHING
            self.agenda.append(machine)

    # ---- calendar and agenda

    def advance(self, until):
        n_entries = 0
        self.work_off_agenda()
        while min(self.entries, default=math.inf) <= until:
            self.pass_time(min(self.entries))
            self.actor = self.entries.index(self.now)
            self.entries[self.actor] = math.inf
            self.handle(self.actor)
            self.work_off_agenda()
            n_entries += 1
            if n_entries > TOO_MANY:
                message = f"more than {TOO_MANY} entries by {self.now} s"
                raise RuntimeError(message)
        self.pass_time(until)

    def pass_time(self, until):
        self.tally.pass_time(self.plant, until - self.now)
        self.now = until

    def work_off_agenda(self):
        while self.agenda:
            machine = self.agenda.popleft()
            self.actor = machine.number
            self.proceed(machine)

    def handle(self, actor):
        if actor < self.first_buffer:
            self.handle_machine(self.plant.machines[actor])
        elif actor < self.first_arrival:
            self.handle_buffer(self.plant.buffers[actor - self.first_buffer])
        elif actor < self.first_resource:
            self.handle_arrival(self.plant.arrivals[actor - self.first_arrival])
        else:
            self.handle_shift(self.plant.resources[actor - self.first_resource])

    def draw(self, law, stream):
        return draw(self.plant.laws[law], self.plant.tables, stream)

    def record(self, machine, kind, item, origin, **fields):
        """Write a record; ``origin`` is what the machine waited for and which actor ended that."""
        serial, format_ = (-1, NO_FORMAT) if item is None else (item.serial, item.format)
        row = Record(self.now, machine.number, kind, machine.state, serial, format_, *origin)
        row = row._replace(**fields)
        self.records.append(Record(row.time, *map(int, row[1:])))

    def record_own(self, machine, kind, item, **fields):
        """Record what a machine does of itself: nothing held it up but its own work."""
        self.record(machine, kind, item, (Cause.MACHINE, machine.number), **fields)

    def create(self, format_, order, content):
        item = Item(self.tally.created, format_, order, content, self.now)
        self.tally.created += 1
        return item

    # ---- entries

    def handle_buffer(self, buffer):
        buffer.arrived += 1
        self.set_buffer_entry(buffer)
        self.wake(self.plant.stations[buffer.rule.station], self.actor)

    def handle_arrival(self, arrival):
        format_ = arrival.mix[0].format if arrival.mix else 0
        if len(arrival.mix) > 1:
            u = arrival.mix_stream.uniform()
            chosen = [part for part in arrival.mix if u < part.threshold] or arrival.mix[-1:]
            format_ = chosen[0].format
        buffer = self.plant.buffers[arrival.buffer]
        station = self.plant.stations[buffer.rule.station]
        content = station.recipes[format_].content
        item = self.create(format_, 0, 1.0 if math.isnan(content) else content)
        machine = self.plant.machines[station.first_machine]
        self.record(machine, Kind.ARRIVE, item, (Cause.PART, self.actor))
        self.put(buffer, item, self.actor)
        interval = self.draw(arrival.law, arrival.interval_stream)
        self.entries[self.actor] = self.now + interval

    def handle_shift(self, resource):
        capacity = resource.steps[resource.next_step].capacity
        resource.free += capacity - resource.capacity
        resource.capacity = capacity
        resource.advance()
        self.entries[self.actor] = resource.next_time()
        self.serve(resource)

    # ---- resources

    def request(self, resource, quantity):
        """Take people from a resource; tell whether they were granted at once."""
        if resource < 0:
            return True
        pool = self.plant.resources[resource]
        if pool.queue or pool.free < quantity:
            return False
        pool.free -= quantity
        return True

    def call(self, machine, phase, resource, quantity):
        machine.phase = phase
        machine.state = MachineState.WAITING_FOR_CREW
        first = machine.items[0] if machine.items else None
        self.record(machine, Kind.CALL, first, machine.origin, detail=resource)
        self.plant.resources[resource].queue.append((machine, quantity))

    def release(self, resource, quantity):
        if resource >= 0:
            pool = self.plant.resources[resource]
            pool.free += quantity
            self.serve(pool)

    def serve(self, pool):
        while pool.queue and pool.free >= pool.queue[0][1]:
            machine, quantity = pool.queue.popleft()
            pool.free -= quantity
            machine.cause, machine.because = Cause.CREW, self.actor
            self.agenda.append(machine)

    # ---- buffers

    def wake(self, station, because):
        n_woken = len(station.idle) if station.ports else min(1, len(station.idle))
        for _ in range(n_woken):
            machine = station.idle.popleft()
            machine.phase = Phase.WOKEN
            machine.cause, machine.because = Cause.PART, because
            self.entries[machine.number] = math.inf
            self.agenda.append(machine)

    def put(self, buffer, item, because):
        item.arrives = self.now
        if buffer.rule.moves:
            law = self.plant.transfers[buffer.number * self.plant.n_formats + item.format]
            item.arrives = max(self.now + self.draw(law, buffer.stream), buffer.last_arrival)
            buffer.last_arrival = item.arrives
        on_the_way = item.arrives > self.now or buffer.arrived < len(buffer.items)
        buffer.items.append(item)
        if not on_the_way:
            buffer.arrived += 1
            self.wake(self.plant.stations[buffer.rule.station], because)
        elif buffer.arrived == len(buffer.items) - 1:
            self.set_buffer_entry(buffer)

    def set_buffer_entry(self, buffer):
        if buffer.arrived < len(buffer.items):
            next_arrival = buffer.items[buffer.arrived].arrives
            self.entries[self.first_buffer + buffer.number] = next_arrival

    def ready_items(self, buffer):
        if buffer.rule.capacity == 0:
            return [waiter.items[0] for waiter in list(buffer.waiters)[:1]]
        return list(buffer.items)[: buffer.arrived]

    def take(self, buffer):
        if buffer.rule.capacity == 0:
            return self.hand_over(buffer)
        item = buffer.items.popleft()
        buffer.arrived -= 1
        if buffer.waiters:
            self.hand_over(buffer)
        return item

    def hand_over(self, buffer):
        waiter = buffer.waiters.popleft()
        item = self.let_go(waiter, (Cause.SPACE, self.actor))
        waiter.phase = Phase.RELEASING
        waiter.cause, waiter.because = Cause.SPACE, self.actor
        self.agenda.append(waiter)
        return item

    def let_go(self, machine, origin):
        """Record that the first item leaves, and put it where it goes."""
        item, target = machine.items.popleft(), machine.target
        machine.target = UNDECIDED
        state = MachineState.BLOCKED if machine.items else MachineState.STARVED
        self.record(machine, Kind.LEAVE, item, origin, detail=target, state=state)
        self.tally.count_leave(machine, item, target, self.now)
        if target >= 0:
            buffer = self.plant.buffers[target]
            if buffer.rule.capacity > 0:
                self.put(buffer, item, machine.number)
        return item
