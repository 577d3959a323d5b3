"""The command ``gigatwin`` and its sub-commands."""

from collections.abc import Callable
from typing import Annotated, cast

import typer

from gigatwin.cli.compare import compare
from gigatwin.cli.demo import demo
from gigatwin.cli.failures import reports_failures
from gigatwin.cli.learn import learn
from gigatwin.cli.new import new
from gigatwin.cli.run import run
from gigatwin.cli.schema import schema
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
    schema: ("gigatwin schema", "gigatwin schema --output gigatwin.schema.json"),
    learn: (
        "gigatwin learn log.csv --output line.yaml",
        "gigatwin learn log.csv --mapping map.yaml --output line.yaml",
    ),
    verify: (
        "gigatwin verify line.yaml later.csv",
        "gigatwin verify line.yaml log.csv --mapping map.yaml --replications 40",
        "gigatwin verify line.yaml later.csv --parameters uncertain --json",
    ),
    demo: ("gigatwin demo", "gigatwin demo --output line.html --days 1"),
}

for _command, _lines in _EXAMPLES.items():
    app.command(epilog="\b\nExamples:\n" + "\n".join(f"  {line}" for line in _lines))(
        reports_failures(cast("Callable[..., None]", _command))
    )

__all__ = ["app"]
