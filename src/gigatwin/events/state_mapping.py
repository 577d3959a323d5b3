"""What the columns and the words of a log of machine states mean."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gigatwin.standards.machine_states import MachineState

_S = MachineState
_WORDS = {
    _S.EXECUTING: "working work active running run producing production execute processing busy",
    _S.STARVED: "idle ready waiting wait standby suspended program_completed",
    _S.BLOCKED: "full",
    _S.WAITING_FOR_CREW: "waiting_for_operator no_operator",
    _S.SETUP: "set_up changeover adjusting",
    _S.BREAKDOWN: "stopped stop fault faulted down downtime alarm failure failed error aborted "
    "repair emergency_stop triggered",
    _S.MICRO_STOP: "interrupted feed_hold held hold minor_stop jam paused pause",
    _S.PLANNED_STOP: "planned planned_downtime planned_down_time maintenance cleaning break "
    "program_stopped optional_stop",
    _S.NO_ORDER: "no_demand off power_off shutdown",
}
STATE_WORDS: dict[str, MachineState] = {state.name.lower(): state for state in MachineState} | {
    word: state for state, words in _WORDS.items() for word in words.split()
}
"""Words for states, in lower case with ``_`` for other signs, and what they are taken for."""
UNKNOWN_WORDS = frozenset({"", "unavailable", "unknown", "undefined", "offline", "none"})
"""Words that say that the state is not known."""

_UNCLEAR = {
    _S.STARVED: "the machine waits and the log does not say for what; taken as starved",
    _S.BREAKDOWN: "taken as a breakdown, though it may be a planned or an operator's stop",
    _S.MICRO_STOP: "taken as a micro-stop of its own, though an operator may have asked for it",
}
_CLEAR = frozenset(
    {"starved", "breakdown", "micro_stop", "fault", "faulted", "failure", "failed", "alarm", "jam"}
)


class StateMapping(BaseModel):
    """What the columns and words of a log of machine states mean."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        coerce_numbers_to_str=True,
    )

    machine: str | None = None
    """Column with the machine; left out where the whole log is of one machine."""
    machine_name: str | None = None
    """Name of the machine, if no column has it; left out: the first word of the file's name."""
    start: str
    """Column with the begin of a state, or with the time of a change."""
    end: str | None = None
    """Column with its end; left out: until the next row of the machine."""
    state: str
    """Column with the state."""
    item: str | None = None
    """Column with the item that the machine worked on."""
    case: str | None = None
    """Column with the order or case."""
    energy: str | None = None
    """Column with the energy of the interval."""
    energy_unit: Literal["J", "kJ", "MJ", "Ws", "Wh", "kWh", "MWh"] | None = None
    """Unit of the energy; without it the energy is not used."""
    words: dict[str, str] = {}
    """Words of the log to states (``starved``, ``executing``, ``blocked``, ``waiting_for_crew``,
    ``setup``, ``breakdown``, ``micro_stop``, ``planned_stop``, ``no_order``), besides the usual."""
    time_zone: str | None = None
    """IANA zone that times without an offset are in."""
    date_format: str | None = None
    """Form of dates that could be read in several ways."""


JOULES = {"J": 1.0, "kJ": 1e3, "MJ": 1e6, "Ws": 1.0, "Wh": 3.6e3, "kWh": 3.6e6, "MWh": 3.6e9}
"""Units of energy. [J]"""


def plain_word(word: str) -> str:
    """Return a state's word in lower case with ``_`` for other signs."""
    return re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_")


def state_of(word: str, given: dict[str, MachineState]) -> MachineState | None:
    """Return the state that a word means, by the words given (plain) or the usual ones."""
    return given.get(plain_word(word), STATE_WORDS.get(plain_word(word)))


def unclear(word: str, given: dict[str, MachineState]) -> str | None:
    """Return what is not clear about a word; None where it is clear or was given."""
    plain = plain_word(word)
    state = STATE_WORDS.get(plain)
    if plain in given or plain in _CLEAR or state not in _UNCLEAR:
        return None
    return f"'{word}': {_UNCLEAR[state]}"
