"""Options that several commands have, and what their texts mean."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gigatwin.cli.failures import OptionError

if TYPE_CHECKING:
    from gigatwin.simulation.result import Parameters

USUAL_REPLICATIONS = 10
UNCERTAIN_REPLICATIONS = 20
"""Replications with uncertain parameters: a spread needs more of them than a mean."""

Source = Annotated[
    str, typer.Argument(metavar="FILE", help="A description (YAML), or a name of the library.")
]
Days = Annotated[float, typer.Option(metavar="D", help="Length of each replication, in days.")]
Replications = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help=f"Number of independent replications of each; left out, {USUAL_REPLICATIONS}, and "
        f"{UNCERTAIN_REPLICATIONS} with uncertain parameters.",
        show_default=False,
    ),
]
ParameterSets = Annotated[
    list[str] | None,
    typer.Option(
        "--parameters",
        metavar="SET",
        help="Apply a parameter set of the description first; repeatable. 'uncertain' draws each "
        "learned number from its interval, anew in every replication: the results then say what "
        "is not known about the plant, and a line learned from few rows gets wide intervals.",
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Chooses the random numbers.")]
WarmUp = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help='Start that is not counted, e.g. "8 h"; left out, it is found.'
    ),
]
Threads = Annotated[
    int | None, typer.Option(metavar="N", help="Threads; left out, one for each core.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of tables (SI units, shares 0 to 1).")
]
Report = Annotated[
    Path | None, typer.Option(metavar="OUT.html", help="Write a report that opens in a browser.")
]

StatesMapping = Annotated[
    Path | None,
    typer.Option(
        metavar="MAP.yaml",
        help="What the columns and words of STATES mean; left out, they are guessed.",
    ),
]
LogMapping = Annotated[
    Path | None,
    typer.Option(
        metavar="MAP.yaml",
        help="What the columns mean (case, activity, machine, start, end, format, ...); left "
        "out, it is guessed and shown.",
    ),
]

StoreFolder = Annotated[
    Path, typer.Option("--store", metavar="DIR", help="Folder of the twin.", show_default=False)
]

REPORT_ENDINGS = (".html", ".htm")
"""Endings of the file name of a report."""


def split_parameters(given: list[str] | None) -> "tuple[list[str], Parameters]":
    """Return the parameter sets to apply, and whether the numbers are to be drawn."""
    sets = [name for name in given or [] if name != "uncertain"]
    return sets, "uncertain" if len(sets) < len(given or []) else "estimated"


def replications_for(given: int | None, parameters: "Parameters") -> int:
    """Return the number of replications; left out, it depends on the parameters."""
    if given is not None:
        return given
    return UNCERTAIN_REPLICATIONS if parameters == "uncertain" else USUAL_REPLICATIONS


def read_time(text: str | None, option: str) -> float | None:
    """Return the seconds that an option gives, None when it was not given."""
    return None if text is None else _read(text, "s", option)


def read_share(text: str | None, option: str) -> float | None:
    """Return the share that an option gives as ``0.01`` or ``1%``, None when it was not given."""
    return None if text is None else _read(text, "1", option)


def _read(text: str, unit: str, option: str) -> float:
    # The units bring pydantic with them, which help can do without.
    from gigatwin.units.reading import QuantityError, parse_quantity  # noqa: PLC0415 - heavy, and rarely needed

    try:
        return parse_quantity(text, unit)
    except QuantityError as error:
        message = f"{option}: {error.found}; {error.required}."
        raise OptionError(message) from None
