"""PackML: the states, modes and commands of a machine, and the ways between its states.

Numbers are those of the PackTags ``Status.StateCurrent``, ``Status.UnitModeCurrent`` and
``Command.CntrlCmd`` (ANSI/ISA-TR88.00.02, model of 2015). Some companion specifications number
states and commands in another way, so data from outside is matched by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType


class PackMLState(IntEnum):
    """State of a machine.

    HELD has its cause inside the machine, SUSPENDED outside (starved or blocked); ABORTED is a
    fault.
    """

    CLEARING = 1
    STOPPED = 2
    STARTING = 3
    IDLE = 4
    SUSPENDED = 5
    EXECUTE = 6
    STOPPING = 7
    ABORTING = 8
    ABORTED = 9
    HOLDING = 10
    HELD = 11
    UNHOLDING = 12
    SUSPENDING = 13
    UNSUSPENDING = 14
    RESETTING = 15
    COMPLETING = 16
    COMPLETE = 17


class Mode(IntEnum):
    """What a machine is being used for; 1 to 3 are PackML's, those from 4 on our own."""

    PRODUCTION = 1
    MAINTENANCE = 2
    MANUAL = 3
    CHANGEOVER = 4
    TRIAL = 5
    EMPTY_OUT = 6


class Command(IntEnum):
    """What a machine can be told to do."""

    RESET = 1
    START = 2
    STOP = 3
    HOLD = 4
    UNHOLD = 5
    SUSPEND = 6
    UNSUSPEND = 7
    ABORT = 8
    CLEAR = 9
    COMPLETE = 10


WAITING_STATES: frozenset[PackMLState] = frozenset(
    {
        PackMLState.ABORTED,
        PackMLState.COMPLETE,
        PackMLState.HELD,
        PackMLState.IDLE,
        PackMLState.STOPPED,
        PackMLState.SUSPENDED,
    }
)
"""States that a machine leaves only on a command."""

COMPLETIONS: Mapping[PackMLState, PackMLState] = MappingProxyType(
    {
        PackMLState.ABORTING: PackMLState.ABORTED,
        PackMLState.CLEARING: PackMLState.STOPPED,
        PackMLState.STOPPING: PackMLState.STOPPED,
        PackMLState.RESETTING: PackMLState.IDLE,
        PackMLState.STARTING: PackMLState.EXECUTE,
        PackMLState.EXECUTE: PackMLState.COMPLETING,
        PackMLState.COMPLETING: PackMLState.COMPLETE,
        PackMLState.HOLDING: PackMLState.HELD,
        PackMLState.UNHOLDING: PackMLState.EXECUTE,
        PackMLState.SUSPENDING: PackMLState.SUSPENDED,
        PackMLState.UNSUSPENDING: PackMLState.EXECUTE,
    }
)
"""The state that follows an acting state when it is done ("state complete")."""


def _transitions() -> dict[tuple[PackMLState, Command], PackMLState]:
    table = {
        (PackMLState.STOPPED, Command.RESET): PackMLState.RESETTING,
        (PackMLState.COMPLETE, Command.RESET): PackMLState.RESETTING,
        (PackMLState.IDLE, Command.START): PackMLState.STARTING,
        (PackMLState.EXECUTE, Command.COMPLETE): PackMLState.COMPLETING,
        (PackMLState.ABORTED, Command.CLEAR): PackMLState.CLEARING,
        (PackMLState.EXECUTE, Command.HOLD): PackMLState.HOLDING,
        (PackMLState.HELD, Command.UNHOLD): PackMLState.UNHOLDING,
        (PackMLState.EXECUTE, Command.SUSPEND): PackMLState.SUSPENDING,
        (PackMLState.SUSPENDED, Command.UNSUSPEND): PackMLState.UNSUSPENDING,
    }
    cannot_abort = {PackMLState.ABORTING, PackMLState.ABORTED}
    cannot_stop = cannot_abort | {PackMLState.CLEARING, PackMLState.STOPPING, PackMLState.STOPPED}
    for state in PackMLState:
        if state not in cannot_abort:
            table[state, Command.ABORT] = PackMLState.ABORTING
        if state not in cannot_stop:
            table[state, Command.STOP] = PackMLState.STOPPING
    return table


TRANSITIONS: Mapping[tuple[PackMLState, Command], PackMLState] = MappingProxyType(_transitions())
"""The state that follows a command, for every command that is legal in a state."""


def next_state(state: PackMLState, command: Command) -> PackMLState | None:
    """Return the state after a command, or None where the command is not legal."""
    return TRANSITIONS.get((state, command))


def state_after_completion(state: PackMLState) -> PackMLState | None:
    """Return the state after an acting state is done, or None for a waiting state."""
    return COMPLETIONS.get(state)


@dataclass
class PackMLStateMachine:
    """The state of one machine as commands reach it; illegal commands are ignored and counted."""

    state: PackMLState = PackMLState.ABORTED
    """Current state; a machine wakes up aborted."""
    n_ignored_commands: int = 0
    """Commands that were not legal when they came."""

    def command(self, command: Command) -> PackMLState:
        """Follow a command if it is legal, and return the state."""
        following = next_state(self.state, command)
        if following is None:
            self.n_ignored_commands += 1
        else:
            self.state = following
        return self.state

    def complete(self) -> PackMLState:
        """End the acting state, if it is one, and return the state."""
        self.state = COMPLETIONS.get(self.state, self.state)
        return self.state


__all__ = [
    "COMPLETIONS",
    "TRANSITIONS",
    "WAITING_STATES",
    "Command",
    "Mode",
    "PackMLState",
    "PackMLStateMachine",
    "next_state",
    "state_after_completion",
]
