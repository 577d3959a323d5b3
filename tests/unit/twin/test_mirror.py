"""The mirror takes in what a plant says, and what gets lost does no lasting harm."""

import json

import pytest

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.live_state import state_from
from gigatwin.errors import TelemetryError
from gigatwin.factory.factory import Factory
from gigatwin.simulation.run import Run
from gigatwin.simulation.sampling import trace_of
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.observations import EventRow, Observation, Taken
from gigatwin.telemetry.readings import Quality
from gigatwin.telemetry.tags import Quantity
from gigatwin.twin.mirror import Mirror
from gigatwin.twin.mirror_contents import live_contents
from gigatwin.twin.mirror_report import mirror_report
from gigatwin.twin.replay import event_rows

S = MachineState
ORIGIN = 1_767_225_600.0


def line(**changes):
    jam = {"kind": "micro_stop", "every": "20 min", "duration": "1 min"}
    stations = {
        "cut": {"kind": "discrete", "time": "10 s"},
        "weld": {
            "kind": "discrete",
            "time": "10 s",
            "buffer": {"capacity": 5},
            "stops": {"jam": jam},
        },
        "test": {"kind": "discrete", "time": "10 s", "buffer": {"capacity": 5}, "scrap": 0.1},
    }
    stations = {name: data | changes.get(name, {}) for name, data in stations.items()}
    return compile_factory(Factory.model_validate({"name": "line", "stations": stations}))


class Plant:
    """Writes rows into a mirror; times are seconds after the origin."""

    def __init__(self, compiled=None, **settings):
        self.compiled = compiled or line()
        self.mirror = Mirror(self.compiled, origin=ORIGIN, **settings)

    def row(self, time, machine, kind, item=-1, detail="", **more):
        usual = {"START": S.EXECUTING, "LEAVE": S.STARVED, "BLOCK": S.BLOCKED}
        state = more.get("state", usual.get(kind, S.STARVED))
        number = more.get("number", 0)
        self.mirror.event(
            EventRow(ORIGIN + time, machine, kind, state, item, "item", detail, number)
        )

    def say(self, time, element, quantity, value, quality=Quality.GOOD):
        self.mirror.observe(Observation(element, quantity, "", value, ORIGIN + time, quality))

    def make(self, time, item, *, until="test"):
        """Let an item go through the line from a time on, 10 s at each station."""
        for k, name in enumerate(("cut", "weld", "test")):
            self.row(time + 10 * k, name, "START", item)
            if name == until:
                return
            self.row(time + 10 * k + 10, name, "LEAVE", item, ("weld", "test", "out")[k])
        raise AssertionError

    def contents(self, time):
        return live_contents(self.mirror, ORIGIN + time)

    def machine(self, name):
        return self.mirror.machines[self.compiled.machines.index(name)]

    def items(self, name):
        buffers = self.compiled.buffers
        found = self.mirror.queued(buffers.index(name))
        return list(found)

    def held(self, name):
        return list(self.mirror.held(self.compiled.machines.index(name)))

    def report(self, time, **settings):
        return mirror_report(self.mirror, ORIGIN + time, **settings)


# Following ----------------------------------------------------------------------------------------


def test_items_are_where_the_rows_say():
    plant = Plant()
    plant.make(0.0, 1)
    plant.make(10.0, 2, until="weld")
    plant.row(20.0, "cut", "START", 3)
    plant.row(30.0, "cut", "LEAVE", 3, "weld")
    assert (plant.held("cut"), plant.items("weld"), plant.held("weld")) == ([], [3], [2])
    assert (plant.items("test"), plant.held("test")) == ([], [1])
    assert plant.mirror.where(3) == "weld"
    assert plant.mirror.where(99) is None


def test_time_in_work_leaves_out_stops():
    plant = Plant()
    plant.row(0.0, "weld", "START", 1)
    plant.row(4.0, "weld", "STOP", detail="jam", state=S.MICRO_STOP)
    plant.row(64.0, "weld", "RESUME", detail="jam", state=S.EXECUTING)
    live = plant.contents(67.0).machines["weld"]
    assert live.worked == pytest.approx(7.0)
    assert (live.state, live.stop) == (S.EXECUTING, "")
    # Its clock of running time counts from the end of the stop.
    assert live.clocks["jam"].elapsed == pytest.approx(3.0)
    assert live.clocks["jam"].is_since_stop


def test_stop_under_way_is_told_with_how_long_it_has_lasted():
    plant = Plant()
    plant.row(0.0, "weld", "START", 1)
    plant.row(4.0, "weld", "STOP", detail="line.weld.jam", state=S.MICRO_STOP)
    live = plant.contents(30.0).machines["weld"]
    assert (live.stop, live.is_interrupted, live.elapsed) == ("jam", True, 26.0)
    assert live.worked == pytest.approx(4.0)
    assert live.items[0].serial == 1


def test_stop_between_two_items_interrupts_none():
    plant = Plant()
    plant.row(0.0, "weld", "START", 1)
    plant.row(10.0, "weld", "LEAVE", 1, "test")
    plant.row(11.0, "weld", "STOP", detail="jam", state=S.MICRO_STOP)
    live = plant.contents(30.0).machines["weld"]
    assert (live.stop, live.is_interrupted, live.items) == ("jam", False, ())


def test_contents_make_a_run_that_goes_on():
    compiled = line()
    events = trace_of(compiled, 1000.0)
    mirror = Mirror(compiled, origin=ORIGIN)
    mirror.events(event_rows(events, ORIGIN))
    run = Run(compiled)
    run.restore(state_from(compiled, live_contents(mirror)))
    run.advance(run.now + 1000.0)
    assert int(run.state.flows["finished"].sum()) > 80


def test_mirror_goes_on_from_what_was_kept():
    compiled = line()
    rows = list(event_rows(trace_of(compiled, 2000.0), ORIGIN))
    whole = Mirror(compiled, origin=ORIGIN)
    whole.events(rows)
    first = Mirror(compiled, origin=ORIGIN)
    first.events(rows[:300])
    again = Mirror(compiled)
    again.restore(json.loads(json.dumps(first.state())))
    again.events(rows[300:])
    assert again.state() == whole.state()
    assert live_contents(again) == live_contents(whole)


@pytest.mark.parametrize("kept", [{}, {"version": 1, "machines": {"press": []}}])
def test_state_of_something_else_is_refused(kept):
    with pytest.raises(TelemetryError, match="needs version 1"):
        Mirror(line()).restore(kept)


def test_damaged_state_is_refused():
    kept = Mirror(line()).state()
    kept["items"] = {"places": 3}
    with pytest.raises(TelemetryError, match="cannot be read"):
        Mirror(line()).restore(kept)


# What gets lost ---------------------------------------------------------------------------------


def test_start_elsewhere_says_that_an_item_has_left():
    plant = Plant()
    plant.row(0.0, "cut", "START", 1)
    plant.row(12.0, "weld", "START", 1)  # its LEAVE was lost
    assert (plant.held("cut"), plant.items("weld"), plant.held("weld")) == ([], [], [1])


def test_next_item_pushes_out_the_last():
    plant = Plant()
    plant.row(0.0, "weld", "START", 1)
    plant.row(11.0, "weld", "START", 2)  # the LEAVE of 1 was lost
    assert (plant.items("test"), plant.held("weld")) == ([1], [2])


def test_leaving_without_a_start_moves_an_item_all_the_same():
    plant = Plant()
    plant.row(0.0, "cut", "START", 1)
    plant.row(10.0, "cut", "LEAVE", 1, "weld")
    plant.row(20.0, "weld", "LEAVE", 1, "test")
    assert (plant.items("weld"), plant.items("test")) == ([], [1])


def test_row_that_comes_too_late_moves_nothing_back():
    plant = Plant()
    plant.row(0.0, "cut", "START", 1)
    plant.row(12.0, "weld", "START", 1)
    plant.row(10.0, "cut", "LEAVE", 1, "weld")
    assert (plant.items("weld"), plant.held("weld")) == ([], [1])
    assert plant.mirror.processed[0].count == 1


def test_item_that_all_others_pass_is_taken_out_and_can_come_back():
    plant = Plant()
    for item in range(1, 7):
        plant.row(item, "cut", "START", item)
        plant.row(item + 0.5, "cut", "LEAVE", item, "weld")
    for item in range(2, 6):
        plant.row(10.0 * item, "weld", "START", item)
        plant.row(10.0 * item + 9, "weld", "LEAVE", item, "test")
    assert 1 not in plant.items("weld")
    assert plant.mirror.n_vanished == 1
    plant.row(70.0, "test", "START", 1)
    assert plant.held("test") == [1]
    assert plant.mirror.n_vanished == 0


def test_unknown_item_is_taken_as_seen():
    plant = Plant()
    plant.row(0.0, "test", "START", 77)
    assert plant.held("test") == [77]
    assert plant.mirror.n_appeared == 1


def test_repeated_row_counts_once():
    plant = Plant()
    plant.row(0.0, "cut", "START", 1, number=1)
    for _ in range(2):
        plant.row(10.0, "cut", "LEAVE", 1, "weld", number=2)
    assert plant.mirror.processed[0].count == 1
    assert plant.mirror.n_repeated == 1


def test_missing_number_is_a_lost_telegram():
    plant = Plant()
    plant.row(0.0, "cut", "START", 1, number=1)
    plant.row(30.0, "cut", "LEAVE", 3, "weld", number=6)
    assert plant.machine("cut").n_lost == 4


def test_restart_of_the_numbers_is_no_repetition():
    plant = Plant()
    plant.row(0.0, "cut", "START", 1, number=8)
    plant.row(10.0, "cut", "LEAVE", 1, "weld", number=1)
    assert plant.items("weld") == [1]


def test_resume_that_was_lost_ends_with_the_next_start():
    plant = Plant()
    plant.row(0.0, "weld", "START", 1)
    plant.row(4.0, "weld", "STOP", detail="jam", state=S.MICRO_STOP)
    plant.row(90.0, "weld", "START", 2)
    live = plant.contents(95.0).machines["weld"]
    assert (live.state, live.stop, live.worked) == (S.EXECUTING, "", pytest.approx(5.0))


def test_strange_elements_are_counted():
    plant = Plant()
    plant.row(0.0, "press", "START", 1)
    plant.say(0.0, "press", Quantity.STATE, 6)
    assert plant.mirror.n_strange == 2


# Counters and levels ----------------------------------------------------------------------------


def test_counter_makes_up_for_lost_rows():
    plant = Plant()
    plant.say(0.0, "test", Quantity.PROCESSED, 100)
    for item in (1, 2, 5):  # the rows of two others were lost
        plant.row(10.0 * item, "test", "LEAVE", item, "out")
    assert plant.mirror.processed[2].count == 103
    plant.say(51.0, "test", Quantity.PROCESSED, 105)
    plant.row(61.0, "test", "LEAVE", 6, "out")
    counter = plant.mirror.processed[2]
    assert (counter.count, counter.residual) == (106, 2)
    assert plant.mirror.output() == {"item": 6}


def test_reading_and_row_of_the_same_moment_are_one_item():
    plant = Plant()
    plant.say(0.0, "test", Quantity.PROCESSED, 100)
    for order in ("row first", "reading first"):
        time = 10.0 if order == "row first" else 20.0
        said = 101 if order == "row first" else 102
        if order == "row first":
            plant.row(time, "test", "LEAVE", 1, "out")
        plant.say(time, "test", Quantity.PROCESSED, said)
        if order == "reading first":
            plant.row(time, "test", "LEAVE", 2, "out")
        assert plant.mirror.processed[2].count == said
        assert plant.mirror.processed[2].residual == 0


def test_scrap_is_counted_apart():
    plant = Plant()
    plant.row(10.0, "test", "LEAVE", 1, "scrap")
    plant.row(20.0, "test", "LEAVE", 2, "out")
    assert (plant.mirror.processed[2].count, plant.mirror.defective[2].count) == (2, 1)
    assert plant.mirror.output() == {"item": 1}


def levels(plant, level, *, until=60.0):
    for step in range(int(until)):
        plant.mirror.take(
            Taken(
                (Observation("weld", Quantity.LEVEL, "", level, ORIGIN + 20.0 + step),),
                (),
            )
        )


def test_level_that_says_more_puts_items_into_the_buffer():
    plant = Plant()
    plant.row(0.0, "cut", "START", 1)
    plant.row(10.0, "cut", "LEAVE", 1, "weld")
    levels(plant, 3)
    assert len(plant.items("weld")) == 3
    assert plant.mirror.buffers[0].n_added == 2
    # One of them shows up by its number, and is not one more.
    plant.row(81.0, "weld", "START", 1)
    plant.row(91.0, "weld", "START", 2)
    assert len(plant.items("weld")) == 1
    assert plant.mirror.n_appeared == 0


def test_level_that_says_less_takes_items_out():
    plant = Plant()
    for item in (1, 2, 3):
        plant.row(item, "cut", "START", item)
        plant.row(item + 0.5, "cut", "LEAVE", item, "weld")
    levels(plant, 1)
    assert plant.items("weld") == [3]


def test_level_is_not_believed_at_once():
    plant = Plant()
    plant.row(0.0, "cut", "START", 1)
    plant.row(10.0, "cut", "LEAVE", 1, "weld")
    levels(plant, 3, until=8)
    assert len(plant.items("weld")) == 1


def test_bad_readings_are_left_out():
    plant = Plant()
    plant.say(0.0, "test", Quantity.PROCESSED, 100, Quality.BAD)
    plant.say(0.0, "test", Quantity.PROCESSED, float("nan"))
    assert not plant.mirror.processed[2].is_known


def test_state_tags_tell_the_state_until_rows_do():
    plant = Plant()
    plant.say(0.0, "weld", Quantity.STATE, 9)  # ABORTED
    plant.say(0.0, "weld", Quantity.STOP_REASON, "jam")
    assert S(plant.machine("weld").state) is S.BREAKDOWN
    assert plant.machine("weld").stop == "jam"
    plant.row(5.0, "weld", "START", 1)
    plant.say(6.0, "weld", Quantity.STATE, 9)
    assert S(plant.machine("weld").state) is S.EXECUTING


def test_speeds_are_the_means_of_what_machines_say():
    plant = Plant(line(weld={"machines": 2}))
    plant.say(0.0, "weld#1", Quantity.SPEED_SET_POINT, 1.1)
    plant.say(0.0, "weld#2", Quantity.SPEED_SET_POINT, 1.0)
    assert plant.mirror.speeds() == {"weld": pytest.approx(1.05)}


def test_times_count_from_monday_when_nobody_says_otherwise():
    mirror = Mirror(line())
    mirror.event(EventRow(1_767_250_800.0, "cut", "START", S.EXECUTING, 1))
    assert mirror.origin == 1_766_966_400.0  # 2025-12-29, a Monday, 00:00 UTC


# What is believable -----------------------------------------------------------------------------


def reason(report, element):
    found = next(e for e in (*report.machines, *report.buffers) if e.element == element)
    assert found.is_believable is (found.reason == "")
    return found.reason


def test_machine_that_nobody_heard_of_is_not_believable():
    plant = Plant()
    plant.row(0.0, "cut", "START", 1)
    report = plant.report(5.0)
    assert reason(report, "weld") == "never heard of"
    assert reason(report, "cut") == ""
    assert {e.element for e in report.doubtful} == {"weld", "test"}


def test_item_that_takes_too_long_is_doubted():
    plant = Plant()
    plant.row(0.0, "cut", "START", 1)
    assert reason(plant.report(40.0), "cut") == ""
    assert "silent for 50 s, and an item takes at most 15 s" in reason(plant.report(50.0), "cut")


def test_starving_before_a_full_buffer_is_doubted():
    plant = Plant()
    plant.row(0.0, "weld", "START", 9)
    plant.row(1.0, "weld", "LEAVE", 9, "test")
    plant.row(2.0, "cut", "START", 1)
    plant.row(12.0, "cut", "LEAVE", 1, "weld")
    assert reason(plant.report(30.0), "weld") == ""
    assert "starves although 1 items lie before it" in reason(plant.report(60.0), "weld")


def test_being_blocked_before_an_empty_buffer_is_doubted():
    plant = Plant()
    plant.row(0.0, "weld", "START", 1)
    plant.row(10.0, "weld", "BLOCK", 1, "test")
    assert "blocked although test has room" in reason(plant.report(60.0), "weld")


def test_stop_that_the_model_does_not_have_is_doubted():
    plant = Plant()
    plant.row(0.0, "cut", "START", 1)
    plant.row(5.0, "cut", "STOP", detail="fire", state=S.BREAKDOWN)
    assert "stands for 'fire'" in reason(plant.report(6.0), "cut")
    # The model goes on with what it knows.
    assert plant.contents(6.0).machines["cut"].state is S.EXECUTING


def test_counter_that_runs_on_alone_is_doubted():
    plant = Plant()
    plant.say(0.0, "weld", Quantity.PROCESSED, 10)
    plant.row(1.0, "weld", "START", 1)
    plant.say(11.0, "weld", Quantity.PROCESSED, 11)
    report = plant.report(12.0)
    assert "no events came" in reason(report, "weld")
    assert report.machines[1].residual == 1
    plant.row(12.0, "weld", "START", 2)
    assert reason(plant.report(12.0), "weld") == ""


def test_level_that_differs_is_reported_until_it_is_settled():
    plant = Plant()
    plant.row(0.0, "cut", "START", 1)
    plant.row(10.0, "cut", "LEAVE", 1, "weld")
    levels(plant, 3, until=8)
    report = plant.report(28.0)
    assert reason(report, "weld") == "never heard of"  # the machine of that name
    found = report.buffers[0]
    assert (found.element, found.residual, found.is_believable) == ("weld", 2, False)
    assert json.dumps(report.to_dict())
