"""From a call of a chart to a change that later values confirm, or do not.

A chart that calls has been chosen among many, so its own values say too much. Each call is
therefore put to a test on the values that follow: the law as moved by three quarters of what the
chart saw, which is where true changes mostly lie, against the law as it was, by the sum of their
log scores, until one of them is ahead by three (Wald's test: one false alarm in twenty is taken for
true, and one true change in twenty is given up until the chart calls again).
"""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple, Self

from gigatwin.twin.watch.charts import LevelChart, RateChart, Side
from gigatwin.twin.watch.rate_limits import RateLimit

Kind = Literal["alarm", "confirmed", "dismissed", "learned"]
AHEAD = 3.0
"""Log score by which one law has to be ahead."""
BELIEVED = 0.75
"""Part of the change that a chart saw which is put to the test."""
FEWEST_FRESH = 20
"""Values that a change of level is confirmed by, at least."""
MOST_FRESH = 200
"""Values after which an undecided change of level is given up."""
FEWEST_EVENTS = 8
"""Events, seen or expected, that a change of a rate is confirmed by, at least."""
_MOST_EXPECTED = 200.0
_LEAST_RATIO, _MOST_RATIO = 1.2, 5.0


class Outcome(NamedTuple):
    """Something that happened to a signal."""

    kind: Kind
    time: float
    """When. [s]"""
    side: Side
    """1: larger or more often; -1: smaller or less often."""
    since: float
    """When the change began, roughly. [s]"""
    score: float
    """Log score of the moved law over the old one on later values."""
    n: int
    """Later values, or events expected, that it rests on."""


@dataclass
class LevelDetector:
    """A chart of scores, and the test that follows a call."""

    chart: LevelChart
    side: Side = 0
    """Side that called; 0: none, the chart is watching."""
    since: float = 0.0
    """When the change began. [s]"""
    shift: float = 0.0
    """Move of the scores that is put to the test. [standard deviations]"""
    score: float = 0.0
    """Log score of the moved law over the old one."""
    n_fresh: int = 0
    """Values since the call."""

    def take(self, time: float, score: float) -> Outcome | None:
        """Take one score in."""
        if not self.side:
            side = self.chart.take(time, score)
            if not side:
                return None
            chart = self.chart
            self.side = side
            self.since = chart.up_since if side > 0 else chart.down_since
            self.shift, self.score, self.n_fresh = BELIEVED * chart.shift(side), 0.0, 0
            return self._outcome("alarm", time)
        self.n_fresh += 1
        self.score += self.shift * (score - 0.5 * self.shift)
        if self.score >= AHEAD and self.n_fresh >= FEWEST_FRESH:
            return self._end("confirmed", time)
        if self.score <= -AHEAD or self.n_fresh >= MOST_FRESH:
            return self._end("dismissed", time)
        return None

    def _outcome(self, kind: Kind, time: float) -> Outcome:
        return Outcome(kind, time, self.side, self.since, self.score, self.n_fresh)

    def _end(self, kind: Kind, time: float) -> Outcome:
        found = self._outcome(kind, time)
        self.restart(time)
        return found

    def restart(self, time: float) -> None:
        """Begin anew."""
        self.side = 0
        self.chart.restart(time)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return what `to_dict` gave."""
        return cls(**{**data, "chart": LevelChart(**data["chart"])})


@dataclass
class RateDetector:
    """A chart of events among opportunities, and the test that follows a call."""

    chart: RateChart
    rate: float
    """Rate while nothing changes. [events for each unit of opportunity]"""
    side: Side = 0
    """Side that called; 0: none, the chart is watching."""
    since: float = 0.0
    """When the change began. [s]"""
    ratio: float = 1.0
    """Ratio of the rates that is put to the test."""
    score: float = 0.0
    """Log score of the moved rate over the old one."""
    fresh: tuple[float, float] = (0.0, 0.0)
    """Events and opportunity since the call."""
    counts: tuple[float, float] = field(default=(0.0, 0.0))
    """Events and opportunity from the begin of the change on, up to now."""

    def take(self, time: float, exposure: float, events: int) -> Outcome | None:
        """Take opportunities in, and the events at their end."""
        if not self.side:
            side = self.chart.take(time, exposure, events)
            if not side:
                return None
            chart = self.chart
            self.side = side
            self.since = chart.up_since if side > 0 else chart.down_since
            self.counts = n, seen = chart.up_counts if side > 0 else chart.down_counts
            ratio = (max(n, 0.5) / max(seen * self.rate, 1e-12)) ** BELIEVED
            self.ratio = (
                min(max(ratio, _LEAST_RATIO), _MOST_RATIO)
                if side > 0
                else max(min(ratio, 1 / _LEAST_RATIO), 1 / _MOST_RATIO)
            )
            self.score, self.fresh = 0.0, (0.0, 0.0)
            return self._outcome("alarm", time)
        self.fresh = self.fresh[0] + events, self.fresh[1] + exposure
        self.counts = self.counts[0] + events, self.counts[1] + exposure
        expected = self.fresh[1] * self.rate
        self.score = self.fresh[0] * math.log(self.ratio) - (self.ratio - 1.0) * expected
        is_enough = max(self.fresh[0], expected) >= FEWEST_EVENTS
        if self.score >= AHEAD and is_enough:
            return self._end("confirmed", time)
        if self.score <= -AHEAD or expected >= _MOST_EXPECTED:
            return self._end("dismissed", time)
        return None

    def _outcome(self, kind: Kind, time: float) -> Outcome:
        n = round(self.fresh[1] * self.rate)
        return Outcome(kind, time, self.side, self.since, self.score, n)

    def _end(self, kind: Kind, time: float) -> Outcome:
        found = self._outcome(kind, time)
        self.restart(time)
        return found

    def restart(self, time: float) -> None:
        """Begin anew."""
        self.side = 0
        self.chart.restart(time)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return what `to_dict` gave."""
        chart = dict(data["chart"])
        for name in ("rising", "falling"):
            chart[name] = RateLimit(**chart[name])
        for name in ("up_counts", "down_counts"):
            chart[name] = tuple(chart[name])
        pairs = {name: tuple(data[name]) for name in ("fresh", "counts")}
        return cls(**{**data, **pairs, "chart": RateChart(**chart)})
