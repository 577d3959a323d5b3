"""Empirical laws of durations."""

import math

import numpy as np
import pytest

from gigatwin.factory.durations import Empirical
from gigatwin.learning.durations import MAXIMUM_SAMPLES, empirical_law, estimate, thinned


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
