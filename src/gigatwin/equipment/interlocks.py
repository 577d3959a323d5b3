"""Interlocks: activities that must not be in one collision zone at the same time."""

from gigatwin.equipment.model.equipment_model import Evaluation
from gigatwin.equipment.schedule import schedule

_ROUNDING = 1e-9


def overlaps_in_zones(evaluation: Evaluation) -> list[tuple[str, str, str, float]]:
    """Return activities that are in one zone at the same time.

    Returns
    -------
    list of (zone, activity, other activity, seconds)
        Pairs that overlap in the periodic schedule, and for how long.
    """
    machine = evaluation.model.machine
    if not machine.zones or machine.fmu is not None:
        return []
    found = schedule(evaluation)
    period = found.cycle_time
    pairs = []
    for zone, names in machine.zones.items():
        for k, one in enumerate(names):
            for other in names[k + 1 :]:
                gap = (found.starts[other] - found.starts[one]) % period
                # One begins at 0 and ends after its duration; the other begins after the gap, and
                # its turn of the cycle before may still be under way.
                shared = max(found.durations[one] - gap, 0.0) + max(
                    gap + found.durations[other] - period, 0.0
                )
                if shared > _ROUNDING * period:
                    pairs.append((zone, one, other, shared))
    return pairs
