"""A slow, obvious simulator: the rules of ``docs/simulation-rules.md`` in plain Python.

Written from that page and from the layout of the arrays, not from the kernel. It looks through all
actors for the earliest entry and keeps items in deques of objects.
"""

import math
from collections import deque

from gigatwin.kernel.layout import OUT, SCRAP, UNDECIDED, Cause, Clock, Kind, Phase, Purpose
from gigatwin.standards.machine_states import MachineState
from tests.reference.engine import Engine
from tests.reference.material import as_lot, next_release, released_order, take_in
from tests.reference.quality import decide


def simulate_reference(model, state, until):
    """Return the records of a run as tuples (`Record`).

    Parameters
    ----------
    model : Model
        Arrays of the compiled factory.
    state : State
        Arrays before the first event; they are read, not changed.
    until : float
        Simulated time up to which entries are handled, that moment included. [s]
    """
    simulator = Simulator(model, state)
    simulator.advance(until)
    return simulator.records


class Simulator(Engine):
    """One run."""

    # ---- entry and agenda

    def handle_machine(self, machine):
        match machine.phase:
            case Phase.IDLE:
                machine.station.idle.remove(machine)
                machine.phase = Phase.READY
                stops = self.due_stop(machine) is not None
                machine.cause = Cause.REPAIR if stops else Cause.PART
                machine.because = self.actor
                self.proceed(machine)
            case Phase.EXECUTING:
                self.end_run(machine)
            case Phase.STOPPED:
                self.end_stop(machine)
            case Phase.SETUP:
                self.end_setup(machine)

    def proceed(self, machine):
        match machine.phase:
            case Phase.READY | Phase.WOKEN:
                self.decide_what_next(machine)
            case Phase.RELEASING:
                self.release_items(machine)
            case Phase.CALLS_FOR_STOP:
                self.record_repair(machine)
                self.begin_repair(machine)
            case Phase.CALLS_FOR_SETUP:
                self.begin_setup(machine)
            case Phase.CALLS_FOR_WORK:
                self.start(machine)

    def decide_what_next(self, machine):
        stop = self.due_stop(machine)
        if stop is not None:
            woken, because = machine.phase == Phase.WOKEN, machine.because
            machine.in_work = False
            self.begin_stop(machine, stop)
            if woken:
                self.wake(machine.station, because)
        elif take_in(self, machine):
            machine.phase = Phase.LOADED
            self.set_up(machine)
        else:
            self.go_idle(machine)

    def go_idle(self, machine):
        station = machine.station
        no_order = station.ordered and released_order(self.plant, station, self.now) is None
        before = machine.state
        machine.state = MachineState.NO_ORDER if no_order else MachineState.STARVED
        if no_order and before != machine.state:
            self.record_own(machine, Kind.STARVE, None)
        if machine.phase == Phase.WOKEN and not station.ports:
            station.idle.appendleft(machine)
        else:
            station.idle.append(machine)
        machine.phase = Phase.IDLE
        times = [c.due for c in machine.clocks if c.rule.clock == Clock.CALENDAR]
        if no_order:
            times.append(next_release(self.plant, station))
        self.entries[machine.number] = min(times, default=math.inf)

    def set_up(self, machine):
        station, wanted = machine.station, machine.items[0].format
        if not station.setups or machine.format == wanted:
            self.call_operators(machine)
        elif machine.format < 0:
            machine.format = wanted
            self.call_operators(machine)
        elif self.request(station.setup_crew, station.n_setup_crew):
            self.begin_setup(machine)
        else:
            self.call(machine, Phase.CALLS_FOR_SETUP, station.setup_crew, station.n_setup_crew)

    def begin_setup(self, machine):
        station = machine.station
        machine.state, machine.phase = MachineState.SETUP, Phase.SETUP
        first = machine.items[0]
        crew = station.setup_crew
        self.record(machine, Kind.SETUP, first, machine.origin, detail=crew)
        law = station.setups[machine.format * self.plant.n_formats + first.format]
        self.enter_later(machine, self.draw(law, machine.streams[Purpose.SETUP]))

    def end_setup(self, machine):
        station = machine.station
        self.release(station.setup_crew, station.n_setup_crew)
        machine.format = machine.items[0].format
        machine.cause, machine.because = Cause.CHANGEOVER, machine.number
        self.call_operators(machine)

    def call_operators(self, machine):
        station = machine.station
        if self.request(station.operators, station.n_operators):
            self.start(machine)
        else:
            self.call(machine, Phase.CALLS_FOR_WORK, station.operators, station.n_operators)

    def start(self, machine):
        first = machine.items[0]
        recipe = machine.station.recipes[first.format]
        machine.work = self.draw(recipe.law, machine.streams[Purpose.SERVICE]) * recipe.factor
        if recipe.scales:
            machine.work *= first.content
        machine.state = MachineState.EXECUTING
        for item in machine.items:
            self.record(machine, Kind.START, item, machine.origin)
        self.run(machine)

    def run(self, machine):
        when, machine.stop = self.now + machine.work, -1
        for number, clock in enumerate(machine.clocks):
            if not clock.rule.preempts:
                continue
            if clock.rule.clock == Clock.RUNNING:
                due = self.now + (clock.due - machine.running)
            elif clock.rule.clock == Clock.CALENDAR:
                due = clock.due
            else:
                continue
            due = max(self.now, due)
            if due < when:
                when, machine.stop = due, number
        machine.began, machine.phase = self.now, Phase.EXECUTING
        self.entries[machine.number] = when

    def end_run(self, machine):
        elapsed = self.now - machine.began
        if machine.stop >= 0:
            machine.running += elapsed
            machine.work = max(0.0, machine.work - elapsed)
            machine.in_work = True
            self.begin_stop(machine, machine.stop)
            return
        station = machine.station
        machine.running += machine.work
        self.release(station.operators, station.n_operators)
        machine.n_done += len(machine.items)
        machine.content_done += sum(item.content for item in machine.items)
        self.tally.count_processed(machine)
        self.make_outputs(machine)
        machine.phase = Phase.RELEASING
        machine.cause, machine.because = Cause.MACHINE, machine.number
        self.release_items(machine)

    def make_outputs(self, machine):
        outputs = deque()
        for item in machine.items:
            recipe = machine.station.recipes[item.format]
            given = not math.isnan(recipe.content)
            if recipe.count > 1:
                content = recipe.content if given else item.content
                for _ in range(recipe.count):
                    outputs.append(as_lot(item, self.tally.created, content))
                    self.tally.created += 1
                self.tally.consumed += 1
            else:
                if given and not machine.created:
                    item.content = recipe.content
                outputs.append(item)
        machine.items = outputs

    def release_items(self, machine):
        while machine.items:
            item = machine.items[0]
            if machine.target == UNDECIDED:
                machine.target = decide(self, machine, item)
            if machine.target not in (OUT, SCRAP):
                buffer = self.plant.buffers[machine.target]
                if len(buffer.items) >= buffer.rule.capacity:
                    self.block(machine, buffer)
                    return
            self.let_go(machine, (Cause.MACHINE, machine.number))
        machine.phase = Phase.READY
        self.proceed(machine)

    def block(self, machine, buffer):
        machine.state, machine.phase = MachineState.BLOCKED, Phase.BLOCKED
        self.record_own(machine, Kind.BLOCK, machine.items[0], detail=buffer.number)
        buffer.waiters.append(machine)
        if buffer.rule.capacity == 0:
            self.wake(self.plant.stations[buffer.rule.station], machine.number)

    # ---- stops

    def due_stop(self, machine):
        for number, clock in enumerate(machine.clocks):
            if clock.due <= self.reading(machine, clock):
                return number
        return None

    def reading(self, machine, clock):
        match clock.rule.clock:
            case Clock.RUNNING:
                return machine.running
            case Clock.CALENDAR:
                return self.now
            case Clock.ITEMS:
                return machine.n_done
            case Clock.CONTENT:
                return machine.content_done

    def begin_stop(self, machine, number):
        machine.stop = number
        self.tally.stops[machine.number, number] += 1
        rule = machine.clocks[number].rule
        granted = self.request(rule.crew, rule.n_crew)
        machine.state = MachineState(rule.state) if granted else MachineState.WAITING_FOR_CREW
        self.record_own(machine, Kind.STOP, self.item_in_work(machine), detail=number)
        if granted:
            self.begin_repair(machine)
        else:
            machine.phase = Phase.CALLS_FOR_STOP
            self.plant.resources[rule.crew].queue.append((machine, rule.n_crew))

    def item_in_work(self, machine):
        return machine.items[0] if machine.in_work else None

    def record_repair(self, machine):
        machine.state = MachineState(machine.clocks[machine.stop].rule.state)
        item = self.item_in_work(machine)
        self.record(machine, Kind.REPAIR, item, machine.origin, detail=machine.stop)

    def begin_repair(self, machine):
        clock = machine.clocks[machine.stop]
        machine.phase = Phase.STOPPED
        self.enter_later(machine, self.draw(clock.rule.duration, clock.duration_stream))

    def end_stop(self, machine):
        clock = machine.clocks[machine.stop]
        rule = clock.rule
        self.release(rule.crew, rule.n_crew)
        if rule.timetable:
            while clock.due <= self.now:
                clock.due += self.draw(rule.law, clock.interval_stream) * rule.factor
        else:
            interval = self.draw(rule.law, clock.interval_stream) * rule.factor
            clock.due = self.reading(machine, clock) + interval
        origin = (Cause.REPAIR, machine.number)
        item = self.item_in_work(machine)
        if machine.in_work:
            machine.in_work = False
            item.content = max(0.0, item.content - rule.startup_scrap)
            machine.state = MachineState.EXECUTING
            self.record(machine, Kind.RESUME, item, origin, detail=machine.stop)
            self.run(machine)
        else:
            machine.state = MachineState.STARVED
            self.record(machine, Kind.RESUME, item, origin, detail=machine.stop)
            machine.cause, machine.because = Cause.REPAIR, machine.number
            machine.phase = Phase.READY
            self.proceed(machine)

    def enter_later(self, machine, duration):
        self.entries[machine.number] = self.now + duration
