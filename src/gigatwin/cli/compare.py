"""``gigatwin compare``: what changes do, against the same luck."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

from typing import TYPE_CHECKING, Annotated

import typer

from gigatwin.cli.changes import split_scenario
from gigatwin.cli.failures import OptionError
from gigatwin.cli.options import (
    REPORT_ENDINGS,
    AsJson,
    Days,
    ParameterSets,
    Replications,
    Report,
    Seed,
    Threads,
    WarmUp,
    read_time,
    replications_for,
    split_parameters,
)
from gigatwin.cli.outputs import pending_outputs
from gigatwin.cli.progress import note_compilation, progress_bar

if TYPE_CHECKING:
    from gigatwin.factory.factory import Factory


def compare(  # noqa: PLR0913 - one parameter for each option
    base: Annotated[
        str,
        typer.Argument(
            metavar="BASE", help="What to compare with: a description, or a name of the library."
        ),
    ],
    *,
    scenarios: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            metavar="NAME:FIELD=VALUE[,FIELD=VALUE]",
            help="Changes under a name; or NAME:FILE, another description; or the name of a "
            "parameter set of the base. Repeatable; left out, all parameter sets are compared.",
        ),
    ] = None,
    days: Days = 7.0,
    replications: Replications = None,
    seed: Seed = 1,
    warm_up: WarmUp = None,
    threads: Threads = None,
    parameters: ParameterSets = None,
    as_json: AsJson = False,
    report: Report = None,
) -> None:
    """Compare scenarios with a base: paired differences with 95 % intervals.

    All meet the same breakdowns and the same variation wherever a change leaves them alone, so that
    a difference shows after few replications. With uncertain parameters, base and scenarios share
    the draw of each replication, too.
    """
    given = _read_scenarios(scenarios or [])
    start = read_time(warm_up, "--warm-up")
    sets, kind = split_parameters(parameters)
    files = [base, *(what for what in given.values() if isinstance(what, str))]
    outputs = {"--report": report}
    with pending_outputs(outputs, files, {"--report": REPORT_ENDINGS}) as paths:
        from gigatwin.factory.changes import with_parameter_set
        from gigatwin.factory.reading import load

        factory = load(base)
        for name in sets:
            factory = with_parameter_set(factory, name)
        factories = _factories(factory, base, given)
        note_compilation()
        from gigatwin.studies.comparison import compare as compare_factories

        with progress_bar("simulating") as progress:
            comparison = compare_factories(
                factory,
                factories,
                days=days,
                replications=replications_for(replications, kind),
                seed=seed,
                warm_up=start,
                threads=threads,
                progress=progress,
                parameters=kind,
            )
        if report is not None:
            from gigatwin.app.report import write_report

            write_report(paths["--report"], comparison.base, comparison)
    if as_json:
        typer.echo(comparison.to_json())
        return
    from gigatwin.cli.compare_tables import print_comparison

    print_comparison(comparison)
    if report is not None:
        typer.echo(f"report written to {report}")


def _read_scenarios(texts: list[str]) -> dict[str, dict[str, object] | str | None]:
    scenarios: dict[str, dict[str, object] | str | None] = {}
    for text in texts:
        name, what = split_scenario(text)
        if name in scenarios:
            message = f"--scenario {name}: given twice; must have a name of its own."
            raise OptionError(message)
        scenarios[name] = what
    return scenarios


def _factories(
    factory: "Factory", base: str, given: dict[str, dict[str, object] | str | None]
) -> "dict[str, Factory]":
    from gigatwin.factory.changes import with_changes, with_parameter_set
    from gigatwin.factory.reading import load

    if not given:
        given = dict.fromkeys(factory.parameter_sets)
    if not given:
        message = (
            f"{base}: has no parameter sets to compare; give a --scenario such as "
            f"faster:{next(iter(factory.stations))}.speed=1.05."
        )
        raise OptionError(message)
    return {
        name: with_parameter_set(factory, name)
        if what is None
        else load(what)
        if isinstance(what, str)
        else with_changes(factory, what, f"scenario {name}")
        for name, what in given.items()
    }
