"""Small lines, and what their virtual plants say."""

from collections import defaultdict

from gigatwin.factory import read_text
from gigatwin.plant import VirtualPlant
from gigatwin.plant.truth import draw_truth, plain_truth
from gigatwin.telemetry import TagWrite, Tracking

TANGLED = """
name: tangled
formats: {small: {}, large: {}}
arrivals:
  trucks:
    interval: {distribution: exponential, mean: 6 s}
    formats: {small: 70 %, large: 30 %}
    next: cutting
stations:
  cutting:
    machines: 2
    time: {by_format: {small: 8 s, large: 11 s}}
    buffer: {capacity: 4, transfer: 3 s}
    scrap: 2 %
    defects: {crack: 5 %}
    next: [{to: oven, share: 60 %}, {to: press, share: 40 %}]
    stops:
      jam: {kind: micro_stop, every: 5 min, duration: 20 s, crew: {resource: people}}
      fault: {kind: breakdown, every: 40 min, duration: 3 min, crew: {resource: people}}
      cleaning: {kind: planned, every: 30 min, duration: 2 min}
  oven:
    kind: batch
    size: 3
    time: 20 s
    buffer: {capacity: 6}
    next: assembly
  press:
    time: 9 s
    buffer: {capacity: 2}
    next: assembly
    operators: {resource: people}
  stamping: {time: 5 s, next: assembly.plate}
  assembly:
    kind: assembly
    time: 7 s
    buffer: {capacity: 3}
    inputs: {plate: {buffer: {capacity: 5}}}
    changeover: {time: 15 s}
    next: cooling
  cooling:
    kind: storage
    capacity: 20
    dwell: 90 s
    next: test
  test:
    kind: inspection
    time: 4 s
    machines: 2
    buffer: {capacity: 0}
    finds: {defects: {crack: 90 %}, false_alarm: 1 %, rework: repair}
    next: {shortest: [packing_a, packing_b]}
  repair:
    time: 12 s
    buffer: {capacity: unlimited}
    repairs: all
    next: test
  packing_a: {time: 9 s, buffer: {capacity: 2}, next: out}
  packing_b: {time: 11 s, buffer: {capacity: 2}, next: out}
resources: {people: {capacity: 2}}
"""
"""A line with everything that the virtual plant can run."""


def described(text):
    """Return a factory from YAML."""
    return read_text(text)


def plain_plant(text, **options):
    """Return a plant that does what its description says, without measured values."""
    factory = described(text)
    options = {"values_per_machine": 0, "record_truth": True, **options}
    return VirtualPlant(factory, truth=plain_truth(factory), **options)


def hidden_plant(text, *, seed=1, **options):
    """Return a plant with a truth drawn at random, without measured values."""
    factory = described(text)
    options = {"values_per_machine": 0, "record_truth": True, **options}
    return VirtualPlant(factory, seed=seed, truth=draw_truth(factory, seed), **options)


def telegrams(readings, element=None):
    """Return the tracking telegrams among readings with their times."""
    return [
        (reading.source_time, reading.tag.partition("/")[0], Tracking.parse(reading.value))
        for reading in readings
        if reading.tag.endswith("/Status.Tracking")
        and element in {None, reading.tag.partition("/")[0]}
    ]


def times(readings, element, kind, start):
    """Return the plant times of one kind of telegram of a machine."""
    return [
        round(time - start, 6)
        for time, _, telegram in telegrams(readings, element)
        if telegram.kind == kind
    ]


def by_tag(readings):
    """Return the values of each tag, in order."""
    found = defaultdict(list)
    for reading in readings:
        found[reading.tag].append(reading.value)
    return found


def write(plant, tag, value):
    """Write a tag and return the reason why not."""
    return plant.write(TagWrite(tag, value))
