"""The event loop: take the earliest entry, handle it, work off the agenda."""

import numpy as np
from numpy.typing import NDArray

from gigatwin.kernel import buffers, crews, items, rows
from gigatwin.kernel._jit import jit
from gigatwin.kernel.calendar import schedule
from gigatwin.kernel.layout import Cause, Kind, Model, State, Status
from gigatwin.kernel.machines import proceed
from gigatwin.kernel.records import write
from gigatwin.kernel.streams import draw, uniform

_REACHED = int(Status.REACHED)
_PAUSED = int(Status.PAUSED)
_TRACE_FULL = int(Status.TRACE_FULL)
_ITEMS_FULL = int(Status.ITEMS_FULL)
_EMPTY = int(Status.EMPTY)
_TRACE_OVERFLOW = int(Status.TRACE_OVERFLOW)
_PART = int(Cause.PART)
_ARRIVE = int(Kind.ARRIVE)
_STANDSTILL = int(Status.STANDSTILL)
_CONTINUE = -1
MOST_AT_ONCE = 3_000_000
"""Entries handled at one moment before the time is taken to stand still for ever."""


@jit
def _arrival(model: Model, state: State, arrival: int, actor: int) -> None:
    """Let an item come from outside, and schedule the next one."""
    now = state.control[0]["now"]
    a = model.arrivals[arrival]
    mix = a["first_mix"]
    product_format = model.mixes[mix]["format"]
    if a["n_mix"] > 1:
        u = uniform(state, a["stream"] + 1)
        last = mix + a["n_mix"] - 1
        while mix < last and u >= model.mixes[mix]["threshold"]:
            mix += 1
        product_format = model.mixes[mix]["format"]
    item = items.create(state, product_format, 0, 1.0, now)
    machine = model.stations[model.buffers[a["buffer"]]["station"]]["first_machine"]
    write(state, _ARRIVE, machine, item, state.machines[machine]["state"], _PART, actor, 0)
    buffers.put(model, state, a["buffer"], item, actor)
    seconds = draw(model, state, a["law"], a["stream"])
    schedule(state.clock, state.tree, actor, now + seconds)


@jit
def advance(model: Model, state: State, until: float, max_entries: int) -> int:
    """Run until a simulated time, or for a number of calendar entries.

    Parameters
    ----------
    model : Model
        What the kernel knows of the factory.
    state : State
        Changed in place; continues where it was left.
    until : float
        Simulated time to reach; entries at exactly this time are handled. [s]
    max_entries : int
        Number of calendar entries after which to return in any case.

    Returns
    -------
    int
        A `Status`.
    """
    control = state.control[0]
    n_machines = model.sizes[0]
    n_buffers = model.sizes[1]
    n_arrivals = model.sizes[2]
    agenda = state.rows.shape[0] - 1
    record_limit = state.records.shape[0] - control["record_margin"]
    item_limit = control["item_margin"]
    traces = control["traces"] != 0
    machine = rows.take_first(state, agenda)
    entries = 0
    while True:
        while machine >= 0:
            status = proceed(model, state, machine)
            if status != _CONTINUE:
                return status
            machine = rows.take_first(state, agenda)
        if control["n_free"] < item_limit:
            return _ITEMS_FULL
        if traces:
            if control["overflow"] != 0:
                return _TRACE_OVERFLOW
            if control["n_records"] > record_limit:
                return _TRACE_FULL
        if entries >= max_entries:
            return _PAUSED
        actor = state.tree[1]
        time = state.clock[actor]
        if time > until:
            control["now"] = until
            return _REACHED if time < np.inf else _EMPTY
        if time > control["now"]:
            control["at_once"] = 0
        control["at_once"] += 1
        if control["at_once"] > MOST_AT_ONCE:
            control["culprit"] = actor
            return _STANDSTILL
        control["now"] = time
        control["n_events"] += 1
        entries += 1
        # Whoever has had its turn gets a new entry, or none, by the phase it goes to.
        if actor < n_machines:
            machine = actor
        elif actor < n_machines + n_buffers:
            buffers.arrive(model, state, actor - n_machines, actor)
            machine = rows.take_first(state, agenda)
        elif actor < n_machines + n_buffers + n_arrivals:
            _arrival(model, state, actor - n_machines - n_buffers, actor)
            machine = rows.take_first(state, agenda)
        else:
            crews.change_shift(model, state, actor - n_machines - n_buffers - n_arrivals, actor)
            machine = rows.take_first(state, agenda)


@jit
def watch(
    model: Model,
    state: State,
    times: NDArray[np.float64],
    first: int,
    finished: NDArray[np.int64],
    in_process: NDArray[np.int64],
    levels: NDArray[np.int32],
    max_entries: int,
) -> tuple[int, int]:
    """Run from moment to moment and note what is seen at each.

    Parameters
    ----------
    model, state : Model, State
        The run.
    times : numpy.ndarray
        Ascending moments. float64, shape (n,) [s]
    first : int
        The first moment that is still to be reached.
    finished, in_process, levels : numpy.ndarray
        Products finished by format, items in the factory and in each buffer at each moment; filled
        in place. Shapes (n, n_formats), (n,), (n, n_buffers)
    max_entries : int
        Number of calendar entries after which to return in any case.

    Returns
    -------
    status : int
        A `Status`; not reached means that the moment below is still to be reached.
    moment : int
        The number of moments reached.
    """
    control = state.control[0]
    n_formats = model.sizes[4]
    last = control["n_events"] + max_entries
    for k in range(first, times.shape[0]):
        status = advance(model, state, times[k], last - control["n_events"])
        if status not in (_REACHED, _EMPTY):
            return status, k
        finished[k, :] = 0
        for at in range(state.flows.shape[0]):
            finished[k, at % n_formats] += state.flows[at]["finished"]
        in_process[k] = state.items.shape[0] - control["n_free"]
        for buffer in range(state.queues.shape[0]):
            levels[k, buffer] = state.queues[buffer]["count"]
    return _REACHED, times.shape[0]
