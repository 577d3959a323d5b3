"""Where a value lies in the law that holds while nothing changes, as a standard normal score.

Scores know no units and no families: the law is the plant's own record, or that of the model. A
score beyond the largest value of the law counts as that value, so that a single wild value (a stop
that nobody reported) cannot call by itself.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

from gigatwin.factory.durations import Duration
from gigatwin.learning.drift.change_points import long_run_deviation
from gigatwin.learning.times.durations import thinned
from gigatwin.learning.times.law_fits import law_quantiles

Floats = NDArray[np.float64]
Source = Literal["plant", "model"]
"""Whether a law is the plant's own record or that of the model."""

MOST_POINTS = 500
"""Points that a law is kept as."""
LEAST_SPREAD = 0.002
"""A law is taken as no narrower than this share of its median: clocks have their jitter, and a
change by less is of no interest."""
_FEW = 10
_MOST_CORRELATION = 0.95


@dataclass(frozen=True)
class Reference:
    """The law of a signal while nothing changes."""

    source: Source
    """Whose law it is."""
    n: int
    """Number of values it rests on; 0 for the law of a model."""
    mean: float
    """Mean of the law."""
    deviation: float
    """Standard deviation of the law, taken as no smaller than `LEAST_SPREAD` of the median."""
    points: tuple[float, ...]
    """Values, ascending, all different."""
    scores: tuple[float, ...]
    """Standard normal score of each."""
    spread: float = 1.0
    """What scores are divided by, where neighbours are alike; 1 or more."""

    @classmethod
    def of_values(cls, values: Floats, normal: Floats | None = None) -> Self:
        """Return the law of recorded values.

        Parameters
        ----------
        values : ndarray
            In the order of time. Shape (n,), n at least 2.
        normal : ndarray, optional
            Those that mean and deviation are taken from, where some are something else, such as
            stops that nobody reported. Shape (m,).
        """
        ordered = thinned(np.asarray(values, dtype=np.float64), MOST_POINTS)
        found = cls._of_points("plant", ordered, values if normal is None else normal)
        return cls(**{**found.__dict__, "spread": _spread_of_sums(found.score_all(values))})

    @classmethod
    def of_law(cls, law: Duration, factor: float = 1.0) -> Self | None:
        """Return the law of a description, or None if it is a constant, which says no spread.

        Parameters
        ----------
        law : Duration
            Law of the description.
        factor : float
            What its values are multiplied by, such as one over a speed.
        """
        ordered = np.sort(law_quantiles(law, MOST_POINTS)) * factor
        if ordered[0] == ordered[-1]:
            return None
        return cls._of_points("model", ordered, ordered)

    @classmethod
    def _of_points(cls, source: Source, ordered: Floats, normal: Floats) -> Self:
        scores = special.ndtri((np.arange(len(ordered)) + 0.5) / len(ordered))
        # Eight digits are more than a clock has, and halve what is saved of a plant.
        ordered = np.array([float(f"{value:.8g}") for value in ordered.tolist()])
        points, place = np.unique(ordered, return_inverse=True)
        # Equal values share the mean of their scores.
        shared = np.bincount(place, weights=scores) / np.bincount(place)
        median = float(np.median(ordered))
        least = LEAST_SPREAD * abs(median) or 1e-9
        deviation = float(np.std(normal))
        if deviation < least:
            reach = float(scores[-1])
            points, shared = np.array([-reach, reach]) * least + median, np.array([-reach, reach])
        return cls(
            source=source,
            n=len(normal) if source == "plant" else 0,
            mean=float(np.mean(normal)),
            deviation=max(deviation, least),
            points=tuple(points.tolist()),
            scores=tuple(shared.round(5).tolist()),
        )

    @property
    def cv(self) -> float:
        """Standard deviation over mean, enlarged where neighbours are alike."""
        return self.spread * self.deviation / abs(self.mean) if self.mean else 0.0

    def score(self, value: float) -> float:
        """Return the score of one value."""
        points = self.points
        place = bisect_right(points, value)
        if place == 0:
            return self.scores[0] / self.spread
        if place == len(points):
            return self.scores[-1] / self.spread
        low = points[place - 1]
        share = (value - low) / (points[place] - low)
        below = self.scores[place - 1]
        return (below + share * (self.scores[place] - below)) / self.spread

    def score_all(self, values: Floats) -> Floats:
        """Return the scores of many values. Shape (n,)."""
        return np.asarray(np.interp(values, self.points, self.scores) / self.spread)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**self.__dict__, "points": list(self.points), "scores": list(self.scores)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return what `to_dict` gave."""
        known = {**data, "points": tuple(data["points"]), "scores": tuple(data["scores"])}
        return cls(**known)


def _spread_of_sums(scores: Floats) -> float:
    """Return by how much sums of scores wander more than those of independent ones, 1 or more.

    For a first-order autoregression that is sqrt((1 + r) / (1 - r)). A chart calls e times as
    often for every 3 % that this is too small, so that the correlation is taken one standard error
    larger than it seems.
    """
    n = len(scores)
    centred = scores - scores.mean()
    total = float((centred * centred).sum())
    if n < _FEW or total <= 0.0:
        return 1.0
    seen = float((centred[1:] * centred[:-1]).sum()) / total
    r = min(max(seen, 0.0) + 1.0 / math.sqrt(n), _MOST_CORRELATION)
    return max(1.0, math.sqrt((1.0 + r) / (1.0 - r)), long_run_deviation(scores))
