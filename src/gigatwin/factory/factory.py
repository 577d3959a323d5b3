"""The whole description."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, PrivateAttr

from gigatwin.factory.described import Described, Name
from gigatwin.factory.product import Arrivals, Format, Order
from gigatwin.factory.resources import Resource, Shifts
from gigatwin.factory.stations import Station
from gigatwin.units import Watts


class ConstantLoad(Described):
    """Power that the site draws whatever is made: a dry room."""

    electricity: Watts = 0.0
    """Electric power."""
    heat: Watts = 0.0
    """Heat."""


class Factory(Described):
    """What a plant is: products, stations, resources, supply."""

    name: Name
    """Name of the factory."""
    formats: Annotated[dict[Name, Format], Field(min_length=1)] = Field(
        default_factory=lambda: {"item": Format()}
    )
    """The products, by name."""
    stations: dict[Name, Station] = Field(min_length=1)
    """The process steps, by name, in the order of the flow."""
    resources: dict[Name, Resource] = Field(default_factory=dict)
    """Operators, crews and vehicles, by name."""
    arrivals: dict[Name, Arrivals] = Field(default_factory=dict)
    """Streams of items from outside, by name. A station that nothing leads to has an endless
    supply instead."""
    orders: tuple[Order, ...] = ()
    """What stations with an endless supply make, in this order; empty: the first format, always."""
    working_hours: Shifts | None = None
    """When the whole line works. Simulated time counts these hours only, as if the pauses between
    them did not exist."""
    constant_loads: dict[Name, ConstantLoad] = Field(default_factory=dict)
    """Power that does not depend on what is made."""
    references: dict[Name, str] = Field(default_factory=dict)
    """What the marks in ``sources`` mean."""
    parameter_sets: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """Named sets of changes, ``station.field`` to value, applied with ``--parameters``."""
    _folder: Path | None = PrivateAttr(None)

    @property
    def folder(self) -> Path | None:
        """Folder that the files named in it are looked for in; None: the current one."""
        return self._folder

    def beside(self, folder: Path | None) -> Self:
        """Return this factory with its files looked for in a folder; without files, as it is."""
        cycles = (getattr(station, "cycle", None) or "" for station in self.stations.values())
        # A bare word names a machine of the library, anything else a file.
        if folder == self._folder or not any("." in name or "/" in name for name in cycles):
            return self
        factory = self.model_copy()
        factory._folder = folder  # noqa: SLF001 - its own
        return factory
