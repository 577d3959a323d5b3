"""The settings of one machine that reach a rate with the fewest defects, within its limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from gigatwin.equipment.description.machine import Lever
from gigatwin.equipment.interlocks import overlaps_in_zones
from gigatwin.equipment.limits import is_possible, limit_uses
from gigatwin.equipment.line import MachineGroup
from gigatwin.equipment.model.equipment_model import Evaluation
from gigatwin.equipment.motion.s_curve import Floats
from gigatwin.equipment.settings_problem import CycleProblem

_SAMPLES = 1024
_TOLERANCE = 1e-6
_HALVINGS = 30
_LEAST_WIDTH = 1e-12
_NEAR = 0.05
"""Relative margin below which a limit may matter."""
_TIE = 1e-9
"""Scrap that makes no difference."""


@dataclass(frozen=True)
class Found:
    """Settings that reach a rate."""

    settings: dict[str, float]
    """All settings of the machine. [SI]"""
    scrap: float
    """Share of items spoiled with them."""


class SettingsSearch:
    """Searches the free settings of one station's machines.

    Starts are the settings as they are, those found for rates near by, and the best of some
    thousand points of a Sobol sequence; from each, `CycleProblem` is solved.
    """

    def __init__(
        self,
        group: MachineGroup,
        product_format: str,
        free: Sequence[Lever],
        start: Mapping[str, float],
        factors: Mapping[str, float] | None = None,
    ) -> None:
        """Look at the range of what is free."""
        self.group = group
        self.product_format = product_format
        self.start = dict(start)
        self.factors = dict(factors or {})
        model = group.model
        self.names = [
            name
            for name, known in model.settings.items()
            if known.lever in free and known.high > known.low and not known.steps
        ]
        self.low = np.array([model.settings[name].low for name in self.names])
        self.width = np.array([model.settings[name].high for name in self.names]) - self.low
        self._known: dict[float, NDArray[np.float64]] = {}
        self._keep_zones_clear()
        self._now = self._scaled(self.start)
        now = self.evaluate(self._now[None])
        self.rate_now = float(self._rates(now)[0])
        points = self._sample()
        sampled = self.evaluate(points)
        self._points = points
        self._sampled_rates = self._rates(sampled)
        self._sampled_scrap = np.broadcast_to(sampled.scrap, len(points))
        self._sampled_is_allowed = self._is_allowed(sampled)
        # Nothing can be better than this, so that there is nothing to search where it is reached.
        self._least_scrap = float(self._sampled_scrap.min())
        # Limits that no sample comes near are only looked at in the end.
        self.near_limits = [
            k for k, use in enumerate(limit_uses(sampled)) if use.margin.min() < _NEAR
        ]
        self.most_rate = self.rate_now
        if self.names:
            self._find_fastest()

    def fewest_defects(self, rate: float, *, is_thorough: bool = False) -> Found | None:
        """Return the settings that reach a rate with the fewest defects, None if there are none.

        Parameters
        ----------
        rate : float
            Items in a second of all machines of the station. [item/s]
        is_thorough : bool
            Whether to start from everywhere, and not from the last settings found alone.
        """
        if not self.names:
            reached = self.rate_now >= rate * (1 - _TOLERANCE)
            return self._found(self._now) if reached else None
        known = self._known.get(rate)
        if known is not None and not is_thorough:
            return self._found(known)
        if rate > self.most_rate * (1 + _TOLERANCE):
            return None
        below = max((other for other in self._known if other < rate), default=None)
        above = min((other for other in self._known if other > rate), default=None)
        starts = [self._known[other] for other in (below, above) if other is not None]
        others = [self._best_sample(rate), self._now]
        best = self._best_of([*starts, *(others if is_thorough else ())], rate)
        if not is_thorough and (best is None or self._is_doubtful(best, rate, below, above)):
            best = self._best_of([*([] if best is None else [best]), *others], rate)
        if best is None:
            return None
        self._known[rate] = best
        return self._found(best)

    def _is_doubtful(
        self, point: NDArray[np.float64], rate: float, below: float | None, above: float | None
    ) -> bool:
        """Return whether neighbours say that there should be something better.

        Fewest defects are convex in the rate as long as the curves are.
        """
        if below is None or above is None:
            return False
        ends = [self._found(self._known[other]).scrap for other in (below, above)]
        between = float(np.interp(rate, (below, above), ends))
        return self._found(point).scrap > between + _TIE

    def simplest(self, found: Found, rate: float) -> Found:
        """Return settings as good as those found that change as little as possible.

        Where a machine has time to spare, the search leaves settings anywhere; an engineer wants
        them where they were.
        """
        point = self._scaled(found.settings)
        for k in range(len(self.names)):
            other = point.copy()
            other[k] = self._now[k]
            evaluation = self.evaluate(other[None])
            if (
                self._rates(evaluation)[0] >= rate * (1 - _TOLERANCE)
                and self._is_allowed(evaluation)[0]
                and self._is_clear(self._at(other))
                and float(np.ravel(evaluation.scrap)[0]) <= found.scrap + _TIE
            ):
                point = other
        return self._found(point)

    def forget(self, rate: float) -> None:
        """Forget what was found above a rate, where a better start is known now."""
        self._known = {known: point for known, point in self._known.items() if known <= rate}

    def _best_sample(self, rate: float) -> NDArray[np.float64]:
        """Return the sampled point with the fewest defects at a rate, or the fastest one."""
        good = self._sampled_is_allowed & (self._sampled_rates >= rate)
        if good.any():
            order = np.lexsort((-self._sampled_rates, np.where(good, self._sampled_scrap, np.inf)))
            found: NDArray[np.float64] = self._points[order[0]]
            return found
        allowed = np.where(self._sampled_is_allowed, self._sampled_rates, -np.inf)
        fastest: NDArray[np.float64] = self._points[int(np.argmax(allowed))]
        return fastest

    def _best_of(
        self, starts: list[NDArray[np.float64]], rate: float
    ) -> NDArray[np.float64] | None:
        """Return the best of some points and of what the optimiser makes of them."""
        if not starts:
            return None
        best, least = self._chosen(np.array(starts), rate)
        if best is None or least > self._least_scrap + _TIE:
            solved = [self._solved(start, rate) for start in starts]
            best, _ = self._chosen(np.array([*starts, *solved]), rate)
        return best

    def _chosen(
        self, points: NDArray[np.float64], rate: float
    ) -> tuple[NDArray[np.float64] | None, float]:
        """Return the best of some points that reach a rate, and its scrap."""
        evaluation = self.evaluate(points)
        clear = np.array([self._is_clear(self._at(point)) for point in points])
        usable = (
            clear
            & self._is_allowed(evaluation)
            & (self._rates(evaluation) >= rate * (1 - _TOLERANCE))
        )
        if not usable.any():
            return None, np.inf
        scrap = np.where(usable, evaluation.scrap, np.inf)
        # Among equally good ones the fastest: it leaves room for the others.
        ties = scrap <= scrap.min() + _TIE
        chosen: NDArray[np.float64] = points[
            int(np.argmax(np.where(ties, self._rates(evaluation), -np.inf)))
        ]
        return chosen, float(scrap.min())

    def _keep_zones_clear(self) -> None:
        """Narrow the ranges of settings that alone would put two activities into one zone."""
        for k, name in enumerate(self.names):
            now, ends = self.start[name], [self.low[k], self.low[k] + self.width[k]]
            for side, end in enumerate(ends):
                if self._is_clear({name: float(end)}) or not self._is_clear({}):
                    continue
                clear, blocked = now, float(end)
                for _ in range(_HALVINGS):
                    middle = (clear + blocked) / 2
                    if self._is_clear({name: middle}):
                        clear = middle
                    else:
                        blocked = middle
                ends[side] = clear
            self.low[k], self.width[k] = ends[0], max(ends[1] - ends[0], _LEAST_WIDTH)

    def _is_clear(self, changed: Mapping[str, float]) -> bool:
        model = self.group.model
        if not model.machine.zones:
            return True
        evaluation = model.evaluate(self.product_format, {**self.start, **changed}, self.factors)
        return not overlaps_in_zones(evaluation)

    # Settings and what they give --------------------------------------------------------------

    def _scaled(self, settings: Mapping[str, float]) -> NDArray[np.float64]:
        given = np.array([settings[name] for name in self.names])
        return (given - self.low) / self.width if self.names else given

    def _settings(self, points: NDArray[np.float64]) -> dict[str, Floats]:
        columns: dict[str, Floats] = dict(self.start)
        for k, name in enumerate(self.names):
            columns[name] = self.low[k] + self.width[k] * points[:, k]
        return columns

    def evaluate(self, points: NDArray[np.float64]) -> Evaluation:
        """Return what the machine does at points, shape (n, n_free), each from 0 to 1."""
        model = self.group.model
        return model.evaluate(self.product_format, self._settings(points), self.factors)

    def _rates(self, evaluation: Evaluation) -> NDArray[np.float64]:
        return np.broadcast_to(self.group.machines * evaluation.net_rate, evaluation.n)

    def _is_allowed(self, evaluation: Evaluation) -> NDArray[np.bool_]:
        allowed = is_possible(evaluation)
        for use in limit_uses(evaluation):
            allowed &= use.margin >= -_TOLERANCE
        return allowed

    def _at(self, point: NDArray[np.float64]) -> dict[str, float]:
        return {
            name: float(np.ravel(value)[0]) for name, value in self._settings(point[None]).items()
        }

    def _found(self, point: NDArray[np.float64]) -> Found:
        return Found(self._at(point), float(np.ravel(self.evaluate(point[None]).scrap)[0]))

    def _sample(self) -> NDArray[np.float64]:
        if not self.names:
            return np.zeros((1, 0))
        sobol = scipy.stats.qmc.Sobol(len(self.names), seed=1)
        inner = sobol.random(_SAMPLES)
        # Best settings often stand at ends of ranges, which the sequence itself leaves out.
        ends = np.clip(1.5 * inner - 0.25, 0.0, 1.0)
        return np.concatenate([inner, ends, self._now[None]])

    def _solved(self, start: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
        """Return the point with the fewest defects that the optimiser finds from a start."""
        time = self.group.machines * self.group.model.machine.items_per_cycle / rate
        return CycleProblem(self.evaluate, self.group.model, self.near_limits).fewest_defects(
            start, time
        )

    def _find_fastest(self) -> None:
        """Find the highest rate that the free settings reach within the limits."""
        problem = CycleProblem(self.evaluate, self.group.model, self.near_limits)
        starts = [self._best_sample(np.inf), self._now]
        points = np.array([*starts, *(problem.fastest(start) for start in starts)])
        evaluation = self.evaluate(points)
        clear = np.array([self._is_clear(self._at(point)) for point in points])
        rates = np.where(clear & self._is_allowed(evaluation), self._rates(evaluation), -np.inf)
        best = int(np.argmax(rates))
        if rates[best] > self.rate_now:
            self.most_rate = float(rates[best])
            self._known[self.most_rate] = points[best]
