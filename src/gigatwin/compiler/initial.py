"""The state of a run at simulated time 0."""

from collections.abc import Sequence

import numpy as np

from gigatwin.kernel import layout, rows
from gigatwin.kernel.calendar import empty_calendar, schedule
from gigatwin.kernel.layout import Model, Phase, State
from gigatwin.kernel.stops import FIRST_PURPOSE
from gigatwin.kernel.streams import draw, new_streams

_FIRST_ITEMS = 1024


def _margin(model: Model) -> int:
    """Return how many items one calendar entry can create at the most."""
    per_station = np.zeros(len(model.stations), dtype=np.int64)
    n_formats = int(model.sizes[4])
    counts = model.recipes["count"] * np.maximum(model.recipes["batch"], 1)
    np.maximum.at(per_station, np.arange(len(counts)) // n_formats, counts)
    return int((2 * per_station * model.stations["n_machines"]).sum()) + 64


def chain_free(items: np.ndarray, first: int) -> None:
    """Link the item records from ``first`` on into a chain of free ones."""
    items["next"][first:] = np.arange(first + 1, len(items) + 1)
    items["next"][-1] = -1


def fresh_state(
    model: Model, stream_names: Sequence[str], seed: int, replication: int, records: int
) -> State:
    """Return an empty factory at time 0 in which every machine is about to take in material.

    Parameters
    ----------
    model : Model
        The compiled factory.
    stream_names : sequence of str
        Name of each random stream.
    seed, replication : int
        Choose the random numbers.
    records : int
        Event records kept before the run has to be emptied of them; 0: no trace.
    """
    n_machines, n_buffers, n_arrivals, n_resources, n_formats = (int(n) for n in model.sizes[:5])
    n_stations = len(model.stations)
    stations = model.stations[model.machine_station]
    n_clocks = int(stations["n_stops"].sum())
    margin = _margin(model)
    record_margin = _record_margin(model)
    if records:
        # Blocks small enough for the processor's cache, but room for what one moment can write.
        records = max(records, 2 * record_margin)
    clock, tree = empty_calendar(n_machines + n_buffers + n_arrivals + n_resources)
    n_causes = int(model.sizes[6]) + 2
    state = State(
        machines=np.zeros(n_machines, dtype=layout.MACHINE),
        items=np.zeros(margin + _FIRST_ITEMS, dtype=layout.ITEM),
        queues=np.zeros(n_buffers, dtype=layout.QUEUE),
        rows=np.full(n_buffers + n_stations + n_resources + 1, -1).astype(np.int32).repeat(2)
        .view(layout.ROW),
        supplies=np.zeros(n_stations, dtype=layout.SUPPLY),
        pools=np.zeros(max(n_resources, 1), dtype=layout.POOL),
        magazines=np.zeros(max(int(stations["n_ports"].sum()), 1), dtype=layout.MAGAZINE),
        due=np.full(max(n_clocks, 1), np.inf),
        streams=new_streams(stream_names, seed, replication),
        clock=clock,
        tree=tree,
        durations=np.zeros((n_machines, layout.N_STATES)),
        flows=np.zeros(n_stations * n_formats, dtype=layout.FLOW),
        findings=np.zeros(n_stations * n_causes, dtype=layout.FINDING),
        outages=np.zeros(max(n_clocks, 1), dtype=layout.OUTAGE),
        lead_times=np.zeros((n_formats, layout.N_LEAD_BINS), dtype=np.int64),
        records=np.zeros(records, dtype=layout.RECORD),
        seen=np.zeros(n_buffers, dtype=np.int32),
        found=np.zeros(n_buffers, dtype=np.int32),
        control=np.zeros(1, dtype=layout.CONTROL),
    )  # fmt: skip
    _set_control(state, margin, record_margin)
    _set_machines(model, state)
    _set_supply(model, state)
    for machine in range(n_machines):
        rows.to_agenda(state, machine)
    return state


def _record_margin(model: Model) -> int:
    """Return how many event records one calendar entry can write at the most, or nearly so."""
    n_formats = int(model.sizes[4])
    most = np.maximum(model.recipes["batch"], model.recipes["count"]).reshape(-1, n_formats)
    return int(((4 * most.max(axis=1) + 64) * model.stations["n_machines"]).sum())


def _set_control(state: State, item_margin: int, record_margin: int) -> None:
    control = state.control[0]
    chain_free(state.items, 0)
    control["n_free"] = len(state.items)
    control["item_margin"] = item_margin
    control["traces"] = 1 if len(state.records) else 0
    control["record_margin"] = record_margin if len(state.records) else 0
    control["culprit"] = -1


def _set_machines(model: Model, state: State) -> None:
    machines = state.machines
    machines["phase"] = int(Phase.READY)
    for name in ("next", "head", "tail", "stop", "format"):
        machines[name] = -1
    machines["target"] = layout.UNDECIDED
    machines["because"] = np.arange(len(machines))
    stations = model.stations[model.machine_station]
    per_machine = len(layout.Purpose) + 2 * stations["n_stops"]
    machines["first_stream"] = np.cumsum(per_machine) - per_machine
    machines["first_clock"] = np.cumsum(stations["n_stops"]) - stations["n_stops"]
    machines["first_magazine"] = np.cumsum(stations["n_ports"]) - stations["n_ports"]
    machines["format"] = stations["initial_format"]
    state.magazines["made"] = np.inf
    state.magazines["blend_made"] = np.inf
    for machine, station in enumerate(stations):
        first = int(machines[machine]["first_stream"]) + FIRST_PURPOSE
        for k in range(int(station["n_stops"])):
            stop = model.stops[int(station["first_stop"]) + k]
            interval = draw(model, state, int(stop["law"]), first + 2 * k) * stop["factor"]
            state.due[int(machines[machine]["first_clock"]) + k] = interval
    queues = state.queues
    for name in ("head", "tail", "moving"):
        queues[name] = -1
    queues["stream"] = int(per_machine.sum()) + np.arange(len(queues))


def _set_supply(model: Model, state: State) -> None:
    n_machines, n_buffers, n_arrivals = (int(n) for n in model.sizes[:3])
    for station_index, station in enumerate(model.stations):
        if station["ordered"]:
            order = model.orders[0]
            recipe = model.recipes[station_index * int(model.sizes[4]) + int(order["format"])]
            supply = state.supplies[station_index]
            supply["remaining"] = order["quantity"] * recipe["per_product"]
    for index in range(n_arrivals):
        arrival = model.arrivals[index]
        first = draw(model, state, int(arrival["law"]), int(arrival["stream"]))
        schedule(state.clock, state.tree, n_machines + n_buffers + index, first)
    for index in range(int(model.sizes[3])):
        resource = model.resources[index]
        pool = state.pools[index]
        n = int(resource["n_shifts"])
        capacity = int(resource["capacity"])
        if n:
            steps = model.shifts[int(resource["first_shift"]) :][:n]
            begun = int((steps["at"] <= 0).sum())
            capacity = int(steps[begun - 1]["capacity"])
            pool["shift"] = begun
            if n > 1:
                time = (begun // n) * resource["period"] + steps[begun % n]["at"]
                actor = n_machines + n_buffers + n_arrivals + index
                schedule(state.clock, state.tree, actor, float(time))
        pool["capacity"] = capacity
        pool["free"] = capacity
