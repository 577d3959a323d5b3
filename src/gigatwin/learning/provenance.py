"""Which rows of a log something was learned from."""

import polars as pl


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
