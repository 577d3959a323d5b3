"""Stops come when they are due, interrupt what they may, and leave nothing half done."""

from itertools import pairwise

import pytest

from gigatwin.plant import Shock, VirtualPlant
from gigatwin.plant.truth import CycleTruth, StationTruth, StopTruth, Truth, plain_truth
from gigatwin.standards.machine_states import MachineState
from tests.unit.plant.lines import by_tag, described, plain_plant, times


def states(plant, machine):
    start = plant.now - plant.elapsed
    return [
        (round(i.begin - start, 6), round(min(i.end, plant.now) - start, 6), i.state.name)
        for i in plant.true_state().intervals[machine]
    ]


def test_planned_stop_keeps_its_timetable_and_waits_for_the_end_of_the_cycle():
    plant = plain_plant("""
name: l
stations:
  a:
    time: 7 s
    stops: {clean: {kind: planned, every: 20 s, duration: 3 s}}
""")
    plant.advance(47.0)
    assert states(plant, "a") == [
        (0.0, 21.0, "EXECUTING"), (21.0, 24.0, "PLANNED_STOP"), (24.0, 45.0, "EXECUTING"),
        (45.0, 47.0, "PLANNED_STOP"),
    ]  # fmt: skip


def test_planned_stop_of_an_idle_machine_begins_at_once():
    plant = plain_plant("""
name: l
stations:
  a: {time: 30 s}
  b: {time: 1 s, buffer: {capacity: 1}, stops: {clean: {kind: planned, every: 20 s, duration: 3 s}}}
""")
    plant.advance(29.0)
    assert states(plant, "b") == [
        (0.0, 20.0, "STARVED"), (20.0, 23.0, "PLANNED_STOP"), (23.0, 29.0, "STARVED")
    ]  # fmt: skip


def test_breakdown_interrupts_an_item_that_is_finished_afterwards():
    text = """
name: l
stations:
  a:
    time: 10 s
    stops: {fault: {kind: breakdown, every: 25 s, duration: 100 s}}
"""
    plant = plain_plant(text, seed=3)
    start = plant.now
    readings = plant.advance(3000.0)
    begins = times(readings, "a", "START", start)
    ends = times(readings, "a", "LEAVE", start)
    broken = [(b, e) for b, e, state in states(plant, "a") if state == "BREAKDOWN"]
    assert len(broken) > 5
    for begin, end in zip(begins, ends, strict=False):
        stopped = sum(min(e, end) - max(b, begin) for b, e in broken if b < end and e > begin)
        assert end - begin == pytest.approx(10.0 + stopped, abs=1e-5)


def test_stop_after_a_number_of_items_comes_after_exactly_that_number():
    plant = plain_plant("""
name: l
stations:
  a:
    time: 2 s
    stops: {knife: {kind: planned, every: 5 items, duration: 4 s}}
""")
    start = plant.now
    readings = plant.advance(40.0)
    assert times(readings, "a", "START", start)[:11] == [
        0.0, 2.0, 4.0, 6.0, 8.0, 14.0, 16.0, 18.0, 20.0, 22.0, 28.0
    ]  # fmt: skip
    assert set(by_tag(readings)["a/Admin.StopReason"]) == {"knife", ""}


def test_machine_waits_for_a_crew_that_is_busy_and_says_so():
    text = """
name: l
stations:
  a: {machines: 2, time: 2 s, stops: {clean: {kind: planned, every: 10 s, duration: 4 s,
      crew: {resource: man}}}}
resources: {man: {}}
"""
    plant = plain_plant(text)
    values = by_tag(plant.advance(19.0))
    assert states(plant, "a#1")[1] == (10.0, 14.0, "PLANNED_STOP")
    assert states(plant, "a#2")[1:3] == [
        (10.0, 14.0, "WAITING_FOR_CREW"), (14.0, 18.0, "PLANNED_STOP")
    ]  # fmt: skip
    assert values["a_2/Admin.StopReason"] == ["waiting_for_crew", "clean", ""]
    assert values["a_2/Status.StateCurrent"][:3] == [6, 11, 2]
    assert values["a_2/Status.UnitModeCurrent"] == [2, 1]


def test_shift_that_ends_sends_people_home_after_their_work():
    text = """
name: l
stations:
  a: {time: 4 s, operators: {resource: man}}
resources:
  man:
    shifts: {period: 20 s, steps: [{at: 0 s, capacity: 1}, {at: 10 s, capacity: 0}]}
"""
    plant = plain_plant(text)
    plant.advance(30.0)
    assert states(plant, "a") == [
        (0.0, 12.0, "EXECUTING"), (12.0, 20.0, "WAITING_FOR_CREW"), (20.0, 30.0, "EXECUTING")
    ]  # fmt: skip


def test_changeover_takes_its_time_in_a_mode_of_its_own():
    text = """
name: l
formats: {x: {}, y: {}}
arrivals: {truck: {interval: 10 s, formats: {x: 50 %, y: 50 %}, next: a}}
stations: {a: {time: 1 s, buffer: {capacity: 9}, changeover: {time: 3 s, initial_format: x}}}
"""
    plant = plain_plant(text)
    readings = plant.advance(599.0)
    values = by_tag(readings)
    setups = [(b, e) for b, e, state in states(plant, "a") if state == "SETUP"]
    assert setups
    assert all(e - b == pytest.approx(3.0) for b, e in setups)
    assert values["a/Status.UnitModeCurrent"].count(4) == len(setups)
    assert values["a/Status.Format"] == ["y", "x"] * (len(setups) // 2) + ["y"] * (len(setups) % 2)


WEAR = """
name: l
stations: {a: {time: 10 s, stops: {service: {kind: planned, every: 4 h, duration: 60 s}}}}
"""


def cycle_times(plant, hours):
    start = plant.now
    readings = plant.advance(hours * 3600.0)
    ends = times(readings, "a", "LEAVE", start)
    return [(b, b - a) for a, b in pairwise(ends)]


def test_machine_wears_until_it_is_serviced():
    truth = Truth(
        {"a": StationTruth(cycle=CycleTruth(wear_per_hour=0.01, wear_limit=0.03),
                           stops={"service": StopTruth()})}
    )  # fmt: skip
    plant = VirtualPlant(described(WEAR), truth=truth, values_per_machine=0)
    found = cycle_times(plant, 5.0)

    def at(hours):
        return min(found, key=lambda pair: abs(pair[0] - hours * 3600.0))[1]

    assert at(0.01) == pytest.approx(10.0)
    assert at(2.0) == pytest.approx(10.2, abs=0.02)
    assert at(3.9) == pytest.approx(10.3, abs=1e-6)
    assert at(4.1) == pytest.approx(10.0, abs=0.02)


def test_night_is_slower():
    truth = Truth({"a": StationTruth(cycle=CycleTruth(night_factor=1.03))})
    # 21:30 by the plant's clock.
    plant = VirtualPlant(
        described("name: l\nstations: {a: {time: 10 s}}"), truth=truth, values_per_machine=0,
        start_time=86400.0 * 20_000 + 21.5 * 3600.0,
    )  # fmt: skip
    found = cycle_times(plant, 1.0)
    assert {round(time, 6) for when, time in found if when < 1790.0} == {10.0}
    assert {round(time, 6) for when, time in found if when > 1815.0} == {10.3}


def test_stops_are_more_frequent_when_the_plant_is_new():
    text = """
name: l
stations: {a: {time: 1 s, stops: {jam: {kind: micro_stop, every: 60 s, duration: 1 s}}}}
"""
    truth = Truth({"a": StationTruth(stops={"jam": StopTruth()}, early_stops=2.0, early_hours=1.0)})
    plant = VirtualPlant(described(text), truth=truth, record_truth=True, values_per_machine=0)
    plant.advance(9.5 * 3600.0)
    start = plant.now - plant.elapsed
    begins = [
        i.begin - start
        for i in plant.true_state().intervals["a"]
        if i.state is MachineState.MICRO_STOP
    ]
    first = sum(begin < 1800.0 for begin in begins)
    last = sum(begin >= 9.0 * 3600.0 for begin in begins)
    # 30 stops in half an hour, and at first nearly three times as many.
    assert first > 50
    assert last < 50


def test_shock_changes_the_cycle_time_of_one_machine_from_a_moment_on():
    factory = described("name: l\nstations: {a: {machines: 2, time: 10 s}}")
    plant = VirtualPlant(
        factory,
        truth=plain_truth(factory),
        shocks=[Shock("a#2", after=105.0, factor=1.05)],
        values_per_machine=0,
    )
    start = plant.now
    readings = plant.advance(142.0)
    assert times(readings, "a_1", "LEAVE", start)[-1] == 140.0
    assert times(readings, "a_2", "LEAVE", start)[9:] == [100.0, 110.0, 120.5, 131.0, 141.5]
