"""Empirical laws of durations."""

import math

import numpy as np
import pytest

from gigatwin.factory.durations import Empirical
from gigatwin.learning.times.durations import (
    MAXIMUM_SAMPLES,
    cv_estimate,
    empirical_law,
    estimate,
    mean_estimate,
    thinned,
)


def test_short_sample_is_kept_whole():
    assert thinned(np.array([3.0, 1.0, 2.0])).tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("n", [401, 1000, 12_345])
def test_long_sample_keeps_its_mean_and_order(n):
    sample = np.random.default_rng(3).lognormal(3.0, 0.8, n)
    kept = thinned(sample)
    assert len(kept) == MAXIMUM_SAMPLES
    assert kept.mean() == pytest.approx(sample.mean(), rel=1e-12)
    assert (np.diff(kept) >= 0).all()


def test_long_sample_keeps_both_modes():
    sample = np.concatenate((np.full(3000, 10.0), np.full(1000, 50.0)))
    assert thinned(sample).tolist() == [10.0] * 300 + [50.0] * 100


def test_equal_observations_are_a_constant():
    assert empirical_law(np.full(700, 12.5)) == 12.5


def test_different_observations_are_a_sample_without_outlier_rule():
    law = empirical_law(np.array([5.0, 7.0, 500.0]))
    assert isinstance(law, Empirical)
    assert law.samples == (5.0, 7.0, 500.0)


def test_interval_of_the_mean_is_students():
    # t(0.975, 3) = 3.18245, s = 2.58199, n = 4: reach 4.10852.
    known = estimate(np.array([2.0, 4.0, 6.0, 8.0]))
    assert known.mean == 5.0
    assert known.high - known.mean == pytest.approx(4.10852, abs=1e-5)
    assert known.mean - known.low == pytest.approx(4.10852, abs=1e-5)
    assert not known.is_identified


def test_interval_covers_the_true_mean_as_often_as_it_says():
    random = np.random.default_rng(11)
    trials = 2000
    hits = 0
    for _ in range(trials):
        known = estimate(random.normal(30.0, 6.0, 25))
        hits += known.low <= 30.0 <= known.high
    error = math.sqrt(0.95 * 0.05 / trials)
    assert abs(hits / trials - 0.95) < 5 * error


def test_one_observation_identifies_nothing():
    known = estimate(np.array([4.0]))
    assert known.mean == 4.0
    assert math.isinf(known.low)
    assert not known.is_identified


def test_many_close_observations_identify_the_mean():
    assert estimate(np.array([9.0, 10.0, 11.0] * 10)).is_identified


def test_weights_thin_like_repetitions():
    values, weights = np.array([1.0, 2.0, 9.0]), np.array([1.0, 2.0, 1.0])
    kept = thinned(values, 4, weights)
    assert kept.tolist() == [1.0, 2.0, 2.0, 9.0]


def test_weighted_sample_keeps_its_mean():
    random = np.random.default_rng(7)
    values, weights = random.gamma(2.0, 5.0, 3000), random.uniform(0.0, 1.0, 3000)
    kept = thinned(values, weights=weights)
    assert len(kept) == MAXIMUM_SAMPLES
    assert kept.mean() == pytest.approx(np.average(values, weights=weights), rel=1e-12)


def autoregressive(random, n, memory):
    values = np.empty(n)
    values[0] = random.normal()
    for k in range(1, n):
        values[k] = memory * values[k - 1] + math.sqrt(1 - memory**2) * random.normal()
    return 50.0 + 5.0 * values


@pytest.mark.parametrize(("n", "memory"), [(80, 0.5), (600, 0.7)])
def test_interval_of_dependent_values_is_wide_enough(n, memory):
    random = np.random.default_rng(12)
    trials, hits, naive = 300, 0, 0
    for _ in range(trials):
        values = autoregressive(random, n, memory)
        known = mean_estimate(values)
        hits += known.low <= 50.0 <= known.high
        plain = estimate(values)
        naive += plain.low <= 50.0 <= plain.high
    assert hits / trials > 0.89
    assert naive / trials < 0.80


def test_interval_of_independent_values_is_students():
    values = np.random.default_rng(13).normal(30.0, 6.0, 200)
    known, plain = mean_estimate(values), estimate(values)
    assert (known.low, known.high) == pytest.approx((plain.low, plain.high))


def test_interval_of_the_cv_covers_it_about_as_often_as_it_says():
    random = np.random.default_rng(14)
    trials = 500
    hits = sum(
        known.low <= 0.5 <= known.high
        for known in (cv_estimate(random.gamma(4.0, 3.0, 300)) for _ in range(trials))
    )
    assert 0.90 < hits / trials < 0.98


def test_estimates_of_one_or_equal_values_are_defined():
    assert mean_estimate(np.array([3.0])).high is None
    assert cv_estimate(np.array([3.0])).high is None
    equal = mean_estimate(np.full(20, 3.0))
    assert (equal.low, equal.high, equal.is_identified) == (3.0, 3.0, True)
    assert cv_estimate(np.full(20, 3.0)).value == 0.0
