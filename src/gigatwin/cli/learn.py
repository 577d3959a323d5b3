"""``gigatwin learn``: a description from an event log."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gigatwin.cli.options import AsJson
from gigatwin.cli.outputs import pending_outputs
from gigatwin.cli.progress import note_compilation
from gigatwin.errors import TelemetryError

if TYPE_CHECKING:
    from gigatwin.events.case_log import CaseLog
    from gigatwin.learning.holdout import Holdout
    from gigatwin.learning.learn import Learned


def learn(  # noqa: PLR0913 - one parameter for each option
    log: Annotated[Path, typer.Argument(metavar="LOG", help="Event log, CSV or Parquet.")],
    *,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="MAP.yaml",
            help="What the columns mean (case, activity, machine, start, end, ...); left out, it "
            "is guessed.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="LINE.yaml", help="Write the description here."),
    ] = None,
    is_holdout: Annotated[
        bool,
        typer.Option(
            "--holdout/--no-holdout",
            help="Learn from the first 70 % of the cases, foretell the others, compare.",
        ),
    ] = True,
    drop_duplicates: Annotated[
        bool,
        typer.Option(
            "--drop-duplicates", help="Leave out rows that repeat earlier ones; else an error."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Learn a description from a log of who worked on what and when."""
    inputs = [log, *([mapping] if mapping else [])]
    endings = {"--output": (".yaml", ".yml")}
    with pending_outputs({"--output": output}, inputs, endings) as paths:
        from gigatwin.events.case_log import read_case_log
        from gigatwin.events.log_mapping import read_case_mapping
        from gigatwin.factory.writing import write
        from gigatwin.learning.stations import slug

        cases = read_case_log(
            log,
            read_case_mapping(mapping) if mapping else None,
            drop_duplicates=drop_duplicates,
        )
        if is_holdout:
            note_compilation()
        from gigatwin.learning.holdout import holdout
        from gigatwin.learning.learn import learn as learn_factory

        learned = learn_factory(cases, slug((output or log).stem))
        scores = None
        if is_holdout:
            try:
                scores = holdout(cases)
            except TelemetryError as error:  # what was learned is worth keeping all the same
                typer.echo(f"No held-out scores: {error}", err=True)
        if output is not None:
            write(learned.factory, paths["--output"])
    if as_json:
        typer.echo(json.dumps(_data(cases, learned, scores), indent=2))
        return
    from gigatwin.cli.learn_tables import print_learned

    print_learned(cases, learned, scores)
    if output is not None:
        typer.echo(f"description written to {output}. Next: gigatwin run {output}")
    else:
        typer.echo("Nothing was written; --output line.yaml writes the description.")


def _data(cases: "CaseLog", learned: "Learned", scores: "Holdout | None") -> dict[str, Any]:
    """Return the tables as plain data; times in s."""
    columns = cases.mapping.model_dump(exclude_defaults=True) if cases.mapping else {}
    data: dict[str, Any] = {
        "factory": learned.factory.name,
        "n_cases": cases.n_cases,
        "n_activities": cases.activities.height,
        "columns": columns,
        "guesses": list(cases.guesses),
        "notes": list(learned.notes),
        "identified_ratio": learned.identified_ratio,
        "stations": learned.table().fill_nan(None).to_dicts(),
    }
    if scores is not None:
        data["holdout"] = {
            "mean_error": scores.mean_error,
            "wasserstein": scores.wasserstein,
            "kolmogorov_smirnov": scores.kolmogorov_smirnov,
            "n_left_out": scores.n_left_out,
            "stations": scores.table().fill_nan(None).to_dicts(),
        }
    return data
