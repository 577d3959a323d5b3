"""What the plant says: readings of tags, and for evaluators what really happened."""

from math import inf
from typing import NamedTuple

from gigatwin.plant.appearance import Appearance
from gigatwin.plant.buffers import Buffer
from gigatwin.plant.item import Item
from gigatwin.plant.machine import Machine
from gigatwin.plant.ways import WAYS_BY_NUMBER
from gigatwin.standards.machine_states import MachineState
from gigatwin.standards.packml import Mode, PackMLState
from gigatwin.telemetry.readings import Quality, Reading, Value
from gigatwin.telemetry.tracking import TrackingKind

_GOOD = Quality.GOOD
_new = tuple.__new__
_START = TrackingKind.START.value


class StateInterval(NamedTuple):
    """A machine in one state."""

    begin: float
    """Clock of the plant, seconds since 1970 in UTC. [s]"""
    end: float
    """The same; infinite while the state lasts. [s]"""
    state: MachineState
    packml: PackMLState
    mode: Mode
    passed: tuple[PackMLState, ...]
    """Acting states that it went through in an instant on its way here."""


class Journal:
    """Collects readings. States, counters and levels are read once at the end of each moment."""

    def __init__(self, start_time: float, formats: tuple[str, ...]) -> None:
        """Start with nothing said.

        Parameters
        ----------
        start_time : float
            Clock of the plant at plant time 0, seconds since 1970 in UTC. [s]
        formats : tuple of str
            Names of the formats.
        """
        self.start_time = start_time
        self.formats = formats
        self.time = start_time
        self.readings: list[Reading] = []
        self.latest: dict[str, Reading] = {}
        self.begun: dict[str, StateInterval] = {}
        self.past: dict[str, list[StateInterval]] | None = None
        self._machines: list[Machine] = []
        self._buffers: list[Buffer] = []

    def say(self, tag: str, value: Value) -> None:
        """Add a reading at the present moment."""
        reading = _new(Reading, (tag, value, self.time, _GOOD))
        self.readings.append(reading)
        self.latest[tag] = reading

    def take_readings(self) -> list[Reading]:
        """Return what was said since the last time."""
        readings = self.readings
        self.readings = []
        return readings

    def mark(self, machine: Machine) -> None:
        """Note that a machine may have changed at this moment."""
        if not machine.is_dirty:
            machine.is_dirty = True
            self._machines.append(machine)

    def mark_buffer(self, buffer: Buffer) -> None:
        """Note that a buffer may hold another number of items at this moment."""
        if not buffer.is_dirty:
            buffer.is_dirty = True
            self._buffers.append(buffer)

    def start(self, machine: Machine, item: Item) -> None:
        """Say that a machine began to work on an item."""
        machine.n_telegrams += 1
        text = f"{machine.n_telegrams}|{_START}|{item.serial}|{self.formats[item.format]}|"
        self.say(machine.tags.tracking, text)

    def track(self, machine: Machine, kind: str, item: Item, detail: str) -> None:
        """Say what a machine did with an item."""
        machine.n_telegrams += 1
        text = f"{machine.n_telegrams}|{kind}|{item.serial}|{self.formats[item.format]}|{detail}"
        self.say(machine.tags.tracking, text)

    def begin(self, machines: list[Machine], buffers: list[Buffer], *, record: bool) -> None:
        """Take down how everything stands at the start.

        Parameters
        ----------
        machines : list of Machine
            All of them.
        buffers : list of Buffer
            All of them.
        record : bool
            Whether the states of all machines are kept for an evaluator.
        """
        self.past = {machine.name: [] for machine in machines} if record else None
        for machine in machines:
            shown, tags = machine.shown, machine.tags
            values: dict[str, Value] = {
                tags.state: int(shown.packml),
                tags.mode: int(shown.mode),
                tags.speed: machine.shown_speed,
                tags.speed_set_point: machine.set_speed,
                tags.blocked: False,
                tags.starved: True,
                tags.processed: 0,
                tags.defective: 0,
                tags.stop_reason: "",
                tags.format: self.formats[machine.shown_format],
                tags.tracking: "",
                tags.command: 0,
                tags.speed_command: machine.set_speed,
                tags.mode_command: int(Mode.PRODUCTION),
                tags.format_command: self.formats[machine.shown_format],
            }
            for tag, value in values.items():
                self.say(tag, value)
            # Readings of the start are the first snapshot; nothing has changed yet.
            self._enter(machine, ())
        for buffer in buffers:
            self.say(buffer.level_tag, 0)
        self.readings = []

    def _enter(self, machine: Machine, passed: tuple[PackMLState, ...]) -> None:
        shown, time, past = machine.shown, self.time, self.past
        before = self.begun.get(machine.name)
        if before is not None and time == before[0]:
            # It did not last; the machine only passed it.
            passed = (*before[5], before[3], *passed)
        elif before is not None and past is not None:
            past[machine.name].append(_new(StateInterval, (before[0], time, *before[2:])))
        now = (time, inf, shown.state, shown.packml, shown.mode, passed)
        self.begun[machine.name] = _new(StateInterval, now)

    def close_moment(self) -> None:
        """Say what has changed at this moment."""
        for machine in self._machines:
            machine.is_dirty = False
            if not machine.is_outside:
                self._show(machine)
        self._machines.clear()
        for buffer in self._buffers:
            buffer.is_dirty = False
            level = len(buffer.queue)
            if level != buffer.shown_level:
                buffer.shown_level = level
                self.say(buffer.level_tag, level)
        self._buffers.clear()

    def _show(self, machine: Machine) -> None:
        tags = machine.tags
        if machine.processed != machine.shown_processed:
            machine.shown_processed = machine.processed
            self.say(tags.processed, machine.processed)
            if machine.defective != machine.shown_defective:
                machine.shown_defective = machine.defective
                self.say(tags.defective, machine.defective)
        if machine.format != machine.shown_format and machine.format >= 0:
            machine.shown_format = machine.format
            self.say(tags.format, self.formats[machine.format])
        old = machine.shown
        new = machine.appearance()
        if new is not old:
            self._show_state(machine, old, new)
        speed = 0.0 if new.is_standing else machine.set_speed
        if speed != machine.shown_speed:
            machine.shown_speed = speed
            self.say(tags.speed, speed)

    def _show_state(self, machine: Machine, old: Appearance, new: Appearance) -> None:
        tags = machine.tags
        machine.shown = new
        if new.packml is not old.packml:
            self.say(tags.state, new.number)
        if new.mode is not old.mode:
            self.say(tags.mode, int(new.mode))
        if new.reason != old.reason:
            self.say(tags.stop_reason, new.reason)
        if new.is_starved is not old.is_starved:
            self.say(tags.starved, new.is_starved)
        if new.is_blocked is not old.is_blocked:
            self.say(tags.blocked, new.is_blocked)
        if new.state is not old.state or new.packml is not old.packml or new.mode is not old.mode:
            passed = WAYS_BY_NUMBER[old.number, new.number]
            self._enter(machine, passed)
