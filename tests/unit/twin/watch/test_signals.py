"""Values of signals from event rows."""

import json

import polars as pl
import pytest

from gigatwin.factory.factory import Factory
from gigatwin.simulation.sampling import trace_of
from gigatwin.standards.machine_states import MachineState as State
from gigatwin.telemetry.observations import EventRow
from gigatwin.twin.watch.plant_model import PlantModel
from gigatwin.twin.watch.signals import CYCLE, REPAIR, SCRAP, STOPS, Signals, Value
from tests.unit.twin.watch.watched_rows import press, work

JAM = {"jam": {"kind": "micro_stop", "every": "20 min", "duration": "40 s"}}


def row(time, kind, state=State.EXECUTING, item=0, detail=""):
    return EventRow(time, "press", kind, state, item, "item", detail)


def values(rows, signal, factory=None):
    found = Signals(PlantModel.of(factory or press(stops=JAM))).take(rows)
    return [value for value in found if value.signal == signal]


def test_a_cycle_lasts_from_start_to_leave():
    rows = work({"press": [6.0, 5.5]}, begin=100.0)
    assert values(rows, CYCLE) == [
        Value(106.0, "press", CYCLE, "item", 6.0),
        Value(111.5, "press", CYCLE, "item", 5.5),
    ]


def test_a_blocked_cycle_counts_without_the_wait():
    rows = [row(0.0, "START"), row(6.0, "BLOCK", State.BLOCKED), row(60.0, "LEAVE", State.STARVED)]
    assert [value.value for value in values(rows, CYCLE)] == [6.0]


def test_a_cycle_with_a_stop_does_not_count():
    rows = [
        row(0.0, "START"),
        row(2.0, "STOP", State.MICRO_STOP, detail="press.jam"),
        row(42.0, "RESUME", detail="press.jam"),
        row(46.0, "LEAVE", State.STARVED),
    ]
    assert values(rows, CYCLE) == []


def test_a_cycle_whose_start_was_lost_does_not_count():
    rows = [row(0.0, "START", item=1), row(12.0, "LEAVE", State.STARVED, item=2)]
    assert values(rows, CYCLE) == []


def test_the_length_of_a_stop_is_without_the_wait_for_a_crew():
    rows = [
        row(0.0, "START"),
        row(2.0, "STOP", State.WAITING_FOR_CREW, detail="jam"),
        row(12.0, "STOP", State.MICRO_STOP, detail="jam"),
        row(42.0, "RESUME", detail="jam"),
    ]
    assert values(rows, REPAIR) == [Value(42.0, "press", REPAIR, "jam", 30.0)]


def test_stops_are_counted_in_running_time():
    rows = [
        row(0.0, "START"),
        row(6.0, "LEAVE", State.STARVED),
        row(1000.0, "START", item=1),
        row(1004.0, "STOP", State.MICRO_STOP, 1, "press.jam"),
    ]
    assert values(rows, STOPS) == [Value(1004.0, "press", STOPS, "jam", 10.0, 1)]


def test_a_stop_without_a_name_is_the_only_one_of_its_kind():
    rows = [row(0.0, "START"), row(4.0, "STOP", State.MICRO_STOP)]
    assert values(rows, STOPS)[0].which == "jam"


def test_time_in_which_a_machine_was_not_seen_is_no_running_time():
    rows = [row(0.0, "START"), row(90_000.0, "STOP", State.MICRO_STOP, detail="jam")]
    assert values(rows, STOPS)[0].value == 0.0


def test_stops_by_items_are_counted_in_items():
    stop = {"jam": {**JAM["jam"], "every": "500 items", "is_random": True}}
    rows = [*work({"press": [6.0] * 30}), row(180.0, "STOP", State.MICRO_STOP, 31, "jam")]
    assert values(rows, STOPS, press(stops=stop)) == [Value(180.0, "press", STOPS, "jam", 30.0, 1)]


def test_scrap_is_counted_in_items_of_its_format():
    rows = work({"press": [6.0] * 7}, product_format="a")
    rows += work({"press": [6.0] * 3}, begin=42.0, product_format="b")
    rows[-1] = rows[-1]._replace(detail="scrap")
    assert values(rows, SCRAP) == [
        Value(48.0, "press", SCRAP, "a", 7.0),
        Value(60.0, "press", SCRAP, "b", 3.0, 1),
    ]


def test_items_without_scrap_are_counted_by_200():
    found = values(work({"press": [6.0] * 401}), SCRAP)
    assert [(value.value, value.events) for value in found] == [(200.0, 0), (200.0, 0)]


def test_a_speed_that_somebody_set_does_not_change_the_values():
    signals = Signals(PlantModel.of(press()))
    signals.set_speed("press", 1.25)
    found = signals.take(work({"press": [4.8, 4.8]}))
    assert [value.value for value in found] == pytest.approx([6.0, 6.0])
    signals.take([row(100.0, "START", item=9)])
    signals.set_speed("press", 1.0)
    # The cycle in work was begun at another speed.
    assert signals.take([row(106.0, "LEAVE", State.STARVED, 9)]) == []


def test_rows_of_unknown_machines_are_counted():
    signals = Signals(PlantModel.of(press()))
    assert signals.take(work({"lathe": [6.0]})) == []
    assert signals.n_unknown == 2


def test_a_clock_that_jumps_back_gives_no_value():
    rows = [row(100.0, "START"), row(40.0, "LEAVE", State.STARVED)]
    assert values(rows, CYCLE) == []


@pytest.mark.compiled
def test_all_cycles_of_a_simulated_line_have_the_times_of_its_machines():
    factory = Factory.model_validate(
        {
            "name": "line",
            "stations": {
                "saw": {
                    "time": "40 s",
                    "output": {"count": 3, "content": "1 item"},
                    "stops": JAM,
                },
                "oven": {
                    "kind": "batch",
                    "time": "50 s",
                    "size": 4,
                    "buffer": {"capacity": 8},
                    "stops": {"fault": {"kind": "breakdown", "every": "1 h", "duration": "3 min"}},
                },
                "press": {"time": "12 s", "machines": 2, "scrap": 0.05, "buffer": {"capacity": 3}},
            },
        }
    )
    table = trace_of(factory, 40_000.0).filter(~pl.col("kind").cast(pl.String).is_in(["CALL"]))
    signals = Signals(PlantModel.of(factory))
    kinds = {state.name: state for state in State}
    found = signals.take(
        EventRow(time, machine, kind, kinds[state], item, product_format, detail)
        for time, machine, kind, state, item, product_format, _, _, detail in table.iter_rows()
    )
    expected = {"saw": 40.0, "oven": 50.0, "press#1": 12.0, "press#2": 12.0}
    cycles = [value for value in found if value.signal == CYCLE]
    assert {value.machine for value in cycles} == set(expected)
    assert [v.value for v in cycles] == pytest.approx([expected[v.machine] for v in cycles])
    repairs = {v.which: v.value for v in found if v.signal == REPAIR}
    assert repairs == pytest.approx({"jam": 40.0, "fault": 180.0})
    stops = table.filter(pl.col("kind").cast(pl.String) == "STOP").height
    assert sum(value.events for value in found if value.signal == STOPS) == stops > 20
    spoiled = table.filter(pl.col("detail").cast(pl.String) == "scrap").height
    assert sum(value.events for value in found if value.signal == SCRAP) == spoiled > 20


def test_signals_go_on_after_a_restart_as_if_nothing_had_happened():
    model = PlantModel.of(press(stops=JAM))
    rows = work({"press": [6.0] * 50})
    rows.insert(50, row(rows[49].time + 1.0, "STOP", State.MICRO_STOP, 24, "jam"))
    whole = Signals(model).take(rows)
    for cut in (1, 49, 50, 51):
        first, second = Signals(model), Signals(model)
        found = first.take(rows[:cut])
        second.restore(json.loads(json.dumps(first.state())))
        assert found + second.take(rows[cut:]) == whole
