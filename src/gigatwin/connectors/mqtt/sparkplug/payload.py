"""What a Sparkplug B message says, free of how it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from gigatwin.connectors.mqtt.sparkplug.datatypes import Scalar

NO_PROPERTIES: Mapping[str, Scalar] = MappingProxyType({})
"""The properties of a metric that has none."""


class Metric(NamedTuple):
    """One value of a message."""

    name: str = ""
    """Empty where the alias stands for it."""
    alias: int | None = None
    """Number that the birth gave to the name."""
    timestamp: int | None = None
    """When the value arose, since 1970 in UTC. [ms]"""
    datatype: int = 0
    """A `DataType`; 0 where the birth has said it."""
    value: Scalar = None
    """None: it has no value, or one of a kind that is skipped (see ``is_null``)."""
    is_historical: bool = False
    is_transient: bool = False
    is_null: bool = False
    """Whether the sender says that it has no value."""
    properties: Mapping[str, Scalar] = NO_PROPERTIES
    """Such as its quality and unit."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A whole message."""

    timestamp: int | None = None
    """When it was sent, since 1970 in UTC. [ms]"""
    metrics: Sequence[Metric] = ()
    seq: int | None = None
    """Number of the message at its edge node, 0 to 255; None: it has none (deaths, commands)."""
    uuid: str = ""
    body: bytes = b""
