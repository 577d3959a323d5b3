"""Breakdowns, micro-stops and planned stops: when they are due, how they begin and end."""

import numpy as np

from gigatwin.kernel import crews
from gigatwin.kernel._jit import jit, jit_hot
from gigatwin.kernel.calendar import schedule
from gigatwin.kernel.layout import Cause, Clock, Feature, Kind, Model, Phase, Purpose, State
from gigatwin.kernel.records import enter, write
from gigatwin.kernel.streams import draw
from gigatwin.standards.machine_states import MachineState

_RUNNING = int(Clock.RUNNING)
_CALENDAR = int(Clock.CALENDAR)
_ITEMS = int(Clock.ITEMS)
_CALLS = int(Phase.CALLS_FOR_STOP)
_STOPPED = int(Phase.STOPPED)
_EXECUTING_PHASE = int(Phase.EXECUTING)
_WAITING = int(MachineState.WAITING_FOR_CREW)
_EXECUTING = int(MachineState.EXECUTING)
_STARVED = int(MachineState.STARVED)
_MACHINE = int(Cause.MACHINE)
_REPAIR_CAUSE = int(Cause.REPAIR)
_CREW = int(Cause.CREW)
_STOP = int(Kind.STOP)
_REPAIR = int(Kind.REPAIR)
_RESUME = int(Kind.RESUME)
_STOPS = int(Feature.STOPS)
FIRST_PURPOSE = len(Purpose)
"""Purpose of the first stop's interval; its duration is the next one, and so on."""


@jit
def first_due(model: Model, state: State, machine: int, now: float) -> int:
    """Return the first stop of the machine's list that is due at a decision point, or -1."""
    r = state.machines[machine]
    station = model.stations[model.machine_station[machine]]
    for k in range(station["n_stops"]):
        clock = model.stops[station["first_stop"] + k]["clock"]
        due = state.due[r["first_clock"] + k]
        if clock == _RUNNING:
            reading = r["running"]
        elif clock == _CALENDAR:
            reading = now
        elif clock == _ITEMS:
            reading = r["n_done"]
        else:
            reading = r["content_done"]
        if due <= reading:
            return k
    return -1


@jit
def next_on_calendar(model: Model, state: State, machine: int) -> float:
    """Return the earliest time a calendar stop is due."""
    r = state.machines[machine]
    station = model.stations[model.machine_station[machine]]
    earliest = np.inf
    for k in range(station["n_stops"]):
        if model.stops[station["first_stop"] + k]["clock"] == _CALENDAR:
            earliest = min(earliest, state.due[r["first_clock"] + k])
    return earliest


@jit_hot
def run(model: Model, state: State, index: int, machine: int, now: float) -> None:
    """Let a machine process until its work is done or a stop comes first."""
    r = state.machines[machine]
    station = model.stations[index]
    when = now + r["work"]
    stop = -1
    if station["features"] & _STOPS:
        for k in range(station["n_stops"]):
            s = model.stops[station["first_stop"] + k]
            if s["preempts"] == 0:
                continue
            due = state.due[r["first_clock"] + k]
            if s["clock"] == _RUNNING:
                at = now + (due - r["running"])
            elif s["clock"] == _CALENDAR:
                at = due
            else:
                continue
            at = max(at, now)
            if at < when:
                when = at
                stop = k
    r["stop"] = stop
    r["began"] = now
    r["phase"] = _EXECUTING_PHASE
    schedule(state.clock, state.tree, machine, when)


@jit
def repair(model: Model, state: State, machine: int, now: float) -> None:
    """Begin the work on a stop whose crew is there."""
    r = state.machines[machine]
    station = model.stations[model.machine_station[machine]]
    k = r["stop"]
    s = model.stops[station["first_stop"] + k]
    enter(state, machine, s["state"], now)
    if r["phase"] == _CALLS:
        item = r["head"] if r["interrupted"] != 0 else -1
        write(state, _REPAIR, machine, item, s["state"], _CREW, r["because"], k)
    r["phase"] = _STOPPED
    stream = r["first_stream"] + FIRST_PURPOSE + 2 * k + 1
    seconds = draw(model, state, s["duration"], stream)
    schedule(state.clock, state.tree, machine, now + seconds)


@jit
def begin(model: Model, state: State, machine: int, k: int, now: float) -> None:
    """Begin stop ``k``: ask for its crew, or begin the work on it."""
    r = state.machines[machine]
    station = model.stations[model.machine_station[machine]]
    s = model.stops[station["first_stop"] + k]
    r["stop"] = k
    outage = state.outages[r["first_clock"] + k]
    outage["count"] += 1
    outage["begun"] = now
    item = r["head"] if r["interrupted"] != 0 else -1
    if s["crew"] >= 0 and not crews.request(model, state, s["crew"], s["n_crew"], machine):
        enter(state, machine, _WAITING, now)
        r["phase"] = _CALLS
        schedule(state.clock, state.tree, machine, np.inf)
        write(state, _STOP, machine, item, _WAITING, _MACHINE, machine, k)
        return
    write(state, _STOP, machine, item, s["state"], _MACHINE, machine, k)
    r["phase"] = _STOPPED
    repair(model, state, machine, now)


@jit
def end(model: Model, state: State, machine: int, now: float) -> bool:
    """End the stop a machine is in; say whether it goes on with the item in work."""
    r = state.machines[machine]
    station = model.stations[model.machine_station[machine]]
    k = r["stop"]
    s = model.stops[station["first_stop"] + k]
    clock_index = r["first_clock"] + k
    outage = state.outages[clock_index]
    outage["seconds"] += now - outage["begun"]
    if s["crew"] >= 0:
        crews.grant(model, state, s["crew"], s["n_crew"], machine)
    stream = r["first_stream"] + FIRST_PURPOSE + 2 * k
    interval = draw(model, state, s["law"], stream) * s["factor"]
    if s["clock"] == _RUNNING:
        state.due[clock_index] = r["running"] + interval
    elif s["clock"] == _ITEMS:
        state.due[clock_index] = r["n_done"] + interval
    elif s["clock"] != _CALENDAR:
        state.due[clock_index] = r["content_done"] + interval
    elif s["timetable"] == 0:
        state.due[clock_index] = now + interval
    else:
        state.due[clock_index] += interval
        while state.due[clock_index] <= now:
            interval = draw(model, state, s["law"], stream) * s["factor"]
            state.due[clock_index] += interval
    r["stop"] = -1
    if r["interrupted"] == 0:
        enter(state, machine, _STARVED, now)
        write(state, _RESUME, machine, -1, _STARVED, _REPAIR_CAUSE, machine, k)
        r["cause"] = _REPAIR_CAUSE
        r["because"] = machine
        return False
    r["interrupted"] = 0
    item = r["head"]
    lot = state.items[item]
    lot["content"] = max(0.0, lot["content"] - s["startup_scrap"])
    write(state, _RESUME, machine, item, _EXECUTING, _REPAIR_CAUSE, machine, k)
    enter(state, machine, _EXECUTING, now)
    return True
