"""``gigatwin machine tune``: the best settings under a yield floor, step by step."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gigatwin.cli.failures import OptionError
from gigatwin.cli.machine.sources import LineSource, plain, read_groups
from gigatwin.cli.options import AsJson, read_share
from gigatwin.cli.outputs import pending_outputs
from gigatwin.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gigatwin.equipment.line import MachineGroup
    from gigatwin.equipment.robustness import OtherKnees
    from gigatwin.equipment.tuning import Tuning
    from gigatwin.factory.factory import Factory


def tune(  # noqa: PLR0913 - one parameter for each option
    file: LineSource,
    *,
    yield_loss: Annotated[
        str,
        typer.Option(
            metavar="SHARE",
            help="By how much the first pass yield may fall below that of today's settings.",
        ),
    ] = "0.5%",
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", metavar="NAME", help="Format to tune for; repeatable; left out: all."
        ),
    ] = None,
    is_robust: Annotated[
        bool,
        typer.Option(
            "--robust",
            help="Also tell what is gained if the knees of the defect curves lie 20 % elsewhere "
            "than described, with these settings and with new ones.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the line with the settings found (before any new hardware).",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the settings that make most good items, class after class of changes.

    First what costs nothing (event-driven waits), then overlap, then dynamics and recipes, then
    hardware that the descriptions declare. Limits, interlocks and process windows are kept. It
    takes some seconds for one machine, and about a minute for a line of six in each format.
    """
    share = read_share(yield_loss, "--yield-loss")
    with pending_outputs({"--output": output}, [file]) as paths:
        name, groups, factory = read_groups(file)
        if output is not None and factory is None:
            message = (
                "--output: a machine's settings belong to a station of a line; tune a factory "
                "whose station names it, or take them from --json."
            )
            raise OptionError(message)
        if output is not None and factory is not None and formats is not None:
            missing = [name for name in factory.formats if name not in formats]
            if missing:
                message = f"--output: needs {', '.join(missing)} tuned, too; leave --format out."
                raise OptionError(message)
        tunings = _tuned(groups, formats, 0.0 if share is None else share)
        robustness = {t.product_format: _robustness(groups, t) for t in tunings if is_robust}
        if output is not None and factory is not None:
            _write(factory, groups, tunings, paths["--output"])
    if as_json:
        typer.echo(json.dumps(plain([_data(t, robustness) for t in tunings]), indent=2))
        return
    from gigatwin.cli.machine.tune_tables import print_tunings

    print_tunings(name, groups, tunings, robustness)
    if output is not None:
        typer.echo(f"line with these settings written to {output}")


def _tuned(
    groups: "Sequence[MachineGroup]", formats: list[str] | None, yield_loss: float
) -> "list[Tuning]":
    from gigatwin.equipment.line import formats_of
    from gigatwin.equipment.tuning import tune as tune_line

    wanted = formats or formats_of(groups)
    found = []
    with progress_bar("tuning") as progress:
        for name in wanted:
            done = 0.0

            def report(step: str, share: float) -> None:
                del step
                nonlocal done
                if progress is not None and share > done:
                    progress(share - done, len(wanted) * _steps(groups))
                done = 0.0 if share >= 1 else share

            found.append(tune_line(groups, name, yield_loss, progress=report))
    return found


def _steps(groups: "Sequence[MachineGroup]") -> int:
    from gigatwin.equipment.tuning import number_of_steps

    return number_of_steps(groups)


def _robustness(groups: "Sequence[MachineGroup]", tuning: "Tuning") -> "list[OtherKnees]":
    from gigatwin.equipment.robustness import usual_moves, with_other_knees

    moves = usual_moves(groups)
    with progress_bar(f"other knees, {tuning.product_format}") as progress:
        found = []
        for name, factors in moves.items():
            found.append(with_other_knees(groups, tuning, name, factors))
            if progress is not None:
                progress(1.0, len(moves))
        return found


def _data(tuning: "Tuning", robustness: "dict[str, list[OtherKnees]]") -> dict[str, object]:
    data: dict[str, object] = {
        "format": tuning.product_format,
        "least_first_pass_yield": tuning.floor,
        "steps": [
            {
                "name": step.name,
                "good_rate [item/s]": step.good_rate,
                "gain": step.gain,
                "first_pass_yield": step.line.first_pass_yield,
                "bottleneck": step.line.bottleneck,
                "settings [SI]": step.settings,
            }
            for step in tuning.steps
        ],
    }
    if tuning.product_format in robustness:
        data["knees"] = [asdict(row) for row in robustness[tuning.product_format]]
    return data


def _write(
    factory: "Factory", groups: "Sequence[MachineGroup]", tunings: "list[Tuning]", path: Path
) -> None:
    """Write the line with the settings of the last step without new hardware."""
    from gigatwin.cli.machine.numbers import exact_setting
    from gigatwin.equipment.tuning import best_settings_step
    from gigatwin.factory.changes import with_changes
    from gigatwin.factory.writing import write

    changes: dict[str, object] = {}
    for group in groups:
        found = {}
        for name, known in group.model.settings.items():
            values = {
                t.product_format: best_settings_step(t).settings[group.name][name]
                for t in tunings
                if t.product_format in factory.formats
            }
            delivered = {key: known.default[key] for key in values}
            if values == delivered:
                continue
            texts = {key: exact_setting(value, known) for key, value in values.items()}
            same = len(set(texts.values())) == 1
            found[name] = next(iter(texts.values())) if same else {"by_format": texts}
        changes[f"{group.name}.settings"] = found
    write(with_changes(factory, changes, "tuning"), path)
