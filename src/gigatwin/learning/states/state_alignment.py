"""States of machines put on the time axis and under the names of a log of items."""

from dataclasses import replace
from datetime import datetime

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.events.case_log import CaseLog
from gigatwin.events.state_log import StateLog
from gigatwin.learning.flow.stations import slug

_MOST_NAMED = 5
_NEARLY_ALL = 0.99


def aligned(states: StateLog, log: CaseLog) -> StateLog:
    """Return states with the origin of times and the names of machines that a log has.

    A machine has the same name in both if the names agree exactly; or else apart from upper and
    lower case; or else apart from these and from signs such as blanks and dots.

    Parameters
    ----------
    states : StateLog
        What the machines say of themselves.
    log : CaseLog
        The visits of items to machines.

    Returns
    -------
    StateLog
        Times since ``log.origin``; machines that the log does not know keep their names. Its
        warnings tell what does not fit.

    Raises
    ------
    TelemetryError
        If one of the two has dates, or a time zone, and the other has not; if no machine has the
        same name; or if they have no time in common.
    """
    shift = _shift(states.origin, log.origin)
    names, notes = _names(states, log)
    intervals = states.intervals.with_columns(
        pl.col("machine").replace(names),
        pl.col("start", "end") + shift,
    ).sort("machine", "start", "end", "row")
    notes += _coverage(intervals, log, set(names.values()))
    return replace(
        states,
        intervals=intervals,
        origin=log.origin,
        warnings=(*states.warnings, *notes),
    )


def _shift(states: datetime | float, log: datetime | float) -> float:
    """Return what to add to the times of the states. [s]."""
    kinds = [_kind(states), _kind(log)]
    if isinstance(states, datetime) and isinstance(log, datetime) and kinds[0] == kinds[1]:
        return (states - log).total_seconds()
    if not isinstance(states, datetime) and not isinstance(log, datetime):
        return states - log
    message = (
        f"The times of the states are {kinds[0]}, those of the log are {kinds[1]}; needs the same "
        "kind in both (give 'time_zone' in the mapping of the one without a time zone, or write "
        "both as dates)"
    )
    raise TelemetryError(message)


def _kind(origin: datetime | float) -> str:
    if not isinstance(origin, datetime):
        return "numbers"
    return "dates without a time zone" if origin.tzinfo is None else "dates with a time zone"


def _names(states: StateLog, log: CaseLog) -> tuple[dict[str, str], list[str]]:
    """Return the name in the log of each machine of the states that it knows, and notes."""
    wanted = log.visits["machine"].drop_nulls().unique().sort().to_list()
    given = states.intervals["machine"].drop_nulls().unique().sort().to_list()
    found: dict[str, str] = {}
    for key in (str, str.casefold, lambda name: slug(name).casefold()):
        left = [name for name in given if name not in found]
        free = [name for name in wanted if name not in found.values()]
        for name in left:
            same = [other for other in free if key(other) == key(name)]
            rivals = [other for other in left if key(other) == key(name)]
            # Two that cannot be told apart are not the same machine for sure.
            if len(same) == 1 and len(rivals) == 1:
                found[name] = same[0]
    if not found:
        message = (
            f"No machine of the states ({_listed(given)}) is in the log ({_listed(wanted)}); needs "
            "the same names in both, apart from upper and lower case, blanks and dots"
        )
        raise TelemetryError(message)
    notes = [
        f"the states of '{name}' are taken for '{to}'" for name, to in found.items() if name != to
    ]
    missing = [name for name in wanted if name not in found.values()]
    if missing:
        notes.append(f"no states for {_listed(missing)}; their stops are told by lengths alone")
    strange = [name for name in given if name not in found]
    if strange:
        notes.append(f"states of {_listed(strange)}, which no visit is to, are not used")
    return found, notes


def _coverage(intervals: pl.DataFrame, log: CaseLog, known: set[str]) -> list[str]:
    """Return notes on visits outside the time of the states.

    Raises
    ------
    TelemetryError
        If all of them are.
    """
    own = intervals.filter(pl.col("machine").is_in(list(known)))
    visits = log.visits.filter(pl.col("machine").is_in(list(known))).drop_nulls(["start", "end"])
    if visits.is_empty() or own.is_empty():
        return []
    spans = own.group_by("machine").agg(first=pl.col("start").min(), last=pl.col("end").max())
    inside = visits.join(spans, on="machine").filter(
        (pl.col("end") >= pl.col("first")) & (pl.col("start") <= pl.col("last"))
    )
    share = inside.height / visits.height
    if not inside.height:
        record, seen = (
            frame.select(first=pl.col("start").min(), last=pl.col("end").max()).row(0)
            for frame in (own, visits)
        )
        message = (
            f"The states ({record[0]:.6g} s to {record[1]:.6g} s after the origin of the log) and "
            f"the visits ({seen[0]:.6g} s to {seen[1]:.6g} s) have no time in common; needs "
            "records of the same time (is the time zone the same?)"
        )
        raise TelemetryError(message)
    if share < _NEARLY_ALL:
        note = (
            f"{1 - share:.0%} of the visits to machines with states are before or after these; "
            "their times count as work without stops"
        )
        return [note]
    return []


def _listed(names: list[str]) -> str:
    text = ", ".join(f"'{name}'" for name in names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{text} and {more} more" if more > 0 else text or "none"
