"""What is known of one tag: its present value, its rhythm, and the last reading that was late."""

import math
from typing import Any

from gigatwin.telemetry.conversion import COUNTERS, LARGEST_INTEGER, conversion
from gigatwin.telemetry.counts import IntakeCounts
from gigatwin.telemetry.mapping import TagMeaning
from gigatwin.telemetry.readings import Quality, Value
from gigatwin.telemetry.staleness import Repeats, Rhythm, TagAge
from gigatwin.telemetry.tags import Quantity

EDGES = frozenset(
    {
        Quantity.STATE,
        Quantity.MODE,
        Quantity.BLOCKED,
        Quantity.STARVED,
        Quantity.STOP_REASON,
    }
)
"""Quantities that tell the state of a machine."""
_MEASURED = frozenset({Quantity.VALUE, Quantity.SPEED})
_GLITCH = 3
"""Readings within which a counter that was 0 for a moment has to be back."""

Late = tuple[float, Value, Quality]
"""Source time, value and quality of a reading that came late."""


class TagState:
    """What is known of one tag.

    Parameters
    ----------
    name : str
        Name of the tag at its source.
    meaning : TagMeaning
        What it is in the factory.
    """

    __slots__ = (
        "before_reset",
        "convert",
        "count",
        "factor",
        "is_counter",
        "is_edge",
        "is_usable",
        "late",
        "name",
        "quality",
        "quantity",
        "raw",
        "repeats",
        "rhythm",
        "since_reset",
        "time",
        "total",
        "value",
        "which",
    )

    def __init__(self, name: str, meaning: TagMeaning) -> None:
        self.name = name
        self.quantity = meaning.quantity
        self.which = meaning.which or ""
        self.factor = meaning.factor
        self.convert = conversion(meaning)
        self.is_edge = meaning.quantity in EDGES
        self.is_counter = meaning.quantity in COUNTERS
        self.time = -math.inf
        """Time of the present value, moved by the steps of the clock. [s]"""
        self.raw: Value = None
        """What the tag said last."""
        self.quality = Quality.BAD
        """Quality that it came with."""
        self.is_usable = False
        """Whether it could be used."""
        self.value: Value = None
        """Last value that could be used."""
        self.rhythm = Rhythm()
        self.repeats = Repeats() if meaning.quantity in _MEASURED else None
        self.late: Late | None = None
        """Last reading that was late, with its own time; it may turn out not to be."""
        self.count: int | None = None
        """What a counter said last."""
        self.total = 0
        """What a counter had counted before it began again."""
        self.before_reset: tuple[int, int] | None = None
        self.since_reset = 0

    def see(self, time: float, raw: Value, quality: Quality) -> None:
        """Take in what the tag says now."""
        self.time, self.raw, self.quality, self.late = time, raw, quality, None
        self.rhythm.see(time)

    def counted(self, count: int, counts: IntakeCounts) -> int | float:
        """Return what a counter has counted, restarts included."""
        before = self.count
        if self.before_reset is not None:
            self.since_reset += 1
            total, highest = self.before_reset
            if self.since_reset > _GLITCH:
                self.before_reset = None
            elif count >= highest:
                # It never began again; one reading was wrong.
                self.total, self.before_reset, before = total, None, None
        if before is not None and count < before:
            counts.counter_resets += 1
            self.before_reset, self.since_reset = (self.total, before), 0
            self.total += before
        self.count = count
        total = self.total + count
        return total if self.factor == 1.0 else total * self.factor

    def is_newer_count(self, raw: Value) -> bool:
        """Return whether a counter says more than before, so that it must have said it later."""
        if not self.is_counter or self.count is None:
            return False
        count = self.convert(raw)
        return isinstance(count, int) and count > self.count

    @property
    def is_regular(self) -> bool:
        """Whether it comes at regular intervals of its own accord.

        What tells of items or states may seem to, until the machine waits.
        """
        return self.quantity is Quantity.VALUE and self.rhythm.is_regular

    def age(self, now: float, stale_after: float | None, *, is_silent: bool) -> TagAge:
        """Return how far the present value can be believed.

        Parameters
        ----------
        now : float
            Present time by the clock of the source. [s]
        stale_after : float or None
            Age from which it is stale; None: judged by its rhythm. [s]
        is_silent : bool
            Whether everything that should tell of its element is silent.
        """
        rhythm = self.rhythm
        age = now - rhythm.last if rhythm.last > -math.inf else math.inf
        if stale_after is not None or age == math.inf:
            is_stale = age > (stale_after or 0.0)
        else:
            is_stale = rhythm.is_silent(now) if self.is_regular else is_silent
        return TagAge(
            tag=self.name,
            age=age,
            expected=rhythm.longest if self.is_regular else None,
            quality=self.quality if self.is_usable else Quality.BAD,
            is_stale=is_stale,
            is_frozen=self.repeats is not None and self.repeats.is_frozen,
        )

    def checkpoint(self) -> list[Any]:
        """Return all that it knows, as plain data."""
        late = None if self.late is None else [self.late[0], keepable(self.late[1]), self.late[2]]
        return [
            self.time if math.isfinite(self.time) else None,
            keepable(self.raw),
            int(self.quality),
            self.is_usable,
            self.value,
            self.rhythm.checkpoint(),
            None if self.repeats is None else self.repeats.checkpoint(),
            late,
            self.count,
            self.total,
            None if self.before_reset is None else list(self.before_reset),
            self.since_reset,
        ]

    def restore(self, kept: list[Any]) -> None:
        """Go on from what `checkpoint` returned."""
        time, self.raw, quality, self.is_usable, self.value, rhythm, repeats, late = kept[:8]
        self.count, self.total, before_reset, self.since_reset = kept[8:]
        self.time = -math.inf if time is None else time
        self.quality = Quality(quality)
        self.rhythm.restore(rhythm)
        if self.repeats is not None and repeats is not None:
            self.repeats.restore(repeats)
        self.late = None if late is None else (late[0], late[1], Quality(late[2]))
        self.before_reset = None if before_reset is None else (before_reset[0], before_reset[1])


def keepable(value: Value) -> Value:
    """Return a value that JSON has; what it has not could not be used anyway."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return None if isinstance(value, int) and abs(value) > LARGEST_INTEGER else value
