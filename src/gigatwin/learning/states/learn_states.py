"""From the states of machines alone to a factory description that runs.

Without parts, a machine is a station whose work comes and lasts as its states show. Where they
name items or orders, machines that worked on the same ones are a line; all others stand for
themselves.
"""

import math
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import optimize

from gigatwin.errors import TelemetryError
from gigatwin.events.state_log import StateLog
from gigatwin.factory.estimates import Estimate
from gigatwin.learning.clock.time_axis import TimeAxis, time_axis
from gigatwin.learning.flow.stations import slug
from gigatwin.learning.provenance import rows_text
from gigatwin.learning.states.learned_machines import LearnedMachine, LearnedMachines, SetupEstimate
from gigatwin.learning.states.reliability import (
    StopEstimate,
    learn_stops,
    rate_interval,
    split_stops,
)
from gigatwin.learning.states.state_description import describe_machines
from gigatwin.learning.states.state_flow import MachineFlow, keyed, machine_flow
from gigatwin.learning.states.state_history import EXECUTING, STATES, Clock, History, histories
from gigatwin.learning.states.state_shares import EnergyEstimate, learn_energy, state_shares
from gigatwin.learning.states.state_unknowns import unknowns_of
from gigatwin.learning.states.work_stretches import (
    Stretches,
    between_begins,
    law_of,
    long_run_mean,
    scaled,
    with_long_run,
    work_by_key,
    work_by_states,
)
from gigatwin.learning.times.durations import FEW
from gigatwin.learning.times.laws import LawChoice, choose_law

Array = NDArray[np.float64]

_STATE_OF = {"breakdown": "breakdown", "micro_stop": "micro_stop", "planned": "planned_stop"}
_LEAST_BEGINS = 2


def learn_states(log: StateLog, name: str | None = None) -> LearnedMachines:
    """Learn a factory from the states of its machines.

    Parameters
    ----------
    log : StateLog
        The states.
    name : str, optional
        Name of the factory.

    Returns
    -------
    LearnedMachines
        The factory, what each machine was learned from, and what the log does not tell.

    Raises
    ------
    TelemetryError
        If no machine ever works in the log.
    """
    works = pl.col("state") == EXECUTING
    if not log.intervals.filter(works & (pl.col("end") > pl.col("start"))).height:
        states = ", ".join(sorted(log.intervals["state"].drop_nulls().unique().to_list()))
        message = (
            f"The states hold no time in which a machine works (states: {states or 'none'}); needs "
            "some in the state 'executing' (give the word for it under 'words' in a mapping)"
        )
        raise TelemetryError(message)
    axis = time_axis(log.intervals.filter(works), log.origin)
    intervals = keyed(axis.to_working(log.intervals))
    known = {
        machine: history
        for machine, history in histories(intervals).items()
        if history.has(EXECUTING)
    }
    flow = machine_flow(intervals.filter(pl.col("machine").is_in(list(known))))
    machines = _machines(known, intervals, learn_energy(log.intervals), flow)
    shifts = axis.calendar.shifts
    lines = {
        line[0]: None if _is_endless(line, machines, flow) else _line_interval(intervals, line)
        for line in flow.lines
        if len(line) > 1
    }
    return LearnedMachines(
        factory=describe_machines(name or "learned", machines, flow, lines, shifts),
        machines=machines,
        notes=(*_notes(log, axis, machines, flow), *_supply_notes(machines, flow, lines)),
        unknowns=unknowns_of(machines, flow),
        calendar=axis.calendar,
    )


def _machines(
    known: dict[str, History],
    intervals: pl.DataFrame,
    energies: dict[str, EnergyEstimate],
    flow: MachineFlow,
) -> dict[str, LearnedMachine]:
    stations = _station_names(list(known), flow)
    stops, shares = learn_stops(intervals), state_shares(intervals)
    found = {}
    for name, history in known.items():
        part = intervals.filter(pl.col("machine") == name)
        rows = rows_text(part)
        has_items = part["key"].null_count() < part.height
        work = (
            work_by_key(part.filter(pl.col("state") == EXECUTING))
            if has_items
            else work_by_states(history)
        )
        found[name] = LearnedMachine(
            name=name,
            station=stations[name],
            time=law_of(work, _mean_of(history, EXECUTING, work.begins[work.is_begun], rows), rows),
            has_items=has_items,
            work=work,
            stops=tuple(_in_long_run(stop, history, rows) for stop in stops.get(name, ())),
            setup=_setup(history, work, rows),
            energy=energies.get(name),
            shares=shares[name],
            interval=_interval(history, work, rows),
            recorded_ratio=float(history.lengths.sum() / (history.ends[-1] - history.starts[0])),
        )
    return found


def _station_names(machines: list[str], flow: MachineFlow) -> dict[str, str]:
    names: dict[str, str] = {}
    taken = {"out"}
    side_by_side = {name: all_of for all_of in flow.alike.values() for name in all_of}
    for machine in machines:
        if machine in names:
            continue
        group = side_by_side.get(machine, (machine,))
        wanted = station = "-".join(slug(name) for name in group)
        number = 1
        while station in taken:
            number += 1
            station = f"{wanted}-{number}"
        taken.add(station)
        names |= dict.fromkeys(group, station)
    return names


def _mean_of(history: History, state: str, begins: Array, rows: str) -> Estimate:
    times = np.where(history.states == STATES.index(state), history.lengths, 0.0)
    return long_run_mean(history, times, begins, rows)


def _interval(history: History, work: Stretches, rows: str) -> LawChoice | None:
    """Return the time from one begin of work to the next."""
    begins = work.begins[work.is_begun]
    if len(begins) < _LEAST_BEGINS:
        return None
    mean = long_run_mean(history, history.lengths, begins, rows)
    return law_of(between_begins(history, begins), mean, rows)


def _is_endless(
    line: tuple[str, ...], machines: dict[str, LearnedMachine], flow: MachineFlow
) -> bool:
    """Return whether all items of a line begin at a machine that always has something to do."""
    first = [name for name in line if name in flow.first]
    is_fed = any(first[0] in flow.ways[name] for name in line)
    return len(first) == 1 and not is_fed and machines[first[0]].is_endless


def _line_interval(intervals: pl.DataFrame, line: tuple[str, ...]) -> LawChoice | None:
    """Return the time between the first begins of the items of a line."""
    works = (pl.col("state") == EXECUTING) & pl.col("machine").is_in(list(line))
    rows = intervals.filter(works).drop_nulls("key")
    begins = rows.group_by("key").agg(pl.col("start").min())["start"].sort().to_numpy()
    between = np.diff(begins)
    if not len(between) or not between.any():
        return None
    return choose_law(between, rows=rows_text(rows))


def _in_long_run(stop: StopEstimate, history: History, rows: str) -> StopEstimate:
    """Return a stop whose length agrees with the share of the time that it takes."""
    state = _STATE_OF[stop.kind]
    clock: Clock = "executing" if stop.clock == "running" else "calendar"
    if stop.kind != "planned" and not history.has("micro_stop"):
        spells = history.spells("breakdown")
        split = split_stops(spells.lengths[spells.is_whole])
        if split is not None:
            history = history.split("breakdown", "micro_stop", "breakdown", split.threshold)
    spells = history.spells(state, clock=clock)
    mean = _mean_of(history, state, spells.begins, rows)
    repair = with_long_run(stop.repair, mean)
    if repair is stop.repair:
        return stop
    up = stop.between.value
    high = mean.value if mean.high is None else mean.high
    availability = stop.availability.model_copy(
        update={
            "value": up / (up + mean.value),
            "low": min(stop.between.low / (stop.between.low + high), up / (up + mean.value)),
            "high": max(
                (stop.between.high or up) / ((stop.between.high or up) + mean.low),
                up / (up + mean.value),
            ),
            "is_identified": stop.is_identified and mean.is_identified,
        }
    )
    notes = (*stop.notes, *repair.notes[len(stop.repair.notes) :])
    return replace(stop, repair=repair, availability=availability, notes=notes)


def _setup(history: History, work: Stretches, rows: str) -> SetupEstimate | None:
    spells = history.spells("setup", clock="executing")
    n = len(spells.begins)
    if not n or spells.exposure <= 0:
        return None
    slow, fast = rate_interval(n, spells.exposure)
    mean = spells.exposure / n
    between = Estimate(
        value=mean,
        low=min(1 / fast, mean),
        high=max(1 / slow, mean),
        unit="s",
        n=n,
        method="running time over number of setups, chi-square interval",
        rows=rows,
        is_identified=n >= FEW,
    )
    setups = Stretches(spells.begins, spells.lengths, np.ones(n, dtype=np.bool_), spells.is_whole)
    time = law_of(setups, _mean_of(history, "setup", spells.begins, rows), rows)
    n_items = max(int(work.is_begun.sum()), 1)
    after = _due_after(mean, work.lengths * (spells.exposure / n_items / work.lengths.mean()))
    if after is None:
        time = _times(time, n / n_items)
    return SetupEstimate(between, after, time)


def _times(choice: LawChoice, factor: float) -> LawChoice:
    """Return a law with a multiple of its mean."""
    own = choice.mean
    mean = own.model_copy(
        update={
            "value": own.value * factor,
            "low": own.low * factor,
            "high": None if own.high is None else own.high * factor,
        }
    )
    return replace(choice, law=scaled(choice.law, mean), mean=mean)


def _due_after(between: float, items: Array) -> float | None:
    """Return the mean working time until a setup falls due, which is done at the end of an item.

    With items of length J the mean time from setup to setup is E[J] / (1 - E[exp(-J / m)]).

    Parameters
    ----------
    between : float
        Mean working time between setups that is wanted. [s]
    items : ndarray
        Working times of items. Shape (n,). [s]
    """
    share = float(items.mean()) / between

    def miss(log_mean: float) -> float:
        return float(-np.expm1(-items / math.exp(log_mean)).mean()) - share

    low, high = math.log(float(items.mean()) * 1e-2), math.log(between * 1e2)
    if share >= 1 or miss(low) <= 0:
        return None
    return math.exp(float(optimize.brentq(miss, low, high)))


def _notes(
    log: StateLog, axis: TimeAxis, machines: dict[str, LearnedMachine], flow: MachineFlow
) -> tuple[str, ...]:
    notes = [*axis.notes]
    idle = sorted(set(log.intervals["machine"].drop_nulls()) - machines.keys())
    if idle:
        notes.append(
            f"Left out, because they never work: {', '.join(repr(name) for name in idle)}."
        )
    notes += [
        f"{' and '.join(repr(name) for name in names)} are in the same states on the same items at "
        f"all times; they are one station here, '{machines[names[0]].station}', which draws what "
        "they draw together."
        for names in flow.alike.values()
    ]
    notes += [
        f"'{machine.station}', {stop.kind}: {note}"
        for machine in machines.values()
        for stop in machine.stops
        for note in stop.notes
        if "is used" in note
    ]
    notes += [
        "Waiting for work, being blocked and waiting for somebody are one here: time between work."
    ]
    notes += [f"In reading the log, {text}." for text in log.guesses if text.startswith("'")]
    return (*notes, *(f"In reading the log: {text}." for text in log.warnings))


def _supply_notes(
    machines: dict[str, LearnedMachine], flow: MachineFlow, lines: dict[str, LawChoice | None]
) -> tuple[str, ...]:
    """Return why supplies are endless."""
    in_lines = {name for line in flow.lines if len(line) > 1 for name in line}
    in_lines |= {name for names in flow.alike.values() for name in names[1:]}
    alone = [item for item in machines.values() if item.name not in in_lines and item.is_endless]
    endless = [machines[name] for name, interval in lines.items() if interval is None] + alone
    return tuple(
        f"'{item.station}' has an endless supply: "
        + (
            "there are no two begins of work of which the time between is known."
            if item.interval is None
            else f"it waits only {item.waiting_ratio:.1%} of the time."
        )
        for item in endless
    )
