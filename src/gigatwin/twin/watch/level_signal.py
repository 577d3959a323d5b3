"""One signal with a level: cycle times of a machine at a format, lengths of a stop.

It learns the law of the signal from the plant's own first values, watches it with a CUSUM of normal
scores, puts each call to the test, and after a change learns the new law.
"""

import math
from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigatwin.factory.estimates import Estimate
from gigatwin.learning.drift.change_points import change_points
from gigatwin.learning.times.durations import mean_estimate
from gigatwin.twin.watch.charts import Side, level_chart
from gigatwin.twin.watch.detectors import LevelDetector, Outcome
from gigatwin.twin.watch.scores import Reference

Floats = NDArray[np.float64]
MOST_RECENT = 200
"""Values that are remembered, to date a change and to measure it."""
SHIFT = 0.05
"""Relative change of the level that charts are made for."""
_SHORTEST_PIECE = 10
_LEAST_SPREAD = 0.25
_OUTLIERS = 6.0
_LEAST_SPACING = 1e-6


class Dated(NamedTuple):
    """When a change began, in s."""

    time: float
    low: float
    high: float


class Learning(NamedTuple):
    """How many values the law of a signal is learned from."""

    n: int
    """Values before it is watched."""
    n_wide: int
    """Values until the law is final, where it is so wide that a change by 5 % is less than one
    standard deviation."""


class LevelSignal:
    """A signal with a level.

    Parameters
    ----------
    learning : Learning
        How many values its law is learned from.
    budget : float
        Wanted mean time between two false alarms of this signal. [s]
    spacing : float, optional
        Least mean time between two values; left out, it is the mean of the values themselves. [s]
    law : Reference, optional
        Law to begin with; left out, it is learned from the first values.
    trims : bool
        Whether values far from all others are something else, and left out of levels.
    """

    def __init__(
        self,
        learning: Learning,
        budget: float,
        spacing: float | None = None,
        law: Reference | None = None,
        *,
        trims: bool = True,
    ) -> None:
        self._learning = learning
        self._wanted = learning.n
        self._trims = trims
        self._budget = budget
        self._spacing = spacing
        self.law: Reference | None = None
        """Law that values are judged by; None while the first one is learned."""
        self.detector: LevelDetector | None = None
        """Chart and test; None while the law is learned."""
        self.score: float | None = None
        """Score of the last value; None while the law is learned."""
        self.before: Reference | None = None
        """The law before the last change."""
        self._times: list[float] = []
        self._values: list[float] = []
        self.is_final = True
        self.recent: deque[tuple[float, float, float]] = deque(maxlen=MOST_RECENT)
        """Time, value and score of the last values."""
        if law is not None:
            self.use(law)

    @property
    def n(self) -> int:
        """Number of values that its level is known from."""
        if self.detector is None:
            return len(self._values)
        return 0 if self.law is None else self.law.n

    def take(self, time: float, value: float) -> Outcome | None:
        """Take one value in."""
        detector, law = self.detector, self.law
        if detector is None or law is None:
            self.score = None
            self._times.append(time)
            self._values.append(value)
            return self._learn(time) if len(self._values) >= self._wanted else None
        self.score = score = law.score(value)
        self.recent.append((time, value, score))
        if not self.is_final:
            self._times.append(time)
            self._values.append(value)
            if len(self._values) >= self._learning.n_wide and not detector.side:
                self._finish(time)
        return detector.take(time, score)

    def _learn(self, time: float) -> Outcome | None:
        """Take the first values as the law, or only those since they last changed."""
        values = np.array(self._values)
        law = self._law_of(values)
        points = change_points(
            law.score_all(values), minimum=_SHORTEST_PIECE, least_deviation=_LEAST_SPREAD
        )
        if points:
            kept = points[-1].high
            self._times, self._values = self._times[kept:], self._values[kept:]
            return None
        if not self.use(law, self._times[-1] - self._times[0], time):
            self._wanted = 2 * len(values)  # too few for any limit
            return None
        is_wide = SHIFT * abs(law.mean) < law.spread * law.deviation
        self.is_final = not is_wide or len(values) >= self._learning.n_wide
        if self.is_final:
            self._times, self._values = [], []
        return Outcome("learned", time, 0, time, 0.0, law.n)

    def _finish(self, time: float) -> None:
        """Take all values so far as the law, which lets the chart notice smaller changes."""
        law = self._law_of(np.array(self._values))
        self.use(law, self._times[-1] - self._times[0], time, allowance=0.25)
        self.is_final, self._times, self._values = True, [], []

    def _law_of(self, values: Floats) -> Reference:
        return Reference.of_values(values, _without_outliers(values) if self._trims else None)

    def use(
        self, law: Reference, length: float = 0.0, time: float = 0.0, allowance: float = 0.5
    ) -> bool:
        """Watch by a law from now on; return whether a chart can be set by it."""
        spacing = self._spacing
        if spacing is None:
            spacing = min(law.mean, length / (law.n - 1)) if length > 0 < law.n - 1 else law.mean
        chart = level_chart(self._budget / max(spacing, _LEAST_SPACING), allowance, law.n or None)
        if chart is None:
            return False
        chart.restart(time)
        self.law, self.detector = law, LevelDetector(chart)
        scored = ((moment, value, law.score(value)) for moment, value, _ in self.recent)
        self.recent = deque(scored, maxlen=MOST_RECENT)
        return True

    def restart(self, since: float = math.inf) -> None:
        """Learn the law anew, from the values from a moment in s on."""
        if self.law is not None:
            self.before = self.law
        kept = [(time, value) for time, value, _ in self.recent if time >= since]
        self._times, self._values = [t for t, _ in kept], [v for _, v in kept]
        self.detector, self.score, self.is_final = None, None, True
        self._wanted = self._learning.n
        self.recent.clear()

    def dated(self, side: Side, begin: float, called: float) -> Dated:
        """Return when a change began, with the 95 % interval.

        Parameters
        ----------
        side : int
            Side of the chart that called.
        begin : float
            When its sum was 0 last. [s]
        called : float
            When it called. [s]
        """
        scores = np.array([score for _, _, score in self.recent])
        times = [time for time, _, _ in self.recent]
        found = []
        for point in change_points(scores, minimum=5, least_deviation=_LEAST_SPREAD):
            before, after = scores[: point.index], scores[point.index :]
            if (after.mean() - before.mean()) * side > 0:
                low, high = times[max(point.low - 1, 0)], times[min(point.high, len(times) - 1)]
                found.append(Dated(times[point.index], low, high))
        # The chart saw it begin; without a date, only what came after the call is surely new.
        default = Dated(begin, begin, called)
        return min(found, key=lambda date: abs(date.time - begin), default=default)

    def after(self, since: float) -> Floats:
        """Return the values from a moment on, without stops that nobody reported."""
        if self.detector is None:
            kept = [v for t, v in zip(self._times, self._values, strict=True) if t >= since]
        else:
            kept = [value for time, value, _ in self.recent if time >= since]
        values = np.array(kept, dtype=np.float64)
        return _without_outliers(values) if self._trims else values

    def level(self) -> Estimate | None:
        """Return the present level, or None if nothing is known yet."""
        if self.detector is None:
            values = self.after(-math.inf)
            return mean_estimate(values) if len(values) else None
        law = self.law
        if law is None or law.n == 0:
            return None
        reach = 1.96 * law.spread * law.deviation / math.sqrt(law.n)
        return Estimate(
            value=law.mean,
            low=min(max(law.mean - reach, 0.0), law.mean),
            high=law.mean + reach,
            unit="s",
            n=law.n,
            method="mean of the values that the watch learned from",
        )

    def state(self) -> dict[str, Any]:
        """Return what has to be kept, as plain data."""
        return {
            "budget": self._budget,
            "spacing": self._spacing,
            "law": self.law.to_dict() if self.law else None,
            "before": self.before.to_dict() if self.before else None,
            "detector": self.detector.to_dict() if self.detector else None,
            "score": self.score,
            "wanted": self._wanted,
            "times": list(self._times),
            "values": list(self._values),
            "is_final": self.is_final,
            "recent": [[time, value] for time, value, _ in self.recent],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._budget, self._spacing = state["budget"], state["spacing"]
        self.law = Reference.from_dict(state["law"]) if state["law"] else None
        self.before = Reference.from_dict(state["before"]) if state["before"] else None
        found = state["detector"]
        self.detector = LevelDetector.from_dict(found) if found else None
        self.score, self.is_final = state["score"], state["is_final"]
        self._wanted = state["wanted"]
        self._times, self._values = list(state["times"]), list(state["values"])
        law = self.law
        scored = ((t, v, 0.0 if law is None else law.score(v)) for t, v in state["recent"])
        self.recent = deque(scored, maxlen=MOST_RECENT)


def _without_outliers(values: Floats) -> Floats:
    """Return values without those further than 6 median absolute deviations from the median."""
    if len(values) == 0:
        return values
    distances = np.abs(values - np.median(values))
    reach = _OUTLIERS * float(np.median(distances))
    return np.asarray(values[distances <= reach]) if reach > 0 else values
