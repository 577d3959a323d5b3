"""What is in a factory at a moment, in plain facts: the form in which a live state is given.

Names are those of the compiled factory. Times are simulated seconds, on the clock that shifts,
timetables and order releases count on; durations are in seconds. What is not known is left out,
and is drawn by the model when a state is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gigatwin.standards.machine_states import MachineState


class LiveItem(NamedTuple):
    """An item in a buffer or in a machine."""

    format: str
    serial: int = -1
    """Number of the item; -1: it gets one that no other has."""
    born: float | None = None
    """When it came into being; None: now. [s]"""
    content: float | None = None
    """Of a lot; None: what the model says of an item at its place."""
    defects: tuple[str, ...] | None = None
    """Defects it carries; None: drawn with the shares that the model says of its place."""
    made: float | None = None
    """When its oldest defect was made. [s]"""
    reworks: int = 0
    order: int = 0
    """Place in the order book of the order it belongs to."""
    elapsed: float | None = None
    """How long it has been in its buffer. [s]"""
    residual: float | None = None
    """Way left to the end of its buffer; 0: it has arrived; None: drawn. [s]"""


@dataclass(frozen=True, slots=True)
class LiveClock:
    """How far one of a machine's stops is away, on the clock of the stop: s, items or content."""

    residual: float | None = None
    """What is left until it is due; None: drawn."""
    elapsed: float | None = None
    """What has passed since the last stop ended; None: not known."""
    is_since_stop: bool = True
    """Whether ``elapsed`` counts from the last stop; else from when the machine was first seen."""


@dataclass(frozen=True, slots=True)
class LiveMagazine:
    """Material of one input that a machine has loaded."""

    level: float
    """Content left."""
    format: str = ""
    order: int = 0
    defects: tuple[str, ...] = ()
    """Defects of the lot loaded last."""
    blended: tuple[str, ...] = ()
    """Defects of remnants that went into the cycle under way."""
    made: float | None = None
    """When the oldest of these defects was made. [s]"""


@dataclass(frozen=True, slots=True)
class LiveMachine:
    """What a machine does."""

    state: MachineState = MachineState.STARVED
    since: float | None = None
    """When that state began; None: now. [s]"""
    waits_since: float | None = None
    """When it joined the row it waits in, for a part, for room or for a crew; None: ``since``."""
    items: tuple[LiveItem, ...] = ()
    """Items it holds, the first to leave in front."""
    is_created: bool = False
    """Whether it made the item in work itself, so that its content was given then."""
    target: str | None = None
    """Buffer that a blocked item waits for; None: decided by the model."""
    worked: float | None = None
    """Processing done on what it holds, stops left out; None: not known. [s]"""
    work_left: float | None = None
    """Processing left; None: drawn, given ``worked``. [s]"""
    stop: str = ""
    """Stop that it is in or waits for a crew for, without the station's name; empty: none."""
    is_interrupted: bool = False
    """Whether the stop interrupted the item in work."""
    elapsed: float | None = None
    """How long the repair or the changeover under way has lasted; None: not known. [s]"""
    residual: float | None = None
    """What is left of it; None: drawn, given ``elapsed``. [s]"""
    format: str = ""
    """Format it is set up for; empty: as at the start of a run."""
    clocks: Mapping[str, LiveClock] = field(default_factory=dict)
    """Clock of each stop, by its name without the station's."""
    magazines: Mapping[str, LiveMagazine] = field(default_factory=dict)
    """Material of each input, by the name of the input without the station's."""


@dataclass(frozen=True, slots=True)
class LiveSupply:
    """Where a station that makes items by the order book stands."""

    order: int
    """Place of the order in the book; the number of orders: all done."""
    remaining: float
    """Items, or content, still to be made for it."""


@dataclass(frozen=True, slots=True)
class LiveContents:
    """What is in a factory at a moment."""

    now: float
    """The moment, 0 or later. [s]"""
    machines: Mapping[str, LiveMachine] = field(default_factory=dict)
    """What each machine does; one that is left out is empty and waits."""
    buffers: Mapping[str, tuple[LiveItem, ...]] = field(default_factory=dict)
    """Items in each buffer, the first to be taken in front."""
    supplies: Mapping[str, LiveSupply] = field(default_factory=dict)
    """Order under way at each station that makes items by the order book."""
    arrivals: Mapping[str, LiveClock] = field(default_factory=dict)
    """How far the next arrival is away, by the name of the arrivals. [s]"""
    next_serial: int | None = None
    """Number of the next item made; None: one above all known."""
