"""Machines without names for what they do: parallel ones, and those that the same cases visit."""

import numpy as np
import polars as pl
import pytest

from gigatwin.events.case_log import CaseLog
from gigatwin.learning.flow.grouping import Sharing
from gigatwin.learning.flow.topology import discover
from gigatwin.learning.learn import learn
from gigatwin.simulation.simulate import simulate
from tests.unit.learning.made_visits import drawn_paths, visits_of_paths

MACHINES = ("m1", "m2", "m3", "m4", "m5", "m6")
ALIKE = dict.fromkeys(MACHINES, 10.0)
DIFFERENT = dict(zip(MACHINES, (6.0, 8.0, 10.0, 12.0, 14.0, 16.0), strict=True))


def random_order(times, n=400, visited=4, seed=1):
    """Let each case visit some of the machines in an order of its own, at a low load."""
    random = np.random.default_rng(seed)
    paths = [tuple(random.permutation(MACHINES)[:visited].tolist()) for _ in range(n)]
    return visits_of_paths(paths, times, gap=16.0)


@pytest.mark.parametrize("visited", [3, 4, 6])
@pytest.mark.parametrize("times", [ALIKE, DIFFERENT])
def test_machines_in_an_order_of_each_case_are_stations_of_their_own(times, visited):
    flow = discover(random_order(times, visited=visited))
    assert set(flow.stations) == set(MACHINES)
    assert flow.scrap == {}


@pytest.mark.compiled
@pytest.mark.parametrize("times", [ALIKE, DIFFERENT])
def test_factory_of_machines_in_an_order_of_each_case_runs(times):
    visits = random_order(times).with_columns(success=pl.lit(None, dtype=pl.Boolean))
    learned = learn(CaseLog(visits.with_row_index("row")))
    assert set(learned.factory.stations) == set(MACHINES)
    rate, *_ = simulate(learned.factory, days=2, replications=4).total("throughput_rate")
    # One case every 16 s.
    assert rate == pytest.approx(3600 / 16, rel=0.03)


@pytest.mark.parametrize("back", [0.05, 0.25])
def test_parallel_machines_in_a_loop_of_rework_are_one_station(back):
    loops = {("a", "b", "c", "d"): 1 - back, ("a", "b", "c", "b", "c", "d"): back}
    times = {"a": 8.0, "b": 12.0, "c": 5.0, "d": 7.0}
    visits = visits_of_paths(drawn_paths(600, 2, loops), times, {"b": 2})
    flow = discover(visits.with_columns(activity="machine"))
    assert flow.stations["b"].machines == ("b#1", "b#2")


def sharing(paths):
    pair = np.concatenate([np.array(path) for path in paths])
    first = np.concatenate([np.arange(len(path)) == 0 for path in paths])
    return Sharing(pair, first, 3)


def test_machines_that_many_cases_visit_both_are_no_alternatives():
    # 40 of 100 cases visit both; then 30, the most that may be rework.
    assert not sharing([(0, 1, 0, 1)] * 40 + [(0,)] * 30 + [(1,)] * 30).are_alternatives(0, 1)
    assert sharing([(0, 1, 0, 1)] * 30 + [(0,)] * 40 + [(1,)] * 30).are_alternatives(0, 1)


def test_machines_are_no_alternatives_where_no_case_comes_back_to_the_same_one():
    once = [(0,)] * 40 + [(1,)] * 40
    assert not sharing([(0, 1)] * 20 + once).are_alternatives(0, 1)
    assert sharing([(0, 1)] * 20 + [(0, 2, 0)] * 5 + once[5:]).are_alternatives(0, 1)
    assert sharing([(0, 1)] * 8 + once).are_alternatives(0, 1)


def test_machines_that_were_never_used_by_the_same_case_are_alternatives():
    assert sharing([(0,), (1,), (2,)]).are_alternatives(0, 2)
