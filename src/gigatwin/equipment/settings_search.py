"""The settings of one machine that reach a rate with the fewest defects, within its limits."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from gigatwin.equipment.description.machine import Lever
from gigatwin.equipment.interlocks import overlaps_in_zones
from gigatwin.equipment.limits import limit_uses
from gigatwin.equipment.line import MachineGroup
from gigatwin.equipment.model.equipment_model import Evaluation
from gigatwin.equipment.motion.s_curve import Floats

_SAMPLES = 1024
_STEP = 1e-5
"""Step of differences, relative to a setting's range."""
_SCALE = 1e3
"""Scrap is a thousandth or so; the optimiser wants numbers near one."""
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
    r"""Searches the free settings of one station's machines.

    For a wanted rate r, the cycle and the stops in it may take N/r together, N items a cycle. That
    a cycle time is enough means that there are times x of the activities with
    :math:`x_v \ge x_u + w_{uv} - \lambda t_{uv}` on every arc: smooth conditions on settings and
    times, where the cycle time itself, a maximum, has kinks. They are solved by sequential
    quadratic programming (SciPy's SLSQP) from several starts: the settings as they are, the last
    ones found, and the best of 1024 points of a Sobol sequence.
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
        now = self._evaluate(self._now[None])
        self.rate_now = float(self._rates(now)[0])
        points = self._sample()
        sampled = self._evaluate(points)
        self._points = points
        self._sampled_rates = self._rates(sampled)
        self._sampled_scrap = np.broadcast_to(sampled.scrap, len(points))
        self._sampled_is_allowed = self._is_allowed(sampled)
        # Limits that no sample comes near are only looked at in the end.
        self.near_limits = [
            k for k, use in enumerate(limit_uses(sampled)) if use.margin.min() < _NEAR
        ]
        allowed = self._sampled_rates[self._sampled_is_allowed]
        # A little beyond the best sample: the optimiser finds corners that points do not.
        reached = max(float(allowed.max(initial=0.0)), self.rate_now)
        self.most_rate = reached * (1.25 if self.names else 1.0)

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
        nearest = sorted(self._known, key=lambda other: abs(other - rate))[:2]
        starts = [self._known[other] for other in nearest]
        others = [self._best_sample(rate), self._now]
        best = self._best_of([*starts[:1], *(others if is_thorough else ())], rate)
        if best is None and not is_thorough:
            best = self._best_of([*starts[1:], *others], rate)
        if best is None:
            return None
        self._known[rate] = best
        return self._found(best)

    def simplest(self, found: Found, rate: float) -> Found:
        """Return settings as good as those found that change as little as possible.

        Where a machine has time to spare, the search leaves settings anywhere; an engineer wants
        them where they were.
        """
        point = self._scaled(found.settings)
        for k in range(len(self.names)):
            other = point.copy()
            other[k] = self._now[k]
            evaluation = self._evaluate(other[None])
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
        points = np.array([*starts, *(self._solved(start, rate) for start in starts)])
        evaluation = self._evaluate(points)
        clear = np.array([self._is_clear(self._at(point)) for point in points])
        usable = (
            clear
            & self._is_allowed(evaluation)
            & (self._rates(evaluation) >= rate * (1 - _TOLERANCE))
        )
        if not usable.any():
            return None
        scrap = np.where(usable, evaluation.scrap, np.inf)
        # Among equally good ones the fastest: it leaves room for the others.
        ties = scrap <= scrap.min() + _TIE
        chosen: NDArray[np.float64] = points[
            int(np.argmax(np.where(ties, self._rates(evaluation), -np.inf)))
        ]
        return chosen

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

    def _evaluate(self, points: NDArray[np.float64]) -> Evaluation:
        model = self.group.model
        return model.evaluate(self.product_format, self._settings(points), self.factors)

    def _rates(self, evaluation: Evaluation) -> NDArray[np.float64]:
        return np.broadcast_to(self.group.machines * evaluation.net_rate, evaluation.n)

    def _is_allowed(self, evaluation: Evaluation) -> NDArray[np.bool_]:
        allowed = np.ones(evaluation.n, dtype=bool)
        for use in limit_uses(evaluation):
            allowed &= use.margin >= -_TOLERANCE
        return allowed

    def _at(self, point: NDArray[np.float64]) -> dict[str, float]:
        return {
            name: float(np.ravel(value)[0]) for name, value in self._settings(point[None]).items()
        }

    def _found(self, point: NDArray[np.float64]) -> Found:
        return Found(self._at(point), float(np.ravel(self._evaluate(point[None]).scrap)[0]))

    def _sample(self) -> NDArray[np.float64]:
        if not self.names:
            return np.zeros((1, 0))
        sobol = scipy.stats.qmc.Sobol(len(self.names), seed=1)
        inner = sobol.random(_SAMPLES)
        # Best settings often stand at ends of ranges, which the sequence itself leaves out.
        ends = np.clip(1.5 * inner - 0.25, 0.0, 1.0)
        return np.concatenate([inner, ends, self._now[None]])

    # The conditions -----------------------------------------------------------------------------

    def _solved(self, start: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
        """Return the point that the optimiser finds from a start."""
        problem = _Problem(self, rate)
        n = len(self.names)
        times = problem.times_at(start)
        with warnings.catch_warnings():
            # SLSQP clips a start to the bounds and says so.
            warnings.simplefilter("ignore", RuntimeWarning)
            found = scipy.optimize.minimize(
                problem.objective,
                np.concatenate([start, times]),
                jac=problem.slopes_of_objective,
                bounds=[(0.0, 1.0)] * n + [(None, None)] * len(times),
                constraints=[{"type": "ineq", "fun": problem.conditions, "jac": problem.slopes}],
                method="SLSQP",
                options={"maxiter": 40, "ftol": 1e-6},
            )
        point: NDArray[np.float64] = np.clip(found.x[:n], 0.0, 1.0)
        return point


class _Problem:
    """Objective and conditions at one wanted rate, with their slopes by differences."""

    def __init__(self, search: SettingsSearch, rate: float) -> None:
        self.search = search
        model = search.group.model
        self.arcs = model.arcs
        self.tails = np.array([arc.tail for arc in self.arcs])
        self.heads = np.array([arc.head for arc in self.arcs])
        self.n_activities = len(model.activities)
        self.allowed = search.group.machines * model.machine.items_per_cycle / rate
        self._key: bytes = b""
        self._values: tuple[NDArray[np.float64], ...] = ()

    def times_at(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return times of the activities that are right if the point reaches the rate."""
        reduced = self._at(point)[1][0]
        times = np.zeros(self.n_activities)
        for _ in range(self.n_activities):
            np.maximum.at(times, self.heads, times[self.tails] - reduced)
        # Where the rate is not reached they would grow for ever; a few rounds are a start.
        from_zero: NDArray[np.float64] = times - times.min()
        return from_zero

    def _at(self, point: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Return scrap, arcs' room and limits' margins at a point and around it.

        Row 0 is the point, rows 1 to n have one setting a step higher, the others a step lower.
        """
        key = point.tobytes()
        if key == self._key:
            return self._values
        n = len(point)
        rows = np.repeat(point[None], 2 * n + 1, axis=0)
        rows[np.arange(1, n + 1), np.arange(n)] += _STEP
        rows[np.arange(n + 1, 2 * n + 1), np.arange(n)] -= _STEP
        evaluation = self.search._evaluate(rows)  # noqa: SLF001 - a part of it
        weights = evaluation.columns([arc.weight for arc in self.arcs])
        tokens = evaluation.columns([arc.tokens for arc in self.arcs])
        cycle = self.allowed - np.broadcast_to(evaluation.downtime, evaluation.n)
        room = cycle[:, None] * tokens - weights
        margins = np.zeros((evaluation.n, 0))
        if self.search.near_limits:
            uses = limit_uses(evaluation)
            margins = np.stack([uses[k].margin for k in self.search.near_limits], axis=1)
        scrap = np.broadcast_to(evaluation.scrap, evaluation.n)
        self._key, self._values = key, (scrap, room, margins)
        return self._values

    @staticmethod
    def _slopes(values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
        slopes: NDArray[np.float64] = (values[1 : n + 1] - values[n + 1 :]) / (2 * _STEP)
        return slopes

    def _parts(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        n = len(x) - self.n_activities
        return x[:n], x[n:]

    def objective(self, x: NDArray[np.float64]) -> float:
        """Return the scrap, scaled."""
        return float(self._at(self._parts(x)[0])[0][0]) * _SCALE

    def slopes_of_objective(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how the scrap changes with each variable."""
        point, times = self._parts(x)
        slopes = self._slopes(self._at(point)[0], len(point)) * _SCALE
        return np.concatenate([slopes, np.zeros(len(times))])

    def conditions(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what must not be negative: room on the arcs, margins of the limits."""
        point, times = self._parts(x)
        _, room, margins = self._at(point)
        waits = times[self.heads] - times[self.tails] + room[0]
        return np.concatenate([waits, margins[0]])

    def slopes(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how the conditions change with each variable."""
        point, _ = self._parts(x)
        n = len(point)
        _, room, margins = self._at(point)
        by_time = np.zeros((len(self.arcs) + margins.shape[1], self.n_activities))
        rows = np.arange(len(self.arcs))
        by_time[rows, self.heads] += 1
        by_time[rows, self.tails] -= 1
        by_setting = np.concatenate([self._slopes(room, n), self._slopes(margins, n)], axis=1).T
        return np.concatenate([by_setting, by_time], axis=1)
