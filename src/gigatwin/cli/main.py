"""The command ``gigatwin`` and its sub-commands."""

from collections.abc import Callable
from typing import Annotated, Any, cast

import typer

from gigatwin.cli.change import registration as change
from gigatwin.cli.compare import compare
from gigatwin.cli.connect import browse, confirm
from gigatwin.cli.demo import demo
from gigatwin.cli.failures import reports_failures
from gigatwin.cli.history import HISTORY_EXAMPLES, history
from gigatwin.cli.learn import learn
from gigatwin.cli.machine import check as machine_check
from gigatwin.cli.machine import compare as machine_compare
from gigatwin.cli.machine import limits as machine_limits
from gigatwin.cli.machine import new as machine_new
from gigatwin.cli.machine import show as machine_show
from gigatwin.cli.machine import tune as machine_tune
from gigatwin.cli.new import new
from gigatwin.cli.plant import plant
from gigatwin.cli.run import run
from gigatwin.cli.schema import schema
from gigatwin.cli.status import status
from gigatwin.cli.sync import sync
from gigatwin.cli.validate import validate
from gigatwin.cli.verify import verify

app = typer.Typer(
    name="gigatwin",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Plain help: Rich would take longer to import than the rest.
    rich_markup_mode=None,
    epilog=(
        "\b\nFirst steps:\n"
        "  gigatwin demo                                  see it work, with a report\n"
        "  gigatwin new my-line --template assembly-46    a description to start from\n"
        "  gigatwin run my-line.yaml --days 7             simulate it\n"
        "  gigatwin COMMAND --help                        options and examples of a command"
    ),
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - called by Typer
    if wanted:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - rarely needed

        try:
            typer.echo(f"gigatwin {version('gigatwin')}")
        except PackageNotFoundError:
            typer.echo("gigatwin (not installed, run from its sources)")
        raise typer.Exit


@app.callback()
def gigatwin(
    *,
    is_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Describe a manufacturing line, or learn it from a log; simulate it; compare changes."""
    del is_version


_EXAMPLES = {
    run: (
        "gigatwin run my-line.yaml --days 7 --replications 10",
        "gigatwin run my-line.yaml --set winding.speed=1.1 --report out.html",
        'gigatwin run assembly-46 --days 2 --set "winding.stops.micro_stop.every=20 min"',
        "gigatwin run assembly-46 --parameters start-of-production --json",
        "gigatwin run two-machine --days 1 --precision 1% --trace events.parquet",
    ),
    compare: (
        "gigatwin compare my-line.yaml --scenario faster:winding.speed=1.05",
        'gigatwin compare my-line.yaml --scenario "both:winding.speed=1.05,filling.machines=3" \\',
        "    --scenario buffer:filling.buffer.capacity=300 --report comparison.html",
        "gigatwin compare my-line.yaml --scenario proposal:my-line-2.yaml",
        "gigatwin compare assembly-46 --scenario start-of-production --days 2",
    ),
    new: (
        "gigatwin new --list",
        "gigatwin new my-line --template assembly-46",
        "gigatwin new press-shop --template two-machine --output lines/press-shop.yaml",
    ),
    validate: ("gigatwin validate my-line.yaml", "gigatwin validate lines/*.yaml --json"),
    schema: (
        "gigatwin schema",
        "gigatwin schema --output gigatwin.schema.json",
        "gigatwin schema --of machine --output machine.schema.json",
    ),
    learn: (
        "gigatwin learn log.csv --output line.yaml",
        "gigatwin learn log.csv --mapping map.yaml --output line.yaml",
    ),
    verify: (
        "gigatwin verify line.yaml later.csv",
        "gigatwin verify line.yaml log.csv --mapping map.yaml --replications 40",
        "gigatwin verify line.yaml later.csv --parameters uncertain --json",
    ),
    plant: (
        "gigatwin plant assembly-46 --opcua opc.tcp://127.0.0.1:4840",
        "gigatwin plant my-line.yaml --sparkplug mqtt://127.0.0.1:1883 --speed 10",
        "gigatwin plant my-line.yaml --namespace mqtt://127.0.0.1 --misbehave lost=1%,late=1%",
    ),
    sync: (
        "gigatwin sync my-line.yaml --source opc.tcp://127.0.0.1 --store twin --mapping map.yaml",
        "gigatwin sync my-line.yaml --source mqtt://127.0.0.1:1883 --store twin --write",
    ),
    status: ("gigatwin status --store twin", "gigatwin status --store twin --json"),
    demo: (
        "gigatwin demo",
        "gigatwin demo --output line.html --days 1",
        "gigatwin demo --live",
    ),
}

connect = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="What equipment offers over its interface, and what its tags are in the factory.",
)
_CONNECT_EXAMPLES = {
    browse: (
        "gigatwin connect browse opc.tcp://127.0.0.1:4840",
        "gigatwin connect browse mqtt://127.0.0.1:1883 --line my-line.yaml -o map.yaml",
    ),
    confirm: ('gigatwin connect confirm map.yaml --line my-line.yaml --by "Ada Lovelace"',),
}

machine = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="One machine, down to its axes: cycle time, process window, limits, better settings.",
    epilog=(
        "\b\nFirst steps:\n"
        "  gigatwin machine show winder                   its cycle, and what sets it\n"
        "  gigatwin machine check winder --change vf='0.45 m/s'   may it be, and what it does\n"
        "  gigatwin machine tune winder                   better settings, step by step\n"
        "  gigatwin machine new my-machine                a description to start from"
    ),
)
_MACHINE_EXAMPLES = {
    machine_show.show: (
        "gigatwin machine show winder",
        "gigatwin machine show my-winder.yaml --format 46120 --report winder.html",
        "gigatwin machine show winder --set v='2 m/s',a='2 m/s^2' --json",
    ),
    machine_check.check: (
        "gigatwin machine check winder --change v='2.5 m/s',vf='0.45 m/s'",
        "gigatwin machine check filler --format 46110 --change wet='25 s' --json",
        "gigatwin machine check winder --dimension height='130 mm'",
    ),
    machine_tune.tune: (
        "gigatwin machine tune winder --format 4680",
        "gigatwin machine tune equipment-46 --yield-loss 0.5% --output tuned.yaml",
        "gigatwin machine tune my-line.yaml --format 46120 --robust --json",
    ),
    machine_compare.compare: (
        "gigatwin machine compare winder --scenario faster:v='2 m/s',a='2 m/s^2'",
        "gigatwin machine compare winder --scenario proposal:my-winder.yaml --format 4695",
    ),
    machine_limits.limits: (
        "gigatwin machine limits equipment-46",
        "gigatwin machine limits my-line.yaml --days 5 --replications 20 --json",
    ),
    machine_new.new: (
        "gigatwin machine new --list",
        "gigatwin machine new my-winder --template winder",
    ),
}


def _add(to: typer.Typer, commands: dict[Any, tuple[str, ...]]) -> None:
    """Add commands with the examples that their help ends with."""
    for command, lines in commands.items():
        _add_named(to, None, command, lines)


def _add_named(to: typer.Typer, name: str | None, command: object, lines: tuple[str, ...]) -> None:
    """Add a command under a name, None for its own."""
    to.command(name, epilog="\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines))(
        reports_failures(cast("Callable[..., None]", command))
    )


_add(app, _EXAMPLES)
_add(machine, _MACHINE_EXAMPLES)
app.add_typer(machine, name="machine")
_add(connect, _CONNECT_EXAMPLES)
app.add_typer(connect, name="connect")
_add(history, HISTORY_EXAMPLES)
app.add_typer(history, name="history")
_add(app, change.EXAMPLES)
for group, name, named in (
    (change.changes, "changes", change.CHANGES_EXAMPLES),
    (change.people, "people", change.PEOPLE_EXAMPLES),
):
    for own_name, (command, lines) in named.items():
        _add_named(group, own_name, command, lines)
    app.add_typer(group, name=name)

__all__ = ["app"]
