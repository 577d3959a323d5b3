"""``gigatwin approve``: a person says yes, or no, to a change."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from typing import Annotated

import typer

from gigatwin.cli.change.opening import By, ChangeName, refusals, signer_of
from gigatwin.cli.options import AsJson, StoreFolder


def approve(  # noqa: PLR0913 - one parameter for each option
    change: ChangeName,
    *,
    store: StoreFolder,
    by: By,
    hours: Annotated[
        float, typer.Option(metavar="H", help="How long the approval holds, in hours.")
    ] = 8.0,
    decline: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Say no instead, and why; the change is closed."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Approve a change, for exactly its values and its prediction, with your signature.

    You need the right to approve, for its stations and speeds; who proposed it needs another
    person. Look at it first with 'gigatwin changes show'. Exit code 1: refused, which is recorded.
    """
    from gigatwin.cli.change.opening import open_store
    from gigatwin.twin.changes import ChangeDesk

    open_store(store)
    with refusals():
        desk = ChangeDesk(store)
        signer = signer_of(by)
        if decline is None:
            history = desk.approve(change, signer, hours)
        else:
            history = desk.decline(change, signer, decline)
    if as_json:
        from gigatwin.cli.change.change_data import data_of

        typer.echo(json.dumps(data_of(history), indent=2))
        return
    from gigatwin.cli.change.change_tables import next_step, print_change

    print_change(history)
    if decline is None:
        typer.echo(f"approved by {by} for {hours:g} h")
    step = next_step(history, str(store))
    if step:
        typer.echo(f"next: {step}")
