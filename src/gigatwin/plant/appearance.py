"""The phases of a machine's work, and what it shows of itself in each."""

from enum import IntEnum
from types import MappingProxyType

from gigatwin.standards.machine_states import PACKML_MODE, PACKML_STATE, MachineState
from gigatwin.standards.packml import Mode, PackMLState


class Phase(IntEnum):
    """What a machine is about to do, or does."""

    READY = 0
    IDLE = 1
    LOADED = 2
    CALLS_FOR_SETUP = 3
    SETUP = 4
    CALLS_FOR_WORK = 5
    STAFFED = 6
    WORKING = 7
    DONE = 8
    """Holds finished items; blocked if it still does at the end of a moment."""
    CALLS_FOR_REPAIR = 9
    REPAIR = 10


HALTED_STATE = MappingProxyType(
    {
        PackMLState.STOPPING: MachineState.PLANNED_STOP,
        PackMLState.STOPPED: MachineState.PLANNED_STOP,
        PackMLState.CLEARING: MachineState.BREAKDOWN,
        PackMLState.ABORTING: MachineState.BREAKDOWN,
        PackMLState.ABORTED: MachineState.BREAKDOWN,
        PackMLState.HOLDING: MachineState.MICRO_STOP,
        PackMLState.HELD: MachineState.MICRO_STOP,
        PackMLState.UNHOLDING: MachineState.MICRO_STOP,
        PackMLState.RESETTING: MachineState.NO_ORDER,
        PackMLState.IDLE: MachineState.NO_ORDER,
        PackMLState.STARTING: MachineState.NO_ORDER,
        PackMLState.COMPLETING: MachineState.NO_ORDER,
        PackMLState.COMPLETE: MachineState.NO_ORDER,
        PackMLState.SUSPENDING: MachineState.STARVED,
        PackMLState.SUSPENDED: MachineState.STARVED,
        PackMLState.UNSUSPENDING: MachineState.STARVED,
    }
)
"""What a state that a person brought about is among the nine states."""
PROCESS_STATE = {
    Phase.READY: MachineState.STARVED,
    Phase.LOADED: MachineState.STARVED,
    Phase.CALLS_FOR_SETUP: MachineState.WAITING_FOR_CREW,
    Phase.SETUP: MachineState.SETUP,
    Phase.CALLS_FOR_WORK: MachineState.WAITING_FOR_CREW,
    Phase.STAFFED: MachineState.STARVED,
    Phase.WORKING: MachineState.EXECUTING,
    Phase.DONE: MachineState.BLOCKED,
    Phase.CALLS_FOR_REPAIR: MachineState.WAITING_FOR_CREW,
}
STANDING_MODES = frozenset({Mode.MAINTENANCE, Mode.MANUAL})
WAITS_FOR_CREW = "waiting_for_crew"
"""Stop reason of a machine that needs people who are busy elsewhere."""
BY_OPERATOR = "operator"
"""Stop reason of a machine that a person stopped or held."""
STANDING = frozenset(
    {
        PackMLState.ABORTED,
        PackMLState.ABORTING,
        PackMLState.CLEARING,
        PackMLState.COMPLETE,
        PackMLState.HELD,
        PackMLState.IDLE,
        PackMLState.RESETTING,
        PackMLState.STOPPED,
    }
)
"""States in which the drives stand, so that the actual speed is 0."""


class Appearance:
    """What a machine shows of itself at one moment."""

    __slots__ = (
        "is_blocked",
        "is_standing",
        "is_starved",
        "mode",
        "number",
        "packml",
        "reason",
        "state",
    )

    def __init__(
        self,
        state: MachineState,
        packml: PackMLState,
        mode: Mode,
        reason: str = "",
        *,
        is_halted: bool = False,
    ) -> None:
        """Keep what is given; a halted machine waits for nobody else.

        Parameters
        ----------
        state : MachineState
            Among the nine states.
        packml : PackMLState
            PackML state.
        mode : Mode
            PackML mode.
        reason : str
            Name of the stop; empty: none.
        is_halted : bool
            Whether a person brought it about.
        """
        self.state = state
        self.packml = packml
        # Plain numbers are quicker to compare and to look up than members of enumerations.
        self.number = int(packml)
        self.mode = mode
        self.reason = reason
        self.is_standing = packml in STANDING
        self.is_starved = state is MachineState.STARVED and not is_halted
        self.is_blocked = state is MachineState.BLOCKED and not is_halted


BY_PROCESS = {
    state: Appearance(
        state,
        PACKML_STATE[state],
        PACKML_MODE[state],
        WAITS_FOR_CREW if state is MachineState.WAITING_FOR_CREW else "",
    )
    for state in MachineState
}
WORKING = BY_PROCESS[MachineState.EXECUTING]
"""Appearance of a machine at work in production."""
BLOCKED = BY_PROCESS[MachineState.BLOCKED]
"""Appearance of a blocked machine in production."""
