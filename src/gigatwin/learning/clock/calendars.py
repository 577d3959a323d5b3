"""When there is work: a shift calendar from the times at which activities begin.

All weeks of the log (all days, when it is shorter than two weeks) are laid over each other. Time
of the week in which hardly anything ever begins, though much would by the rate of the rest, is off
shift. Its ends are then moved to the last and first begin, and days that agree are put together.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gigatwin.factory.estimates import Estimate
from gigatwin.factory.resources import Shifts, ShiftStep
from gigatwin.learning.clock.working_clock import WorkingClock

Floats = NDArray[np.float64]

DAY, WEEK = 86400.0, 604800.0
"""Lengths of the periods that are looked for. [s]"""
_BIN = 900.0
_LEAST_PERIODS = 2
# Work off shift may be so much of that on shift: somebody who comes early.
_QUIET = 0.1
_CHANCE = 1e-7
_LEAST_PAUSE = 1800.0
_INTERVALS_IN_PAUSE = 4.0
# A moment is not seen for 3 mean intervals in 5 % of all cases.
_MEAN_INTERVALS = 3.0
_SURELY = 5.0
_NEIGHBOURS = 10
_STRAY_BINS = 1
# Where nothing was ever seen off shift, the first moment seen is on shift, almost surely.
_RARE = 0.01
_TICK = 1.0
_WORTH_KNOWING = 8 * 3600.0
# Bins this dense in events would all be busy in every period of a real calendar.
_DENSE, _REPEATED = 0.25, 0.5
_ROUND_TIMES = (1800.0, 900.0, 300.0, 60.0)


@dataclass(frozen=True)
class Calendar:
    """The hours of work that a log shows."""

    shifts: Shifts | None
    """The shifts, in a period that begins on Monday at midnight or at midnight; None: no hours
    without work were found."""
    phase: float
    """Time of the period at the time 0 of the log. [s]"""
    is_identified: bool
    """Whether the log tells when there is work; if not, it may be at all hours or not."""
    note: str
    """The finding in a sentence."""

    def working_time(self, times: Floats) -> Floats:
        """Return times of the log on a clock that runs only during shifts. [s]."""
        if self.shifts is None:
            return np.asarray(times, dtype=np.float64)
        return WorkingClock(self.shifts, self.phase).to_working(times)


@dataclass(frozen=True)
class _Week:
    """What the periods of a log show when they are laid over each other."""

    period: float
    phases: Floats
    """Times of the period at which something began, each once, ascending. [s]"""
    off: NDArray[np.bool_]
    """Bins off shift."""
    n_begins: int


def find_calendar(times: Floats, origin: datetime | float = 0.0, *, capacity: int = 1) -> Calendar:
    """Return the shift calendar that the begins of activities show.

    Parameters
    ----------
    times : ndarray
        When activities began, in any order; those not finite are left out. Shape (n,). [s]
    origin : datetime or float
        The moment of time 0. With a date, the period begins at midnight (of a Monday), on the
        clock that the date has; with a number, at the time 0 of the log.
    capacity : int
        Number at work during a shift.

    Returns
    -------
    Calendar
        ``shifts`` is None for a log shorter than two days, or with work at all hours.
    """
    times = np.sort(np.asarray(times, dtype=np.float64)[np.isfinite(times)])
    phase = phase_of(origin)
    span = float(times[-1] - times[0]) if len(times) else 0.0
    if span < _LEAST_PERIODS * DAY:
        note = (
            f"No shift calendar: the log covers {span / DAY:.2g} days; needs at least "
            f"{_LEAST_PERIODS} days to see what repeats, and {_LEAST_PERIODS} weeks for weekends."
        )
        return Calendar(None, phase % DAY, is_identified=False, note=note)
    periods = (WEEK, DAY) if span >= _LEAST_PERIODS * WEEK else (DAY,)
    is_enough = False
    for period in periods:
        counts = _counts(times + phase, period)
        distinct = np.diff(np.unique(np.round(times)))
        interval = float(np.median(distinct))
        shortest = max(_LEAST_PAUSE, _INTERVALS_IN_PAUSE * interval)
        off = _off_shift(counts, shortest)
        if period == WEEK:
            off = _with_daily(times + phase, off, shortest)
        rate = float(counts[~off].mean())
        is_enough |= -rate * _WORTH_KNOWING / _BIN < np.log(_CHANCE)
        if not off.any():
            continue
        if interval < _DENSE * _BIN and rate < _REPEATED * span / period:
            note = (
                "No shift calendar: work came in sessions that did not repeat from one "
                f"{_name(period)} to the next; needs a longer log."
            )
            return Calendar(None, phase % period, is_identified=False, note=note)
        phases = np.unique(np.round((times + phase) % period, 3))
        return _calendar(_Week(period, phases, off, len(times)), phase, origin, capacity)
    if is_enough:
        note = "No shift calendar: activities begin at all hours, so work goes on all the time."
    else:
        note = (
            f"No shift calendar: {len(times)} begins in {span / DAY:.3g} days are too few to tell "
            "hours without work from chance."
        )
    return Calendar(None, phase % periods[0], is_identified=is_enough, note=note)


def phase_of(origin: datetime | float) -> float:
    """Return the time from Monday at midnight to the origin of a log; 0 without a date. [s]."""
    if not isinstance(origin, datetime):
        return 0.0
    seconds = origin.hour * 3600 + origin.minute * 60 + origin.second + origin.microsecond / 1e6
    return origin.weekday() * DAY + seconds


def _counts(moments: Floats, period: float) -> NDArray[np.int64]:
    """Return in how many periods something began in each bin: a burst counts once."""
    n_bins = round(period / _BIN)
    cells = np.unique(np.floor(moments / _BIN).astype(np.int64))
    return np.bincount(cells % n_bins, minlength=n_bins)


def _with_daily(moments: Floats, off: NDArray[np.bool_], shortest: float) -> NDArray[np.bool_]:
    """Return the bins of a week that are off, with those off on every day that is worked."""
    days = off.reshape(7, -1).copy()
    is_worked = ~days.all(axis=1)
    of_these = np.isin(moments % WEEK // DAY, np.flatnonzero(is_worked))
    days[is_worked] |= _off_shift(_counts(moments[of_these], DAY), shortest)
    return days.ravel()


def _off_shift(counts: NDArray[np.int64], shortest: float) -> NDArray[np.bool_]:
    """Return the bins of the period that are off shift. Shape (n_bins,)."""
    n_bins = len(counts)
    off = np.zeros(n_bins, dtype=np.bool_)
    for _ in range(n_bins):
        rate = float(counts[~off].mean())
        quiet = counts <= _QUIET * rate
        if quiet.all():
            return np.zeros(n_bins, dtype=np.bool_)
        # Begin in a busy bin, so that no run lies across the end.
        turn = int(np.flatnonzero(~quiet)[0])
        rolled, rolled_counts = np.roll(quiet, -turn), np.roll(counts, -turn)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], rolled, [False])).astype(np.int8)))
        found = np.zeros(n_bins, dtype=np.bool_)
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            n_seen = int(rolled_counts[begin:end].sum())
            chance = stats.poisson.cdf(n_seen, rate * (end - begin))
            if chance * n_bins < _CHANCE and (end - begin) * _BIN >= shortest:
                found[begin:end] = True
        found = np.roll(_without_strays(found, rolled_counts), turn)
        if np.array_equal(found, off):
            break
        off = found
    return off


def _without_strays(off: NDArray[np.bool_], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the bins off shift, with single begins in the middle of them: somebody came by."""
    filled = off.copy()
    edges = np.flatnonzero(np.diff(off.astype(np.int8))) + 1
    for begin, end in pairwise(edges):
        if not off[begin] and end - begin <= _STRAY_BINS and counts[begin:end].sum() <= 1:
            filled[begin:end] = True
    return filled


def _calendar(week: _Week, phase: float, origin: datetime | float, capacity: int) -> Calendar:
    period = week.period
    steps: dict[float, ShiftStep] = {}
    edges = np.flatnonzero(week.off != np.roll(week.off, 1))
    for is_begin in (True, False):
        for group in _same_time_of_day([edge for edge in edges if week.off[edge] != is_begin]):
            at, low, high = _boundary(week, group, is_begin=is_begin)
            for edge in group:
                # The boundary may lie on the other side of midnight than the edge of the bin.
                day = round((edge * _BIN - at) / DAY) * DAY
                begin = round((day + at) % period, 3)
                estimate = Estimate(
                    value=begin,
                    low=begin - (at - low),
                    high=begin + (high - at),
                    unit="s",
                    n=week.n_begins,
                    method=(
                        f"{'first' if is_begin else 'last'} begin of an activity, interval by the "
                        "time between begins near it"
                    ),
                )
                steps[begin] = ShiftStep(
                    at=begin, capacity=capacity if is_begin else 0, estimates={"at": estimate}
                )
    ordered = tuple(steps[at] for at in sorted(steps))
    if period == WEEK and _is_daily(ordered):
        period = DAY
        ordered = tuple(step for step in ordered if step.at < DAY)
    shifts = Shifts(period=period, steps=ordered)
    note = (
        f"Shift calendar with the period of a {_name(period)}, from {week.n_begins} begins of "
        "activities."
    )
    if not isinstance(origin, datetime):
        note += " The log has no dates, so the period begins with the log, not at midnight."
    return Calendar(shifts, phase % period, is_identified=True, note=note)


def _same_time_of_day(edges: list[np.int64]) -> list[list[int]]:
    """Return edges of bins in groups that are within a bin of each other on different days."""
    bins_of_day = round(DAY / _BIN)
    groups: list[list[int]] = []
    for edge in sorted(map(int, edges), key=lambda edge: edge % bins_of_day):
        if groups and edge % bins_of_day - groups[-1][-1] % bins_of_day <= 1:
            groups[-1].append(edge)
        else:
            groups.append([edge])
    return groups


def _boundary(week: _Week, edges: list[int], *, is_begin: bool) -> tuple[float, float, float]:
    """Return when on its days work begins or ends, with the interval, by maximum likelihood."""
    window = 2.0 * _BIN
    centre = min(edges, key=lambda edge: edge * _BIN % DAY) * _BIN % DAY
    near = []
    for edge in edges:
        start = edge * _BIN - (edge * _BIN - centre + DAY / 2) % DAY + DAY / 2 - window
        phases = (week.phases - start) % week.period
        near.append(phases[phases < 2.0 * window])
    moments = np.unique(np.concatenate(near))
    if len(moments) == 0:
        at = edges[0] * _BIN % DAY
        return at, at - _BIN, at + _BIN
    # On a clock that starts inside work: up to the end of it, or back to its begin.
    worked = np.sort(2.0 * window - moments) if is_begin else moments
    n_days = len(edges)
    on_time = float((~week.off).sum()) * _BIN
    rate = len(week.phases) / on_time * n_days
    n_off = _RARE + float(np.sum(week.off[np.floor(week.phases / _BIN).astype(np.int64)]))
    quiet = n_off / max(week.period - on_time, _BIN) * n_days
    gains = np.log(rate / quiet) * np.arange(1, len(worked) + 1) - rate * worked
    last = int(np.argmax(gains))
    first = max(last - _NEIGHBOURS, 0)
    mean_interval = 1.0 / rate if last == first else (worked[last] - worked[first]) / (last - first)
    place = float(worked[last])
    seen = centre - window + (2.0 * window - place if is_begin else place)
    reach = mean_interval * (-1 if is_begin else 1)
    rounded = _round_time(seen, seen + _SURELY * reach)
    ends = (seen, seen + _MEAN_INTERVALS * reach, rounded)
    return rounded, min(ends), max(ends)


def _round_time(seen: float, farthest: float) -> float:
    """Return the roundest time of day between two times of day, the first one without any."""
    low, high = min(seen, farthest), max(seen, farthest)
    for unit in _ROUND_TIMES:
        candidate = round(seen / unit) * unit
        if low - _TICK <= candidate <= high + _TICK:
            return candidate
    return seen


def _name(period: float) -> str:
    return "week" if period == WEEK else "day"


def _is_daily(steps: tuple[ShiftStep, ...]) -> bool:
    days: dict[int, list[tuple[float, int]]] = {day: [] for day in range(7)}
    for step in steps:
        days[int(step.at // DAY)].append((round(step.at % DAY), step.capacity))
    return all(first == second for first, second in pairwise(days.values()))
