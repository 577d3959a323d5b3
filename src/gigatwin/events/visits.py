"""Visits of items to stations, from gigatwin's own event table."""

from collections.abc import Collection

import polars as pl

VISIT_COLUMNS = ("time", "machine", "kind", "item", "format")
"""The columns of an event table that visits are made of."""

_NEEDED = {"time", "machine", "kind", "state", "item"}


def is_event_table(columns: Collection[str]) -> bool:
    """Whether columns are those of an event table."""
    return set(columns) >= _NEEDED


def visits_of(events: pl.DataFrame) -> pl.DataFrame:
    """Return the visits of items to machines.

    An item that a machine made, and that never began there itself, began when the machine last
    began; an item that turned into others has no end. Every item of a batch is a visit.

    Parameters
    ----------
    events : polars.DataFrame
        Event table, in the order in which it was written.

    Returns
    -------
    polars.DataFrame
        Columns case (the item), activity (the station), machine, start (of work) and end (when it
        leaves; null where the log ends before) [s], success (null), format (null where none), row
        (number of the record, from 1), in the order of the times.
    """
    has_format = "format" in events.columns
    slim = (
        events.lazy()
        .with_row_index("row", offset=1)
        .filter(pl.col("kind").cast(pl.String).is_in(["START", "LEAVE"]))
        .select(
            "row",
            pl.col("time").cast(pl.Float64),
            pl.col("machine").cast(pl.String).cast(pl.Categorical),
            pl.col("item").cast(pl.Int64),
            (pl.col("format").cast(pl.String) if has_format else pl.lit("")).alias("format"),
            is_start=pl.col("kind").cast(pl.String) == "START",
        )
        .collect()
    )
    # The order of the log decides between events at the same time.
    made = pl.when("is_start").then("time").forward_fill().over("machine").alias("made")
    is_first = pl.col("item").is_first_distinct().alias("is_first")
    slim = slim.with_columns(made, is_first).sort("machine", "item", maintain_order=True)
    same = (pl.col("machine") == pl.col("machine").shift(-1)) & (
        pl.col("item") == pl.col("item").shift(-1)
    )
    slim = slim.with_columns(
        leaves=(pl.col("is_start") & same & ~pl.col("is_start").shift(-1)).fill_null(value=False),
        next_time=pl.col("time").shift(-1),
    ).with_columns(is_end=pl.col("leaves").shift(1, fill_value=False))
    start = pl.when("is_start").then("time").when("is_first").then("made")
    end = pl.when("leaves").then("next_time").when(~pl.col("is_start")).then("time")
    visits = slim.filter(~pl.col("is_end")).with_columns(start=start, end=end)
    visits = visits[
        visits.select(pl.arg_sort_by(pl.coalesce("start", "end"), "end", "row")).to_series()
    ]
    machine = pl.col("machine").cast(pl.String)
    return visits.select(
        case=pl.col("item").cast(pl.String),
        activity=machine.str.replace(r"#\d+$", ""),
        machine=machine,
        start="start",
        end="end",
        success=pl.lit(None, dtype=pl.Boolean),
        format=pl.when(pl.col("format") != "").then("format"),
        row=pl.col("row").cast(pl.UInt32),
    )
