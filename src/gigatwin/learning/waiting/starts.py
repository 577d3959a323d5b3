"""Starts that a log does not have, from the moments at which items left.

With blocking after service an item starts when it has arrived and the machine is free, so that its
start is the later of the departure before it at the machine and its own arrival.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.factory.estimates import Estimate
from gigatwin.learning.waiting.passages import Floats, passages_of, previous_ends

_NORMAL_QUANTILE = 1.959963984540054
_FEWEST = 30


def with_starts(
    visits: pl.DataFrame,
    predecessors: Mapping[str, Sequence[str]],
    transfers: Mapping[tuple[str, str], float] | None = None,
) -> pl.DataFrame:
    """Return visits with missing starts filled in from departures.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns case, station, machine, start, end (s, null where the event is missing). Each
        machine works on one item at a time.
    predecessors : Mapping
        Station to the stations before it. A station without any has an endless supply.
    transfers : Mapping, optional
        Pair of stations to the transfer time; left out: 0. [s]

    Returns
    -------
    polars.DataFrame
        The rows with the column ``is_start_inferred``. A start stays null if the departure before
        it at the machine or its own at the station before is not known either.
    """
    transfers = transfers or {}
    released = previous_ends(visits)
    stations = visits["station"].to_numpy()
    arrived = np.full(visits.height, np.nan)
    is_fed = np.zeros(visits.height, dtype=np.bool_)
    is_first = visits.select(pl.col("end") == pl.col("end").min().over("machine"))
    is_opening = is_first.to_series().fill_null(value=False).to_numpy()
    for station, passages in passages_of(visits, predecessors).items():
        is_fed[stations == station] = True
        before = np.where(passages.from_row >= 0, stations[passages.from_row], "")
        for other in predecessors[station]:
            of_pair = (before == other) & (passages.to_row >= 0)
            delay = transfers.get((other, station), 0.0)
            arrived[passages.to_row[of_pair]] = passages.entries[of_pair] + delay
    # The first item of a machine did not wait for another.
    free = np.where(is_opening & np.isnan(released), -np.inf, released)
    inferred = np.where(is_fed, np.maximum(arrived, free), released)
    inferred[~np.isfinite(inferred)] = np.nan
    guess = pl.Series(inferred, dtype=pl.Float64).fill_nan(None)
    frame = visits.with_columns(guess=guess)
    missing = pl.col("start").is_null() & pl.col("guess").is_not_null()
    return frame.with_columns(
        start=pl.when(missing).then(pl.min_horizontal("guess", "end")).otherwise("start"),
        is_start_inferred=missing,
    ).drop("guess")


def transfer_from_exits(
    departures_before: Floats,
    departures: Floats,
    released: Floats,
    is_blocked: NDArray[np.bool_] | None = None,
) -> Estimate:
    """Return the transfer time in s to a machine of which only departures are known.

    An item that left the machine before after this one had become free takes transfer and
    processing, one that queued takes processing alone; the difference of their medians is the
    transfer time. Of a held-up item it is only known that it took at most as long.

    Parameters
    ----------
    departures_before, departures : numpy.ndarray
        When each item left the machine before, and this machine; NaN where not known. [s]
    released : numpy.ndarray
        When the item before it left this machine; NaN where not known. [s]
    is_blocked : numpy.ndarray, optional
        Whether the departure was held up; left out: none was.
    """
    blocked = np.zeros(len(departures), dtype=np.bool_) if is_blocked is None else is_blocked
    queued = released - departures_before
    known = np.isfinite(queued) & np.isfinite(departures)
    is_idle = known & (queued <= 0.0)
    idle = _median_range((departures - departures_before)[is_idle], blocked[is_idle])
    value = reach = 0.0
    n = 0
    # Who queued for less than the transfer time was still on the way: look again above it.
    for _ in range(3):
        is_busy = known & (queued > value + reach)
        busy = _median_range((departures - released)[is_busy], blocked[is_busy])
        if idle is None or busy is None:
            n = 0
            break
        low, high = idle[0] - busy[1], idle[1] - busy[0]
        n = int(is_idle.sum())
        value, reach = max(0.0, (low + high) / 2), (high - low) / 2
    return Estimate(
        value=value if n else 0.0,
        low=max(0.0, value - reach) if n else 0.0,
        high=value + reach if n else None,
        unit="s",
        n=n,
        method="items to an idle machine take longer than those that queued"
        if n
        else "assumed: too few items found the machine idle, or busy",
        is_identified=n > 0,
    )


def _median_range(times: Floats, is_blocked: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Return limits of the median of times of which some are only upper bounds."""
    free = times[~is_blocked]
    if len(free) < _FEWEST or 2 * len(free) <= len(times):
        return None
    share = len(free) / len(times)
    # At the extremes all held-up ones were shorter than the median, or none differs from the rest.
    error = _NORMAL_QUANTILE * 0.5 / math.sqrt(len(free))
    ranks = np.array([max(0.0, 1.0 - 0.5 / share - error), min(1.0, 0.5 + error)])
    low, high = np.quantile(free, ranks)
    return float(low), float(high)
