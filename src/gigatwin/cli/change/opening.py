"""Opening what the commands work with: the desk of a store, its tags, and keys of people."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gigatwin.cli.failures import OptionError, report_error

if TYPE_CHECKING:
    from gigatwin.telemetry.ports import Historian
    from gigatwin.twin.changes import ChangeDesk, ChangeStore, Signer
    from gigatwin.twin.changes.writes import TagBook

REFUSED = 1
"""Exit code of a step that was refused, or of a change that is not allowed."""
PASSPHRASE_VARIABLE = "GIGATWIN_PASSPHRASE"  # noqa: S105 - the name of a variable
"""Names the passphrase of a private key where nobody can be asked."""

ChangeName = Annotated[
    str, typer.Argument(metavar="CHANGE", help="The change, as 'changes list' names it: c3.")
]
By = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Who you are; your private key must be on this machine.",
        show_default=False,
    ),
]
HistorianUrl = Annotated[
    str | None,
    typer.Option(
        "--historian",
        metavar="URL",
        help="Where readings are kept, if not in the store (postgresql://...).",
    ),
]


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a refusal into its message and its exit code."""
    from gigatwin.twin.changes import RefusedError

    try:
        yield
    except RefusedError as error:
        report_error(error)
        raise typer.Exit(REFUSED) from None


def open_store(store: Path) -> "ChangeStore":
    """Return the record and the people of a store that is there.

    Raises
    ------
    OptionError
        If there is no such folder.
    """
    from gigatwin.twin.changes import ChangeStore

    return ChangeStore(_existing(store))


@dataclass(frozen=True)
class Opened:
    """The desk of a store, with what its twin has read."""

    desk: "ChangeDesk"
    historian: "Historian | None"
    """What was read; None: nothing yet, or nobody mapped the tags."""
    plant_time: float | None
    """Newest time that the plant has told. [s]"""


@contextmanager
def open_desk(
    store: Path, line: str | None = None, historian: str | None = None
) -> "Iterator[Opened]":
    """Yield the desk of a store, and what its twin has read.

    Parameters
    ----------
    store : Path
        Folder of the twin.
    line : str, optional
        Description of the line; left out, that of the store.
    historian : str, optional
        URL of the historian; left out, that of the store.
    """
    from gigatwin.factory.reading import load
    from gigatwin.twin.changes import ChangeDesk

    of_store = _existing(store) / "line.yaml"
    file = line or (str(of_store) if of_store.exists() else None)
    factory = None if file is None else load(file)
    with _tags(store, historian) as (book, kept):
        times = [] if kept is None else [each.source_time for each in kept.latest().values()]
        yield Opened(ChangeDesk(store, factory, book=book), kept, max(times, default=None))


@contextmanager
def _tags(
    store: Path, historian: str | None
) -> "Iterator[tuple[TagBook | None, Historian | None]]":
    """Yield the tags of a store, None where nobody mapped any or nothing was read yet."""
    mapping = store / "mapping.yaml"
    folder = store / "historian"
    if not mapping.exists() or not (historian or folder.exists()):
        yield None, None
        return
    from gigatwin.app.historians import open_historian
    from gigatwin.app.tag_book import MappedTags
    from gigatwin.telemetry.mapping import read_mapping

    read = read_mapping(mapping)
    if not read.is_confirmed:
        message = (
            f"{mapping}: nobody has confirmed it; no tag is written by such a mapping. Confirm it "
            f"with: gigatwin connect confirm {mapping}"
        )
        raise OptionError(message)
    kept = open_historian(historian or str(folder), is_writer=False)
    try:
        yield MappedTags(read, kept), kept
    finally:
        kept.close()


def signer_of(name: str) -> "Signer":
    """Return a person's private key, asking for its passphrase where it has one."""
    from gigatwin.twin.changes import is_encrypted, load_key

    passphrase = None
    if is_encrypted(name):
        passphrase = os.environ.get(PASSPHRASE_VARIABLE)
        if passphrase is None and sys.stdin.isatty():
            passphrase = str(typer.prompt(f"passphrase of {name}", hide_input=True, err=True))
    return load_key(name, passphrase)


def new_passphrase(name: str) -> str:
    """Return a passphrase for a new key.

    Raises
    ------
    OptionError
        If nobody can be asked, and the environment has none.
    """
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given:
        return given
    if not sys.stdin.isatty():
        message = f"--passphrase: nobody to ask; set {PASSPHRASE_VARIABLE}, or use a terminal."
        raise OptionError(message)
    return str(
        typer.prompt(f"passphrase of {name}", hide_input=True, confirmation_prompt=True, err=True)
    )


def _existing(store: Path) -> Path:
    if not store.is_dir():
        message = f"--store {store}: no such folder; must be the store of a twin."
        raise OptionError(message)
    return store
