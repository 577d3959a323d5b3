"""What can go wrong between a plant and who listens: messages and clocks that misbehave on purpose.

A message is what goes out after one scan. Losses show as they do in a protocol with a sequence: the
next message that comes says how many are missing before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import inf

from gigatwin.errors import TelemetryError
from gigatwin.plant.laws import dice
from gigatwin.telemetry.readings import Batch, Reading

_SHARES = ("lost", "late", "duplicated", "disordered")


@dataclass(frozen=True, slots=True)
class FrozenTag:
    """A tag whose value does not change for a while, whatever happens."""

    tag: str
    """Name of the tag."""
    after: float
    """Plant time since the start. [s]"""
    until: float = inf
    """The same. [s]"""


@dataclass(frozen=True, slots=True)
class ClockJump:
    """A jump of the plant's clock; it stays."""

    after: float
    """Plant time since the start. [s]"""
    seconds: float
    """How far it jumps; below 0: back. [s]"""


@dataclass(frozen=True, slots=True)
class Restart:
    """The server of the plant is away for a while, and then shows the present values."""

    after: float
    """Plant time since the start. [s]"""
    seconds: float
    """How long it is away. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehaviour:
    """What goes wrong, and how often."""

    lost: float = 0.0
    """Share of messages that never come."""
    late: float = 0.0
    """Share of messages that come after a delay."""
    duplicated: float = 0.0
    """Share of messages that come twice."""
    disordered: float = 0.0
    """Share of messages that come after the one behind them."""
    delay: float = 2.0
    """Mean delay of a late message, plant time. [s]"""
    clock_offset: float = 0.0
    """How far the plant's clock is ahead, in what it says. [s]"""
    clock_jumps: tuple[ClockJump, ...] = ()
    """Jumps of the plant's clock."""
    frozen: tuple[FrozenTag, ...] = ()
    """Tags that are stuck."""
    restarts: tuple[Restart, ...] = ()
    """When the server is away."""
    seed: int = 1
    """Chooses which messages are hit."""

    def __post_init__(self) -> None:
        """Raise TelemetryError for shares that are none, and for times below 0."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _SHARES and not 0.0 <= value <= 1.0:
                message = f"misbehaviour {field.name}: {value:g}; must be from 0 to 1"
                raise TelemetryError(message)
        if sum(getattr(self, name) for name in _SHARES) > 1.0:
            message = f"misbehaviour: {', '.join(_SHARES)} add up to more than 1"
            raise TelemetryError(message)
        if self.delay < 0 or any(restart.seconds < 0 for restart in self.restarts):
            message = "misbehaviour: delays and restarts must last 0 s or more"
            raise TelemetryError(message)


@dataclass(slots=True)
class _Message:
    sequence: int
    readings: tuple[Reading, ...]
    is_snapshot: bool


class Channel:
    """The way from a plant to who listens; times are seconds of plant time since the start."""

    def __init__(self, misbehaviour: Misbehaviour, start_time: float) -> None:
        """Begin with nothing sent.

        Parameters
        ----------
        misbehaviour : Misbehaviour
            What goes wrong.
        start_time : float
            Clock of the plant at its start, seconds since 1970 in UTC. [s]
        """
        self.misbehaviour = misbehaviour
        self.counts = dict.fromkeys(
            (*("messages", "delivered"), *_SHARES, "silenced", "restarts", "frozen_readings"), 0
        )
        """What was done so far, by name."""
        self._start = start_time
        self._dice = dice("misbehaviour", misbehaviour.seed)
        self._frozen = {stuck.tag: stuck for stuck in misbehaviour.frozen}
        self._stuck: dict[str, Reading] = {}
        self._jumps = sorted(misbehaviour.clock_jumps, key=lambda jump: jump.after)
        self._changes_clock = bool(self._jumps) or misbehaviour.clock_offset != 0.0
        self._sequence = 0
        self._expected: int | None = None
        self._held: list[tuple[float, _Message]] = []
        self._behind: _Message | None = None
        self._was_silent = False

    def is_silent(self, elapsed: float) -> bool:
        """Whether the server is away."""
        return any(
            restart.after <= elapsed < restart.after + restart.seconds
            for restart in self.misbehaviour.restarts
        )

    def has_returned(self, elapsed: float) -> bool:
        """Whether the server is back since it was last away; tells it once."""
        if self._was_silent and not self.is_silent(elapsed):
            self._was_silent = False
            self.counts["restarts"] += 1
            return True
        return False

    def send(
        self,
        readings: Sequence[Reading],
        elapsed: float,
        received: float,
        *,
        is_snapshot: bool = False,
    ) -> list[Batch]:
        """Send a message, and return what comes out at the other end now.

        Parameters
        ----------
        readings : sequence of Reading
            What the message holds; empty: only time has passed.
        elapsed : float
            Plant time since the start. [s]
        received : float
            Clock of who listens, seconds since 1970 in UTC. [s]
        is_snapshot : bool
            Whether the message holds the present values of all tags.
        """
        if self.is_silent(elapsed):
            self.fall_silent(readings)
            return []
        arriving = [message for due, message in self._held if due <= elapsed]
        if arriving:
            self._held = [entry for entry in self._held if entry[0] > elapsed]
        changed = self._changed(readings, is_snapshot=is_snapshot)
        if changed:
            message = _Message(self._sequence, changed, is_snapshot)
            self._sequence += 1
            self.counts["messages"] += 1
            arriving += self._pass(message, elapsed)
        return [self._received(message, received) for message in arriving]

    def fall_silent(self, readings: Sequence[Reading]) -> None:
        """Drop a message, and what is on its way, because the server is away.

        Parameters
        ----------
        readings : sequence of Reading
            What the message would hold.
        """
        self._was_silent = True
        self._held.clear()
        self._behind = None
        self._sequence = 0
        self._expected = None
        if readings:
            self.counts["silenced"] += 1

    def _pass(self, message: _Message, elapsed: float) -> list[_Message]:
        """Decide what happens to a message; return what comes out now, in its order."""
        bad = self.misbehaviour
        behind, self._behind = self._behind, None
        after = [] if behind is None else [behind]
        draw = self._dice.random()
        if draw < bad.lost:
            self.counts["lost"] += 1
            return after
        draw -= bad.lost
        if draw < bad.late:
            self.counts["late"] += 1
            delay = self._dice.expovariate(1.0) * bad.delay
            self._held.append((elapsed + delay, message))
            return after
        draw -= bad.late
        if draw < bad.duplicated:
            self.counts["duplicated"] += 1
            return [message, message, *after]
        draw -= bad.duplicated
        if draw < bad.disordered and behind is None:
            self.counts["disordered"] += 1
            self._behind = message
            return []
        return [message, *after]

    def _received(self, message: _Message, received: float) -> Batch:
        expected = self._expected
        n_lost = None if expected is None else max(0, message.sequence - expected)
        self._expected = max(expected or 0, message.sequence + 1)
        self.counts["delivered"] += 1
        return Batch(message.readings, received, message.is_snapshot, n_lost)

    def _changed(self, readings: Sequence[Reading], *, is_snapshot: bool) -> tuple[Reading, ...]:
        """Return readings as stuck sensors and a wrong clock make them."""
        if self._frozen:
            readings = [
                kept
                for reading in readings
                if (kept := self._as_stuck(reading, is_snapshot=is_snapshot)) is not None
            ]
        if self._changes_clock:
            return tuple(
                reading._replace(source_time=reading.source_time + self._ahead(reading))
                for reading in readings
            )
        return tuple(readings)

    def _as_stuck(self, reading: Reading, *, is_snapshot: bool) -> Reading | None:
        stuck = self._frozen.get(reading.tag)
        if stuck is None:
            return reading
        age = reading.source_time - self._start
        if age < stuck.after or age >= stuck.until:
            self._stuck[reading.tag] = reading
            return reading
        self.counts["frozen_readings"] += 1
        return self._stuck.get(reading.tag) if is_snapshot else None

    def _ahead(self, reading: Reading) -> float:
        age = reading.source_time - self._start
        jumps = (jump.seconds for jump in self._jumps if jump.after <= age)
        return self.misbehaviour.clock_offset + sum(jumps)
