r"""How many places a buffer has, and when it was full.

With blocking after service, item :math:`k` enters a buffer of :math:`b` places not before item
:math:`k-b` has left it. So the number of places is at least the highest level seen, and an item
that was held up enters at the very moment of an exit: many such coincidences at the same :math:`b`
prove the capacity. Without them nothing was held up, and only the bound is known.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.factory.estimates import Estimate
from gigatwin.learning.waiting.passages import Floats, Integers, Passages, fifo_order, passages_of

FLOOR = 5e-6
"""Times closer than this are the same, if the clocks have no jitter. [s]"""
_WINDOW = 4.0 * math.sqrt(2.0)  # of a difference of two times, in standard deviations of one
_FLANK = 4.0  # windows
_MOST_VIOLATIONS = 0.02
_BOUND_VIOLATIONS = 5e-4
_MOST_CANDIDATES = 48
_FEWEST = 3
_DIRECT = 0.997
_RESOLUTIONS = (60.0, 30.0, 10.0, 5.0, 1.0, 0.5, 0.1, 0.05, 0.01, 1e-3, 1e-4, 1e-5)


@dataclass(frozen=True)
class BufferEstimate:
    """What is known of a buffer; arrays have the shape (n_items,), in the order given."""

    capacity: int
    """Places, those of items on their way included; the highest level seen if not identified."""
    is_identified: bool
    """Whether hold-ups prove the capacity; if not, it is a lower bound."""
    is_blocked: NDArray[np.bool_]
    """Whether the departure into the buffer was held up."""
    bound: Floats
    """When there was room for the item; NaN where not known. [s]"""
    n_items: int
    """Items."""
    n_coincidences: int
    """Entries at the moment of the exit that made room."""
    max_level: int
    """Highest level seen, leaving out 1 of 2000 items."""
    violation_share: float
    """Share of entries for which there was no room."""
    estimate: Estimate
    """Capacity with its interval."""
    note: str
    """Why it is known or not, in a sentence."""
    rows: Integers
    """Row of the visit before, whose departure is meant; -1: none."""


@dataclass(frozen=True)
class Coincidences:
    """How differences of times that ought to be equal lie around zero."""

    n: int
    """Differences within the window."""
    n_by_chance: float
    """Number expected there from the density beside the window."""

    @property
    def is_significant(self) -> bool:
        """Whether there are far more than by chance."""
        expected = self.n_by_chance
        return self.n >= 2.0 * expected + 5.0 * math.sqrt(expected) + _FEWEST


def resolution(times: Floats) -> float:
    """Return the step in s of which all times are multiples; 0 if none of 60 s to 10 us is."""
    sample = times[np.isfinite(times)]
    sample = sample[:: max(1, len(sample) // 2000)]
    sample = sample[sample != 0.0]
    for step in _RESOLUTIONS:
        ratio = sample / step
        # The error of a sum of decimal fractions grows with the number.
        error = np.abs(ratio - np.round(ratio)) * step
        if len(sample) > 1 and (error <= 1e-12 * np.abs(sample) + 1e-9).all():
            return step
    return 0.0


def window_of(sigma: float, step: float) -> float:
    """Return how far apart two records of one moment can be, in s.

    Parameters
    ----------
    sigma : float
        Standard deviation of the clocks. [s]
    step : float
        Resolution of the time stamps. [s]
    """
    return max(_WINDOW * sigma, 0.5001 * step, FLOOR)


def coincidences(differences: Floats, window: float) -> Coincidences:
    """Count differences within a window around zero, and those expected there by chance."""
    size = np.abs(differences)
    beside = differences[(size > window) & (size <= _FLANK * window)]
    left = int((beside < 0).sum())
    more = max(left, len(beside) - left)
    return Coincidences(int((size <= window).sum()), 2.0 * more / (_FLANK - 1.0))


class _Levels(NamedTuple):
    highest: int
    above: Integers  # number of entries that found more than 0, 1, 2, ... items
    n_known: int


class BufferView:
    """Entries and exits of a buffer in the order of time, with lost ones in their place."""

    def __init__(self, entries: Floats, exits: Floats) -> None:
        self.order = fifo_order(entries, exits)
        self.entries = entries[self.order]
        of_order = exits[self.order]
        self.own_exits = of_order
        self.has_exit = np.isfinite(of_order)
        known = np.flatnonzero(self.has_exit)
        last = int(known[-1]) if len(known) else -1
        filled = np.fmax.accumulate(of_order) if len(of_order) else of_order
        filled = np.where(np.isnan(filled), -np.inf, filled)
        filled = np.where(self.has_exit, of_order, filled)
        # Items behind the last exit are still there.
        filled[last + 1 :] = np.inf
        by_time = np.argsort(filled, kind="stable")
        self.exits = filled[by_time]
        self.is_exit = self.has_exit[by_time]
        self.exit_order = by_time

    def levels(self, window: float) -> Integers:
        """Return the items in the buffer after each entry that is known, itself included."""
        known = np.flatnonzero(np.isfinite(self.entries))
        gone = np.searchsorted(self.exits, self.entries[known] + window, side="right")
        return np.asarray(known + 1 - gone, dtype=np.int64)

    def bounds(self, capacity: int) -> Floats:
        """Return the time in s of the exit that makes room for each entry; NaN where not known."""
        result = np.full(len(self.entries), np.nan)
        n = len(result) - capacity
        if n > 0:
            result[capacity:] = np.where(self.is_exit[:n], self.exits[:n], np.nan)
        return result


def estimate_buffer(
    entries: Floats,
    exits: Floats,
    sigma: float = 0.0,
    *,
    entered: Floats | None = None,
    released: Floats | None = None,
) -> BufferEstimate:
    """Return the capacity of a buffer from the times at which items came and went.

    Parameters
    ----------
    entries : numpy.ndarray
        Departure of each item from the machine before; NaN where lost. Shape (n_items,). [s]
    exits : numpy.ndarray
        Start of the same item at the station; NaN where lost. [s]
    sigma : float
        Standard deviation of the clocks. [s]
    entered : numpy.ndarray, optional
        Start of the same item at the machine before: it tells in a line with constant times whether
        a departure was held up. [s]
    released : numpy.ndarray, optional
        When the machine that the item went to was left by the item before: without it (and
        ``entered``), no places and an idle station look the same. [s]

    Returns
    -------
    BufferEstimate
        The capacity and which departures were held up.

    Notes
    -----
    The capacity is identified if coincidences of entry :math:`k` and exit :math:`k-b` are far more
    than the density beside their window lets expect, and the entries for which there was no room
    are at most 2 % and a quarter of the coincidences.
    """
    view = BufferView(entries, exits)
    window = window_of(sigma, resolution(np.concatenate([entries, exits])))
    is_blurred = 2.0 * window > _spacing(view.exits)
    # Where the records of neighbours change places, the level is blurred, too.
    levels = view.levels(2.0 * window if is_blurred else window)
    n_known = len(levels)
    counts = np.bincount(np.maximum(levels, 0)) if n_known else np.zeros(1, dtype=np.int64)
    above = counts.sum() - np.cumsum(counts)  # entries that found more than b
    # Next to lost events the level is sometimes wrong by one.
    lost = float((np.isnan(entries) | np.isnan(exits)).mean()) if len(entries) else 0.0
    allowed = _BOUND_VIOLATIONS + _MOST_VIOLATIONS * lost
    highest = int(np.argmax(above <= allowed * n_known))
    held = np.full(len(entries), np.nan) if entered is None else entered[view.order]
    free = np.full(len(entries), np.nan) if released is None else released[view.order]
    found: tuple[int, int] | None = None
    most = 0.0
    reason = "no departure was held up"
    first = int(np.argmax(above <= _MOST_VIOLATIONS * n_known))
    last = min(len(above), first + _MOST_CANDIDATES)
    if is_blurred:
        reason, last = "the clocks are too inexact for so short cycles", first
    for capacity in range(first, last):
        if capacity == 0 and not is_direct(view.entries - view.own_exits, window):
            continue
        differences = view.entries - (view.bounds(capacity) if capacity else free)
        is_hit, why = held_up(view, differences, held, capacity, window)
        # The capacity explains more hold-ups than one place more or less, and is contradicted less.
        n_hits = int(is_hit.sum())
        excess = n_hits - coincidences(differences[np.isfinite(differences)], window).n_by_chance
        if n_hits and above[capacity] <= n_hits / 4 and excess > most:
            found, most = (capacity, n_hits), excess
        reason = why or reason
    if found is not None and found[0] > 0:
        # Misplaced records make some coincidences beside the true capacity, never more than there.
        beside = view.entries - (view.bounds(found[0] - 1) if found[0] > 1 else free)
        others = coincidences(beside[np.isfinite(beside)], window)
        if others.is_significant and others.n > 2 * found[1]:
            found, reason = None, "too many records are lost or contradict each other"
    room = free if found is None or found[0] == 0 else view.bounds(found[0])
    return _result(view, room, window, _Levels(highest, above, n_known), found or reason)


def _spacing(exits: Floats) -> float:
    """Return the mean time in s between exits, leaving out the longest pauses."""
    gaps = np.diff(exits[np.isfinite(exits)])
    return float(gaps[gaps <= np.quantile(gaps, 0.95)].mean()) if len(gaps) else 0.0


def is_direct(differences: Floats, window: float) -> bool:
    """Return whether items start where they go to when they leave, never later.

    Parameters
    ----------
    differences : numpy.ndarray
        Departure less start of the same item; NaN where not known. [s]
    window : float
        How far apart two records of one moment can be. [s]
    """
    known = differences[np.isfinite(differences)]
    together = known[np.abs(known) <= window]
    if len(known) < _FEWEST or len(together) < _DIRECT * len(known):
        return False
    # A short wait or way, hidden in the jitter of each item, shows in the mean.
    return bool(abs(together.mean()) <= window * (0.03 + 1.0 / math.sqrt(len(together))))


def held_up(
    view: BufferView, differences: Floats, entered: Floats, capacity: int, window: float
) -> tuple[NDArray[np.bool_], str]:
    """Return which items entered when room was made, if that is no chance; else why not.

    Parameters
    ----------
    view : BufferView
        The buffer.
    differences : numpy.ndarray
        Entry less the exit that makes room, in the order of the view; NaN where not known. [s]
    entered : numpy.ndarray
        Start of the items at the machine before, in the same order. [s]
    capacity : int
        Places.
    window : float
        How far apart two records of one moment can be. [s]
    """
    known = np.isfinite(differences)
    nothing = np.zeros(len(differences), dtype=np.bool_)
    if not coincidences(differences[known], window).is_significant:
        return nothing, ""
    is_hit = known & (np.abs(differences) <= window)
    # In a line with constant times, moments coincide although nobody waits.
    hits = np.flatnonzero(is_hit)
    since = view.entries[hits - capacity] if capacity else entered[hits]
    spans = view.entries[hits] - since
    spans = spans[np.isfinite(spans)]
    low, high = np.quantile(spans, [0.25, 0.75]) if len(spans) else (0.0, 0.0)
    if high - low > 2.0 * window:
        return is_hit, ""
    stays = view.entries - entered
    usual = stays[known & ~is_hit & np.isfinite(stays)]
    late = stays[is_hit & np.isfinite(stays)]
    if len(usual) < _FEWEST or len(late) < _FEWEST or np.median(late) <= usual.min() + window:
        return nothing, "times are so constant that moments coincide by themselves"
    return is_hit, ""


def _result(
    view: BufferView,
    room: Floats,
    window: float,
    levels: _Levels,
    found: tuple[int, int] | str,
) -> BufferEstimate:
    """Return capacity and hold-ups as found, or why they are not known."""
    n = len(view.entries)
    bound = np.full(n, np.nan)
    is_blocked = np.zeros(n, dtype=np.bool_)
    is_known = not isinstance(found, str)
    capacity, n_hits = (levels.highest, 0) if isinstance(found, str) else found
    note = f"Not identified, at least {capacity}: {found}."
    if is_known:
        note = f"{n_hits} of {levels.n_known} departures came when an exit made room."
        late = view.entries - room
        bound[view.order] = room
        is_blocked[view.order] = np.isfinite(late) & (np.abs(late) <= window)
    return BufferEstimate(
        capacity=capacity,
        is_identified=is_known,
        is_blocked=is_blocked,
        bound=bound,
        n_items=n,
        n_coincidences=n_hits,
        max_level=levels.highest,
        violation_share=float(levels.above[capacity]) / max(1, levels.n_known),
        estimate=Estimate(
            value=capacity,
            low=capacity,
            high=capacity if is_known else None,
            n=levels.n_known,
            method="coincidences of entries and exits" if is_known else "highest level seen",
            is_identified=is_known,
        ),
        note=note,
        rows=np.full(n, -1),
    )


def buffer_of(passages: Passages, sigma: float = 0.0) -> BufferEstimate:
    """Return the capacity of the buffer that items passed; ``sigma`` as of `estimate_buffer`."""
    found = estimate_buffer(
        passages.entries,
        passages.exits,
        sigma,
        entered=passages.entered,
        released=passages.released,
    )
    return replace(found, rows=passages.from_row)


def buffers_of(
    visits: pl.DataFrame, predecessors: Mapping[str, Sequence[str]], sigma: float = 0.0
) -> dict[str, BufferEstimate]:
    """Return the buffer in front of each station that has stations before it.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns case, station, machine, start, end (s, null where the event is missing).
    predecessors : Mapping
        Station to the stations before it.
    sigma : float
        Standard deviation of the clocks. [s]
    """
    found = passages_of(visits, predecessors)
    return {station: buffer_of(passages, sigma) for station, passages in found.items()}


def with_blocking(visits: pl.DataFrame, buffers: Mapping[str, BufferEstimate]) -> pl.DataFrame:
    """Return visits with what the buffers behind their machines tell about their departures.

    Parameters
    ----------
    visits : polars.DataFrame
        The frame that the buffers were learned from.
    buffers : Mapping
        Station to the buffer in front of it.

    Returns
    -------
    polars.DataFrame
        The columns ``bound``: when there was room for the item (s, null where not known), and
        ``is_blocked``: whether the departure was held up.
    """
    bound = np.full(visits.height, np.nan)
    is_blocked = np.zeros(visits.height, dtype=np.bool_)
    for buffer in buffers.values():
        known = buffer.rows >= 0
        bound[buffer.rows[known]] = buffer.bound[known]
        is_blocked[buffer.rows[known]] = buffer.is_blocked[known]
    return visits.with_columns(
        bound=pl.Series(bound).fill_nan(None), is_blocked=pl.Series(is_blocked)
    )
