"""Times as logs write them: dates with and without offset, or seconds."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from gigatwin.errors import TelemetryError

TimeKind = Literal["zoned", "local", "number"]

FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%d.%m.%Y %H:%M:%S%.f",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
)
"""Accepted forms of date and time; a day or month first with slashes would be ambiguous."""

_REQUIRED = "a time such as 2024-05-31T14:05:09.5, with Z or +02:00 if zoned, or seconds"
_OFFSET = r"(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)$"
_CLOCK_BEFORE_OFFSET = r"\d:\d{2}(?:[:.]\d+)*\s*" + _OFFSET
# Seconds since 1970 reach this in the year 5138; milliseconds passed it in 1973.
_TOO_LARGE_FOR_SECONDS = 1e11
_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Times:
    """A column of times."""

    values: pl.Series
    """Int64 microseconds since 1970 for dates, Float64 seconds for numbers; null where empty."""
    kind: TimeKind
    """``zoned``: dates in UTC; ``local``: dates without offset; ``number``: seconds."""


def read_times(column: pl.Series, rows: pl.Series, file: str) -> Times:
    """Return the times of a column.

    Parameters
    ----------
    column : polars.Series
        Text, numbers, or dates as Parquet has them.
    rows : polars.Series
        Row number of each value in the file, for messages.
    file : str
        Name of the file, for messages.

    Raises
    ------
    TelemetryError
        If a value is not a time, if values with and without an offset are mixed, or if numbers
        are too large to be seconds.
    """
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        kind: TimeKind = "local" if dtype.time_zone is None else "zoned"
        return Times(column.dt.timestamp("us"), kind)
    if dtype == pl.Date:
        return Times(column.cast(pl.Datetime("us")).dt.timestamp("us"), "local")
    if isinstance(dtype, pl.Duration):
        return Times(column.dt.total_microseconds() / _MICROSECONDS, "number")
    if dtype.is_numeric():
        return _numbers(column.cast(pl.Float64), column, rows, file)
    if dtype != pl.String:
        message = f"{file} column '{column.name}': holds {dtype}; needs {_REQUIRED}"
        raise TelemetryError(message)
    text = column.str.strip_chars()
    text = text.set(text == "", None)
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() == text.null_count():
        return _numbers(numbers, text, rows, file)
    return _dates(text, rows, file)


def looks_like_dates(column: pl.Series) -> bool:
    """Whether the first values of a column are dates."""
    if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
        return True
    if column.dtype != pl.String:
        return False
    text = column.drop_nulls().str.strip_chars().head(100)
    return len(text) > 0 and _local_dates(text.str.replace(_OFFSET, "")).null_count() == 0


def _numbers(numbers: pl.Series, texts: pl.Series, rows: pl.Series, file: str) -> Times:
    bad = (numbers.is_not_null() & ~numbers.is_finite()).fill_null(value=False)
    if bad.any():
        raise _unreadable(texts, bad, rows, file)
    largest = numbers.abs().max()
    if isinstance(largest, float) and largest > _TOO_LARGE_FOR_SECONDS:
        message = (
            f"{file} column '{texts.name}': numbers up to {largest:.6g}, which look like "
            "milliseconds or finer since 1970; needs seconds, or dates"
        )
        raise TelemetryError(message)
    return Times(numbers, "number")


def _dates(text: pl.Series, rows: pl.Series, file: str) -> Times:
    has_offset = text.str.contains(_CLOCK_BEFORE_OFFSET)
    frame = pl.DataFrame({"text": text, "has_offset": has_offset})
    parts = frame.select(
        local=pl.when("has_offset")
        .then(pl.col("text").str.replace(_OFFSET, ""))
        .otherwise(pl.col("text")),
        offset=pl.when("has_offset").then(pl.col("text").str.extract(_OFFSET)),
    )
    local = _local_dates(parts["local"])
    bad = local.is_null() & text.is_not_null()
    if bad.any():
        raise _unreadable(text, bad, rows, file)
    microseconds = local.dt.timestamp("us")
    if not has_offset.any():
        return Times(microseconds, "local")
    without = (~has_offset).fill_null(value=False)
    if without.any():
        first = without.arg_max() or 0
        other = has_offset.fill_null(value=False).arg_max() or 0
        message = (
            f"{file} column '{text.name}': row {rows[first]} has no offset ({text[first]!r}) and "
            f"row {rows[other]} has one ({text[other]!r}); needs all times with an offset or all "
            "without"
        )
        raise TelemetryError(message)
    return Times(microseconds - _offsets(parts["offset"]), "zoned")


def _local_dates(text: pl.Series) -> pl.Series:
    spaced = text.str.strip_chars().str.replace(r"^(\d+[-/]\d+[-/]\d+)[Tt]", "$1 ")
    # A decimal comma is allowed by ISO 8601.
    spaced = spaced.str.replace(r"(\d:\d{2}),(\d+)$", "$1.$2")
    frame = pl.DataFrame({"text": spaced})
    attempts = []
    for form in FORMATS:
        if "%H" in form:
            attempt = pl.col("text").str.to_datetime(form, time_unit="us", strict=False)
        else:
            attempt = pl.col("text").str.to_date(form, strict=False).cast(pl.Datetime("us"))
        attempts.append(attempt)
    return frame.select(pl.coalesce(attempts).alias(text.name))[text.name]


def _offsets(offset: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"offset": offset})
    hours = pl.col("offset").str.extract(r"^[+-](\d{2})").cast(pl.Int64).fill_null(0)
    minutes = pl.col("offset").str.extract(r"^[+-]\d{2}:?(\d{2})$").cast(pl.Int64).fill_null(0)
    sign = pl.when(pl.col("offset").str.starts_with("-")).then(-1).otherwise(1)
    microseconds = sign * (hours * 3600 + minutes * 60) * _MICROSECONDS
    return frame.select(microseconds.alias("microseconds"))["microseconds"]


def _unreadable(texts: pl.Series, bad: pl.Series, rows: pl.Series, file: str) -> TelemetryError:
    first = bad.arg_max() or 0
    count = int(bad.sum())
    more = f" (and {count - 1} more rows)" if count > 1 else ""
    return TelemetryError(
        f"{file} row {rows[first]} column '{texts.name}': {str(texts[first])!r} is not a time"
        f"{more}; needs {_REQUIRED}"
    )
