"""From the times of a log to working time: summer time put right, nights and weekends taken out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.factory.resources import Shifts
from gigatwin.learning.clock.calendars import Calendar, find_calendar, phase_of
from gigatwin.learning.clock.clock_changes import (
    ClockChange,
    find_clock_changes,
    with_changes,
    without_changes,
)
from gigatwin.learning.clock.working_clock import WorkingClock
from gigatwin.units import format_quantity

Times = NDArray[np.float64]
_LONG_REST, _FAR_LONGER, _FEW = 3600.0, 100.0, 10


@dataclass(frozen=True)
class TimeAxis:
    """How the times of a log and those of the description go together."""

    origin: datetime | float
    """What time 0 of the log is."""
    changes: tuple[ClockChange, ...]
    """Moments at which the clock was put forward or back."""
    calendar: Calendar
    """When the line works."""

    @property
    def clock(self) -> WorkingClock | None:
        """The clock of the description, or None where it is that of the log."""
        shifts = self.calendar.shifts
        return None if shifts is None else WorkingClock(shifts, self.calendar.phase)

    def to_working(self, visits: pl.DataFrame) -> pl.DataFrame:
        """Return visits with start and end in working time. [s]."""
        if not self.changes and self.clock is None:
            return visits
        columns = {}
        for name in ("start", "end"):
            times = without_changes(visits[name].to_numpy(), self.changes)
            times = times if self.clock is None else self.clock.to_working(times)
            columns[name] = pl.Series(times).fill_nan(None)
        return visits.with_columns(**columns)

    def to_log(self, visits: pl.DataFrame) -> pl.DataFrame:
        """Return visits with start and end as the log would show them. [s]."""
        if not self.changes and self.clock is None:
            return visits
        columns = {}
        for name in ("start", "end"):
            times = visits[name].to_numpy()
            if self.clock is not None:
                times = self.clock.to_calendar(times, at_end=name == "end")
            columns[name] = pl.Series(with_changes(times, self.changes)).fill_nan(None)
        return visits.with_columns(**columns)

    def moment(self, working: float) -> str:
        """Return a moment of working time [s] as the log names it: a date where it has dates."""
        times = pl.DataFrame({"start": [working], "end": [working]})
        seconds = float(self.to_log(times)["start"][0])
        if isinstance(self.origin, datetime):
            return f"{self.origin + timedelta(seconds=seconds):%Y-%m-%d %H:%M}"
        return f"{format_quantity(seconds, 's')} after the begin"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found, in sentences."""
        found = []
        for change in self.changes:
            moment: object = f"{change.moment:.0f} s"
            if isinstance(self.origin, datetime):
                moment = (self.origin + timedelta(seconds=change.moment)).date()
            way = "later" if change.shift > 0 else "earlier"
            found.append(
                f"From {moment} on the days of the log begin and end an hour {way}, as with summer "
                "time; this is put right."
            )
        if self.calendar.shifts is not None:
            found.append(
                f"{self.calendar.note} Times of the description are working time: nights and "
                "other pauses are left out."
            )
        return tuple(found)


def rest_note(visits: pl.DataFrame, axis: "TimeAxis") -> str | None:
    """Say that nothing began for hours although no calendar was found; None where this is not so.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns start and end [s].
    axis : TimeAxis
        What is known of the hours of work.
    """
    begins = visits.select(when=pl.coalesce("start", "end").sort())["when"].drop_nulls().to_numpy()
    if axis.calendar.shifts is not None or len(begins) < _FEW:
        return None
    gaps = np.diff(begins)
    longest = int(np.argmax(gaps))
    if gaps[longest] < max(_LONG_REST, _FAR_LONGER * float(np.mean(gaps))):
        return None
    return (
        f"Nothing began anywhere for {gaps[longest] / 3600.0:.3g} h from "
        f"{axis.moment(float(begins[longest]))} on. The description has no such pauses, so its "
        "output is that of the hours of work, and more than that of the log."
    )


def time_axis(visits: pl.DataFrame, origin: datetime | float) -> TimeAxis:
    """Return the time axis of a log.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns start and end [s].
    origin : datetime or float
        What time 0 is; without a date a day is taken to begin there.
    """
    changes = _changes(visits, origin)
    starts = visits.select(pl.coalesce("start", "end"))["start"].drop_nulls().to_numpy()
    return TimeAxis(origin, changes, find_calendar(without_changes(starts, changes), origin))


def axis_of(visits: pl.DataFrame, origin: datetime | float, shifts: Shifts) -> TimeAxis:
    """Return the time axis of a log of a line whose hours of work are known.

    Parameters
    ----------
    visits, origin
        As of `time_axis`.
    shifts : Shifts
        When the line works.
    """
    note = "The hours of work are those of the description."
    calendar = Calendar(shifts, phase_of(origin), is_identified=True, note=note)
    return TimeAxis(origin, _changes(visits, origin), calendar)


def _changes(visits: pl.DataFrame, origin: datetime | float) -> tuple[ClockChange, ...]:
    both = np.concatenate([visits[name].drop_nulls().to_numpy() for name in ("start", "end")])
    return find_clock_changes(both, -phase_of(origin))
