"""Machines follow legal commands, keep to their limits, and say why they do not."""

import pytest

from gigatwin.plant import VirtualPlant
from gigatwin.plant.truth import SpeedTruth, StationTruth, Truth, plain_truth
from gigatwin.standards.packml import Command, PackMLState
from tests.unit.plant.lines import by_tag, described, plain_plant, times, write

LINE = "name: l\nstations: {a: {time: 2 s}, b: {time: 2 s, buffer: {capacity: 5}}}"
COMMAND = "a/Command.CntrlCmd"


def plant_of(text=LINE):
    # Acting states of the plain truth last 1.5 s.
    return plain_plant(text)


def state(plant, element="a"):
    values = {reading.tag: reading.value for reading in plant.snapshot()}
    return PackMLState(values[f"{element}/Status.StateCurrent"])


def value(plant, tag):
    return next(reading.value for reading in plant.snapshot() if reading.tag == tag)


def test_stopped_machine_makes_nothing_until_it_is_started_again():
    plant = plant_of()
    start = plant.now
    plant.advance(11.0)
    assert write(plant, COMMAND, Command.STOP) == ""
    readings = plant.advance(60.0)
    assert times(readings, "a", "LEAVE", start) == []
    assert by_tag(readings)["a/Status.StateCurrent"] == [7, 2]
    assert by_tag(readings)["a/Status.CurMachSpeed"] == [0.0]
    assert state(plant, "b") is PackMLState.SUSPENDED
    assert write(plant, COMMAND, Command.RESET) == ""
    plant.advance(2.0)
    assert state(plant) is PackMLState.IDLE
    assert write(plant, COMMAND, Command.START) == ""
    readings = plant.advance(4.0)
    # 1.5 s of starting, then the second half of the item.
    assert times(readings, "a", "LEAVE", start) == [75.5]
    assert by_tag(readings)["a/Status.StateCurrent"] == [3, 6]
    assert by_tag(readings)["a/Status.CurMachSpeed"] == [30.0]


def test_held_machine_goes_on_with_its_item_where_it_was():
    plant = plant_of()
    start = plant.now
    plant.advance(1.5)
    assert write(plant, COMMAND, Command.HOLD) == ""
    assert times(plant.advance(98.5), "a", "LEAVE", start) == []
    assert value(plant, "a/Admin.StopReason") == "operator"
    assert write(plant, COMMAND, Command.UNHOLD) == ""
    assert times(plant.advance(5.0), "a", "LEAVE", start) == pytest.approx([102.0, 104.0], abs=1e-5)
    assert value(plant, "a/Admin.StopReason") == ""


def test_aborted_machine_is_cleared_reset_and_started():
    plant = plant_of()
    plant.advance(1.0)
    seen = []
    for command in (Command.ABORT, Command.CLEAR, Command.RESET, Command.START):
        assert write(plant, COMMAND, command) == ""
        seen += by_tag(plant.advance(2.0))["a/Status.StateCurrent"]
    assert [PackMLState(number).name for number in seen] == [
        "ABORTING", "ABORTED", "CLEARING", "STOPPED", "RESETTING", "IDLE", "STARTING", "EXECUTE"
    ]  # fmt: skip


def test_acting_states_take_as_long_as_the_truth_says():
    factory = described(LINE)
    plant = VirtualPlant(
        factory, truth=Truth({"a": StationTruth(acting_time=1.25)}), values_per_machine=0
    )
    plant.advance(10.0)
    write(plant, COMMAND, Command.STOP)
    changes = [reading for reading in plant.advance(5.0) if reading.tag == "a/Status.StateCurrent"]
    assert changes[1].source_time - changes[0].source_time == pytest.approx(1.25)


@pytest.mark.parametrize(
    "command", [Command.START, Command.RESET, Command.CLEAR, Command.UNHOLD, Command.UNSUSPEND]
)
def test_illegal_command_is_ignored_and_counted(command):
    plant = plant_of()
    plant.advance(1.0)
    assert f"{command.name}: not possible in EXECUTE" in write(plant, COMMAND, command)
    assert plant.true_state().machines["a"].n_ignored == 1
    assert by_tag(plant.advance(10.0))["a/Status.StateCurrent"] == []
    assert value(plant, COMMAND) == 0


@pytest.mark.parametrize("number", [11, -1, 2.5, "STOP", None, True, float("nan")])
def test_what_is_no_command_is_refused(number):
    plant = plant_of()
    assert "must be the number of a command" in write(plant, COMMAND, number)


def test_number_0_is_no_command():
    plant = plant_of()
    assert write(plant, COMMAND, 0) == ""
    assert plant.true_state().machines["a"].n_ignored == 0


def test_machine_under_repair_cannot_be_cleared_but_its_repair_ends():
    plant = plant_of("""
name: l
stations:
  a: {time: 2 s, stops: {fault: {kind: breakdown, every: 30 s, duration: 50 s}}}
""")
    while state(plant) is not PackMLState.ABORTED:
        plant.advance(1.0)
    assert "not repaired yet" in write(plant, COMMAND, Command.CLEAR)
    plant.advance(51.0)
    assert state(plant) is PackMLState.EXECUTE


def test_machine_stopped_during_a_micro_stop_stays_stopped_when_that_is_over():
    plant = plant_of("""
name: l
stations:
  a: {time: 2 s, stops: {jam: {kind: micro_stop, every: 30 s, duration: 20 s}}}
""")
    while state(plant) is not PackMLState.HELD:
        plant.advance(1.0)
    assert "not removed yet" in write(plant, COMMAND, Command.UNHOLD)
    assert write(plant, COMMAND, Command.STOP) == ""
    made = plant.true_state().n_finished
    plant.advance(100.0)
    assert state(plant) is PackMLState.STOPPED
    assert plant.true_state().n_finished == made
    for command in (Command.RESET, Command.START):
        assert write(plant, COMMAND, command) == ""
        plant.advance(2.0)
    assert state(plant) is PackMLState.EXECUTE
    plant.advance(3.0)
    assert plant.true_state().n_finished > made


def test_halted_machine_does_not_stand_in_the_way_of_another_one():
    text = """
name: l
stations:
  a: {time: 2 s}
  b: {machines: 2, time: 3 s, buffer: {capacity: 5}}
"""
    plant = plant_of(text)
    assert write(plant, "b_1/Command.CntrlCmd", Command.STOP) == ""
    plant.advance(60.0)
    processed = {name: m.processed for name, m in plant.true_state().machines.items()}
    assert processed["b#1"] == 0
    assert processed["b#2"] == 19


def test_blocked_machine_that_is_held_keeps_its_item():
    text = "name: l\nstations: {a: {time: 1 s}, b: {time: 10 s, buffer: {capacity: 1}}}"
    plant = plant_of(text)
    start = plant.now
    plant.advance(5.0)
    assert state(plant) is PackMLState.SUSPENDED
    assert "HOLD: not possible in SUSPENDED" in write(plant, COMMAND, Command.HOLD)
    assert "goes on by itself" in write(plant, COMMAND, Command.UNSUSPEND)
    assert write(plant, COMMAND, Command.STOP) == ""
    assert times(plant.advance(30.0), "a", "LEAVE", start) == []
    for command in (Command.RESET, Command.START):
        write(plant, COMMAND, command)
        readings = plant.advance(2.0)
    assert times(readings, "a", "LEAVE", start)[0] == pytest.approx(38.5)


def test_speed_changes_the_rate_from_the_next_item_on():
    plant = plant_of()
    start = plant.now
    plant.advance(11.0)
    assert write(plant, "a/Command.MachSpeed", 37.5) == ""
    readings = plant.advance(5.0)
    assert times(readings, "a", "LEAVE", start) == pytest.approx([12.0, 13.6, 15.2], abs=1e-5)
    assert by_tag(readings)["a/Status.MachSpeed"] == [37.5]
    assert by_tag(readings)["a/Command.MachSpeed"] == [37.5]
    assert by_tag(readings)["a/Status.CurMachSpeed"] == [37.5]


@pytest.mark.parametrize("speed", [14.9, 39.1, 0, -30, "fast", None, float("inf"), True])
def test_speed_outside_of_the_limits_is_refused_with_the_limits(speed):
    plant = plant_of()
    assert "must be from 15 to 39 items/min" in write(plant, "a/Command.MachSpeed", speed)
    assert value(plant, "a/Status.MachSpeed") == 30.0


def test_setting_is_taken_within_its_limits():
    plant = plant_of()
    assert write(plant, "a/Command.Setting.power", 110) == ""
    assert value(plant, "a/Command.Setting.power") == 110.0
    assert "must be from 80 to 120" in write(plant, "a/Command.Setting.power", 121)
    assert value(plant, "a/Command.Setting.power") == 110.0


def test_setting_of_a_described_machine_changes_its_cycle_time():
    text = """
name: l
formats: {4680: {diameter: 46 mm, height: 80 mm}}
stations: {winding: {cycle: winder}}
"""
    factory = described(text)
    quick = SpeedTruth()
    plant = VirtualPlant(
        factory, truth=Truth({"winding": StationTruth(speed=quick)}), values_per_machine=0
    )
    start = plant.now
    before = times(plant.advance(600.0), "winding", "LEAVE", start)
    assert "must be from" in write(plant, "winding/Command.Setting.v", 99.0)
    assert write(plant, "winding/Command.Setting.v", 2.5) == ""
    after = times(plant.advance(600.0), "winding", "LEAVE", start)
    first, last = before[-1] - before[-2], after[-1] - after[-2]
    assert last < 0.97 * first


def test_format_of_a_first_station_changes_what_is_made_after_a_changeover():
    text = """
name: l
formats: {x: {}, y: {}}
stations:
  a: {time: 2 s, changeover: {time: 7 s}}
  b: {time: 1 s, buffer: {capacity: 3}, changeover: {time: 4 s}}
"""
    plant = plant_of(text)
    plant.advance(11.0)
    assert "must be one of x, y" in write(plant, "a/Command.Format", "z")
    assert write(plant, "a/Command.Format", "y") == ""
    values = by_tag(plant.advance(30.0))
    assert values["a/Status.Format"] == ["y"]
    assert values["a/Status.UnitModeCurrent"] == [4, 1]
    assert values["b/Status.Format"] == ["y"]
    plant.advance(60.0)
    # Item k of the new format leaves a at 19 + 2 k, and b a second later.
    assert plant.true_state().finished == {"x": 6, "y": 40}


def test_format_that_follows_the_orders_cannot_be_written():
    plant = plant_of("""
name: l
formats: {x: {}, y: {}}
stations: {a: {time: 2 s}}
orders: [{format: y, quantity: 100}]
""")
    assert "follows the orders" in write(plant, "a/Command.Format", "x")


def test_mode_changes_while_the_machine_stands_only():
    plant = plant_of()
    plant.advance(1.0)
    assert "cannot change in EXECUTE" in write(plant, "a/Command.UnitMode", 2)
    write(plant, COMMAND, Command.STOP)
    plant.advance(2.0)
    assert write(plant, "a/Command.UnitMode", 2) == ""
    assert value(plant, "a/Status.UnitModeCurrent") == 2
    assert "must be one of" in write(plant, "a/Command.UnitMode", 4)
    write(plant, COMMAND, Command.RESET)
    plant.advance(2.0)
    assert "not possible in the mode MAINTENANCE" in write(plant, COMMAND, Command.START)
    assert write(plant, "a/Command.UnitMode", 1) == ""
    assert write(plant, COMMAND, Command.START) == ""


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("a/Command.Nothing", "no such tag"),
        ("c/Command.CntrlCmd", "no such tag"),
        ("", "no such tag"),
        ("a/Command.Setting.pwer", "no such tag"),
        ("a/Status.StateCurrent", "cannot be written"),
        ("b_buffer/Status.Level", "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_said(tag, reason):
    assert reason in write(plant_of(), tag, 1)


def test_storage_has_no_speed():
    text = "name: l\nstations: {a: {time: 2 s}, rack: {kind: storage, capacity: 9, dwell: 7 s}}"
    assert "has no speed" in write(plant_of(text), "rack/Command.MachSpeed", 1.0)


def test_write_shows_at_the_time_at_which_it_was_done():
    factory = described(LINE)
    plant = VirtualPlant(factory, truth=plain_truth(factory), values_per_machine=0)
    plant.advance(7.25)
    now = plant.now
    write(plant, COMMAND, Command.HOLD)
    first = plant.advance(1.0)[0]
    assert (first.tag, first.value, first.source_time) == (COMMAND, Command.HOLD, now)
