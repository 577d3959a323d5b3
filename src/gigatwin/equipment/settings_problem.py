"""Settings, a cycle time and limits as a smooth problem for an optimiser."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import scipy
from numpy.typing import NDArray

from gigatwin.equipment.limits import limit_uses
from gigatwin.equipment.model.equipment_model import EquipmentModel, Evaluation

_STEP = 1e-5
"""Step of differences, relative to a setting's range."""
_SCRAP_SCALE = 1e3
"""Scrap is a thousandth or so; the optimiser wants numbers near one."""
_OPTIONS = {"maxiter": 40, "ftol": 1e-6}


class CycleProblem:
    r"""Finds the fewest defects in a given time, or the shortest time.

    A cycle with its stops can be done in a time :math:`\lambda` if there are times x of the
    activities with :math:`x_v \ge x_u + w_{uv} - (\lambda - d) t_{uv}` on every arc, with the mean
    downtime d of a cycle. These conditions are smooth in settings, times and :math:`\lambda`, where
    the cycle time itself, a maximum, has kinks. They are solved by sequential quadratic programming
    (SciPy's SLSQP), with slopes by central differences that are calculated in one call.

    Variables: the free settings (0 to 1), the times of the activities, and the time of a cycle.
    """

    def __init__(
        self,
        evaluate: Callable[[NDArray[np.float64]], Evaluation],
        model: EquipmentModel,
        near_limits: Sequence[int],
    ) -> None:
        """Take the machine, and the limits that may matter, by their position."""
        self._evaluate = evaluate
        self._arcs = model.arcs
        self._near_limits = near_limits
        self._tails = np.array([arc.tail for arc in model.arcs])
        self._heads = np.array([arc.head for arc in model.arcs])
        self._n_activities = len(model.activities)
        self._key = b""
        self._around: tuple[NDArray[np.float64], ...] = ()

    def fewest_defects(self, start: NDArray[np.float64], time: float) -> NDArray[np.float64]:
        """Return the point with the fewest defects that does a cycle in a time [s]."""

        def scrap(x: NDArray[np.float64]) -> float:
            return float(self._at(self._point(x))[0][0]) * _SCRAP_SCALE

        def slopes(x: NDArray[np.float64]) -> NDArray[np.float64]:
            point = self._point(x)
            found = np.zeros(len(x))
            found[: len(point)] = self._slopes(self._at(point)[0], len(point)) * _SCRAP_SCALE
            return found

        return self._minimized(start, time, (time, time), scrap, slopes)

    def fastest(self, start: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the point with the shortest time of a cycle, whatever the defects."""
        evaluation = self._evaluate(start[None])
        time = float(np.ravel(evaluation.cycle_time + evaluation.downtime)[0])

        def slopes(x: NDArray[np.float64]) -> NDArray[np.float64]:
            found = np.zeros(len(x))
            found[-1] = 1 / time
            return found

        return self._minimized(start, time, (0.0, None), lambda x: float(x[-1]) / time, slopes)

    def _minimized(
        self,
        start: NDArray[np.float64],
        time: float,
        times_allowed: tuple[float, float | None],
        objective: Callable[[NDArray[np.float64]], float],
        slopes: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    ) -> NDArray[np.float64]:
        n = len(start)
        with warnings.catch_warnings():
            # SLSQP clips a start to the bounds and says so.
            warnings.simplefilter("ignore", RuntimeWarning)
            found = scipy.optimize.minimize(
                objective,
                np.concatenate([start, self._times_at(start, time), [time]]),
                jac=slopes,
                bounds=[(0.0, 1.0)] * n + [(None, None)] * self._n_activities + [times_allowed],
                constraints=[
                    {"type": "ineq", "fun": self._conditions, "jac": self._slopes_of_conditions}
                ],
                method="SLSQP",
                options=_OPTIONS,
            )
        point: NDArray[np.float64] = np.clip(found.x[:n], 0.0, 1.0)
        return point

    def _times_at(self, point: NDArray[np.float64], time: float) -> NDArray[np.float64]:
        """Return times of the activities that are right if the point does a cycle in the time."""
        _, weights, tokens, downtime, _ = (part[0] for part in self._at(point))
        times = np.zeros(self._n_activities)
        for _ in range(self._n_activities):
            np.maximum.at(
                times, self._heads, times[self._tails] + weights - (time - downtime) * tokens
            )
        # Where the time is too short they would grow for ever; a few rounds are a start.
        from_zero: NDArray[np.float64] = times - times.min()
        return from_zero

    def _at(self, point: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Return scrap, arcs (weights and tokens), downtime and margins of limits around a point.

        Row 0 is the point, rows 1 to n have one setting a step higher, the others a step lower.
        """
        key = point.tobytes()
        if key == self._key:
            return self._around
        n = len(point)
        rows = np.repeat(point[None], 2 * n + 1, axis=0)
        rows[np.arange(1, n + 1), np.arange(n)] += _STEP
        rows[np.arange(n + 1, 2 * n + 1), np.arange(n)] -= _STEP
        evaluation = self._evaluate(rows)
        margins = np.zeros((evaluation.n, 0))
        if self._near_limits:
            uses = limit_uses(evaluation)
            margins = np.stack([uses[k].margin for k in self._near_limits], axis=1)
        self._key = key
        self._around = (
            np.broadcast_to(evaluation.scrap, evaluation.n),
            evaluation.columns([arc.weight for arc in self._arcs]),
            evaluation.columns([arc.tokens for arc in self._arcs]),
            np.broadcast_to(evaluation.downtime, evaluation.n),
            margins,
        )
        return self._around

    def _point(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return x[: len(x) - self._n_activities - 1]

    @staticmethod
    def _slopes(values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
        slopes: NDArray[np.float64] = (values[1 : n + 1] - values[n + 1 :]) / (2 * _STEP)
        return slopes

    def _conditions(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what must not be negative: room on the arcs, margins of the limits."""
        n = len(x) - self._n_activities - 1
        times, time = x[n:-1], x[-1]
        _, weights, tokens, downtime, margins = (part[0] for part in self._at(x[:n]))
        room = times[self._heads] - times[self._tails] + (time - downtime) * tokens - weights
        return np.concatenate([room, margins])

    def _slopes_of_conditions(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        n = len(x) - self._n_activities - 1
        time = x[-1]
        _, weights, tokens, downtime, margins = self._at(x[:n])
        found = np.zeros((len(self._arcs) + margins.shape[1], len(x)))
        rows = np.arange(len(self._arcs))
        found[rows, n + self._heads] += 1
        found[rows, n + self._tails] -= 1
        found[rows, -1] = tokens[0]
        room = (time - downtime[:, None]) * tokens - weights
        found[: len(rows), :n] = self._slopes(room, n).T
        found[len(rows) :, :n] = self._slopes(margins, n).T
        return found
