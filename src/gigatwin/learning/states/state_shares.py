"""How a machine spends its time, and what it draws in each state."""

import functools
import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.factory.estimates import Estimate
from gigatwin.factory.stations import Energy, OtherState
from gigatwin.learning.states.state_history import EXECUTING, STATES, History, histories
from gigatwin.learning.times.durations import FEW, student_quantile

Array = NDArray[np.float64]
_N_BATCHES = 20
_LEAST_BATCHES = 2
_LEAST_PER_BATCH = 5
_NORMAL_QUANTILE = 1.959963984540054
_RELATIVE_REACH = 0.1


@dataclass(frozen=True)
class EnergyEstimate:
    """What a machine draws, from the energy of intervals."""

    energy: Energy
    """Power in each state that was seen, with its estimates."""
    power: dict[str, Estimate]
    """State to power. [W]"""
    per_item: Estimate | None
    """All energy over the number of items, a figure for comparison that is not part of ``energy``;
    None where the number is not known. [J]"""
    notes: tuple[str, ...] = ()
    """What to know about it."""


def state_shares(
    intervals: pl.DataFrame, *, rows: str = "", tolerance: float = 1.0
) -> dict[str, dict[str, Estimate]]:
    """Return the share of the recorded time in each state, for each machine.

    The interval comes from means of batches in time, up to 20 of them: neighbouring times depend
    on each other, so that single intervals would make it too narrow.

    Parameters
    ----------
    intervals : polars.DataFrame
        Columns machine, start, end [s] and state: lower-case names of `MachineState`.
    rows : str
        Rows of the log, for the estimates.
    tolerance : float
        Time without a state that is not a gap yet. [s]
    """
    return {
        machine: _shares(history, rows)
        for machine, history in histories(intervals, tolerance=tolerance).items()
        if len(history.states)
    }


def learn_energy(
    intervals: pl.DataFrame, *, n_items: dict[str, int] | None = None, rows: str = ""
) -> dict[str, EnergyEstimate]:
    """Return the power of each machine in each state from the energy of its intervals.

    The power is all energy over all time of a state; its interval is that of a ratio of sums.

    Parameters
    ----------
    intervals : polars.DataFrame
        Columns machine, start, end [s], state and energy [J]; rows without energy are left out.
    n_items : dict, optional
        Machine to the number of items it processed in these intervals.
    rows : str
        Rows of the log, for the estimates.

    Returns
    -------
    dict
        Only machines with at least one interval whose energy is known.
    """
    table = intervals.filter(
        pl.col("machine").is_not_null()
        & pl.col("energy").is_finite()
        & pl.col("state").cast(pl.String).is_in(list(STATES))
        & pl.col("start").is_finite()
        & pl.col("end").is_finite()
        & (pl.col("end") > pl.col("start"))
    ).with_columns(length=pl.col("end") - pl.col("start"))
    found: dict[str, EnergyEstimate] = {}
    for (machine,), group in table.sort("machine", "start").group_by(
        "machine", maintain_order=True
    ):
        items = (n_items or {}).get(str(machine))
        found[str(machine)] = _energy(group, items, rows)
    return found


def _shares(history: History, rows: str) -> dict[str, Estimate]:
    lengths = history.lengths
    total = float(lengths.sum())
    clock = np.concatenate(([0.0], np.cumsum(lengths)))
    n_batches = min(_N_BATCHES, len(lengths) // _LEAST_PER_BATCH)
    edges = np.linspace(0.0, clock[-1], n_batches + 1) if n_batches >= _LEAST_BATCHES else None
    found = {}
    for number in np.unique(history.states):
        own = history.states == number
        spent = np.concatenate(([0.0], np.cumsum(np.where(own, lengths, 0.0))))
        share = min(float(spent[-1]) / total, 1.0)
        known = functools.partial(Estimate, value=share, n=int(own.sum()), rows=rows)
        if edges is None:
            found[STATES[number]] = known(
                low=0.0, high=1.0, method="too few intervals", is_identified=False
            )
            continue
        parts = np.diff(np.interp(edges, clock, spent)) / np.diff(edges)
        error = float(parts.std(ddof=1)) / math.sqrt(len(parts))
        reach = student_quantile(len(parts) - 1) * error
        found[STATES[number]] = known(
            low=min(max(share - reach, 0.0), share),
            high=max(min(share + reach, 1.0), share),
            method=f"share of recorded time, {len(parts)} batches in time",
            is_identified=int(own.sum()) >= FEW and reach <= _RELATIVE_REACH,
        )
    return found


def _energy(group: pl.DataFrame, n_items: int | None, rows: str) -> EnergyEstimate:
    power: dict[str, Estimate] = {}
    notes: tuple[str, ...] = ()
    for (state,), part in group.group_by("state", maintain_order=True):
        power[str(state)] = _power(part["energy"].to_numpy(), part["length"].to_numpy(), rows)
    negative = sorted(state for state, item in power.items() if item.value < 0)
    if negative:
        notes = (f"Power below 0 in {', '.join(negative)}; left out.",)
        power = {state: item for state, item in power.items() if state not in negative}
    states: dict[OtherState, float] = {
        state: item.value  # type: ignore[misc]  # narrowed by the states that exist
        for state, item in power.items()
        if state != EXECUTING
    }
    estimates = {
        EXECUTING if state == EXECUTING else f"states.{state}": item
        for state, item in power.items()
    }
    executing = power[EXECUTING].value if EXECUTING in power else 0.0
    if EXECUTING not in power:
        notes = (*notes, "Not identified: the power while it executes, because it never does here.")
    total = float(group["energy"].sum())
    return EnergyEstimate(
        energy=Energy(executing=executing, states=states, estimates=estimates),
        power=power,
        per_item=_per_item(total, n_items, group.height, rows),
        notes=notes,
    )


def _power(energies: Array, lengths: Array, rows: str) -> Estimate:
    n = len(energies)
    power = float(energies.sum() / lengths.sum())
    known = functools.partial(Estimate, value=power, unit="W", n=n, rows=rows)
    if n == 1:
        low = min(0.0, power)
        return known(low=low, method="one interval", is_identified=False)
    misses = energies - power * lengths
    error = math.sqrt(float(misses @ misses) * n / (n - 1)) / float(lengths.sum())
    reach = student_quantile(n - 1) * error
    return known(
        low=power - reach,
        high=power + reach,
        method="energy over time, ratio of sums",
        is_identified=n >= FEW and reach <= _RELATIVE_REACH * abs(power),
    )


def _per_item(total: float, n_items: int | None, n: int, rows: str) -> Estimate | None:
    if not n_items or total < 0:
        return None
    value = total / n_items
    # The number of items is a count; its scatter is what limits the figure.
    reach = _NORMAL_QUANTILE / math.sqrt(n_items)
    return Estimate(
        value=value,
        low=value * max(1 - reach, 0.0),
        high=value * (1 + reach),
        unit="J",
        n=n,
        method="all energy over number of items",
        rows=rows,
        is_identified=n_items >= FEW,
    )
