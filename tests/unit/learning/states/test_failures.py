"""Shares of failures."""

import math

import numpy as np
import polars as pl
import pytest
from scipy import stats

from gigatwin.learning.intervals import jeffreys_interval, wilson_interval
from gigatwin.learning.states.failures import failure_ratios


def test_failures_are_counted_among_known_outcomes():
    steps = pl.DataFrame(
        {"machine": ["m"] * 5 + ["n"], "success": [True, False, None, True, False, None]}
    )
    ratios = failure_ratios(steps, by="machine")
    assert (ratios["m"].n_failed, ratios["m"].n_known, ratios["m"].ratio) == (2, 4, 0.5)
    assert (ratios["n"].n_known, ratios["n"].low, ratios["n"].high) == (0, 0.0, 1.0)


def test_interval_ends_are_where_the_score_test_rejects():
    # The ends p solve |hits/n - p| = z sqrt(p (1 - p) / n).
    z = 1.959963984540054
    for hits, n in ((1, 7), (15, 133), (39, 40)):
        for end in wilson_interval(hits, n):
            assert abs(hits / n - end) == pytest.approx(z * math.sqrt(end * (1 - end) / n))


def test_interval_without_hits_begins_at_zero_and_is_open_above():
    low, high = wilson_interval(0, 100)
    assert low == 0.0
    assert 0.03 < high < 0.04
    assert wilson_interval(100, 100) == pytest.approx((1 - high, 1.0))


def test_interval_covers_the_true_share_about_as_often_as_it_says():
    trials = 4000
    hits = np.random.default_rng(5).binomial(200, 0.12, trials)
    inside = [low <= 0.12 <= high for low, high in (wilson_interval(int(k), 200) for k in hits)]
    assert abs(np.mean(inside) - 0.95) < 5 * math.sqrt(0.95 * 0.05 / trials)


def test_jeffreys_ends_leave_equal_tails_of_the_posterior():
    for hits, n in ((1, 7), (15, 133), (39, 40)):
        low, high = jeffreys_interval(hits, n)
        posterior = stats.beta(hits + 0.5, n - hits + 0.5)
        assert posterior.cdf(low) == pytest.approx(0.025)
        assert posterior.sf(high) == pytest.approx(0.025)


def test_jeffreys_interval_reaches_the_ends():
    assert jeffreys_interval(0, 0) == (0.0, 1.0)
    assert jeffreys_interval(0, 50)[0] == 0.0
    assert jeffreys_interval(50, 50)[1] == 1.0


def test_failure_estimate_says_whether_it_is_known():
    steps = pl.DataFrame(
        {"machine": ["m"] * 20 + ["n"], "success": [True] * 18 + [False] * 2 + [None]}
    )
    ratios = failure_ratios(steps, by="machine")
    known = ratios["m"].estimate("2-21")
    assert (known.value, known.n, known.rows, known.is_identified) == (0.1, 20, "2-21", True)
    unknown = ratios["n"].estimate()
    assert (unknown.low, unknown.high, unknown.is_identified) == (0.0, 1.0, False)
