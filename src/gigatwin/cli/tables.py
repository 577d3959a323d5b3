"""Tables on a terminal, as wide as they need to be in a pipe."""

import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

_WIDTH_IN_A_PIPE = 200


def console() -> Console:
    """Return where tables are printed."""
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(width=_WIDTH_IN_A_PIPE, highlight=False)


def table(
    title: str, headers: Sequence[str], rows: Iterable[Sequence[str]], n_names: int = 1
) -> Table:
    """Return a table.

    Parameters
    ----------
    title : str
        What the table shows.
    headers : sequence of str
        Names of the columns, each with its unit.
    rows : iterable of sequence of str
        The cells.
    n_names : int
        Columns at the left that hold names; the others hold numbers.
    """
    shown = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        min_width=len(title),
    )
    for index, header in enumerate(headers):
        is_name = index < n_names
        shown.add_column(
            header.replace("[", r"\["),
            justify="left" if is_name else "right",
            no_wrap=is_name,
            overflow="fold",
        )
    for row in rows:
        shown.add_row(*(cell.replace("[", r"\[") for cell in row))
    return shown


def text(content: str) -> str:
    """Return text in which square brackets are not markup."""
    return content.replace("[", r"\[")
