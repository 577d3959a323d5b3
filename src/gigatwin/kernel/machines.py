"""A machine goes through its phases until it must wait."""

import numpy as np

from gigatwin.kernel import buffers, crews, intake, items, rows, stops
from gigatwin.kernel._jit import jit, jit_hot
from gigatwin.kernel.calendar import schedule
from gigatwin.kernel.layout import (
    OUT,
    UNDECIDED,
    Cause,
    Feature,
    Kind,
    Model,
    Phase,
    Purpose,
    State,
    Status,
)
from gigatwin.kernel.quality import decide
from gigatwin.kernel.records import enter, write
from gigatwin.kernel.streams import draw
from gigatwin.standards.machine_states import MachineState

_IDLE = int(Phase.IDLE)
_WOKEN = int(Phase.WOKEN)
_READY = int(Phase.READY)
_LOADED = int(Phase.LOADED)
_STAFFED = int(Phase.STAFFED)
_EXECUTING_PHASE = int(Phase.EXECUTING)
_RELEASING = int(Phase.RELEASING)
_BLOCKED_PHASE = int(Phase.BLOCKED)
_CALLS_FOR_STOP = int(Phase.CALLS_FOR_STOP)
_CALLS_FOR_SETUP = int(Phase.CALLS_FOR_SETUP)
_CALLS_FOR_WORK = int(Phase.CALLS_FOR_WORK)
_STOPPED = int(Phase.STOPPED)
_SETUP_PHASE = int(Phase.SETUP)
_STARVED = int(MachineState.STARVED)
_EXECUTING = int(MachineState.EXECUTING)
_BLOCKED = int(MachineState.BLOCKED)
_WAITING = int(MachineState.WAITING_FOR_CREW)
_SETUP = int(MachineState.SETUP)
_NO_ORDER = int(MachineState.NO_ORDER)
_STOPS = int(Feature.STOPS)
_CHANGEOVER = int(Feature.CHANGEOVER)
_PORTS = int(Feature.PORTS)
_OPERATORS = int(Feature.OPERATORS)
_SPLITS = int(Feature.SPLITS)
_AMOUNTS = int(Feature.AMOUNTS)
_PART = int(Cause.PART)
_MACHINE = int(Cause.MACHINE)
_CREW = int(Cause.CREW)
_SET_UP = int(Cause.CHANGEOVER)
_START = int(Kind.START)
_BLOCK = int(Kind.BLOCK)
_LEAVE = int(Kind.LEAVE)
_STARVE = int(Kind.STARVE)
_CALL = int(Kind.CALL)
_SETUP_KIND = int(Kind.SETUP)
_SERVICE_STREAM = int(Purpose.SERVICE)
_SETUP_STREAM = int(Purpose.SETUP)
_DEADLOCK = int(Status.DEADLOCK)
_CONTINUE = -1


@jit_hot
def _idle(model: Model, state: State, index: int, machine: int, now: float) -> None:
    """Wait for a part; who was woken in vain keeps its place."""
    r = state.machines[machine]
    station = model.stations[index]
    if r["phase"] == _WOKEN and not station["features"] & _PORTS:
        rows.join_in_front(state, station["idle_row"], machine)
    else:
        rows.join(state, station["idle_row"], machine)
    r["phase"] = _IDLE
    entry = np.inf
    machine_state = _STARVED
    if station["features"] & _STOPS:
        entry = stops.next_on_calendar(model, state, machine)
    if station["ordered"] != 0:
        entry = min(entry, intake.next_release(model, state, index, now))
        machine_state = _NO_ORDER
    if r["state"] != machine_state:
        # That a machine starves stands in its record LEAVE or RESUME already.
        if machine_state == _NO_ORDER:
            write(state, _STARVE, machine, -1, _NO_ORDER, _MACHINE, machine, 0)
        enter(state, machine, machine_state, now)
    schedule(state.clock, state.tree, machine, entry)


@jit
def _set_up(model: Model, state: State, machine: int, now: float) -> bool:
    """See to the changeover of a loaded machine; say whether it can go on at once."""
    r = state.machines[machine]
    index = model.machine_station[machine]
    station = model.stations[index]
    item = r["head"]
    product_format = state.items[item]["format"]
    called = r["phase"] == _CALLS_FOR_SETUP
    if not called:
        if r["format"] == product_format:
            return True
        if r["format"] < 0:
            r["format"] = product_format
            return True
        if station["setup_crew"] >= 0 and not crews.request(
            model, state, station["setup_crew"], station["n_setup_crew"], machine
        ):
            r["phase"] = _CALLS_FOR_SETUP
            schedule(state.clock, state.tree, machine, np.inf)
            enter(state, machine, _WAITING, now)
            write(
                state,
                _CALL,
                machine,
                item,
                _WAITING,
                r["cause"],
                r["because"],
                station["setup_crew"],
            )
            return False
    write(
        state, _SETUP_KIND, machine, item, _SETUP, r["cause"], r["because"], station["setup_crew"]
    )
    enter(state, machine, _SETUP, now)
    r["phase"] = _SETUP_PHASE
    n_formats = model.sizes[4]
    law = model.setups[station["first_setup"] + r["format"] * n_formats + product_format]
    seconds = draw(model, state, law, r["first_stream"] + _SETUP_STREAM)
    state.flows[index * n_formats + product_format]["setup"] += seconds
    schedule(state.clock, state.tree, machine, now + seconds)
    return False


@jit_hot
def _start(model: Model, state: State, index: int, machine: int, now: float) -> None:
    """Draw the work of a cycle and begin it."""
    r = state.machines[machine]
    item = r["head"]
    recipe = model.recipes[index * model.sizes[4] + state.items[item]["format"]]
    work = draw(model, state, recipe["law"], r["first_stream"] + _SERVICE_STREAM) * recipe["factor"]
    if recipe["scales"] != 0:
        work *= state.items[item]["content"]
    r["work"] = work
    state.flows[index * model.sizes[4] + state.items[item]["format"]]["seconds"] += work
    enter(state, machine, _EXECUTING, now)
    if state.control[0]["traces"] != 0:
        at = item
        for _ in range(r["n_items"]):
            write(state, _START, machine, at, _EXECUTING, r["cause"], r["because"], 0)
            at = state.items[at]["next"]
    stops.run(model, state, index, machine, now)


@jit
def _split(model: Model, state: State, machine: int) -> None:
    """Turn what was worked on into what comes out."""
    r = state.machines[machine]
    index = model.machine_station[machine]
    old = r["head"]
    n_old = r["n_items"]
    created = r["created"]
    r["head"] = -1
    tail = -1
    r["n_items"] = 0
    for _ in range(n_old):
        lot = state.items[old]
        following = lot["next"]
        recipe = model.recipes[index * model.sizes[4] + lot["format"]]
        given = not np.isnan(recipe["content"])
        count = recipe["count"]
        if count == 1:
            if given and created == 0:
                lot["content"] = recipe["content"]
            lot["next"] = -1
            if tail < 0:
                r["head"] = old
            else:
                state.items[tail]["next"] = old
            tail = old
        else:
            content = recipe["content"] if given else lot["content"]
            for _copy in range(count):
                item = items.create(state, lot["format"], lot["order"], content, lot["born"])
                copy = state.items[item]
                copy["defects"] = lot["defects"]
                copy["made"] = lot["made"]
                copy["reworks"] = lot["reworks"]
                if tail < 0:
                    r["head"] = item
                else:
                    state.items[tail]["next"] = item
                tail = item
            state.control[0]["consumed"] += 1
            items.release(state, old)
        r["n_items"] += count
        old = following
    r["tail"] = tail


@jit_hot
def _finish(model: Model, state: State, index: int, machine: int) -> None:
    """Account for a finished cycle and prepare what comes out."""
    r = state.machines[machine]
    station = model.stations[index]
    features = station["features"]
    if features & _STOPS:
        r["running"] += r["work"]
    if features & _OPERATORS:
        crews.grant(model, state, station["operators"], station["n_operators"], machine)
    item = r["head"]
    n = r["n_items"]
    flow = state.flows[index * model.sizes[4] + state.items[item]["format"]]
    flow["processed"] += n
    if features & _AMOUNTS:
        content = state.items[item]["content"]
        for _ in range(n - 1):
            item = state.items[item]["next"]
            content += state.items[item]["content"]
        flow["content"] += content
        r["n_done"] += n
        r["content_done"] += content
    if features & _SPLITS:
        _split(model, state, machine)
    r["target"] = UNDECIDED
    r["cause"] = _MACHINE
    r["because"] = machine


@jit_hot
def _depart(model: Model, state: State, machine: int, item: int, target: int, now: float) -> None:
    """Let an item leave the factory as a product or as scrap."""
    lot = state.items[item]
    flow = state.flows[model.machine_station[machine] * model.sizes[4] + lot["format"]]
    if target == OUT:
        seconds = now - lot["born"]
        flow["left"] += 1
        flow["finished"] += 1
        if lot["reworks"] == 0:
            flow["first_pass"] += 1
        flow["lead_time"] += seconds
        items.count_lead_time(state, lot["format"], seconds)
    else:
        flow["scrapped"] += 1
    items.release(state, item)


@jit
def _deadlocked(model: Model, state: State, machine: int) -> bool:
    """Say whether a blocked machine waits for itself: all it waits for is blocked in turn."""
    state.seen[:] = 0
    state.found[0] = state.machines[machine]["target"]
    state.seen[state.found[0]] = 1
    n_found = 1
    at = 0
    while at < n_found:
        station = model.stations[model.buffers[state.found[at]]["station"]]
        at += 1
        for other in range(
            station["first_machine"], station["first_machine"] + station["n_machines"]
        ):
            r = state.machines[other]
            if r["phase"] != _BLOCKED_PHASE:
                return False
            if state.seen[r["target"]] == 0:
                state.seen[r["target"]] = 1
                state.found[n_found] = r["target"]
                n_found += 1
    return True


@jit_hot
def _deliver(model: Model, state: State, index: int, machine: int, now: float) -> bool:
    """Pass on what a machine holds; say whether it could pass on everything."""
    r = state.machines[machine]
    while r["n_items"] > 0:
        item = int(r["head"])
        target = int(r["target"])
        if target == UNDECIDED:
            target = decide(model, state, index, machine, item, now)
            r["target"] = target
        has_room = target < 0
        if not has_room:
            has_room = state.queues[target]["count"] < model.buffers[target]["capacity"]
        if not has_room:
            write(state, _BLOCK, machine, item, _BLOCKED, _MACHINE, machine, target)
            enter(state, machine, _BLOCKED, now)
            r["phase"] = _BLOCKED_PHASE
            schedule(state.clock, state.tree, machine, np.inf)
            rows.join(state, target, machine)
            if model.buffers[target]["capacity"] == 0:
                buffers.wake(model, state, model.buffers[target]["station"], machine)
            return False
        r["head"] = state.items[item]["next"]
        r["n_items"] -= 1
        r["target"] = UNDECIDED
        after = _BLOCKED if r["n_items"] > 0 else _STARVED
        write(state, _LEAVE, machine, item, after, _MACHINE, machine, target)
        if target < 0:
            _depart(model, state, machine, item, target, now)
        else:
            flow = state.flows[index * model.sizes[4] + state.items[item]["format"]]
            flow["left"] += 1
            buffers.put(model, state, target, item, machine)
    return True


@jit_hot
def proceed(model: Model, state: State, machine: int) -> int:
    """Let a machine go on until it must wait; return a status, -1 to continue.

    Parameters
    ----------
    model, state : Model, State
        The run.
    machine : int
        The machine.
    """
    now = state.control[0]["now"]
    r = state.machines[machine]
    index = model.machine_station[machine]
    station = model.stations[index]
    features = station["features"]
    while True:
        phase = r["phase"]
        if phase == _EXECUTING_PHASE:
            if r["stop"] >= 0:
                elapsed = now - r["began"]
                r["running"] += elapsed
                r["work"] = max(0.0, r["work"] - elapsed)
                r["interrupted"] = 1
                stops.begin(model, state, machine, r["stop"], now)
                return _CONTINUE
            _finish(model, state, index, machine)
            r["phase"] = _RELEASING
        elif phase == _RELEASING:
            if not _deliver(model, state, index, machine, now):
                if model.sizes[5] != 0 and _deadlocked(model, state, machine):
                    state.control[0]["culprit"] = machine
                    return _DEADLOCK
                return _CONTINUE
            r["phase"] = _READY
        elif phase == _READY or phase == _WOKEN:
            if features & _STOPS:
                k = stops.first_due(model, state, machine, now)
                if k >= 0:
                    woken = phase == _WOKEN
                    because = r["because"]
                    r["phase"] = _READY
                    stops.begin(model, state, machine, k, now)
                    if woken:  # the part is for another one
                        buffers.wake(model, state, index, because)
                    return _CONTINUE
            if not intake.take_in(model, state, index, machine, now):
                _idle(model, state, index, machine, now)
                return _CONTINUE
            r["phase"] = _LOADED
        elif phase == _LOADED or phase == _CALLS_FOR_SETUP:
            if features & _CHANGEOVER and not _set_up(model, state, machine, now):
                return _CONTINUE
            r["phase"] = _STAFFED
            if features & _OPERATORS and not crews.request(
                model, state, station["operators"], station["n_operators"], machine
            ):
                r["phase"] = _CALLS_FOR_WORK
                schedule(state.clock, state.tree, machine, np.inf)
                enter(state, machine, _WAITING, now)
                write(
                    state,
                    _CALL,
                    machine,
                    r["head"],
                    _WAITING,
                    r["cause"],
                    r["because"],
                    station["operators"],
                )
                return _CONTINUE
        elif phase == _STAFFED or phase == _CALLS_FOR_WORK:
            _start(model, state, index, machine, now)
            return _CONTINUE
        elif phase == _CALLS_FOR_STOP:
            stops.repair(model, state, machine, now)
            return _CONTINUE
        elif phase == _STOPPED:
            if stops.end(model, state, machine, now):
                stops.run(model, state, index, machine, now)
                return _CONTINUE
            r["phase"] = _READY
        elif phase == _SETUP_PHASE:
            if station["setup_crew"] >= 0:
                crews.grant(model, state, station["setup_crew"], station["n_setup_crew"], machine)
            r["format"] = state.items[r["head"]]["format"]
            r["cause"] = _SET_UP
            r["because"] = machine
            r["phase"] = _LOADED
        else:  # IDLE: a calendar stop or an order is due
            rows.leave(state, station["idle_row"], machine)
            r["cause"] = _PART
            r["because"] = machine
            r["phase"] = _READY


__all__ = ["proceed"]
