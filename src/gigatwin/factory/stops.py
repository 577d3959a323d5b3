"""What interrupts a machine: breakdowns, micro-stops, planned stops, changeovers."""

from typing import Annotated, Literal

from pydantic import Discriminator, Tag

from gigatwin.factory.described import VALUE, Described, Name
from gigatwin.factory.durations import Duration, Law, duration_shape
from gigatwin.factory.resources import Crew
from gigatwin.units import (
    COUNT,
    LENGTH,
    TIME,
    Amount,
    Items,
    Length,
    Seconds,
    find_dimension,
)


def _interval_shape(value: object) -> str | None:
    if isinstance(value, Items):
        return "<items>"
    if isinstance(value, Length):
        return "<length>"
    if isinstance(value, str):
        dimension = find_dimension(value, TIME, COUNT, LENGTH)
        tags = {TIME: VALUE, COUNT: "<items>", LENGTH: "<length>"}
        return None if dimension is None else tags[dimension]
    return duration_shape(value)


Interval = Annotated[
    Annotated[Seconds, Tag(VALUE)]
    | Law
    | Annotated[Items, Tag("<items>")]
    | Annotated[Length, Tag("<length>")],
    Discriminator(
        _interval_shape,
        custom_error_type="interval",
        custom_error_message="must be a time ('8 h'), a number of items ('5000 items'), a length "
        "('200 km'), or a law of a time, e.g. {distribution: gamma, mean: 8 h, cv: 0.5}",
    ),
]
"""What lies between two stops: time, items or length."""


class Stop(Described):
    """Something that stops a machine again and again.

    A breakdown or micro-stop interrupts the item in work, which is finished afterwards. A planned
    stop waits for the end of the cycle.
    """

    kind: Literal["breakdown", "micro_stop", "planned"]
    """What it is; it decides the state of the machine and the time element of ISO 22400."""
    every: Interval
    """Time, items ("5000 items") or length ("200 km") between two stops. A plain time means an
    exponential law for a breakdown or micro-stop, and a fixed timetable for a planned stop."""
    is_random: bool = False
    """Whether a number of items or a length in ``every`` is the mean of an exponential law;
    otherwise it is always the same."""
    clock: Literal["running", "calendar"] | None = None
    """Whether ``every`` counts running time or the calendar; default: calendar when planned."""
    duration: Duration
    """Length of the repair or of the planned work."""
    crew: Crew | None = None
    """Who is needed for it."""
    startup_scrap: Amount = 0.0
    """Content the item in work loses when the machine starts again ("60 m" of web)."""


class ChangeoverTime(Described):
    """Changeover from one format to another."""

    from_format: Name
    """Format before."""
    to_format: Name
    """Format after."""
    time: Duration
    """How long it takes."""


class Changeover(Described):
    """What a machine needs before it works on another format."""

    time: Duration
    """Duration between any two formats not listed in ``times``."""
    times: tuple[ChangeoverTime, ...] = ()
    """Durations of certain pairs."""
    crew: Crew | None = None
    """Who is needed for it."""
    initial_format: Name | None = None
    """Format the machines are set up for at the start; left out: that of their first item."""
