"""The other way round: what a state of the kernel says in plain facts."""

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.compiler.live_contents import (
    LiveClock,
    LiveContents,
    LiveItem,
    LiveMachine,
    LiveMagazine,
    LiveSupply,
)
from gigatwin.kernel.layout import Clock, Phase, State
from gigatwin.standards.machine_states import MachineState


def contents_of(compiled: CompiledModel, state: State) -> LiveContents:
    """Return all that a state of the kernel says, with what is left of everything under way.

    Parameters
    ----------
    compiled : CompiledModel
        The factory.
    state : State
        As a run leaves it when it has reached a time; it is not changed.
    """
    return _Reading(compiled, state).contents()


class _Reading:
    def __init__(self, compiled: CompiledModel, state: State) -> None:
        self.compiled = compiled
        self.model = compiled.model
        self.state = state
        self.now = float(state.control[0]["now"])
        self.n_machines = len(compiled.machines)
        self.n_buffers = len(compiled.buffers)

    def contents(self) -> LiveContents:
        names, n = self.compiled, self.n_machines + self.n_buffers
        supplies = {
            name: LiveSupply(int(supply["order"]), float(supply["remaining"]))
            for name, station, supply in zip(
                names.stations, self.model.stations, self.state.supplies, strict=True
            )
            if station["ordered"]
        }
        arrivals = {
            name: LiveClock(residual=float(self.state.clock[n + index]) - self.now)
            for index, name in enumerate(names.arrivals)
        }
        return LiveContents(
            now=self.now,
            machines={name: self._machine(m) for m, name in enumerate(names.machines)},
            buffers={name: self._buffer(b) for b, name in enumerate(names.buffers)},
            supplies=supplies,
            arrivals=arrivals,
            next_serial=int(self.state.control[0]["serial"]),
        )

    def _defects(self, bits: int) -> tuple[str, ...]:
        return tuple(name for k, name in enumerate(self.compiled.defects) if bits >> k & 1)

    def _items(self, first: int, *, moves: bool = False) -> tuple[LiveItem, ...]:
        items = []
        while first >= 0:
            r = self.state.items[first]
            items.append(
                LiveItem(
                    format=self.compiled.formats[int(r["format"])],
                    serial=int(r["serial"]),
                    born=float(r["born"]),
                    content=float(r["content"]),
                    defects=self._defects(int(r["defects"])),
                    made=float(r["made"]) if r["defects"] else None,
                    reworks=int(r["reworks"]),
                    order=int(r["order"]),
                    residual=max(float(r["arrives"]) - self.now, 0.0) if moves else 0.0,
                )
            )
            first = int(r["next"])
        return tuple(items)

    def _buffer(self, buffer: int) -> tuple[LiveItem, ...]:
        queue = self.state.queues[buffer]
        if queue["count"] == 0:
            return ()
        return self._items(int(queue["head"]), moves=bool(self.model.buffers[buffer]["moves"]))

    def _machine(self, m: int) -> LiveMachine:
        r = self.state.machines[m]
        station = self.model.stations[int(self.model.machine_station[m])]
        phase = Phase(int(r["phase"]))
        is_executing = phase is Phase.EXECUTING
        done = self.now - float(r["began"]) if is_executing else 0.0
        has_work = is_executing or bool(r["interrupted"])
        residual = None
        if phase in (Phase.STOPPED, Phase.SETUP):
            residual = float(self.state.clock[m]) - self.now
        stop = ""
        if phase in (Phase.STOPPED, Phase.CALLS_FOR_STOP):
            stop = self._stop_name(int(station["first_stop"]) + int(r["stop"]))
        target = None
        if phase is Phase.BLOCKED and r["target"] >= 0:
            target = self.compiled.buffers[int(r["target"])]
        return LiveMachine(
            state=MachineState(int(r["state"])),
            since=float(r["since"]),
            waits_since=self._place_in_row(m, phase),
            items=self._items(int(r["head"])) if r["n_items"] else (),
            is_created=bool(r["created"]),
            target=target,
            work_left=max(float(r["work"]) - done, 0.0) if has_work else None,
            stop=stop,
            is_interrupted=bool(r["interrupted"]),
            residual=residual,
            format="" if r["format"] < 0 else self.compiled.formats[int(r["format"])],
            clocks=self._clocks(m, done),
            magazines=self._magazines(m),
        )

    def _place_in_row(self, m: int, phase: Phase) -> float | None:
        """Return a number that grows along the row that a machine waits in."""
        station = int(self.model.machine_station[m])
        row = -1
        if phase is Phase.IDLE:
            row = int(self.model.stations[station]["idle_row"])
        elif phase is Phase.BLOCKED:
            row = int(self.state.machines[m]["target"])
        elif phase in (Phase.CALLS_FOR_STOP, Phase.CALLS_FOR_SETUP, Phase.CALLS_FOR_WORK):
            row = next(
                int(resource["row"])
                for resource in self.model.resources
                if self._position(int(resource["row"]), m) is not None
            )
        if row < 0:
            return None
        position = self._position(row, m)
        return None if position is None else self.now - self.n_machines + position

    def _position(self, row: int, m: int) -> int | None:
        at = int(self.state.rows[row]["first"])
        position = 0
        while at >= 0:
            if at == m:
                return position
            at = int(self.state.machines[at]["next"])
            position += 1
        return None

    def _stop_name(self, stop: int) -> str:
        station = next(
            index
            for index, s in enumerate(self.model.stations)
            if 0 <= stop - int(s["first_stop"]) < int(s["n_stops"])
        )
        return self.compiled.stops[stop][len(self.compiled.stations[station]) + 1 :]

    def _clocks(self, m: int, done: float) -> dict[str, LiveClock]:
        r = self.state.machines[m]
        station = self.model.stations[int(self.model.machine_station[m])]
        readings = {
            int(Clock.RUNNING): float(r["running"]) + done,
            int(Clock.CALENDAR): self.now,
            int(Clock.ITEMS): float(r["n_done"]),
            int(Clock.CONTENT): float(r["content_done"]),
        }
        clocks = {}
        for k in range(int(station["n_stops"])):
            stop = int(station["first_stop"]) + k
            due = float(self.state.due[int(r["first_clock"]) + k])
            reading = readings[int(self.model.stops[stop]["clock"])]
            clocks[self._stop_name(stop)] = LiveClock(residual=due - reading)
        return clocks

    def _magazines(self, m: int) -> dict[str, LiveMagazine]:
        r = self.state.machines[m]
        index = int(self.model.machine_station[m])
        station = self.model.stations[index]
        skip = len(self.compiled.stations[index]) + 1
        magazines = {}
        for p in range(int(station["n_ports"])):
            found = self.state.magazines[int(r["first_magazine"]) + p]
            buffer = int(self.model.ports[int(station["first_port"]) + p])
            bits = int(found["defects"]) | int(found["blend"])
            magazines[self.compiled.buffers[buffer][skip:]] = LiveMagazine(
                level=float(found["level"]),
                format=self.compiled.formats[int(found["format"])],
                order=int(found["order"]),
                defects=self._defects(int(found["defects"])),
                blended=self._defects(int(found["blend"])),
                made=min(float(found["made"]), float(found["blend_made"])) if bits else None,
            )
        return magazines
