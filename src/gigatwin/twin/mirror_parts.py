"""The parts of the mirror: items, machines, buffers, counters; each can be kept and restored."""

from collections import deque
from typing import Any, Self

from gigatwin.standards.machine_states import MachineState

GONE = -1
"""Place of an item that is not in the factory any more."""


class Part:
    """Something whose fields are plain data."""

    __slots__: tuple[str, ...] = ()

    def kept(self) -> list[Any]:
        """Return its fields as plain data that JSON has."""
        return [_plain(getattr(self, name)) for name in self.__slots__]

    def restore(self, kept: list[Any]) -> Self:
        """Take over fields that were kept."""
        for name, value in zip(self.__slots__, kept, strict=True):
            setattr(self, name, value)
        return self


def _plain(value: Any) -> Any:  # noqa: ANN401 - any field
    return list(value) if isinstance(value, deque) else value


class MirroredItem(Part):
    """An item, and where it is."""

    __slots__ = (
        "born",
        "entered",
        "format",
        "is_born_known",
        "order",
        "place",
        "serial",
        "skipped",
    )

    def __init__(self, serial: int, product_format: int, time: float) -> None:
        self.serial = serial
        self.format = product_format
        self.born = time
        self.is_born_known = False
        self.order = 0
        self.place = GONE
        """Machine, or number of machines + buffer."""
        self.entered = time
        """When it came to its place. [s]"""
        self.skipped = 0
        """Items behind it that were taken first."""


class Counter(Part):
    """A counter of the plant, and the events of the same kind that were seen.

    The counter is the truth; events with later times are added to its last reading.
    """

    __slots__ = ("is_known", "later", "n_before", "n_seen", "time", "value")

    def __init__(self) -> None:
        self.is_known = False
        self.value = 0
        self.time = 0.0
        """Of the last reading. [s]"""
        self.n_before = 0
        """Counted before the mirror began to see events."""
        self.n_seen = 0
        """Events seen since."""
        self.later: deque[float] = deque()
        """Times of events after the last reading."""

    def event(self, time: float) -> None:
        """Count an event."""
        self.n_seen += 1
        if not self.is_known or time > self.time:
            self.later.append(time)

    def read(self, value: int, time: float) -> None:
        """Take over a reading; one that is older than the last is left out."""
        if self.is_known and (time < self.time or value < self.value):
            return
        later = self.later
        while later and later[0] <= time:
            later.popleft()
        if not self.is_known:
            self.is_known = True
            self.n_before = value - (self.n_seen - len(later))
        self.value, self.time = value, time

    @property
    def count(self) -> int:
        """The count now."""
        return self.value + len(self.later)

    @property
    def residual(self) -> int:
        """Counter minus events: how many events were lost."""
        if not self.is_known:
            return 0
        return self.value - self.n_before - (self.n_seen - len(self.later))

    def restore(self, kept: list[Any]) -> Self:
        """Take over fields that were kept."""
        super().restore(kept)
        self.later = deque(self.later)
        return self


class MirroredMachine(Part):
    """A machine as far as it was seen."""

    __slots__ = (
        "active_since",
        "content_done",
        "doubt",
        "format",
        "heard",
        "is_interrupted",
        "is_known",
        "last_time",
        "mark",
        "n_done",
        "n_lost",
        "n_made",
        "number",
        "odd_stop",
        "running",
        "seen_from",
        "since",
        "speed",
        "state",
        "stop",
        "stop_begun",
        "stop_ended",
        "target",
        "waits_since",
        "worked",
    )

    def __init__(self) -> None:
        self.state = int(MachineState.STARVED)
        self.is_known = False
        """Whether anything has said what state it is in."""
        self.since = 0.0
        self.waits_since = 0.0
        self.active_since = 0.0
        """When the repair, the stop or the changeover under way began. [s]"""
        self.stop = ""
        """Stop of the model that it is in."""
        self.odd_stop = ""
        """What the plant calls it, where the model has none like it."""
        self.is_interrupted = False
        self.worked = 0.0
        """Processing done on what it holds, up to ``mark`` while it executes. [s]"""
        self.running = 0.0
        """Processing seen so far, up to ``mark`` while it executes. [s]"""
        self.mark = 0.0
        self.n_done = 0.0
        self.content_done = 0.0
        self.seen_from = 0.0
        """When it was first heard of. [s]"""
        self.stop_begun: dict[str, float] = {}
        """When each stop last began. [s]"""
        self.stop_ended: dict[str, list[float]] = {}
        """Time, running time, items and content at the end of the last of each stop."""
        self.target = ""
        self.format = GONE
        self.heard = 0.0
        """Time of the newest row or reading. [s]"""
        self.last_time = 0.0
        """Time of the newest row. [s]"""
        self.number = 0
        """Number of the last tracking telegram; 0: none yet."""
        self.n_lost = 0
        """Telegrams that never came."""
        self.doubt = ""
        """Why its state is not to be trusted now; empty: it is."""
        self.n_made = 0
        """Items that it created."""
        self.speed = 0.0
        """Speed set point, 1 for nominal; 0: not known."""


class MirroredBuffer(Part):
    """A buffer as far as it was seen; its items are kept beside it."""

    __slots__ = (
        "changes",
        "heard",
        "is_level_seen",
        "level",
        "level_time",
        "n_added",
        "n_removed",
        "off_by",
        "off_since",
        "pending",
    )

    def __init__(self) -> None:
        self.heard = 0.0
        """Time of the newest change or reading. [s]"""
        self.is_level_seen = False
        self.level = 0
        """Last reading of its level."""
        self.level_time = 0.0
        self.pending: deque[list[float]] = deque()
        """Readings that wait for events that may still come: time, level."""
        self.changes: deque[list[float]] = deque()
        """Recent changes by events: time, +1 or -1."""
        self.off_by = 0
        """Level read minus items mirrored: the least of the recent readings, 0 when they agree."""
        self.off_since = 0.0
        self.n_added = 0
        """Items put in because the level said so."""
        self.n_removed = 0
        """Items taken out because the level said so, or because they were passed too often."""

    def restore(self, kept: list[Any]) -> Self:
        """Take over fields that were kept."""
        super().restore(kept)
        self.pending, self.changes = deque(self.pending), deque(self.changes)
        return self
