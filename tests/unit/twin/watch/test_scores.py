"""Where a value lies in the law that holds while nothing changes."""

import math

import numpy as np
import pytest
from scipy import stats

from gigatwin.factory.durations import Distribution, Empirical
from gigatwin.twin.watch.scores import Reference


def gamma(rng, n, cv=0.1):
    return rng.gamma(cv**-2, 10 * cv**2, n)


def test_scores_of_a_skewed_law_are_standard_normal():
    law = Reference.of_law(Distribution(distribution="lognormal", mean=10.0, cv=0.8))
    width = math.sqrt(math.log1p(0.8**2))
    values = 10 * np.exp(width * np.random.default_rng(1).standard_normal(5000) - width**2 / 2)
    found = law.score_all(values)
    # Scores end at that of the largest of 500 points, which takes a little off the spread.
    assert stats.kstest(found, "norm").pvalue > 0.01
    assert abs(found.mean()) < 5 / math.sqrt(5000)
    assert 0.97 < found.std() < 1.01


def test_scores_by_recorded_values_are_nearly_standard_normal():
    rng = np.random.default_rng(2)
    law = Reference.of_values(gamma(rng, 500))
    found = law.score_all(gamma(rng, 5000)) * law.spread
    assert abs(found.mean()) < 5 / math.sqrt(500)
    assert found.std() == pytest.approx(1.0, abs=5 / math.sqrt(1000))


def test_one_value_is_scored_as_many_are():
    rng = np.random.default_rng(3)
    law = Reference.of_values(gamma(rng, 300).round(1))
    values = np.concatenate((gamma(rng, 200), law.points[:20], [0.0, 1e9]))
    assert [law.score(value) for value in values] == pytest.approx(law.score_all(values).tolist())


def test_a_wild_value_counts_no_more_than_the_largest_of_the_law():
    law = Reference.of_values(gamma(np.random.default_rng(4), 500))
    assert law.score(1e9) == law.score(max(law.points)) < 3.2
    assert law.score(-1.0) == law.score(min(law.points)) > -3.2


def test_equal_values_share_their_score():
    law = Reference.of_values(np.array([1.0, 2.0, 2.0, 2.0, 3.0] * 20))
    assert law.points == (1.0, 2.0, 3.0)
    assert law.score(2.0) == pytest.approx(0.0, abs=1e-12)


def test_a_constant_is_given_the_jitter_of_a_clock():
    law = Reference.of_values(np.full(500, 6.0))
    assert law.score(6.0) == 0.0
    assert law.score(6.001) < 0.1
    assert law.score(6.3) > 2.5
    assert law.deviation == pytest.approx(0.012)


def test_a_law_without_spread_says_nothing():
    assert Reference.of_law(6.0) is None
    assert Reference.of_law(Empirical(samples=(3.0, 3.0))) is None


def test_a_law_is_scaled_by_the_speed():
    law = Distribution(distribution="gamma", mean=6.0, cv=0.1)
    assert Reference.of_law(law, 0.5).mean == pytest.approx(3.0, rel=1e-3)


def test_sums_of_values_alike_their_neighbours_wander_more():
    rng = np.random.default_rng(5)
    noise = rng.standard_normal(20_000)
    series = np.empty(20_000)
    level = 0.0
    for k, item in enumerate(noise):
        level = 0.5 * level + math.sqrt(0.75) * item
        series[k] = level
    # For a first-order autoregression with r = 0.5 the factor is sqrt(1.5 / 0.5).
    assert Reference.of_values(10 + series).spread == pytest.approx(math.sqrt(3), rel=0.12)
    independent = Reference.of_values(10 + noise).spread
    assert 1.0 < independent < 1.06


def test_mean_and_deviation_leave_out_what_is_something_else():
    values = np.concatenate((gamma(np.random.default_rng(6), 490), np.full(10, 900.0)))
    law = Reference.of_values(values, values[:490])
    assert law.mean == pytest.approx(10.0, rel=0.03)
    assert law.cv == pytest.approx(0.1, rel=0.25)
    assert law.n == 490


def test_a_law_comes_back_from_plain_data():
    law = Reference.of_values(gamma(np.random.default_rng(7), 200))
    assert Reference.from_dict(law.to_dict()) == law
