"""Cross-checks of a whole description: names that must exist, sums, limits."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from gigatwin.factory.described import ByFormat
from gigatwin.factory.estimate_checks import add_estimate_problems
from gigatwin.factory.factory import Factory
from gigatwin.factory.findings import Findings, Path
from gigatwin.factory.flow_checks import add_flow_problems
from gigatwin.factory.paths import add_path_problem
from gigatwin.factory.resources import Crew
from gigatwin.factory.routing import OUT
from gigatwin.factory.station_checks import add_station_problems
from gigatwin.factory.stations import StorageStation

MOST_STATIONS = 10_000
"""Limit on the stations of a factory."""
MOST_MACHINES = 100_000
"""Limit on the machines of a factory."""
UNCERTAIN = "uncertain"
"""What stands for a parameter set whose numbers are drawn from their estimates."""
SHARE_TOLERANCE = 1e-6
"""How far shares may be from a sum of one."""


def check(factory: Factory, file: str = "factory") -> None:
    """Raise if the parts of a factory do not fit together.

    Factories that were read from a file have been checked; those made in Python have not.

    Raises
    ------
    FactoryError
        With all problems.
    """
    findings = Findings(file)
    add_problems(factory, findings)
    findings.raise_if_any()


def add_problems(factory: Factory, findings: Findings) -> None:
    """Add everything that does not fit together to the findings."""
    if len(factory.stations) > MOST_STATIONS:
        found = f"{len(factory.stations)} stations"
        findings.add(("stations",), found, f"must be {MOST_STATIONS} at most", is_element=True)
        return
    before = len(findings.problems)
    _check_names(factory, findings)
    names_fit = len(findings.problems) == before
    _check_machines(factory, findings)
    _check_elements(factory, findings)
    _check_supply(factory, findings)
    add_estimate_problems(factory, findings)
    add_station_problems(factory, findings)
    if names_fit:
        add_flow_problems(factory, findings)
    for name, changes in factory.parameter_sets.items():
        for path in changes:
            add_path_problem(factory, path, ("parameter_sets", name, path), findings)


def _check_names(factory: Factory, findings: Findings) -> None:
    groups: dict[Path, Mapping[str, object]] = {
        (group,): getattr(factory, group)
        for group in ("formats", "stations", "resources", "arrivals", "parameter_sets")
    }
    for name, station in factory.stations.items():
        groups["stations", name, "defects"] = station.defects
        if not isinstance(station, StorageStation):
            groups["stations", name, "stops"] = station.stops
            groups["stations", name, "inputs"] = station.inputs
    for path, names in groups.items():
        for name in names:
            if "." in name or not name.isprintable() or any(letter.isspace() for letter in name):
                required = "must be a name without dots and spaces; use '_'"
                findings.add((*path, name), f"'{name}'", required, is_element=True)
    if UNCERTAIN in factory.parameter_sets:
        required = "is a word of its own: it draws numbers from their estimates; rename the set"
        findings.add(("parameter_sets", UNCERTAIN), f"'{UNCERTAIN}'", required, is_element=True)
    if OUT in factory.stations:
        required = "is where finished items go; give the station another name"
        findings.add(("stations", OUT), f"'{OUT}'", required, is_element=True)


def _check_machines(factory: Factory, findings: Findings) -> None:
    total = sum(
        station.machines
        for station in factory.stations.values()
        if not isinstance(station, StorageStation)
    )
    if total > MOST_MACHINES:
        found = f"{total} machines in all"
        findings.add(("stations",), found, f"must be {MOST_MACHINES} at most", is_element=True)


def _elements(value: object, path: Path) -> Iterator[tuple[Path, Crew | ByFormat[Any]]]:
    """Yield every crew and every value by format within a value, with its path."""
    if isinstance(value, BaseModel):
        if isinstance(value, Crew | ByFormat):
            yield path, value
        # Fields that were not given have their defaults, in which there is neither.
        for name in value.model_fields_set:
            yield from _elements(getattr(value, name), (*path, name))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _elements(item, (*path, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _elements(item, (*path, index))


def _check_elements(factory: Factory, findings: Findings) -> None:
    most = {}
    for name, resource in factory.resources.items():
        shifts = resource.shifts
        most[name] = (
            resource.capacity if shifts is None else max(step.capacity for step in shifts.steps)
        )
    for path, element in _elements(factory.stations, ("stations",)):
        if isinstance(element, ByFormat):
            _check_by_format(element, (*path, "by_format"), factory, findings)
        elif element.resource not in most:
            findings.add_unknown((*path, "resource"), element.resource, most, "a resource")
        elif element.quantity > most[element.resource]:
            required = f"must be {most[element.resource]} at most, all that there ever are"
            found = f"{element.quantity} of {element.resource}"
            findings.add((*path, "quantity"), found, required)


def _check_by_format(
    value: ByFormat[Any], path: Path, factory: Factory, findings: Findings
) -> None:
    for name in value.by_format:
        if name not in factory.formats:
            findings.add_unknown((*path, name), name, factory.formats, "a format")
    missing = [name for name in factory.formats if name not in value.by_format]
    if missing:
        required = "must have a value for every format"
        findings.add(path, f"nothing for {', '.join(missing)}", required)


def _check_supply(factory: Factory, findings: Findings) -> None:
    formats = factory.formats
    for index, order in enumerate(factory.orders):
        if order.format not in formats:
            findings.add_unknown(("orders", index, "format"), order.format, formats, "a format")
    for name, arrivals in factory.arrivals.items():
        for format_name in arrivals.formats:
            if format_name not in formats:
                path: Path = ("arrivals", name, "formats", format_name)
                findings.add_unknown(path, format_name, formats, "a format")
        total = sum(arrivals.formats.values())
        if arrivals.formats and abs(total - 1) > SHARE_TOLERANCE:
            found = f"shares with a sum of {total:.6g}"
            findings.add(("arrivals", name, "formats"), found, "must sum to 1")
