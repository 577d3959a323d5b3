"""The watch errs as often as stated, and finds what it says it finds."""

import math

import numpy as np
import pytest
from scipy import stats

from gigatwin.twin.changes import Baseline, Guard, Prediction, predict_station
from gigatwin.twin.changes.boundary import critical_value, power
from gigatwin.twin.changes.errors import ChangeError
from gigatwin.twin.changes.judging import Judge, StationJudge, tails
from tests.unit.twin.changes.conftest import watched

INFINITE = float("inf")


def summed(looks, variance=1.0):
    """Return the covariance of sums of independent steps."""
    return [[variance * (min(j, k) + 1) for k in range(looks)] for j in range(looks)]


@pytest.mark.parametrize(("looks", "constant"), [(2, 2.178), (5, 2.413), (10, 2.555), (20, 2.672)])
def test_critical_values_are_pococks(looks, constant):
    # Pocock (1977), two-sided error 5 %, by numerical integration; 200 000 paths are good to 0.01.
    found = critical_value(summed(looks), INFINITE, 0.05, is_two_sided=True)
    assert found == pytest.approx(constant, abs=0.015)


def test_one_look_with_an_estimated_spread_is_students():
    found = critical_value([[9.0]], 7.0, 0.01)
    assert found == pytest.approx(stats.t.ppf(0.99, 7), rel=0.02)


def test_looks_that_say_the_same_cost_nothing():
    same = [[4.0] * 6 for _ in range(6)]
    assert critical_value(same, INFINITE, 0.01) == pytest.approx(stats.norm.ppf(0.99), abs=0.03)


def test_power_without_a_loss_is_the_error_and_with_one_look_that_of_the_normal_law():
    critical = critical_value([[4.0]], INFINITE, 0.05)
    assert power([[4.0]], INFINITE, critical, [0.0]) == pytest.approx(0.05, abs=0.001)
    exact = stats.norm.sf(critical - 5.0 / 2.0)
    assert power([[4.0]], INFINITE, critical, [5.0]) == pytest.approx(exact, abs=0.005)


def outside(judge, good):
    """Return the share of watches whose good items are outside at any look."""
    mean, spread = np.array(judge.watched.good), np.sqrt(np.diag(judge.watched.covariance))
    limit = mean - judge.critical * spread - 0.5
    # The same limit as for a single count.
    k = len(mean) - 1
    assert judge.judge(k + 1, math.floor(limit[k]), 0)[0].is_outside
    assert not judge.judge(k + 1, math.ceil(limit[k]) + 1, 0)[0].is_outside
    return float((good < limit).any(axis=1).mean())


def test_false_rollbacks_for_normal_counts_are_as_stated():
    guard = Guard(looks=12, watch=7200)
    judge = StationJudge(watched("press", guard, rate=5000.0, spread=60.0), guard, 0.05)
    rng, n = np.random.default_rng(7), 40_000
    mean = np.array(judge.watched.good)
    good = mean + rng.normal(0, 60 / math.sqrt(12), (n, 12)).cumsum(axis=1)
    # Five standard errors are 0.0055: an error rate of 4 or 6 % would be found.
    assert outside(judge, good) == pytest.approx(0.05, abs=0.0055)
    loss = 0.015
    less = good - loss * mean
    assert outside(judge, less) == pytest.approx(judge.found_with(loss), abs=0.015)
    assert judge.found_with(loss) > 0.5


def poisson(rng, n, guard, mean, ratio):
    every = rng.poisson(mean / guard.looks, (n, guard.looks))
    scrap = rng.binomial(every, ratio)
    return (every - scrap).cumsum(axis=1).astype(float), scrap.cumsum(axis=1).astype(float)


@pytest.mark.parametrize("mean", [60, 2000])
def test_false_rollbacks_for_counts_predicted_from_runs_are_at_most_as_stated(mean):
    guard = Guard(model_error=0.0, least_scrap=0.0)
    rng, n, shares = np.random.default_rng(8), 4000, []
    for _ in range(6):
        seen = predict_station("press", guard, *poisson(rng, 100, guard, mean, 0.02))
        judge = StationJudge(seen, guard, 0.05)
        shares.append(outside(judge, poisson(rng, n, guard, mean, 0.02)[0]))
    # Each prediction has errors of its own: their spread is in the standard error.
    allowed = 5 * np.std(shares, ddof=1) / math.sqrt(6)
    assert np.mean(shares) < 0.05 + allowed
    assert allowed < 0.04


def test_a_tenth_less_is_found_in_nine_of_ten_watches():
    guard = Guard(model_error=0.0)
    rng = np.random.default_rng(9)
    seen = predict_station("press", guard, *poisson(rng, 400, guard, 2000, 0.02))
    judge = StationJudge(seen, guard, 0.005)
    assert judge.detectable_loss == 0.1
    assert outside(judge, poisson(rng, 4000, guard, 1800, 0.02)[0]) > 0.87


def limits_of_scrap(judge):
    """Return for each look the least number spoiled that is outside."""
    found = []
    for look, n in enumerate(judge.watched.processed, start=1):
        spoiled = round(n * judge.share)
        while not judge.judge(look, round(n) - spoiled, spoiled)[1].is_outside:
            spoiled += 1
        found.append(spoiled)
    return np.array(found)


@pytest.mark.parametrize("error", [0.05, 0.005])
def test_false_rollbacks_for_scrap_are_at_most_as_stated(error):
    guard = Guard(looks=10, least_scrap=0.0)
    judge = StationJudge(watched("press", guard, rate=2450.0, scrap=0.02), guard, error)
    limits = limits_of_scrap(judge)
    rng, n = np.random.default_rng(10), 100_000
    steps = np.diff(np.round(judge.watched.processed).astype(int), prepend=0)
    spoiled = rng.binomial(steps, 0.02, (n, 10)).cumsum(axis=1)
    share = float((spoiled >= limits).any(axis=1).mean())
    assert share < error + 5 * math.sqrt(error / n)
    assert share > error / 4, "or the watch would be blind"
    doubled = rng.binomial(steps, 0.04, (n, 10)).cumsum(axis=1)
    assert float((doubled >= limits).any(axis=1).mean()) > 0.9


def test_scrap_below_what_was_said_is_never_a_reason():
    guard = Guard(least_scrap=0.01)
    judge = StationJudge(watched("press", guard, scrap=0.0), guard, 0.005)
    assert not judge.judge(12, 1190, 12)[1].is_outside
    assert judge.judge(12, 1140, 60)[1].is_outside


@pytest.mark.parametrize("n", [1, 7, 500])
def test_tails_are_those_of_the_beta_binomial_law(n):
    share, error = 0.1, 0.02
    weight = share * (1 - share) / error**2 - 1
    law = stats.betabinom(n, share * weight, (1 - share) * weight)
    upper, lower = tails(n, share, error)
    k = np.arange(n + 1)
    np.testing.assert_allclose(lower, law.cdf(k), atol=1e-9)
    np.testing.assert_allclose(upper, law.sf(k - 1), atol=1e-9)
    # Law of total variance: counting, and the ratio's own variance.
    mean, variance = upper[1:].sum(), (upper[1:] * (2 * k[1:] - 1)).sum()
    assert mean == pytest.approx(n * share)
    exact = n * (share * (1 - share) - error**2) + n**2 * error**2
    assert variance - mean**2 == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("n", [1, 7, 500, 5000])
def test_tails_without_uncertainty_are_binomial(n):
    upper, lower = tails(n, 0.02, 0.0)
    k = np.arange(n + 1)
    np.testing.assert_allclose(upper, stats.binom.sf(k - 1, n, 0.02), rtol=1e-8, atol=1e-15)
    np.testing.assert_allclose(lower, stats.binom.cdf(k, n, 0.02), rtol=1e-8, atol=1e-15)


def test_error_is_shared_among_all_that_is_watched():
    guard = Guard(error=0.04)
    both = Prediction("known", (), (watched("press", guard), watched("oven", guard)))
    assert {judge.error for judge in Judge(both, guard).stations.values()} == {0.01}
    with pytest.raises(ChangeError, match="needs a station to watch"):
        Judge(Prediction("known", (), ()), guard)


def test_prediction_is_put_right_by_what_was_seen_before():
    guard, rng = Guard(model_error=0.0), np.random.default_rng(11)
    before = poisson(rng, 400, guard, 2000, 0.02)
    after = poisson(rng, 400, guard, 2200, 0.03)
    baseline = Baseline(good=4 * 1862, scrap=4 * 38, seconds=4 * 7200)
    seen = predict_station(
        "press", guard, *after, before_good=before[0], before_scrap=before[1], baseline=baseline
    )
    simulated = after[0][:, -1].mean() / before[0][:, -1].mean()
    assert seen.good[-1] == pytest.approx(1862 * simulated)
    assert seen.scrap == pytest.approx(38 / 1900 + 0.01, abs=0.001)
    assert seen.good_before == pytest.approx(931)
    # One more watch, and a baseline of four watches: a quarter more variance.
    plain = predict_station("press", guard, *after)
    scale = seen.good[-1] / plain.good[-1]
    ratio = seen.covariance[-1][-1] / (plain.covariance[-1][-1] * scale**2)
    assert ratio == pytest.approx(1.25, abs=0.01)


def test_error_of_the_model_is_common_to_all_looks():
    rng = np.random.default_rng(12)
    runs = poisson(rng, 400, Guard(), 2000, 0.02)
    exact = predict_station("press", Guard(model_error=0.0), *runs)
    rough = predict_station("press", Guard(model_error=0.05), *runs)
    added = np.array(rough.covariance) - np.array(exact.covariance)
    np.testing.assert_allclose(added, 0.05**2 * np.outer(exact.good, exact.good), rtol=1e-9)
    assert rough.rate[0] == pytest.approx(exact.rate[0])


def test_scrap_in_bursts_widens_the_prediction():
    guard, rng = Guard(model_error=0.0), np.random.default_rng(13)
    good, scrap = poisson(rng, 400, guard, 2000, 0.02)
    even = predict_station("press", guard, good, scrap)
    # Every tenth run has all the scrap: the ratio has a standard deviation of 3 times its mean.
    bursts = np.where(np.arange(400)[:, None] % 10 == 0, 10 * scrap, 0)
    uneven = predict_station("press", guard, good + scrap - bursts, bursts)
    assert even.scrap_error < 0.002
    assert uneven.scrap_error == pytest.approx(0.06, rel=0.1)


def test_too_few_runs_and_too_few_items_are_refused():
    guard = Guard()
    with pytest.raises(ChangeError, match="9 runs; must be 10 or more"):
        predict_station("press", guard, np.ones((9, 12)), np.ones((9, 12)))
    with pytest.raises(ChangeError, match="watch for longer"):
        predict_station("press", guard, np.zeros((20, 12)), np.zeros((20, 12)))
