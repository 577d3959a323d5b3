"""A twin in its store, following a plant at a URL."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gigatwin.app.connections import open_sink, open_source
from gigatwin.app.historians import open_historian
from gigatwin.app.plant_elements import elements_of
from gigatwin.app.tag_book import MappedTags
from gigatwin.compiler.build import compile_factory
from gigatwin.errors import FactoryError, TelemetryError
from gigatwin.factory.factory import Factory
from gigatwin.factory.reading import load
from gigatwin.factory.writing import write
from gigatwin.telemetry.mapping import TagMapping, read_mapping, write_mapping
from gigatwin.telemetry.mapping_check import check
from gigatwin.twin.changes import ChangeDesk
from gigatwin.twin.following import Following
from gigatwin.twin.live import LiveTwin
from gigatwin.twin.store import TwinStore


@dataclass(frozen=True)
class SyncOptions:
    """What twin to run, and what it follows."""

    line: str
    """File of the model, or its name in the library."""
    source: str
    """URL of the plant's interface."""
    store: Path
    """Folder of the twin."""
    mapping: Path | None = None
    """Confirmed mapping to use from now on; None: the one in the store."""
    historian: str | None = None
    """Where readings are kept, if not in the store: the URL of a database."""
    is_writable: bool = False
    """Whether approved changes may be written to the plant."""


def run_sync(options: SyncOptions, say: Callable[[str], None]) -> None:
    """Follow a plant until it ends, or until this is interrupted.

    Parameters
    ----------
    options : SyncOptions
        The twin.
    say : callable
        Gets what a person wants to know meanwhile.

    Raises
    ------
    TelemetryError
        If the mapping is missing, wrong or not confirmed, or the store is in use.
    ConnectorError
        If the URL names no interface.
    """
    factory = load(options.line)
    store = TwinStore(options.store)
    mapping = _mapping(options, store, factory, say)
    # Only one process can write to a historian, so only one follows into a store.
    historian = open_historian(options.historian or str(store.historian))
    try:
        write(factory, store.line)
        if options.mapping is not None and mapping.is_confirmed:
            write_mapping(mapping, store.mapping)
        desk = ChangeDesk(store.folder, factory, book=MappedTags(mapping, historian))
        twin = LiveTwin(factory, mapping, historian, store, desk=desk)
        sink = open_sink(options.source, is_writable=True) if options.is_writable else None
        following = Following(twin, open_source(options.source), sink, say=say)
        say(f"{factory.name} follows {options.source} into {store.folder}; Ctrl-C ends it")
        asyncio.run(_until_ended(following))
    finally:
        historian.close()


async def _until_ended(following: Following) -> None:
    """Follow; an end that is asked for politely keeps the state."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - for the types: a coroutine that runs has a task
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await following.run()


def _mapping(
    options: SyncOptions, store: TwinStore, factory: Factory, say: Callable[[str], None]
) -> TagMapping:
    """Return the mapping to use, checked against the factory."""
    path = options.mapping or store.mapping
    if not path.exists():
        message = (
            f"{path}: no such file; must be a mapping that a person confirmed. Propose one with: "
            f"gigatwin connect browse {options.source} --line {options.line} -o {path}"
        )
        raise TelemetryError(message)
    mapping = read_mapping(path)
    found = check(mapping, elements_of(compile_factory(factory)))
    if found.errors:
        raise FactoryError(list(found.errors))
    for warning in found.warnings:
        say(f"warning: {warning}")
    return mapping
