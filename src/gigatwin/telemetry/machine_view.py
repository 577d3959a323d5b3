"""The state of a machine in the factory, as its tags show it."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from gigatwin.standards.machine_states import MachineState
from gigatwin.standards.packml import Mode, PackMLState

_P = PackMLState
_FAULT = frozenset({_P.ABORTED, _P.ABORTING, _P.CLEARING})
_OWN_CAUSE = frozenset({_P.HELD, _P.HOLDING, _P.UNHOLDING})
_OUTER_CAUSE = frozenset({_P.SUSPENDED, _P.SUSPENDING, _P.UNSUSPENDING})
_STOPPED = frozenset({_P.STOPPED, _P.STOPPING})
_STANDING_MODES = frozenset({Mode.MAINTENANCE, Mode.MANUAL})
_CREW_WORDS = frozenset({"waiting_for_crew", "waiting_for_operator", "no_operator", "no_crew"})

STOPPED_STATES = frozenset(
    {
        MachineState.BREAKDOWN,
        MachineState.MICRO_STOP,
        MachineState.PLANNED_STOP,
        MachineState.WAITING_FOR_CREW,
    }
)
"""States that begin with STOP and end with RESUME."""
_HIGHEST_STATE = max(PackMLState)
_HIGHEST_MODE = 31
_STATE_NAMES: Mapping[str, int] = MappingProxyType(
    {state.name: int(state) for state in PackMLState} | {"COMPLETED": int(_P.COMPLETE)}
)
_MODE_NAMES: Mapping[str, int] = MappingProxyType({mode.name: int(mode) for mode in Mode})


def machine_state_of(
    state: int, mode: int | None, stop_reason: str, *, is_blocked: bool
) -> MachineState:
    """Return the state of a machine whose tags say this.

    Parameters
    ----------
    state : int
        PackML state.
    mode : int or None
        PackML mode; None: not known, taken as production.
    stop_reason : str
        Name of the stop; empty: none.
    is_blocked : bool
        The interlock; a suspended machine that is not blocked is starved.

    Notes
    -----
    A machine that is held without a reason of its own waits for a crew. Acting states count as the
    state that they lead to or away from, but for EXECUTE.
    """
    if state in _FAULT:
        return MachineState.BREAKDOWN
    if state in _OWN_CAUSE:
        is_own = stop_reason and plain_name(stop_reason).lower() not in _CREW_WORDS
        return MachineState.MICRO_STOP if is_own else MachineState.WAITING_FOR_CREW
    if state in _OUTER_CAUSE:
        return MachineState.BLOCKED if is_blocked else MachineState.STARVED
    if mode == Mode.CHANGEOVER:
        return MachineState.SETUP
    if state == _P.EXECUTE:
        return MachineState.EXECUTING
    is_planned = state in _STOPPED or mode in _STANDING_MODES
    return MachineState.PLANNED_STOP if is_planned else MachineState.NO_ORDER


def is_settled(state: int, stop_reason: str, *, is_blocked: bool, is_starved: bool) -> bool:
    """Whether tags say all that is needed to tell the state; False: some have not come yet."""
    if state in _OUTER_CAUSE:
        return is_blocked or is_starved
    return bool(stop_reason) or not (state in _FAULT or state in _OWN_CAUSE or state in _STOPPED)


def plain_name(text: str) -> str:
    """Return a name in capitals with ``_`` for other signs: ``Un-Holding`` is ``UN_HOLDING``."""
    return re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_")


def packml_number(value: object, *, is_mode: bool = False) -> int | None:
    """Return the number of a PackML state or mode, given by number or by name; None: it is none."""
    if isinstance(value, str):
        name = plain_name(value)
        known = _MODE_NAMES if is_mode else _STATE_NAMES
        return known.get(name, known.get(name.replace("_", "")))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Further modes are a plant's own; they count as production.
    lowest, highest = (0, _HIGHEST_MODE) if is_mode else (1, _HIGHEST_STATE)
    return int(value) if lowest <= value <= highest and value == int(value) else None
