"""Durations of a description become laws that the kernel draws from."""

import functools
import math

import numpy as np
import scipy
from numpy.typing import NDArray

from gigatwin.factory.durations import Distribution, Duration, Empirical, Triangular, Uniform
from gigatwin.kernel.layout import LAW, Law

_GAMMA_NODES = 4097
_SCORE = 8.0
_BESIDE = {"description", "sources", "estimates"}
"""What laws with the same values may differ in."""
_CELLS = 8
"""Cells between two scores at which a quantile is calculated; in between it is interpolated."""


@functools.cache
def _weights() -> NDArray[np.float64]:
    """Return Lagrange's weights of six values for each place between the two in the middle."""
    places = np.arange(_CELLS) / _CELLS
    knots = range(-2, 4)
    return np.array(
        [
            np.prod([(places - other) / (knot - other) for other in knots if other != knot], axis=0)
            for knot in knots
        ]
    )


@functools.lru_cache(maxsize=256)
def _gamma_roots(shape: float) -> NDArray[np.float64]:
    """Return cube roots of the quantiles of a gamma law of mean 1 at equally spaced scores.

    The cube root of a gamma variable is close to normal (Wilson and Hilferty, PNAS 17, 1931), so
    that it is nearly linear in the score and linear interpolation is exact to about 1e-6.
    """
    special = scipy.special  # loaded by SciPy when it is first used
    n_wide = (_GAMMA_NODES - 1) // _CELLS
    scores = np.arange(-2, n_wide + 4) * (2 * _SCORE / n_wide) - _SCORE
    below = scores < 0
    quantiles = np.empty_like(scores)
    quantiles[below] = special.gammaincinv(shape, special.ndtr(scores[below]))
    quantiles[~below] = special.gammainccinv(shape, special.ndtr(-scores[~below]))
    roots = np.cbrt(quantiles / shape)
    windows = np.lib.stride_tricks.sliding_window_view(roots, 6)
    cells = windows[:n_wide] @ _weights()
    # Where the law is all but 0, rounding must not turn the order round.
    return np.maximum.accumulate(np.append(cells.ravel(), roots[2 + n_wide]).clip(0.0))


def _weibull_shape(cv: float) -> float:
    """Return the shape of a Weibull law with this coefficient of variation."""
    low, high = 0.05, 500.0
    target = math.log1p(cv * cv)
    for _ in range(200):
        shape = math.sqrt(low * high)
        value = math.lgamma(1 + 2 / shape) - 2 * math.lgamma(1 + 1 / shape)
        low, high = (shape, high) if value > target else (low, shape)
    return shape


class LawTable:
    """Collects the laws of a factory; equal ones are kept once."""

    def __init__(self) -> None:
        self._records: list[tuple[int, int, int, float, float, float]] = []
        self._known: dict[object, int] = {}
        self._tables: list[NDArray[np.float64]] = []
        self._n_values = 0

    def add(self, duration: Duration) -> int:
        """Return the number of the law of a duration."""
        key: object = duration
        if isinstance(duration, Distribution):
            key = (duration.distribution, duration.mean, duration.cv)
        elif not isinstance(duration, int | float):
            key = duration.model_dump_json(exclude=_BESIDE)
        if key not in self._known:
            self._known[key] = len(self._records)
            self._records.append(self._record(duration))
        return self._known[key]

    def constant(self, value: float) -> int:
        """Return the number of the law that always gives a value."""
        return self.add(value)

    def exponential(self, mean: float) -> int:
        """Return the number of an exponential law."""
        key = ("exponential", mean, None)
        if key not in self._known:
            self._known[key] = len(self._records)
            self._records.append((int(Law.EXPONENTIAL), 0, 0, mean, 0.0, 0.0))
        return self._known[key]

    def arrays(self) -> tuple[NDArray[np.void], NDArray[np.float64]]:
        """Return the records of the laws and the values they refer to."""
        records = np.array(self._records, dtype=LAW)
        tables = np.concatenate(self._tables) if self._tables else np.zeros(1)
        return records, tables

    def _table(self, values: NDArray[np.float64]) -> tuple[int, int]:
        first = self._n_values
        self._tables.append(np.asarray(values, dtype=np.float64))
        self._n_values += len(values)
        return first, len(values)

    def _record(self, duration: Duration) -> tuple[int, int, int, float, float, float]:
        match duration:
            case Distribution():
                return self._family(duration)
            case Uniform():
                return int(Law.UNIFORM), 0, 0, duration.low, duration.high, 0.0
            case Triangular():
                law = Law.TRIANGULAR
                return int(law), 0, 0, duration.low, duration.mode, duration.high
            case Empirical():
                law = Law.SAMPLES if duration.quantiles is None else Law.QUANTILES
                values = np.sort(np.asarray(duration.samples or duration.quantiles))
                return int(law), *self._table(values), 0.0, 0.0, 0.0
            case _:
                return int(Law.CONSTANT), 0, 0, float(duration), 0.0, 0.0

    def _family(self, law: Distribution) -> tuple[int, int, int, float, float, float]:
        if law.distribution == "exponential":
            return int(Law.EXPONENTIAL), 0, 0, law.mean, 0.0, 0.0
        cv = 1.0 if law.cv is None else law.cv
        if law.distribution == "lognormal":
            variance = math.log1p(cv * cv)
            location = math.log(law.mean) - variance / 2
            return int(Law.LOGNORMAL), 0, 0, location, math.sqrt(variance), 0.0
        if law.distribution == "weibull":
            shape = _weibull_shape(cv)
            scale = law.mean / math.gamma(1 + 1 / shape)
            return int(Law.WEIBULL), 0, 0, scale, 1 / shape, 0.0
        first, n = self._table(_gamma_roots(1 / (cv * cv)))
        return int(Law.GAMMA), first, n, law.mean, 0.0, 0.0
