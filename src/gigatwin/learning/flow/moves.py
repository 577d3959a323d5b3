"""Telling moves between places from visits to stations, where a log has both."""

import polars as pl


def without_transports(visits: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the visits to stations, and the moves between places.

    A row that names an origin and another destination is a move, not a visit.

    Parameters
    ----------
    visits : polars.DataFrame
        As in `CaseLog.visits`, with the columns origin and destination; without them nothing is
        a move.

    Returns
    -------
    polars.DataFrame
        The visits.
    polars.DataFrame
        The moves, with the column ``move``: ``load`` onto the carrier, ``unload`` from it, or
        ``carry``.
    """
    if not {"origin", "destination"} <= set(visits.columns):
        return visits, visits.clear().with_columns(move=pl.lit(None, dtype=pl.String))
    is_move = (
        pl.col("origin").is_not_null()
        & pl.col("destination").is_not_null()
        & (pl.col("origin") != pl.col("destination"))
    )
    kind = (
        pl.when(pl.col("destination") == pl.col("machine"))
        .then(pl.lit("load"))
        .when(pl.col("origin") == pl.col("machine"))
        .then(pl.lit("unload"))
        .otherwise(pl.lit("carry"))
    )
    # A comparison with null is null, which would leave the row out of both.
    is_move = is_move.fill_null(value=False)
    return visits.filter(~is_move), visits.filter(is_move).with_columns(move=kind)
