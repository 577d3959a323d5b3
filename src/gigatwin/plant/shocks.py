"""Changes that somebody brings about in the virtual plant on purpose, without knowing its truth."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shock:
    """From a moment on, cycles of a station or machine take another time."""

    where: str
    """Station, or one of its machines such as ``winding#3``."""
    after: float
    """Plant time since the start of the plant. [s]"""
    factor: float
    """Factor on the time of a cycle; 1.05: 5 % slower."""
