"""Charts that are fed one value at a time and keep a handful of numbers.

`LevelChart` is the two-sided CUSUM of `learning.drift.cusum`; `RateChart` counts events among
opportunities, up and down. Each side begins anew whenever its sum is 0, and remembers that moment:
roughly when a change began.
"""

import functools
import math
from dataclasses import dataclass
from typing import Literal

from gigatwin.learning.drift.cusum import threshold
from gigatwin.twin.watch.rate_limits import RateLimit, rate_limit

Side = Literal[-1, 0, 1]
"""Which side called; 0: none."""
_FEWEST_VALUES = 50
_LEAST_ARL0, _MOST_ARL0 = 100.0, 1e9
_MOST_RATE_ARL0 = 1e8
_FEW_EVENTS = 2.0
_GRID = 0.1
# With a short record a small allowance would need a limit that nothing reaches.
_ALLOWANCES = (0.25, 0.5, 0.75, 1.0, 1.5)


@dataclass
class LevelChart:
    """The two-sided CUSUM of standard normal scores."""

    limit: float
    """Limit h. [standard deviations]"""
    allowance: float
    """Allowance k. [standard deviations]"""
    up: float = 0.0
    """Sum of the side that notices larger values."""
    down: float = 0.0
    """Sum of the side that notices smaller ones."""
    up_since: float = 0.0
    """Time of the last value at which the upper sum was 0. [s]"""
    down_since: float = 0.0
    """The same of the lower sum. [s]"""
    n_up: int = 0
    """Values since then."""
    n_down: int = 0
    """Values since the lower sum was 0."""

    def take(self, time: float, score: float) -> Side:
        """Take one value in, and return the side that calls."""
        self.up += score - self.allowance
        self.down -= score + self.allowance
        if self.up <= 0.0:
            self.up, self.up_since, self.n_up = 0.0, time, 0
        else:
            self.n_up += 1
        if self.down <= 0.0:
            self.down, self.down_since, self.n_down = 0.0, time, 0
        else:
            self.n_down += 1
        if self.up > self.limit:
            return 1
        return -1 if self.down > self.limit else 0

    def shift(self, side: Side) -> float:
        """Return the mean of the scores, in standard deviations, since the sum of a side was 0."""
        if side > 0:
            return self.up / max(self.n_up, 1) + self.allowance
        return -self.down / max(self.n_down, 1) - self.allowance

    def restart(self, time: float) -> None:
        """Begin anew."""
        self.up = self.down = 0.0
        self.up_since = self.down_since = time
        self.n_up = self.n_down = 0


@dataclass
class RateChart:
    """Two sums of events among opportunities: for a rate that rises, and one that falls."""

    rising: RateLimit
    """Slope and limit for a rate that rises."""
    falling: RateLimit
    """Slope and limit for a rate that falls."""
    high: float
    """Rate that rising is judged by. [events for each unit of opportunity]"""
    low: float
    """Rate that falling is judged by. [events for each unit of opportunity]"""
    up: float = 0.0
    """Sum of the rising side. [events]"""
    down: float = 0.0
    """Sum of the falling side. [events]"""
    up_since: float = 0.0
    """Time at which the rising sum was 0 last. [s]"""
    down_since: float = 0.0
    """The same of the falling sum. [s]"""
    up_counts: tuple[float, float] = (0.0, 0.0)
    """Events and opportunity since then."""
    down_counts: tuple[float, float] = (0.0, 0.0)
    """The same for the falling side."""

    def take(self, time: float, exposure: float, events: int) -> Side:
        """Take opportunities in, and the events at their end; return the side that calls.

        Parameters
        ----------
        time : float
            End of the opportunities. [s]
        exposure : float
            Items made, or seconds on the clock of a stop.
        events : int
            Number of events.
        """
        n, seen = self.up_counts
        self.up -= self.rising.slope * self.high * exposure
        if self.up <= 0.0:
            self.up, self.up_since, n, seen = 0.0, time, 0.0, 0.0
        else:
            seen += exposure
        self.up += events
        self.up_counts = n + events, seen
        n, seen = self.down_counts
        self.down += self.falling.slope * self.low * exposure
        self.down_counts = n, seen + exposure
        if self.up >= self.rising.limit and events:
            return 1
        if self.down >= self.falling.limit:
            return -1
        self.down_counts = n + events, seen + exposure
        self.down -= events
        if self.down <= 0.0:
            self.down, self.down_since, self.down_counts = 0.0, time, (0.0, 0.0)
        return 0

    def restart(self, time: float) -> None:
        """Begin anew."""
        self.up = self.down = 0.0
        self.up_since = self.down_since = time
        self.up_counts = self.down_counts = (0.0, 0.0)


def _rounded(arl0: float, most: float) -> float:
    # A few wanted lengths, each up to a quarter longer than asked for, share their limits.
    length = min(max(arl0, _LEAST_ARL0), most)
    return float(10.0 ** (math.ceil(math.log10(length) / _GRID - 1e-9) * _GRID))


@functools.lru_cache(maxsize=256)
def _limit(arl0: float, allowance: float, n_reference: int | None) -> tuple[float, float] | None:
    if n_reference is not None and n_reference < _FEWEST_VALUES:
        return None
    for wider in (k for k in _ALLOWANCES if k >= allowance):
        try:
            return threshold(arl0, wider, n_reference=n_reference), wider
        except ValueError:
            continue
    return None


def level_chart(
    arl0: float, allowance: float = 0.5, n_reference: int | None = None
) -> LevelChart | None:
    """Return a chart with a wanted mean number of values between false alarms, over both sides.

    Parameters
    ----------
    arl0 : float
        Wanted mean number of values; rounded up by at most a quarter, and at least 100.
    allowance : float
        Allowance k, from 0.25 to 1.5; made larger where the record is too short for it.
        [standard deviations]
    n_reference : int, optional
        Values that the law was learned from; left out, it is known.

    Returns
    -------
    LevelChart or None
        None if the record is too short for any limit.
    """
    found = _limit(_rounded(arl0, _MOST_ARL0), allowance, n_reference)
    return None if found is None else LevelChart(*found)


def rate_chart(arl0: float, high: float, low: float, *, by_item: bool) -> RateChart:
    """Return a chart with a wanted mean number of opportunities between false alarms.

    Parameters
    ----------
    arl0 : float
        Wanted mean opportunity between two false alarms of both sides together, in the unit of
        the rates.
    high, low : float
        Rate that rising, and that falling is judged by; the same where the rate is known.
        [events for each unit of opportunity]
    by_item : bool
        Whether opportunities are items with at most one event each; otherwise it is time.
    """
    limits = []
    for direction, rate in ((1, high), (-1, low)):
        wanted = _rounded(max(2.0 * arl0 * rate, _FEW_EVENTS), _MOST_RATE_ARL0)
        # Two digits are enough, and let charts share their limits.
        probability = float(f"{min(rate, 0.5):.2g}") if by_item else 0.0
        limits.append(rate_limit(wanted, 1 if direction > 0 else -1, probability))
    return RateChart(limits[0], limits[1], high, low)
