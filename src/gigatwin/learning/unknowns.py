"""What a log does not tell, and which further signal would settle it."""

from collections.abc import Iterator

from gigatwin.factory.stations import Buffer
from gigatwin.learning.learned import Learned, LearnedStation
from gigatwin.learning.provenance import Unknown

LITTLE_LOST = 0.015
"""Share of lost events up to which stops are learned all the same."""
_FEW_STOPS = 10
_PLACES = (
    "The number of places, from a drawing or a count; or records from a time in which the station "
    "stood still long enough for the machine before it to be held up."
)


def unknowns(learned: Learned) -> tuple[Unknown, ...]:
    """Return what is not known of a learned line, station by station."""
    limited = _limited(learned)
    return (
        *(
            item
            for name, station in learned.stations.items()
            for item in _of_station(station, is_limited=name in limited)
        ),
        *(_of_buffers(learned) if not limited else ()),
        *_of_line(learned),
    )


def _limited(learned: Learned) -> set[str]:
    """Return the stations whose buffers have a capacity in the description."""
    found = set()
    for name, station in learned.factory.stations.items():
        buffer = getattr(station, "buffer", None)
        if isinstance(buffer, Buffer) and buffer.capacity != "unlimited":
            found.add(name)
    return found & {name for name, item in learned.stations.items() if item.buffer is not None}


def _of_buffers(learned: Learned) -> Iterator[Unknown]:
    """Yield one entry for all buffers, where the description limits none."""
    buffers = {
        name: item.buffer for name, item in learned.stations.items() if item.buffer is not None
    }
    if not buffers:
        return
    full = [name for name, buffer in buffers.items() if buffer.is_identified]
    seen = f"those of {', '.join(full)} were seen full" if full else "none was ever seen full"
    yield Unknown(
        "buffers",
        f"The capacities of the {len(buffers)} buffers: {seen}; all are taken as unlimited.",
        _PLACES,
    )


def _of_station(station: LearnedStation, *, is_limited: bool) -> Iterator[Unknown]:
    name = station.name
    buffer = station.buffer
    if is_limited and buffer is not None and not buffer.is_identified:
        yield Unknown(
            f"{name}.buffer.capacity",
            f"The places in front of it. {buffer.note}",
            _PLACES,
        )
    times = station.times
    if not times.mean.n:
        yield Unknown(
            f"{name}.time",
            "The processing time: no visit has both a start and an end; taken as 0 s.",
            "Both when items enter and when they leave it, or the nominal cycle time.",
        )
    elif not times.is_identified:
        yield Unknown(
            f"{name}.time",
            f"The processing time: its mean is not known to within 10 %, from {times.mean.n} "
            f"observation{'' if times.mean.n == 1 else 's'}.",
            "A longer log, or the nominal cycle time.",
        )
    for stop in times.stops:
        if stop.n_visible < _FEW_STOPS:
            yield Unknown(
                f"{name}.stops.{stop.kind}",
                f"How often it stops: only {stop.n_visible} stops stand out.",
                "The states of the machine (running, down), or a longer log.",
            )
    if times.stops and not station.recorded_stops:
        yield Unknown(
            f"{name}.stops",
            "Which of its long cycles were breakdowns: they are told from slow work by their "
            "length alone.",
            "The states of the machine (running, down), for example from its controller.",
        )
    if station.residence is not None and not station.residence.is_identified:
        yield Unknown(
            f"{name}.kind",
            f"How it keeps its items: {station.residence.note}",
            "The name of the place or lane beside each item, or the station's data sheet.",
        )


def _of_line(learned: Learned) -> Iterator[Unknown]:
    lost = learned.flow.loss.events
    if lost > LITTLE_LOST:
        yield Unknown(
            "lost events",
            f"About {lost:.0%} of the events are missing: hold-ups that are not seen count as slow "
            "work, so stops, and beyond 5 % processing times, of stations that are held up are "
            "not to be trusted.",
            "A log without gaps; see which machine or network loses its records.",
        )
    for machine, offset in learned.clocks.offsets.items():
        if offset.value and not offset.is_identified:
            yield Unknown(
                f"clock of {machine}",
                f"How far its clock is off: at least {abs(offset.value):.3g} s.",
                "One time server for all machines, or one event that two machines record.",
            )
    for supply in learned.supplies.values():
        if supply.kind == "endless" and supply.runs:
            yield Unknown(
                "orders",
                "What will be made: the formats in the order of the log, again and again.",
                "The production orders to come.",
            )
        if supply.kind == "arrivals":
            yield Unknown(
                "arrivals",
                "When items came: only their first starts are recorded, after any wait in front of "
                "the first station.",
                "The moment at which each item is handed to the line.",
            )
    for station, joins in learned.flow.joins.items():
        if any(join.basis == "assumed" for join in joins):
            yield Unknown(
                f"{station}.inputs",
                "Which parts went into which item: assumed first in, first out.",
                "The names of the parts beside each assembly.",
            )
    if any(station.times.stops or station.recorded_stops for station in learned.stations.values()):
        yield Unknown(
            "repair crews",
            "Whether machines wait for the same people to be repaired: repair times include "
            "any such wait.",
            "Who did each repair, and when it was called.",
        )
