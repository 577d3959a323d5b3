"""Machines that wait, in rows: for room, for a part, for a crew, for their turn at this moment.

A machine stands in at most one row at a time, so the link is a field of the machine.
"""

from gigatwin.kernel._jit import jit_inline
from gigatwin.kernel.layout import State


@jit_inline
def join(state: State, row: int, machine: int) -> None:
    """Put a machine at the end of a row."""
    state.machines[machine]["next"] = -1
    ends = state.rows[row]
    if ends["first"] < 0:
        ends["first"] = machine
    else:
        state.machines[ends["last"]]["next"] = machine
    ends["last"] = machine


@jit_inline
def join_in_front(state: State, row: int, machine: int) -> None:
    """Put a machine at the front of a row."""
    ends = state.rows[row]
    state.machines[machine]["next"] = ends["first"]
    if ends["first"] < 0:
        ends["last"] = machine
    ends["first"] = machine


@jit_inline
def take_first(state: State, row: int) -> int:
    """Take the first machine out of a row; -1 where it is empty."""
    ends = state.rows[row]
    machine = int(ends["first"])
    if machine >= 0:
        ends["first"] = state.machines[machine]["next"]
    return machine


@jit_inline
def leave(state: State, row: int, machine: int) -> None:
    """Take a certain machine out of a row that it stands in."""
    ends = state.rows[row]
    before = -1
    at = int(ends["first"])
    while at != machine:
        before = at
        at = int(state.machines[at]["next"])
    after = state.machines[machine]["next"]
    if before < 0:
        ends["first"] = after
    else:
        state.machines[before]["next"] = after
    if after < 0:
        ends["last"] = before


@jit_inline
def to_agenda(state: State, machine: int) -> None:
    """Let a machine go on at this moment, after those that were told before."""
    join(state, state.rows.shape[0] - 1, machine)
