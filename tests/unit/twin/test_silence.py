"""A machine falls silent; its neighbours tell what it probably does."""

import math
from itertools import groupby

import numpy as np
import pytest

from gigatwin.compiler.build import compile_factory
from gigatwin.compiler.live_reading import contents_of
from gigatwin.events.log import event_table
from gigatwin.factory.factory import Factory
from gigatwin.simulation.event_names import event_names
from gigatwin.simulation.run import Run
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.observations import Observation, Taken
from gigatwin.telemetry.tags import Quantity
from gigatwin.twin.forecasting import forecast
from gigatwin.twin.mirror import Mirror
from gigatwin.twin.mirror_contents import live_contents
from gigatwin.twin.replay import event_rows
from gigatwin.twin.silence import SilentStations, filled_in

QUIET = 1200.0


def line(**middle):
    stop = {
        "kind": "breakdown",
        "every": "5 min",
        "duration": {"distribution": "exponential", "mean": "2 min"},
    }
    time = {"distribution": "gamma", "mean": "6 s", "cv": 0.1}
    station = {"kind": "discrete", "time": time, "stops": {"failure": stop}}
    return Factory.model_validate(
        {
            "name": "line",
            "stations": {
                "first": {"kind": "discrete", "time": "6 s"},
                "middle": station | {"buffer": {"capacity": 10}} | middle,
                "last": {"kind": "discrete", "time": "5 s", "buffer": {"capacity": 10}},
            },
        }
    )


class Watched:
    """A simulated line whose middle machine says nothing any more."""

    def __init__(self, seed, *, has_level):
        self.compiled = compile_factory(line())
        self.run = Run(self.compiled, seed=seed, trace=True)
        self.names = event_names(self.compiled)
        self.mirror = Mirror(self.compiled, origin=0.0)
        self.silent = SilentStations(self.mirror)
        self.has_level = has_level
        self.level = 0

    def advance(self, until, *, is_silent):
        """Go on; messages come every second, with the level where there is one."""
        self.run.advance(until)
        rows = list(event_rows(event_table(self.run.records(), self.names)))
        rows.sort(key=lambda row: row.time)
        for second, group in groupby(rows, key=lambda row: math.ceil(row.time)):
            heard = list(group)
            self.level += sum(row.machine == "middle" and row.kind == "LEAVE" for row in heard)
            self.level -= sum(row.machine == "last" and row.kind == "START" for row in heard)
            said = [Observation("last", Quantity.LEVEL, "", self.level, float(second))]
            taken = Taken(
                tuple(said if self.has_level else ()),
                tuple(row for row in heard if not (is_silent and row.machine == "middle")),
            )
            self.mirror.take(taken)
            self.silent.take(taken)

    @property
    def truth(self):
        return contents_of(self.compiled, self.run.state)


@pytest.mark.compiled
@pytest.mark.parametrize("has_level", [True, False])
def test_probability_of_standing_is_as_often_true_as_it_says(has_level):
    """14 lines, ten minutes of silence each: seen against told."""
    told, seen = [], []
    for seed in range(14):
        watched = Watched(seed, has_level=has_level)
        watched.advance(600.0, is_silent=False)
        for minutes in (3, 10):
            watched.advance(600.0 + 60.0 * minutes, is_silent=True)
            station = watched.silent.estimate("middle", watched.run.now, n=200)
            told.append(station.estimate().stands)
            seen.append(watched.truth.machines["middle"].state is MachineState.BREAKDOWN)
    told, seen = np.array(told), np.array(seen)
    # Brier score: far better than knowing only how often it stands.
    usual = seen.mean() * (1 - seen.mean())
    assert np.mean((told - seen) ** 2) < 0.4 * usual
    assert told.mean() == pytest.approx(seen.mean(), abs=0.08)
    assert seen[told > 0.8].mean() > 0.8
    assert seen[told < 0.2].mean() < 0.2


@pytest.mark.compiled
def test_levels_tell_how_many_items_have_left():
    watched = Watched(3, has_level=True)
    watched.advance(600.0, is_silent=False)
    before = int(watched.run.state.flows["left"][1])
    watched.advance(600.0 + QUIET, is_silent=True)
    found = watched.silent.estimate("middle", watched.run.now).estimate()
    left = int(watched.run.state.flows["left"][1]) - before
    assert found.n_left == pytest.approx(left, abs=1.5)


@pytest.mark.compiled
def test_forecast_begins_with_what_particles_say():
    watched = Watched(5, has_level=True)
    watched.advance(600.0, is_silent=False)
    watched.advance(900.0, is_silent=True)
    station = watched.silent.estimate("middle", watched.run.now, n=300)
    known = live_contents(watched.mirror)
    filled = filled_in(known, watched.mirror, {"middle": station}, {"middle": 0.5})
    truth = watched.truth
    for buffer in ("middle", "last"):
        assert abs(len(filled.buffers[buffer]) - len(truth.buffers[buffer])) <= 2
    found = forecast(
        watched.compiled, watched.mirror, hours=0.5, runs=8, silent={"middle": station}
    )
    assert found.output().mean() > 50


def test_only_simple_stretches_are_filled_in():
    names = ("middle", "last")
    assert SilentStations(Mirror(compile_factory(line()))).machines == ("middle",)
    for change in ({"machines": 2}, {"buffer": {"capacity": 0}}):
        mirror = Mirror(compile_factory(line(**change)))
        assert "middle" not in SilentStations(mirror).machines
    silent = SilentStations(Mirror(compile_factory(line())))
    assert [silent.estimate(name) for name in names] == [None, None]
