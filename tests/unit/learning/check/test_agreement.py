"""Chance: prediction intervals, distances between samples, many comparisons."""

import numpy as np
import pytest
from scipy import stats

from gigatwin.learning.check.agreement import agreement, distances, holm


def test_prediction_interval_covers_one_more_value_in_95_of_100():
    random = np.random.default_rng(1)
    values = random.lognormal(2.0, 0.1, (4000, 11))
    covered = []
    for row in values:
        low, high = agreement(row[0], row[1:], is_ratio=True).interval()
        covered.append(low <= row[0] <= high)
    # 5 standard errors of a share of 0.95 in 4000 trials.
    assert np.mean(covered) == pytest.approx(0.95, abs=0.0172)


def test_p_value_is_that_of_t_for_one_more_value():
    values = [1.0, 2.0, 3.0, 4.0]
    found = agreement(6.0, values, is_ratio=False)
    t = (6.0 - 2.5) / (np.std(values, ddof=1) * np.sqrt(1.25))
    assert found.p_value == pytest.approx(2 * stats.t.sf(t, 3))
    assert found.simulated == 2.5


def test_only_a_large_distance_speaks_against_agreement():
    values = [0.1, 0.11, 0.12, 0.09, 0.1]
    assert agreement(0.01, values, is_ratio=True, is_distance=True).p_value > 0.99
    assert agreement(0.5, values, is_ratio=True, is_distance=True).p_value < 1e-3


def test_detectable_difference_is_just_larger_than_chance():
    values = [9.0, 10.0, 11.0, 10.5, 9.5]
    found = agreement(10.0, values, is_ratio=True)
    edge = np.exp(found.centre) * (1 + found.detectable(0.01))
    assert agreement(edge, values, is_ratio=True).p_value == pytest.approx(0.01)


def test_count_of_one_is_no_difference_where_nothing_varies():
    assert agreement(101.0, [100.0] * 5, is_ratio=True).p_value < 1e-6
    assert agreement(101.0, [100.0] * 5, is_ratio=True, resolution=0.01).p_value > 0.3


def test_holm_goes_on_until_the_first_that_stands():
    assert holm([0.04, 0.012, 0.03, 0.2]) == [False, True, False, False]
    assert holm([]) == []


def test_distances_are_those_of_scipy():
    random = np.random.default_rng(2)
    samples = [np.sort(random.gamma(3.0, 1.0, n)) for n in (80, 100, 120)]
    measured = np.sort(random.gamma(3.0, 1.3, 90))
    ks, w1 = distances(measured, samples)
    assert ks.measured == pytest.approx(
        stats.ks_2samp(measured, np.concatenate(samples)).statistic, abs=1e-12
    )
    assert w1.measured == pytest.approx(
        stats.wasserstein_distance(measured, np.concatenate(samples))
    )
    others = np.concatenate(samples[1:])
    assert ks.simulated[0] == pytest.approx(stats.ks_2samp(samples[0], others).statistic)
    assert w1.simulated[0] == pytest.approx(stats.wasserstein_distance(samples[0], others))


def test_equal_constants_have_no_distance():
    ks, w1 = distances(np.full(5, 2.0), [np.full(4, 2.0), np.full(7, 2.0)])
    assert (ks.measured, w1.measured) == (0.0, 0.0)
    assert ks.simulated == (0.0, 0.0)
