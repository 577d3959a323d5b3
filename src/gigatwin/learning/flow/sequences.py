"""Visits in the order in which each case made them, also where an event is missing or out of turn.

A visit without a start is placed by its end and the usual time at its machine. Two visits of a
case whose order the clocks of their machines turned round are put right.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

KEY = "_key"
"""Column of `ordered`: the moment that a visit is ordered by. [s]"""
PAIR = "_pair"
"""Column of `ordered`: number of the pair of activity and machine."""
_SHORT = 0.1
"""Quantile of the times at a machine that places a visit without a start."""
_CLOSE = 0.25
"""A visit that begins and ends in this first share of another may have come before it."""
_RARE = 0.5
"""A turned order is rarer than this share of the right one."""
_LONG_OVERLAP = 0.1
"""An overlap above this share of the longer visit is work side by side."""
_FEWEST = 3
"""Fewer turned pairs than this are no pattern and are left as they are."""
_SIDE_BY_SIDE = 0.02
"""Share of long overlaps from which two activities are side by side."""


@dataclass(frozen=True)
class Ordered:
    """Visits in the order of the cases."""

    visits: pl.DataFrame
    """The visits by case and moment, with the columns ``_key`` and ``_pair``."""
    pairs: tuple[tuple[str, str], ...]
    """Activity and machine of each pair, by number."""
    n_swapped: int
    """Pairs of visits whose order was turned."""
    notes: tuple[str, ...]
    """What was left out or put right."""

    @property
    def pair(self) -> NDArray[np.int64]:
        """Number of the pair of activity and machine. Shape (n,)."""
        return self.visits[PAIR].to_numpy().astype(np.int64)

    @property
    def first(self) -> NDArray[np.bool_]:
        """Whether a visit is the first of its case. Shape (n,)."""
        return first_of(self.visits["_case"].to_numpy())


def first_of(cases: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return where a new case begins among sorted cases."""
    first = np.ones(len(cases), dtype=bool)
    first[1:] = cases[1:] != cases[:-1]
    return first


def ordered(visits: pl.DataFrame) -> Ordered:
    """Return the visits in the order in which each case made them.

    Parameters
    ----------
    visits : polars.DataFrame
        As in `CaseLog.visits`; columns case, activity, machine, start and end are needed.

    Returns
    -------
    Ordered
        Visits without any time and copies of visits are left out, with a note.
    """
    notes: list[str] = []
    times = [pl.col(name).cast(pl.Float64).fill_nan(None) for name in ("start", "end")]
    table = visits.with_columns(*times, machine=pl.coalesce("machine", "activity"))
    known = pl.coalesce("start", "end").is_not_null()
    kept = table.filter(known & pl.col("case").is_not_null() & pl.col("activity").is_not_null())
    if kept.height < table.height:
        left_out = table.height - kept.height
        notes.append(f"{left_out} visits without any time, case or activity are left out.")
    pairs = (
        kept.group_by("activity", "machine")
        .agg(_short=(pl.col("end") - pl.col("start")).quantile(_SHORT).fill_null(0.0))
        .sort("machine", "activity")
        .with_row_index(PAIR)
    )
    cases = kept.select(pl.col("case").unique()).with_row_index("_case")
    table = (
        kept.join(pairs, on=["activity", "machine"], how="left", maintain_order="left")
        .join(cases, on="case", how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("start", pl.col("end") - 0.5 * pl.col("_short")).alias(KEY),
            _has_start=pl.col("start").is_not_null(),
        )
        .sort("_case", KEY, "_has_start", "end", nulls_last=True, maintain_order=True)
        .drop("_short", "_has_start")
    )
    table = _without_copies(table, notes)
    table, n_swapped = _put_right(table)
    if n_swapped:
        notes.append(
            f"{n_swapped} pairs of visits were in the wrong order by less than a slip of the "
            "clocks and are put right."
        )
    return Ordered(
        table, tuple(pairs.select("activity", "machine").rows()), n_swapped, tuple(notes)
    )


def _without_copies(table: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    same = pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(name).shift(1)) for name in ("_case", PAIR, "start", "end")
    )
    kept = table.filter(~same | (pl.int_range(pl.len()) == 0))
    if kept.height < table.height:
        notes.append(f"{table.height - kept.height} copies of visits are left out.")
    return kept


def _put_right(table: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Turn visits of which the later began before the earlier was over, against the usual order."""
    if table.height < 2:  # noqa: PLR2004 - a pair
        return table, 0
    case, pair = table["_case"].to_numpy(), table[PAIR].to_numpy().astype(np.int64)
    start, end = (table[name].cast(pl.Float64).to_numpy() for name in (KEY, "end"))
    length = np.nan_to_num(end - start, nan=0.0)
    inside = np.flatnonzero(case[1:] == case[:-1])
    a, b = pair[inside], pair[inside + 1]
    longer = np.maximum(length[inside], length[inside + 1])
    overlap = end[inside] - start[inside + 1]
    n = int(pair.max()) + 1
    ways, index, counts = np.unique(a * n + b, return_inverse=True, return_counts=True)
    long_overlaps = np.bincount(
        index, weights=np.nan_to_num(overlap, nan=0.0) > _LONG_OVERLAP * longer
    )
    back = (ways % n) * n + ways // n
    place = np.minimum(np.searchsorted(ways, back), len(ways) - 1)
    exists = (ways[place] == back) & (ways != back)
    is_turned = (
        exists
        & (counts < _RARE * counts[place])
        & (long_overlaps[place] <= _SIDE_BY_SIDE * counts[place])
    )
    # Whoever really comes back begins after the other visit, and stays.
    close = start[inside + 1] + length[inside + 1] - start[inside] <= _CLOSE * length[inside]
    wrong = is_turned[index] & close & (length[inside] > 0)
    at = inside[wrong]
    at = at[np.append(True, np.diff(at) > 1)] if len(at) else at
    if len(at) < _FEWEST:
        return table, 0
    order = np.arange(table.height)
    order[at], order[at + 1] = at + 1, at
    return table[order], len(at)
