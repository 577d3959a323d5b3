"""What a run has counted so far, added up by station."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.kernel.layout import State
from gigatwin.kpi.tally import Tally
from gigatwin.standards.machine_states import INACTIVE_STATES

Number = TypeVar("Number", np.float64, np.int64)


def _by_station(compiled: CompiledModel, values: NDArray[Number]) -> NDArray[Number]:
    # Machines of a station stand next to each other.
    return np.add.reduceat(values, compiled.model.stations["first_machine"], axis=0)


def tally(compiled: CompiledModel, state: State) -> Tally:
    """Return what a run has counted up to its present moment.

    Parameters
    ----------
    compiled : CompiledModel
        The factory.
    state : State
        The run; it is not changed.
    """
    now = float(state.control[0]["now"])
    n_stations, n_formats = len(compiled.stations), len(compiled.formats)
    machines = state.machines
    seconds = state.durations.copy()
    rows = np.arange(len(machines))
    seconds[rows, machines["state"]] += now - machines["since"]
    # A period under way counts from the moment it began, so that short windows have periods too.
    active = machines["n_active"] + ~np.isin(machines["state"], list(INACTIVE_STATES))
    flows = state.flows.reshape(n_stations, n_formats)
    findings = state.findings.reshape(n_stations, -1)
    queues, pools = state.queues, state.pools[: len(compiled.resources)]
    stop_of = compiled.stop_of_clock
    n_stops = len(compiled.stops)
    counts = np.zeros(n_stops, dtype=np.int64)
    stopped = np.zeros(n_stops)
    np.add.at(counts, stop_of, state.outages["count"][: len(stop_of)])
    np.add.at(stopped, stop_of, state.outages["seconds"][: len(stop_of)])
    return Tally(
        time=now,
        state_seconds=_by_station(compiled, seconds),
        active_periods=_by_station(compiled, active),
        processed=flows["processed"].copy(),
        content=flows["content"].copy(),
        production_seconds=flows["seconds"].copy(),
        setup_seconds=flows["setup"].copy(),
        left=flows["left"].copy(),
        scrapped=flows["scrapped"].copy(),
        reworked=flows["reworked"].copy(),
        finished=flows["finished"].copy(),
        first_pass=flows["first_pass"].copy(),
        lead_time=flows["lead_time"].copy(),
        lead_times=state.lead_times.copy(),
        findings=findings["count"].copy(),
        finding_delay=findings["delay"].copy(),
        buffer_area=queues["area"] + queues["count"] * (now - queues["since"]),
        resource_area=pools["area"] + (pools["capacity"] - pools["free"]) * (now - pools["since"]),
        stop_counts=counts,
        stop_seconds=stopped,
    )


def in_process(state: State) -> int:
    """Return the number of items in the factory."""
    return len(state.items) - int(state.control[0]["n_free"])


def check_conservation(compiled: CompiledModel, state: State) -> str:
    """Return what does not add up, an empty text when all does.

    Items created are finished, scrapped, used up, or in process; items in process stand in buffers
    or machines; the time of machines in states adds up to the time simulated.
    """
    control = state.control[0]
    finished = int(state.flows["finished"].sum())
    scrapped = int(state.flows["scrapped"].sum())
    present = in_process(state)
    gone = finished + scrapped + int(control["consumed"]) + present
    if gone != int(control["created"]):
        return f"{control['created']} items were created, {gone} are accounted for"
    held = int(state.queues["count"].sum() + state.machines["n_items"].sum())
    if held != present:
        return f"{present} items are in process, {held} stand in buffers and machines"
    now = float(control["now"])
    counted = tally(compiled, state).state_seconds.sum()
    expected = now * len(state.machines)
    if abs(counted - expected) > 1e-9 * max(expected, 1.0):
        return f"machines spent {counted} s in states, {expected} s were simulated"
    return ""
