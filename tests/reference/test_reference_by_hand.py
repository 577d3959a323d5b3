"""The plain-Python simulator against lines that are calculated by hand."""

import math
from itertools import pairwise
from types import SimpleNamespace

import pytest

from gigatwin.kernel.layout import OUT, Cause, Clock, Kind, Law
from gigatwin.standards.machine_states import MachineState
from tests.reference.simulator import Simulator, simulate_reference
from tests.reference.sketch import GOLDEN, Sketch
from tests.reference.streams import Stream, draw

pytestmark = pytest.mark.reference


def log(sketch, until):
    return simulate_reference(*sketch.build(), until)


def moments(records, kind, machine):
    return [(r.time, r.item) for r in records if (r.kind, r.machine) == (kind, machine)]


def times(records, kind, machine):
    return [time for time, _ in moments(records, kind, machine)]


def test_stream_is_splitmix():
    # First outputs of SplitMix64 with seed 1234567 (Steele, Lea and Flood, 2014; test vector of
    # Rosetta Code), shifted to 53 bits.
    stream = Stream(1234567, GOLDEN)
    for word in (6457827717110365317, 3203168211198807973, 9817491932198370423):
        assert stream.uniform() == (word >> 11) * 2.0**-53


@pytest.mark.parametrize(
    ("law", "tables", "mean"),
    [
        ({"kind": Law.CONSTANT, "a": 3.0}, [], 3.0),
        ({"kind": Law.EXPONENTIAL, "a": 3.0}, [], 3.0),
        ({"kind": Law.UNIFORM, "a": 1.0, "b": 5.0}, [], 3.0),
        ({"kind": Law.TRIANGULAR, "a": 1.0, "b": 2.0, "c": 6.0}, [], 3.0),
        ({"kind": Law.WEIBULL, "a": 3.0, "b": 0.5}, [], 3.0 * math.gamma(1.5)),
        ({"kind": Law.LOGNORMAL, "a": 1.0, "b": 0.5}, [], math.exp(1.125)),
        ({"kind": Law.SAMPLES, "n": 3}, [1.0, 2.0, 6.0], 3.0),
        ({"kind": Law.QUANTILES, "n": 3}, [0.0, 2.0, 8.0], 3.0),
        ({"kind": Law.GAMMA, "a": 2.0, "n": 2}, [1.0, 1.0], 2.0),
    ],
)
def test_law_has_its_mean(law, tables, mean):
    row = SimpleNamespace(**{"first": 0, "n": 0, "a": 0.0, "b": 0.0, "c": 0.0} | law)
    stream = Stream(7, GOLDEN)
    values = [draw(row, tables, stream) for _ in range(20_000)]
    sample_mean = math.fsum(values) / len(values)
    variance = math.fsum((v - sample_mean) ** 2 for v in values) / len(values)
    error = math.sqrt(variance / len(values))
    assert abs(sample_mean - mean) <= 5 * error + 1e-12
    assert 5 * error < 0.04 * mean


def test_slow_second_machine_blocks_the_first():
    # 2 s, then 5 s, one place between. The second starts at 2, 7, 12; the first is done with items
    # 0, 1, 2 at 2, 4, 6 and waits with item 2 until the place is free at 7.
    sketch = Sketch()
    place = sketch.buffer(1)
    sketch.station(2.0, (place,))
    sketch.station(5.0, buffer=place)
    records = log(sketch, 15.0)
    assert moments(records, Kind.START, 1) == [(2.0, 0), (7.0, 1), (12.0, 2)]
    assert moments(records, Kind.BLOCK, 0) == [(6.0, 2), (9.0, 3), (14.0, 4)]
    assert moments(records, Kind.LEAVE, 0) == [(2.0, 0), (4.0, 1), (7.0, 2), (12.0, 3)]
    handed_over = next(r for r in records if r.kind == Kind.LEAVE and r.item == 2)
    assert (handed_over.cause, handed_over.because) == (Cause.SPACE, 1)


def test_without_places_an_item_is_handed_over():
    # Departures of a line without places: d1 = max(d1 + 2, start of the next cycle of machine 2).
    sketch = Sketch()
    direct = sketch.buffer(0)
    sketch.station(2.0, (direct,))
    sketch.station(3.0, buffer=direct)
    records = log(sketch, 12.0)
    assert moments(records, Kind.START, 1) == [(2.0, 0), (5.0, 1), (8.0, 2), (11.0, 3)]
    assert moments(records, Kind.LEAVE, 0) == [(2.0, 0), (5.0, 1), (8.0, 2), (11.0, 3)]
    assert times(records, Kind.STARVE, 1) == []


def test_breakdown_interrupts_and_the_item_is_finished():
    # Breakdown after each 5 s of running, 10 s long; items of 4 s: 4, then 1 s of the second,
    # stop 5 to 15, remaining 3 s until 18, then 2 s of the third.
    sketch = Sketch()
    station = sketch.station(4.0)
    sketch.stop(station, 5.0, 10.0, preempts=1)
    records = log(sketch, 31.0)
    assert times(records, Kind.STOP, 0) == [5.0, 20.0]
    assert times(records, Kind.RESUME, 0) == [15.0, 30.0]
    assert times(records, Kind.LEAVE, 0) == [4.0, 18.0]


def test_planned_stop_waits_for_the_end_of_the_cycle():
    # A timetable of 6 s with items of 4 s: due at 6, begins at 8, ends at 9; due at 12, begins 13.
    sketch = Sketch()
    station = sketch.station(4.0)
    state = MachineState.PLANNED_STOP
    sketch.stop(station, 6.0, 1.0, clock=Clock.CALENDAR, timetable=1, state=state)
    records = log(sketch, 14.0)
    assert times(records, Kind.STOP, 0) == [8.0, 13.0]
    assert times(records, Kind.START, 0) == [0.0, 4.0, 9.0, 14.0]


def test_machines_queue_for_the_operator():
    sketch = Sketch()
    operator = sketch.resource(1)
    sketch.station(2.0, operators=operator, n_operators=1)
    sketch.station(3.0, operators=operator, n_operators=1)
    records = log(sketch, 10.0)
    # The one that has just finished asks again after the other was given the operator.
    assert times(records, Kind.START, 0) == [0.0, 5.0, 10.0]
    assert times(records, Kind.START, 1) == [2.0, 7.0]
    assert times(records, Kind.CALL, 1) == [0.0, 5.0, 10.0]


def test_work_begins_when_the_shift_does():
    # Nobody until 5, one until 12; who works at the end of the shift finishes.
    sketch = Sketch()
    operator = sketch.resource(1, shifts=[(5.0, 1), (12.0, 0)], period=20.0)
    sketch.station(4.0, operators=operator, n_operators=1)
    assert times(log(sketch, 30.0), Kind.START, 0) == [5.0, 9.0, 25.0, 29.0]


def test_items_keep_their_order_on_a_conveyor():
    sketch = Sketch()
    conveyor = sketch.buffer(2, transfer=10.0)
    sketch.station(3.0, (conveyor,))
    sketch.station(1.0, buffer=conveyor)
    records = log(sketch, 24.0)
    # Left at 3 and 6; blocked at 9 until the first is taken at 13.
    assert moments(records, Kind.LEAVE, 0) == [(3.0, 0), (6.0, 1), (13.0, 2), (16.0, 3), (23.0, 4)]
    assert moments(records, Kind.START, 1) == [(13.0, 0), (16.0, 1), (23.0, 2)]


def test_batch_waits_for_its_size():
    sketch = Sketch()
    rack = sketch.buffer(3)
    sketch.station(2.0, (rack,))
    sketch.station(5.0, buffer=rack, recipe={"batch": 3})
    records = log(sketch, 12.0)
    assert moments(records, Kind.START, 1) == [
        (6.0, 0),
        (6.0, 1),
        (6.0, 2),
        (12.0, 3),
        (12.0, 4),
        (12.0, 5),
    ]
    assert times(records, Kind.LEAVE, 1) == [11.0, 11.0, 11.0]


def test_assembly_uses_up_its_lots():
    # A lot of 4 m every 6 s, 3 m for an item: a lot gives one item and leaves 1 m, so items start
    # at 6 (1 m left), 12 (2 m), 18 (3 m), and again at 21 from what is left.
    sketch = Sketch()
    reel = sketch.buffer(5)
    sketch.station(6.0, (reel,), recipe={"content": 4.0})
    station = sketch.station(3.0)
    sketch.port(station, reel, 3.0)
    records = log(sketch, 21.5)
    assert times(records, Kind.LOAD, 1) == [6.0, 12.0, 18.0]
    assert times(records, Kind.START, 1) == [6.0, 12.0, 18.0, 21.0]


def test_changeover_comes_between_orders_of_different_formats():
    sketch = Sketch(n_formats=2)
    direct = sketch.buffer(5)
    sketch.station(2.0, (direct,), ordered=1)
    station = sketch.station(1.0, buffer=direct)
    sketch.changeover(station, 7.0)
    sketch.add("orders", format=1, quantity=2.0, release=0.0)
    sketch.add("orders", format=0, quantity=1.0, release=10.0)
    records = log(sketch, 30.0)
    assert times(records, Kind.START, 0) == [0.0, 2.0, 10.0]
    assert times(records, Kind.SETUP, 1) == [12.0]
    assert times(records, Kind.START, 1) == [2.0, 4.0, 19.0]
    starved = [(r.time, r.state) for r in records if (r.kind, r.machine) == (Kind.STARVE, 0)]
    assert starved == [(4.0, MachineState.NO_ORDER), (12.0, MachineState.NO_ORDER)]


def test_defect_is_found_and_mended():
    # Each item gets the defect at the first station, is found bad at the second, goes to rework,
    # which mends it, and is finished by the second time there.
    sketch = Sketch()
    check, mend = sketch.buffer(), sketch.buffer()
    sketch.add("defects", defect=2, probability=1.0)
    sketch.add("finds", defect=2, probability=1.0)
    sketch.station(10.0, (check,), recipe={"first_defect": 0, "n_defects": 1})
    sketch.station(1.0, (OUT,), buffer=check, inspects=1, n_finds=1, rework=mend)
    sketch.station(3.0, (check,), buffer=mend, repairs=1 << 2)
    records = log(sketch, 16.0)
    assert times(records, Kind.START, 1) == [10.0, 14.0]
    assert times(records, Kind.LEAVE, 2) == [14.0]
    assert [r.detail for r in records if (r.kind, r.machine) == (Kind.LEAVE, 1)] == [mend, OUT]


def test_arrivals_come_after_their_intervals():
    sketch = Sketch()
    queue = sketch.buffer()
    sketch.station(1.0, buffer=queue)
    sketch.arrivals(queue, 4.0)
    records = log(sketch, 13.0)
    assert times(records, Kind.ARRIVE, 0) == [4.0, 8.0, 12.0]
    # Actors: one machine, one buffer, then the arrivals.
    assert {r.because for r in records if r.kind == Kind.ARRIVE} == {2}


def test_split_gives_items_that_share_their_past():
    sketch = Sketch()
    queue = sketch.buffer()
    sketch.station(6.0, (queue,), recipe={"count": 3})
    sketch.station(1.0, buffer=queue)
    simulator = Simulator(*sketch.build())
    simulator.advance(11.0)
    assert moments(simulator.records, Kind.START, 1) == [(6.0, 1), (7.0, 2), (8.0, 3)]
    tally = simulator.tally
    assert (tally.created, tally.consumed, sum(tally.finished.values())) == (5, 1, 3)


def test_every_start_ends_before_the_next():
    sketch = Sketch()
    queue = sketch.buffer(2)
    sketch.station(2.0, (queue,))
    sketch.station(3.0, buffer=queue, machines=2)
    records = log(sketch, 50.0)
    for machine in (1, 2):
        starts, ends = times(records, Kind.START, machine), times(records, Kind.LEAVE, machine)
        assert all(b - a >= 3.0 for a, b in pairwise(starts))
        assert all(end - start == 3.0 for start, end in zip(starts, ends, strict=False))
