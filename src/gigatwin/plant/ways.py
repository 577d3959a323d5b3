"""The legal ways between any two PackML states, found in the standard's own table.

A machine that starves or fails passes acting states such as SUSPENDING within one scan of its
controller; they are not shown, but the way through them has to be a legal one.
"""

from collections import deque
from collections.abc import Mapping
from types import MappingProxyType

from gigatwin.standards.packml import COMPLETIONS, TRANSITIONS, Command, PackMLState

_ORDER = (
    Command.RESET,
    Command.START,
    Command.HOLD,
    Command.UNHOLD,
    Command.SUSPEND,
    Command.UNSUSPEND,
    Command.CLEAR,
    Command.COMPLETE,
    Command.STOP,
    Command.ABORT,
)
"""Which command is preferred where two ways are equally long: the gentler one."""


def _steps(state: PackMLState) -> list[PackMLState]:
    following = [TRANSITIONS[state, c] for c in _ORDER if (state, c) in TRANSITIONS]
    # EXECUTE is done on the command COMPLETE only: supply is endless.
    if state in COMPLETIONS and state is not PackMLState.EXECUTE:
        following.insert(0, COMPLETIONS[state])
    return following


def _ways_from(
    start: PackMLState,
) -> dict[tuple[PackMLState, PackMLState], tuple[PackMLState, ...]]:
    found: dict[PackMLState, tuple[PackMLState, ...]] = {start: ()}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        for following in _steps(state):
            if following not in found:
                found[following] = (*found[state], following)
                waiting.append(following)
    return {(start, end): passed[:-1] for end, passed in found.items()}


WAYS: Mapping[tuple[PackMLState, PackMLState], tuple[PackMLState, ...]] = MappingProxyType(
    {pair: passed for state in PackMLState for pair, passed in _ways_from(state).items()}
)
"""States passed between two states on the shortest legal way, without the two."""
WAYS_BY_NUMBER: Mapping[tuple[int, int], tuple[PackMLState, ...]] = MappingProxyType(
    {(int(start), int(end)): passed for (start, end), passed in WAYS.items()}
)
"""The same by the numbers of the states, which is quicker to look up."""
