"""Random lines: their recursion against the kernel, their laws, their variants."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gigatwin.compiler.build import compile_factory
from gigatwin.kernel.layout import Kind
from gigatwin.simulation.run import Run
from gigatwin.simulation.simulate import simulate
from gigatwin.testing.random_lines import (
    DAY,
    NIGHT,
    KnownLaw,
    KnownStation,
    RandomLine,
    random_line,
    serial_times,
)

NO_REPAIR = KnownLaw("exponential", 30.0)


def constant_line(times, buffers, transfers):
    return RandomLine(
        tuple(
            KnownStation(f"s{j}", KnownLaw("gamma", time, 0.0), np.inf, NO_REPAIR, buffer, transfer)
            for j, (time, buffer, transfer) in enumerate(
                zip(times, buffers, transfers, strict=True)
            )
        )
    )


def traced(line, horizon):
    """Return starts, ends of processing and departures of whole parts as the kernel has them."""
    run = Run(compile_factory(line.factory()), seed=7, trace=True)
    run.advance(horizon)
    records = run.records()
    n_stations = len(line.stations)

    def times(*kinds):
        rows = records[np.isin(records["kind"], kinds)]
        columns = []
        for machine in range(n_stations):
            of_machine = rows[rows["machine"] == machine]
            # The first record of an item: a blocked one has BLOCK before LEAVE.
            _, first = np.unique(of_machine["item"], return_index=True)
            columns.append(of_machine["time"][first])
        return columns

    start, finished, departure = times(Kind.START), times(Kind.BLOCK, Kind.LEAVE), times(Kind.LEAVE)
    n = len(departure[-1])
    return tuple(
        np.column_stack([column[:n] for column in table]) for table in (start, finished, departure)
    )


@pytest.mark.parametrize(
    ("buffers", "transfers"),
    [
        ([0, 0, 0, 0], [0.0, 0.0, 0.0, 0.0]),
        ([0, 1, 3, 2], [0.0, 0.7, 3.9, 0.0]),
        ([0, 2, 0, 5], [0.0, 16.3, 0.0, 2.1]),
    ],
)
def test_constant_line_moves_as_in_the_kernel(buffers, transfers):
    line = constant_line([7.3, 9.1, 5.7, 11.9], buffers, transfers)
    start, finished, departure = traced(line, 2000.0)
    history = line.simulate(len(start))
    assert len(start) > 100
    assert_allclose(history.start, start, rtol=0, atol=1e-7)
    assert_allclose(history.finished, finished, rtol=0, atol=1e-7)
    assert_allclose(history.departure, departure, rtol=0, atol=1e-7)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_recursion_gives_the_times_of_the_kernel_part_by_part(seed):
    # The kernel's own processing and repair times go through the recursion.
    line = random_line(seed, buffer=(0, 6))
    start, finished, departure = traced(line, 6000.0)
    found = serial_times(finished - start, line.transfers, line.buffers)
    assert len(start) > 200
    assert (departure > finished).any()
    assert_allclose(found[0], start, rtol=0, atol=1e-6)
    assert_allclose(found[1], departure, rtol=0, atol=1e-6)


@pytest.mark.compiled
def test_throughput_is_that_of_the_kernel():
    line = random_line(5)
    value, error = line.throughput(400_000, seed=3)
    result = simulate(line.factory(), days=2, replications=10, seed=5)
    mean, low, high = (number / 3600.0 for number in result.total("throughput_rate"))
    of_both = np.hypot(error, (high - low) / (2 * 2.262))
    assert 5 * of_both < 0.03 * value
    assert abs(value - mean) < 5 * of_both


def test_single_machine_has_its_availability():
    line = constant_line([10.0], [0], [0.0])
    station = replace(line.stations[0], mtbf=600.0, repair=KnownLaw("gamma", 60.0, 0.5))
    value, error = RandomLine((station,)).throughput(400_000)
    exact = 600.0 / 660.0 / 10.0
    assert 5 * error < 0.03 * exact
    assert abs(value - exact) < 5 * error


@pytest.mark.parametrize("family", ["gamma", "lognormal", "weibull"])
@pytest.mark.parametrize("cv", [0.03, 0.25, 0.9])
def test_drawn_times_have_their_mean_and_cv(family, cv):
    law = KnownLaw(family, 12.0, cv)
    random = np.random.default_rng(1)
    for values in (law.draw(random, 200_000), law.at_scores(random.standard_normal(200_000))):
        assert values.mean() == pytest.approx(12.0, rel=5 * cv / np.sqrt(200_000))
        assert values.std() / values.mean() == pytest.approx(cv, rel=0.05)


def test_history_tells_failures_and_repairs():
    line = random_line(2)
    history = line.simulate(5000, seed=4)
    stopped = history.finished - history.start - history.processing
    assert_allclose(stopped.sum(axis=0), [lengths.sum() for lengths in history.repairs], rtol=1e-6)
    for j, parts in enumerate(history.failed_parts):
        assert set(np.flatnonzero(stopped[:, j] > 1e-6)) == set(parts)
    expected = history.processing.sum(axis=0) / [station.mtbf for station in line.stations]
    assert (np.abs(history.n_failures - expected) < 5 * np.sqrt(expected)).all()


def test_visits_hold_every_part_at_every_station_once():
    history = random_line(4).simulate(200)
    visits = history.visits
    assert visits.height == 200 * len(history.names)
    assert visits["start"].is_sorted()
    one = visits.filter((visits["case"] == "17") & (visits["station"] == history.names[2]))
    assert one["start"].item() == history.start[17, 2]
    assert one["end"].item() == history.departure[17, 2]


def test_same_seed_gives_the_same_history():
    line = random_line(8)
    assert line == random_line(8)
    assert (line.simulate(100, 1).departure == line.simulate(100, 1).departure).all()
    assert (line.simulate(100, 1).departure != line.simulate(100, 2).departure).any()


def test_autocorrelated_times_keep_their_law_and_depend_on_the_last_one():
    line = random_line(6, variant="autocorrelated")
    times = line.simulate(20_000).processing
    for j, station in enumerate(line.stations):
        after, before = times[1:, j], times[:-1, j]
        assert np.corrcoef(after, before)[0, 1] == pytest.approx(0.5, abs=0.05)
        assert times[:, j].mean() == pytest.approx(station.time.mean, rel=0.02)


def test_nothing_starts_in_the_night_of_a_line_with_shifts():
    history = random_line(6, variant="shifts").simulate(9000)
    assert (history.start % DAY < NIGHT).all()
    assert history.start.max() > DAY


def test_worn_station_slows_down_by_five_per_cent():
    line = random_line(6, variant="wear")
    plain = replace(line, variant="plain")
    growth = line.simulate(1000).processing / plain.simulate(1000).processing
    assert growth[-1, line.worn] == pytest.approx(1.05)
    assert growth[0, line.worn] == pytest.approx(1.0)
    others = np.delete(growth, line.worn, axis=1)
    assert (others == 1.0).all()
