"""The telegram in which a machine says what it did with an item."""

from enum import StrEnum
from typing import NamedTuple, Self

_N_PARTS = 5


class TrackingKind(StrEnum):
    """What happened; the names are those of the event log."""

    ARRIVE = "ARRIVE"
    """An item came into the factory from outside."""
    LOAD = "LOAD"
    """The machine loaded an input; ``detail`` is the input."""
    START = "START"
    """The machine began to work on an item."""
    LEAVE = "LEAVE"
    """An item left the machine; ``detail`` says where to: a buffer, ``out`` or ``scrap``."""


class Tracking(NamedTuple):
    """One step of one item at one machine, as ``number|kind|item|format|detail``.

    The number runs from 1 at each machine without gaps, so that lost and repeated telegrams show.
    """

    number: int
    kind: TrackingKind
    item: int
    """Serial number of the item."""
    format: str = ""
    detail: str = ""

    @property
    def text(self) -> str:
        """The telegram."""
        return f"{self.number}|{self.kind.value}|{self.item}|{self.format}|{self.detail}"

    @classmethod
    def parse(cls, text: object) -> Self | None:
        """Return what a telegram says, None where it is none."""
        if not isinstance(text, str):
            return None
        parts = text.split("|")
        if len(parts) != _N_PARTS:
            return None
        try:
            number, item = int(parts[0]), int(parts[2])
            kind = TrackingKind(parts[1])
        except ValueError:
            return None
        return cls(number, kind, item, parts[3], parts[4]) if number >= 1 else None
