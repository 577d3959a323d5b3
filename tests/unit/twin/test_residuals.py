"""Residual times of described durations, and whether a machine stands, by exact Markov chains."""

import numpy as np
import pytest
import scipy

from gigatwin.factory.durations import Distribution, Empirical
from gigatwin.twin.residuals import (
    probability_down,
    probability_longer,
    residual,
    residual_draws,
)


def exponential(mean):
    return Distribution(distribution="exponential", mean=mean)


def test_exponential_time_does_not_age():
    law = exponential(10.0)
    assert residual(law, 0.0, 0.3) == residual(law, 400.0, 0.3)
    draws = residual_draws(law, 30.0, 4000, seed=2)
    assert draws.mean() == pytest.approx(10.0, abs=5 * 10.0 / np.sqrt(4000))


def test_fixed_time_leaves_the_rest():
    assert residual(12, 5.0, 0.9) == 7.0
    assert residual(12.0, 20.0, 0.9) == 0.0


def test_measured_time_leaves_one_of_the_longer_ones():
    law = Empirical(samples=(4.0, 6.0, 9.0))
    assert [residual(law, 5.0, u) for u in (0.2, 0.7)] == [1.0, 4.0]
    assert probability_longer(law, 5.0) == pytest.approx(2 / 3)


def chain(work, interval, repair, elapsed):
    """Solve the chain: at work, standing, done."""
    mu, failure, mending = 1 / work, 1 / interval, 1 / repair
    rates = np.array([[-mu - failure, failure, mu], [mending, -mending, 0], [0, 0, 0]])
    at_work, stands, _ = scipy.linalg.expm(rates * elapsed)[0]
    return stands / (at_work + stands)


@pytest.mark.parametrize("elapsed", [5.0, 20.0, 40.0, 80.0])
def test_probability_of_standing_is_that_of_the_chain(elapsed):
    work, interval, repair = 10.0, 2000.0, 60.0
    found = probability_down(exponential(work), exponential(interval), exponential(repair), elapsed)
    assert found == pytest.approx(chain(work, interval, repair, elapsed), rel=0.03)


def test_machine_past_its_longest_time_stands_or_stood():
    repair = Distribution(distribution="lognormal", mean=60.0, cv=0.5)
    law = Distribution(distribution="gamma", mean=10.0, cv=0.05)
    assert probability_down(law, exponential(3000.0), repair, 10.0) < 0.01
    assert probability_down(law, exponential(3000.0), repair, 25.0) > 0.8
    assert probability_down(law, exponential(3000.0), repair, 0.0) == 0.0


def test_stop_that_is_due_is_likelier_than_one_just_had():
    interval = Distribution(distribution="weibull", mean=500.0, cv=0.2)
    soon, late = (
        probability_down(exponential(10.0), interval, 60.0, 30.0, since_stop=since)
        for since in (20.0, 490.0)
    )
    assert late > 10 * soon
