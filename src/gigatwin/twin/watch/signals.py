"""Signals of machines from event rows, one row at a time.

What is taken out: the time of each normal cycle, the length of each stop, how much opportunity lay
between two stops, and how many items between two that were sorted out.

A cycle is normal when nothing interrupted it. Work that is done and waits for room ends with the
BLOCK row, so that a blocked cycle counts without the wait; leaving such cycles out would leave out
the quick ones. Times are multiplied by the speed that is set over that of the model: a speed that
somebody changed is no drift.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.observations import EventRow
from gigatwin.twin.watch.plant_model import Clock, ModelStation, PlantModel

CYCLE, REPAIR, STOPS, SCRAP = "cycle_time", "repair_time", "stops", "scrap"
"""Kinds of signals."""
_EXECUTING = int(MachineState.EXECUTING)
_CREW = int(MachineState.WAITING_FOR_CREW)
_STATES = {
    "breakdown": MachineState.BREAKDOWN,
    "micro_stop": MachineState.MICRO_STOP,
    "planned": MachineState.PLANNED_STOP,
}
_FLUSH_SECONDS, _FLUSH_ITEMS = 3600.0, 200
# A machine that seems to execute for longer than this many cycles was not seen.
_LONGEST_CYCLES, _LONGEST = 20.0, 3600.0


class Value(NamedTuple):
    """One value of a signal."""

    time: float
    """When it was complete. [s]"""
    machine: str
    signal: str
    """``cycle_time``, ``repair_time``, ``stops`` or ``scrap``."""
    which: str
    """Format of cycles and scrap, name of the stop of the others."""
    value: float
    """Length [s]; of stops and scrap the opportunity: seconds or items."""
    events: int = 0
    """Stops or spoiled items at the end of the opportunity."""


class _Machine:
    """What has to be remembered of a machine between two rows."""

    __slots__ = (
        "clocks",
        "counted",
        "done",
        "executing",
        "has_one_item",
        "item",
        "items",
        "longest",
        "made",
        "name",
        "product_format",
        "relative_speed",
        "repair",
        "since",
        "start",
        "state",
        "stop",
        "time",
        "usual_stop",
    )
    saved: ClassVar = (
        "time",
        "state",
        "start",
        "done",
        "item",
        "product_format",
        "relative_speed",
        "executing",
        "items",
        "made",
        "counted",
        "since",
        "stop",
        "repair",
    )

    def __init__(self, name: str, station: ModelStation) -> None:
        self.name = name
        self.has_one_item = station.has_one_item
        self.clocks: dict[str, Clock] = {name: s.clock for name, s in station.stops.items()}
        # A stop without a name is the only one that its state can be.
        names = {
            kind: [n for n, s in station.plan.stops.items() if s.kind == kind] for kind in _STATES
        }
        self.usual_stop = {
            int(_STATES[kind]): found[0] if len(found) == 1 else kind
            for kind, found in names.items()
        }
        means = [station.mean_time(name) or 0.0 for name in station.formats]
        self.longest = max(_LONGEST_CYCLES * max(means, default=0.0), _LONGEST)
        self.time = -1.0  # of the last row; below 0: none yet
        self.state = -1
        self.start = -1.0  # of the cycle; below 0: none, or it is not normal
        self.done = -1.0  # when its work was done, where it waits for room
        self.item = -1
        self.product_format = ""
        self.relative_speed = 1.0
        self.executing = 0.0  # opportunity for stops since they were last counted
        self.items = 0
        self.since = -1.0
        self.made = 0  # items since the last one that was sorted out
        self.counted = ""  # their format
        self.stop = ""
        self.repair = 0.0


class Signals:
    """Takes event rows in and gives the values of signals; its state is plain data.

    Parameters
    ----------
    model : PlantModel
        Which machines there are.
    """

    def __init__(self, model: PlantModel) -> None:
        self._speeds = {name: station.speed for name, station in model.stations.items()}
        self._stations = dict(model.station_of)
        self._machines = {
            machine: _Machine(machine, station)
            for station in model.stations.values()
            for machine in station.machines
        }
        self._handlers: dict[str, Callable[[_Machine, EventRow, list[Value]], None]] = {
            "LEAVE": self._leave,
            "START": self._start,
            "BLOCK": self._block,
            "STOP": self._stop,
            "RESUME": self._resume,
            "SETUP": self._setup,
        }
        self.n_unknown = 0
        """Rows of machines that the model does not have, or that only carry or keep items."""

    def set_speed(self, machine: str, speed: float) -> None:
        """Say which speed factor is set at a machine from now on.

        Parameters
        ----------
        machine : str
            Name of the machine; others than those of the model are passed over.
        speed : float
            Speed factor, 1 as described at speed 1.
        """
        found = self._machines.get(machine)
        if found is None or speed <= 0:
            return
        relative = speed / self._speeds[self._stations[machine]]
        if relative != found.relative_speed:
            found.relative_speed = relative
            found.start = -1.0  # the cycle in work has some of both

    def take(self, rows: Iterable[EventRow]) -> list[Value]:
        """Take rows in, in the order of time of each machine, and return the values they end."""
        found: list[Value] = []
        machines, handlers = self._machines, self._handlers
        for row in rows:
            machine = machines.get(row[1])
            if machine is None:
                self.n_unknown += bool(row[1])
                continue
            time = row[0]
            passed = time - machine.time
            if machine.time < 0.0:
                machine.time = machine.since = time
            elif passed > 0.0:
                if machine.state == _EXECUTING and passed <= machine.longest:
                    machine.executing += passed
                elif machine.stop and machine.state != _CREW:
                    machine.repair += passed
                machine.time = time
            machine.state = int(row[3])
            handler = handlers.get(row[2])
            if handler is not None:
                handler(machine, row, found)
        return found

    def _start(self, machine: _Machine, row: EventRow, _: list[Value]) -> None:
        machine.start, machine.done = row.time, -1.0
        machine.item, machine.product_format = row.item, row.format
        machine.stop = ""  # if it stood, the row of its end was lost

    def _leave(self, machine: _Machine, row: EventRow, found: list[Value]) -> None:
        time, name, _, _, item, product_format, detail, _ = row
        start = machine.start
        if start >= 0.0:
            if not machine.has_one_item or item == machine.item:
                end = machine.done if machine.done >= start else time
                length = (end - start) * machine.relative_speed
                if length > 0.0:
                    found.append(Value(time, name, CYCLE, product_format, length))
            machine.start = -1.0
        machine.items += 1
        if product_format != machine.counted:
            if machine.made:
                found.append(Value(time, name, SCRAP, machine.counted, float(machine.made)))
            machine.counted, machine.made = product_format, 0
        machine.made += 1
        if detail == "scrap":
            found.append(Value(time, name, SCRAP, product_format, float(machine.made), 1))
            machine.made = 0
        elif machine.made >= _FLUSH_ITEMS:
            found.append(Value(time, name, SCRAP, product_format, float(machine.made)))
            machine.made = 0
        if machine.executing >= _FLUSH_SECONDS:
            self._count(machine, time, "", found)

    def _block(self, machine: _Machine, row: EventRow, _: list[Value]) -> None:
        if machine.done < 0.0:
            machine.done = row.time

    def _stop(self, machine: _Machine, row: EventRow, found: list[Value]) -> None:
        machine.start = -1.0
        if machine.stop:
            return  # the same stop, in another state
        name = row.detail.rsplit(".", 1)[-1]
        machine.stop = name or machine.usual_stop.get(machine.state, "stop")
        machine.repair = 0.0
        self._count(machine, row.time, machine.stop, found)

    def _resume(self, machine: _Machine, row: EventRow, found: list[Value]) -> None:
        if machine.stop:
            found.append(Value(row.time, row.machine, REPAIR, machine.stop, machine.repair))
        machine.stop, machine.start = "", -1.0

    def _setup(self, machine: _Machine, _: EventRow, __: list[Value]) -> None:
        machine.start = -1.0

    def _count(self, machine: _Machine, time: float, stop: str, found: list[Value]) -> None:
        """Give the opportunity that each stop had since the last count."""
        opportunities = {
            "running": machine.executing,
            "calendar": max(time - machine.since, 0.0),
            "items": float(machine.items),
        }
        for name, clock in machine.clocks.items():
            exposure = opportunities[clock]
            found.append(Value(time, machine.name, STOPS, name, exposure, int(name == stop)))
        machine.executing, machine.since, machine.items = 0.0, time, 0

    def state(self) -> dict[str, Any]:
        """Return what has to be kept, as plain data."""
        machines = {
            name: [getattr(machine, field) for field in _Machine.saved]
            for name, machine in self._machines.items()
            if machine.time >= 0.0
        }
        return {"machines": machines, "n_unknown": self.n_unknown}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave; machines that the model no longer has are left out."""
        self.n_unknown = int(state["n_unknown"])
        for name, values in state["machines"].items():
            machine = self._machines.get(name)
            if machine is not None:
                for field, value in zip(_Machine.saved, values, strict=True):
                    setattr(machine, field, value)
