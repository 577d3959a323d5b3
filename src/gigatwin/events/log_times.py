"""Times as logs write them: dates with and without offset, or seconds."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
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
"""Accepted forms of date and time that can be read in one way only."""
MONTH_FIRST = (
    "%m/%d/%Y %H:%M:%S%.f",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y",
)
"""Forms with slashes and the month first."""
DAY_FIRST = tuple(form.replace("%m/%d", "%d/%m") for form in MONTH_FIRST)
"""Forms with slashes and the day first."""

_REQUIRED = "a time such as 2024-05-31T14:05:09.5, with Z or +02:00 if zoned, or seconds"
_OFFSET = r"(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)$"
_CLOCK_BEFORE_OFFSET = r"\d:\d{2}(?:[:.]\d+)*\s*" + _OFFSET
_SLASHED = r"^\s*(\d{1,2})/(\d{1,2})/\d{4}"
_MONTHS = 12
# Seconds since 1970 reach this in the year 5138; milliseconds passed it in 1973.
_TOO_LARGE_FOR_SECONDS = 1e11
_MICROSECONDS = 1_000_000
# From 1982 to 2119 in a spreadsheet; its fractions have some nine digits.
_FIRST_DAY, _LAST_DAY, _FEW = 30_000.0, 80_000.0, 5
_ALMOST_WHOLE, _NEARLY_ALL = 0.06, 0.95
_ROUNDING, _OFTEN = 1e-4, 0.5
_HOUR = 3600 * _MICROSECONDS
_TRIED = 1000


@dataclass(frozen=True)
class Times:
    """A column of times."""

    values: pl.Series
    """Int64 microseconds since 1970 for dates, Float64 seconds for numbers; null where empty."""
    kind: TimeKind
    """``zoned``: dates in UTC; ``local``: dates without offset; ``number``: seconds."""


def read_times(
    column: pl.Series, rows: pl.Series, file: str, forms: tuple[str, ...] = FORMATS
) -> Times:
    """Return the times of a column.

    Parameters
    ----------
    column : polars.Series
        Text, numbers, or dates as Parquet has them.
    rows : polars.Series
        Row number of each value in the file, for messages.
    file : str
        Name of the file, for messages.
    forms : tuple of str
        Forms that a date written as text may have.

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
    return _dates(text, rows, file, forms)


def time_expression(sample: pl.Series, forms: tuple[str, ...]) -> tuple[pl.Expr, TimeKind] | None:
    """Return how a column of text is read fast, when all of a sample is written alike.

    Parameters
    ----------
    sample : polars.Series
        First values of the column, text.
    forms : tuple of str
        Forms that a date may have.

    Returns
    -------
    tuple of polars.Expr and TimeKind, or None
        An expression on the column that gives null where a text is written otherwise; None if
        the sample is not of one form.
    """
    if sample.dtype != pl.String:
        return None
    text = sample.drop_nulls().str.strip_chars().head(_TRIED)
    text = text.filter(text != "")
    if text.is_empty():
        return None
    column = pl.col(sample.name).str.strip_chars()
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() == 0:
        small = numbers.is_finite().all() and bool((numbers.abs() < _TOO_LARGE_FOR_SECONDS).all())
        small = small and not _are_days(numbers)
        return (column.cast(pl.Float64, strict=False), "number") if small else None
    for form in forms:
        if "%H" not in form:
            continue
        for gap in (" ", "T"):
            for end, kind in (("", "local"), ("Z", "zoned")):
                exact = form.replace(" ", gap, 1) + end
                parsed = text.str.to_datetime(exact, time_unit="us", strict=False)
                if parsed.null_count() == 0:
                    expression = column.str.to_datetime(exact, time_unit="us", strict=False)
                    return expression.dt.timestamp("us"), "zoned" if kind == "zoned" else "local"
    return None


def date_forms(
    frame: pl.LazyFrame, columns: list[str], file: str, given: str | None
) -> tuple[str, ...]:
    """Return the forms that the dates of a log may have.

    Dates such as ``3/14/2024`` are read with the month or the day first, whichever all values of
    all the columns allow.

    Parameters
    ----------
    frame : polars.LazyFrame
        The log.
    columns : list of str
        Its columns of times.
    file : str
        Name of the file, for messages.
    given : str, optional
        The form that a mapping gives.

    Raises
    ------
    TelemetryError
        If dates with slashes can be read in both ways, or in neither.
    """
    if given is not None:
        return (given,)
    schema = frame.collect_schema()
    texts = [name for name in columns if schema[name] == pl.String]
    first = frame.select(texts).head(_TRIED).collect()
    slashed = [name for name in texts if first[name].str.contains(_SLASHED).any()]
    if not slashed:
        return FORMATS
    largest = frame.select(
        pl.max_horizontal(
            pl.col(name).str.extract(_SLASHED, place).cast(pl.Int32).max() for name in slashed
        ).alias(str(place))
        for place in (1, 2)
    ).collect()
    one, two = largest.row(0)
    if (one > _MONTHS) == (two > _MONTHS):
        why = "can be month first or day first" if one <= _MONTHS else "are neither"
        found = first[slashed[0]].drop_nulls()[0]
        message = (
            f"{file} column '{slashed[0]}': dates such as {found!r} {why}; give the form in the "
            "mapping, for example date_format: '%m/%d/%Y %H:%M:%S'"
        )
        raise TelemetryError(message)
    return MONTH_FIRST if two > _MONTHS else DAY_FIRST


def looks_like_dates(column: pl.Series) -> bool:
    """Whether the first values of a column are dates."""
    if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
        return True
    if column.dtype != pl.String:
        return False
    text = column.drop_nulls().str.strip_chars().head(100)
    forms = (*FORMATS, *MONTH_FIRST, *DAY_FIRST)
    return len(text) > 0 and _local_dates(text.str.replace(_OFFSET, ""), forms).null_count() == 0


def in_utc(local: pl.Series, zone: str) -> tuple[pl.Series, int, int]:
    """Return local times of a zone as UTC.

    Parameters
    ----------
    local : polars.Series
        Microseconds since 1970 on the local clock.
    zone : str
        IANA name, for example ``Europe/Berlin``.

    Returns
    -------
    tuple of polars.Series, int and int
        Microseconds since 1970 in UTC; how many times the clock showed twice (the earlier is
        taken); how many it never showed (taken as on a clock that was not put forward).
    """
    dates = local.cast(pl.Datetime("us"))
    earliest = dates.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    latest = dates.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    utc = earliest.dt.timestamp("us")
    n_twice = int((latest.dt.timestamp("us") != utc).sum())
    skipped = utc.is_null() & local.is_not_null()
    n_never = int(skipped.sum())
    if n_never:
        # Before the gap the offset is the old one; no zone has put its clock forward twice in 3 h.
        before = (
            (local - 3 * _HOUR)
            .cast(pl.Datetime("us"))
            .dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        )
        utc = utc.zip_with(~skipped, before.dt.timestamp("us") + 3 * _HOUR)
    return utc, n_twice, n_never


def _numbers(numbers: pl.Series, texts: pl.Series, rows: pl.Series, file: str) -> Times:
    bad = (numbers.is_not_null() & ~numbers.is_finite()).fill_null(value=False)
    if bad.any():
        raise _unreadable(texts, bad, rows, file, _REQUIRED)
    largest = numbers.abs().max()
    if isinstance(largest, float) and largest > _TOO_LARGE_FOR_SECONDS:
        message = (
            f"{file} column '{texts.name}': numbers up to {largest:.6g}, which look like "
            "milliseconds or finer since 1970; needs seconds, or dates"
        )
        raise TelemetryError(message)
    if _are_days(numbers.drop_nulls()):
        message = (
            f"{file} column '{texts.name}': numbers such as {numbers.drop_nulls()[0]:.6f}, which "
            "look like the days of a spreadsheet; needs dates (give the cells a date format before "
            "saving as CSV), or seconds"
        )
        raise TelemetryError(message)
    return Times(numbers, "number")


def _are_days(numbers: pl.Series) -> bool:
    """Whether numbers are days since 1900, as spreadsheets keep dates: whole seconds of a day."""
    days = numbers.to_numpy()
    if len(days) < _FEW or not ((days > _FIRST_DAY) & (days < _LAST_DAY)).all():
        return False
    seconds = days * 86_400.0
    is_whole = np.abs(seconds - np.round(seconds)) < _ALMOST_WHOLE
    # Seconds with a few decimals are whole by this measure, too; fractions of a day have many.
    has_many_decimals = np.abs(days * 1000.0 - np.round(days * 1000.0)) > _ROUNDING
    return bool(has_many_decimals.mean() > _OFTEN and is_whole.mean() > _NEARLY_ALL)


def _dates(text: pl.Series, rows: pl.Series, file: str, forms: tuple[str, ...]) -> Times:
    has_offset = text.str.contains(_CLOCK_BEFORE_OFFSET)
    frame = pl.DataFrame({"text": text, "has_offset": has_offset})
    parts = frame.select(
        local=pl.when("has_offset")
        .then(pl.col("text").str.replace(_OFFSET, ""))
        .otherwise(pl.col("text")),
        offset=pl.when("has_offset").then(pl.col("text").str.extract(_OFFSET)),
    )
    local = _local_dates(parts["local"], forms)
    bad = local.is_null() & text.is_not_null()
    if bad.any():
        required = _REQUIRED if forms == FORMATS else f"a time of the form {' or '.join(forms)}"
        raise _unreadable(text, bad, rows, file, required)
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


def _local_dates(text: pl.Series, forms: tuple[str, ...]) -> pl.Series:
    spaced = text.str.strip_chars()
    if len(forms) > 1:  # a form that a mapping gives is taken as it stands
        spaced = spaced.str.replace(r"^(\d+[-/]\d+[-/]\d+)[Tt]", "$1 ")
        # A decimal comma is allowed by ISO 8601.
        spaced = spaced.str.replace(r"(\d:\d{2}),(\d+)$", "$1.$2")
    frame = pl.DataFrame({"text": spaced})
    attempts = []
    for form in forms:
        if any(mark in form for mark in ("%H", "%I", "%T", "%R")):
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


def _unreadable(
    texts: pl.Series, bad: pl.Series, rows: pl.Series, file: str, required: str
) -> TelemetryError:
    first = bad.arg_max() or 0
    count = int(bad.sum())
    more = f" (and {count - 1} more rows)" if count > 1 else ""
    return TelemetryError(
        f"{file} row {rows[first]} column '{texts.name}': {str(texts[first])!r} is not a time"
        f"{more}; needs {required}"
    )
