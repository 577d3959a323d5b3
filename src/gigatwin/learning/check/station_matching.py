"""Which station of a factory each visit of a log belongs to."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.factory.factory import Factory
from gigatwin.learning.flow.concurrency import name_together
from gigatwin.learning.flow.stations import slug, with_stations

StationOf = Callable[[pl.DataFrame], pl.Series]
"""Gives the station of each row of a visits frame; null where there is none."""
_SHOWN = 12


@dataclass(frozen=True)
class MatchedVisits:
    """The visits to stations that both the log and the factory have."""

    visits: pl.DataFrame
    """Visits with their column station."""
    stations: tuple[str, ...]
    """Stations of both, in the order of the factory."""
    notes: tuple[str, ...]
    """What is in one of them only."""


def matched_visits(
    factory: Factory, visits: pl.DataFrame, station_of: StationOf | None = None
) -> MatchedVisits:
    """Return the visits of a log under the names of a factory's stations.

    Parameters
    ----------
    factory : Factory
        The description.
    visits : polars.DataFrame
        As in `CaseLog.visits`.
    station_of : callable, optional
        Gives the station of each row. Left out, a column ``station`` is used where there is one
        and the factory knows a name in it; otherwise the station is the one that is
        ``recorded_as`` the two, or is named as a learned one would be (``machine-activity``), or
        as the activity, or as the machine, with or without
        its number (``press#2``, ``press_2``); or the only one whose description has the names of
        both in quotes.

    Raises
    ------
    TelemetryError
        If no visit belongs to a station of the factory; the text lists the names of both.
    """
    known = factory.stations
    if visits.height == 0:
        message = f"{factory.name}: the log has no visits; needs a log to compare with"
        raise TelemetryError(message)
    if station_of is not None:
        found = visits.with_columns(station_of(visits).cast(pl.String).alias("station"))
    elif "station" in visits.columns and set(visits["station"].drop_nulls()) & set(known):
        found = visits.with_columns(pl.col("station").cast(pl.String))
    else:
        found = _by_name(factory, visits.drop("station", strict=False))
    kept = found.filter(pl.col("station").is_in(list(known)))
    there = set(kept["station"].unique())
    if not there:
        names = sorted(set(_names(found)))
        message = (
            f"{factory.name}: no visit of the log belongs to one of its stations; the log has "
            f"{listed(names)}, the factory {listed(list(known))}; needs the same names, or a "
            "function 'station_of' that gives the station of each visit"
        )
        raise TelemetryError(message)
    notes = []
    strange = found.filter(~pl.col("station").is_in(list(known)).fill_null(value=False))
    if strange.height:
        notes.append(
            f"{strange.height} of {visits.height} visits left out, to stations that the factory "
            f"does not have: {listed(sorted(set(_names(strange))))}."
        )
    silent = [name for name in known if name not in there]
    if silent:
        notes.append(f"Stations of the factory that the log does not show: {listed(silent)}.")
    return MatchedVisits(kept, tuple(name for name in known if name in there), tuple(notes))


def stations_by_names(
    names: Mapping[str, tuple[Collection[str], Collection[str]]],
) -> StationOf:
    """Return a function that finds stations by the activities and machines of each.

    Parameters
    ----------
    names : mapping
        Station to its activities and its machines, as the log names them; a visit belongs to the
        first station that has both.
    """

    def station_of(visits: pl.DataFrame) -> pl.Series:
        ways = [
            pl.when(
                pl.col("activity").is_in(list(activities)) & pl.col("machine").is_in(list(machines))
            ).then(pl.lit(station))
            for station, (activities, machines) in names.items()
        ]
        return visits.select(pl.coalesce(*ways, pl.lit(None, pl.String)).alias("station"))[
            "station"
        ]

    return station_of


def stations_of_machines(
    factory: Factory, visits: pl.DataFrame, machines: Collection[str]
) -> dict[str, str | None]:
    """Return the station of each machine; None where it has none, or several.

    Parameters
    ----------
    factory : Factory
        The description.
    visits : polars.DataFrame
        Visits with the columns machine and station, as of `matched_visits`.
    machines : collection of str
        Machines by the names of the log. The station is the only one that is ``recorded_as`` the
        machine; or is named as it is, with or without its number; or has all of its visits.
    """
    pairs = visits.select("machine", "station").drop_nulls().unique()
    shown: dict[str, set[str]] = {}
    for machine, station in pairs.iter_rows():
        shown.setdefault(machine, set()).add(station)
    found: dict[str, str | None] = {}
    for machine in machines:
        recorded = {
            name
            for name, station in factory.stations.items()
            if station.recorded_as is not None and machine in station.recorded_as.machines
        }
        named = _first_known(factory, (machine,))
        ways = (recorded, {named} if named else set(), shown.get(machine, set()))
        names = next((way for way in ways if way), set())
        found[machine] = min(names) if len(names) == 1 else None
    return found


def _by_name(factory: Factory, visits: pl.DataFrame) -> pl.DataFrame:
    named = with_stations(visits)
    pairs = named.select("activity", "machine", learned="station").unique()
    rows = [
        (activity, machine, _found(factory, learned, activity, machine))
        for activity, machine, learned in pairs.iter_rows()
    ]
    table = pl.DataFrame(
        rows,
        schema={"activity": pl.String, "machine": pl.String, "station": pl.String},
        orient="row",
    )
    return visits.join(table, on=["activity", "machine"], how="left", maintain_order="left")


def _found(factory: Factory, learned: str, activity: str, machine: str) -> str | None:
    recorded = _recorded(factory, activity, machine)
    if recorded is not None:
        return recorded
    by_name = _first_known(factory, (learned, activity, machine))
    return by_name or _described(factory, activity, machine)


def _recorded(factory: Factory, activity: str, machine: str) -> str | None:
    """Return the station that says that the log calls it so."""
    for name, station in factory.stations.items():
        known = station.recorded_as
        if known is None:
            continue
        activities = (
            (name_together(known.activities),) if known.is_side_by_side else known.activities
        )
        if activity in activities and (not known.machines or machine in known.machines):
            return name
    return None


def _first_known(factory: Factory, names: tuple[str, ...]) -> str | None:
    for name in names:
        for wanted in (name, re.sub(r"#\d+$", "", name), re.sub(r"[\W_]*\d+$", "", name)):
            for written in (wanted, slug(wanted), slug(wanted.rstrip("/").rsplit("/", 1)[-1])):
                if written in factory.stations:
                    return written
    return None


def _described(factory: Factory, activity: str, machine: str) -> str | None:
    """Return the station whose description names both, as that of a learned one does."""
    wanted = (f"'{activity}'", f"'{machine}'")
    found = [
        name
        for name, station in factory.stations.items()
        if all(part in station.description for part in wanted)
    ]
    return found[0] if len(found) == 1 else None


def _names(visits: pl.DataFrame) -> list[str]:
    """Return the names under which a log has its visits, machine and activity."""
    pairs = visits.select("activity", "machine").unique().rows()
    return [
        machine if activity == machine else f"{activity} on {machine}"
        for activity, machine in pairs
    ]


def listed(names: list[str]) -> str:
    """Return names in quotes, the first of many."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(f"'{name}'" for name in names[:_SHOWN]) + more
