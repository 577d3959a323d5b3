"""What is made of an item when its cycle is over: defects, verdicts, and the way on.

The machine's verdict, right or wrong, decides where the item goes and what is counted; what the
item really is stays with the item.
"""

from collections.abc import Mapping

from gigatwin.plant.buffers import Buffer
from gigatwin.plant.item import Item
from gigatwin.plant.machine import Machine

SCRAP = "scrap"


def judge(m: Machine, item: Item, unseen: int) -> str | None:
    """Return where an item goes that the machine takes for bad, None for a good one.

    Parameters
    ----------
    m : Machine
        The machine that is done with it.
    item : Item
        The item; its defects are changed.
    unseen : int
        Bit of a defect that the machine which made it missed.
    """
    station, truth = m.station, m.truth
    fmt = item.format
    chance = m.quality.random
    if station.repairs:
        item.defects &= ~station.repairs
    scrap = station.scrap[fmt] * truth.scrap_factor * m.defect_factor
    if scrap > 0.0:
        if chance() < scrap:
            if truth.missed_rejects == 0.0 or chance() >= truth.missed_rejects:
                return SCRAP
            m.bad_passed += 1
            item.defects |= unseen
        elif truth.false_rejects > 0.0 and chance() < truth.false_rejects:
            m.good_rejected += 1
            return SCRAP
    for bit, probabilities in station.defects:
        probability = probabilities[fmt] * truth.defects_factor * m.defect_factor
        if probability > 0.0 and chance() < probability:
            item.defects |= bit
    if station.finds is None:
        return None
    found = _inspect(m, item, station.finds)
    return (station.rework or SCRAP) if found else None


def _inspect(m: Machine, item: Item, finds: tuple[tuple[int, float], ...]) -> bool:
    """Return whether an inspection calls an item bad."""
    chance, truth = m.quality.random, m.truth
    has_any = False
    for bit, probability in finds:
        if item.defects & bit:
            has_any = True
            if probability >= 1.0 or chance() < probability:
                if truth.missed_rejects > 0.0 and chance() < truth.missed_rejects:
                    break
                return True
    if has_any:
        m.bad_passed += 1
    elif chance() < m.station.false_alarm + truth.false_rejects:
        m.good_rejected += 1
        return True
    return False


def choose_way(m: Machine, item: Item, buffers: Mapping[str, Buffer]) -> str:
    """Return where a good item goes next."""
    ways = m.station.ways[item.format]
    targets = ways.targets
    if len(targets) == 1:
        return targets[0]
    if not ways.shares:
        return min(targets, key=lambda name: len(buffers[name].queue))
    dice = m.quality.random()
    for target, share in zip(targets, ways.shares, strict=True):
        if dice < share:
            return target
    return targets[-1]
