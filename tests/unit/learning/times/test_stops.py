"""What stops are visible in the times of visits."""

import math

import numpy as np
import pytest

from gigatwin.factory.durations import Distribution
from gigatwin.factory.estimates import Estimate
from gigatwin.learning.times.cycle_density import StopLaw
from gigatwin.learning.times.stops import StopFit, first_guess, implausible, product_limit


def visits_with_stops(n=20_000, *, mean_between=400.0, is_blocked=0.0, seed=1):
    """Return visits of 10 s with a scatter of 3 %, repairs of 30 s, and bounds."""
    generator = np.random.default_rng(seed)
    times = generator.gamma(0.03**-2, 10.0 * 0.03**2, n)
    has_stop = generator.random(n) < -np.expm1(-times / mean_between)
    times[has_stop] += generator.exponential(30.0, has_stop.sum())
    bounds = np.where(generator.random(n) < is_blocked, generator.uniform(0.0, 40.0, n), 0.0)
    return np.maximum(times, bounds), bounds >= times


def test_without_bounds_every_visit_has_the_same_weight():
    found = product_limit(np.array([3.0, 1.0, 1.0, 2.0]), np.zeros(0))
    assert found.times.tolist() == [1.0, 2.0, 3.0]
    assert found.masses.tolist() == pytest.approx([0.5, 0.25, 0.25])
    assert found.mean == pytest.approx(1.75)


def test_bound_is_shared_among_the_shorter_visits():
    # Of 4, the one at most 2.5 is 1 or 2 in the same proportion as those seen there.
    found = product_limit(np.array([1.0, 2.0, 3.0]), np.array([2.5]))
    assert found.masses.tolist() == pytest.approx([0.375, 0.375, 0.25])
    assert found.below == 0.0


def test_what_is_shorter_than_every_exact_time_is_put_on_the_lowest_bound():
    found = product_limit(np.array([2.0, 3.0]), np.array([1.0, 1.5]))
    assert found.times.tolist() == [1.0, 2.0, 3.0]
    assert found.masses.tolist() == pytest.approx([0.5, 0.25, 0.25])
    assert found.below == pytest.approx(0.5)
    assert found.at(np.array([0.5, 1.0, 2.5, 9.0])).tolist() == pytest.approx([0, 0.5, 0.75, 1])


def test_product_limit_undoes_blocking():
    times, flags = visits_with_stops(is_blocked=0.7)
    found = product_limit(times[~flags], times[flags])
    free, _ = visits_with_stops()
    grid = np.linspace(9.0, 100.0, 50)
    expected = np.searchsorted(np.sort(free), grid, side="right") / len(free)
    assert np.abs(found.at(grid) - expected).max() < 0.02


@pytest.mark.parametrize("is_blocked", [0.0, 0.7])
def test_first_guess_finds_work_and_stops(is_blocked):
    times, flags = visits_with_stops(is_blocked=is_blocked)
    guess = first_guess(product_limit(times[~flags], times[flags]), times[~flags], 1e-3)
    assert guess.centre == pytest.approx(10.0, rel=0.01)
    assert guess.spread == pytest.approx(0.3, rel=0.15)
    (stop,) = guess.stops
    assert stop.mean_between == pytest.approx(400.0, rel=0.25)
    assert stop.mean == pytest.approx(30.0, rel=0.25)


def test_two_visible_stops_are_no_guess():
    times = np.concatenate((np.linspace(9.0, 11.0, 50), [40.0, 50.0]))
    guess = first_guess(product_limit(times, np.zeros(0)), times, 1e-3)
    assert guess.n_visible == 2
    assert guess.stops == ()


def test_short_and_long_stops_are_parted():
    work = np.linspace(9.0, 11.0, 2000)
    longer = np.concatenate((np.linspace(18.0, 20.0, 30), np.linspace(100.0, 120.0, 20)))
    times = np.concatenate((work, longer))
    short, long = first_guess(product_limit(times, np.zeros(0)), times, 1e-3).two_kinds
    assert short.mean == pytest.approx(9.0, abs=1.0)
    assert long.mean == pytest.approx(100.0, abs=1.0)
    assert short.mean_between < long.mean_between


@pytest.mark.parametrize(
    ("spread", "stop", "words"),
    [
        (1.0, StopLaw("lognormal", 20.0, 30.0, 0.8), "rather a kind of work"),
        (0.3, StopLaw("lognormal", 100.0, 10.0, 0.1), "all alike"),
        (2.0, StopLaw("exponential", 400.0, 3.0), "hardly differ"),
        (6.0, StopLaw("exponential", 400.0, 30.0), "varies so much"),
    ],
)
def test_second_mode_of_the_work_is_not_taken_for_a_stop(spread, stop, words):
    assert words in str(implausible(10.0, spread, [stop]))


def test_rare_long_and_varied_stops_are_plausible():
    assert implausible(10.0, 1.0, [StopLaw("lognormal", 400.0, 30.0, 0.8)]) is None


def test_stop_goes_into_a_factory_with_its_estimates():
    between = Estimate(value=400.0, low=300.0, high=math.pi * 200, unit="s", n=9, method="test")
    repair = Distribution(
        distribution="exponential",
        mean=30.0,
        estimates={"mean": between.model_copy(update={"value": 320.0})},
    )
    stop = StopFit("breakdown", between, repair, 9, 9.5).to_stop()
    assert stop.kind == "breakdown"
    assert stop.clock == "running"
    assert stop.every == Distribution(
        distribution="exponential", mean=400.0, estimates={"mean": between}
    )
    assert stop.duration == repair
