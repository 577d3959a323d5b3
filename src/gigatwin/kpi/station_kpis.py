"""KPIs of stations and lines from what was counted between two moments."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gigatwin.kpi.state_times import time_elements
from gigatwin.kpi.tally import Tally
from gigatwin.standards.iso22400 import Quantities, kpis
from gigatwin.standards.machine_states import MachineState

Floats = NDArray[np.float64]
_HOUR = 3600.0
TIME_ELEMENTS = (
    "planned_operation_time",
    "planned_busy_time",
    "actual_unit_busy_time",
    "actual_unit_processing_time",
    "actual_production_time",
    "actual_unit_setup_time",
    "actual_unit_delay_time",
    "actual_unit_down_time",
)
"""Time elements of ISO 22400-2 given for each station (sums over its machines) and line."""
STATION_KPIS = (
    "availability",
    "effectiveness",
    "quality_ratio",
    "oee_index",
    "technical_efficiency",
    "utilization_efficiency",
    "setup_ratio",
    "nee_index",
    "scrap_ratio",
    "rework_ratio",
)
"""KPIs of ISO 22400-2 given for each station."""


def design_times(tally: Tally, run_times: Floats, per_content: NDArray[np.bool_]) -> Floats:
    """Return the time each station needs by design for what it processed.

    Parameters
    ----------
    tally : Tally
        What was counted.
    run_times : numpy.ndarray
        Design run time of an item that goes in, or of a unit of content. float64, shape (S, F) [s]
    per_content : numpy.ndarray
        Whether the run time is that of a unit of content. bool, shape (S,)

    Returns
    -------
    numpy.ndarray
        Machine time by design. float64, shape (S, F) [s]
    """
    amount = np.where(per_content[:, None], tally.content, tally.processed)
    return np.asarray(amount * run_times)


def planned_run_times(tally: Tally, design: Floats, outputs: NDArray[np.int64]) -> Floats:
    """Return PRI of each station: its design time for one item that comes out.

    Parameters
    ----------
    tally : Tally
        What was counted.
    design : numpy.ndarray
        What `design_times` returns. float64, shape (S, F) [s]
    outputs : numpy.ndarray
        Items that come out for each that goes in. int64, shape (S, F)

    Returns
    -------
    numpy.ndarray
        Planned run time per item, NaN where nothing was made. float64, shape (S,) [s]
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(design.sum(axis=1) / (tally.processed * outputs).sum(axis=1))


def station_kpis(tally: Tally, planned: Floats) -> dict[str, Floats]:
    """Return quantities, time shares and ISO 22400 KPIs of each station.

    Parameters
    ----------
    tally : Tally
        What was counted in the window.
    planned : numpy.ndarray
        Planned run time per item (PRI). float64, shape (S,) [s]
    """
    left = tally.left.sum(axis=1)
    scrap = tally.scrapped.sum(axis=1)
    rework = tally.reworked.sum(axis=1)
    values: dict[str, Floats] = {
        "produced [items]": left + scrap,
        "good [items]": left - rework,
        "scrap [items]": scrap,
        "rework [items]": rework,
        "throughput_rate [1/h]": left / (tally.time / _HOUR),
    }
    machine_time = tally.state_seconds.sum(axis=1)
    for state in MachineState:
        values[f"{state.name.lower()}_share"] = tally.state_seconds[:, state] / machine_time
    rows = []
    elements_rows = []
    for index, seconds in enumerate(tally.state_seconds):
        elements = time_elements({state: float(seconds[state]) for state in MachineState})
        elements_rows.append([getattr(elements, name) / _HOUR for name in TIME_ELEMENTS])
        quantities = Quantities(
            good_quantity=float(left[index] - rework[index]),
            scrap_quantity=float(scrap[index]),
            rework_quantity=float(rework[index]),
        )
        found = kpis(elements, quantities, float(planned[index]))
        rows.append([found[name] for name in STATION_KPIS])
    names = [f"{name} [h]" for name in TIME_ELEMENTS]
    values.update(dict(zip(names, np.array(elements_rows).T, strict=True)))
    values.update(dict(zip(STATION_KPIS, np.array(rows).T, strict=True)))
    return {name: np.asarray(column, dtype=np.float64) for name, column in values.items()}


def line_kpis(
    tally: Tally,
    design: Floats,
    lines: Sequence[str],
    is_exit: NDArray[np.bool_],
    worth: Floats,
) -> dict[str, Floats]:
    """Return KPIs of each production line, taken as one work unit.

    The OEE index of a line is the time its constraint needs by design for what it made, over its
    planned busy time, times the line's quality ratio. The constraint is the station with the most
    such time for each machine.
    For a line of one item kind this is PRI GQ / PBT with the slowest station's design time as PRI.

    Parameters
    ----------
    tally : Tally
        What was counted in the window.
    design : numpy.ndarray
        What `design_times` returns. float64, shape (S, F) [s]
    lines : sequence of str
        Line of each station.
    is_exit : numpy.ndarray
        Whether a station hands all its items to another line; what leaves the factory counts
        anyway. bool, shape (S,)
    worth : numpy.ndarray
        Products that an item stands for, by which good items and scrap of different kinds are
        added up in the quality ratio. float64, shape (S, F)
    """
    names = list(dict.fromkeys(lines))
    left = tally.left.sum(axis=1).astype(np.float64)
    reworked = tally.reworked.sum(axis=1)
    finished = tally.finished.sum(axis=1)
    scrap = tally.scrapped.sum(axis=1)
    seconds = tally.state_seconds
    busy = seconds.sum(axis=1) - seconds[:, MachineState.PLANNED_STOP]
    columns: dict[str, list[float]] = {
        **{f"{name} [h]": [] for name in TIME_ELEMENTS},
        "good [items]": [],
        "scrap [items]": [],
        "throughput_rate [1/h]": [],
        "quality_ratio": [],
        "load_of_constraint": [],
        "oee_index": [],
    }
    for name in names:
        mine = np.array([line == name for line in lines])
        total = seconds[mine].sum(axis=0)
        elements = time_elements({state: float(total[state]) for state in MachineState})
        for element in TIME_ELEMENTS:
            columns[f"{element} [h]"].append(getattr(elements, element) / _HOUR)
        out = mine & is_exit
        good = float((left - reworked)[out].sum() + finished[mine].sum())
        bad = float(scrap[mine].sum())
        kept = float((tally.left * worth).sum(axis=1)[out].sum() + finished[mine].sum())
        lost = float((tally.scrapped * worth)[mine].sum())
        with np.errstate(invalid="ignore", divide="ignore"):
            load = (design.sum(axis=1) / busy)[mine]
        load_of_constraint = float(np.nanmax(load)) if np.isfinite(load).any() else np.nan
        quality = kept / (kept + lost) if kept + lost > 0 else np.nan
        columns["good [items]"].append(good)
        columns["scrap [items]"].append(bad)
        columns["throughput_rate [1/h]"].append(good / (tally.time / _HOUR))
        columns["quality_ratio"].append(quality)
        columns["load_of_constraint"].append(load_of_constraint)
        columns["oee_index"].append(load_of_constraint * quality)
    return {name: np.array(column) for name, column in columns.items()}
