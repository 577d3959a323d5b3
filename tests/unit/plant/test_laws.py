"""Random times have the mean, spread and memory that their truth says, in families of their own."""

import math

import numpy as np
import pytest

from gigatwin.plant.laws import cycle_law, dice, plain_law, weibull_law
from gigatwin.plant.truth import CycleTruth

N = 20_000


def drawn(law, n=N):
    return np.array([law() for _ in range(n)])


@pytest.mark.parametrize(
    ("family", "cv"),
    [
        ("exponential", 1.0),
        ("shifted_lognormal", 0.3),
        ("log_logistic", 0.25),
        ("rectangular", 0.4),
    ],
)
def test_factors_have_a_mean_of_1_and_the_wanted_spread(family, cv):
    values = drawn(plain_law(family, cv, dice(1, family)))
    error = cv / math.sqrt(N)
    assert abs(values.mean() - 1) < 5 * error
    assert 5 * error < 0.04
    assert values.std() == pytest.approx(cv, rel=0.06)
    assert values.min() > 0


@pytest.mark.parametrize(("family", "cv"), [("constant", 0.5), ("shifted_lognormal", 0.0)])
def test_factor_without_spread_is_1(family, cv):
    assert set(drawn(plain_law(family, cv, dice(1)), 100)) == {1.0}


def test_log_logistic_has_the_quartiles_of_its_closed_form():
    # Quantile a (u / (1 - u)) ** (1 / shape): quartiles lie by the same factor from the median.
    values = np.log(drawn(plain_law("log_logistic", 0.5, dice(2))))
    lower, median, upper = np.quantile(values, [0.25, 0.5, 0.75])
    assert upper - median == pytest.approx(median - lower, rel=0.08)
    b = math.pi * (upper - lower) / (2 * math.log(3))
    assert math.tan(b) / b - 1 == pytest.approx(0.25, rel=0.1)
    assert median == pytest.approx(math.log(math.sin(b) / b), abs=0.02)


def test_slow_cycles_leave_mean_and_spread_and_make_a_tail():
    truth = CycleTruth(
        family="shifted_lognormal", cv=0.05, floor=0.5, slow_share=0.01, slow_factor=1.25
    )
    values = drawn(cycle_law(truth, dice(3)))
    assert values.mean() == pytest.approx(1.0, abs=5 * 0.05 / math.sqrt(N))
    assert values.std() == pytest.approx(0.05, rel=0.1)
    assert (values > 1.17).mean() == pytest.approx(0.0095, abs=0.003)


def test_floor_is_never_fallen_short_of():
    truth = CycleTruth(family="shifted_lognormal", cv=0.4, floor=0.6)
    assert drawn(cycle_law(truth, dice(4))).min() > 0.6


@pytest.mark.parametrize("family", ["shifted_lognormal", "log_logistic"])
def test_times_remember_the_one_before(family):
    truth = CycleTruth(family=family, cv=0.1, correlation=0.6)
    values = np.log(drawn(cycle_law(truth, dice(5))))
    lag_1 = np.corrcoef(values[:-1], values[1:])[0, 1]
    lag_3 = np.corrcoef(values[:-3], values[3:])[0, 1]
    assert lag_1 == pytest.approx(0.6, abs=0.05)
    assert lag_3 == pytest.approx(0.6**3, abs=0.06)


def test_intervals_between_stops_come_in_clusters_when_the_shape_is_below_1():
    shape = 0.7
    values = drawn(weibull_law(shape, dice(6)))
    variance = math.gamma(1 + 2 / shape) / math.gamma(1 + 1 / shape) ** 2 - 1
    assert abs(values.mean() - 1) < 5 * math.sqrt(variance / N)
    assert values.std() == pytest.approx(math.sqrt(variance), rel=0.08)
    assert variance > 1.5


def test_streams_with_other_names_are_others():
    assert dice(1, "a").random() == dice(1, "a").random()
    assert dice(1, "a").random() != dice(1, "b").random()
    assert dice(1, "a").random() != dice(2, "a").random()
