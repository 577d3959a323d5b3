"""One signal that counts: stops in running time, or spoiled items, of a machine or a station."""

from typing import Any, Literal

from scipy import special

from gigatwin.factory.estimates import Estimate
from gigatwin.twin.watch.charts import rate_chart
from gigatwin.twin.watch.detectors import Outcome, RateDetector

Source = Literal["plant", "model"]
FEWEST_EVENTS = 30
"""Events that a rate is learned from."""
_CAUTION = 0.9
_JEFFREYS = 0.5
_LEAST = 0.1


class RateSignal:
    """A signal that counts events among opportunities.

    Parameters
    ----------
    budget : float
        Wanted mean time between two false alarms of this signal. [s]
    spacing : float, optional
        Least mean time that one unit of opportunity takes; left out, it is measured. [s]
    by_item : bool
        Whether opportunities are items with at most one event each; otherwise it is time.
    rate : float, optional
        Rate of the model, above 0; left out, the rate is learned from the first 30 events.
    """

    def __init__(
        self, budget: float, spacing: float | None, *, by_item: bool, rate: float | None = None
    ) -> None:
        self._budget = budget
        self._spacing = spacing
        self._by_item = by_item
        self.source: Source = "plant"
        """Where the rate that is watched comes from."""
        self.detector: RateDetector | None = None
        """Chart and test; None while the rate is learned."""
        self.before: Estimate | None = None
        """The rate before the last change."""
        self.first = 0.0
        """When its counts began. [s]"""
        self.last = 0.0
        """When it was counted last. [s]"""
        self._counts = (0.0, 0.0)
        if rate is not None and rate > 0:
            self.use(rate)

    def use(self, rate: float) -> None:
        """Watch by the rate of a model."""
        self.source = "model"
        self._watch(rate, rate, rate, self.last)

    @property
    def rate(self) -> float | None:
        """Rate that is watched, in events for each unit; None while it is learned."""
        return None if self.detector is None else self.detector.rate

    def take(self, time: float, exposure: float, events: int) -> Outcome | None:
        """Take opportunities in, and the events at their end."""
        detector = self.detector
        n, seen = self._counts
        if seen == 0.0 and n == 0.0:
            self.first = time
        self._counts, self.last = (n + events, seen + exposure), time
        if detector is not None:
            return detector.take(time, exposure, events)
        if n + events < FEWEST_EVENTS:
            return None
        self._learn(time)
        return Outcome("learned", time, 0, time, 0.0, int(self._counts[0]))

    def _learn(self, time: float) -> None:
        n, seen = self._counts
        self.source = "plant"
        # Rising is judged by the largest rate that is likely, falling by the smallest, so that an
        # error of the rate makes no alarms.
        low, high = (
            float(special.gammaincinv(n + _JEFFREYS, share)) / seen
            for share in (1.0 - _CAUTION, _CAUTION)
        )
        self._watch(n / seen, low, high, time)

    def _watch(self, rate: float, low: float, high: float, time: float) -> None:
        spacing = self._spacing
        if spacing is None:
            length, seen = self.last - self.first, self._counts[1]
            spacing = self._spacing = length / seen if length > 0 < seen else 1.0
        chart = rate_chart(self._budget / spacing, high, low, by_item=self._by_item)
        chart.restart(time)
        self.detector = RateDetector(chart, rate)

    def restart(self, counts: tuple[float, float] = (0.0, 0.0), time: float = 0.0) -> None:
        """Begin with another rate: that of some events and opportunity, or one to be learned."""
        self.before = self.level()
        self._counts, self.first, self.last = counts, time, time
        self.detector = None
        if counts[0] >= FEWEST_EVENTS and counts[1] > 0:
            self._learn(time)

    def adopt(self, level: Estimate, time: float) -> None:
        """Watch by a rate that is known from elsewhere, from a moment in s on.

        Rising is judged by the upper end of its interval, falling by the lower one.
        """
        self.before = self.level()
        self._counts, self.first, self.last = (0.0, 0.0), time, time
        self.source = "plant"
        high = level.value if level.high is None else level.high
        self._watch(level.value, max(level.low, _LEAST * level.value), high, time)

    def level(self) -> Estimate | None:
        """Return the rate in events for each unit, or None if nothing is known yet."""
        if self.detector is not None and self._counts[0] < FEWEST_EVENTS:
            rate = self.detector.rate
            return Estimate(value=rate, low=rate, high=rate, n=0, method="as known before")
        return rate_estimate(*self._counts)

    def state(self) -> dict[str, Any]:
        """Return what has to be kept, as plain data."""
        return {
            "budget": self._budget,
            "spacing": self._spacing,
            "source": self.source,
            "detector": self.detector.to_dict() if self.detector else None,
            "before": self.before.model_dump() if self.before else None,
            "first": self.first,
            "last": self.last,
            "counts": list(self._counts),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._budget, self._spacing = state["budget"], state["spacing"]
        self.source = state["source"]
        found = state["detector"]
        self.detector = RateDetector.from_dict(found) if found else None
        self.before = Estimate.model_validate(state["before"]) if state["before"] else None
        self.first, self.last = state["first"], state["last"]
        self._counts = tuple(state["counts"])


def rate_estimate(events: float, exposure: float) -> Estimate | None:
    """Return a rate with its exact 95 % interval (Garwood), or None without opportunity.

    Parameters
    ----------
    events, exposure : float
        Number of events, and the opportunity they were seen in.
    """
    if exposure <= 0:
        return None
    low = float(special.gammaincinv(events, 0.025)) / exposure if events > 0 else 0.0
    high = float(special.gammaincinv(events + 1.0, 0.975)) / exposure
    return Estimate(
        value=events / exposure,
        low=low,
        high=high,
        n=round(events),
        method="events over opportunity, Poisson interval",
    )
