"""Shared resources: first come, first served; shifts change how many there are."""

import numpy as np

from gigatwin.kernel import rows
from gigatwin.kernel._jit import jit, jit_inline
from gigatwin.kernel.calendar import schedule
from gigatwin.kernel.layout import Cause, Model, State

_CREW = int(Cause.CREW)


@jit_inline
def _count_use(state: State, resource: int) -> None:
    pool = state.pools[resource]
    now = state.control[0]["now"]
    pool["area"] += (pool["capacity"] - pool["free"]) * (now - pool["since"])
    pool["since"] = now


@jit
def request(model: Model, state: State, resource: int, quantity: int, machine: int) -> bool:
    """Take units of a resource, or join its row; say whether they were granted."""
    pool = state.pools[resource]
    row = model.resources[resource]["row"]
    if state.rows[row]["first"] < 0 and pool["free"] >= quantity:
        _count_use(state, resource)
        pool["free"] -= quantity
        return True
    state.machines[machine]["needs_crew"] = quantity
    rows.join(state, row, machine)
    return False


@jit
def grant(model: Model, state: State, resource: int, back: int, actor: int) -> None:
    """Give units back and serve who waits, in order, while enough are free."""
    pool = state.pools[resource]
    row = model.resources[resource]["row"]
    _count_use(state, resource)
    pool["free"] += back
    first = state.rows[row]["first"]
    while first >= 0 and pool["free"] >= state.machines[first]["needs_crew"]:
        pool["free"] -= state.machines[first]["needs_crew"]
        machine = rows.take_first(state, row)
        state.machines[machine]["cause"] = _CREW
        state.machines[machine]["because"] = actor
        rows.to_agenda(state, machine)
        first = state.rows[row]["first"]


@jit
def change_shift(model: Model, state: State, resource: int, actor: int) -> None:
    """Go to the next step of a shift calendar."""
    r = model.resources[resource]
    pool = state.pools[resource]
    at = pool["shift"]  # steps since the start of the first period
    n = r["n_shifts"]
    step = model.shifts[r["first_shift"] + at % n]
    difference = step["capacity"] - pool["capacity"]
    _count_use(state, resource)
    pool["capacity"] = step["capacity"]
    pool["shift"] = at + 1
    following = model.shifts[r["first_shift"] + (at + 1) % n]
    time = ((at + 1) // n) * r["period"] + following["at"]
    schedule(state.clock, state.tree, actor, time if n > 1 else np.inf)
    grant(model, state, resource, difference, actor)
