"""How machines follow each other, from the items or orders that their states name."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import polars as pl

from gigatwin.factory.routing import OUT, Next, Route
from gigatwin.learning.flow.shares import way_shares

_LEAST_KNOWN = 0.5
_DECIMALS = 6


@dataclass(frozen=True)
class MachineFlow:
    """Lines of machines that worked on the same items."""

    lines: tuple[tuple[str, ...], ...]
    """Machines of each line, by where in their items they come on average."""
    alike: dict[str, tuple[str, ...]]
    """First machine of those side by side to all of them: the same states at the same times."""
    ways: dict[str, dict[str, int]]
    """Machine to the next ones of its items, ``out`` after the last, with their numbers."""
    first: dict[str, int]
    """Machine to the number of items that came there first."""
    time_in_line: float
    """Mean time from the first begin to the last end of work on an item. [s]"""
    work: float
    """Mean working time on an item, over all machines. [s]"""


def keyed(intervals: pl.DataFrame) -> pl.DataFrame:
    """Return the intervals with the item, or else the order, as text in the column ``key``.

    It is null for machines of which less than half of the intervals name one.
    """
    names = [name for name in ("item", "case") if name in intervals.columns]
    if not names:
        return intervals.with_columns(key=pl.lit(None, dtype=pl.String))
    best = max(names, key=lambda name: intervals.height - intervals[name].null_count())
    known = pl.col(best).is_not_null().mean().over("machine") >= _LEAST_KNOWN
    # Items without a name on two machines are not the same.
    nameless = pl.format("not named on {}", "machine")
    key = pl.when(known).then(pl.col(best).cast(pl.String).fill_null(nameless))
    return intervals.with_columns(key=key)


def machine_flow(intervals: pl.DataFrame) -> MachineFlow:
    """Return how machines follow each other.

    Only the first time of each item at each machine counts.

    Parameters
    ----------
    intervals : polars.DataFrame
        Columns machine, start, end [s], state, and key: the item.
    """
    named = intervals.drop_nulls("key").filter(pl.col("end") > pl.col("start"))
    alike = _alike(named)
    second = {name for names in alike.values() for name in names[1:]}
    visits = (
        named.filter((pl.col("state") == "executing") & ~pl.col("machine").is_in(list(second)))
        .group_by("key", "machine")
        .agg(
            pl.col("start").min(),
            pl.col("end").max(),
            work=(pl.col("end") - pl.col("start")).sum(),
        )
        .sort("key", "start", "end", "machine")
    )
    ways: defaultdict[str, Counter[str]] = defaultdict(Counter)
    first: Counter[str] = Counter()
    ranks: defaultdict[str, list[float]] = defaultdict(list)
    parts: dict[str, str] = {}

    def root(name: str) -> str:
        while parts[name] != name:
            name = parts[name]
        return name

    for machines in visits.group_by("key", maintain_order=True).agg("machine")["machine"].to_list():
        first[machines[0]] += 1
        for at, (name, following) in enumerate(zip(machines, [*machines[1:], OUT], strict=True)):
            ways[name][following] += 1
            ranks[name].append(at / len(machines))
            parts.setdefault(name, name)
            parts[root(name)] = root(machines[0])
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(parts, key=lambda name: (round(fmean(ranks[name]), _DECIMALS), name)):
        lines[root(name)].append(name)
    spans = visits.group_by("key").agg(
        span=pl.col("end").max() - pl.col("start").min(), work=pl.col("work").sum()
    )
    return MachineFlow(
        lines=tuple(tuple(names) for names in lines.values()),
        alike=alike,
        ways={name: dict(counts) for name, counts in ways.items()},
        first=dict(first),
        time_in_line=float(spans["span"].sum()) / max(spans.height, 1),
        work=float(spans["work"].sum()) / max(spans.height, 1),
    )


def routes(ways: Mapping[str, int]) -> Next:
    """Return ways with their shares, as a description has them."""
    if len(ways) == 1:
        return next(iter(ways))
    total = sum(ways.values())
    shares = {way: max(round(n / total, _DECIMALS), 10.0**-_DECIMALS) for way, n in ways.items()}
    most = max(shares, key=lambda way: shares[way])
    shares[most] = round(1.0 - sum(part for way, part in shares.items() if way != most), _DECIMALS)
    estimates = way_shares(dict(ways))
    return tuple(
        Route(to=way, share=shares[way], estimates={"share": estimates[way]}) for way in ways
    )


def _alike(named: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return machines that were in the same states on the same items at the same times."""
    groups: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    for (machine,), part in named.sort("machine", "start", "end").group_by(
        "machine", maintain_order=True
    ):
        record = tuple(part.select("start", "end", "state", "key").rows())
        if any(state == "executing" for _, _, state, _ in record):
            groups[record].append(str(machine))
    return {names[0]: tuple(names) for names in groups.values() if len(names) > 1}
