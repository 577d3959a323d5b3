"""Begins and ends of visits that stand on rows of their own, joined again."""

import math

import polars as pl

_KEY = ("case", "activity", "machine", "instance")
_LARGEST = 2**62


def paired(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each visit, with the places of its begin and its end among the rows.

    As long as every begin has an end, the first begin belongs to the first end of the same case,
    activity, machine and instance, and so on. Once a row is missing anywhere, a begin belongs to
    an end only if it directly follows: counting would join all later ones wrongly. What is
    left becomes half a visit. At equal times an end belongs to an earlier begin, if one is
    waiting, and otherwise follows the begin of its own moment.

    Parameters
    ----------
    rows : polars.DataFrame
        Columns case, activity, machine, instance (categories), is_begin, time, in the order of
        the file.

    Returns
    -------
    polars.DataFrame
        Columns begin and end (u32, places among the rows; null where the event is missing).
    """
    place = pl.int_range(pl.len(), dtype=pl.UInt32).alias("place")
    slim = rows.select(_key(rows).alias("key"), "time", "is_begin", place)
    slim = slim.sort("key", "time", maintain_order=True)
    n_begins = int(slim["is_begin"].sum())
    if n_begins in {0, slim.height}:
        name, other = ("begin", "end") if n_begins else ("end", "begin")
        empty = pl.lit(None, dtype=pl.UInt32).alias(other)
        return slim.select(pl.col("place").alias(name), empty).select("begin", "end")
    if 2 * n_begins == slim.height:
        begins, ends = slim.filter("is_begin"), slim.filter(~pl.col("is_begin"))
        # Sorted by key, they stand side by side if and only if each key has as many of both.
        if (begins["key"] == ends["key"]).all():
            return pl.DataFrame({"begin": begins["place"], "end": ends["place"]})
    slim = _untied(slim)
    same_as_next = pl.col("key") == pl.col("key").shift(-1)
    opens = pl.col("is_begin") & same_as_next & ~pl.col("is_begin").shift(-1)
    slim = slim.with_columns(
        opens=opens.fill_null(value=False), next_place=pl.col("place").shift(-1)
    ).with_columns(closes=pl.col("opens").shift(1, fill_value=False))
    begin = pl.when("is_begin").then("place")
    end = pl.when("opens").then("next_place").when(~pl.col("is_begin")).then("place")
    return slim.filter(~pl.col("closes")).select(begin=begin, end=end)


def _key(rows: pl.DataFrame) -> pl.Expr:
    """Return one number for each combination of the columns of the key."""
    codes = [pl.col(name).to_physical().cast(pl.UInt64) for name in _KEY]
    bounds = rows.select(
        [code.min().alias(f"low {at}") for at, code in enumerate(codes)]
        + [code.max().alias(f"high {at}") for at, code in enumerate(codes)]
    ).row(0)
    low, high = bounds[: len(codes)], bounds[len(codes) :]
    sizes = [
        1 if first is None else last - first + 2 for first, last in zip(low, high, strict=True)
    ]
    if math.prod(sizes) > _LARGEST:
        codes = [code.rank("dense").cast(pl.UInt64) for code in codes]
        sizes = [rows.height + 1] * len(codes)
        if math.prod(sizes) > _LARGEST:
            return pl.struct(_KEY).rank("dense").cast(pl.UInt64)
        low = (1,) * len(codes)
    key = pl.lit(0, dtype=pl.UInt64)
    for code, size, first in zip(codes, sizes, low, strict=True):
        key = key * size + (code - (first or 0) + 1).fill_null(0)
    return key


def _untied(slim: pl.DataFrame) -> pl.DataFrame:
    """Order begins and ends at the same moment so that they can belong together."""
    is_new = (
        (pl.col("key") != pl.col("key").shift(1)) | (pl.col("time") != pl.col("time").shift(1))
    ).fill_null(value=True)
    slim = slim.with_columns(is_new=is_new)
    if slim["is_new"].all():
        return slim.drop("is_new")
    slim = slim.with_columns(moment=pl.col("is_new").cum_sum())
    waits = _waiting(slim)
    is_single = pl.col("is_new") & pl.col("is_new").shift(-1, fill_value=True)
    slim = slim.with_columns(is_single=is_single)
    # Ends and begins take turns; an end is first if a begin waits for it.
    tied = (
        slim.filter(~pl.col("is_single"))
        .join(waits, on="moment", how="left", maintain_order="left")
        .with_columns(
            turn=2 * pl.int_range(pl.len()).over("moment", "is_begin")
            + (pl.col("is_begin") == pl.col("waits")).cast(pl.Int64)
        )
        .sort("moment", "turn", maintain_order=True)
    )
    columns = ["moment", "key", "time", "is_begin", "place"]
    return (
        pl.concat([slim.filter("is_single").select(columns), tied.select(columns)])
        .sort("moment", maintain_order=True)
        .drop("moment")
    )


def _waiting(slim: pl.DataFrame) -> pl.DataFrame:
    """Return for each moment whether a begin waits for its end when it comes."""
    is_first = (pl.col("key") != pl.col("key").shift(1)).fill_null(value=True)
    surplus = pl.col("surplus")
    # After more begins than ends one waits, after more ends none; as many change nothing.
    after = (
        pl.when((surplus < 0) | (is_first & (surplus == 0)))
        .then(pl.lit(value=False))
        .when(surplus > 0)
    )
    return (
        slim.group_by("moment", maintain_order=True)
        .agg(pl.col("key").first(), surplus=(2 * pl.col("is_begin").cast(pl.Int64) - 1).sum())
        .with_columns(is_first=is_first, after=after.then(pl.lit(value=True)).forward_fill())
        .select(
            "moment",
            waits=pl.when("is_first").then(pl.lit(value=False)).otherwise(pl.col("after").shift(1)),
        )
    )
