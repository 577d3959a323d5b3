"""The way of items from one machine to the next station, as arrays.

A *passage* is what a buffer sees of an item: it enters when it leaves the machine before, and exits
when it enters a machine of the station. An item with a lost event keeps its place in the order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_ORDERED = 0.99


@dataclass(frozen=True)
class Passages:
    """The items that went to a station, in the order in which they came; arrays of shape (n,)."""

    station: str
    """The station they went to."""
    entries: Floats
    """When each left the machine before; NaN where not known. [s]"""
    exits: Floats
    """When each entered the station; NaN where not known. [s]"""
    entered: Floats
    """When each had entered the machine before; NaN where not known. [s]"""
    released: Floats
    """When the item before it left the machine that it entered; NaN where not known. [s]"""
    from_machine: Integers
    """Number of the machine before in ``machines``; -1 where not known."""
    to_machine: Integers
    """Number of the machine it entered; -1 where not known."""
    from_row: Integers
    """Row of the visit before in the frame of visits; -1: none."""
    to_row: Integers
    """Row of its visit to the station; -1: none."""
    machines: tuple[str, ...]
    """Names of the machines."""

    def where(self, mask: NDArray[np.bool_]) -> "Passages":
        """Return the passages for which a mask is true."""
        return self.taken(np.flatnonzero(mask))

    def taken(self, rows: Integers) -> "Passages":
        """Return the passages with these numbers."""
        fields = ("entries", "exits", "entered", "released")
        numbers = ("from_machine", "to_machine", "from_row", "to_row")
        return replace(self, **{name: getattr(self, name)[rows] for name in (*fields, *numbers)})


def fifo_order(entries: Floats, exits: Floats) -> Integers:
    """Return the order of items by entry; a lost entry keeps its place in the order given.

    If the entries are not given in order, lost ones are placed by their exits.

    Parameters
    ----------
    entries, exits : numpy.ndarray
        As of `Passages`.
    """
    lost = np.flatnonzero(np.isnan(entries))
    key = entries.copy()
    known = entries[~np.isnan(entries)]
    if len(lost) and len(known) > 1 and (np.diff(known) >= 0).mean() < _ORDERED:
        key[lost] = _after(entries, exits, lost)
    return np.lexsort((np.isnan(entries), _filled(key)))


def _after(entries: Floats, other: Floats, lost: Integers) -> Floats:
    """Return for lost entries the last entry among the items that are before them in ``other``."""
    both = np.flatnonzero(~np.isnan(entries) & ~np.isnan(other))
    both = both[np.argsort(other[both], kind="stable")]
    before = np.concatenate([[-np.inf], np.fmax.accumulate(entries[both])])
    place = np.searchsorted(other[both], other[lost])
    return np.where(np.isnan(other[lost]), np.nan, before[place])


def _filled(values: Floats) -> Floats:
    """Return values with each NaN replaced by the last value before it, or minus infinity."""
    known = np.where(np.isnan(values), -1, np.arange(len(values)))
    last = np.maximum.accumulate(known)
    return np.where(last < 0, -np.inf, values[np.maximum(last, 0)])


def ordering_times(visits: pl.DataFrame) -> tuple[Floats, Floats]:
    """Return starts and ends with lost ones filled in, good enough to put visits in order.

    A lost event is put at the median time of stay of its machine from the other one.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns machine, start, end.
    """
    stay = (pl.col("end") - pl.col("start")).median().over("machine").fill_null(0.0)
    filled = visits.select(
        start=pl.coalesce("start", pl.col("end") - stay),
        end=pl.coalesce("end", pl.col("start") + stay),
    )
    return filled["start"].to_numpy(), filled["end"].to_numpy()


def previous_ends(visits: pl.DataFrame) -> Floats:
    """Return when, in s, the visit before each one left the same machine; NaN where not known.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns machine, start, end.
    """
    return _previous_ends(visits, ordering_times(visits)[0])


def _previous_ends(visits: pl.DataFrame, start: Floats) -> Floats:
    machine, _ = _codes(visits["machine"])
    order = np.lexsort((start, machine))
    end = numbers(visits["end"])[order]
    before = np.full(len(end), np.nan)
    same = machine[order][1:] == machine[order][:-1]
    before[1:][same] = end[:-1][same]
    result = np.empty_like(before)
    result[order] = before
    return result


def passages_of(
    visits: pl.DataFrame, predecessors: Mapping[str, Sequence[str]]
) -> dict[str, Passages]:
    """Return the passages to each station that has stations before it.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns case, station, machine, start, end (s, null where the event is missing).
    predecessors : Mapping
        Station to the stations before it.

    Returns
    -------
    dict
        Station to its passages, first in, first out. Rows that are copies of each other count
        once; an item whose whole visit is missing keeps its place if its other visits show it.
    """
    case, _ = _codes(visits["case"])
    station, names = _codes(visits["station"])
    machine, machines = _codes(visits["machine"])
    start, end = numbers(visits["start"]), numbers(visits["end"])
    rough_start, rough_end = ordering_times(visits)
    released = _previous_ends(visits, rough_start)
    order = np.lexsort((rough_start, case))
    order = order[~_copies(order, case, machine, start, end)]
    leads = np.zeros((len(names), len(names) + 1), dtype=np.bool_)
    number = {name: i for i, name in enumerate(names)}
    for name, others in predecessors.items():
        for other in others:
            if name in number and other in number:
                leads[number[other], number[name]] = True
    # The place before each visit of a case and after it, -1 at its ends.
    same = case[order][1:] == case[order][:-1]
    before = np.concatenate([[-1], np.where(same, order[:-1], -1)]).astype(np.int64)
    after = np.concatenate([np.where(same, order[1:], -1), [-1]]).astype(np.int64)
    before, after = before[: len(order)], after[: len(order)]
    of = np.append(station, len(names))  # row -1: no station
    is_linked = leads[of[before] % len(names), of[order]] & (before >= 0)
    lost_next = (after >= 0) & ~leads[of[order], of[after]]
    only = np.where(leads.sum(axis=1) == 1, leads.argmax(axis=1), -1)
    result = {}
    for name, others in predecessors.items():
        if name not in number or not any(other in number for other in others):
            continue
        here = number[name]
        arriving = of[order] == here
        vanished = lost_next & (only[of[order]] == here)
        down = np.concatenate([order[arriving], np.full(int(vanished.sum()), -1)])
        up = np.concatenate(
            [np.where(is_linked, before, -1)[arriving], order[vanished]],
        )
        # An item without a visit before stands behind those that entered the station before it.
        came, went = _at(rough_end, up), _at(rough_start, down)
        lost = np.flatnonzero(up < 0)
        came[lost] = _after(came, went, lost)
        rows = np.lexsort((went, up < 0, came))
        up, down = up[rows], down[rows]
        result[name] = Passages(
            station=name,
            entries=_at(end, up),
            exits=_at(start, down),
            entered=_at(start, up),
            released=_at(released, down),
            from_machine=np.where(up >= 0, machine[up], -1),
            to_machine=np.where(down >= 0, machine[down], -1),
            from_row=up,
            to_row=down,
            machines=machines,
        )
    return result


def _at(values: Floats, rows: Integers) -> Floats:
    return np.where(rows >= 0, values[rows], np.nan)


def _codes(names: pl.Series) -> tuple[Integers, tuple[str, ...]]:
    """Return a number for each name, and the names."""
    distinct = names.unique().sort()
    codes = names.cast(pl.Enum(distinct)).to_physical()
    return codes.to_numpy().astype(np.int64), tuple(distinct.to_list())


def numbers(times: pl.Series) -> Floats:
    """Return times as an array, with NaN for those that are missing. [s]."""
    return times.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _copies(
    order: Integers, case: Integers, machine: Integers, start: Floats, end: Floats
) -> NDArray[np.bool_]:
    """Return which rows, in an order by case and time, repeat the one before."""
    is_copy = np.zeros(len(order), dtype=np.bool_)
    this, last = order[1:], order[:-1]
    is_copy[1:] = (case[this] == case[last]) & (machine[this] == machine[last])
    for times in (start, end):
        is_copy[1:] &= (times[this] == times[last]) | (
            np.isnan(times[this]) & np.isnan(times[last])
        )
    return is_copy
