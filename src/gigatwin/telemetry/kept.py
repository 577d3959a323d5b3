"""How historians keep a reading in columns: numbers and texts apart, and exact all the same."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.telemetry.readings import Quality, Reading, Value


class Kind(IntEnum):
    """What a value was before it was kept as a number or a text."""

    NONE = 0
    BOOLEAN = 1
    INTEGER = 2
    REAL = 3
    TEXT = 4


Row = tuple[str, float, float | None, str | None, int, int]
"""Tag, source time [s], number, text, quality and kind of a reading."""

FRAME = pl.Schema(
    {
        "row": pl.Int64,
        "tag": pl.String,
        "time": pl.Float64,
        "value": pl.Float64,
        "text": pl.String,
        "quality": pl.UInt8,
        "kind": pl.UInt8,
    }
)
"""Columns of kept readings with the numbers of their rows."""
SHOWN = ("row", "tag", "time", "value", "text", "quality")
"""Columns of the table ``readings`` that queries see."""
ONE_TAG = ("time", "value", "text", "quality")
"""Columns of what `Historian.read` returns."""

_EXACT = 2**53
"""Up to here a float holds every whole number."""
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_QUALITIES = tuple(Quality)
# Plain numbers: members of an enum are slow in the loops below.
_NONE, _BOOLEAN, _INTEGER, _REAL, _TEXT = (kind.value for kind in Kind)


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """What the check of a historian's store found."""

    n_rows: int
    """Readings in the store."""
    n_parts: int
    """Files or partitions that were read."""
    problems: tuple[str, ...]
    """What is wrong, one sentence each; empty: the store is whole."""
    notes: tuple[str, ...] = ()
    """What is worth knowing and not wrong."""


def kept_rows(readings: Iterable[Reading]) -> list[Row]:
    """Return readings as they are kept.

    A truth value becomes 1 or 0; a whole number beyond 2**53 keeps its digits as text beside the
    rounded number; characters that a database refuses (NUL, lone surrogates) are replaced.

    Raises
    ------
    TelemetryError
        If a source time is not finite, or a value of a type that no tag has.
    """
    rows: list[Row] = []
    append, is_finite = rows.append, math.isfinite
    for tag, value, time, quality in readings:
        # The commonest first: this is the inner loop of every historian.
        if type(value) is float:
            append((tag, time, value, None, int(quality), _REAL))
        elif type(value) is int and -_EXACT <= value <= _EXACT:
            append((tag, time, float(value), None, int(quality), _INTEGER))
        else:
            append((tag, time, *_split(tag, value, int(quality))))
        if type(time) is not float or not is_finite(time):
            rows[-1] = _with_float_time(rows[-1])
    return rows


def _with_float_time(row: Row) -> Row:
    tag, time, number, text, quality, kind = row
    if isinstance(time, int | float) and math.isfinite(time):
        return tag, float(time), number, text, quality, kind
    message = (
        f"tag {tag}: source time {time!r}; must be seconds since 1970. "
        "Nothing of this batch was kept; correct the source, or drop the reading."
    )
    raise TelemetryError(message)


def _split(tag: str, value: object, quality: int) -> tuple[float | None, str | None, int, int]:
    """Return the number, the text, the quality and the kind of a value."""
    if value is None:
        return None, None, quality, _NONE
    if isinstance(value, str):
        return None, _storable(value), quality, _TEXT
    if isinstance(value, bool):
        return float(value), None, quality, _BOOLEAN
    if isinstance(value, int):
        return *_whole(tag, value), quality, _INTEGER
    if isinstance(value, float):
        return float(value), None, quality, _REAL
    message = (
        f"tag {tag}: a value of type {type(value).__name__}; must be a truth value, a number, "
        "a text or nothing. Nothing of this batch was kept."
    )
    raise TelemetryError(message)


def _whole(tag: str, value: int) -> tuple[float, str | None]:
    """Return a whole number as a float, and its digits where that is not exact."""
    if -_EXACT <= value <= _EXACT:
        return float(value), None
    try:
        digits = str(value)
    except ValueError:
        message = (
            f"tag {tag}: a whole number of thousands of digits. Nothing of this batch was kept."
        )
        raise TelemetryError(message) from None
    try:
        return float(value), digits
    except OverflowError:
        return math.inf if value > 0 else -math.inf, digits


def _storable(text: str) -> str:
    if "\x00" in text:
        text = text.replace("\x00", _REPLACEMENT)
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def reading_of(row: Row) -> Reading:
    """Return the reading that was kept as a row."""
    tag, time, number, text, quality, kind = row
    return Reading(tag, _value(number, text, kind), time, _QUALITIES[quality])


def _value(number: float | None, text: str | None, kind: int) -> Value:
    if kind == _REAL:
        # SQLite keeps no NaN.
        return math.nan if number is None else number
    if kind == _TEXT:
        return text
    if number is None:
        return None
    if kind == _BOOLEAN:
        return bool(number)
    return int(number) if text is None else int(text)


def numbered_readings(frame: pl.DataFrame) -> list[tuple[int, Reading]]:
    """Return the readings of a table with the columns of `FRAME`, each with its row."""
    columns = (frame[name].to_list() for name in FRAME)
    return [
        (row, Reading(tag, _value(number, text, kind), time, _QUALITIES[quality]))
        for row, tag, time, number, text, quality, kind in zip(*columns, strict=True)
    ]


def kept_frame(
    rows: Sequence[tuple[object, ...]], names: Mapping[int, str] | None = None
) -> pl.DataFrame:
    """Return rows as a table with the columns of `FRAME`; a missing real number becomes NaN.

    Parameters
    ----------
    rows : sequence of tuple
        Number of the row, then what `kept_rows` returns.
    names : mapping, optional
        Names of the tags, where the rows have numbers in their place.
    """
    if not rows:
        return pl.DataFrame(schema=FRAME)
    schema = FRAME if names is None else pl.Schema({**FRAME, "tag": pl.Int64()})
    frame = pl.DataFrame(
        [
            pl.Series(name, column, dtype)
            for (name, dtype), column in zip(schema.items(), zip(*rows, strict=True), strict=True)
        ]
    )
    is_nan = (pl.col("kind") == _REAL) & pl.col("value").is_null()
    value = pl.when(is_nan).then(pl.lit(math.nan)).otherwise(pl.col("value"))
    if names is None:
        return frame.with_columns(value=value)
    tag = pl.col("tag").replace_strict(dict(names), return_dtype=pl.String)
    return frame.with_columns(tag=tag, value=value)
