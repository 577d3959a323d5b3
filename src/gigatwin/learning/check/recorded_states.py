"""The states that machines recorded, as shares of time of the stations of a factory."""

from dataclasses import dataclass

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.events.case_log import CaseLog
from gigatwin.events.state_log import StateLog
from gigatwin.factory.factory import Factory
from gigatwin.learning.check.log_as_described import axis_as_described
from gigatwin.learning.check.log_measures import state_shares
from gigatwin.learning.check.station_matching import MatchedVisits, listed, stations_of_machines
from gigatwin.learning.states.state_alignment import aligned
from gigatwin.standards.machine_states import MachineState

_WAITS = frozenset({MachineState.BLOCKED.name, MachineState.WAITING_FOR_CREW.name})
_STARVED = MachineState.STARVED.name
_NEARLY_ALL = 0.99


@dataclass(frozen=True)
class RecordedStates:
    """What the states of machines say of stations."""

    shares: dict[tuple[str, str], float]
    """Share of the recorded time of each (station, state)."""
    stations: frozenset[str]
    """Stations with states."""
    as_starved: frozenset[str]
    """Waits that the record has no word for: it calls them starved, if anything."""
    notes: tuple[str, ...]
    """What was left out or assumed."""


def station_states(
    factory: Factory, log: CaseLog, states: StateLog | pl.DataFrame, matched: MatchedVisits
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return states by station in the time of the description, and notes.

    Parameters
    ----------
    factory : Factory
        The description.
    log : CaseLog
        The visits; times of the states are put on its time axis.
    states : StateLog or polars.DataFrame
        States of machines; or of stations, with the columns station, state, start, end (s since
        ``log.origin``).
    matched : MatchedVisits
        The visits under the names of stations.

    Returns
    -------
    polars.DataFrame
        Columns station, state (upper case), start, end [s].
    tuple of str
        What was left out or assumed.

    Raises
    ------
    TelemetryError
        If no state is of a station of the factory, or the states do not fit the log.
    """
    notes: list[str] = []
    if isinstance(states, StateLog):
        # What alignment warns of is on learning; what counts here is said by station.
        rows = aligned(states, log).intervals
        notes += [f"In reading the states: {warning}." for warning in states.warnings]
        machines = rows["machine"].unique().sort().to_list()
        found = stations_of_machines(factory, matched.visits, machines)
        left = [name for name in machines if found[name] is None]
        if left:
            notes.append(f"States left out, of machines of no or several stations: {listed(left)}.")
        names = [found[name] for name in rows["machine"]]
        rows = rows.with_columns(station=pl.Series(names, dtype=pl.String))
    else:
        rows = states.with_columns(pl.col("station").cast(pl.String))
        machines = rows["station"].drop_nulls().unique().sort().to_list()
    rows = rows.filter(pl.col("station").is_in(list(factory.stations)))
    if rows.is_empty():
        message = (
            f"{factory.name}: the states are of {listed(machines)}, none of which is a machine of "
            f"one station; the factory has {listed(list(factory.stations))}; needs the same names, "
            "or the machines under 'recorded_as' of a station"
        )
        raise TelemetryError(message)
    axis = axis_as_described(factory, log)
    rows = rows if axis is None else axis.to_working(rows)
    state = pl.col("state").cast(pl.String).str.to_uppercase()
    return rows.select("station", state, "start", "end"), tuple(notes)


def recorded_states(
    factory: Factory, states: pl.DataFrame, begin: float, end: float
) -> RecordedStates:
    """Return the shares of time in states between two moments.

    Parameters
    ----------
    factory : Factory
        The description.
    states : polars.DataFrame
        As of `station_states`.
    begin, end : float
        What is measured. [s]

    Raises
    ------
    TelemetryError
        If no state is recorded in that time.
    """
    inside = states.drop_nulls(["start", "end"]).with_columns(
        pl.col("start").clip(lower_bound=begin), pl.col("end").clip(upper_bound=end)
    )
    inside = inside.filter(pl.col("end") > pl.col("start"))
    if inside.is_empty():
        message = (
            f"{factory.name}: no state is recorded in the {end - begin:.6g} s that are compared; "
            "needs states of the same time as the log"
        )
        raise TelemetryError(message)
    said = set(inside["state"])
    as_starved = _WAITS - said if _STARVED in said else frozenset()
    notes = []
    if MachineState.BLOCKED.name in as_starved:
        notes.append(
            "The states never say 'blocked', so all waits of machines are compared as starved."
        )
    seconds = inside.group_by("station", maintain_order=True).agg(
        (pl.col("end") - pl.col("start")).sum().alias("seconds")
    )
    known = {
        name: total / ((end - begin) * getattr(factory.stations[name], "machines", 1))
        for name, total in seconds.iter_rows()
    }
    partly = [f"{name} ({known[name]:.0%})" for name in known if known[name] < _NEARLY_ALL]
    if partly:
        notes.append(
            "States are recorded for a part of the time only, and the rest is taken to be like "
            f"it: {', '.join(partly)}."
        )
    without = [name for name in factory.stations if name not in known]
    if without:
        notes.append(
            f"Stations without states, of which these are not compared: {listed(without)}."
        )
    return RecordedStates(state_shares(inside), frozenset(known), as_starved, tuple(notes))


def compared_shares(
    recorded: RecordedStates, simulated: dict[tuple[str, str], float]
) -> dict[tuple[str, str], float]:
    """Return simulated shares of time in the words of the record."""
    shares: dict[tuple[str, str], float] = {}
    for (station, state), share in simulated.items():
        if station in recorded.stations:
            key = (station, _STARVED if state in recorded.as_starved else state)
            shares[key] = shares.get(key, 0.0) + share
    return shares
