"""What a description says about a random time: its mean and its spread."""

import math

from gigatwin.factory.durations import (
    Distribution,
    Duration,
    Empirical,
    Triangular,
    Uniform,
    mean_of,
)
from gigatwin.plant.truth.values import Family


def cv_of(duration: Duration) -> float:
    """Return the standard deviation of a duration over its mean, 0 for a mean of 0."""
    mean = mean_of(duration)
    match duration:
        case Distribution():
            return 1.0 if duration.cv is None else duration.cv
        case Uniform():
            deviation = (duration.high - duration.low) / math.sqrt(12)
        case Triangular():
            a, b, c = duration.low, duration.mode, duration.high
            deviation = math.sqrt((a * a + b * b + c * c - a * b - a * c - b * c) / 18)
        case Empirical():
            values = duration.samples or duration.quantiles or (0.0,)
            centre = math.fsum(values) / len(values)
            deviation = math.sqrt(math.fsum((x - centre) ** 2 for x in values) / len(values))
        case _:
            deviation = 0.0
    return deviation / mean if mean > 0 else 0.0


def family_of(duration: Duration) -> Family:
    """Return the family of the plant that comes nearest to a described duration."""
    if isinstance(duration, Distribution):
        return "exponential" if duration.distribution == "exponential" else "shifted_lognormal"
    if isinstance(duration, Uniform):
        return "rectangular" if duration.high > duration.low else "constant"
    return "shifted_lognormal" if cv_of(duration) > 0 else "constant"
