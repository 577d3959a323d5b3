"""May a change be made: the factory as a whole, limits of machines, tags, other changes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gigatwin.equipment.change_check import check_change
from gigatwin.equipment.station_machines import with_cycle_models
from gigatwin.errors import EquipmentError, FactoryError
from gigatwin.factory.changes import with_changes
from gigatwin.factory.factory import Factory
from gigatwin.factory.paths import resolve
from gigatwin.factory.writing import to_data
from gigatwin.twin.changes.machine_settings import model_of, settings_of
from gigatwin.twin.changes.proposal import Values
from gigatwin.twin.changes.writes import Plan


@dataclass(frozen=True, slots=True)
class Check:
    """What one look at a change said."""

    kind: str
    """``description``, ``range``, ``limit``, ``interlock``, ``process window``, ``format``,
    ``tag``, or ``remark``."""
    is_allowed: bool
    """Whether it speaks for the change, or at least not against it."""
    text: str
    """What was found, with numbers."""

    @property
    def data(self) -> dict[str, Any]:
        """The check as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Checked:
    """What all looks at a change said."""

    checks: tuple[Check, ...]
    changed: Factory | None
    """The factory after the change; None where there can be none."""

    @property
    def is_allowed(self) -> bool:
        """Whether nothing speaks against the change."""
        return all(check.is_allowed for check in self.checks)


def stations_of(factory: Factory, values: Values) -> tuple[str, ...]:
    """Return the stations that fields belong to, in the order of the flow."""
    paths = [resolve(factory, field) for field in values]
    named = {str(path[1]) for path in paths if path[0] == "stations" and len(path) > 1}
    return tuple(station for station in factory.stations if station in named)


def check_values(factory: Factory, values: Values, product_format: str | None) -> Checked:
    """Return whether the factory can be changed like this, and what it is then.

    Parameters
    ----------
    factory : Factory
        As it is.
    values : mapping
        Field to its new value.
    product_format : str, optional
        Format to change over to.
    """
    checks: list[Check] = []
    if product_format is not None and product_format not in factory.formats:
        text = f"{product_format}; must be one of {', '.join(factory.formats)}"
        checks.append(Check("format", is_allowed=False, text=text))
    try:
        changed = with_changes(factory, values, "change")
    except FactoryError as error:
        checks += _of_problems(error)
        return Checked(tuple(checks), None)
    if product_format is None and to_data(changed) == to_data(factory):
        checks.append(Check("description", is_allowed=False, text="it changes nothing"))
        return Checked(tuple(checks), changed)
    for station in stations_of(factory, values):
        checks += _of_machine(factory, changed, station, product_format)
    if all(check.is_allowed for check in checks):
        try:
            with_cycle_models(changed)
        except FactoryError as error:
            checks += _of_problems(error)
        else:
            text = "the factory can work like this"
            checks.insert(0, Check("description", is_allowed=True, text=text))
    return Checked(tuple(checks), changed)


def check_plan(plan: Plan) -> list[Check]:
    """Return what speaks against writing the values of a plan, and what should be known."""
    refused = [Check("tag", is_allowed=False, text=text) for text in plan.problems]
    return refused + [Check("remark", is_allowed=True, text=text) for text in plan.remarks]


def _of_problems(error: FactoryError) -> Sequence[Check]:
    return [Check("description", is_allowed=False, text=str(problem)) for problem in error.problems]


def _of_machine(
    factory: Factory, changed: Factory, station: str, product_format: str | None
) -> list[Check]:
    """Return what the description of a station's machine says to the new settings."""
    if station not in changed.stations:
        return []
    speed = float(getattr(changed.stations[station], "speed", 1.0))
    is_faster = speed > float(getattr(factory.stations[station], "speed", 1.0))
    try:
        model = model_of(changed, station)
        if model is None:
            return []
        checks: list[Check] = []
        if is_faster and speed > 1:
            text = (
                f"{station}: the limits of {model.machine.name} are those of its settings; what a "
                f"speed factor of {speed:g} does to them is not known"
            )
            checks.append(Check("remark", is_allowed=True, text=text))
        formats = factory.formats if product_format is None else (product_format,)
        for name in (each for each in formats if each in factory.formats):
            verdict = check_change(
                model,
                name,
                settings_of(model, changed, station, name),
                settings_of(model, factory, station, name),
            )
            checks += [
                Check(reason.kind, is_allowed=False, text=f"{station}, {name}: {reason.text}")
                for reason in verdict.reasons
            ]
            if verdict.is_allowed:
                text = f"{station}, {name}: within the limits, interlocks and window of its machine"
                checks.append(Check("limit", is_allowed=True, text=text))
    except FactoryError as error:
        return list(_of_problems(error))
    except EquipmentError as error:
        return [Check("limit", is_allowed=False, text=f"{station}: {error}")]
    return checks
