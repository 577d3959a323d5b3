"""``gigatwin run``: simulate a factory and print its KPIs."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

from pathlib import Path
from typing import Annotated

import typer

from gigatwin.cli.changes import read_changes
from gigatwin.cli.failures import OptionError
from gigatwin.cli.options import (
    REPORT_ENDINGS,
    AsJson,
    Days,
    ParameterSets,
    Replications,
    Report,
    Seed,
    Source,
    Threads,
    WarmUp,
    read_share,
    read_time,
    replications_for,
    split_parameters,
)
from gigatwin.cli.outputs import pending_outputs
from gigatwin.cli.progress import note_compilation, progress_bar


def run(  # noqa: PLR0913 - one parameter for each option
    file: Source,
    *,
    days: Days = 7.0,
    replications: Replications = None,
    seed: Seed = 1,
    warm_up: WarmUp = None,
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="Add replications until the 95 % interval of the throughput is within this "
            "share of it, e.g. 1%.",
        ),
    ] = None,
    threads: Threads = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="STATION.FIELD=VALUE",
            help="Change one field for this run, with its unit where it has one; repeatable.",
        ),
    ] = None,
    parameters: ParameterSets = None,
    as_json: AsJson = False,
    report: Report = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.parquet", help="Write every event of the first replication, one row each."
        ),
    ] = None,
) -> None:
    """Simulate a factory: throughput, lead time, OEE, bottleneck, with 95 % intervals."""
    fields = read_changes(changes or [])
    start = read_time(warm_up, "--warm-up")
    share = read_share(precision, "--precision")
    sets, kind = split_parameters(parameters)
    if share is not None and kind == "uncertain":
        message = (
            "--precision: with --parameters uncertain the interval does not shrink with "
            "replications; leave one of them out."
        )
        raise OptionError(message)
    outputs = {"--report": report, "--trace": trace}
    endings = {"--report": REPORT_ENDINGS, "--trace": (".parquet",)}
    with pending_outputs(outputs, [file], endings) as paths:
        from gigatwin.factory.changes import with_changes, with_parameter_set
        from gigatwin.factory.reading import load

        factory = load(file)
        for name in sets:
            factory = with_parameter_set(factory, name)
        if fields:
            factory = with_changes(factory, fields, "--set")
        note_compilation()
        from gigatwin.simulation.simulate import simulate

        with progress_bar("simulating") as progress:
            result = simulate(
                factory,
                days=days,
                replications=replications_for(replications, kind),
                seed=seed,
                warm_up=start,
                precision=share,
                threads=threads,
                trace=paths.get("--trace", False),
                progress=progress,
                parameters=kind,
            )
        if report is not None:
            from gigatwin.app.report import write_report

            write_report(paths["--report"], result)
    if as_json:
        typer.echo(result.to_json())
        return
    from gigatwin.cli.run_tables import print_result

    print_result(result)
    for option, path in outputs.items():
        if path is not None:
            typer.echo(f"{option.removeprefix('--')} written to {path}")
