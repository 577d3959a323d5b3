"""What persons can tell a machine: commands, speed, mode, format and settings, with its limits."""

import math
from collections.abc import Callable

from gigatwin.errors import EquipmentError
from gigatwin.plant.appearance import Phase
from gigatwin.plant.line import Line
from gigatwin.plant.machine import Machine
from gigatwin.plant.places import leave_idle
from gigatwin.plant.work import freeze, go_on, see_to_effects
from gigatwin.standards.machine_states import MachineState
from gigatwin.standards.packml import (
    Command,
    Mode,
    PackMLState,
    next_state,
    state_after_completion,
)
from gigatwin.telemetry.readings import Value
from gigatwin.telemetry.tags import SETTING_PREFIX, Quantity, quantity_of

_QUIET = frozenset({PackMLState.STOPPED, PackMLState.IDLE, PackMLState.ABORTED})
"""States in which the mode may change."""
_WRITABLE_MODES = (Mode.PRODUCTION, Mode.MAINTENANCE, Mode.MANUAL, Mode.TRIAL)
_MAKING_MODES = frozenset({Mode.PRODUCTION, Mode.TRIAL})
"""Modes in which a machine can be started."""
_ROUNDING = 1e-9
_CAUSES = {
    MachineState.BREAKDOWN: "the breakdown is not repaired yet",
    MachineState.MICRO_STOP: "the cause of the stop is not removed yet",
    MachineState.PLANNED_STOP: "the planned work is not done yet",
    MachineState.WAITING_FOR_CREW: "it waits for people",
    MachineState.STARVED: "it waits for items, and goes on by itself when they come",
    MachineState.BLOCKED: "it waits for room behind it, and goes on by itself when there is some",
    MachineState.NO_ORDER: "there is no order",
}
_LEAVING = frozenset(
    {Command.RESET, Command.START, Command.UNHOLD, Command.UNSUSPEND, Command.CLEAR}
)
"""Commands that bring a machine back to work."""


class Controls:
    """The controllers of all machines; a write gets the reason why not, or an empty text."""

    def __init__(self, line: Line) -> None:
        """Take over the machines of a line."""
        self._line = line
        self._machines = {machine.element: machine for machine in line.machines.values()}
        self._writers: dict[Quantity, Callable[[Machine, Value], str]] = {
            Quantity.COMMAND: self._write_command,
            Quantity.SPEED_COMMAND: self._write_speed,
            Quantity.MODE_COMMAND: self._write_mode,
            Quantity.FORMAT_COMMAND: self._write_format,
        }

    def write(self, tag: str, value: Value) -> str:
        """Carry out a write; return the reason why not, or an empty text.

        Parameters
        ----------
        tag : str
            Name of the tag.
        value : bool, int, float or str
            What to write.
        """
        element, _, label = tag.partition("/")
        machine = self._machines.get(element)
        known = quantity_of(label)
        if tag not in self._line.journal.latest:
            return f"{tag}: there is no such tag"
        if machine is None or known is None:
            return f"{tag}: cannot be written"
        quantity, which = known
        if quantity is Quantity.SETTING:
            reason = self._write_setting(machine, which, value)
        elif quantity in self._writers:
            reason = self._writers[quantity](machine, value)
        else:
            return f"{tag}: cannot be written"
        self._line.settle()
        return f"{tag}: {reason}" if reason else ""

    # Commands -------------------------------------------------------------------------------------

    def _write_command(self, m: Machine, value: Value) -> str:
        number = _whole(value)
        if number == 0:
            return ""
        if number is None or number not in set(Command):
            names = ", ".join(f"{command.value} {command.name}" for command in Command)
            return f"{value!r}: must be the number of a command ({names})"
        command = Command(number)
        reason = self._command(m, command)
        if reason:
            m.n_ignored += 1
        else:
            self._line.journal.say(m.tags.command, number)
        return reason

    def _command(self, m: Machine, command: Command) -> str:
        appearance = m.appearance()
        following = next_state(appearance.packml, command)
        if following is None:
            return f"{command.name}: not possible in {appearance.packml.name}"
        if not m.is_halted and command in _LEAVING:
            return f"{command.name}: refused; {_CAUSES[appearance.state]}"
        if command is Command.START and m.mode not in _MAKING_MODES:
            return f"START: not possible in the mode {m.mode.name}; write PRODUCTION (1) first"
        if not m.is_halted:
            self._halt(m)
        self._enter(m, following)
        return ""

    def _enter(self, m: Machine, state: PackMLState) -> None:
        m.commanded = state
        self._line.journal.mark(m)
        if state_after_completion(state) is not None:
            # A later command makes an acting state end otherwise; its number tells which is meant.
            due = self._line.now + m.truth.acting_time
            self._line.at(due, self._acted, m, self._next_number(m))

    def _next_number(self, m: Machine) -> int:
        m.acting += 1
        return m.acting

    def _acted(self, m: Machine, number: int) -> None:
        following = state_after_completion(m.commanded)
        if number != m.acting or not m.is_halted or following is None:
            return
        if following is PackMLState.EXECUTE:
            self._resume(m)
        else:
            self._enter(m, following)

    def _halt(self, m: Machine) -> None:
        line = self._line
        if m.phase in {Phase.WORKING, Phase.SETUP}:
            freeze(line, m)
        elif m.phase is Phase.IDLE:
            leave_idle(line, m)
        m.is_halted = True

    def _resume(self, m: Machine) -> None:
        m.is_halted = False
        m.commanded = PackMLState.EXECUTE
        self._line.journal.mark(m)
        if m.phase in {Phase.WORKING, Phase.SETUP}:
            go_on(self._line, m)
        else:
            self._line.wake(m)

    # Values ---------------------------------------------------------------------------------------

    def _write_speed(self, m: Machine, value: Value) -> str:
        nominal = m.nominal_rate
        if nominal <= 0.0:
            return "the machine has no speed"
        low, high = speed_limits(m)
        number = _number(value)
        if number is None or not low - _ROUNDING <= number <= high + _ROUNDING:
            return f"{value!r}: must be from {low:g} to {high:g} items/min"
        before = m.speed
        m.speed = number / nominal
        reason = self._take_effect(m)
        if reason:
            m.speed = before
            return reason
        m.set_speed = m.rate_at(m.speed)
        self._line.journal.say(m.tags.speed_command, number)
        self._line.journal.say(m.tags.speed_set_point, m.set_speed)
        return ""

    def _take_effect(self, m: Machine) -> str:
        try:
            # Other formats come later; a setting has to be possible with all of them.
            for name in self._line.layout.formats:
                m.response.effects(m.speed, m.settings, m.changed, name)
        except EquipmentError as error:
            return f"the machine cannot work in this way ({error})"
        see_to_effects(self._line, m)
        self._line.journal.mark(m)
        return ""

    def _write_mode(self, m: Machine, value: Value) -> str:
        number = _whole(value)
        if number not in {mode.value for mode in _WRITABLE_MODES}:
            names = ", ".join(f"{mode.value} {mode.name}" for mode in _WRITABLE_MODES)
            return f"{value!r}: must be one of {names}"
        shown = m.appearance().packml
        if not m.is_halted or shown not in _QUIET:
            return f"the mode cannot change in {shown.name}; stop the machine first"
        m.mode = Mode(number)
        self._line.journal.mark(m)
        self._line.journal.say(m.tags.mode_command, m.mode.value)
        return ""

    def _write_format(self, m: Machine, value: Value) -> str:
        line = self._line
        formats = line.layout.formats
        name = str(value)
        if name not in formats:
            return f"{value!r}: must be one of {', '.join(formats)}"
        if m.station.name in line.supplies and line.layout.orders:
            return "the format follows the orders"
        m.wanted_format = formats.index(name)
        line.journal.say(m.tags.format_command, name)
        if m.phase is Phase.IDLE:
            leave_idle(line, m)
            line.wake(m)
        return ""

    def _write_setting(self, m: Machine, name: str, value: Value) -> str:
        low, high, steps = setting_limits(m, name)
        number = _number(value)
        if number is None or not low - _ROUNDING <= number <= high + _ROUNDING:
            return f"{value!r}: must be from {low:g} to {high:g}"
        if steps and min(abs(number - step) for step in steps) > _ROUNDING * max(1.0, abs(high)):
            return f"{value!r}: must be one of {', '.join(f'{step:g}' for step in steps)}"
        values = m.changed if name in m.station.settings else m.settings
        before = values.get(name)
        values[name] = number
        reason = self._take_effect(m)
        if reason:
            if before is None:
                del values[name]
            else:
                values[name] = before
            return reason
        self._line.journal.say(f"{m.element}/{SETTING_PREFIX}{name}", number)
        return ""


def speed_limits(m: Machine) -> tuple[float, float]:
    """Return the lowest and highest speed that a machine accepts, in items per minute."""
    nominal = m.nominal_rate
    truth, described = m.truth.speed, m.station.speed
    return nominal * min(truth.low, described), nominal * max(truth.high, described)


def setting_limits(m: Machine, name: str) -> tuple[float, float, tuple[float, ...]]:
    """Return lowest and highest value of a setting in its unit, and its steps if it has any."""
    described = m.station.settings.get(name)
    if described is not None:
        return described.low, described.high, described.steps
    setting = m.truth.settings[name]
    return setting.low, setting.high, ()


def _number(value: Value) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _whole(value: Value) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number == int(number) else None
