"""Whether a tag still says something: how old it is, and whether that is unusual for it.

A measured value that comes at regular intervals is stale when it stays away for several of its
longest usual ones. A tag that comes when something changes (a state, a counter) may be silent for
hours; it is stale when all regular values of its element are, or, where the element has none, when
the whole source is silent. A noisy sensor is frozen when it repeats one value far longer than it
ever did.
"""

import math
from dataclasses import dataclass
from typing import Any

from gigatwin.telemetry.readings import Quality, Value

N_LEARNED = 20
"""Intervals to see before a rhythm counts."""
_LATE = 5.0
"""How many of its longest usual intervals a tag may stay away."""
_REGULAR = 5.0
"""Longest interval of a regular tag, in mean intervals."""
_FORGETS = 1.0 - 1.0 / 1000.0
_LEARNS = 1.0 / 50.0
_NOISY = 0.5
"""Share of readings that differ from the one before, for a tag that counts as noisy."""
_FROZEN_REPEATS = 20


@dataclass(frozen=True, slots=True)
class TagAge:
    """How far the present value of a tag can be believed."""

    tag: str
    """Name of the tag at its source."""
    age: float
    """Time since its last reading, by the clock of the source; infinity: it never came. [s]"""
    expected: float | None
    """Longest usual time between two readings; None: not known yet, or it has no rhythm. [s]"""
    quality: Quality
    """Quality of the last reading; BAD as well where its value could not be used."""
    is_stale: bool
    """Whether it has been silent for unusually long."""
    is_frozen: bool
    """Whether a noisy value repeats itself."""

    @property
    def is_believable(self) -> bool:
        """Whether nothing speaks against its value."""
        return self.quality is not Quality.BAD and not (self.is_stale or self.is_frozen)


class Rhythm:
    """The usual intervals between readings, learned as they come."""

    __slots__ = ("last", "longest", "mean", "n")

    def __init__(self) -> None:
        self.last = -math.inf
        """Time of the last reading. [s]"""
        self.n = 0
        """Intervals seen."""
        self.mean = 0.0
        """Mean of the last fifty or so. [s]"""
        self.longest = 0.0
        """Longest of the last thousand or so. [s]"""

    def see(self, time: float) -> None:
        """Take in the time of a reading."""
        gap = time - self.last
        self.last = time
        if gap < math.inf:
            self.n = n = self.n + 1
            self.mean += (gap - self.mean) * (_LEARNS if n * _LEARNS > 1.0 else 1.0 / n)
            longest = self.longest * _FORGETS
            self.longest = max(longest, gap)

    @property
    def is_regular(self) -> bool:
        """Whether readings come at intervals that are much alike."""
        return self.n >= N_LEARNED and self.longest <= _REGULAR * self.mean

    def is_silent(self, now: float) -> bool:
        """Whether it has been away for unusually long."""
        return self.n >= N_LEARNED and now - self.last > _LATE * self.longest

    def checkpoint(self) -> list[Any]:
        """Return all that it knows, as plain data."""
        last = self.last if math.isfinite(self.last) else None
        return [last, self.n, self.mean, self.longest]

    def restore(self, kept: list[Any]) -> None:
        """Go on from what `checkpoint` returned."""
        last, self.n, self.mean, self.longest = kept
        self.last = -math.inf if last is None else last


class Repeats:
    """How often a value is the same as before, learned as readings come."""

    __slots__ = ("longest", "n", "n_changes", "run", "value")

    def __init__(self) -> None:
        self.value: Value = None
        self.n = 0
        """Readings seen."""
        self.n_changes = 0
        """Readings that differed from the one before."""
        self.run = 0
        """Repetitions of the present value."""
        self.longest = 0
        """Most repetitions of one value before."""

    def see(self, value: Value) -> None:
        """Take in a reading."""
        self.n += 1
        if value == self.value:
            self.run += 1
            return
        self.value = value
        self.n_changes += 1
        if not self.is_frozen:
            self.longest = max(self.longest, self.run)
        self.run = 0

    @property
    def is_frozen(self) -> bool:
        """Whether a value that used to change has repeated itself for far longer than ever."""
        n_before = self.n - self.run
        is_noisy = n_before >= N_LEARNED and self.n_changes >= _NOISY * n_before
        return is_noisy and self.run >= max(_FROZEN_REPEATS, _LATE * self.longest)

    def checkpoint(self) -> list[Any]:
        """Return all that it knows, as plain data."""
        return [self.value, self.n, self.n_changes, self.run, self.longest]

    def restore(self, kept: list[Any]) -> None:
        """Go on from what `checkpoint` returned."""
        self.value, self.n, self.n_changes, self.run, self.longest = kept
