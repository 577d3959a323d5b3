"""Stations that name a machine: which settings it has there, and what it makes of the station."""

from collections.abc import Mapping
from typing import Any

from gigatwin.equipment.cycle_model import CycleModel, cycle_model
from gigatwin.equipment.description.formulas import FormulaError, read_measure
from gigatwin.equipment.model.equipment_model import EquipmentModel
from gigatwin.equipment.model.reading import load_machine
from gigatwin.errors import EquipmentError, FactoryError
from gigatwin.factory.checks import add_problems
from gigatwin.factory.described import ByFormat
from gigatwin.factory.durations import Duration
from gigatwin.factory.factory import Factory
from gigatwin.factory.findings import Findings
from gigatwin.factory.stations import BatchStation, Station
from gigatwin.factory.stops import Stop
from gigatwin.units import Items, Ratio


def with_cycle_models(factory: Factory) -> Factory:
    """Return a factory in which every machine description has become times, scrap and stops.

    What a station gives itself (scrap, a stop or defect of the same name, energy) comes first.

    Parameters
    ----------
    factory : Factory
        With or without stations that name a machine description.

    Raises
    ------
    FactoryError
        With all problems: descriptions that cannot be read, settings and formats that a machine
        does not take.
    """
    if not any(getattr(station, "cycle", None) for station in factory.stations.values()):
        return factory
    findings = Findings(factory.name)
    stations: dict[str, Station] = {}
    known: dict[str, EquipmentModel] = {}
    for name, station in factory.stations.items():
        file = getattr(station, "cycle", None)
        stations[name] = station
        if file is None:
            continue
        try:
            if file not in known:
                known[file] = load_machine(file, factory.folder)
        except FactoryError as error:
            for problem in error.problems:
                if problem.line is None:
                    path = ("stations", name, "cycle")
                    findings.add(path, f"{file}: {problem.found}", problem.required)
                else:
                    findings.problems.append(problem)
            continue
        stations[name] = _filled(station, known[file], factory, name, findings)
    findings.raise_if_any()
    filled = factory.model_copy(update={"stations": stations})
    add_problems(filled, findings)
    findings.raise_if_any()
    return filled


def read_settings(
    model: EquipmentModel,
    given: Mapping[str, object],
    findings: Findings,
    *path: str,
    may_leave_range: bool = False,
) -> dict[str, float]:
    """Return settings in SI units, and add those that the machine does not have or take.

    Parameters
    ----------
    model : EquipmentModel
        The machine.
    given : mapping
        Setting to text with a unit, or to a plain number where it has no unit.
    findings : Findings
        Takes the problems.
    path : str
        Where the settings stand.
    may_leave_range : bool
        Whether values outside of a setting's range are kept, for a check to judge.
    """
    found: dict[str, float] = {}
    for name, text in given.items():
        known = model.settings.get(name)
        place = path if name in path else (*path, name)
        if known is None:
            what = f"a setting of {model.machine.name}"
            findings.add_unknown(place, name, list(model.settings), what)
            continue
        setting = model.machine.settings[name]
        try:
            value = read_measure(text)
            wanted = read_measure(setting.low)
        except FormulaError as error:
            findings.add(place, error.found, error.required)
            continue
        if value.dimensionality != wanted.dimensionality:
            required = f"must be in {known.written or 'plain numbers'}, e.g. '{setting.high}'"
            findings.add(place, str(text), required)
            continue
        number = float(value.magnitude)
        # A value typed as the end of the range is in it, whatever rounding did to its unit.
        nearest = min(max(number, known.low), known.high)
        if may_leave_range:
            found[name] = number
            continue
        if abs(number - nearest) > 1e-9 * max(abs(known.low), abs(known.high)):
            findings.add(place, str(text), f"must be from {setting.low} to {setting.high}")
        elif known.steps and min(abs(nearest - s) for s in known.steps) > 1e-9 * abs(known.high):
            findings.add(place, str(text), f"must be one of {', '.join(setting.steps)}")
        found[name] = nearest
    return found


def _filled(
    station: Any,  # noqa: ANN401 - one of the kinds with a time
    model: EquipmentModel,
    factory: Factory,
    name: str,
    findings: Findings,
) -> Station:
    here = ("stations", name)
    if isinstance(station, BatchStation):
        required = "must not be batch with a cycle: a machine says itself how many items it takes"
        findings.add((*here, "kind"), station.kind, required)
        return station
    model = for_formats(model, factory, findings, name)
    settings = station_settings(model, station, findings, name)
    models: dict[str, CycleModel] = {}
    for product_format in factory.formats:
        if product_format not in model.dimensions:
            continue
        try:
            models[product_format] = cycle_model(
                model.evaluate(product_format, settings[product_format])
            )
        except EquipmentError as error:
            findings.add((*here, "cycle"), str(error), "must be possible")
    if len(models) < len(factory.formats):
        return station  # type: ignore[no-any-return]  # as it came
    first = next(iter(models.values()))
    update: dict[str, Any] = {
        "cycle": None,
        "settings": {},
        "time": _joined(ByFormat[Duration], {key: value.time for key, value in models.items()}),
    }
    given = station.model_fields_set
    if "scrap" not in given:
        update["scrap"] = _joined(ByFormat[Ratio], {k: value.scrap for k, value in models.items()})
    if "energy" not in given and first.energy is not None:
        update["energy"] = first.energy.model_copy(
            update={"per_item": max(m.energy.per_item for m in models.values() if m.energy)}
        )
    update["stops"] = {**_worst_stops(models), **station.stops}
    update["defects"] = {
        **{
            key: _joined(ByFormat[Ratio], {k: m.defects[key] for k, m in models.items()})
            for key in first.defects
        },
        **station.defects,
    }
    filled: Station = station.model_copy(update=update)
    return filled


def _worst_stops(models: Mapping[str, CycleModel]) -> dict[str, Stop]:
    """Return each stop as often as in the format where it is most frequent.

    A stop of a station has one interval for all formats.
    """
    worst: dict[str, Stop] = {}
    for model in models.values():
        for name, stop in model.stops.items():
            known = worst.get(name)
            if known is None or _items_between(stop) < _items_between(known):
                worst[name] = stop
    return worst


def _items_between(stop: Stop) -> float:
    """Return the mean number of items between two stops of a machine."""
    return stop.every.value if isinstance(stop.every, Items) else float("inf")


def _joined(kind: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a value of any kind
    """Return one value where all formats have the same, and one for each otherwise."""
    first = next(iter(values.values()))
    if all(value == first for value in values.values()):
        return first
    return kind(by_format=dict(values))


def for_formats(
    model: EquipmentModel, factory: Factory, findings: Findings, name: str
) -> EquipmentModel:
    """Return a machine set up for all formats of a factory, as far as it can be.

    A format that its description does not list has the diameter and height that the factory gives.
    """
    for product_format, described in factory.formats.items():
        if product_format in model.dimensions:
            continue
        known = {
            key: value
            for key in ("diameter", "height", "mass", "energy")
            if (value := getattr(described, key)) is not None
        }
        try:
            model = model.with_format(product_format, known)
        except EquipmentError as error:
            required = f"must be one of {', '.join(model.dimensions)}, or have its dimensions"
            findings.add(("stations", name, "cycle"), str(error), required)
    return model


def station_settings(
    model: EquipmentModel, station: Station, findings: Findings, name: str
) -> dict[str, dict[str, float]]:
    """Return the settings of a station for each format of its machine, in SI units.

    Parameters
    ----------
    model : EquipmentModel
        Its machine.
    station : Station
        The station.
    findings : Findings
        Takes the problems: settings that the machine does not have or take.
    name : str
        Name of the station.
    """
    given: dict[str, object] = getattr(station, "settings", {})
    found: dict[str, dict[str, float]] = {product_format: {} for product_format in model.dimensions}
    path = ("stations", name, "settings")
    for key, value in given.items():
        if not isinstance(value, ByFormat):
            for known in read_settings(model, {key: value}, findings, *path).items():
                for settings in found.values():
                    settings[known[0]] = known[1]
            continue
        for product_format, text in value.by_format.items():
            if product_format in found:
                place = (*path, key, "by_format", product_format)
                found[product_format] |= read_settings(model, {key: text}, findings, *place)
    return found


def machine_of(
    factory: Factory, station: str
) -> tuple[EquipmentModel, dict[str, dict[str, float]]] | None:
    """Return the machine of a station and its settings by format, None if it names none.

    Raises
    ------
    FactoryError
        If the machine cannot be read, or does not take the settings.
    """
    described = factory.stations[station]
    file = getattr(described, "cycle", None)
    if file is None:
        return None
    model = load_machine(file, factory.folder)
    findings = Findings(factory.name)
    model = for_formats(model, factory, findings, station)
    settings = station_settings(model, described, findings, station)
    findings.raise_if_any()
    return model, settings
