"""Where items come from: an endless supply in front of the line, or arrivals in their own time."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.learning.flow.topology import IN, Flow
from gigatwin.learning.provenance import rows_text

CASES = "cases"
"""Name of the stream of the items that the line makes."""
_RARELY = 0.05
_LEAST_SPAN = 1.0
"""Interval where all that is known happened at once. [s]"""
_RUNS = 2_000


@dataclass(frozen=True)
class Supply:
    """How a stream of items comes into the line."""

    kind: Literal["endless", "arrivals"]
    """``endless``: a first machine takes the next item as soon as it is rid of the last."""
    first: dict[str, int]
    """Station to the number of items that came there first."""
    waiting_ratio: float
    """Share of items for which their first machine had been waiting."""
    intervals: NDArray[np.float64]
    """Times between the first starts of items; of a single item the time of the whole log. [s]"""
    formats: dict[str, float]
    """Share of each format; empty when the log has none or one."""
    runs: tuple[tuple[str, int], ...]
    """Formats in the order of their coming, with the number of items in a row; empty where there
    is one format, or where they change all the time."""
    rows: str
    """Rows of the log."""


def supplies_of(visits: pl.DataFrame, flow: Flow, tolerance: float) -> dict[str, Supply]:
    """Return the streams of items: that of the products, and one for each feeder of an assembly.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns case, station, machine, start, end [s]; format and row where known.
    flow : Flow
        Stations and ways.
    tolerance : float
        Gap between two items at a machine that counts as none. [s]
    """
    ordered = visits.sort(pl.coalesce("start", "end"), maintain_order=True)
    cases = ordered.group_by("case", maintain_order=True)
    firsts = cases.first().join(cases.agg(last=pl.col("station").last()), on="case")
    # A case whose first visit is in the middle of the line was under way when the log began.
    entries = set(flow.arcs.get(IN, {}))
    firsts = firsts.filter(pl.col("station").is_in(list(entries)))
    fed = {join.source for joins in flow.joins.values() for join in joins}
    label = pl.when(pl.col("last").is_in(list(fed))).then("last").otherwise(pl.lit(CASES))
    gaps = ordered.drop_nulls(["start", "end"]).select(
        "case", "machine", gap=pl.col("start") - pl.col("end").shift(1).over("machine")
    )
    firsts = firsts.join(gaps, on=["case", "machine"], how="left", maintain_order="left")
    times = pl.concat([visits["start"], visits["end"]]).drop_nulls().to_numpy()
    span = float(np.ptp(times)) if len(times) else 0.0
    has_before = {target for source, ways in flow.arcs.items() if source != IN for target in ways}
    return {
        str(name): _supply(
            group.unique("case", keep="first", maintain_order=True), tolerance, has_before, span
        )
        for (name,), group in firsts.with_columns(stream=label).group_by(
            "stream", maintain_order=True
        )
    }


def _supply(firsts: pl.DataFrame, tolerance: float, has_before: set[str], span: float) -> Supply:
    gaps = firsts["gap"].drop_nulls()
    waiting = float((gaps > tolerance).sum()) / len(gaps) if len(gaps) else 1.0
    first = dict(firsts["station"].value_counts(sort=True).iter_rows())
    is_endless = waiting <= _RARELY and not has_before & set(first)
    formats, runs = _formats(firsts)
    # Where starts are not known, items are taken to have come as far apart as they left.
    moments = firsts.select(pl.coalesce("start", "end")).to_series().sort().to_numpy()
    return Supply(
        kind="endless" if is_endless else "arrivals",
        first=first,
        waiting_ratio=waiting,
        intervals=np.diff(moments) if len(moments) > 1 else np.array([max(span, _LEAST_SPAN)]),
        formats=formats,
        runs=runs,
        rows=rows_text(firsts),
    )


def _formats(firsts: pl.DataFrame) -> tuple[dict[str, float], tuple[tuple[str, int], ...]]:
    if "format" not in firsts.columns:
        return {}, ()
    named = firsts.drop_nulls(["format", "start"]).sort("start")["format"]
    counts = dict(named.value_counts(sort=True).iter_rows())
    if len(counts) <= 1:
        return {}, ()
    lengths = named.rle().struct.unnest()
    first = lengths.head(_RUNS).select("len", "value")
    runs = tuple((str(value), int(n)) for n, value in first.iter_rows())
    return {name: n / len(named) for name, n in counts.items()}, runs
