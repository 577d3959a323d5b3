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

    The parameter sets of a description are tried, too.
    """
    from gigatwin.factory.changes import with_parameter_set
    from gigatwin.factory.reading import load

    reports: list[dict[str, Any]] = []
    for file in files:
        report: dict[str, Any] = {"file": file, "is_valid": True, "problems": []}
        try:
            factory = load(file)
            report |= _counts(factory)
            for name in factory.parameter_sets:
                with_parameter_set(factory, name)
        except FactoryError as error:
            report |= {"is_valid": False, "problems": [asdict(item) for item in error.problems]}
            if not as_json:
                report_error(error)
        else:
            if not as_json:
                counts = ", ".join(_counted(what, n) for what, n in _counts(factory).items() if n)
                typer.echo(f"{file}: ok ({counts})")
        reports.append(report)
    if as_json:
        typer.echo(json.dumps(reports, indent=2))
    if not all(report["is_valid"] for report in reports):
        raise typer.Exit(BAD_INPUT)


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
    return f"{n} {words.removesuffix('s') if n == 1 else words}"
