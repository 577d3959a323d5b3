"""Distances between foretold and actual values."""

import numpy as np
import pytest
from scipy import stats

from gigatwin.learning.times.law_scores import bound_weights, crps, distances


def naive_crps(foretold, actual):
    """Return E|X - y| - E|X - X'| / 2, averaged over the actual values."""
    inner = np.abs(foretold[:, None] - foretold).mean() / 2
    return float(np.mean([np.abs(foretold - value).mean() - inner for value in actual]))


def test_crps_equals_its_definition_by_pairs():
    random = np.random.default_rng(1)
    foretold, actual = random.gamma(2.0, 3.0, 40), random.normal(7.0, 2.0, 25)
    assert crps(foretold, actual) == pytest.approx(naive_crps(foretold, actual), rel=1e-12)


def test_crps_survives_ties_and_weights():
    foretold, actual = np.array([1.0, 2.0, 2.0]), np.array([2.0, 2.0, 5.0])
    assert crps(foretold, actual) == pytest.approx(naive_crps(foretold, actual))
    weighted = crps(foretold, np.array([2.0, 5.0]), np.array([2.0, 1.0]))
    assert weighted == pytest.approx(naive_crps(foretold, actual))


def test_distances_are_those_of_scipy():
    random = np.random.default_rng(2)
    first, second = random.integers(0, 20, 60) / 4, random.integers(3, 30, 45) / 4
    largest, area = distances(first, second)
    assert largest == pytest.approx(stats.ks_2samp(first, second).statistic)
    assert area == pytest.approx(stats.wasserstein_distance(first, second))


def test_equal_samples_have_no_distance():
    values = np.array([3.0, 3.0, 4.0])
    assert distances(values, values) == (0.0, 0.0)


def test_bound_hands_its_mass_to_shorter_exact_values():
    # The bound 3 may be 1 or 2, half each; 4 is longer and gets nothing.
    values = np.array([1.0, 3.0, 4.0, 2.0])
    bound = np.array([False, True, False, False])
    assert bound_weights(values, bound, np.ones(4)).tolist() == [1.5, 0.0, 1.0, 1.5]


def test_handed_on_mass_is_handed_on_again():
    # From 5 a half each to 4 (a bound) and 1; then all of 4 to 1.
    values, bound = np.array([5.0, 4.0, 1.0]), np.array([True, True, False])
    assert bound_weights(values, bound, np.ones(3)) == pytest.approx([0.0, 0.0, 3.0])


def test_bound_below_every_exact_value_keeps_its_mass():
    values, bound = np.array([1.0, 2.0, 3.0]), np.array([True, False, False])
    assert bound_weights(values, bound, np.ones(3)).tolist() == [1.0, 1.0, 1.0]


def test_weights_undo_hidden_durations():
    random = np.random.default_rng(3)
    n = 20_000
    work, wait = random.gamma(4.0, 2.5, n), random.exponential(8.0, n)
    values, bound = np.maximum(work, wait), wait > work
    mass = bound_weights(values, bound, np.ones(n))
    assert mass.sum() == pytest.approx(n)
    exact = ~bound
    # The naive mean is off by 10 %; the weighted one by less than 5 standard errors, 2 %.
    assert values[exact].mean() > 10.9
    error = 5.0 / np.sqrt(exact.sum())
    found = float(np.average(values[exact], weights=mass[exact]))
    assert abs(found - 10.0) < 5 * error
    assert 5 * error < 0.03 * 10.0


def test_lower_bound_hands_its_mass_to_longer_exact_values():
    values = np.array([4.0, 2.0, 1.0, 3.0])
    bound = np.array([False, True, False, False])
    assert bound_weights(values, bound, np.ones(4), "lower").tolist() == [1.5, 0.0, 1.0, 1.5]
