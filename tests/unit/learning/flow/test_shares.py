"""Intervals of shares, and whether a way depends on the one before."""

import numpy as np
import pytest
from scipy import stats

from gigatwin.learning.flow.shares import dependence, share, way_shares
from gigatwin.learning.intervals import jeffreys_interval, wilson_interval


def test_wilson_interval_is_that_of_the_textbook():
    # p = 0.1, n = 100: (0.0552, 0.1744), E. B. Wilson (1927).
    assert wilson_interval(10, 100) == pytest.approx((0.05523, 0.17437), abs=1e-5)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert wilson_interval(0, 20)[0] == 0.0
    assert wilson_interval(20, 20)[1] == 1.0


def test_jeffreys_interval_of_two_ways_is_that_of_the_beta_posterior():
    assert jeffreys_interval(3, 50) == pytest.approx(stats.beta.ppf([0.025, 0.975], 3.5, 47.5))
    assert jeffreys_interval(0, 50)[0] == 0.0


def test_marginal_of_three_ways_has_half_an_observation_of_each():
    assert jeffreys_interval(3, 50, 3) == pytest.approx(stats.beta.ppf([0.025, 0.975], 3.5, 48.0))


def test_intervals_cover_the_truth_as_often_as_they_say():
    random = np.random.default_rng(1)
    truth = 0.05
    counts = random.binomial(400, truth, 2000)
    covered = [jeffreys_interval(int(n), 400) for n in counts]
    ratio = np.mean([low <= truth <= high for low, high in covered])
    assert 0.93 <= ratio <= 0.97


def test_shares_of_ways_sum_to_one_and_carry_their_source():
    shares = way_shares({"b": 60, "c": 30, "out": 10}, rows="2-101 (100 rows)")
    assert sum(item.value for item in shares.values()) == pytest.approx(1.0)
    assert shares["out"].rows == "2-101 (100 rows)"
    assert shares["out"].n == 100
    high = shares["out"].high
    assert high is not None
    assert shares["out"].low < 0.1 < high


def test_single_way_is_certain():
    (only,) = way_shares({"b": 40}).values()
    assert (only.value, only.high) == (1.0, 1.0)
    assert only.low > 0.9


@pytest.mark.parametrize("total", [0, 3])
def test_share_of_few_moves_is_not_identified(total):
    assert not share(0, total).is_identified


def test_independent_ways_show_no_dependence():
    random = np.random.default_rng(2)
    values = [dependence(random.choice(3, 500, p=[0.7, 0.2, 0.1])).p_value for _ in range(200)]
    assert min(values) > 1e-5
    assert 0.02 <= np.mean(np.array(values) < 0.1) <= 0.2


def test_alternating_ways_show_dependence():
    found = dependence(np.tile([0, 1], 100))
    assert found.p_value < 1e-20
    assert found.repeat_ratio == 0.0


@pytest.mark.parametrize("ways", [[], [1], [1, 1], [1, 2], [4] * 50])
def test_too_few_ways_tell_nothing(ways):
    assert dependence(np.array(ways, dtype=np.int64)).p_value == 1.0
