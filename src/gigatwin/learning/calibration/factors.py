"""Factors on the numbers of a factory, and the factory with them put in."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gigatwin.factory.described import ByFormat, Described
from gigatwin.factory.durations import Distribution, Empirical, Triangular, Uniform
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.factory import Factory
from gigatwin.factory.product import Arrivals
from gigatwin.factory.stations import Buffer, Station, StorageStation
from gigatwin.factory.stops import Stop

Kind = Literal["time", "breakdown interval", "repair", "transfer", "waits", "arrivals", "capacity"]
NORMAL = 1.959963984540054
"""Half the width of a 95 % interval, in standard deviations."""
_DIGITS = 6
_DEFAULT: dict[Kind, float] = {
    "time": 0.1,
    "breakdown interval": 0.3,
    "repair": 0.3,
    "transfer": 0.5,
    "waits": 0.7,
    "arrivals": 0.1,
    "capacity": 0.5,
}
"""Spread of the logarithm of a factor where no estimate tells it."""
_LEAST_SPREAD = 0.03
_MOST_SPREAD = 1.0


@dataclass(frozen=True)
class Factor:
    """One unknown factor on all numbers of a kind at some stations."""

    name: str
    """What it is called."""
    kind: Kind
    """What it multiplies: processing times, times between breakdowns, repairs, transfer times,
    waits in buffers without a transfer time, times between arrivals, capacities."""
    stations: tuple[str, ...]
    """Where; names of streams for arrivals."""
    spread: float
    """Prior standard deviation of its logarithm."""
    waits: Mapping[str, float] = field(default_factory=dict)
    """Station to the wait that stands for the factor 1. [s]"""


@dataclass(frozen=True)
class Scaling:
    """A factor with how well it is known."""

    value: float
    """The factor."""
    spread: float = 0.0
    """Standard deviation of its logarithm."""
    method: str = ""
    """How it was found; empty: the estimates of the factory stay as they are."""
    is_identified: bool = True
    """Whether the log determines it."""
    is_common: bool = False
    """Whether several numbers share it, so that each keeps its own uncertainty too."""

    def estimate(self, value: float, old: Estimate | None, unit: str) -> Estimate:
        """Return the estimate of a number that was scaled."""
        spread = self.spread
        if self.is_common and old is not None:
            spread = math.hypot(spread, relative_spread(old) or 0.0)
        reach = math.exp(NORMAL * spread)
        return Estimate(
            value=value,
            low=value / reach,
            high=value * reach,
            unit=unit,
            n=0 if old is None else old.n,
            method=self.method if old is None else f"{self.method}; before: {old.method}",
            rows="" if old is None else old.rows,
            is_identified=self.is_identified,
        )


def relative_spread(estimate: Estimate) -> float | None:
    """Return the standard deviation of an estimate relative to its value, None if not known."""
    if estimate.value <= 0 or estimate.high is None:
        return None
    return (estimate.high - estimate.low) / (2 * NORMAL * estimate.value)


def candidates(
    factory: Factory, own: Iterable[str], waits: Mapping[str, float], mismatch: float
) -> tuple[Factor, ...]:
    """Return the factors that could be unknown in a factory.

    Parameters
    ----------
    factory : Factory
        The description.
    own : iterable of str
        Stations whose times have a factor of their own; the others share one.
    waits : mapping
        Station to the wait before it that queueing does not explain. [s]
    mismatch : float
        How many times wider than the intervals of the estimates the priors are.
    """
    own = tuple(own)
    others = tuple(name for name in factory.stations if name not in own)
    places: list[tuple[str, Kind, tuple[str, ...]]] = [
        (f"time of {name}", "time", (name,)) for name in own
    ]
    places.append(("time of the other stations" if own else "time", "time", others))
    names = tuple(factory.stations)
    places += [(kind, kind, names) for kind in ("breakdown interval", "repair", "transfer")]
    places += [("arrivals", "arrivals", tuple(factory.arrivals)), ("capacity", "capacity", names)]
    found = []
    for name, kind, stations in places:
        here = tuple(station for station in stations if _has(factory, kind, station))
        if here:
            found.append(Factor(name, kind, here, _spread(factory, kind, here, mismatch)))
    here = tuple(name for name in waits if _can_wait(factory.stations[name].buffer))
    if here:
        known = {name: waits[name] for name in here}
        found.append(Factor("waits", "waits", here, _DEFAULT["waits"], known))
    return tuple(found)


def with_factors(factory: Factory, factors: Iterable[tuple[Factor, Scaling]]) -> Factory:
    """Return a factory whose numbers are multiplied by factors.

    Parameters
    ----------
    factory : Factory
        The description; it stays as it is.
    factors : iterable of (Factor, Scaling)
        What to multiply by what.
    """
    stations = dict(factory.stations)
    arrivals = dict(factory.arrivals)
    for factor, scaling in factors:
        for name in factor.stations:
            if factor.kind == "arrivals":
                arrivals[name] = _field(arrivals[name], "interval", scaling)
            else:
                stations[name] = _station(stations[name], factor, name, scaling)
    return factory.model_copy(update={"stations": stations, "arrivals": arrivals})


def _station(station: Any, factor: Factor, name: str, scaling: Scaling) -> Any:  # noqa: ANN401 - a station of any kind
    if factor.kind == "time":
        for field_name in ("time", "dwell"):
            if getattr(station, field_name, None) is not None:
                return _field(station, field_name, scaling)
        return _rate(station, scaling)
    if factor.kind in ("breakdown interval", "repair"):
        field_name = "every" if factor.kind == "breakdown interval" else "duration"
        stops = {
            key: _field(stop, field_name, scaling) if _is_random(stop) else stop
            for key, stop in station.stops.items()
        }
        return station.model_copy(update={"stops": stops})
    buffer = station.buffer
    if factor.kind == "transfer":
        return station.model_copy(update={"buffer": _field(buffer, "transfer", scaling)})
    if factor.kind == "capacity":
        return station.model_copy(update={"buffer": _capacity(buffer, scaling)})
    wait = buffer.model_copy(update={"transfer": factor.waits[name]})
    return station.model_copy(update={"buffer": _field(wait, "transfer", scaling)})


def _field(element: Any, name: str, scaling: Scaling) -> Any:  # noqa: ANN401 - any element of a factory
    """Return an element with a duration multiplied."""
    value = getattr(element, name)
    update: dict[str, Any] = {name: _duration(value, scaling)}
    if isinstance(value, int | float) and scaling.method:
        old = element.estimates.get(name)
        new = scaling.estimate(update[name], old, "s")
        update["estimates"] = {**element.estimates, name: new}
    return element.model_copy(update=update)


def _duration(value: Any, scaling: Scaling) -> Any:  # noqa: ANN401 - any duration
    if isinstance(value, int | float):
        return _rounded(value * scaling.value)
    if isinstance(value, ByFormat):
        scaled = {name: _duration(item, scaling) for name, item in value.by_format.items()}
        return value.model_copy(update={"by_format": scaled})
    update: dict[str, Any] = {}
    if isinstance(value, Distribution):
        update = {"mean": _rounded(value.mean * scaling.value)}
    elif isinstance(value, Uniform | Triangular):
        names = [name for name in ("low", "mode", "high") if hasattr(value, name)]
        update = {name: _rounded(getattr(value, name) * scaling.value) for name in names}
    elif isinstance(value, Empirical):
        name = "samples" if value.samples is not None else "quantiles"
        samples = getattr(value, name)
        update = {name: tuple(_rounded(item * scaling.value) for item in samples)}
    else:
        return value  # items or length between two stops
    if scaling.method:
        update["estimates"] = _estimates(value, update, scaling)
    return value.model_copy(update=update)


def _estimates(law: Described, update: Mapping[str, Any], scaling: Scaling) -> dict[str, Estimate]:
    """Return the estimates of a law that was scaled: those in s, and always one of its mean."""
    found = dict(law.estimates)
    for name, old in law.estimates.items():
        if old.unit == "s":
            found[name] = scaling.estimate(old.value * scaling.value, old, "s")
    if "mean" not in found and "mean" in update:
        found["mean"] = scaling.estimate(update["mean"], None, "s")
    return found


def _rate(station: Any, scaling: Scaling) -> Any:  # noqa: ANN401 - a station with a rate
    """Return a station whose rate is divided, as its time is multiplied."""
    rate = station.rate
    if isinstance(rate, ByFormat):
        slower = {name: value / scaling.value for name, value in rate.by_format.items()}
        return station.model_copy(update={"rate": rate.model_copy(update={"by_format": slower})})
    update: dict[str, Any] = {"rate": rate / scaling.value}
    old = station.estimates.get("rate")
    if scaling.method:
        unit = "1/s" if old is None else old.unit
        estimate = scaling.estimate(update["rate"], old, unit)
        update["estimates"] = {**station.estimates, "rate": estimate}
    return station.model_copy(update=update)


def _capacity(buffer: Buffer, scaling: Scaling) -> Buffer:
    """Return a buffer with more places; what was seen in it must still fit."""
    seen = int(buffer.capacity)
    places = max(seen, round(seen * scaling.value))
    update: dict[str, Any] = {"capacity": places}
    if scaling.method:
        old = buffer.estimates.get("capacity")
        new = scaling.estimate(float(places), old, "")
        new = new.model_copy(update={"low": min(max(new.low, float(seen)), float(places))})
        update["estimates"] = {**buffer.estimates, "capacity": new}
    return buffer.model_copy(update=update)


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _has(factory: Factory, kind: Kind, name: str) -> bool:
    if kind == "arrivals":
        return True
    station = factory.stations[name]
    if kind == "time":
        return any(getattr(station, field_name, None) for field_name in ("time", "rate", "dwell"))
    if kind in ("breakdown interval", "repair"):
        stops = {} if isinstance(station, StorageStation) else station.stops
        return any(_is_random(stop) for stop in stops.values())
    buffer = station.buffer
    if kind == "transfer":
        return buffer.transfer != 0
    # A capacity is unknown only where the log gave no more than a lower bound.
    known = buffer.estimates.get("capacity")
    return known is not None and not known.is_identified and buffer.capacity not in ("unlimited", 0)


def _is_random(stop: Stop) -> bool:
    return stop.kind != "planned"


def _can_wait(buffer: Buffer) -> bool:
    return buffer.transfer == 0 and buffer.capacity != 0 and buffer.vehicle is None


def _spread(factory: Factory, kind: Kind, stations: Iterable[str], mismatch: float) -> float:
    """Return the prior spread: the root mean square of the estimates' spreads, made wider."""
    squares = []
    for name in stations:
        for estimate in _known(factory, kind, name):
            spread = relative_spread(estimate)
            if spread is not None:
                squares.append(spread**2)
    if not squares:
        return _DEFAULT[kind]
    spread = mismatch * math.sqrt(sum(squares) / len(squares))
    return min(max(spread, _LEAST_SPREAD), _MOST_SPREAD)


def _known(factory: Factory, kind: Kind, name: str) -> list[Estimate]:
    """Return the estimates of the numbers that a factor multiplies at one place."""
    if kind == "arrivals":
        return _of(factory.arrivals[name], "interval")
    station = factory.stations[name]
    if kind == "time":
        return [
            *_of(station, "time"),
            *_of(station, "dwell"),
            *(e for key, e in station.estimates.items() if key == "rate"),
        ]
    if kind in ("breakdown interval", "repair"):
        field_name = "every" if kind == "breakdown interval" else "duration"
        stops = {} if isinstance(station, StorageStation) else station.stops
        return [e for stop in stops.values() if _is_random(stop) for e in _of(stop, field_name)]
    return _of(station.buffer, "transfer") if kind == "transfer" else []


def _of(element: Station | Stop | Buffer | Arrivals, name: str) -> list[Estimate]:
    value = getattr(element, name, None)
    laws = value.by_format.values() if isinstance(value, ByFormat) else (value,)
    found = [element.estimates[name]] if name in element.estimates else []
    for law in laws:
        if isinstance(law, Described) and "mean" in law.estimates:
            found += [law.estimates["mean"]]
    return found
