"""What a tag said, and when: the values that cross every interface."""

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

Value = bool | int | float | str | None
"""What a tag can hold; None: the source has no value."""


class Quality(IntEnum):
    """How far a value can be trusted; the two top bits of an OPC UA status code."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Reading(NamedTuple):
    """The value of one tag at one moment."""

    tag: str
    """Name of the tag, unique at its source: ``winding_1/Status.StateCurrent``."""
    value: Value
    """What it said."""
    source_time: float
    """Clock of the source when the value arose, seconds since 1970 in UTC. [s]"""
    quality: Quality = Quality.GOOD
    """How far it can be trusted."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings that arrived together."""

    readings: tuple[Reading, ...]
    """In the order in which they came; the source times need not ascend."""
    received: float
    """This side's clock when they came, seconds since 1970 in UTC. [s]"""
    is_snapshot: bool = False
    """Whether these are the present values of all tags of an element (a birth, a refresh), and not
    only what changed."""
    n_lost: int | None = None
    """Messages that the protocol knows to be missing before this batch (a gap in its sequence);
    None: it cannot know."""


def is_usable(value: Value) -> bool:
    """Whether a value is one that can be worked with: there, and no NaN or infinity."""
    return value is not None and (not isinstance(value, float) or math.isfinite(value))
