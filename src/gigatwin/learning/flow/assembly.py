"""Where several items become one: streams of cases that end in a visit of another case.

A log may name the consumed cases. Where it does not, a stream that ends at a feeder is taken for
consumed at a station if, first in, first out, the k-th item was always there before the k-th visit
of the station began, hardly more items ended than were used, and the two moments often fall
together (one of the two had waited for the other) or both lines rise and fall together.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

SEPARATOR = ";"
"""Sign between the names of consumed cases."""
_LEAST = 10
"""Cases that must end at a feeder before it is matched by their number."""
_UNUSED = 0.02
"""Share of a feeder's items that may be left over, beside `_STOCK`."""
_STOCK = 50
_TOO_EARLY = 0.002
"""Share of visits that may begin before their item was there."""
_COINCIDENT = 0.03
"""Share of items at whose end the station began at the same moment, beyond"""
_BY_CHANCE = 2.0
"""so many times the share that chance makes."""
_WINDOWS = 12
_TOGETHER = 0.9
"""Correlation of the items in windows of time from which two lines rise and fall together."""
_SLIPS = (0.001, 0.02, 0.05)
"""A moment is the same within this share of the usual time between two visits: with exact clocks,
and with others."""
_OFFSET = 0.1
"""Clocks may differ by this share of the usual time between two visits."""


@dataclass(frozen=True)
class Join:
    """A stream of cases that ends in the visits of other cases to an assembly station."""

    station: str
    """The assembly station."""
    source: str
    """The station at which the consumed cases were last."""
    n: int
    """Number of consumed cases."""
    basis: Literal["recorded", "assumed"]
    """Whether the log names the consumed cases, or order and number of the cases suggest it."""
    note: str
    """On what it rests."""


def recorded_joins(visits: pl.DataFrame) -> list[Join]:
    """Return the joins of a log that names the consumed cases in its column ``parts``.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns case, station and parts (names of cases with semicolons between them), in the
        order of each case.
    """
    ends = visits.group_by("case").agg(source=pl.col("station").last())
    used = (
        visits.filter(pl.col("parts").is_not_null() & (pl.col("parts") != ""))
        .select("case", "station", part=pl.col("parts").str.split(SEPARATOR))
        .explode("part", empty_as_null=True, keep_nulls=True)
        .with_columns(pl.col("part").str.strip_chars())
        .filter(pl.col("part") != pl.col("case"))
        .unique(["station", "part"])
        .join(ends, left_on="part", right_on="case")
    )
    counts = used.group_by("station", "source").len("n").sort("n", descending=True)
    return [
        Join(station, source, n, "recorded", f"the log names {n} consumed cases")
        for station, source, n in counts.iter_rows()
    ]


@dataclass(frozen=True)
class Feeder:
    """A station at which most cases end."""

    name: str
    """Its name."""
    ends: NDArray[np.float64]
    """When they ended, ascending. Shape (n,). [s]"""


@dataclass(frozen=True)
class Consumer:
    """A station that may use up the items of a feeder."""

    name: str
    """Its name."""
    starts: NDArray[np.float64]
    """When its visits began, ascending. Shape (n,). [s]"""


def assumed_join(
    feeder: Feeder, consumers: list[Consumer], lost: float = 0.0, *, has_stock: bool = False
) -> Join | None:
    """Return the station that most likely uses up the items of a feeder, if there is one.

    Parameters
    ----------
    feeder : Feeder
        Where cases end.
    consumers : list of Consumer
        Stations of other components of the flow.
    lost : float
        Share of lost visits.
    has_stock : bool
        Whether items may have been in stock when the log began.
    """
    best: tuple[float, float, Join] | None = None
    for consumer in consumers:
        coincident = _coupling(feeder, consumer, lost, _STOCK if has_stock else 0)
        if coincident is None:
            continue
        n = min(len(feeder.ends), len(consumer.starts))
        lag = float(np.median(consumer.starts[:n] - feeder.ends[:n]))
        join = Join(
            consumer.name,
            feeder.name,
            len(feeder.ends),
            "assumed",
            f"{len(feeder.ends)} cases end at {feeder.name} and {len(consumer.starts)} visits "
            f"begin at {consumer.name}, each after its item, and {100 * coincident:.0f} % more "
            "often at the same moment than by chance",
        )
        if best is None or (round(coincident, 2), -lag) > best[:2]:
            best = (round(coincident, 2), -lag, join)
    return None if best is None else best[2]


def _coupling(feeder: Feeder, consumer: Consumer, lost: float, stock: int) -> float | None:
    """Return the share of coincidences; None if the feeder cannot lead to the consumer."""
    ends, starts = feeder.ends, consumer.starts
    n = min(len(ends), len(starts))
    if n < _LEAST:
        return None
    # Lost visits, of the one as of the other, shift the counts as a random walk does.
    number = np.arange(1, len(starts) + 1)
    allowed = stock + np.ceil(3 * np.sqrt(2 * lost * number))
    if not -allowed[-1] <= len(ends) - len(starts) <= _STOCK + _UNUSED * n:
        return None
    usual = float(np.median(np.diff(starts)))
    if usual <= 0:
        return None
    arrived = np.searchsorted(ends, starts + _SLIPS[-1] * usual, side="right")
    if np.mean(arrived + allowed < number) > _TOO_EARLY:
        return None
    for slip in _SLIPS:
        coincident = _coincident(ends, starts, slip * usual, _OFFSET * usual)
        rate = len(starts) / max(float(np.ptp(starts)), usual)
        by_chance = 1.0 - float(np.exp(-2 * slip * usual * rate))
        if coincident > _COINCIDENT + _BY_CHANCE * by_chance:
            return coincident - by_chance
    return 0.0 if not stock and _rise_together(ends, starts) else None


def _coincident(
    ends: NDArray[np.float64], starts: NDArray[np.float64], slip: float, offset: float
) -> float:
    """Return the share of ends that a start is nearest to, apart by the most frequent offset."""
    place = np.searchsorted(starts, ends)
    after = starts[np.minimum(place, len(starts) - 1)] - ends
    before = starts[np.maximum(place - 1, 0)] - ends
    apart = np.sort(np.where(np.abs(after) < np.abs(before), after, before))
    middles = np.arange(-offset, offset + slip, max(slip, offset / 50))
    within = np.searchsorted(apart, middles + slip, "right") - np.searchsorted(
        apart, middles - slip, "left"
    )
    return float(within.max()) / len(ends)


def _rise_together(ends: NDArray[np.float64], starts: NDArray[np.float64]) -> bool:
    bounds = np.linspace(
        min(ends[0], starts[0]), max(ends[-1], starts[-1]), max(_WINDOWS, len(ends) // 50) + 1
    )
    a, b = (np.histogram(times, bounds)[0].astype(float) for times in (ends, starts))
    # Two lines that rest in the same night are not coupled by that.
    is_on = (a > 0) & (b > 0)
    a, b = a[is_on], b[is_on]
    if len(a) < _WINDOWS // 2 or a.std() < 2 or b.std() < 2:  # noqa: PLR2004 - nothing rises or falls
        return False
    return float(np.corrcoef(a, b)[0, 1]) > _TOGETHER
