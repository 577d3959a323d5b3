"""``gigatwin sync``: keep a model in step with a plant."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

from pathlib import Path
from typing import Annotated

import typer

from gigatwin.cli.failures import say
from gigatwin.cli.options import Source, StoreFolder


def sync(  # noqa: PLR0913 - one parameter for each option
    line: Source,
    *,
    source: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Where the plant is: opc.tcp://..., mqtt://broker/group/node, file:///log.csv",
            show_default=False,
        ),
    ],
    store: StoreFolder,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="MAP.yaml",
            help="What the tags are, confirmed by a person; left out, mapping.yaml of the store. "
            "'gigatwin connect browse' proposes one.",
        ),
    ] = None,
    historian: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Keep readings in this database (postgresql://...) and not in the store.",
        ),
    ] = None,
    is_writable: Annotated[
        bool,
        typer.Option(
            "--write",
            help="Let approved changes be written to the plant; without it nothing ever is.",
        ),
    ] = False,
) -> None:
    """Follow a plant: mirror its state, keep its readings, watch for drift.

    It can be ended or killed at any time and started again; what the plant said is kept once, and
    nothing is counted twice. 'gigatwin status' shows the twin meanwhile, from anywhere.
    """
    from gigatwin.app.sync_service import SyncOptions, run_sync

    run_sync(
        SyncOptions(
            line=line,
            source=source,
            store=store,
            mapping=mapping,
            historian=historian,
            is_writable=is_writable,
        ),
        say,
    )
