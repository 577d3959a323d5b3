"""Which numbers of the factory a finding would change, and to what; nothing is changed here.

Only what moved is fitted again, from the values since it moved: a mean time, the interval between
two stops, their length, a share of scrap. A law keeps its family and its relative spread unless the
spread is known to have changed too. The changes are tried on a copy of the factory, so that what is
proposed can be accepted.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from gigatwin.errors import FactoryError
from gigatwin.factory.changes import with_changes
from gigatwin.factory.described import ByFormat
from gigatwin.factory.durations import Distribution, Duration, mean_of
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.stations import WebStation
from gigatwin.twin.watch.findings import Proposal
from gigatwin.twin.watch.plant_model import ModelStation, PlantModel, value_for
from gigatwin.units import UNITS_AS_TEXT, Items, format_quantity

_DIGITS = 5
_SCALED = ("mean", "low", "mode", "high", "samples", "quantiles")
Changes = dict[str, Any]


def propose(
    model: PlantModel,
    changes: Changes,
    estimates: Mapping[str, Estimate],
    reason: str,
    score: float,
) -> Proposal:
    """Return a proposal whose changes the factory accepts; without them where it does not."""
    if changes:
        try:
            with_changes(model.factory, changes, "proposal of the watch")
        except FactoryError as error:
            return Proposal({}, {}, f"{reason} The model cannot take it: {error}", score)
    return Proposal(changes, estimates, reason, score)


def time_changes(
    model: PlantModel, station: ModelStation, product_format: str, ratio: float, cv: float | None
) -> Changes:
    """Return the changes that multiply the processing time of a station.

    Parameters
    ----------
    model : PlantModel
        Where the numbers stand.
    station : ModelStation
        Its machines share one law.
    product_format : str
        Format of the cycles.
    ratio : float
        New mean over that of the model.
    cv : float, optional
        New standard deviation over mean; left out, it stays.
    """
    described = model.factory.stations[station.name]
    name = station.name
    if getattr(described, "cycle", None):
        return {f"{name}.speed": float(f"{station.speed / ratio:.{_DIGITS}g}")}
    rate = getattr(described, "rate", None)
    if rate is not None:
        unit = "m/s" if isinstance(described, WebStation) else "item/s"
        value = value_for(rate, product_format)
        path = _path(f"{name}.rate", rate, product_format)
        return {} if value is None else {path: format_quantity(float(value) / ratio, unit, _DIGITS)}
    time = getattr(described, "time", None)
    law = value_for(time, product_format)
    if law is None:
        return {}
    path = _path(f"{name}.time", time, product_format)
    found = _duration(path, law, mean_of(law) * ratio)
    if isinstance(law, Distribution) and law.distribution != "exponential" and cv is not None:
        found[f"{path}.cv"] = float(f"{cv:.3g}")
    return found


def repair_changes(model: PlantModel, station: ModelStation, stop: str, mean: float) -> Changes:
    """Return the changes that give a stop another mean length in s."""
    known = station.stops[stop].stop
    if stop not in getattr(model.factory.stations[station.name], "stops", {}):
        law = _with_mean(known.duration, mean)
        return {f"{station.name}.stops.{stop}": _data(known.model_copy(update={"duration": law}))}
    return _duration(f"{station.name}.stops.{stop}.duration", known.duration, mean)


def stop_changes(model: PlantModel, station: ModelStation, stop: str, rate: float) -> Changes:
    """Return the changes that give a stop another rate.

    Parameters
    ----------
    model, station : PlantModel and ModelStation
        Where the numbers stand.
    stop : str
        Name of the stop.
    rate : float
        Stops of one machine for each second or item of the stop's clock, above 0.
    """
    known = station.stops[stop]
    mean = 1.0 / (rate * known.factor)
    every = known.stop.every
    path = f"{station.name}.stops.{stop}"
    if stop not in getattr(model.factory.stations[station.name], "stops", {}):
        new: Any = Items(float(round(mean))) if isinstance(every, Items) else mean
        if isinstance(every, BaseModel):
            new = _with_mean(every, mean)
        return {path: _data(known.stop.model_copy(update={"every": new}))}
    if isinstance(every, Items):
        return {f"{path}.every": f"{max(round(mean), 1)} items"}
    return _duration(f"{path}.every", every, mean)  # type: ignore[arg-type]  # no Length is watched


def scrap_changes(
    model: PlantModel, station: ModelStation, product_format: str, share: float
) -> Changes:
    """Return the changes that give a station another share of scrap."""
    described = model.factory.stations[station.name].scrap
    value = share / station.plan.defect_factor
    path = _path(f"{station.name}.scrap", described, product_format)
    return {path: float(f"{min(value, 1.0):.{_DIGITS}g}")}


def _path(path: str, value: object, product_format: str) -> str:
    return f"{path}.by_format.{product_format}" if isinstance(value, ByFormat) else path


def _duration(path: str, law: Duration, mean: float) -> Changes:
    if isinstance(law, Distribution):
        return {f"{path}.mean": format_quantity(mean, "s", _DIGITS)}
    if isinstance(law, BaseModel):
        return {path: _data(_with_mean(law, mean))}
    return {path: format_quantity(mean, "s", _DIGITS)}


def _with_mean(law: Duration, mean: float) -> Duration:
    """Return a law of the same shape with another mean."""
    if not isinstance(law, BaseModel):
        return mean
    ratio = mean / mean_of(law)
    update: dict[str, Any] = {"estimates": {}}
    for name in _SCALED:
        value = getattr(law, name, None)
        if isinstance(value, tuple):
            update[name] = tuple(float(f"{item * ratio:.{_DIGITS}g}") for item in value)
        elif value is not None:
            update[name] = float(f"{value * ratio:.{_DIGITS}g}")
    changed: Duration = law.model_copy(update=update)
    return changed


def _data(element: Any) -> Any:  # noqa: ANN401 - any element of a description
    """Return an element as it would stand in a file."""
    return element.model_dump(mode="json", exclude_defaults=True, context=UNITS_AS_TEXT)
