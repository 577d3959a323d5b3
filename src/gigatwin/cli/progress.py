"""Signs of life on a terminal; silence in a pipe."""
# ruff: noqa: PLC0415 - heavy libraries are imported when they are needed

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gigatwin.cli.failures import say


def note_compilation() -> None:
    """Say on a terminal that the kernel is compiled now, if it has never been."""
    if not sys.stderr.isatty():
        return
    from gigatwin.kernel._jit import INTERPRETED, cache_folder

    # The index of the whole loop is written last, so an interrupted compilation counts as none.
    if not INTERPRETED and not any(cache_folder().rglob("loop.advance*.nbi")):
        say("compiling the kernel (once, about half a minute)")


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[float, int], None] | None]:
    """Yield what `simulate` reports progress to: a bar on a terminal, None in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(what, total=None)

        def report(share: float, wanted: int) -> None:
            bar.update(task, advance=share, total=wanted)

        yield report
