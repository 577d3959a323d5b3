"""Scores of forecasts against integrals that were worked out another way."""

import numpy as np
import pytest
import scipy

from gigatwin.errors import StudyError
from gigatwin.twin.scores import coverage, crps, interval


def crps_by_integral(values, observed):
    """Integrate the squared difference of the distribution functions, step by step."""
    edges = np.sort(np.append(values, observed))
    middles = (edges[1:] + edges[:-1]) / 2
    below = (np.asarray(values)[:, None] <= middles).mean(axis=0)
    return float(((below - (middles >= observed)) ** 2 * np.diff(edges)).sum())


@pytest.mark.parametrize("observed", [-3.0, 0.1, 2.0, 9.0])
def test_score_is_the_integral_of_the_squared_difference(observed):
    values = np.random.default_rng(1).normal(1.0, 2.0, 37)
    assert crps(values, observed) == pytest.approx(crps_by_integral(values, observed), rel=1e-12)


def test_score_of_one_value_is_the_absolute_error():
    assert crps([5.0], 2.0) == 3.0


def test_score_of_many_normal_values_is_that_of_the_normal_law():
    """Gneiting and Raftery (2007): for a standard normal and y = 1, 0.602441."""
    values = scipy.special.ndtri((np.arange(20_000) + 0.5) / 20_000)
    assert crps(values, 1.0) == pytest.approx(0.602441, abs=1e-4)


def test_no_values_have_no_score():
    with pytest.raises(StudyError, match="needs at least one"):
        crps([], 1.0)


def test_interval_covers_one_more_value_as_often_as_it_says():
    """For values of any law, exactly: ends are order statistics."""
    random = np.random.default_rng(2)
    inside = 0
    for _ in range(2000):
        values = random.exponential(1.0, 60)
        low, high = interval(values[:59], 0.9)
        inside += low <= values[59] <= high
    # 54 of 60 places; 5 standard errors of 2000 trials are 0.034.
    assert inside / 2000 == pytest.approx(0.9, abs=0.034)


def test_coverage_counts_the_ends():
    assert coverage([0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.1]) == pytest.approx(2 / 3)
    assert np.isnan(coverage([], [], []))
