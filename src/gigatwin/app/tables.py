"""Tables of a report as HTML, with the number to sort by in each cell."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import polars as pl

from gigatwin.app.numbers import MISSING, ShownUnit, count, shown_unit


@dataclass(frozen=True)
class Column:
    """A column: its heading, the HTML of its cells, and what they are sorted by."""

    title: str
    cells: Sequence[str]
    keys: Sequence[str | float]
    is_number: bool = True


def interval_columns(quantity: str) -> tuple[str, str]:
    """Return the names of the columns with the ends of a quantity's interval."""
    plain, _, unit = quantity.partition(" ")
    suffix = f" {unit}" if unit else ""
    return f"{plain}_low{suffix}", f"{plain}_high{suffix}"


def unit_of(quantity: str) -> str:
    """Return the unit in the name of a column, such as ``1/h``; empty when it has none."""
    return quantity.partition(" [")[2].rstrip("]")


def half_widths(frame: pl.DataFrame, quantity: str) -> list[float]:
    """Return half the width of the interval in each row."""
    low, high = interval_columns(quantity)
    return [(b - a) / 2 for a, b in zip(frame[low], frame[high], strict=True)]


def estimate_html(unit: ShownUnit, mean: float, half_width: float) -> str:
    """Return a number with its interval in a quieter tone."""
    value, interval = unit.text(mean, half_width)
    return f'{value} <span class="pm">{interval}</span>' if interval else value


def names(title: str, values: Sequence[str]) -> Column:
    """Return a column of names."""
    return Column(title, [escape(value) for value in values], list(values), is_number=False)


def counts(title: str, values: Sequence[float | None]) -> Column:
    """Return a column of numbers that are no estimates."""
    known = [math.nan if value is None else float(value) for value in values]
    return Column(title, [count(value) for value in known], known)


def estimates(title: str, frame: pl.DataFrame, quantity: str) -> Column:
    """Return a column of estimates, all in the unit that suits them."""
    means = frame[quantity].to_list()
    unit = shown_unit(unit_of(quantity), means)
    cells = [
        estimate_html(unit, mean, half)
        for mean, half in zip(means, half_widths(frame, quantity), strict=True)
    ]
    return Column(f"{title} [{unit.name}]", cells, means)


def blank(column: Column, is_blank: Sequence[bool]) -> Column:
    """Return a column without the cells that mean nothing."""
    cells = [MISSING if b else c for c, b in zip(column.cells, is_blank, strict=True)]
    keys = [math.nan if b else k for k, b in zip(column.keys, is_blank, strict=True)]
    return Column(column.title, cells, keys, column.is_number)


def html_table(columns: Sequence[Column], name: str) -> str:
    """Return a table that the reader can sort by any column.

    Parameters
    ----------
    columns : sequence of Column
        All of the same length.
    name : str
        What the table shows, for people who hear it.
    """
    heads = "".join(
        f'<th scope="col"{_kind(column)}><button type="button">{escape(column.title)}</button></th>'
        for column in columns
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td{_kind(column)} data-key="{_key(column.keys[row])}">{column.cells[row]}</td>'
            for column in columns
        )
        + "</tr>\n"
        for row in range(len(columns[0].cells))
    )
    return (
        f'<div class="scroll"><table aria-label="{escape(name)}">'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>"
    )


def _kind(column: Column) -> str:
    return ' class="number"' if column.is_number else ""


def _key(key: str | float) -> str:
    if isinstance(key, str):
        return escape(key)
    return f"{key:.12g}" if math.isfinite(key) else ""
