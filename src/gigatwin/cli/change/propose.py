"""``gigatwin propose``: a change of the plant, checked and with its predicted effect."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from typing import TYPE_CHECKING, Annotated

import typer

from gigatwin.cli.change.opening import (
    REFUSED,
    By,
    HistorianUrl,
    Opened,
    open_desk,
    refusals,
    signer_of,
)
from gigatwin.cli.changes import read_changes
from gigatwin.cli.failures import OptionError
from gigatwin.cli.options import AsJson, Seed, StoreFolder, read_share, read_time

if TYPE_CHECKING:
    from gigatwin.twin.changes import Baseline


def propose(  # noqa: PLR0913 - one parameter for each option
    line: Annotated[
        str | None,
        typer.Argument(
            metavar="LINE",
            help="A description (YAML), or a name of the library; left out, that of the store.",
        ),
    ] = None,
    *,
    store: StoreFolder,
    reason: Annotated[
        str,
        typer.Option(metavar="TEXT", help="Why; it stays in the record.", show_default=False),
    ],
    by: By,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="What to change, such as winding.speed=1.05 or winding.settings.vf='0.45 m/s'; "
            "repeatable. What has no tag (a buffer, a rule) is for a person to carry out.",
        ),
    ] = None,
    product_format: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="Format to change over to.")
    ] = None,
    watch: Annotated[
        str, typer.Option(metavar="TIME", help="How long the change is watched afterwards.")
    ] = "2 h",
    watched: Annotated[
        list[str] | None,
        typer.Option(
            "--watch-station",
            metavar="NAME",
            help="Station whose good items and scrap are watched; repeatable; left out, those "
            "that are changed.",
        ),
    ] = None,
    looks: Annotated[
        int, typer.Option(metavar="N", help="How often it is judged in that time.")
    ] = 12,
    settle: Annotated[
        str, typer.Option(metavar="TIME", help="Time after the change that is not counted.")
    ] = "5 min",
    error: Annotated[
        str,
        typer.Option(
            metavar="SHARE", help="Probability that a change which does as predicted is undone."
        ),
    ] = "1%",
    baseline: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="How much of what the plant did before puts the prediction right, so that a "
            "model that is off does not undo the change; 0 s: nothing.",
        ),
    ] = "8 h",
    days: Annotated[
        float, typer.Option(metavar="D", help="Length of each simulated replication, in days.")
    ] = 3.0,
    replications: Annotated[
        int, typer.Option(metavar="N", help="Number of replications before and after the change.")
    ] = 10,
    seed: Seed = 1,
    historian: HistorianUrl = None,
    as_json: AsJson = False,
) -> None:
    """Propose a change: check it, predict its effect with intervals, and write it down.

    Judged are the description as a whole, ranges, limits, interlocks and process windows of
    machines, and whether the old values are known, so that it could be rolled back. Nothing
    reaches the plant before another person approves it. Exit code 1: not allowed, or refused.
    """
    values = read_changes(settings or [])
    if not values and product_format is None:
        message = "--set: nothing to change; for example --set winding.speed=1.05."
        raise OptionError(message)
    times = read_time(watch, "--watch"), read_time(settle, "--settle")
    before = read_time(baseline, "--baseline") or 0.0
    share = read_share(error, "--error")
    with refusals(), open_desk(store, line, historian) as opened:
        desk = opened.desk
        if desk.factory is None:
            message = f"--store {store}: no line.yaml in it; give the description of the line."
            raise OptionError(message)
        from gigatwin.twin.changes import Guard, Status
        from gigatwin.twin.changes.steady import SteadyState

        signer = signer_of(by)
        seen = _seen_before(opened, before)
        desk.predict = SteadyState(days=days, replications=replications, seed=seed, baselines=seen)
        guard = Guard(
            stations=tuple(watched or ()),
            watch=times[0] or 0.0,
            settle=times[1] or 0.0,
            looks=looks,
            error=share or 0.0,
        )
        history = desk.propose(
            values, reason=reason, by=signer, product_format=product_format, guard=guard
        )
    if as_json:
        from gigatwin.cli.change.change_data import data_of

        typer.echo(json.dumps(data_of(history), indent=2))
    else:
        from gigatwin.cli.change.change_tables import next_step, print_change

        print_change(history)
        step = next_step(history, str(store))
        if step:
            typer.echo(f"next: {step}")
    if history.status == Status.NOT_ALLOWED:
        raise typer.Exit(REFUSED)


def _seen_before(opened: Opened, seconds: float) -> "dict[str, Baseline]":
    """Return what stations did before, as far as readings tell it."""
    from gigatwin.twin.changes.baselines import seen_before

    desk, now = opened.desk, opened.plant_time
    if opened.historian is None or desk.book is None or desk.factory is None or now is None:
        return {}
    if seconds <= 0:
        return {}
    stations = desk.factory.stations
    return seen_before(desk.factory, stations, desk.book, opened.historian, now, seconds)
