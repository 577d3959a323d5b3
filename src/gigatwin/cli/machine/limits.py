"""``gigatwin machine limits``: which axis of which machine limits a line."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from gigatwin.cli.failures import OptionError
from gigatwin.cli.machine.sources import plain
from gigatwin.cli.options import AsJson, Days, Replications, Seed, Source, Threads, replications_for
from gigatwin.cli.progress import note_compilation, progress_bar

if TYPE_CHECKING:
    from gigatwin.studies.attribution import Attribution

_MOST = 15


def limits(  # noqa: PLR0913 - one parameter for each option
    file: Source,
    *,
    days: Days = 2.0,
    replications: Replications = None,
    seed: Seed = 1,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Show which axis of which machine limits the good items of a line.

    Each station is made a little faster in turn, under the same luck, with buffers, stops and
    starving as they are; what its machine's settings do to its cycle and scrap does the rest.
    """
    from gigatwin.equipment.model.reading import is_machine
    from gigatwin.factory.reading import load

    if is_machine(file):
        message = (
            f"{file}: a machine; must be a factory whose stations name machines, such as "
            f"equipment-46. For one machine: gigatwin machine show {file}"
        )
        raise OptionError(message)
    factory = load(file)
    note_compilation()
    from gigatwin.studies.attribution import attribute

    with progress_bar("simulating") as progress:
        found = attribute(
            factory,
            days=days,
            replications=replications_for(replications, "estimated"),
            seed=seed,
            threads=threads,
            progress=progress,
        )
    if as_json:
        data = {
            "format": found.product_format,
            "stations": [asdict(share) for share in found.stations],
            "settings": [asdict(share) for share in found.settings],
        }
        typer.echo(json.dumps(plain(data), indent=2))
        return
    _print(found)


def _print(found: "Attribution") -> None:
    from gigatwin.cli.numbers import estimate
    from gigatwin.cli.tables import console, table

    out = console()
    rows = [(s.station, estimate(s.elasticity, s.low, s.high)) for s in found.stations]
    headers = ("station", "good items per 1 % of its speed [%]")
    out.print(table(f"Stations, {found.product_format}", headers, rows))
    shares = [
        (
            s.station,
            s.axis or "process",
            s.setting,
            s.description,
            s.lever,
            estimate(s.elasticity, s.low, s.high),
            f"{s.through_time:+.3f}",
            f"{s.through_yield:+.4f}",
        )
        for s in found.settings[:_MOST]
    ]
    columns = (
        "station", "axis", "setting", "what it is", "lever",
        "good items per 1 % of it [%]", "through time", "through yield",
    )  # fmt: skip
    out.print(table("Settings, the strongest first", columns, shares, n_names=5))
    first = found.settings[0] if found.settings else None
    if first is not None and not first.low <= 0 <= first.high:
        where = f"axis {first.axis}" if first.axis else "the process"
        out.print(f"The line is limited most by {where} of {first.station} ({first.setting}).")
