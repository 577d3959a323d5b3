"""Forecasts from a mirrored state, and what changes would do from now on."""

import json

import numpy as np
import pytest

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.live_contents import LiveContents, LiveItem, LiveMachine
from gigatwin.compiler.live_reading import contents_of
from gigatwin.errors import CompileError, FactoryError, StudyError
from gigatwin.factory.changes import with_changes
from gigatwin.factory.factory import Factory
from gigatwin.simulation.run import Run
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.observations import EventRow, Observation
from gigatwin.telemetry.tags import Quantity
from gigatwin.twin.fitting import fitted
from gigatwin.twin.forecasting import DrawnModels, at_speeds, forecast
from gigatwin.twin.mirror import Mirror
from gigatwin.twin.what_if import what_if

S = MachineState
ORIGIN = 1_767_225_600.0
HOUR = 3600.0


def line(**changes):
    jam = {
        "kind": "micro_stop",
        "every": "20 min",
        "duration": {"distribution": "exponential", "mean": "2 min"},
    }
    stations = {
        "cut": {"kind": "discrete", "time": "10 s", "machines": 2},
        "weld": {
            "kind": "discrete",
            "time": {"distribution": "gamma", "mean": "6 s", "cv": 0.2},
            "buffer": {"capacity": 8},
            "stops": {"jam": jam},
        },
        "test": {"kind": "discrete", "time": "5 s", "buffer": {"capacity": 8}},
    }
    stations = {name: data | changes.get(name, {}) for name, data in stations.items()}
    return Factory.model_validate({"name": "line", "stations": stations})


def fixed_line():
    stations = {
        "first": {"kind": "discrete", "time": "10 s"},
        "second": {"kind": "discrete", "time": "10 s", "buffer": {"capacity": 3}},
    }
    return Factory.model_validate({"name": "fixed", "stations": stations})


def contents(factory, now=2 * HOUR, seed=1):
    compiled = compile_factory(factory)
    run = Run(compiled, seed=seed)
    run.advance(now)
    return contents_of(compiled, run.state)


# Forecasts ----------------------------------------------------------------------------------------


def test_fixed_times_leave_nothing_to_chance():
    found = forecast(fixed_line(), contents(fixed_line(), 1003.0), hours=1.0, runs=3)
    assert found.output().tolist() == [360, 360, 360]
    assert found.interval() == (360.0, 360.0)
    assert found.times[-1] == 3600.0


def test_forecast_starts_from_what_is_there():
    """With 8 items behind it, the last station goes on although the welder stands."""
    items = tuple(LiveItem("item", k) for k in range(8))
    stands = LiveMachine(S.MICRO_STOP, stop="jam", residual=1e6)
    now = LiveContents(now=100.0, machines={"weld": stands}, buffers={"test": items})
    found = forecast(line(), now, hours=1.0, runs=3, moments=60)
    assert found.output().tolist() == [8, 8, 8]
    told = found.to_dict()
    assert told["starves"]["test"]["median [s]"] == 120.0
    assert told["blocks"]["cut"]["probability"] == 1.0
    # Both cutters come to 8 places at 10 s each: full after 40 s.
    assert told["fills"]["weld"]["median [s]"] == 60.0
    assert "test" not in told["blocks"]


def test_same_seed_gives_the_same_forecast_on_any_number_of_threads():
    now = contents(line())
    first, second = (forecast(line(), now, hours=0.5, runs=6, threads=k) for k in (1, 3))
    assert first.finished.tolist() == second.finished.tolist()
    third = forecast(line(), now, hours=0.5, runs=6, seed=2)
    assert third.output().tolist() != first.output().tolist()


def test_forecast_tells_as_plain_data():
    found = forecast(line(), contents(line()), hours=0.5, runs=5)
    told = json.loads(json.dumps(found.to_dict()))
    assert told["runs"] == 5
    assert told["output"]["all"] == told["output"]["item"]
    assert told["output"]["all"]["low_90"] <= told["output"]["all"]["median"]
    assert len(told["series"]["levels"]["weld"]["median"]) == 96
    assert found.end == found.issued + 0.5 * HOUR


@pytest.mark.compiled
def test_interval_covers_as_often_as_it_says():
    """A plant that is the model: 90 % intervals of the next half hour, 60 starts."""
    factory = line()
    compiled = compile_factory(factory)
    plant = Run(compiled, seed=77)
    inside = 0
    for k in range(60):
        plant.advance(plant.now + 600.0)
        found = forecast(
            compiled,
            contents_of(compiled, plant.state),
            hours=0.5,
            runs=19,
            seed=k,
            moments=1,
            threads=1,
        )
        low, high = found.interval(0.9)
        before = int(plant.state.flows["finished"].sum())
        plant.advance(plant.now + 0.5 * HOUR)
        inside += low <= int(plant.state.flows["finished"].sum()) - before <= high
    # Binomial: 5 standard errors are 0.19; whole numbers cover somewhat more.
    assert inside / 60 >= 0.71


def test_mirror_and_its_clock_are_taken_over():
    compiled = compile_factory(line())
    mirror = Mirror(compiled, origin=ORIGIN)
    mirror.event(EventRow(ORIGIN + 50.0, "test", "START", S.EXECUTING, 1, "item"))
    found = forecast(compiled, mirror, hours=0.1, runs=2, now=ORIGIN + 52.0)
    assert found.issued == ORIGIN + 52.0
    # The item is done after 3 s more.
    assert found.finished[:, 0, 0].tolist() == [1, 1]


def test_speeds_seen_replace_those_of_the_factory():
    factory = line(weld={"speed": 1.0})
    mirror = Mirror(compile_factory(factory), origin=ORIGIN)
    mirror.observe(Observation("weld", Quantity.SPEED_SET_POINT, "", 1.25, ORIGIN))
    assert at_speeds(factory, mirror.speeds()).stations["weld"].speed == 1.25
    assert at_speeds(factory, {"weld": 1.0005, "nowhere": 2.0}) is factory
    slow = forecast(factory, mirror, hours=1.0, runs=4)
    mirror.observe(Observation("weld", Quantity.SPEED_SET_POINT, "", 0.6, ORIGIN + 1.0))
    fast = slow
    slow = forecast(factory, mirror, hours=1.0, runs=4)
    assert slow.output().mean() < 0.85 * fast.output().mean()


def test_numbers_with_estimates_are_drawn():
    known = {
        "value": 6.0,
        "low": 4.0,
        "high": 9.0,
        "unit": "s",
        "n": 10,
        "method": "guessed",
        "rows": "",
        "is_identified": True,
    }
    time = {"distribution": "gamma", "mean": "6 s", "cv": 0.2, "estimates": {"mean": known}}
    factory = line(weld={"time": time, "stops": {}})
    now = contents(factory)
    uncertain = forecast(factory, now, hours=0.5, runs=8)
    estimated = forecast(factory, now, hours=0.5, runs=8, parameters="estimated")
    assert uncertain.parameters == "uncertain"
    assert uncertain.output().std() > 5 * estimated.output().std()
    models = DrawnModels(compile_factory(factory).factory, 1)
    again = forecast(compile_factory(models.factory), now, hours=0.5, runs=8, models=models)
    assert again.output().tolist() == uncertain.output().tolist()
    assert models.model(3) is models.model(3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hours": 0.0}, "forecast hours: 0.0; must be above 0"),
        ({"runs": 1}, "forecast runs: 1; must be 2 or more"),
        ({"moments": 0}, "forecast moments: 0"),
        ({"threads": 0}, "forecast threads: 0"),
        ({"parameters": "uncertain"}, "no number of line has an estimate"),
    ],
)
def test_numbers_out_of_range_raise(settings, words):
    with pytest.raises(StudyError, match=words):
        forecast(line(), LiveContents(now=0.0), **settings)


@pytest.mark.compiled
def test_forecast_can_be_ended():
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forecast(line(), LiveContents(now=0.0), hours=2e5, runs=2, check=stop)


def test_progress_adds_up():
    parts = []
    forecast(line(), LiveContents(now=0.0), hours=0.1, runs=4, progress=parts.append)
    assert sum(parts) == pytest.approx(1.0)


# Branches -----------------------------------------------------------------------------------------


@pytest.mark.compiled
def test_branches_share_their_luck():
    factory = line()
    found = what_if(
        factory,
        contents(factory),
        {
            "nothing": {"weld.buffer.capacity": 8},
            "faster": {"weld.speed": 1.1},
            "slower": {"weld.speed": 0.9},
            "smaller": {"weld.buffer.capacity": 1, "test.buffer.capacity": 1},
        },
        hours=2.0,
        runs=10,
    )
    nothing = found.row("nothing")
    assert (nothing["difference"], nothing["verdict"]) == (0.0, "no clear difference")
    assert found.row("faster")["verdict"] == "better"
    assert found.row("slower")["verdict"] == "worse"
    assert found.row("smaller", "in_process")["difference"] < -3.0
    assert found.row("faster")["difference_low"] > 0.0
    # Far narrower than what luck makes of either.
    spread = found.base.output().std()
    assert found.row("faster")["difference_high"] - found.row("faster")["difference"] < spread
    assert json.dumps(found.to_dict())
    with pytest.raises(StudyError, match="must be one of the branches nothing, faster, slower"):
        found.row("better")


def test_no_branch_and_changes_that_cannot_be_raise():
    with pytest.raises(StudyError, match="what-if: no branch"):
        what_if(line(), LiveContents(now=0.0), {})
    with pytest.raises(FactoryError, match="branch odd"):
        what_if(line(), LiveContents(now=0.0), {"odd": {"press.speed": 2.0}})


# Contents in another factory --------------------------------------------------------------------


def fit(now, factory, changes):
    before, after = compile_factory(factory), compile_factory(with_changes(factory, changes))
    return fitted(now, before, after), after


def test_machines_keep_their_place_under_another_name():
    factory = line()
    now = LiveContents(
        now=0.0,
        machines={
            "cut#1": LiveMachine(S.EXECUTING, items=(LiveItem("item", 1),), worked=4.0),
            "cut#2": LiveMachine(S.EXECUTING, items=(LiveItem("item", 2),), worked=6.0),
        },
    )
    found, _ = fit(now, factory, {"cut.machines": 1})
    assert found.machines["cut"].items[0].serial == 1
    # A machine that makes its items has no buffer to put them back to.
    assert [i.serial for items in found.buffers.values() for i in items] == []
    found, _ = fit(now, factory, {"cut.machines": 3, "cut.speed": 2.0})
    assert sorted(found.machines) == ["cut#1", "cut#2"]
    assert found.machines["cut#1"].worked == pytest.approx(2.0)


def test_items_of_a_machine_that_is_gone_go_back_in_front():
    factory = line(weld={"machines": 2})
    now = LiveContents(
        now=0.0,
        machines={"weld#2": LiveMachine(S.EXECUTING, items=(LiveItem("item", 1),))},
        buffers={"weld": (LiveItem("item", 2),)},
    )
    found, _ = fit(now, factory, {"weld.machines": 1})
    assert [item.serial for item in found.buffers["weld"]] == [1, 2]


def test_stop_that_is_gone_ends():
    now = LiveContents(
        now=0.0,
        machines={
            "weld": LiveMachine(
                S.MICRO_STOP, stop="jam", items=(LiveItem("item", 1),), is_interrupted=True
            )
        },
    )
    before, after = compile_factory(line()), compile_factory(line(weld={"stops": {}}))
    found = fitted(now, before, after).machines["weld"]
    assert (found.state, found.stop, found.is_interrupted) == (S.EXECUTING, "", False)


def test_buffer_without_places_hands_its_first_item_over():
    items = tuple(LiveItem("item", k) for k in range(3))
    now = LiveContents(now=0.0, buffers={"test": items})
    found, after = fit(now, line(), {"test.buffer.capacity": 0})
    assert found.machines["test"].items[0].serial == 0
    assert "test" not in found.buffers
    assert forecast(after, found, hours=0.1, runs=2).output().min() > 0


def test_contents_of_the_same_factory_stay_as_they_are():
    compiled = compile_factory(line())
    now = LiveContents(now=0.0)
    assert fitted(now, compiled, compiled) is now


def test_contents_of_a_strange_factory_raise():
    with pytest.raises(CompileError, match="'press'"):
        forecast(line(), LiveContents(now=0.0, machines={"press": LiveMachine()}))


def test_levels_and_items_are_seen_at_each_moment():
    found = forecast(fixed_line(), LiveContents(now=0.0), hours=0.1, runs=2, moments=4)
    assert found.levels.shape == (2, 4, 1)
    assert found.in_process[0].tolist() == [2, 2, 2, 2]
    assert np.isinf(found.fills).all()
