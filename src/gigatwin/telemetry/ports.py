"""The ports: what every interface to equipment, and every historian, has to offer.

A connector implements some of them for one protocol; who uses them never asks which.
All times are seconds since 1970 in UTC, on the clock that the name says.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import polars as pl

from gigatwin.telemetry.readings import Batch, Reading, Value
from gigatwin.telemetry.tags import Tag


@dataclass(frozen=True, slots=True)
class TagWrite:
    """A value for one tag."""

    tag: str
    """Name of the tag at the source."""
    value: Value
    """What to write."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """Values to write together, and by whose leave."""

    identity: str
    """Unique; a sink carries out the same instruction once, however often it is sent."""
    writes: tuple[TagWrite, ...]
    """In this order."""
    expires: float
    """Wall time after which it must not be carried out any more. [s]"""
    approved_by: str
    """Name of the person who approved it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an instruction."""

    identity: str
    """Identity of the instruction."""
    is_done: bool
    """Whether the other side accepted every write."""
    text: str = ""
    """The reason where it did not: which tag, and why."""


@dataclass
class Diagnostics:
    """What a person needs when a connection does not work; never holds a secret."""

    where: str
    """The other side, without user and password."""
    is_connected: bool = False
    """Whether values flow now."""
    counts: dict[str, int] = field(default_factory=dict)
    """What was seen and survived: ``batches``, ``readings``, ``reconnections``, ``gaps``,
    ``malformed``, ``duplicates``, ``dropped``, by name."""
    last_error: str = ""
    """The last thing that went wrong, with what to do."""


@runtime_checkable
class Source(Protocol):
    """Where readings come from.

    An implementer reconnects by itself with growing pauses, logs a loss once and a return once,
    keeps source times and qualities, and asks for a refresh itself when it sees a gap. Its queue is
    bounded: when the reader is too slow the oldest batch is dropped, counted, and followed by a
    refresh.
    """

    async def open(self) -> None:
        """Connect; raise ConnectorError where the other side cannot be reached or refuses."""

    async def browse(self) -> Sequence[Tag]:
        """Return the tags that the other side offers."""

    def batches(self) -> AsyncIterator[Batch]:
        """Yield what arrives, until the source is closed."""

    async def refresh(self) -> None:
        """Ask for the present values of all tags; they arrive as batches that are snapshots."""

    async def close(self) -> None:
        """Disconnect; can be called twice."""

    def diagnostics(self) -> Diagnostics:
        """Return how the connection is doing."""


@runtime_checkable
class Sink(Protocol):
    """Where instructions go. It refuses everything unless it was made with writing switched on."""

    async def open(self) -> None:
        """Connect; raise ConnectorError where the other side cannot be reached or refuses."""

    async def send(self, instruction: Instruction) -> Receipt:
        """Carry out an instruction and return what became of it; never raises for a refusal."""

    async def close(self) -> None:
        """Disconnect; can be called twice."""

    def diagnostics(self) -> Diagnostics:
        """Return how the connection is doing."""


WriteHandler = Callable[[TagWrite], Awaitable[str]]
"""Gets a write that came over an interface; returns the reason why not, or an empty text."""


@runtime_checkable
class Face(Protocol):
    """What equipment shows to the outside: a server, or a node at a broker.

    The virtual plant stands behind one or several; a gateway to old equipment could do as well.
    """

    async def open(self, tags: Sequence[Tag], on_write: WriteHandler) -> None:
        """Offer these tags, and hand writes to a handler."""

    async def publish(self, batch: Batch) -> None:
        """Show new values."""

    async def close(self) -> None:
        """Stop serving; can be called twice."""


class Historian(Protocol):
    """Where readings are kept. A batch that was acknowledged is not lost when the process dies."""

    def append(self, readings: Sequence[Reading]) -> int:
        """Keep readings, durably; return the number of the last row, which always grows."""

    def after(self, row: int, limit: int = 100_000) -> list[tuple[int, Reading]]:
        """Return readings kept after a row, in the order of their rows."""

    def latest(self) -> Mapping[str, Reading]:
        """Return the newest reading of every tag, by source time."""

    def read(self, tag: str, begin: float, end: float) -> pl.DataFrame:
        """Return one tag between two source times, begin included.

        Columns time [s since 1970], value (float, null for text), text, quality; by time.
        """

    def query(self, sql: str) -> pl.DataFrame:
        """Return what a query over the table ``readings`` gives.

        Columns of the table: row, tag, time, value, text, quality.
        """

    def close(self) -> None:
        """Let go of files and connections; can be called twice."""
