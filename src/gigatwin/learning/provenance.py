"""What something was learned from, and what a log does not tell."""

from dataclasses import dataclass
from typing import TypeVar, cast

import polars as pl
from pydantic import BaseModel

from gigatwin.factory.estimates import Estimate

Element = TypeVar("Element", bound=BaseModel)


@dataclass(frozen=True)
class Unknown:
    """Something that the log does not tell."""

    element: str
    """Station or part of the line, such as ``welding.buffer.capacity``."""
    what: str
    """What is not known, and what stands in the description instead."""
    signal: str
    """The further record that would settle it."""


def rows_text(visits: pl.DataFrame) -> str:
    """Return the rows of visits in words: ``2-5001 (4980 rows)``; empty where not known.

    Parameters
    ----------
    visits : polars.DataFrame
        With the column row where the log has it.
    """
    if "row" not in visits.columns or visits["row"].null_count() == visits.height:
        return ""
    rows = visits["row"].drop_nulls().sort()
    return f"{int(rows[0])}-{int(rows[-1])} ({len(rows)} rows)"


def with_rows(element: Element, rows: str) -> Element:
    """Return an element of a description whose estimates all name rows: their own, or these."""
    return cast("Element", _with_rows(element, rows))


def _with_rows(value: object, rows: str) -> object:
    if isinstance(value, Estimate):
        return value if value.rows else value.model_copy(update={"rows": rows})
    if isinstance(value, tuple):
        return tuple(_with_rows(item, rows) for item in value)
    if isinstance(value, dict):
        return {key: _with_rows(item, rows) for key, item in value.items()}
    if isinstance(value, BaseModel):
        names = value.model_fields_set
        return value.model_copy(
            update={name: _with_rows(getattr(value, name), rows) for name in names}
        )
    return value
