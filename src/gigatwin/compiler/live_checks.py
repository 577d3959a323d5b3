"""Whether contents can be in a factory: every name is known, and everything has its place."""

from collections.abc import Iterable

import numpy as np

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.compiler.live_contents import LiveContents, LiveItem, LiveMachine
from gigatwin.errors import CompileError
from gigatwin.standards.machine_states import MachineState

_STANDS = frozenset({MachineState.BREAKDOWN, MachineState.MICRO_STOP, MachineState.PLANNED_STOP})


def check_contents(compiled: CompiledModel, contents: LiveContents) -> None:
    """Raise where contents cannot be in a factory.

    Raises
    ------
    CompileError
        With the first thing that the factory does not have, or that cannot be there.
    """
    _Checks(compiled, contents).check()


def stops_of(compiled: CompiledModel, m: int) -> tuple[str, ...]:
    """Return the names of a machine's stops, without the station's."""
    index = int(compiled.model.machine_station[m])
    station = compiled.model.stations[index]
    first = int(station["first_stop"])
    skip = len(compiled.stations[index]) + 1
    names = compiled.stops[first : first + int(station["n_stops"])]
    return tuple(name[skip:] for name in names)


def ports_of(compiled: CompiledModel, m: int) -> tuple[str, ...]:
    """Return the names of a machine's inputs, without the station's."""
    index = int(compiled.model.machine_station[m])
    station = compiled.model.stations[index]
    first = int(station["first_port"])
    skip = len(compiled.stations[index]) + 1
    buffers = compiled.model.ports[first : first + int(station["n_ports"])]
    return tuple(compiled.buffers[int(b)][skip:] for b in buffers)


class _Checks:
    def __init__(self, compiled: CompiledModel, contents: LiveContents) -> None:
        self.compiled = compiled
        self.contents = contents

    def check(self) -> None:
        """Raise where something cannot be."""
        names, contents = self.compiled, self.contents
        self._check_names("machines", contents.machines, names.machines)
        self._check_names("buffers", contents.buffers, names.buffers)
        self._check_names("arrivals", contents.arrivals, names.arrivals)
        self._check_names("supplies", contents.supplies, names.stations)
        if not 0.0 <= contents.now < np.inf:
            self._refuse("now", f"{contents.now:g} s", "0 s or later")
        for name, machine in contents.machines.items():
            self._check_machine(name, machine)
        for name, items in contents.buffers.items():
            index = names.buffers.index(name)
            if items and names.model.buffers[index]["capacity"] == 0:
                self._refuse(name, f"{len(items)} items", "none, as this buffer has no places")
            self._check_items(name, items)

    def _check_names(self, what: str, given: Iterable[str], known: tuple[str, ...]) -> None:
        for name in given:
            if name not in known:
                some = ", ".join(known[:8])
                self._refuse(what, f"'{name}'", f"one of the factory's {what}: {some}")

    def _check_machine(self, name: str, machine: LiveMachine) -> None:
        m = self.compiled.machines.index(name)
        known = stops_of(self.compiled, m)
        for stop in (*([machine.stop] if machine.stop else []), *machine.clocks):
            if stop not in known:
                self._refuse(name, f"stop '{stop}'", f"one of {', '.join(known) or 'none at all'}")
        if machine.state in _STANDS and not machine.stop:
            self._refuse(name, f"state {machine.state.name} without a stop", "named with its stop")
        if machine.target is not None and machine.target not in self.compiled.buffers:
            self._refuse(name, f"target '{machine.target}'", "a buffer of the factory")
        if machine.format and machine.format not in self.compiled.formats:
            self._refuse(name, f"format '{machine.format}'", self._known_formats())
        ports = ports_of(self.compiled, m)
        for port, magazine in machine.magazines.items():
            if port not in ports:
                self._refuse(name, f"input '{port}'", f"one of {', '.join(ports) or 'none at all'}")
            if magazine.format and magazine.format not in self.compiled.formats:
                self._refuse(name, f"format '{magazine.format}'", self._known_formats())
        self._check_items(name, machine.items)

    def _check_items(self, place: str, items: Iterable[LiveItem]) -> None:
        for item in items:
            if item.format not in self.compiled.formats:
                self._refuse(place, f"format '{item.format}'", self._known_formats())
            for defect in item.defects or ():
                if defect not in self.compiled.defects:
                    self._refuse(place, f"defect '{defect}'", "one of the factory's defects")

    def _known_formats(self) -> str:
        return f"one of {', '.join(self.compiled.formats)}"

    def _refuse(self, where: str, found: str, required: str) -> None:
        message = (
            f"{self.compiled.factory.name}: live contents: {where}: {found}; must be {required}. "
            "Describe the plant with the names of this factory, or use the factory of this plant."
        )
        raise CompileError(message)
