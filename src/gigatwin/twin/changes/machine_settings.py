"""Settings of the machine that a station names, before and after a change."""

from collections.abc import Mapping

from gigatwin.equipment.model.equipment_model import EquipmentModel
from gigatwin.equipment.model.reading import load_machine
from gigatwin.equipment.station_machines import for_formats, read_settings
from gigatwin.factory.described import ByFormat
from gigatwin.factory.factory import Factory
from gigatwin.factory.findings import Findings


def model_of(factory: Factory, station: str) -> EquipmentModel | None:
    """Return the machine of a station, set up for the factory's formats; None if it names none.

    Raises
    ------
    FactoryError
        If the machine cannot be read.
    """
    file = getattr(factory.stations[station], "cycle", None)
    if file is None:
        return None
    findings = Findings(factory.name)
    model = for_formats(load_machine(file, factory.folder), factory, findings, station)
    findings.raise_if_any()
    return model


def settings_of(
    model: EquipmentModel, factory: Factory, station: str, product_format: str
) -> Mapping[str, float]:
    """Return the settings of a station for a format, in SI units, in or out of their ranges.

    Raises
    ------
    FactoryError
        If the machine has no such setting, or a value cannot be read.
    """
    findings = Findings(factory.name)
    found: dict[str, float] = {}
    for name, given in getattr(factory.stations[station], "settings", {}).items():
        value = given.by_format.get(product_format) if isinstance(given, ByFormat) else given
        if value is not None:
            place = ("stations", station, "settings")
            found |= read_settings(model, {name: value}, findings, *place, may_leave_range=True)
    findings.raise_if_any()
    return found


def common_setting(factory: Factory, station: str, name: str) -> float | None:
    """Return a setting in SI units if it is the same for all formats, None if it is not."""
    model = model_of(factory, station)
    if model is None or name not in model.settings:
        return None
    default = model.settings[name].default
    values = {
        settings_of(model, factory, station, each).get(name, default.get(each))
        for each in factory.formats
    }
    return values.pop() if len(values) == 1 else None
