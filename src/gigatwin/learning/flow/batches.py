"""What kind of station keeps several items at once: batch, storage, or machines in parallel.

Items that begin at the same moment are a batch. Items that never overtake each other, though their
times in the station differ, stand in a storage; the shortest time is its dwell. Otherwise several
machines work side by side.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.factory.durations import Duration
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.stations import BatchStation, StorageStation
from gigatwin.learning.flow.servers import n_servers
from gigatwin.learning.provenance import rows_text
from gigatwin.learning.times.durations import empirical_law, estimate

Floats = NDArray[np.float64]

_SAME_SHARE, _SAME_AT_MOST = 0.01, 1.0
_CONSTANT_CV = 0.02
_OFTEN = 3
_IN_BATCHES, _IN_ORDER, _IN_ORDER_BY_CHANCE = 0.5, 0.99, 0.95
_AT_DWELL = 0.02
_QUARTER = 0.25
_MANY = 20
_FULL_SHARE = 0.05


@dataclass(frozen=True)
class Batch:
    """A station that works on several items together."""

    size: Estimate
    """Items that go in together, at most."""
    typical_size: int
    """Most frequent number of items."""
    minimum: Estimate | None
    """Fewest items with which it starts; None: it waits for a full batch."""
    dwell: Duration
    """Time from the begin to the first item that leaves. [s]"""
    time: Estimate
    """Mean of the dwell. [s]"""
    jitter: float
    """Standard deviation of the dwell. [s]"""
    n_batches: int
    """Batches seen."""

    def station(self) -> BatchStation:
        """Return the station of a description."""
        estimates = {"size": self.size, "time": self.time}
        if self.minimum is not None:
            estimates["minimum"] = self.minimum
        return BatchStation(
            kind="batch",
            time=self.dwell,
            size=round(self.size.value),
            minimum=None if self.minimum is None else round(self.minimum.value),
            estimates=estimates,
        )


@dataclass(frozen=True)
class Storage:
    """A station that keeps items in order for at least a dwell."""

    capacity: Estimate
    """Items that fit; without an upper end when it was never seen to be full."""
    dwell: Estimate
    """Shortest time of an item. [s]"""

    def station(self) -> StorageStation:
        """Return the station of a description."""
        return StorageStation(
            kind="storage",
            capacity=round(self.capacity.value),
            dwell=self.dwell.value,
            estimates={"capacity": self.capacity, "dwell": self.dwell},
        )


@dataclass(frozen=True)
class Residence:
    """How a station keeps its items."""

    kind: Literal["batch", "storage", "parallel", "single"]
    """What it is."""
    n_servers: int
    """Items in work side by side, or batches."""
    is_identified: bool
    """Whether the log tells this kind from the others."""
    note: str
    """Why, in a sentence."""
    batch: Batch | None = None
    """The batches, if it is such a station."""
    storage: Storage | None = None
    """The storage, if it is one."""


def residence(visits: pl.DataFrame, tolerance: float | None = None) -> Residence:
    """Return how a station keeps its items.

    Parameters
    ----------
    visits : polars.DataFrame
        Visits of one station: columns machine, start and end; format and row where known.
    tolerance : float, optional
        Moments this close are the same; left out: 1 % of the median time in the station, at most
        1 s. [s]
    """
    known = visits.drop_nulls(["start", "end"]).sort("start", "end")
    starts, ends = known["start"].to_numpy(), known["end"].to_numpy()
    stays = ends - starts
    if len(stays) < _OFTEN:
        note = f"Only {len(stays)} visits with begin and end; taken for one machine."
        return Residence("single", 1, is_identified=False, note=note)
    if tolerance is None:
        tolerance = min(_SAME_SHARE * float(np.median(stays)), _SAME_AT_MOST)
    found = find_batches(known, tolerance)
    if found is not None:
        groups = known.group_by("machine").agg("start", "end")
        servers = sum(
            _batches_at_once(np.array(begins), np.array(finishes), tolerance)
            for begins, finishes in groups.select("start", "end").iter_rows()
        )
        note = f"{found.n_batches} times several items began at the same moment."
        return Residence("batch", servers, is_identified=True, note=note, batch=found)
    servers = n_servers(starts, ends)
    if servers == 1:
        note = "Its items hardly ever overlap."
        return Residence("single", 1, is_identified=True, note=note)
    return _storage_or_parallel(starts, ends, rows_text(known), tolerance, servers)


def find_batches(visits: pl.DataFrame, tolerance: float) -> Batch | None:
    """Return the batches of a station, or None where items begin one by one.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns machine, start and end; format and row where known.
    tolerance : float
        Begins this close belong to one batch. [s]
    """
    ordered = visits.drop_nulls(["start", "end"]).sort("machine", "start", "end")
    if ordered.height == 0:
        return None
    is_new = (pl.col("machine") != pl.col("machine").shift(1)) | (
        pl.col("start").diff() > tolerance
    )
    grouped = (
        ordered.with_columns(batch=is_new.fill_null(value=True).cum_sum())
        .group_by("batch", maintain_order=True)
        .agg(
            pl.len().alias("size"),
            pl.col("machine").first(),
            pl.col("start").min(),
            *([pl.col("format").first()] if "format" in ordered.columns else []),
            first_end=pl.col("end").min(),
            last_end=pl.col("end").max(),
        )
    )
    sizes = grouped["size"].to_numpy().astype(np.int64)
    in_batches = sizes[sizes > 1]
    if in_batches.sum() < _IN_BATCHES * ordered.height or not _is_together(grouped, tolerance):
        return None
    largest = int(sizes.max())
    n_full = int(np.sum(sizes == largest))
    rows = rows_text(ordered)
    size = Estimate(
        value=largest,
        low=largest,
        high=largest if n_full >= _OFTEN else None,
        n=len(sizes),
        method="largest number of items that began at the same moment",
        rows=rows,
        is_identified=n_full >= _OFTEN,
    )
    stays = (grouped["first_end"] - grouped["start"]).to_numpy()
    known = estimate(stays)
    reach = known.high - known.mean if len(stays) > 1 else 0.0
    is_constant = known.cv < _CONSTANT_CV
    return Batch(
        size=size,
        typical_size=int(np.argmax(np.bincount(sizes))),
        minimum=_minimum(grouped, largest, rows),
        dwell=known.mean if is_constant else empirical_law(stays),
        time=Estimate(
            value=known.mean,
            low=known.mean - reach,
            high=known.mean + reach,
            unit="s",
            n=len(stays),
            method="mean from the begin of a batch to its first item out, Student's t"
            + (f", taken as constant (cv {known.cv:.2g})" if is_constant else ""),
            rows=rows,
            is_identified=len(stays) >= _OFTEN,
        ),
        jitter=known.cv * known.mean,
        n_batches=int(np.sum(sizes > 1)),
    )


def _is_together(grouped: pl.DataFrame, tolerance: float) -> bool:
    """Return whether items that begin together also are in work together.

    Either they leave together, or the machine takes nothing new before it is empty; machines side
    by side that are served from a pallet do neither.
    """
    several = grouped.filter(pl.col("size") > 1)
    spread = (several["last_end"] - several["first_end"]).to_numpy()
    if np.mean(spread <= 2 * tolerance) >= 1 - _QUARTER:
        return True
    gap = pl.col("start").shift(-1).over("machine") - pl.col("last_end")
    gaps = grouped.select(gap=gap).drop_nulls()["gap"].to_numpy()
    return len(gaps) > 0 and float(np.mean(gaps >= -tolerance)) >= _IN_ORDER_BY_CHANCE


def _minimum(grouped: pl.DataFrame, largest: int, rows: str) -> Estimate | None:
    # The last batch is what was left, and a batch also starts when another format follows.
    counted = grouped.with_columns(is_last=pl.col("start") == pl.col("start").max())
    if "format" in grouped.columns:
        follower = pl.col("format").shift(-1)
        counted = counted.sort("start").with_columns(
            is_last=pl.col("is_last") | (follower != pl.col("format")).fill_null(value=True)
        )
    partial = counted.filter(~pl.col("is_last") & (pl.col("size") < largest))["size"]
    if len(partial) == 0:
        return None
    smallest = int(partial.to_numpy().min())
    n_smallest = int((partial == smallest).sum())
    return Estimate(
        value=smallest,
        low=smallest if n_smallest >= _OFTEN else 1,
        high=smallest,
        n=len(partial),
        method="smallest number of items in a batch that did not have to start",
        rows=rows,
        is_identified=n_smallest >= _OFTEN,
    )


def _batches_at_once(starts: Floats, ends: Floats, tolerance: float) -> int:
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], ends[order]
    is_first = np.concatenate(([True], np.diff(starts) > tolerance))
    firsts = np.flatnonzero(is_first)
    return n_servers(starts[firsts], np.minimum.reduceat(ends, firsts))


def _storage_or_parallel(
    starts: Floats, ends: Floats, rows: str, tolerance: float, servers: int
) -> Residence:
    stays = ends - starts
    in_order = float(np.mean(np.diff(ends) >= -tolerance))
    # How often items would keep their order if their times had nothing to do with it.
    mixed = np.random.default_rng(1).permutation(stays)
    by_chance = float(np.mean(np.diff(starts + mixed) >= -tolerance))
    dwell = float(stays.min())
    leaving = float(np.quantile(np.diff(np.sort(ends)), 0.05))
    if in_order >= _IN_ORDER and leaving >= 0.5 * dwell:
        note = (
            f"Items keep their order and leave at least {leaving:.3g} s apart, as from one machine "
            "behind a queue; the visits include the wait."
        )
        return Residence("single", 1, is_identified=by_chance < _IN_ORDER_BY_CHANCE, note=note)
    storage = _storage(starts, ends, dwell, tolerance, rows)
    if in_order >= _IN_ORDER and by_chance < _IN_ORDER_BY_CHANCE and dwell > 0:
        note = (
            f"Items keep their order in {100 * in_order:.3g} % of cases, {100 * by_chance:.3g} % "
            f"would be chance, and stay at least {dwell:.4g} s."
        )
        return Residence("storage", servers, is_identified=True, note=note, storage=storage)
    if in_order >= _IN_ORDER and servers >= _MANY and dwell > 0:
        note = (
            f"All stay about {dwell:.4g} s, up to {servers} at once: a storage, or as many "
            "machines in parallel; both would show the same."
        )
        return Residence("storage", servers, is_identified=False, note=note, storage=storage)
    note = f"Up to {servers} items are in work side by side."
    is_identified = in_order < _IN_ORDER
    if not is_identified:
        note += " They keep their order, as they would in a storage too."
    return Residence("parallel", servers, is_identified=is_identified, note=note)


def _storage(starts: Floats, ends: Floats, dwell: float, tolerance: float, rows: str) -> Storage:
    times = np.concatenate((starts, ends))
    steps = np.concatenate((np.ones(len(starts)), -np.ones(len(ends))))
    order = np.lexsort((steps, times))
    levels = np.cumsum(steps[order])[:-1]
    spent = np.diff(times[order])
    most = int(levels.max())
    full_share = float(spent[levels == most].sum() / max(spent.sum(), 1e-300))
    # Full often, and filled again as soon as one leaves: it is the capacity that holds.
    is_full = full_share >= _FULL_SHARE
    n_at_dwell = int(np.sum(ends - starts <= dwell + tolerance))
    is_known = n_at_dwell >= max(_OFTEN, _AT_DWELL * len(starts))
    n = len(starts)
    return Storage(
        capacity=Estimate(
            value=most,
            low=most,
            high=most if is_full else None,
            n=n,
            method=f"largest number at once, there for {100 * full_share:.2g} % of the time",
            rows=rows,
            is_identified=is_full,
        ),
        dwell=Estimate(
            value=dwell,
            low=dwell if is_known else 0.0,
            high=dwell,
            unit="s",
            n=n,
            method=f"shortest stay, {n_at_dwell} stays within {tolerance:.2g} s of it",
            rows=rows,
            is_identified=is_known,
        ),
    )
