"""What ``gigatwin history`` prints."""

import math
from datetime import UTC, datetime
from typing import Any

import polars as pl

from gigatwin.cli.tables import console, table, text

_MOST_ROWS = 200
_LAST_YEAR = 253_402_300_800.0
_SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))


def print_info(where: str, n_bytes: int, tags: pl.DataFrame) -> None:
    """Print the size of a historian, and its tags with their readings."""
    out = console()
    n_rows = int(tags["n_rows"].sum())
    per_row = f", {n_bytes / n_rows:.1f} B each" if n_rows else ""
    out.print(text(f"{where}: {n_rows} readings of {tags.height} tags, {size(n_bytes)}{per_row}"))
    if not n_rows:
        return
    rows = [
        (tag, str(count), moment(first), moment(last)) for tag, count, first, last in tags.rows()
    ]
    out.print(table("Tags", ("tag", "readings", "first [UTC]", "last [UTC]"), rows))


def print_rows(found: pl.DataFrame) -> None:
    """Print what a query gave, the first rows of it."""
    out = console()
    numbers = [dtype.is_numeric() for dtype in found.dtypes]
    n_names = numbers.index(True) if True in numbers else len(numbers)
    rows = [[_cell(cell) for cell in row] for row in found.head(_MOST_ROWS).iter_rows()]
    out.print(table("", found.columns, rows, n_names=n_names))
    if found.height > _MOST_ROWS:
        out.print(f"{found.height - _MOST_ROWS} more rows; --csv or --json prints all of them.")


def json_rows(found: pl.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON can hold them: no NaN, no infinity, times as text."""
    return [
        {name: _plain(cell) for name, cell in zip(found.columns, row, strict=True)}
        for row in found.iter_rows()
    ]


def _plain(cell: object) -> object:
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    if cell is None or isinstance(cell, bool | int | float | str):
        return cell
    return str(cell)


def _cell(cell: object) -> str:
    if cell is None:
        return "\u2013"
    if isinstance(cell, float):
        return repr(cell) if abs(cell) < _LAST_YEAR else f"{cell:g}"
    return str(cell)


def moment(seconds: float) -> str:
    """Return a source time as people read it."""
    if not 0.0 <= seconds < _LAST_YEAR:
        return f"{seconds:g} s"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def size(n_bytes: float) -> str:
    """Return a size in the unit in which it is read best."""
    unit, name = next((unit, name) for unit, name in _SIZES if n_bytes >= unit or unit == 1.0)
    return f"{n_bytes / unit:.3g} {name}"
