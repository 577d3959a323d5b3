"""How a machine at a decision point takes in what it works on."""

import math
from itertools import takewhile

from gigatwin.kernel.layout import Kind
from tests.reference.plant import Item

LITTLE = 1e-9
"""Contents that differ by less are equal."""


def take_in(sim, machine):
    """Take in items and material; tell whether the machine has all it needs."""
    station = machine.station
    if station.buffer >= 0:
        if not machine.items and not take_items(sim, machine):
            return False
    elif not station.ports and not create_item(sim, machine):
        return False
    return not station.ports or take_material(sim, machine)


def take_items(sim, machine):
    station = machine.station
    buffer = sim.plant.buffers[station.buffer]
    ready = sim.ready_items(buffer)
    if not ready:
        return False
    first = ready[0]
    batch = station.recipes[first.format].batch
    n = 1
    if batch > 1:
        alike = takewhile(lambda i: (i.format, i.order) == (first.format, first.order), ready)
        n = min(len(list(alike)), batch)
        if n < (station.minimum or batch) and len(ready) == n:
            return False
    machine.items.extend(sim.take(buffer) for _ in range(n))
    machine.created = False
    return True


def create_item(sim, machine):
    station = machine.station
    format_, order = 0, 0
    if station.ordered:
        order = released_order(sim.plant, station, sim.now)
        if order is None:
            return False
        format_ = sim.plant.orders[order].format
    item = sim.create(format_, order, lot_content(station, format_))
    if station.ordered:
        station.remaining -= item.content
    machine.items.append(item)
    machine.created = True
    return True


def lot_content(station, format_):
    content = station.recipes[format_].content
    return 1.0 if math.isnan(content) else content


def next_order(plant, station):
    """Return the number of the first order with content left, or None."""
    while station.order < len(plant.orders):
        order = plant.orders[station.order]
        if station.remaining is None:
            station.remaining = order.quantity * station.recipes[order.format].per_product
        if station.remaining > LITTLE:
            return station.order
        station.order += 1
        station.remaining = None
    return None


def released_order(plant, station, now):
    number = next_order(plant, station)
    if number is None or plant.orders[number].release > now:
        return None
    return number


def next_release(plant, station):
    """Return when the next order of a station will be released; infinity: none is left."""
    number = next_order(plant, station)
    return math.inf if number is None else plant.orders[number].release


def format_in_work(machine):
    """Return the format that the needs are those of."""
    alone = machine.station.buffer < 0
    return machine.magazines[0].format if alone else machine.items[0].format


def fill_magazines(sim, machine):
    """Load until each magazine has enough; tell whether it came to that."""
    alone = machine.station.buffer < 0
    if alone and machine.magazines[0].level <= LITTLE and not load(sim, machine, 0):
        return False
    for k, port in enumerate(machine.station.ports):
        while machine.magazines[k].level < port.needs[format_in_work(machine)] - LITTLE:
            if not load(sim, machine, k):
                return False
    return True


def take_material(sim, machine):
    station, magazines = machine.station, machine.magazines
    alone = station.buffer < 0
    old = None
    while old is None or old:
        if not fill_magazines(sim, machine):
            return False
        newest = max(m.order for m in magazines) if alone else machine.items[0].order
        old = [m for m in magazines if m.order < newest]
        for magazine in old:
            magazine.empty()

    format_ = format_in_work(machine)
    if alone:
        item = sim.create(format_, magazines[0].order, lot_content(station, format_))
        machine.items.append(item)
        machine.created = True
    item = machine.items[0]
    for magazine, port in zip(magazines, station.ports, strict=True):
        magazine.level -= port.needs[format_]
        item.defects |= magazine.defects | magazine.blend
        item.made = min(item.made, magazine.made, magazine.blend_made)
        magazine.blend = set()
        magazine.blend_made = math.inf
    return True


def load(sim, machine, k):
    """Load one lot into a magazine; tell whether there was one."""
    port, magazine = machine.station.ports[k], machine.magazines[k]
    buffer = sim.plant.buffers[port.buffer]
    if not sim.ready_items(buffer):
        return False
    lot = sim.take(buffer)
    if magazine.order != lot.order:
        magazine.empty()
    elif magazine.level > LITTLE:
        magazine.blend |= magazine.defects
        magazine.blend_made = min(magazine.blend_made, magazine.made)
    magazine.level += lot.content
    magazine.defects, magazine.made = set(lot.defects), lot.made
    magazine.order, magazine.format = lot.order, lot.format
    sim.tally.consumed += 1
    sim.record(machine, Kind.LOAD, lot, machine.origin, detail=k)
    return True


def as_lot(template, serial, content):
    """Return a new item that inherits what the template is and has been through."""
    return Item(
        serial=serial,
        format=template.format,
        order=template.order,
        content=content,
        born=template.born,
        defects=set(template.defects),
        made=template.made,
        reworks=template.reworks,
    )
