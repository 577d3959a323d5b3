"""What is to be changed: in the model, at the tags, by hand; why, and how it will be watched."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gigatwin.telemetry.ports import TagWrite
from gigatwin.twin.changes.errors import ChangeError

Values = Mapping[str, Any]
"""Dotted field of the factory to its new value, as `with_changes` takes them."""


@dataclass(frozen=True, slots=True)
class Guard:
    """How a change is watched after it was applied."""

    stations: tuple[str, ...] = ()
    """Stations whose good items and scrap are watched; empty: those that are changed."""
    watch: float = 7200.0
    """How long it is watched, by the plant's clock. [s]"""
    looks: int = 12
    """How often it is judged in that time, at equal distances."""
    error: float = 0.01
    """Probability that a change which does as predicted is rolled back. [-]"""
    settle: float = 300.0
    """Time after the change that is not counted. [s]"""
    model_error: float = 0.02
    """Standard uncertainty of the predicted means beyond chance, as a share of them. [-]"""
    least_scrap: float = 0.001
    """Scrap ratio that is never a reason. [-]"""
    is_two_sided: bool = False
    """Whether more good items or less scrap than predicted are a reason to roll back, too."""
    patience: float = 86_400.0
    """Wall time after which a change that could not be watched to the end is rolled back. [s]"""

    def __post_init__(self) -> None:
        """Check the numbers."""
        checks = [
            (self.watch > 0, "watch", self.watch, "above 0 s"),
            (1 <= self.looks <= _MOST_LOOKS, "looks", self.looks, f"1 to {_MOST_LOOKS}"),
            (_LEAST_ERROR <= self.error < _LARGEST_ERROR, "error", self.error, "0.0001 to 0.5"),
            (self.settle >= 0, "settle", self.settle, "0 s or more"),
            (0 <= self.model_error < 1, "model error", self.model_error, "0 to 1"),
            (0 <= self.least_scrap < 1, "least scrap", self.least_scrap, "0 to 1"),
            (self.patience > 0, "patience", self.patience, "above 0 s"),
        ]
        for holds, name, found, required in checks:
            if not holds:
                message = f"guard {name}: {found:g}; must be {required}."
                raise ChangeError(message)

    @property
    def times(self) -> tuple[float, ...]:
        """Times of the looks [s] since the watch began."""
        return tuple(self.watch * (k + 1) / self.looks for k in range(self.looks))


_MOST_LOOKS = 48
_LEAST_ERROR, _LARGEST_ERROR = 1e-4, 0.5


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change as it was proposed; what is approved is exactly this."""

    change: str
    """Identity."""
    values: Values
    """Field of the factory to its new value."""
    reason: str
    """Why."""
    proposer: str
    """Who proposed it."""
    stations: tuple[str, ...]
    """Stations that are touched."""
    product_format: str | None = None
    """Format that the stations change over to; None: as now."""
    speeds: Mapping[str, float] = field(default_factory=dict)
    """Station to the speed factor that it gets."""
    writes: tuple[TagWrite, ...] = ()
    """What is written to the plant, in this order."""
    rollback: tuple[TagWrite, ...] = ()
    """What the tags had before, in the opposite order."""
    by_hand: tuple[str, ...] = ()
    """What no tag is there for, in words."""
    guard: Guard = field(default_factory=Guard)
    """How it is watched."""

    @property
    def data(self) -> dict[str, Any]:
        """The proposal as plain data."""
        return asdict(self)

    @property
    def what(self) -> str:
        """The change in words: ``winding.speed=1.05``."""
        parts = [f"{name}={value}" for name, value in self.values.items()]
        if self.product_format is not None:
            parts.append(f"format={self.product_format}")
        return ", ".join(parts)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Proposal":
        """Return the proposal in plain data.

        Raises
        ------
        ChangeError
            If it is none.
        """
        try:
            given = dict(data)
            guard = dict(given["guard"])
            guard["stations"] = tuple(guard["stations"])
            given["guard"] = Guard(**guard)
            for name in ("writes", "rollback"):
                given[name] = tuple(TagWrite(**write) for write in given[name])
            for name in ("stations", "by_hand"):
                given[name] = tuple(given[name])
            return cls(**given)
        except (KeyError, TypeError, ValueError) as error:
            message = f"record: an entry 'proposed' is no proposal ({error})."
            raise ChangeError(message) from None
