"""``gigatwin validate``: every problem of a description at once."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gigatwin.cli.failures import BAD_INPUT, report_error
from gigatwin.cli.options import AsJson
from gigatwin.errors import FactoryError

if TYPE_CHECKING:
    from gigatwin.factory.factory import Factory


def validate(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Descriptions (YAML), or names of the library."),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Check descriptions: all problems with line, what was found and what is required.

    Both descriptions of factories and of machines are understood. The parameter sets of a factory
    and the machines that its stations name are tried, too.
    """
    reports: list[dict[str, Any]] = []
    for file in files:
        report: dict[str, Any] = {"file": file, "is_valid": True, "problems": []}
        try:
            report |= _checked(file)
        except FactoryError as error:
            report |= {"is_valid": False, "problems": [asdict(item) for item in error.problems]}
            if not as_json:
                report_error(error)
        else:
            if not as_json:
                counts = {what: n for what, n in report.items() if type(n) is int and n}
                shown = ", ".join(_counted(what, n) for what, n in counts.items())
                typer.echo(f"{file}: ok ({shown})")
        reports.append(report)
    if as_json:
        typer.echo(json.dumps(reports, indent=2))
    if not all(report["is_valid"] for report in reports):
        raise typer.Exit(BAD_INPUT)


def _checked(file: str) -> dict[str, int]:
    """Return how many elements of each sort a description has; raise if it cannot be used."""
    from gigatwin.equipment.model.reading import is_machine, load_machine
    from gigatwin.equipment.station_machines import with_cycle_models
    from gigatwin.factory.changes import with_parameter_set
    from gigatwin.factory.reading import load

    if is_machine(file):
        machine = load_machine(file).machine
        parts = ("formats", "settings", "axes", "dials", "activities", "defects", "stops")
        return {part: len(getattr(machine, part)) for part in parts}
    factory = load(file)
    with_cycle_models(factory)
    for name in factory.parameter_sets:
        with_cycle_models(with_parameter_set(factory, name))
    return _counts(factory)


def _counts(factory: "Factory") -> dict[str, int]:
    """Return how many elements of each sort a factory has."""
    from gigatwin.factory.elements import described_elements

    stations = factory.stations.values()
    return {
        "stations": len(factory.stations),
        "machines": sum(getattr(station, "machines", 1) for station in stations),
        "formats": len(factory.formats),
        "resources": len(factory.resources),
        "orders": len(factory.orders),
        "parameter_sets": len(factory.parameter_sets),
        "estimates": sum(len(element.estimates) for _, element in described_elements(factory)),
    }


def _counted(what: str, n: int) -> str:
    words = what.replace("_", " ")
    one = f"{words.removesuffix('ies')}y" if words.endswith("ies") else words.removesuffix("s")
    return f"{n} {one if n == 1 else words}"
