"""What something was learned from, and what a log does not tell."""

from dataclasses import dataclass

import polars as pl


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
