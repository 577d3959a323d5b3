"""``gigatwin verify``: a description against a log of what really happened."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from pathlib import Path
from typing import Annotated

import typer

from gigatwin.cli.learn_states import check_states_mapping, read_states
from gigatwin.cli.options import (
    AsJson,
    LogMapping,
    ParameterSets,
    Seed,
    Source,
    StatesMapping,
    Threads,
    WarmUp,
    read_time,
    split_parameters,
)
from gigatwin.cli.progress import note_compilation, progress_bar

DIFFERS = 1
"""Exit code of a line that is not verified."""


def verify(  # noqa: PLR0913 - one parameter for each option
    file: Source,
    log: Annotated[
        Path,
        typer.Argument(
            metavar="LOG", help="Who was where and when, in any form that gigatwin learn reads."
        ),
    ],
    *,
    mapping: LogMapping = None,
    states: Annotated[
        Path | None,
        typer.Option(
            metavar="STATES",
            help="States of the machines beside the log: their shares of time are compared, too.",
        ),
    ] = None,
    states_mapping: StatesMapping = None,
    replications: Annotated[
        int, typer.Option(metavar="N", help="Number of simulated logs, 5 or more.")
    ] = 20,
    seed: Seed = 1,
    parameters: ParameterSets = None,
    warm_up: WarmUp = None,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Compare a line with a log, and say where they differ by more than chance.

    The line is simulated for as long as the log lasts, again and again, and each simulated log is
    measured like the real one. Exit code 0: the line agrees with the log. 1: it differs by more
    than chance, the log is too short to tell, or a simulation could not go on. 2: bad input.
    """
    start = read_time(warm_up, "--warm-up")
    check_states_mapping(states, states_mapping)
    sets, kind = split_parameters(parameters)
    from gigatwin.events.case_log import read_case_log
    from gigatwin.events.log_mapping import read_case_mapping
    from gigatwin.factory.changes import with_parameter_set
    from gigatwin.factory.reading import load

    factory = load(file)
    for name in sets:
        factory = with_parameter_set(factory, name)
    cases = read_case_log(log, read_case_mapping(mapping) if mapping else None)
    recorded = read_states(states, states_mapping)
    note_compilation()
    from gigatwin.learning.check.verification import verify as verify_factory

    with progress_bar("simulating") as progress:
        found = verify_factory(
            factory,
            cases,
            replications=replications,
            seed=seed,
            parameters=kind,
            states=recorded,
            warm_up=start,
            threads=threads,
            progress=progress,
        )
    if as_json:
        data = found.to_dict() | {
            "guesses": list(cases.guesses),
            "states_guesses": list(recorded.guesses) if recorded else [],
            "warnings": list(cases.warnings),
        }
        typer.echo(json.dumps(data, indent=2))
    else:
        from gigatwin.cli.verify_tables import print_verification

        print_verification(found, cases, recorded)
    if not found.is_accepted:
        raise typer.Exit(DIFFERS)
