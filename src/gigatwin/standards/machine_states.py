"""The nine states of a machine in gigatwin, and what they are in PackML and in ISO 22400."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from gigatwin.standards.iso22400 import TimeElement
from gigatwin.standards.packml import Mode, PackMLState


class MachineState(IntEnum):
    """State of a machine; the kernel counts time under these numbers."""

    STARVED = 0
    """Has an order, but no item, or not all its inputs."""
    EXECUTING = 1
    """Processes an item."""
    BLOCKED = 2
    """Is done with an item that has no place to go."""
    WAITING_FOR_CREW = 3
    """Needs people or a vehicle that are busy elsewhere."""
    SETUP = 4
    """Is being changed over to another format."""
    BREAKDOWN = 5
    """Has failed and is being repaired."""
    MICRO_STOP = 6
    """Stands for a moment because of a fault of its own."""
    PLANNED_STOP = 7
    """Stands as planned: maintenance, cleaning, a change of material."""
    NO_ORDER = 8
    """Has nothing left to make."""


INACTIVE_STATES: frozenset[MachineState] = frozenset(
    {MachineState.STARVED, MachineState.BLOCKED, MachineState.NO_ORDER}
)
"""States in which a machine waits for its surroundings; it is active in all others."""

PACKML_STATE: Mapping[MachineState, PackMLState] = MappingProxyType(
    {
        MachineState.STARVED: PackMLState.SUSPENDED,
        MachineState.EXECUTING: PackMLState.EXECUTE,
        MachineState.BLOCKED: PackMLState.SUSPENDED,
        MachineState.WAITING_FOR_CREW: PackMLState.HELD,
        MachineState.SETUP: PackMLState.EXECUTE,
        MachineState.BREAKDOWN: PackMLState.ABORTED,
        MachineState.MICRO_STOP: PackMLState.HELD,
        MachineState.PLANNED_STOP: PackMLState.STOPPED,
        MachineState.NO_ORDER: PackMLState.IDLE,
    }
)
"""PackML state that each state is shown as, in the mode that ``PACKML_MODE`` gives."""

PACKML_MODE: Mapping[MachineState, Mode] = MappingProxyType(
    {
        state: {
            MachineState.SETUP: Mode.CHANGEOVER,
            MachineState.PLANNED_STOP: Mode.MAINTENANCE,
        }.get(state, Mode.PRODUCTION)
        for state in MachineState
    }
)
"""PackML mode that goes with each state."""

TIME_ELEMENT: Mapping[MachineState, TimeElement] = MappingProxyType(
    {
        MachineState.STARVED: TimeElement.ACTUAL_UNIT_DELAY_TIME,
        MachineState.EXECUTING: TimeElement.ACTUAL_PRODUCTION_TIME,
        MachineState.BLOCKED: TimeElement.ACTUAL_UNIT_DELAY_TIME,
        MachineState.WAITING_FOR_CREW: TimeElement.ACTUAL_UNIT_DELAY_TIME,
        MachineState.SETUP: TimeElement.ACTUAL_UNIT_SETUP_TIME,
        MachineState.BREAKDOWN: TimeElement.ACTUAL_UNIT_DELAY_TIME,
        MachineState.MICRO_STOP: TimeElement.ACTUAL_UNIT_DELAY_TIME,
        MachineState.PLANNED_STOP: TimeElement.PLANNED_DOWN_TIME,
        MachineState.NO_ORDER: TimeElement.ACTUAL_UNIT_DOWN_TIME,
    }
)
"""Time element of ISO 22400 that the time in each state goes to."""


def packml_time_element(
    mode: Mode, state: PackMLState, *, has_order: bool, is_planned: bool = True
) -> TimeElement:
    """Return the time element that time in a PackML mode and state goes to.

    Parameters
    ----------
    mode : Mode
        Current mode; trials and emptying out count as production.
    state : PackMLState
        Current state.
    has_order : bool
        Whether an order is active on the machine.
    is_planned : bool
        Whether maintenance or manual work was planned.

    References
    ----------
    .. [1] OPC 40001-1, Annex C: not executing is delay with an order, down time without one.
    """
    if mode is Mode.CHANGEOVER:
        return TimeElement.ACTUAL_UNIT_SETUP_TIME
    if mode in (Mode.MAINTENANCE, Mode.MANUAL):
        if is_planned:
            return TimeElement.PLANNED_DOWN_TIME
        return TimeElement.ACTUAL_UNIT_DELAY_TIME
    if not has_order:
        return TimeElement.ACTUAL_UNIT_DOWN_TIME
    if state is PackMLState.EXECUTE:
        return TimeElement.ACTUAL_PRODUCTION_TIME
    return TimeElement.ACTUAL_UNIT_DELAY_TIME


__all__ = [
    "INACTIVE_STATES",
    "PACKML_MODE",
    "PACKML_STATE",
    "TIME_ELEMENT",
    "MachineState",
    "packml_time_element",
]
