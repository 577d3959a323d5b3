"""What differs by format at a station: its processing time, and the time to change over."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.factory.durations import Duration
from gigatwin.learning.times.changeovers import Changeovers, find_changeovers, format_times
from gigatwin.learning.times.station_times import StationTimes, station_times


@dataclass(frozen=True)
class FormatFindings:
    """What the formats of a station's visits show."""

    laws: dict[str, Duration]
    """Format to the law of its processing time; empty where formats do not differ."""
    level: NDArray[np.float64]
    """By how much the mean of each visit's format lies above that of all, shape (n,). [s]"""
    changeovers: Changeovers | None
    """Time to change from one format to another; None with one format."""


def has_formats(visits: pl.DataFrame) -> bool:
    """Whether visits are of more than one format."""
    return "format" in visits.columns and visits["format"].drop_nulls().n_unique() > 1


def find_formats(
    visits: pl.DataFrame, durations: NDArray[np.float64], jitter: float
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
    """
    nothing = np.zeros(len(durations))
    if not has_formats(visits):
        return FormatFindings({}, nothing, None)
    formats = visits["format"].fill_null("").to_numpy()
    is_free = ~visits["is_blocked"].to_numpy() & (formats != "")
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
                laws[name] = _law(visits.filter(pl.Series(own)), durations[own], jitter)
    return FormatFindings(laws, level, find_changeovers(visits))


def _law(visits: pl.DataFrame, durations: NDArray[np.float64], jitter: float) -> Duration:
    found: StationTimes = station_times(
        durations,
        visits["is_blocked"].to_numpy(),
        visits["start"].to_numpy(),
        jitter=jitter,
        rows="",
    )
    return found.law
