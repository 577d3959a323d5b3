"""Interlocks: activities that must not be in one collision zone at the same time."""

from typing import NamedTuple

from gigatwin.equipment.model.equipment_model import Evaluation
from gigatwin.equipment.schedule import schedule

_ROUNDING = 1e-9


class Meeting(NamedTuple):
    """Two activities that are in one zone at the same time."""

    zone: str
    """Name of the zone."""
    one: str
    """An activity."""
    other: str
    """The other one, or the same in its next cycle."""
    seconds: float
    """How long they share it in each cycle. [s]"""


def overlaps_in_zones(evaluation: Evaluation) -> list[Meeting]:
    """Return activities that are in one zone at the same time, in the periodic schedule."""
    machine = evaluation.model.machine
    if not machine.zones or machine.fmu is not None:
        return []
    found = schedule(evaluation)
    period = found.cycle_time
    meetings = []
    for zone, names in machine.zones.items():
        for k, one in enumerate(names):
            for other in names[k:]:
                gap = (found.starts[other] - found.starts[one]) % period
                shared = _shared(found.durations[one], found.durations[other], gap, period)
                if other == one:
                    shared = max(found.durations[one] - period, 0.0)
                if shared > _ROUNDING * period:
                    meetings.append(Meeting(zone, one, other, shared))
    return meetings


def _shared(one: float, other: float, gap: float, period: float) -> float:
    """Return how long two activities overlap in each cycle; the second begins after the gap."""
    # Earlier and later turns of the second one meet the first one, too, if they are long.
    first = -int((other + gap) // period) - 1
    last = int((one - gap) // period) + 1
    return sum(
        max(min(one, gap + k * period + other) - max(0.0, gap + k * period), 0.0)
        for k in range(first, last + 1)
    )
