"""Between OPC UA's values, types and names, and those of the telemetry ports.

Nothing here needs the library: a value is looked at by its form, because what a server sends is
not always what its description says.
"""
# ruff: noqa: ANN401 - asyncua is optional, and typed in part only

import datetime as dt
import math
from typing import Any

from gigatwin.telemetry.readings import Quality, Reading, Value
from gigatwin.telemetry.tags import Tag, TagType

VARIANT_NAMES = {
    TagType.BOOLEAN: "Boolean",
    TagType.INTEGER: "Int64",
    TagType.REAL: "Double",
    TagType.TEXT: "String",
}
"""How a server of ours types the values of a tag."""
_TYPES = {
    "Boolean": TagType.BOOLEAN,
    "Float": TagType.REAL,
    "Double": TagType.REAL,
    "String": TagType.TEXT,
    "LocalizedText": TagType.TEXT,
    "DateTime": TagType.TEXT,
    "Guid": TagType.TEXT,
} | dict.fromkeys(
    ("SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64"), TagType.INTEGER
)
_SEVERITY_BITS = 30
_OVERFLOW = 0x480
"""Info type "data value" with the overflow bit: the server's queue was too short."""
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_BEGIN = dt.datetime(1601, 1, 2, tzinfo=dt.UTC)
_END = dt.datetime(9999, 12, 30, tzinfo=dt.UTC)


def type_of(variant_name: str) -> TagType | None:
    """Return the type of a tag whose values OPC UA calls so; None: it can be no tag.

    Examples
    --------
    >>> type_of("UInt16").value
    'integer'
    """
    return _TYPES.get(variant_name)


def quality_of(status: int) -> Quality:
    """Return the quality that a status code stands for, by its two top bits.

    Examples
    --------
    >>> quality_of(0x40920000).name
    'UNCERTAIN'
    """
    severity = status >> _SEVERITY_BITS
    return Quality(min(severity, Quality.BAD))


def is_overflow(status: int) -> bool:
    """Whether a status code says that older values of the tag were pushed out of the queue."""
    return status & _OVERFLOW == _OVERFLOW


def seconds_of(moment: Any) -> float | None:
    """Return a moment as seconds since 1970; None where it is none, or stands for "not set"."""
    if not isinstance(moment, dt.datetime):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return moment.timestamp() if _BEGIN < moment < _END else None


def fitted(value: Any, kind: TagType) -> Value:
    """Return a value as a tag of this type holds it; None where it is of another type.

    Examples
    --------
    >>> fitted(3, TagType.REAL), fitted(True, TagType.INTEGER), fitted([1], TagType.INTEGER)
    (3.0, None, None)
    """
    if kind is TagType.BOOLEAN:
        return bool(value) if isinstance(value, bool) else None
    if kind is TagType.TEXT:
        return _text(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if kind is TagType.INTEGER:
        is_whole = isinstance(value, int) and _LOWEST <= value <= _HIGHEST
        return int(value) if is_whole else None
    try:
        real = float(value)
    except OverflowError:
        return None
    return real if math.isfinite(real) else None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if type(value).__name__ == "UUID":
        return str(value)
    # A LocalizedText holds its text, or none.
    text = getattr(value, "Text", None)
    return text if isinstance(text, str) else None


def reading_of(tag: Tag, data_value: Any, received: float) -> Reading | None:
    """Return what a value of the server says of a tag; None where it makes no sense.

    Parameters
    ----------
    tag : Tag
        What the server said that the tag is.
    data_value : asyncua.ua.DataValue
        What it sent; arrays, structures, NaN, and values of another type than the tag's make no
        sense.
    received : float
        Wall time, taken where the server gives no time at all. [s]
    """
    status = getattr(getattr(data_value, "StatusCode", None), "value", 0)
    if not isinstance(status, int) or not 0 <= status < 2**32:
        return None
    quality = quality_of(status)
    moment = seconds_of(getattr(data_value, "SourceTimestamp", None))
    if moment is None:
        moment = seconds_of(getattr(data_value, "ServerTimestamp", None))
    if moment is None:
        moment = received
    variant = getattr(data_value, "Value", None)
    raw = getattr(variant, "Value", None)
    if raw is None:
        return Reading(tag.name, None, moment, quality)
    value = None if getattr(variant, "is_array", False) else fitted(raw, tag.type)
    if value is None:
        return None
    return Reading(tag.name, value, moment, quality)
