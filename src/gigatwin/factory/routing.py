"""Where an item goes after a station."""

from typing import Annotated

from pydantic import Field, Tag

from gigatwin.factory.described import (
    LIST,
    MAPPING,
    SHAPE,
    VALUE,
    Described,
    Name,
    Names,
)
from gigatwin.units import Ratio

OUT = "out"
"""The target of an item that leaves the factory as a product."""


class Route(Described):
    """One way on, taken with a probability."""

    to: Name
    """A station, an input of a station as ``station.input``, or ``out``."""
    share: Ratio = 1.0
    """Probability of this way, among those open to the item's format; they sum to 1."""
    formats: Names = ()
    """Formats that may take it; empty: all."""


class Shortest(Described):
    """The way whose buffer holds the fewest items; on a tie the first listed."""

    shortest: Annotated[tuple[Name, ...], Field(min_length=2)]
    """Stations, or inputs as ``station.input``."""


Routes = Annotated[tuple[Route, ...], Field(min_length=1)]
"""Several ways with shares."""
Next = Annotated[
    Annotated[Name, Tag(VALUE)] | Annotated[Routes, Tag(LIST)] | Annotated[Shortest, Tag(MAPPING)],
    SHAPE,
]
"""A station's name, shares of several, or the one with the fewest waiting."""
