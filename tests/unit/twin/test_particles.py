"""Particles of a silent machine against filters that can be solved exactly."""

import numpy as np
import pytest
import scipy

from gigatwin.compiler.laws import LawTable
from gigatwin.compiler.residual_laws import ResidualLaws
from gigatwin.factory.durations import Distribution
from gigatwin.twin.particles import HiddenStop, SilentStation

WORK, INTERVAL, REPAIR = 2.0, 30.0, 20.0
MANY = 10_000
"""Items before the machine, so that it never starves."""


def exponential(mean):
    return Distribution(distribution="exponential", mean=mean)


def station(work=None, *, n_waiting=MANY, seed=1, n=1000, stops=True, **known):
    table = LawTable()
    numbers = [table.add(law) for law in (work or exponential(WORK), exponential(INTERVAL))]
    repair = table.add(exponential(REPAIR))
    laws = ResidualLaws(*table.arrays())
    hidden = [HiddenStop(numbers[1], 1.0, repair, 0.0)] if stops else []
    return SilentStation(
        laws, numbers[0], 1.0, hidden, time=0.0, n_waiting=n_waiting, n=n, seed=seed, **known
    )


def departures(seed, until):
    """Return when items leave a machine of exponential work, failures and repairs."""
    random = np.random.default_rng(seed)
    now, works, found = 0.0, True, []
    while now < until:
        if not works:
            now, works = now + random.exponential(REPAIR), True
            continue
        now += random.exponential(1 / (1 / WORK + 1 / INTERVAL))
        if random.random() < (1 / WORK) / (1 / WORK + 1 / INTERVAL):
            found.append(now)
        else:
            works = False
    return [time for time in found if time < until]


RATES = np.array([[-1 / INTERVAL, 1 / INTERVAL], [1 / REPAIR, -1 / REPAIR]])
LEAVING = np.diag([1 / WORK, 0.0])


def exact_filter(times, leaves):
    """Return the probability of standing at each time, by a modulated Poisson process."""
    state, last, found, left = np.array([1.0, 0.0]), 0.0, [], list(leaves)
    for time in times:
        while left and left[0] <= time:
            state = state @ scipy.linalg.expm((RATES - LEAVING) * (left[0] - last)) @ LEAVING
            last = left.pop(0)
            state /= state.sum()
        state = state @ scipy.linalg.expm((RATES - LEAVING) * (time - last))
        state, last = state / state.sum(), time
        found.append(state[1])
    return np.array(found)


def test_probability_of_standing_is_that_of_the_exact_filter():
    """300 s with departures seen: mean error within 0.03, as 1000 particles allow."""
    times = np.arange(1.0, 300.0, 3.0)
    leaves = departures(4, 298.0)
    expected = exact_filter(times, leaves)
    assert expected.min() < 0.05
    assert expected.max() > 0.85
    errors = []
    for seed in (1, 2):
        filtered, left, found = station(seed=seed, tolerance=0.02), list(leaves), []
        for time in times:
            while left and left[0] <= time:
                filtered.leave(left.pop(0))
            filtered.quiet(time)
            found.append(filtered.estimate().stands)
        errors.append(np.array(found) - expected)
        assert filtered.estimate().n_left == pytest.approx(len(leaves))
        assert filtered.n_lost == 0
    assert np.abs(errors).mean() < 0.03
    assert abs(np.mean(errors)) < 0.01


def exact_count(seconds, known, later):
    """Return mean and deviation of the items that have left, of which ``known`` had at first."""
    most = 120
    size = 2 * most
    generator = np.zeros((size, size))
    for k in range(most):
        a, b = 2 * k, 2 * k + 1
        generator[a, b] += 1 / INTERVAL
        generator[b, a] += 1 / REPAIR
        if k + 1 < most:
            generator[a, 2 * k + 2] += 1 / WORK
    generator -= np.diag(generator.sum(axis=1))
    state = scipy.linalg.expm(generator * seconds)[0]
    state[: 2 * known] = 0.0
    state = (state / state.sum()) @ scipy.linalg.expm(generator * later)
    counts = np.arange(size) // 2
    mean = float(state @ counts)
    return mean, float(np.sqrt(state @ (counts - mean) ** 2)), float(state[1::2].sum())


def test_items_that_leave_unseen_are_counted_like_in_the_exact_chain():
    """At least 22 had left after 50 s, of 20 or so expected; then 20 s more."""
    mean, deviation, stands = exact_count(50.0, 22, 20.0)
    filtered = station(n=2000)
    filtered.unseen(50.0)
    filtered.has_left(22)
    filtered.unseen(70.0)
    found = filtered.estimate()
    assert found.n_left == pytest.approx(mean, abs=5 * deviation / np.sqrt(1000))
    assert found.n_left_deviation == pytest.approx(deviation, rel=0.1)
    assert found.stands == pytest.approx(stands, abs=0.06)


def test_full_buffer_says_nothing_about_the_machine():
    """While nothing can leave, the chance of standing is that of a machine left to itself."""
    filtered = station(n=2000)
    filtered.full(15.0)
    # It works until it is done or stops; a stop is mended, and then it goes on.
    rates = np.array(
        [
            [-1 / WORK - 1 / INTERVAL, 1 / INTERVAL, 1 / WORK],
            [1 / REPAIR, -1 / REPAIR, 0],
            [0, 0, 0],
        ]
    )
    _, stands, done = scipy.linalg.expm(rates * 15.0)[0]
    found = filtered.estimate()
    assert found.stands == pytest.approx(stands, abs=0.03)
    assert found.waits == pytest.approx(done, abs=0.03)
    filtered.leave(15.0)
    # Room was made and an item left at once: it was done.
    assert filtered.estimate().stands == 0.0


def test_machine_that_lets_nothing_out_when_there_is_room_was_not_done():
    filtered = station()
    filtered.full(15.0)
    filtered.quiet(15.5)
    assert filtered.estimate().stands > 0.6


def test_fixed_times_leave_no_doubt():
    filtered = station(10.0, stops=False, n_waiting=1)
    filtered.quiet(9.0)
    assert filtered.estimate().works == pytest.approx(1.0)
    assert filtered.estimate().worked == pytest.approx(9.0)
    filtered.leave(10.0)
    assert filtered.estimate().waits == pytest.approx(1.0)
    filtered.enter(12.0)
    filtered.quiet(15.0)
    assert filtered.estimate().worked == pytest.approx(3.0)


def test_fixed_time_that_is_over_tells_that_it_stands():
    filtered = station(2.0, n_waiting=5)
    filtered.quiet(4.0)
    found = filtered.estimate()
    assert found.stands + found.works == pytest.approx(1.0)
    # It stood for 2 s at least. A repair of 20 s in the mean is hardly over by now.
    assert found.stands > 0.9
    assert found.worked < 2.03


def test_departure_that_nothing_explains_begins_anew():
    filtered = station(10.0, stops=False, n_waiting=2)
    filtered.leave(3.0)
    found = filtered.estimate()
    assert found.n_lost == 1
    assert found.n_left == pytest.approx(1.0)
    assert found.works == pytest.approx(1.0)


def test_known_stop_goes_on():
    filtered = station(stands=0, stood=5.0, n=2000)
    filtered.unseen(20.0)
    expected = scipy.linalg.expm(RATES * 20.0)[1, 1]
    assert filtered.estimate().stands == pytest.approx(expected, abs=0.06)


def test_particles_are_picked_by_their_weights():
    filtered = station(n_waiting=3)
    filtered.unseen(5.0)
    assert filtered.pick(0.0) == 0
    assert filtered.pick(0.9999999) == 999
