"""What crosses the broker, and what it means: shared by both ways of writing it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gigatwin.telemetry.ports import TagWrite
from gigatwin.telemetry.readings import Reading
from gigatwin.telemetry.tags import Tag

Filter = tuple[str, int]
"""A pattern of topics, and the quality of service it is subscribed with."""


class Outgoing(NamedTuple):
    """A message to be published."""

    topic: str
    payload: bytes
    quality_of_service: int = 0
    is_retained: bool = False


class Incoming(NamedTuple):
    """A message that came."""

    topic: str
    payload: bytes
    is_retained: bool = False
    """Whether the broker had kept it from before."""


class Heard(NamedTuple):
    """Readings of one message."""

    readings: Sequence[Reading]
    is_snapshot: bool = False
    """Whether they are all present values of an element."""
    n_lost: int = 0
    """Messages known to be missing before it."""


class Command(NamedTuple):
    """Values to be written to one element, in order."""

    element: str
    writes: tuple[TagWrite, ...]
    identity: str = ""
    """Unique; empty where whoever sent it gave none and expects no answer."""
    expires: float | None = None
    """Wall time after which it must not be carried out. [s]"""
    approved_by: str = ""


class Refresh(NamedTuple):
    """Somebody asks for all present values."""


class HostState(NamedTuple):
    """A host application says whether it is there."""

    is_online: bool
    since: float
    """Its clock when it said so. [s]"""
    is_retained: bool
    """Whether the broker had kept it from before, so that it may be out of date."""


class Acknowledgement(NamedTuple):
    """What became of a command."""

    identity: str
    reason: str
    """Why it was refused; empty: it was carried out."""


class Edge(Protocol):
    """What equipment says and understands; no network."""

    @property
    def filters(self) -> Sequence[Filter]:
        """What it has to subscribe to."""

    def make_will(self) -> Outgoing:
        """Return the last will of a new session."""

    def births(self) -> list[Outgoing]:
        """Return what tells everything: all tags and their present values."""

    def repetition(self) -> list[Outgoing]:
        """Return what tells all present values again, to those who ask."""

    def data(self, readings: Sequence[Reading]) -> list[Outgoing]:
        """Return what tells new values."""

    def farewell(self) -> list[Outgoing]:
        """Return what tells that nothing more comes."""

    def understand(self, message: Incoming) -> Command | Refresh | HostState | None:
        """Return what a message asks for; TelemetryError where it is spoiled."""

    def acknowledge(self, command: Command, reason: str) -> list[Outgoing]:
        """Return what tells the outcome of a command."""


class Host(Protocol):
    """Who listens to equipment; no network."""

    @property
    def filters(self) -> Sequence[Filter]:
        """What it has to subscribe to."""

    @property
    def is_alive(self) -> bool:
        """Whether the equipment is there and its values can be understood."""

    @property
    def is_waiting(self) -> bool:
        """Whether time alone makes something happen."""

    def make_will(self) -> Outgoing | None:
        """Return the last will of a new session."""

    def greetings(self, now: float) -> list[Outgoing]:
        """Return what a new session begins with."""

    def farewell(self) -> list[Outgoing]:
        """Return what a session ends with."""

    def take(self, message: Incoming, now: float) -> list[Heard]:
        """Take a message; TelemetryError where it is spoiled.

        ``now`` is a clock that only ever ascends. [s]
        """

    def expire(self, now: float) -> list[Heard]:
        """Return what waited for a missing message too long."""

    def ask(self, now: float) -> list[Outgoing]:
        """Return what asks for all present values."""

    def requests(self, now: float) -> list[Outgoing]:
        """Return what has to be asked for now, because something is missing."""

    def lose(self) -> None:
        """Note that the session is over."""

    def tags(self) -> list[Tag]:
        """Return the tags that are known by now."""


class Commander(Protocol):
    """Who writes to equipment; no network."""

    @property
    def filters(self) -> Sequence[Filter]:
        """What it has to subscribe to."""

    @property
    def is_single(self) -> bool:
        """Whether a message holds one write only."""

    def command(self, command: Command) -> Outgoing:
        """Return the message of a command."""

    def read(self, message: Incoming) -> list[Acknowledgement]:
        """Return what became of commands; TelemetryError where the message is spoiled."""
