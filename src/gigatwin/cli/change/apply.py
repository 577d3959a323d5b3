"""``gigatwin apply``: an approved change reaches the plant."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from gigatwin.cli.change.opening import (
    REFUSED,
    ChangeName,
    HistorianUrl,
    open_desk,
    refusals,
    signer_of,
)
from gigatwin.cli.failures import OptionError
from gigatwin.cli.options import AsJson, StoreFolder

if TYPE_CHECKING:
    from gigatwin.twin.changes import ChangeDesk, ChangeHistory

Sink = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Where the plant takes instructions: opc.tcp://..., mqtt://broker/group/node.",
    ),
]


def apply(  # noqa: PLR0913 - one parameter for each option
    change: ChangeName,
    *,
    store: StoreFolder,
    sink: Sink = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who asks for it; with --by-hand, who signs for it."),
    ] = None,
    is_by_hand: Annotated[
        bool,
        typer.Option(
            "--by-hand",
            help="Confirm that what no tag is known for was carried out, or undone, by hand.",
        ),
    ] = False,
    note: Annotated[
        str, typer.Option(metavar="TEXT", help="With --by-hand: what is worth knowing about it.")
    ] = "",
    historian: HistorianUrl = None,
    as_json: AsJson = False,
) -> None:
    """Write the values of an approved change to the plant, once.

    It is then watched by 'gigatwin sync', against its prediction, and kept, or rolled back by
    itself. What the plant does not accept is rolled back at once. Exit code 1: refused, which is
    recorded, or not accepted.
    """
    if is_by_hand == (sink is not None):
        message = "--sink URL writes values, --by-hand confirms what was done; give one of the two."
        raise OptionError(message)
    if is_by_hand and by is None:
        message = "--by-hand: nobody signs for it; give --by NAME."
        raise OptionError(message)
    from gigatwin.twin.changes import Status

    with refusals(), open_desk(store, historian=historian) as opened:
        plant_time = opened.plant_time
        if sink is None:
            history = opened.desk.confirm(change, signer_of(str(by)), note, plant_time)
        else:
            who = by or "gigatwin"
            history = asyncio.run(_write(opened.desk, change, sink, who, plant_time))
    _show(history, str(store), as_json=as_json)
    fine = {Status.WATCHED, Status.APPROVED, *([Status.ROLLED_BACK] if is_by_hand else [])}
    if history.status not in fine:
        raise typer.Exit(REFUSED)


async def _write(
    desk: "ChangeDesk", change: str, url: str, by: str, plant_time: float | None
) -> "ChangeHistory":
    """Apply a change; what was not accepted is rolled back while the connection stands."""
    from gigatwin.app.connections import open_sink
    from gigatwin.twin.changes import Status

    desk.require_applicable(change, by)
    sink = open_sink(url, is_writable=True)
    await sink.open()
    try:
        history = await desk.apply(change, sink, by=by, plant_time=plant_time)
        if history.status == Status.ROLLING_BACK:
            await desk.settle(sink)
    finally:
        await sink.close()
    return desk.find(change)


def _show(history: "ChangeHistory", store: str, *, as_json: bool) -> None:
    if as_json:
        from gigatwin.cli.change.change_data import data_of

        typer.echo(json.dumps(data_of(history), indent=2))
        return
    from gigatwin.cli.change.change_tables import next_step, print_steps

    print_steps(history.entries)
    typer.echo(f"{history.change} is {history.status}. {history.outcome}".strip())
    step = next_step(history, store)
    if step:
        typer.echo(f"next: {step}")
