"""Transfer times from items that found the machine idle."""

from itertools import pairwise

import numpy as np
import pytest

from gigatwin.factory.durations import Empirical
from gigatwin.learning.waiting.transfers import estimate_transfer, transfers_of
from gigatwin.testing.random_lines import random_line
from gigatwin.testing.spoiled_logs import with_jitter, with_lost_events


def chain(names):
    return {after: [before] for before, after in pairwise(names)}


def crossing(transfer, n=2000, seed=1):
    """Return departures, starts and releases of a station that is idle now and then."""
    random = np.random.default_rng(seed)
    departures = np.cumsum(random.exponential(20.0, n))
    ways = np.broadcast_to(transfer(random, n) if callable(transfer) else transfer, n)
    arrivals = np.maximum.accumulate(departures + ways)
    starts, released, free = np.empty(n), np.empty(n), np.nan
    for i in range(n):
        released[i] = free
        starts[i] = arrivals[i] if np.isnan(free) else max(arrivals[i], free)
        free = starts[i] + random.gamma(25.0, 0.4)
    return departures, starts, released


@pytest.mark.parametrize(("sigma", "within"), [(0.0, 1e-5), (0.02, 0.03), (0.1, 0.2)])
def test_transfer_times_of_random_lines_are_found(sigma, within):
    n_known = n_inside = n = 0
    for seed in range(6):
        line = random_line(seed)
        visits = line.simulate(2000, seed).visits
        if sigma:
            visits = with_lost_events(with_jitter(visits, sigma, seed), 0.01, seed)
        for (_, station), found in transfers_of(visits, chain(line.names), sigma).items():
            truth = line.transfers[line.names.index(station)]
            n += 1
            assert not found.is_law
            if found.time.is_identified:
                n_known += 1
                n_inside += found.time.low - 1e-9 <= truth <= found.time.high + 1e-9
                assert found.time.value == pytest.approx(truth, abs=within)
            else:
                assert found.time.low <= truth <= found.time.high
    assert n_known > 0.8 * n
    assert n_inside > 0.88 * n_known


def test_constant_time_has_no_law():
    found = estimate_transfer(*crossing(4.0))
    assert not found.is_law
    assert found.duration() == pytest.approx(4.0)


def test_time_that_varies_is_reported_by_quantiles():
    found = estimate_transfer(*crossing(lambda random, n: random.uniform(2.0, 6.0, n)))
    assert found.is_law
    duration = found.duration()
    assert isinstance(duration, Empirical)
    assert duration.quantiles[0] == pytest.approx(2.0, abs=0.1)
    assert duration.quantiles[-1] == pytest.approx(6.0, abs=0.1)
    assert found.time.value == pytest.approx(4.0, abs=0.2)


def test_waits_of_an_idle_machine_for_something_else_are_no_law():
    departures, starts, released = crossing(4.0)
    random = np.random.default_rng(2)
    starts = starts + np.where(random.random(len(starts)) < 0.6, random.exponential(30.0), 0.0)
    found = estimate_transfer(departures, starts, np.full_like(released, -1.0))
    assert not found.is_law
    assert found.time.value == pytest.approx(4.0, abs=1e-4)


def test_machine_that_was_never_idle_gives_an_upper_bound():
    departures = np.arange(500) * 10.0
    starts = departures + np.linspace(30.0, 60.0, 500)
    found = estimate_transfer(departures, starts, starts)
    assert not found.time.is_identified
    assert found.time.low == 0.0
    assert found.time.high == pytest.approx(30.0, abs=1e-3)
    assert "never idle" in found.time.method


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("value", [np.nan, 7.0])
def test_few_items_identify_nothing(n, value):
    times = np.full(n, value)
    found = estimate_transfer(times, times, times)
    assert not found.time.is_identified
    assert found.duration() == 0.0
