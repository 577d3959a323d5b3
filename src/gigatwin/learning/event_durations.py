"""Processing times in an event table, simulated or recorded."""

from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

Durations = Mapping[str, NDArray[np.float64]]
"""Station to processing times. [s]"""

_BEGIN = "START"
_ENDS = ("LEAVE", "BLOCK")


def durations_in(events: pl.DataFrame, stations: Iterable[str]) -> Durations:
    """Return the processing times at each station: from START to LEAVE or BLOCK, without waits.

    The waits for a part or for operators come before START, and those for room after BLOCK. The
    time in a breakdown between the two is part of the processing time, as in a log of activities.

    Parameters
    ----------
    events : polars.DataFrame
        Columns time [s], machine, kind and item, in the order of what happened. Several
        replications are told apart by a column replication.
    stations : iterable of str
        Stations wanted. The machines of one are named ``station`` or ``station#1`` and so on.

    Returns
    -------
    mapping
        Station to its processing times; a station that never worked has none. [s]
    """
    key = [name for name in ("replication", "machine", "item") if name in events.columns]
    steps = (
        events.select(*key, "time", pl.col("kind").cast(pl.String))
        .filter(pl.col("kind").is_in([_BEGIN, *_ENDS]))
        .with_columns(
            next_kind=pl.col("kind").shift(-1).over(key),
            next_time=pl.col("time").shift(-1).over(key),
        )
        .filter((pl.col("kind") == _BEGIN) & pl.col("next_kind").is_in(_ENDS))
        .select(
            station=pl.col("machine").cast(pl.String).str.replace(r"#\d+$", ""),
            duration=pl.col("next_time") - pl.col("time"),
        )
    )
    found = {
        str(name): group["duration"].to_numpy()
        for (name,), group in steps.group_by("station", maintain_order=True)
    }
    return {name: found.get(name, np.empty(0)) for name in stations}
