"""What the model says about each signal that can be watched, and where in the factory it says so.

Times, probabilities and rates are those of the model at the speed that the factory sets, machine
descriptions worked out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.compiler.plan import PlannedStation, plan_stations
from gigatwin.equipment.station_machines import with_cycle_models
from gigatwin.factory.described import ByFormat
from gigatwin.factory.durations import Duration, mean_of
from gigatwin.factory.factory import Factory
from gigatwin.factory.stops import Stop
from gigatwin.units import Items, Length

Clock = Literal["running", "calendar", "items"]
"""What counts as an opportunity for a stop: running time, all time, or items made."""


@dataclass(frozen=True)
class ModelStop:
    """A random stop of a station."""

    name: str
    """Its name in the description."""
    stop: Stop
    """As described."""
    clock: Clock
    """What it is counted by."""
    rate: float
    """Stops of one machine for each second or item of its clock. [1/s or 1/item]"""
    factor: float
    """What the speed makes of the interval between two stops."""


@dataclass(frozen=True)
class ModelStation:
    """A station as it is watched."""

    plan: PlannedStation
    """As planned, machine descriptions worked out."""
    machines: tuple[str, ...]
    """Names of its machines."""
    formats: tuple[str, ...]
    """Formats of the factory."""
    stops: Mapping[str, ModelStop]
    """Random stops by name; those on a timetable are not watched."""

    @property
    def name(self) -> str:
        """Name of the station."""
        return self.plan.name

    @property
    def speed(self) -> float:
        """Speed factor that the factory sets."""
        return self.plan.speed

    @property
    def has_one_item(self) -> bool:
        """Whether the item that leaves is the one that came in, one at a time."""
        return self.plan.batch is None and all(
            value_for(self.plan.output.count, name) == 1 for name in self.formats
        )

    def time_law(self, product_format: str) -> Duration | None:
        """Return the law of the processing time at speed 1; None: it depends on the content."""
        if self.plan.rate is not None:
            if self.plan.scales:
                return None
            rate = value_for(self.plan.rate, product_format)
            return None if rate is None else 1.0 / float(rate)
        law: Duration | None = value_for(self.plan.time, product_format)
        return law

    def mean_time(self, product_format: str) -> float | None:
        """Return the mean processing time in s at the speed of the factory."""
        law = self.time_law(product_format)
        return None if law is None else mean_of(law) / self.speed

    def scrap(self, product_format: str) -> float | None:
        """Return the share of items sorted out here; None: it depends on defects made before."""
        if self.plan.finds is not None:
            return None
        share = value_for(self.plan.scrap, product_format)
        return None if share is None else min(1.0, float(share) * self.plan.defect_factor)


@dataclass(frozen=True)
class PlantModel:
    """Everything that the model says about the signals of a plant."""

    factory: Factory
    """The factory as described, to which changes are proposed."""
    stations: Mapping[str, ModelStation]
    """Stations with machines, by name."""
    station_of: Mapping[str, str]
    """Machine to station."""

    @classmethod
    def of(cls, factory: Factory | CompiledModel) -> Self:
        """Return what a factory says."""
        described = factory.factory if isinstance(factory, CompiledModel) else factory
        stations: dict[str, ModelStation] = {}
        station_of: dict[str, str] = {}
        for plan in plan_stations(with_cycle_models(described)):
            is_machine = plan.time != 0.0 or plan.rate is not None
            if plan.name not in described.stations or not is_machine:
                continue
            n = plan.n_machines
            machines = tuple(plan.name if n == 1 else f"{plan.name}#{k + 1}" for k in range(n))
            stops = {
                name: ModelStop(name, stop, clock, rate, plan.stop_factors[name])
                for name, stop in plan.stops.items()
                for clock, rate in _clocks(stop, plan.stop_factors[name])
            }
            stations[plan.name] = ModelStation(plan, machines, tuple(described.formats), stops)
            station_of.update(dict.fromkeys(machines, plan.name))
        return cls(described, stations, station_of)


def value_for(value: Any, product_format: str) -> Any:  # noqa: ANN401 - a value of any kind
    """Return a value that may differ by format; None if there is none for this one."""
    return value.by_format.get(product_format) if isinstance(value, ByFormat) else value


def _clocks(stop: Stop, factor: float) -> list[tuple[Clock, float]]:
    """Return clock and rate of a random stop, nothing for one on a timetable."""
    every = stop.every
    if isinstance(every, Items):
        return [("items", 1.0 / (float(every.value) * factor))] if stop.is_random else []
    if isinstance(every, Length) or stop.kind == "planned":
        return []
    mean = mean_of(every) * factor
    if mean <= 0:
        return []
    return [("calendar" if stop.clock == "calendar" else "running", 1.0 / mean)]
