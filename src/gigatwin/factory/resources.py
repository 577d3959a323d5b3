"""Shared and finite: operators, repair crews, vehicles, and their shifts."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from gigatwin.factory.described import Described, Name
from gigatwin.units import PositiveSeconds, Seconds


class ShiftStep(Described):
    """From this moment of the period on, so many are at work."""

    at: Seconds
    """Time since the beginning of the period."""
    capacity: Annotated[int, Field(ge=0, le=1_000_000)]
    """Number at work until the next step."""


class Shifts(Described):
    """A shift calendar that repeats."""

    period: PositiveSeconds = 86400.0
    """Length after which it repeats: a day, a week."""
    steps: Annotated[tuple[ShiftStep, ...], Field(min_length=1)]
    """Steps in order of time; the last one also holds from 0 to the first."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        times = [step.at for step in self.steps]
        if times != sorted(set(times)) or times[-1] >= self.period:
            message = "steps must ascend in time and lie within the period"
            raise ValueError(message)
        return self


class Resource(Described):
    """A pool of equal people or vehicles. Work begun goes on over the end of a shift."""

    capacity: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """How many there are, when no shifts are given."""
    shifts: Shifts | None = None
    """How many are at work when."""


class Crew(Described):
    """What an activity needs of a resource, from its begin to its end."""

    resource: Name
    """Name of the resource."""
    quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """How many of them."""
