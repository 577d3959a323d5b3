"""From columns and texts to tags and readings.

A log has one row for each reading (columns time, tag, value and perhaps quality), or one for each
moment (time, and a column for each tag); its header says which.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gigatwin.telemetry import Quality, Reading, Tag, TagType, Value

_TIMES = ("source_time", "time", "timestamp", "ts", "datetime", "date", "zeit")
_TAGS = ("tag", "tag_name", "tagname", "name", "signal", "variable", "node", "topic", "point")
_VALUES = ("value", "val", "v")
_QUALITIES = ("quality", "q", "status", "status_code")
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
_REAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_TRUTHS = {"true": True, "false": False}
_WORDS = {
    "good": Quality.GOOD,
    "ok": Quality.GOOD,
    "uncertain": Quality.UNCERTAIN,
    "bad": Quality.BAD,
    "": Quality.GOOD,
}
_TOP_BITS = 30
# Seconds since 1970 reach the first of these in the year 5138, milliseconds in 1973.
_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
_LATEST = 1e12


@dataclass(frozen=True)
class Form:
    """Which column of a log means what."""

    time: int
    """Place of the column with times."""
    tag: int | None
    """Place of the column with names of tags; None: each tag has a column of its own."""
    value: int | None
    """Place of the column with values."""
    quality: int | None
    """Place of the column with qualities; None: there is none, and all are good."""
    tags: tuple[tuple[int, str], ...]
    """Place and tag of the columns that are tags."""
    n_columns: int
    """Columns in all."""


def form_of(columns: Sequence[str], name: str) -> Form | None:
    """Return what the columns of a log mean; None: there is no column of times.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns.
    name : str
        Name of the log, for tags that name no element.
    """
    places = {_plain(column): place for place, column in reversed([*enumerate(columns)])}

    def find(words: tuple[str, ...]) -> int | None:
        return next((places[word] for word in words if word in places), None)

    time, tag, value = find(_TIMES), find(_TAGS), find(_VALUES)
    if time is None:
        return None
    if tag is not None and value is not None:
        return Form(time, tag, value, find(_QUALITIES), (), len(columns))
    tags = tuple(
        (place, tag_name(column, name))
        for place, column in enumerate(columns)
        if place != time and column.strip()
    )
    return Form(time, None, None, None, tags, len(columns))


def tag_name(text: str, name: str) -> str:
    """Return the name of a tag, as ``element/label``.

    Examples
    --------
    >>> tag_name("winding_1.Status.Level", "log"), tag_name("force", "press")
    ('winding_1/Status.Level', 'press/force')
    """
    text = text.strip()
    for sign in "/.":
        element, found, label = text.partition(sign)
        if found and element and label:
            return f"{element}/{label}"
    return f"{name}/{text}"


class Rows:
    """Turns the rows of a log into readings.

    Parameters
    ----------
    form : Form
        What the columns mean.
    name : str
        Name of the log, for tags that name no element.
    zone : ZoneInfo
        Zone of dates without an offset.
    has_decimal_comma : bool
        Whether ``1,5`` is a number.
    """

    def __init__(self, form: Form, name: str, zone: ZoneInfo, *, has_decimal_comma: bool) -> None:
        self._form = form
        self._name = name
        self._zone = zone
        self._has_decimal_comma = has_decimal_comma
        self._names: dict[str, str] = {}

    def readings(self, row: Sequence[object]) -> Iterator[Reading]:
        """Yield the readings of a row.

        Raises
        ------
        ValueError
            If it cannot be read; the text says why.
        """
        form = self._form
        if len(row) != form.n_columns:
            message = f"{len(row)} columns; must be {form.n_columns}"
            raise ValueError(message)
        time = self._time(row[form.time])
        if form.tag is None or form.value is None:
            for place, tag in form.tags:
                # Nothing in a column of a tag: nothing new at this moment.
                if row[place] is not None and row[place] != "":
                    yield Reading(tag, self._value(row[place]), time)
            return
        tag = self._tag(row[form.tag])
        quality = Quality.GOOD if form.quality is None else quality_of(row[form.quality])
        given = row[form.value]
        is_none = given is None or (given == "" and quality is Quality.BAD)
        yield Reading(tag, None if is_none else self._value(given), time, quality)

    def _tag(self, given: object) -> str:
        text = str(given)
        if text not in self._names:
            if given is None or not text.strip():
                message = "no name of a tag"
                raise ValueError(message)
            self._names[text] = tag_name(text, self._name)
        return self._names[text]

    def _value(self, given: object) -> Value:
        if not isinstance(given, str):
            return given if isinstance(given, bool | int | float) else str(given)
        if _INTEGER.fullmatch(given):
            return int(given)
        if self._has_decimal_comma and _DECIMAL_COMMA.fullmatch(given):
            given = given.replace(",", ".")
        if _REAL.fullmatch(given):
            return float(given)
        return _TRUTHS.get(given.lower(), given)

    def _time(self, given: object) -> float:
        if isinstance(given, datetime):
            return self._stamp(given)
        if isinstance(given, int | float) and not isinstance(given, bool):
            return _seconds(float(given))
        text = str(given).strip()
        if self._has_decimal_comma:
            text = text.replace(",", ".")
        try:
            return _seconds(float(text))
        except ValueError:
            pass
        try:
            return self._stamp(datetime.fromisoformat(text))
        except (ValueError, OverflowError):
            message = f"{text!r} is no time; must be like 2026-01-31T14:05:09.5Z, or seconds"
            raise ValueError(message) from None

    def _stamp(self, moment: datetime) -> float:
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=self._zone)
        return (aware - _EPOCH).total_seconds()


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _seconds(time: float) -> float:
    """Return a time in seconds, given in some power of a thousand of them."""
    for least, divisor in _UNITS:
        if abs(time) >= least:
            time /= divisor
            break
    if not math.isfinite(time) or abs(time) > _LATEST:
        message = f"{time} is no time; must be seconds since 1970"
        raise ValueError(message)
    return time


def quality_of(given: object) -> Quality:
    """Return a quality given by word, by 0 to 2, or as a status code of OPC UA.

    Examples
    --------
    >>> quality_of("Good"), quality_of(0x80340000)
    (<Quality.GOOD: 0>, <Quality.BAD: 2>)
    """
    text = "" if given is None else str(given).strip().lower()
    if text in _WORDS:
        return _WORDS[text]
    try:
        number = int(text, 0)
    except ValueError:
        return Quality.BAD
    if number > max(Quality):
        number >>= _TOP_BITS
    return Quality(number) if number in set(Quality) else Quality.BAD


def add_kinds(kinds: dict[str, TagType | None], readings: Iterable[Reading]) -> None:
    """Note what values tags hold; None: no value was seen yet."""
    for tag, value, _, _ in readings:
        before = kinds.get(tag)
        if before is not TagType.TEXT:
            kinds[tag] = _wider(before, value)


def tags_of(kinds: Mapping[str, TagType | None]) -> list[Tag]:
    """Return the tags whose values were noted."""
    return [Tag(name, kind or TagType.REAL) for name, kind in kinds.items()]


_KINDS: Mapping[type, TagType] = {
    bool: TagType.BOOLEAN,
    int: TagType.INTEGER,
    float: TagType.REAL,
    str: TagType.TEXT,
}
_NUMBERS = {TagType.INTEGER, TagType.REAL}


def _wider(before: TagType | None, value: Value) -> TagType | None:
    kind = _KINDS.get(type(value), before)
    if before is None or kind is None or kind is before:
        return kind
    return TagType.REAL if {before, kind} == _NUMBERS else TagType.TEXT


def _plain(column: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", column.strip().lower()).strip("_")
