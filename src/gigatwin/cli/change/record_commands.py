"""``gigatwin changes``: what was changed and why, and whether the record is as it was written."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from gigatwin.cli.change.apply import Sink
from gigatwin.cli.change.opening import (
    REFUSED,
    By,
    ChangeName,
    open_desk,
    open_store,
    refusals,
    signer_of,
)
from gigatwin.cli.options import AsJson, StoreFolder

if TYPE_CHECKING:
    from gigatwin.twin.changes import ChangeDesk, ChangeHistory


def list_changes(  # noqa: PLR0913 - one parameter for each option
    *,
    store: StoreFolder,
    text: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Only changes whose steps have these words anywhere."),
    ] = None,
    station: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only changes that touch or watch this station."),
    ] = None,
    person: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only changes this person had part in.")
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(metavar="STATUS", help="Only changes that stand there: kept, 'rolled back'."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List changes with their reason and what became of them, the oldest first."""
    from gigatwin.twin.changes import search

    found = search(
        open_store(store).changes().values(),
        text=text,
        station=station,
        person=person,
        outcome=outcome,
    )
    if as_json:
        from gigatwin.cli.change.change_data import data_of

        typer.echo(json.dumps([data_of(history) for history in found], indent=2))
        return
    from gigatwin.cli.change.change_tables import moment
    from gigatwin.cli.tables import console, table

    rows = [
        (
            history.change,
            moment(history.entries[0].time),
            history.status.value,
            history.proposal.what,
            history.proposal.proposer,
            history.proposal.reason,
            history.outcome,
        )
        for history in found
    ]
    headers = ("change", "proposed", "status", "what", "by", "why", "outcome")
    console().print(table("Changes", headers, rows, n_names=7))


def show(*, change: ChangeName, store: StoreFolder, as_json: AsJson = False) -> None:
    """Show a change: what, why, checks, predicted effect, and every step so far."""
    history = open_store(store).find(change)
    if as_json:
        from gigatwin.cli.change.change_data import data_of

        typer.echo(json.dumps(data_of(history), indent=2))
        return
    from gigatwin.cli.change.change_tables import next_step, print_change, print_steps

    print_change(history)
    print_steps(history.entries)
    step = next_step(history, str(store))
    if step:
        typer.echo(f"next: {step}")


def verify(
    *,
    store: StoreFolder,
    head: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER:HASH",
            help="A head that was printed earlier and kept elsewhere; the record must still have "
            "it.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that no entry of the record was changed, removed, added or moved, and who signed.

    Whoever can write to the folder can compute a whole new record, but not the signatures in it:
    nothing before the last approval can be rewritten unnoticed. For what came after it, keep the
    head that is printed here somewhere else, and give it to a later check. Exit code 1: a flaw.
    """
    found, wrong = open_store(store).verify(head)
    flaws = [*found.flaws, *wrong]
    if as_json:
        data = {
            "is_whole": not flaws,
            "n_entries": found.n_entries,
            "head": found.head.text,
            "n_unfinished_bytes": found.n_unfinished,
            "flaws": [{"entry": flaw.number, "text": flaw.text} for flaw in flaws],
        }
        typer.echo(json.dumps(data, indent=2))
    else:
        for flaw in flaws:
            typer.echo(str(flaw))
        if found.n_unfinished:
            typer.echo(
                f"{found.n_unfinished} bytes after the last entry were never acknowledged; the "
                "next entry puts them aside"
            )
        answer = "NOT as it was written" if flaws else "as it was written, signatures hold"
        typer.echo(f"{found.n_entries} entries: {answer}; head {found.head.text}")
    if flaws:
        raise typer.Exit(REFUSED)


def rollback(
    change: ChangeName,
    *,
    store: StoreFolder,
    by: By,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; stays in the record.", show_default=False)
    ],
    sink: Sink = None,
) -> None:
    """Roll back a change that is watched or was kept: the old values are written.

    Without --sink a running 'gigatwin sync --write' does it. Exit code 1: refused, or not accepted.
    """
    from gigatwin.twin.changes import Status

    with refusals(), open_desk(store) as opened:
        desk = opened.desk
        history = desk.roll_back(change, signer_of(by), reason)
        if sink is not None:
            history = asyncio.run(_settled(desk, history.change, sink))
    typer.echo(f"{history.change} is {history.status}. {history.outcome}".strip())
    if history.status == Status.ROLLBACK_FAILED:
        raise typer.Exit(REFUSED)


async def _settled(desk: "ChangeDesk", change: str, url: str) -> "ChangeHistory":
    from gigatwin.app.connections import open_sink

    sink = open_sink(url, is_writable=True)
    await sink.open()
    try:
        await desk.settle(sink)
    finally:
        await sink.close()
    return desk.find(change)
