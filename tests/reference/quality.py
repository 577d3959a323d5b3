"""What becomes of an item when its turn to leave has come."""

import math

from gigatwin.kernel.layout import OUT, SCRAP, Purpose

NO_PLACE = 0


def bits(mask):
    """Return the numbers of the bits set in a mask."""
    return {k for k in range(63) if mask >> k & 1}


def decide(sim, machine, item):
    """Return where the item goes: a buffer, `OUT` or `SCRAP`."""
    station = machine.station
    recipe = station.recipes[item.format]
    quality = machine.streams[Purpose.QUALITY]

    item.defects -= bits(station.repairs)
    if not item.defects:
        item.made = math.inf

    if quality.happens(recipe.scrap):
        return SCRAP

    for chance in recipe.defects:
        if quality.happens(chance.probability):
            if not item.defects:
                item.made = sim.now
            item.defects.add(chance.defect)

    if station.inspects:
        called_bad = any(
            quality.happens(find.probability)
            for find in station.finds
            if find.defect in item.defects
        )
        if not called_bad:
            called_bad = quality.happens(station.false_alarm)
        if called_bad and station.rework < 0:
            return SCRAP
        if called_bad:
            item.reworks += 1
            sim.tally.reworked[station.number, item.format] += 1
            return station.rework

    return route(sim.plant, recipe, machine.streams[Purpose.ROUTE])


def route(plant, recipe, stream):
    targets = [way.buffer for way in recipe.routes]
    if len(targets) == 1:
        return targets[0]
    if recipe.shortest:
        lengths = [NO_PLACE if t == OUT else len(plant.buffers[t].items) for t in targets]
        return targets[lengths.index(min(lengths))]
    u = stream.uniform()
    for way in recipe.routes:
        if u < way.threshold:
            return way.buffer
    return targets[-1]
