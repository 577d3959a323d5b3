"""What a machine gives to the station of a line: times, scrap, defects, stops, energy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gigatwin.equipment.description.formulas import FormulaError, read_measure
from gigatwin.equipment.model.equipment_model import EquipmentModel, Evaluation
from gigatwin.equipment.model.reading import load_machine
from gigatwin.equipment.motion_energy import energy_per_cycle
from gigatwin.equipment.stepping import WARM_UP, cycle_times, draw_durations, is_random
from gigatwin.errors import EquipmentError, FactoryError
from gigatwin.factory.checks import add_problems
from gigatwin.factory.described import ByFormat
from gigatwin.factory.durations import Duration, Empirical
from gigatwin.factory.factory import Factory
from gigatwin.factory.findings import Findings
from gigatwin.factory.stations import Energy, Station
from gigatwin.factory.stops import Stop
from gigatwin.units import Items, Ratio

CYCLES = 20_000
"""Cycles that the law of a random cycle is taken from."""
_QUANTILES = 401
_SEED = 46


@dataclass(frozen=True)
class CycleModel:
    """What a machine with one setting does to one format, as a line sees it."""

    time: Duration
    """Time for each item: a constant, or the law of a random cycle. [s]"""
    scrap: float
    """Share of items that are scrap at once."""
    defects: Mapping[str, float]
    """Defect that is found later to its probability."""
    stops: Mapping[str, Stop]
    """Stops by name; their interval is counted in items."""
    energy: Energy | None
    """What the machine uses."""
    cycle_time: float = field(default=0.0)
    """Mean time of a cycle. [s]"""


def cycle_model(evaluation: Evaluation) -> CycleModel:
    """Return what a machine with one setting does, as a line sees it.

    Notes
    -----
    A cycle with random durations becomes the quantiles of 20 000 cycles (stepped with a fixed
    seed), drawn independently: that successive cycles depend on each other is lost.
    """
    machine = evaluation.model.machine
    items = machine.items_per_cycle
    values = evaluation.values
    time, mean = _time(evaluation)
    stops = {}
    for curve in evaluation.model.stops:
        per_cycle = _number(values[curve.value])
        if per_cycle <= 0:
            continue
        described = machine.stops[curve.name]
        stops[curve.name] = Stop(
            kind=described.kind,
            every=Items(items / per_cycle),
            is_random=True,
            duration=float(read_measure(described.duration).magnitude),
        )
    hidden = {
        curve.name: _number(values[curve.value])
        for curve in evaluation.model.defects
        if not machine.defects[curve.name].is_seen_here
    }
    energy = None
    if machine.energy is not None:
        energy = Energy(
            executing=float(read_measure(machine.energy.executing).magnitude),
            standby=float(read_measure(machine.energy.standby).magnitude),
            per_item=energy_per_cycle(evaluation) / items,
        )
    return CycleModel(
        time=time,
        # Rounding of 1 - (1 - p) must not leave the range of a share.
        scrap=min(max(_number(evaluation.scrap), 0.0), 1.0),
        defects=hidden,
        stops=stops,
        energy=energy,
        cycle_time=mean,
    )


def _number(value: Any) -> float:  # noqa: ANN401 - a float or an array with one value
    return float(np.ravel(value)[0])


def _time(evaluation: Evaluation) -> tuple[Duration, float]:
    """Return the time of an item, and the mean time of a cycle."""
    items = evaluation.model.machine.items_per_cycle
    if evaluation.model.machine.fmu is not None:
        times = evaluation.recorded_times[0]
    elif is_random(evaluation):
        rng = np.random.default_rng(_SEED)
        durations = draw_durations(evaluation, CYCLES + WARM_UP + 1, rng)
        times = cycle_times(evaluation, durations)
    else:
        mean = _number(evaluation.cycle_time)
        return mean / items, mean
    mean = float(times.mean())
    if np.ptp(times) <= 1e-9 * mean:
        return mean / items, mean
    # Interpolated quantiles have a slightly other mean than what they were taken from.
    quantiles = np.quantile(times, np.linspace(0, 1, _QUANTILES))
    inner = (quantiles.sum() - (quantiles[0] + quantiles[-1]) / 2) / (_QUANTILES - 1)
    scaled = quantiles * (mean / inner) / items
    return Empirical(quantiles=tuple(float(x) for x in scaled)), mean


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
    update["stops"] = {**first.stops, **station.stops}
    update["defects"] = {
        **{
            key: _joined(ByFormat[Ratio], {k: m.defects[key] for k, m in models.items()})
            for key in first.defects
        },
        **station.defects,
    }
    filled: Station = station.model_copy(update=update)
    return filled


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
