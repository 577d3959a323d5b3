"""The elements of a factory that tags can belong to."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Elements:
    """What a factory consists of, by the names of the compiled factory."""

    machines: tuple[str, ...]
    """``winding#1``; a machine that is the only one of its station bears the station's name."""
    buffers: tuple[str, ...] = ()
    """By the station that they stand before; ``station.input`` for a further input."""
    formats: tuple[str, ...] = ()
    """Formats of the product."""
    stops: tuple[str, ...] = ()
    """``station.stop``."""
    nominal_rates: Mapping[str, float] = field(default_factory=dict)
    """Items that a machine makes per second when its speed is 1, by machine. [1/s]"""


def station_of(machine: str) -> str:
    """Return the station that a machine belongs to."""
    return machine.partition("#")[0]
