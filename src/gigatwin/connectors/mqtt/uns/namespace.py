"""Topics and JSON of the unified namespace.

A topic is ``root/enterprise/site/area/line/element/kind/name``; kind is ``tag``, ``state``,
``event`` or ``kpi`` (values), ``cmd`` (values to be written, answered on the same topic with
``/ack`` behind it) or ``meta`` (what tags are; kept by the broker). What concerns the line as a
whole has the element ``_line``. An element describes its tags in one message, ``meta/tags``: a
broker that keeps its messages on disk may take a while for each.
"""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from gigatwin.errors import TelemetryError
from gigatwin.telemetry.readings import Quality, Reading, Value
from gigatwin.telemetry.tags import Quantity, Tag, TagType, quantity_of

TAG, STATE, EVENT, KPI, COMMAND, META = "tag", "state", "event", "kpi", "cmd", "meta"
VALUE_KINDS = frozenset({TAG, STATE, EVENT, KPI})
"""Kinds of topics that hold values."""
LINE = "_line"
"""The element that stands for the line as a whole."""
ONLINE, REFRESH, ACKNOWLEDGEMENT, TAGS = "online", "refresh", "ack", "tags"
"""The line's state of being there; its command to tell everything; where commands are answered;
where an element describes its tags."""
SEQUENCE_MODULUS = 1 << 32
_STATES = frozenset(
    {
        Quantity.STATE,
        Quantity.MODE,
        Quantity.BLOCKED,
        Quantity.STARVED,
        Quantity.STOP_REASON,
        Quantity.FORMAT,
    }
)
_EXCERPT = 60
_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_EPOCH_LIMIT = 253_402_300_799.0  # the end of the year 9999


class Place(NamedTuple):
    """What a topic is about."""

    element: str
    kind: str
    name: str
    is_answer: bool = False
    """Whether it answers a command."""


class Told(NamedTuple):
    """A value as it is told on a topic."""

    value: Value
    quality: Quality
    time: float | None
    """None: the sender did not say. [s]"""
    unit: str
    sequence: int | None
    """Number of the message at its sender; None: it counts none."""
    sender: str
    is_snapshot: bool
    """Whether it repeats a present value."""


class Namespace:
    """The topics of one line.

    Examples
    --------
    >>> line = Namespace("uns", ("acme", "west", "cells", "line_1"))
    >>> line.place("uns/acme/west/cells/line_1/winding_1/tag/Status.CurMachSpeed").name
    'Status.CurMachSpeed'
    """

    def __init__(self, root: str, path: tuple[str, ...]) -> None:
        """Begin all topics with a root, and with enterprise, site, area and line."""
        self.base = "/".join((root, *path))
        self._depth = len(self.base) + 1
        self.place = lru_cache(maxsize=1 << 14)(self._place)
        """What a topic is about; None: it is none of this line's."""

    def topic(self, element: str, kind: str, name: str) -> str:
        """Return the topic of something."""
        return f"{self.base}/{element}/{kind}/{name}"

    def _place(self, topic: str) -> Place | None:
        if not topic.startswith(f"{self.base}/"):
            return None
        parts = topic[self._depth :].split("/", 2)
        if len(parts) != 3 or not all(parts):  # noqa: PLR2004 - element, kind, name
            return None
        element, kind, name = parts
        is_answer = kind == COMMAND and name.endswith(f"/{ACKNOWLEDGEMENT}")
        return Place(
            element,
            kind,
            name.removesuffix(f"/{ACKNOWLEDGEMENT}") if is_answer else name,
            is_answer,
        )


def kind_of(label: str) -> str:
    """Return on which kind of topic a tag is told.

    Examples
    --------
    >>> kind_of("Status.StateCurrent"), kind_of("Status.Tracking"), kind_of("Status.Level")
    ('state', 'event', 'tag')
    """
    known = quantity_of(label)
    if known is None:
        return TAG
    if known[0] in _STATES:
        return STATE
    return EVENT if known[0] is Quantity.TRACKING else TAG


def write_value(
    reading: Reading, unit: str, sequence: int, sender: str, *, is_snapshot: bool = False
) -> bytes:
    """Return a value as JSON: ``ts, v, q, u, seq, src``, and ``snapshot`` where it is one.

    JSON has no NaN and no infinity; they become null, without a word on the quality.
    """
    value = reading.value
    if type(value) is float and not math.isfinite(value):
        value = None
    told = {
        "ts": write_time(reading.source_time),
        "v": value,
        "q": reading.quality.name,
        "u": unit,
        "seq": sequence,
        "src": sender,
    }
    if is_snapshot:
        told["snapshot"] = True
    return encode(told)


def read_value(payload: bytes) -> Told:
    """Return the value that a message tells; only ``v`` is required, or a bare value.

    Raises
    ------
    TelemetryError
        If it tells none.
    """
    told = decode(payload)
    if not isinstance(told, Mapping):
        told = {"v": told}
    value = told.get("v")
    sequence = told.get("seq")
    if "v" not in told or isinstance(value, list | dict):
        raise TelemetryError(_complaint(payload, "has no single value v"))
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise TelemetryError(_complaint(payload, "has a whole number of more than 64 bits"))
    try:
        quality = Quality[str(told.get("q", Quality.GOOD.name)).upper()]
    except KeyError:
        quality = Quality.BAD
    if not isinstance(sequence, int) or not 0 <= sequence < SEQUENCE_MODULUS:
        sequence = None
    return Told(
        value,
        quality,
        None if told.get("ts") is None else read_time(told["ts"]),
        str(told.get("u") or ""),
        sequence,
        str(told.get("src") or ""),
        told.get("snapshot") is True,
    )


def write_meta(tags: Iterable[Tag]) -> bytes:
    """Return what the tags of an element are, by label, as JSON."""
    return encode(
        {
            tag.label: {
                "type": tag.type.value,
                "u": tag.unit,
                "description": tag.description,
                "writable": tag.is_writable,
                "kind": kind_of(tag.label),
            }
            for tag in tags
        }
    )


def read_meta(place: Place, payload: bytes) -> list[Tag]:
    """Return the tags that a message describes: those of its element, or the one of its topic.

    Raises
    ------
    TelemetryError
        If it describes none.
    """
    told = decode(payload)
    if isinstance(told, Mapping) and place.name != TAGS:
        told = {place.name: told}
    kinds = list(TagType)  # what is asked for need not be hashable
    if not isinstance(told, Mapping) or not all(
        label and isinstance(about, Mapping) and about.get("type") in kinds
        for label, about in told.items()
    ):
        named = ", ".join(TagType)
        raise TelemetryError(_complaint(payload, f"has not for each tag a type of {named}"))
    return [
        Tag(
            f"{place.element}/{label}",
            TagType(about["type"]),
            str(about.get("u") or ""),
            str(about.get("description") or ""),
            is_writable=about.get("writable") is True,
        )
        for label, about in told.items()
    ]


def write_time(time: float) -> str:
    """Return a time [s] in ISO 8601, UTC, with microseconds.

    Examples
    --------
    >>> write_time(1.5), read_time("1970-01-01T00:00:01.500000Z"), read_time(1500.0)
    ('1970-01-01T00:00:01.500000Z', 1.5, 1.5)
    """
    return f"{datetime.fromtimestamp(time, UTC).isoformat(timespec='microseconds')[:-6]}Z"


def read_time(given: object) -> float:
    """Return a time in seconds, given in ISO 8601 or as a number of milliseconds since 1970.

    Raises
    ------
    TelemetryError
        If it is neither.
    """
    try:
        if isinstance(given, str):
            when = datetime.fromisoformat(given)
            return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
        if isinstance(given, int | float) and 0.0 <= float(given) / 1000.0 < _EPOCH_LIMIT:
            return float(given) / 1000.0
    except (ValueError, OverflowError):
        pass
    message = f"ts {given!r}; must be a time in ISO 8601, or milliseconds. Check its sender."
    raise TelemetryError(message)


def encode(told: Mapping[str, object]) -> bytes:
    """Return a message as JSON.

    Raises
    ------
    TelemetryError
        If it holds a text that UTF-8 cannot write.
    """
    try:
        return _dump(told).encode()
    except UnicodeEncodeError:
        message = f"{told!r}: a text that UTF-8 cannot write; replace it."
        raise TelemetryError(message) from None


def decode(payload: bytes) -> Any:  # noqa: ANN401 - JSON says anything
    """Return what a message of JSON says.

    Raises
    ------
    TelemetryError
        If it is none; nothing else is ever raised.
    """
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        raise TelemetryError(_complaint(payload, "is no JSON")) from None


def _complaint(payload: bytes, found: str) -> str:
    return (
        f"message {payload[:_EXCERPT]!r} {found}; must be a JSON object as the unified namespace "
        "has them. Check what its sender writes."
    )
