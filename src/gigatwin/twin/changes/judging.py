"""Whether what is seen after a change is what was predicted, with a stated rate of error."""

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import special

from gigatwin.twin.changes.boundary import Floats, critical_value, power
from gigatwin.twin.changes.errors import ChangeError
from gigatwin.twin.changes.prediction import Prediction, Watched
from gigatwin.twin.changes.proposal import Guard

GOOD, SCRAP = "good items", "scrap ratio"
_HOUR = 3600.0
_CONTINUITY = 0.5
_LEAST_WEIGHT, _MOST_WEIGHT = 1e-3, 1e9
_LOSSES = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5)
_WANTED_POWER = 0.9


@dataclass(frozen=True, slots=True)
class Judgement:
    """One quantity of one station at one look."""

    station: str
    quantity: str
    """`GOOD` or `SCRAP`."""
    look: int
    """Which look, from 1."""
    observed: float
    """Good items so far, or the scrap ratio so far."""
    expected: float
    """What was predicted for it."""
    limit: float
    """What it must not go beyond."""
    is_outside: bool
    """Whether it went beyond, in a direction that is a reason to roll back."""

    @property
    def text(self) -> str:
        """The judgement in words."""
        place = f"{self.quantity} of {self.station} at look {self.look}"
        if self.quantity == GOOD:
            return (
                f"{place}: {self.observed:.0f}, predicted {self.expected:.0f}, "
                f"limit {self.limit:.0f}"
            )
        return (
            f"{place}: {100 * self.observed:.2f} %, predicted {100 * self.expected:.2f} %, "
            f"limit {100 * self.limit:.2f} %"
        )

    @property
    def data(self) -> dict[str, Any]:
        """The judgement as plain data."""
        return asdict(self)


class StationJudge:
    r"""Compares one station with its prediction at given looks.

    Good items are normal with the predicted covariance, shifted by half an item
    (`gigatwin.twin.changes.boundary`). Of n items, the number spoiled is beta-binomial with the
    predicted ratio and its uncertainty; it is outside when its tail probability is below that of
    the critical value. As it is discrete, this errs on the side of keeping.

    Parameters
    ----------
    watched : Watched
        The prediction.
    guard : Guard
        Looks and error.
    error : float
        Probability that each of the two quantities is outside although the prediction is right.
    """

    def __init__(self, watched: Watched, guard: Guard, error: float) -> None:
        self.watched = watched
        self.guard = guard
        self.error = error
        self.degrees = watched.degrees or math.inf
        self.share = min(max(watched.scrap, guard.least_scrap), 1.0 - 1e-9)

    @cached_property
    def critical(self) -> float:
        """Standard deviations that the good items may be off at any look."""
        return critical_value(
            self.watched.covariance,
            self.degrees,
            self.error,
            is_two_sided=self.guard.is_two_sided,
        )

    @cached_property
    def level(self) -> float:
        """Tail probability below which the number spoiled is outside at any look."""
        n = np.asarray(self.watched.processed)
        counting = self.share * (1.0 - self.share) * np.minimum.outer(n, n)
        covariance = counting + self.watched.scrap_error**2 * np.outer(n, n)
        critical = critical_value(
            covariance.tolist(), math.inf, self.error, is_two_sided=self.guard.is_two_sided
        )
        return float(special.ndtr(-critical))

    def judge(self, look: int, good: float, scrap: float) -> tuple[Judgement, Judgement]:
        """Return what good and spoiled items so far say at a look, from 1."""
        return self._judge_good(look, good), self._judge_scrap(look, good, scrap)

    def found_with(self, loss: float) -> float:
        """Return the probability that a loss of good items, as a share, is found in the watch."""
        lost = [loss * mean for mean in self.watched.good]
        return power(
            self.watched.covariance,
            self.degrees,
            self.critical,
            lost,
            is_two_sided=self.guard.is_two_sided,
        )

    @property
    def detectable_loss(self) -> float | None:
        """Least loss of good items, of some usual ones, that is found with 90 %; None: none is."""
        found = (loss for loss in _LOSSES if self.found_with(loss) >= _WANTED_POWER)
        return next(found, None)

    def _judge_good(self, look: int, good: float) -> Judgement:
        mean = self.watched.good[look - 1]
        spread = math.sqrt(self.watched.covariance[look - 1][look - 1])
        room = self.critical * spread + _CONTINUITY
        is_less, is_more = good < mean - room, good > mean + room
        is_outside = is_less or (is_more and self.guard.is_two_sided)
        limit = mean + room if is_more and self.guard.is_two_sided else mean - room
        return Judgement(
            self.watched.station, GOOD, look, good, mean, max(limit, 0.0), bool(is_outside)
        )

    def _judge_scrap(self, look: int, good: float, scrap: float) -> Judgement:
        n, spoiled = round(good + scrap), round(scrap)
        upper, lower = tails(max(n, 1), self.share, self.watched.scrap_error)
        is_more = n > 0 and upper[spoiled] < self.level
        is_less = n > 0 and lower[spoiled] < self.level
        is_outside = is_more or (is_less and self.guard.is_two_sided)
        # The most and the fewest that are not outside.
        inside = np.flatnonzero(upper >= self.level)[-1]
        if is_less and self.guard.is_two_sided:
            inside = np.flatnonzero(lower >= self.level)[0]
        observed = spoiled / n if n else 0.0
        limit = float(inside) / max(n, 1)
        return Judgement(
            self.watched.station, SCRAP, look, observed, self.share, limit, bool(is_outside)
        )


def tails(n: int, share: float, error: float) -> tuple[Floats, Floats]:
    """Return the tail probabilities of the number spoiled among n items.

    Parameters
    ----------
    n : int
        Items.
    share : float
        Mean ratio spoiled, between 0 and 1. [-]
    error : float
        Standard deviation of the ratio, which has a beta law; 0: the number is binomial. [-]

    Returns
    -------
    upper, lower : ndarray
        Probability of k or more, and of k or fewer, for k from 0 to n. Shape (n + 1,).

    Examples
    --------
    >>> upper, lower = tails(2, 0.5, 0.0)
    >>> upper.round(3).tolist(), lower.round(3).tolist()
    ([1.0, 0.75, 0.25], [0.25, 0.75, 1.0])
    """
    k = np.arange(n + 1.0)
    chosen = special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)
    weight = share * (1.0 - share) / error**2 - 1.0 if error else math.inf
    if weight > _MOST_WEIGHT:
        logarithms = chosen + k * math.log(share) + (n - k) * math.log1p(-share)
    else:
        weight = max(weight, _LEAST_WEIGHT)
        a, b = share * weight, (1.0 - share) * weight
        logarithms = chosen + special.betaln(k + a, n - k + b) - special.betaln(a, b)
    probabilities = np.exp(logarithms)
    return np.cumsum(probabilities[::-1])[::-1], np.cumsum(probabilities)


class Judge:
    """Compares all watched stations with their predictions.

    The stated error is that of all quantities of all stations together: each has an equal part.
    """

    def __init__(self, prediction: Prediction, guard: Guard) -> None:
        if not prediction.watched:
            message = "guard: nothing was predicted for the watch; it needs a station to watch."
            raise ChangeError(message)
        error = guard.error / (2 * len(prediction.watched))
        self.stations = {
            watched.station: StationJudge(watched, guard, error) for watched in prediction.watched
        }

    def judge(self, look: int, counts: dict[str, tuple[float, float]]) -> list[Judgement]:
        """Return the judgements at a look, from the good and spoiled items of each station."""
        return [
            judgement
            for station, judge in self.stations.items()
            for judgement in judge.judge(look, *counts[station])
        ]
