"""What differs by format at a station: its processing time, and the time to change over."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.factory.durations import Duration
from gigatwin.learning.times.changeovers import (
    Changeovers,
    find_changeovers,
    format_times,
    formats_before,
)
from gigatwin.learning.times.station_times import StationTimes, station_times


@dataclass(frozen=True)
class FormatFindings:
    """What the formats of a station's visits show."""

    laws: dict[str, Duration]
    """Format to the law of its processing time; empty where formats do not differ."""
    level: NDArray[np.float64]
    """What to take off each visit for a time of a mean format: by how much the mean of its format
    lies above that of all, and the changeover inside it. Shape (n,). [s]"""
    changeovers: Changeovers | None
    """Time to change from one format to another; None with one format."""


def has_formats(visits: pl.DataFrame) -> bool:
    """Whether visits are of more than one format."""
    return "format" in visits.columns and visits["format"].drop_nulls().n_unique() > 1


def find_formats(
    visits: pl.DataFrame,
    durations: NDArray[np.float64],
    jitter: float,
    *,
    may_stop: bool = True,
) -> FormatFindings:
    """Return what differs by format at a station.

    Parameters
    ----------
    visits : polars.DataFrame
        Its visits with both times: columns machine, start, end, format, is_blocked; ``ready`` and
        row where known.
    durations : ndarray
        Time of each visit without recorded stops. Shape (n,). [s]
    jitter : float
        Standard deviation of the clock's error. [s]
    may_stop : bool
        Whether long visits may be stops, as in `station_times`.
    """
    nothing = np.zeros(len(durations))
    if not has_formats(visits):
        return FormatFindings({}, nothing, None)
    formats = visits["format"].fill_null("").to_numpy()
    is_free = ~visits["is_blocked"].to_numpy() & (formats != "")
    changeovers = find_changeovers(visits)
    inside = _changeovers_inside(visits, durations, changeovers)
    durations = durations - inside
    laws: dict[str, Duration] = {}
    level = nothing
    if is_free.sum() and len(np.unique(formats[is_free])) > 1:
        found = format_times(durations[is_free], formats[is_free])
        if found.differ:
            means = {name: mean.value for name, mean in found.means.items()}
            overall = float(np.mean([means.get(name, np.nan) for name in formats[is_free]]))
            level = np.array([means.get(name, overall) - overall for name in formats])
            for name in means:
                own = formats == name
                laws[name] = _law(
                    visits.filter(pl.Series(own)), durations[own], jitter, may_stop=may_stop
                )
    return FormatFindings(laws, level + inside, changeovers)


def _changeovers_inside(
    visits: pl.DataFrame, durations: NDArray[np.float64], changeovers: Changeovers
) -> NDArray[np.float64]:
    """Return how long each visit is changeover, shape (n,) [s]."""
    inside = np.zeros(len(durations))
    if changeovers.changeover is None or changeovers.place != "inside":
        return inside
    formats = visits["format"].fill_null("").to_numpy()
    before = formats_before(visits).fill_null("").to_numpy()
    is_changed = (before != "") & (before != formats)
    # A visit that was held up is an upper bound of the work with its changeover, too.
    is_free = ~visits["is_blocked"].to_numpy()
    overall = changeovers.changeover.estimates["time"].value
    for name in np.unique(formats[is_changed]):
        own = np.flatnonzero(is_free & is_changed & (formats == name))
        others = durations[is_free & ~is_changed & (formats == name)]
        if len(others):
            # Changeovers scatter: less their mean, long ones would look like stops and short ones
            # like no work. So the work is taken to be as in visits without one, rank by rank.
            own = own[np.argsort(durations[own], kind="stable")]
            work = np.quantile(others, (np.arange(len(own)) + 0.5) / max(len(own), 1))
        else:
            means = [changeovers.means.get((before[place], name)) for place in own]
            work = durations[own] - [overall if mean is None else mean.value for mean in means]
        inside[own] = durations[own] - np.clip(work, 0.0, durations[own])
    return inside


def _law(
    visits: pl.DataFrame, durations: NDArray[np.float64], jitter: float, *, may_stop: bool
) -> Duration:
    found: StationTimes = station_times(
        durations,
        visits["is_blocked"].to_numpy(),
        visits["start"].to_numpy(),
        jitter=jitter,
        rows="",
        may_stop=may_stop,
    )
    return found.law
