"""Random times of the virtual plant, as factors with mean 1; not the families of the model."""

import hashlib
import math
import random
from collections.abc import Callable, Iterator

import numpy as np

from gigatwin.plant.truth import CycleTruth
from gigatwin.plant.truth.values import Family

Draw = Callable[[], float]
"""Returns the next value of a random factor with mean 1."""

_ROOT_HALF = math.sqrt(0.5)
_SMALLEST = 1e-12
_STEPS = 80
_BLOCK = 256
_SLOW_CEILING = 0.9
"""Largest part of the variance that slow cycles may make."""


def dice(*names: object) -> random.Random:
    """Return the stream of random numbers with a name; one stream disturbs no other."""
    return random.Random("/".join(str(name) for name in names))  # noqa: S311 - no secret


def normals(*names: object) -> Draw:
    """Return a stream of standard normal variables with a name, drawn in blocks to be quick."""
    digest = hashlib.sha256("/".join(str(name) for name in names).encode()).digest()
    generator = np.random.default_rng(list(digest))

    def blocks() -> Iterator[float]:
        while True:
            yield from generator.standard_normal(_BLOCK).tolist()

    return blocks().__next__


def cycle_law(truth: CycleTruth, stream: random.Random) -> Draw:
    """Return the law of the times of a machine's cycles.

    Successive times follow each other: a normal variable with the truth's correlation is turned
    into the family's.
    """
    z = _normal(truth.correlation, stream)
    if truth.family == "shifted_lognormal" and truth.slow_share > 0:
        return _with_slow_cycles(truth, z, stream)
    return _law(truth.family, truth.cv, truth.floor, z, stream)


def plain_law(family: Family, cv: float, stream: random.Random) -> Draw:
    """Return a law of independent factors."""
    return _law(family, cv, 0.0, _normal(0.0, stream), stream)


def weibull_law(shape: float, stream: random.Random) -> Draw:
    """Return the law of the intervals between stops."""
    scale = 1.0 / math.gamma(1.0 + 1.0 / shape)
    draw = stream.weibullvariate
    return lambda: draw(scale, shape)


def _normal(correlation: float, stream: random.Random) -> Draw:
    """Return a standard normal variable that remembers its last value."""
    gauss = stream.gauss
    if correlation == 0.0:
        return lambda: gauss(0.0, 1.0)
    fresh = math.sqrt(1.0 - correlation * correlation)
    last = gauss(0.0, 1.0)

    def draw() -> float:
        nonlocal last
        last = correlation * last + gauss(0.0, fresh)
        return last

    return draw


def _law(family: Family, cv: float, floor: float, z: Draw, stream: random.Random) -> Draw:
    if family == "exponential":
        exponential = stream.expovariate
        return lambda: exponential(1.0)
    if family == "constant" or cv == 0.0:
        return lambda: 1.0
    if family == "log_logistic":
        return _log_logistic(cv, z)
    if family == "rectangular":
        half = min(1.0, cv * math.sqrt(3.0))
        uniform = stream.uniform
        return lambda: uniform(1.0 - half, 1.0 + half)
    return _shifted_lognormal(cv, floor, z)


def _shifted_lognormal(cv: float, floor: float, z: Draw) -> Draw:
    rest = 1.0 - floor
    variance = math.log1p((cv / rest) ** 2)
    sigma, half = math.sqrt(variance), variance / 2.0
    exponential = math.exp
    return lambda: floor + rest * exponential(sigma * z() - half)


def _with_slow_cycles(truth: CycleTruth, z: Draw, stream: random.Random) -> Draw:
    """Return a mixture with some longer cycles, and the mean and spread of the truth."""
    share, factor = truth.slow_share, truth.slow_factor
    mean = 1.0 + share * (factor - 1.0)
    slow = share * (1.0 - share) * ((factor - 1.0) / mean) ** 2
    rest = max((1.0 + truth.cv**2) / (1.0 + slow) - 1.0, (1.0 - _SLOW_CEILING) * truth.cv**2)
    base = _shifted_lognormal(math.sqrt(rest), truth.floor, z)
    is_slow, usual, longer = stream.random, 1.0 / mean, factor / mean
    return lambda: base() * (longer if is_slow() < share else usual)


def _log_logistic(cv: float, z: Draw) -> Draw:
    """Return a log-logistic law; with b = pi / shape its squared cv is tan(b) / b - 1."""
    low, high = 0.0, math.pi / 2.0
    for _ in range(_STEPS):
        b = (low + high) / 2.0
        if math.tan(b) / b - 1.0 > cv * cv:
            high = b
        else:
            low = b
    power = low / math.pi
    scale = math.sin(low) / low

    def draw() -> float:
        u = 0.5 * (1.0 + math.erf(z() * _ROOT_HALF))
        u = min(max(u, _SMALLEST), 1.0 - _SMALLEST)
        return float(scale * (u / (1.0 - u)) ** power)

    return draw
