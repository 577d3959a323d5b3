"""Buffers: putting, taking, blocking after service, waking who waits for a part."""

import numpy as np

from gigatwin.kernel import rows
from gigatwin.kernel._jit import jit, jit_hot, jit_inline
from gigatwin.kernel.calendar import schedule
from gigatwin.kernel.layout import UNDECIDED, Cause, Kind, Model, Phase, State
from gigatwin.kernel.records import write
from gigatwin.kernel.streams import draw
from gigatwin.standards.machine_states import MachineState

_WOKEN = int(Phase.WOKEN)
_RELEASING = int(Phase.RELEASING)
_PART = int(Cause.PART)
_SPACE = int(Cause.SPACE)
_LEAVE = int(Kind.LEAVE)
_BLOCKED = int(MachineState.BLOCKED)
_STARVED = int(MachineState.STARVED)


@jit_inline
def wake(model: Model, state: State, station: int, actor: int) -> None:
    """Send the first idle machine of a station to the agenda, or all of a station with inputs.

    With inputs, the first one may lack something else, and another one may need just this.
    """
    s = model.stations[station]
    while True:
        machine = rows.take_first(state, s["idle_row"])
        if machine < 0:
            break
        r = state.machines[machine]
        r["phase"] = _WOKEN
        r["cause"] = _PART
        r["because"] = actor
        rows.to_agenda(state, machine)
        if s["n_ports"] == 0:
            break


@jit_inline
def _differ(state: State, item: int, other: int) -> int:
    a = state.items[item]
    b = state.items[other]
    return 1 if a["format"] != b["format"] or a["order"] != b["order"] else 0


@jit_hot
def put(model: Model, state: State, buffer: int, item: int, actor: int) -> None:
    """Append an item to a buffer that has room for it."""
    now = state.control[0]["now"]
    q = state.queues[buffer]
    b = model.buffers[buffer]
    r = state.items[item]
    q["area"] += q["count"] * (now - q["since"])
    q["since"] = now
    r["next"] = -1
    if q["count"] == 0:
        q["head"] = item
    else:
        if b["batches"] != 0:
            q["changes"] += _differ(state, q["tail"], item)
        state.items[q["tail"]]["next"] = item
    q["tail"] = item
    q["count"] += 1
    q["peak"] = max(q["peak"], q["count"])
    if b["moves"] != 0:
        n_formats = model.transfers.shape[0] // model.buffers.shape[0]
        law = model.transfers[buffer * n_formats + r["format"]]
        arrives = now + draw(model, state, law, q["stream"])
        arrives = max(arrives, q["last_arrival"])
        q["last_arrival"] = arrives
        r["arrives"] = arrives
        # Behind an item that arrives at this very moment, too, an item keeps its place.
        if arrives > now or q["moving"] >= 0:
            if q["moving"] < 0:
                q["moving"] = item
                schedule(state.clock, state.tree, model.sizes[0] + buffer, arrives)
            return
    q["arrived"] += 1
    wake(model, state, b["station"], actor)


@jit
def arrive(model: Model, state: State, buffer: int, actor: int) -> None:
    """Let the first item on its way arrive, and wait for the next one."""
    q = state.queues[buffer]
    q["arrived"] += 1
    following = state.items[q["moving"]]["next"]
    q["moving"] = following
    if following >= 0:
        schedule(state.clock, state.tree, actor, state.items[following]["arrives"])
    else:
        schedule(state.clock, state.tree, actor, np.inf)
    wake(model, state, model.buffers[buffer]["station"], actor)


@jit_hot
def hand_over(model: Model, state: State, machine: int, actor: int) -> int:
    """Relieve a blocked machine of its first item and let it go on."""
    r = state.machines[machine]
    item = int(r["head"])
    r["head"] = state.items[item]["next"]
    r["n_items"] -= 1
    n_formats = model.sizes[4]
    flow = state.flows[model.machine_station[machine] * n_formats + state.items[item]["format"]]
    flow["left"] += 1
    after = _BLOCKED if r["n_items"] > 0 else _STARVED
    write(state, _LEAVE, machine, item, after, _SPACE, actor, r["target"])
    r["target"] = UNDECIDED
    r["phase"] = _RELEASING
    r["cause"] = _SPACE
    r["because"] = actor
    return item


@jit_hot
def take(model: Model, state: State, buffer: int, actor: int) -> int:
    """Take the first arrived item, or one from the first waiter where the buffer has no places.

    The caller has made sure that there is one.
    """
    if model.buffers[buffer]["capacity"] == 0:
        waiter = rows.take_first(state, buffer)
        item = hand_over(model, state, waiter, actor)
        rows.to_agenda(state, waiter)
        return item
    now = state.control[0]["now"]
    q = state.queues[buffer]
    item = int(q["head"])
    q["area"] += q["count"] * (now - q["since"])
    q["since"] = now
    q["head"] = state.items[item]["next"]
    q["count"] -= 1
    q["arrived"] -= 1
    if model.buffers[buffer]["batches"] != 0 and q["count"] > 0:
        q["changes"] -= _differ(state, item, q["head"])
    waiter = rows.take_first(state, buffer)
    if waiter >= 0:
        put(model, state, buffer, hand_over(model, state, waiter, actor), waiter)
        rows.to_agenda(state, waiter)
    return item


@jit_inline
def n_ready(model: Model, state: State, buffer: int) -> int:
    """Return how many items can be taken: arrived ones, or without places at most one."""
    if model.buffers[buffer]["capacity"] == 0:
        return 1 if state.rows[buffer]["first"] >= 0 else 0
    return int(state.queues[buffer]["arrived"])


@jit_inline
def first_ready(model: Model, state: State, buffer: int) -> int:
    """Return the item that `take` would take."""
    if model.buffers[buffer]["capacity"] == 0:
        return int(state.machines[state.rows[buffer]["first"]]["head"])
    return int(state.queues[buffer]["head"])
