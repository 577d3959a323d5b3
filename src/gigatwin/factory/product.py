"""What is made: formats, orders, arrivals."""

from typing import Annotated

from pydantic import Field

from gigatwin.factory.described import Described, Name
from gigatwin.factory.durations import Duration
from gigatwin.factory.routing import Next
from gigatwin.units import Joules, Kilograms, Metres, Ratio, Seconds


class Format(Described):
    """A product format (ISA-95 MaterialDefinition), for example a 4680 cell."""

    diameter: Metres | None = None
    """Outer diameter."""
    height: Metres | None = None
    """Outer height."""
    energy: Joules | None = None
    """Energy a good cell stores."""
    mass: Kilograms | None = None
    """Mass of a good cell."""
    materials: dict[str, Kilograms] = Field(default_factory=dict)
    """Bill of materials: material to mass in one good cell."""


class Order(Described):
    """A production order (ISA-95): so many of one format, not before its release."""

    format: Name
    """Format to make."""
    quantity: Annotated[int, Field(ge=1, le=1_000_000_000)]
    """Number of products to start."""
    release: Seconds = 0.0
    """Simulated time before which nothing of it is started."""


class Arrivals(Described):
    """Items that come from outside in their own time, instead of an endless supply."""

    interval: Duration
    """Time between two arrivals; the first comes after one interval."""
    formats: dict[Name, Ratio] = Field(default_factory=dict)
    """Share of each format; they sum to 1. Left out: the first format."""
    next: Next
    """Where an arriving item goes. Without room in front of it, an item waits outside."""
