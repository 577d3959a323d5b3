"""Activities of a case that run side by side, taken together as one station.

An item of a description is at one station at a time. Where a log shows that a case is regularly
at several activities at once, these become one visit, from the first start to the last end; what
happened inside is kept as observed, so that a simulated visit can be unfolded again.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

_LEAST_CASES = 10
_OFTEN = 0.5
"""Share of the cases with both activities in which they must overlap."""
_ABOUT_ONCE = 1.2
"""Visits to an activity by each of its cases; what comes back again is no branch of a split."""
_BESIDE = " + "


@dataclass(frozen=True)
class Block:
    """Activities that run side by side."""

    name: str
    """Name of the activity that stands for all of them."""
    activities: tuple[str, ...]
    """Those it stands for."""
    inside: pl.DataFrame
    """What happened inside, as observed: columns visit (number of the block's visit), activity,
    machine, offset [s] from the block's start, length [s]; sorted by visit and offset."""
    lengths: NDArray[np.float64]
    """Duration of each of the block's visits. Shape (n_visits,). [s]"""

    def unfold(self, lengths: NDArray[np.float64], seed: int = 1) -> pl.DataFrame:
        """Return what may have happened inside visits of given lengths.

        Each takes over what was observed in one of the visits nearest to it in length, stretched
        to its own length.

        Parameters
        ----------
        lengths : ndarray
            Shape (n,). [s]
        seed : int
            Chooses among the nearest ones.

        Returns
        -------
        polars.DataFrame
            Columns number (place in ``lengths``), activity, machine, offset, length [s].
        """
        random = np.random.default_rng(seed)
        order = np.argsort(self.lengths, kind="stable")
        reach = max(1, len(order) // 50)
        place = np.searchsorted(self.lengths[order], lengths)
        place = place + random.integers(-reach, reach + 1, len(lengths))
        chosen = order[np.clip(place, 0, len(order) - 1)]
        observed = self.lengths[chosen]
        stretch = np.where(observed > 0, lengths / np.where(observed > 0, observed, 1.0), 1.0)
        drawn = pl.DataFrame(
            {"number": np.arange(len(lengths)), "visit": chosen, "stretch": stretch}
        )
        return drawn.join(self.inside, on="visit", maintain_order="left").select(
            "number",
            "activity",
            "machine",
            offset=pl.col("offset") * pl.col("stretch"),
            length=pl.col("length") * pl.col("stretch"),
        )


def name_together(activities: tuple[str, ...]) -> str:
    """Return the name of activities that are taken as one."""
    return _BESIDE.join(activities)


def find_blocks(visits: pl.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Return the groups of activities of which any two overlap in at least half of their cases.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns case, activity, start, end [s]; visits without both times do not count.
    """
    complete = visits.filter(pl.col("start").is_not_null() & pl.col("end").is_not_null())
    steps = complete.sort("case", "start", "end").with_columns(
        latest=pl.col("end").cum_max().shift(1).over("case")
    )
    # Only cases in which anything overlaps are worth comparing pair by pair.
    cases = steps.filter(pl.col("start") < pl.col("latest")).select("case").unique()
    if cases.height < _LEAST_CASES:
        return ()
    suspects = steps.join(cases, on="case", how="semi").select("case", "activity", "start", "end")
    pairs = (
        suspects.join(suspects, on="case", suffix="_2")
        .filter(pl.col("activity") < pl.col("activity_2"))
        .filter((pl.col("start") < pl.col("end_2")) & (pl.col("start_2") < pl.col("end")))
        .select("case", "activity", "activity_2")
        .unique()
        .group_by("activity", "activity_2")
        .len()
    )
    counts = complete.group_by("activity").agg(n=pl.col("case").n_unique(), visits=pl.len())
    once = counts.filter(pl.col("visits") <= _ABOUT_ONCE * pl.col("n"))
    cases_of = dict(once.select("activity", "n").iter_rows())
    neighbours: dict[str, set[str]] = {}
    for one, other, n_overlaps in pairs.iter_rows():
        if one not in cases_of or other not in cases_of:
            continue
        if n_overlaps >= max(_LEAST_CASES, _OFTEN * min(cases_of[one], cases_of[other])):
            neighbours.setdefault(one, set()).add(other)
            neighbours.setdefault(other, set()).add(one)
    groups: list[tuple[str, ...]] = []
    left = set(neighbours)
    while left:
        group, open_ends = set[str](), {min(left)}
        while open_ends:
            one = open_ends.pop()
            group.add(one)
            open_ends |= neighbours[one] - group
        left -= group
        if all(group <= neighbours[member] | {member} for member in group):
            groups.append(tuple(sorted(group)))
    return tuple(sorted(groups))


def folded(
    visits: pl.DataFrame, groups: tuple[tuple[str, ...], ...]
) -> tuple[pl.DataFrame, dict[str, Block]]:
    """Return the visits with each group as one visit, and the blocks by name.

    Members of a group that follow each other in a case without another activity between them
    make one visit.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns case, activity, machine, start, end and any others.
    groups : tuple of tuple of str
        As `find_blocks` returns them.
    """
    if not groups:
        return visits, {}
    name_of = {member: name_together(group) for group in groups for member in group}
    ordered = visits.with_columns(
        when=pl.coalesce("start", "end"),
        block=pl.col("activity").replace_strict(name_of, default=None, return_dtype=pl.String),
    ).sort("when", maintain_order=True)
    ordered = ordered.with_columns(
        stretch=(pl.col("block").fill_null(""))
        .ne_missing(pl.col("block").fill_null("").shift(1))
        .cum_sum()
        .over("case")
    )
    members = ordered.filter(pl.col("block").is_not_null())
    others = ordered.filter(pl.col("block").is_null()).drop("when", "block", "stretch")
    key = ["case", "block", "stretch"]
    further = [
        name
        for name in visits.columns
        if name not in {"case", "activity", "machine", "start", "end", "success"}
    ]
    whole = members.group_by(key, maintain_order=True).agg(
        pl.col("start").min(),
        pl.col("end").max(),
        pl.col("success").all(ignore_nulls=False),
        *(pl.col(name).first() for name in further),
    )
    whole = whole.with_row_index("visit")
    inside = members.join(
        whole.select(*key, "visit", block_start="start", block_end="end"), on=key
    ).select(
        "block",
        "visit",
        "activity",
        "machine",
        offset=pl.col("start") - pl.col("block_start"),
        length=pl.col("end") - pl.col("start"),
    )
    blocks = {}
    for group in groups:
        name = name_together(group)
        own = whole.filter((pl.col("block") == name) & (pl.col("end") >= pl.col("start")))
        number = own.select("visit").with_row_index("number")
        blocks[name] = Block(
            name=name,
            activities=group,
            inside=inside.drop_nulls()
            .join(number, on="visit")
            .select(
                visit="number",
                activity="activity",
                machine="machine",
                offset="offset",
                length="length",
            )
            .sort("visit", "offset"),
            lengths=(own["end"] - own["start"]).to_numpy(),
        )
    merged = whole.with_columns(activity="block", machine="block").select(visits.columns)
    return pl.concat([others, merged]).sort(
        pl.coalesce("start", "end"), maintain_order=True
    ), blocks
