"""Probability of the time of a visit with stops in it."""

import numpy as np
import pytest
from scipy import stats

from gigatwin.learning.times.cycle_density import (
    StopLaw,
    distribution_function,
    draws,
    make_grid,
    weibull_shape,
)

TIMES = np.array([0.5, 4.0, 9.0, 11.0, 25.0])


def visits(stops, *, law="gamma", mean=10.0, cv=0.1, reach=300.0):
    grid = make_grid(centre=mean, spread=mean * cv, reach=reach, expected_stops=0.1)
    return grid, grid.visit_masses(grid.processing_masses(law, mean, cv), stops)


def test_families_equal_those_of_scipy():
    gamma = stats.gamma(4.0, scale=2.5)
    assert distribution_function("gamma", TIMES, 10.0, 0.5) == pytest.approx(gamma.cdf(TIMES))
    sigma = np.sqrt(np.log(1.25))
    lognormal = stats.lognorm(sigma, scale=10.0 * np.exp(-(sigma**2) / 2))
    found = distribution_function("lognormal", TIMES, 10.0, 0.5)
    assert found == pytest.approx(lognormal.cdf(TIMES))
    weibull = stats.weibull_min(2.0, scale=10.0)
    found = distribution_function("weibull", TIMES, weibull.mean(), weibull.std() / weibull.mean())
    assert found == pytest.approx(weibull.cdf(TIMES), rel=1e-6)


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0, 10.0, 100.0])
def test_weibull_shape_belongs_to_its_variation(shape):
    law = stats.weibull_min(shape)
    assert weibull_shape(law.std() / law.mean()) == pytest.approx(shape, rel=1e-6)


@pytest.mark.parametrize("law", ["exponential", "gamma", "lognormal", "weibull"])
def test_draws_follow_the_distribution_function(law):
    cv = 1.0 if law == "exponential" else 0.4
    sample = draws(law, np.random.default_rng(5), 20_000, 3.0, cv)
    found = stats.kstest(sample, lambda times: distribution_function(law, times, 3.0, cv))
    assert found.statistic < 2.0 / np.sqrt(20_000)


def test_exponential_work_with_exponential_repairs_is_a_mixture_of_two_exponentials():
    # With rates a of the work, b of the stops and r of the repairs the Laplace transform is
    # a (r + s) / (s^2 + (a + b + r) s + a r), which partial fractions turn back.
    a, b, r = 1 / 10, 1 / 100, 1 / 30
    fast, slow = -np.roots([1.0, a + b + r, a * r])
    weights = [
        a * (r - fast) / (slow - fast) / fast,
        a * (r - slow) / (fast - slow) / slow,
    ]
    grid = make_grid(centre=10.0, spread=10.0, reach=600.0, expected_stops=0.1)
    work = grid.processing_masses("gamma", 10.0, 1.0)
    masses = grid.visit_masses(work, [StopLaw("exponential", 1 / b, 1 / r)])
    edges = grid.edges[1:]
    expected = 1 - weights[0] * np.exp(-fast * edges) - weights[1] * np.exp(-slow * edges)
    assert np.abs(np.cumsum(masses) - expected).max() < 5e-4


def test_constant_work_has_a_poisson_number_of_repairs():
    grid, masses = visits([StopLaw("gamma", 100.0, 20.0, 0.25)], cv=0.001)
    # Repairs shorter than 2 s do not occur, so what is left at the work has no stop.
    assert masses[grid.edges[1:] < 12.0].sum() == pytest.approx(np.exp(-0.1), rel=1e-3)
    shape = 0.25**-2
    upto_60 = sum(
        stats.poisson.pmf(k, 0.1) * stats.gamma.cdf(50.0, k * shape, scale=20.0 / shape)
        for k in range(1, 8)
    )
    found = np.interp(60.0, grid.edges[1:], np.cumsum(masses))
    assert found == pytest.approx(np.exp(-0.1) + upto_60, abs=2e-4)


def test_masses_agree_with_random_visits():
    stop = StopLaw("lognormal", 200.0, 25.0, 0.8)
    grid, masses = visits([stop])
    generator = np.random.default_rng(3)
    n = 400_000
    work = draws("gamma", generator, n, 10.0, 0.1)
    numbers = generator.poisson(work / 200.0)
    repairs = draws("lognormal", generator, int(numbers.sum()), 25.0, 0.8)
    total = work + np.bincount(np.repeat(np.arange(n), numbers), repairs, minlength=n)
    observed = np.cumsum(grid.count(total)[:-1]) / n
    assert np.abs(np.cumsum(masses) - observed).max() < 2.0 / np.sqrt(n)


def test_mean_of_a_visit_is_the_work_and_the_repairs_it_brings():
    grid, masses = visits([StopLaw("exponential", 50.0, 20.0)], reach=600.0)
    middles = (grid.edges[1:] + grid.edges[:-1]) / 2
    assert masses.sum() == pytest.approx(1.0, abs=1e-5)
    assert middles @ masses == pytest.approx(10.0 * (1 + 20.0 / 50.0), rel=1e-3)


def test_two_equal_kinds_of_stops_are_one_that_comes_twice_as_often():
    both = [StopLaw("lognormal", 400.0, 30.0, 0.7)] * 2
    one = [StopLaw("lognormal", 200.0, 30.0, 0.7)]
    assert visits(both)[1] == pytest.approx(visits(one)[1], abs=1e-12)


def test_no_stops_leave_the_processing_time():
    grid, masses = visits([])
    expected = distribution_function("gamma", grid.edges[1:], 10.0, 0.1)
    assert np.cumsum(masses) == pytest.approx(expected, abs=1e-9)


def test_every_time_is_counted_in_the_cell_that_holds_it():
    grid, _ = visits([], reach=80.0)
    times = np.random.default_rng(1).uniform(0.0, 80.0, 1000)
    cells = grid.cell_of(times)
    above = times >= grid.low
    assert (grid.edges[cells] <= times + 1e-9)[above].all()
    assert (times < grid.edges[cells + 1] + 1e-9).all()
    assert (cells[~above] == 0).all()
    assert grid.count(np.array([1e6])).tolist()[-1] == 1.0


def test_rounded_times_lie_in_the_middle_of_their_cells():
    grid = make_grid(centre=10.0, spread=0.5, reach=100.0, expected_stops=0.05, resolution=0.1)
    shifts = (grid.fine_centres / 0.1 + 1e-9) % 1.0
    assert grid.step == pytest.approx(0.1)
    assert shifts == pytest.approx(np.zeros(grid.n_fine), abs=1e-6)
