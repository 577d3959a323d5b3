"""The layout of a factory as the virtual plant builds it, in a form of its own.

Only what is visible from outside stands here: who feeds whom, places, nominal times. What differs
from it is the truth.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gigatwin.factory.resources import Crew
from gigatwin.plant.described_settings import DescribedSetting


@dataclass(frozen=True, slots=True)
class BufferLayout:
    """The places in front of a station or of one of its inputs."""

    name: str
    """Station, or ``station.input``."""
    station: str
    capacity: float
    """Places; infinite: no limit, 0: handed over directly."""
    transfer: tuple[float, ...]
    """Mean time on the way, by format. [s]"""
    transfer_cv: float
    port: int = -1
    """Number of the input; -1: the station's own buffer."""


@dataclass(frozen=True, slots=True)
class StopLayout:
    """A stop of a station as described."""

    name: str
    kind: str
    counts: str
    """What lies between two stops: ``running``, ``calendar`` or ``items``."""
    every: float
    """Mean interval. [s or items]"""
    every_cv: float
    """Spread of a planned interval."""
    is_random: bool
    """Whether the interval follows the truth's law; otherwise it is a plan."""
    is_timetable: bool
    """Whether the next time counts from the last due time instead of from the end."""
    duration: float
    """Mean duration. [s]"""
    crew: Crew | None


@dataclass(frozen=True, slots=True)
class Ways:
    """Where items of a format go."""

    targets: tuple[str, ...]
    shares: tuple[float, ...]
    """Cumulative; empty: to the one with the fewest items."""


@dataclass(frozen=True, slots=True)
class StationLayout:
    """A station as described."""

    name: str
    kind: str
    n_machines: int
    seconds: tuple[float, ...]
    """Mean time of a cycle at speed 1, by format. [s]"""
    speed: float
    buffer: BufferLayout | None
    """None: an endless supply."""
    ways: tuple[Ways, ...]
    """By format."""
    inputs: tuple[BufferLayout, ...] = ()
    needs: tuple[tuple[float, ...], ...] = ()
    """Items of each input for an item made, by input and format."""
    sizes: tuple[int, ...] = ()
    """Items of a batch by format; empty: one at a time."""
    minimum: int = 0
    scrap: tuple[float, ...] = ()
    """By format."""
    defects: tuple[tuple[int, tuple[float, ...]], ...] = ()
    """Bit of each defect and its probability by format."""
    repairs: int = 0
    """Bits of the defects that are mended here."""
    finds: tuple[tuple[int, float], ...] | None = None
    """Bit of each defect looked for and the probability to find it."""
    false_alarm: float = 0.0
    rework: str | None = None
    operators: Crew | None = None
    changeover: tuple[tuple[float, ...], ...] = ()
    """Mean time by format before and after; empty: none. [s]"""
    setup_crew: Crew | None = None
    initial_format: int = -1
    stops: tuple[StopLayout, ...] = ()
    settings: Mapping[str, DescribedSetting] = field(default_factory=dict)
    """Settings of the described machine."""
    time_ratio: Callable[[Mapping[str, float], str], float] | None = None
    """Time of a cycle with other settings over that with the present ones, for a format."""


@dataclass(frozen=True, slots=True)
class ArrivalsLayout:
    """A stream of items from outside."""

    name: str
    interval: float
    """Mean time between two. [s]"""
    interval_cv: float
    shares: tuple[float, ...]
    """Cumulative, by format."""
    ways: tuple[Ways, ...]


@dataclass(frozen=True, slots=True)
class PlantLayout:
    """A factory as the virtual plant builds it."""

    name: str
    formats: tuple[str, ...]
    stations: tuple[StationLayout, ...]
    arrivals: tuple[ArrivalsLayout, ...]
    orders: tuple[tuple[int, int, float], ...]
    """Format, quantity, release. [s]"""
    pools: Mapping[str, tuple[int, float, tuple[tuple[float, int], ...]]]
    """Resource to its capacity, period and steps of a shift."""
    unseen: int
    """Bit of a defect that the station which made it missed."""
