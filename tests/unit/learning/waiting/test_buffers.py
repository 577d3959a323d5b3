"""Buffer capacities, and the moments at which they were full, from logs of known lines."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from gigatwin.compiler.build import compile_factory
from gigatwin.factory.factory import Factory
from gigatwin.factory.stations import Buffer, DiscreteStation
from gigatwin.kernel.layout import Kind
from gigatwin.learning.waiting.buffers import buffers_of, estimate_buffer, resolution, with_blocking
from gigatwin.learning.waiting.starts import with_starts
from gigatwin.simulation.run import Run
from gigatwin.testing.random_lines import KnownLaw, KnownStation, RandomLine, random_line
from gigatwin.testing.spoiled_logs import (
    in_disorder,
    with_duplicates,
    with_jitter,
    with_lost_events,
)

NO_REPAIR = KnownLaw("exponential", 30.0)


def chain(names):
    return {after: [before] for before, after in pairwise(names)}


def two_stations(first, second, buffer, transfer=0.0):
    """Return a line of two machines without failures, from (mean, cv) of each."""
    return RandomLine(
        (
            KnownStation("a", KnownLaw("gamma", *first), np.inf, NO_REPAIR, 0, 0.0),
            KnownStation("b", KnownLaw("gamma", *second), np.inf, NO_REPAIR, buffer, transfer),
        )
    )


def traced_visits(stations, horizon):
    """Return the visits that the kernel records for a factory."""
    run = Run(compile_factory(Factory(name="net", stations=stations)), seed=3, trace=True)
    run.advance(horizon)
    records = run.records()
    names = run.compiled.machines
    frame = pl.DataFrame(
        {
            "machine": [names[machine] for machine in records["machine"]],
            "kind": records["kind"],
            "time": records["time"],
            "case": records["item"].astype(str),
        }
    )
    starts = frame.filter(pl.col("kind") == int(Kind.START))
    ends = frame.filter(pl.col("kind") == int(Kind.LEAVE))
    return (
        starts.join(ends, on=["machine", "case"], how="left")
        .select("case", "machine", start="time", end="time_right")
        .with_columns(station=pl.col("machine").str.extract(r"^([a-z]+)"))
        .sort("start")
    )


def law(mean, cv=0.2):
    return {"distribution": "gamma", "mean": mean, "cv": cv}


def station(mean, buffer=0, transfer=0.0, machines=1, following=None):
    return DiscreteStation(
        time=law(mean),
        machines=machines,
        buffer=Buffer(capacity=buffer, transfer=transfer),
        next=following,
    )


@pytest.mark.parametrize(("sigma", "lost"), [(0.0, 0.0), (0.02, 0.01), (0.02, 0.05)])
def test_identified_capacities_of_random_lines_are_exact_and_others_are_lower_bounds(sigma, lost):
    n_known = n_blocked = 0
    for seed in range(8):
        line = random_line(seed)
        history = line.simulate(2000, seed)
        visits = with_lost_events(with_jitter(history.visits, sigma, seed), lost, seed)
        found = buffers_of(visits, chain(line.names), sigma)
        for j, name in enumerate(line.names[1:], start=1):
            if found[name].is_identified:
                assert found[name].capacity == line.buffers[j]
                assert found[name].estimate.high == line.buffers[j]
            else:
                assert found[name].capacity <= line.buffers[j]
                assert found[name].estimate.high is None
            # With jitter, a handful of hold-ups cannot be told from chance.
            is_plain = history.is_blocked[:, j - 1].sum() >= (40 if sigma else 3)
            n_blocked += is_plain
            n_known += is_plain and found[name].is_identified
    assert n_blocked > 30
    assert n_known >= 0.98 * n_blocked


def test_hold_ups_are_told_departure_by_departure():
    line = random_line(3)
    history = line.simulate(2000)
    buffers = buffers_of(history.visits, chain(line.names))
    visits = with_blocking(history.visits, buffers)
    truth = pl.DataFrame(
        {
            "case": np.repeat(np.arange(2000), len(line.names)).astype(str),
            "station": list(line.names) * 2000,
            "truth": history.is_blocked.ravel(),
        }
    )
    both = visits.join(truth, on=["case", "station"])
    assert both["truth"].sum() > 1000
    assert (both["truth"] == both["is_blocked"]).all()
    held = visits.filter("is_blocked")
    assert (held["bound"] - held["end"]).abs().max() < 1e-5


def test_buffer_that_was_never_full_is_not_identified():
    line = two_stations((10.0, 0.1), (7.0, 0.1), buffer=12, transfer=5.0)
    found = buffers_of(line.simulate(3000).visits, chain(line.names))["b"]
    assert not found.is_identified
    assert found.estimate.high is None
    assert 1 <= found.capacity == found.max_level <= 12
    assert not found.is_blocked.any()
    assert np.isnan(found.bound).all()
    assert "Not identified" in found.note


def test_constant_times_that_meet_by_chance_are_no_hold_up():
    # Each item enters at the very moment at which the one before goes on.
    line = two_stations((10.0, 0.0), (10.0, 0.0), buffer=5, transfer=10.0)
    history = line.simulate(500)
    assert not history.is_blocked.any()
    found = buffers_of(history.visits, chain(line.names))["b"]
    assert not found.is_identified
    assert found.capacity <= 5


@pytest.mark.parametrize("sigma", [0.0, 0.02])
def test_constant_line_with_hold_ups_is_identified(sigma):
    line = two_stations((8.0, 0.0), (10.0, 0.0), buffer=5, transfer=3.0)
    visits = with_jitter(line.simulate(500).visits, sigma)
    found = buffers_of(visits, chain(line.names), sigma)["b"]
    assert found.is_identified
    assert found.capacity == 5


def test_jitter_near_the_cycle_time_gives_no_wrong_capacity():
    for seed in range(10):
        line = random_line(seed, mean=(1.0, 2.0), transfer=(0.0, 1.0))
        visits = with_jitter(line.simulate(2000, seed).visits, 0.3, seed)
        found = buffers_of(visits, chain(line.names), 0.3)
        for j, name in enumerate(line.names[1:], start=1):
            if found[name].is_identified:
                assert found[name].capacity == line.buffers[j]
            else:
                assert found[name].capacity <= line.buffers[j]


def test_transfer_longer_than_the_cycle_fills_a_small_conveyor():
    line = two_stations((5.0, 0.2), (5.0, 0.2), buffer=3, transfer=20.0)
    found = buffers_of(line.simulate(2000).visits, chain(line.names))["b"]
    assert found.is_identified
    assert found.capacity == 3


def test_direct_handing_over_is_capacity_zero():
    line = two_stations((10.0, 0.2), (10.0, 0.2), buffer=0)
    history = line.simulate(2000)
    found = buffers_of(history.visits, chain(line.names))["b"]
    assert found.is_identified
    assert found.capacity == 0
    late = history.departure[:, 0] > history.finished[:, 0]
    assert (found.is_blocked >= late).all()


def test_idle_station_without_transfer_is_not_taken_for_direct_handing_over():
    line = two_stations((10.0, 0.1), (3.0, 0.1), buffer=4)
    found = buffers_of(line.simulate(2000).visits, chain(line.names))["b"]
    assert not found.is_identified
    assert found.capacity == 0


def test_machines_that_merge_into_one_buffer():
    visits = traced_visits(
        {
            "left": station(18.0, following="last"),
            "right": station(21.0, following="last"),
            "last": station(10.0, buffer=4, transfer=2.0, following="out"),
        },
        20_000.0,
    )
    found = buffers_of(visits, {"last": ["left", "right"]})["last"]
    assert found.is_identified
    assert found.capacity == 4


def test_buffer_in_front_of_parallel_machines():
    visits = traced_visits(
        {
            "first": station(10.0, following="second"),
            "second": station(31.0, buffer=6, transfer=2.0, machines=3, following="out"),
        },
        20_000.0,
    )
    assert visits["machine"].n_unique() == 4
    found = buffers_of(visits, {"second": ["first"]})["second"]
    assert found.is_identified
    assert found.capacity == 6


def test_two_branches_have_their_own_buffers():
    split = [{"to": "left", "share": 0.5}, {"to": "right", "share": 0.5}]
    visits = traced_visits(
        {
            "first": station(10.0, following=split),
            "left": station(20.0, buffer=3, following="last"),
            "right": station(20.0, buffer=5, following="last"),
            "last": station(9.0, buffer=2, following="out"),
        },
        40_000.0,
    )
    found = buffers_of(visits, {"left": ["first"], "right": ["first"], "last": ["left", "right"]})
    assert {name: found[name].capacity for name in ("left", "right")} == {"left": 3, "right": 5}
    assert found["left"].is_identified
    assert found["right"].is_identified
    assert found["last"].is_identified <= (found["last"].capacity == 2)


@pytest.mark.compiled
def test_lost_events_in_networks_give_no_wrong_capacity():
    n_known = 0
    for seed in range(12, 20):
        random = np.random.default_rng(seed)
        places = {name: int(random.integers(0, 6)) for name in "bcde"}
        split = [{"to": "b", "share": 0.6}, {"to": "c", "share": 0.4}]
        visits = traced_visits(
            {
                "a": station(20.0, machines=2, following=split),
                "b": station(16.0, buffer=places["b"], transfer=1.0, following="d"),
                "c": station(24.0, buffer=places["c"], transfer=2.0, following="d"),
                "d": station(20.5, buffer=places["d"], machines=2, following="e"),
                "e": station(10.2, buffer=places["e"], transfer=3.0, following="out"),
            },
            20_000.0,
        )
        visits = with_lost_events(with_jitter(visits, 0.02, seed), 0.01, seed)
        before = {"b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"]}
        for name, found in buffers_of(visits, before, 0.02).items():
            n_known += found.is_identified
            if found.is_identified:
                assert found.capacity == places[name]
            else:
                assert found.capacity <= places[name]
    assert n_known > 16


def test_copies_and_disorder_of_rows_change_nothing():
    line = random_line(2)
    visits = line.simulate(1500).visits
    right = buffers_of(visits, chain(line.names))
    spoiled = in_disorder(with_duplicates(visits, 0.02), 40)
    found = buffers_of(spoiled, chain(line.names))
    for name, buffer in right.items():
        assert found[name].capacity == buffer.capacity
        assert found[name].is_identified == buffer.is_identified
        assert found[name].n_items == buffer.n_items


def test_log_of_departures_alone_gives_the_capacities():
    for seed in range(4):
        line = random_line(seed)
        history = line.simulate(3000, seed)
        visits = history.visits.with_columns(start=pl.lit(None, dtype=pl.Float64))
        pairs = zip(pairwise(line.names), line.transfers[1:], strict=True)
        visits = with_starts(visits, chain(line.names), dict(pairs))
        found = buffers_of(visits, chain(line.names))
        for j, name in enumerate(line.names[1:], start=1):
            if history.is_blocked[:, j - 1].sum() >= 10:
                assert found[name].is_identified
                assert found[name].capacity == line.buffers[j]


def test_log_that_begins_with_a_full_buffer():
    line = random_line(1)
    history = line.simulate(4000)
    later = history.visits.filter(pl.col("start") > 10_000.0)
    whole = buffers_of(history.visits, chain(line.names))
    for name, found in buffers_of(later, chain(line.names)).items():
        if found.is_identified:
            assert found.capacity == whole[name].capacity


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize("value", [np.nan, 0.0, 3.0])
def test_few_equal_or_lost_times_identify_nothing(n, value):
    times = np.full(n, value)
    found = estimate_buffer(times, times)
    assert not found.is_identified
    assert found.capacity == 0
    assert found.n_items == n


def test_times_on_a_grid_of_whole_seconds():
    line = two_stations((9.0, 0.2), (10.0, 0.2), buffer=7, transfer=2.0)
    visits = line.simulate(4000).visits.with_columns(pl.col("start", "end").round())
    found = buffers_of(visits, chain(line.names))["b"]
    assert found.is_identified
    assert found.capacity == 7


@pytest.mark.parametrize("step", [60.0, 1.0, 0.1, 0.001])
def test_resolution_of_rounded_times(step):
    times = np.random.default_rng(1).uniform(0.0, 1e6, 5000)
    assert resolution(np.round(times / step) * step) == pytest.approx(step)
    assert resolution(times) == 0.0
