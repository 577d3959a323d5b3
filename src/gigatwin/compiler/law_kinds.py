"""Every kind of law of the kernel, asked backwards: how likely is longer, and what is left."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

from gigatwin.kernel.layout import Law
from gigatwin.kernel.streams import normal_quantile

_SCORE = 8.0
_TINY = 2.0**-54
_LEAST = 1e-12
"""Share of a tabulated law without an end that is left, at least, beyond its table."""

Floats = NDArray[np.float64]


class LawKind(Protocol):
    """A law with its numbers."""

    @property
    def mean(self) -> float:
        """Mean. [s]."""

    def quantile(self, u: float) -> float:
        """Return the value that the kernel draws with a uniform number."""

    def survival(self, value: float) -> float:
        """Return the probability of more than a value, which is 0 or more. [-]."""

    def left(self, elapsed: float, u: float) -> float:
        """Return what is left of a duration that has lasted so long, which is more than 0."""


def _left(law: LawKind, elapsed: float, u: float) -> float:
    """Return what is left, where nothing better is known than the law itself."""
    return max(law.quantile(1.0 - law.survival(elapsed) * (1.0 - u)) - elapsed, 0.0)


@dataclass(frozen=True, slots=True)
class _Constant:
    mean: float

    def quantile(self, _: float) -> float:
        return self.mean

    def survival(self, value: float) -> float:
        return float(value < self.mean)

    def left(self, elapsed: float, _: float) -> float:
        return max(self.mean - elapsed, 0.0)


@dataclass(frozen=True, slots=True)
class _Exponential:
    mean: float

    def quantile(self, u: float) -> float:
        return -self.mean * math.log1p(-u)

    def survival(self, value: float) -> float:
        return math.exp(-value / self.mean)

    def left(self, _: float, u: float) -> float:
        return self.quantile(u)


@dataclass(frozen=True, slots=True)
class _Uniform:
    low: float
    high: float

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    def quantile(self, u: float) -> float:
        return self.low + (self.high - self.low) * u

    def survival(self, value: float) -> float:
        if self.low == self.high:
            return float(value < self.low)
        return min(max((self.high - value) / (self.high - self.low), 0.0), 1.0)

    def left(self, elapsed: float, u: float) -> float:
        return _left(self, elapsed, u)


@dataclass(frozen=True, slots=True)
class _Triangular:
    low: float
    mode: float
    high: float

    @property
    def mean(self) -> float:
        return (self.low + self.mode + self.high) / 3

    def quantile(self, u: float) -> float:
        low, mode, high = self.low, self.mode, self.high
        if u < (mode - low) / (high - low):
            return low + math.sqrt(u * (high - low) * (mode - low))
        return high - math.sqrt((1.0 - u) * (high - low) * (high - mode))

    def survival(self, value: float) -> float:
        low, mode, high = self.low, self.mode, self.high
        if value <= low or value >= high:
            return float(value <= low)
        if value < mode:
            return 1.0 - (value - low) ** 2 / ((high - low) * (mode - low))
        return (high - value) ** 2 / ((high - low) * (high - mode))

    def left(self, elapsed: float, u: float) -> float:
        return _left(self, elapsed, u)


@dataclass(frozen=True, slots=True)
class _Weibull:
    scale: float
    power: float
    """Inverse of the shape."""

    @property
    def mean(self) -> float:
        return self.scale * math.gamma(1.0 + self.power)

    def _value(self, hazard: float) -> float:
        return self.scale * float(hazard**self.power)

    def quantile(self, u: float) -> float:
        return self._value(-math.log1p(-u))

    def survival(self, value: float) -> float:
        return math.exp(-((value / self.scale) ** (1.0 / self.power)))

    def left(self, elapsed: float, u: float) -> float:
        used = (elapsed / self.scale) ** (1.0 / self.power)
        return max(self._value(used - math.log1p(-u)) - elapsed, 0.0)


@dataclass(frozen=True, slots=True)
class _Lognormal:
    location: float
    spread: float

    @property
    def mean(self) -> float:
        return math.exp(self.location + self.spread**2 / 2)

    def quantile(self, u: float) -> float:
        return math.exp(self.location + self.spread * normal_quantile(max(u, _TINY)))

    def survival(self, value: float) -> float:
        if value <= 0.0:
            return 1.0
        return float(scipy.special.ndtr((self.location - math.log(value)) / self.spread))

    def left(self, elapsed: float, u: float) -> float:
        # By the upper tail, which keeps its digits however long it has lasted.
        tail = self.survival(elapsed) * (1.0 - u)
        if tail <= 0.0:
            return 0.0
        score = -float(scipy.special.ndtri(tail))
        return max(math.exp(self.location + self.spread * score) - elapsed, 0.0)


@dataclass(frozen=True, slots=True)
class _Samples:
    values: Floats
    """Ascending."""

    @property
    def mean(self) -> float:
        return float(self.values.mean())

    def quantile(self, u: float) -> float:
        return float(self.values[int(u * len(self.values))])

    def _n_shorter(self, value: float) -> int:
        return int(np.searchsorted(self.values, value, "right"))

    def survival(self, value: float) -> float:
        return 1.0 - self._n_shorter(value) / len(self.values)

    def left(self, elapsed: float, u: float) -> float:
        n, at = len(self.values), self._n_shorter(elapsed)
        return float(self.values[at + int(u * (n - at))]) - elapsed if at < n else 0.0


def _at(table: Floats, position: float) -> float:
    """Return the value between two of a table."""
    cell = min(int(position), len(table) - 2)
    return float(table[cell] + (table[cell + 1] - table[cell]) * (position - cell))


def _position(table: Floats, value: float) -> float:
    """Return where a value stands in an ascending table, behind all that are equal."""
    at = int(np.searchsorted(table, value, "right"))
    if at in {0, len(table)}:
        return 0.0 if at == 0 else len(table) - 1.0
    return at - 1 + float((value - table[at - 1]) / (table[at] - table[at - 1]))


@dataclass(frozen=True, slots=True)
class _Quantiles:
    values: Floats

    @property
    def mean(self) -> float:
        values = self.values
        return float((values.sum() - (values[0] + values[-1]) / 2) / (len(values) - 1))

    def quantile(self, u: float) -> float:
        return _at(self.values, u * (len(self.values) - 1))

    def survival(self, value: float) -> float:
        return 1.0 - _position(self.values, value) / (len(self.values) - 1)

    def left(self, elapsed: float, u: float) -> float:
        return _left(self, elapsed, u)


@dataclass(frozen=True, slots=True)
class _Gamma:
    mean: float
    roots: Floats
    """Cube roots of the quantiles over the mean, at equally spaced normal scores."""

    def quantile(self, u: float) -> float:
        score = min(max(normal_quantile(max(u, _TINY)), -_SCORE), _SCORE)
        position = (score + _SCORE) / (2 * _SCORE) * (len(self.roots) - 1)
        return self.mean * _at(self.roots, position) ** 3

    def survival(self, value: float) -> float:
        share = _position(self.roots, math.cbrt(value / self.mean)) / (len(self.roots) - 1)
        if share in {0.0, 1.0}:
            return 1.0 - share
        return float(scipy.special.ndtr(_SCORE - 2 * _SCORE * share))

    def left(self, elapsed: float, u: float) -> float:
        tail = max(self.survival(elapsed), _LEAST)
        begin = min(elapsed, self.quantile(1.0 - tail))
        return max(self.quantile(1.0 - tail * (1.0 - u)) - begin, 0.0)


def law_kind(record: np.void, tables: Floats) -> LawKind:
    """Return the law of a record of the kernel.

    Parameters
    ----------
    record : numpy.void
        Of `gigatwin.kernel.layout.LAW`.
    tables : numpy.ndarray
        Values that the laws of a model refer to.
    """
    a, b, c = float(record["a"]), float(record["b"]), float(record["c"])
    table = tables[int(record["first"]) : int(record["first"]) + int(record["n"])]
    kinds: dict[Law, LawKind] = {
        Law.CONSTANT: _Constant(a),
        Law.EXPONENTIAL: _Exponential(a),
        Law.UNIFORM: _Uniform(a, b),
        Law.TRIANGULAR: _Triangular(a, b, c),
        Law.WEIBULL: _Weibull(a, b),
        Law.LOGNORMAL: _Lognormal(a, b),
        Law.SAMPLES: _Samples(table),
        Law.QUANTILES: _Quantiles(table),
        Law.GAMMA: _Gamma(a, table),
    }
    return kinds[Law(int(record["kind"]))]
