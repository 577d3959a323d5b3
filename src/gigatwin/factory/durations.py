"""How long something takes: constants, distributions, samples."""

import math
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from gigatwin.factory.described import BY_FORMAT, VALUE, ByFormat, Described
from gigatwin.units import PositiveSeconds, Seconds

Family = Literal["exponential", "gamma", "lognormal", "weibull"]


class Distribution(Described):
    """A duration drawn from a family by its mean and coefficient of variation."""

    distribution: Family
    """Family of the law."""
    mean: PositiveSeconds
    """Mean of the duration."""
    cv: Annotated[float, Field(gt=0, le=10)] | None = None
    """Standard deviation over mean; required except for ``exponential``, where it is 1."""

    @model_validator(mode="after")
    def _cv_fits(self) -> Self:
        if self.distribution == "exponential":
            if self.cv is not None and self.cv != 1:
                message = "cv of an exponential distribution is 1; leave it out"
                raise ValueError(message)
        elif self.cv is None:
            message = f"a {self.distribution} distribution needs cv (standard deviation / mean)"
            raise ValueError(message)
        return self


class Uniform(Described):
    """A duration between two bounds, all equally likely."""

    distribution: Literal["uniform"]
    """Family of the law."""
    low: Seconds
    """Smallest value."""
    high: Seconds
    """Largest value."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.high < self.low:
            message = "high must not be below low"
            raise ValueError(message)
        return self


class Triangular(Described):
    """A duration between two bounds with a most likely value."""

    distribution: Literal["triangular"]
    """Family of the law."""
    low: Seconds
    """Smallest value."""
    mode: Seconds
    """Most likely value."""
    high: Seconds
    """Largest value."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.mode <= self.high or self.low == self.high:
            message = "must be low <= mode <= high, with low < high"
            raise ValueError(message)
        return self


class Empirical(Described):
    """A duration resampled from observations, or read off quantiles."""

    samples: Annotated[tuple[Seconds, ...], Field(min_length=1)] | None = None
    """Observed values; each is drawn with the same probability."""
    quantiles: Annotated[tuple[Seconds, ...], Field(min_length=2)] | None = None
    """Values at equally spaced probabilities from 0 to 1, ascending; between them it is linear."""

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.samples is None) == (self.quantiles is None):
            message = "give either samples or quantiles"
            raise ValueError(message)
        if self.quantiles is not None and list(self.quantiles) != sorted(self.quantiles):
            message = "quantiles must ascend"
            raise ValueError(message)
        return self


_REQUIRED = (
    "must be a time, e.g. '12 s', or a law: {distribution: gamma, mean: 12 s, cv: 0.5} (also "
    "exponential, lognormal, weibull), {distribution: uniform, low: 8 s, high: 12 s}, "
    "{distribution: triangular, low: 8 s, mode: 9 s, high: 12 s}, {samples: [8 s, 9 s]} or "
    "{quantiles: [8 s, 9 s, 12 s]}"
)
LAWS = {
    "exponential": "<distribution>",
    "gamma": "<distribution>",
    "lognormal": "<distribution>",
    "weibull": "<distribution>",
    "uniform": "<uniform>",
    "triangular": "<triangular>",
}
"""Distribution to the branch of a duration that it belongs to."""
_CLASSES = {
    "Distribution": "<distribution>",
    "Uniform": "<uniform>",
    "Triangular": "<triangular>",
    "Empirical": "<empirical>",
}


def duration_shape(value: object) -> str | None:
    """Return the branch of a duration that a value belongs to, or None if it is of none."""
    if not isinstance(value, dict):
        return _CLASSES.get(type(value).__name__, VALUE)
    law = value.get("distribution")
    if law is not None:
        return LAWS.get(law) if isinstance(law, str) else None
    if "samples" in value or "quantiles" in value:
        return "<empirical>"
    return "<distribution>" if "mean" in value or "cv" in value else None


def _duration_or_by_format(value: object) -> str | None:
    if isinstance(value, ByFormat) or (isinstance(value, dict) and "by_format" in value):
        return BY_FORMAT
    return duration_shape(value)


Law = (
    Annotated[Distribution, Tag("<distribution>")]
    | Annotated[Uniform, Tag("<uniform>")]
    | Annotated[Triangular, Tag("<triangular>")]
    | Annotated[Empirical, Tag("<empirical>")]
)
"""A random duration."""
Duration = Annotated[
    Annotated[Seconds, Tag(VALUE)] | Law,
    Discriminator(duration_shape, custom_error_type="duration", custom_error_message=_REQUIRED),
]
"""A constant ("12 s") or a law."""
FormatDuration = Annotated[
    Annotated[Seconds, Tag(VALUE)] | Law | Annotated[ByFormat[Duration], Tag(BY_FORMAT)],
    Discriminator(
        _duration_or_by_format,
        custom_error_type="duration",
        custom_error_message=f"{_REQUIRED}, or {{by_format: {{...}}}}",
    ),
]
"""A duration, or one for each format."""


def mean_of(duration: Duration) -> float:
    """Return the mean of a duration, in seconds."""
    match duration:
        case Distribution():
            return duration.mean
        case Uniform():
            return (duration.low + duration.high) / 2
        case Triangular():
            return (duration.low + duration.mode + duration.high) / 3
        case Empirical():
            values = duration.samples
            if values is not None:
                return math.fsum(values) / len(values)
            values = duration.quantiles or (0.0, 0.0)
            return (math.fsum(values) - (values[0] + values[-1]) / 2) / (len(values) - 1)
        case _:
            return float(duration)
