"""CUSUM charts: run lengths, limits and calls."""

import math

import numpy as np
import pytest
from scipy import special

from gigatwin.learning.drift.cusum import (
    Call,
    average_run_length,
    false_alarm_rate,
    first_call,
    normal_scores,
    threshold,
)


def brook_evans(limit: float, allowance: float, shift: float, n: int) -> float:
    """Return the one-sided run length from the Markov chain with n cells."""
    width = limit / (n - 0.5)
    cells = np.arange(n) * width
    moves = cells[None, :] - cells[:, None] + allowance - shift
    chain = special.ndtr(moves + width / 2) - special.ndtr(moves - width / 2)
    chain[:, 0] = special.ndtr(moves[:, 0] + width / 2)
    return float(np.linalg.solve(np.eye(n) - chain, np.ones(n))[0])


@pytest.mark.parametrize(
    ("limit", "shift", "two_sided", "expected"),
    [
        # D. M. Hawkins, D. H. Olwell, "Cumulative Sum Charts and Charting" (1998), and
        # D. C. Montgomery, "Introduction to Statistical Quality Control", for k = 0.5.
        (4.0, 0.0, False, 336.0),
        (5.0, 0.0, False, 930.0),
        (4.0, 0.0, True, 168.0),
        (5.0, 0.0, True, 465.0),
        (4.0, 1.0, True, 8.38),
        (5.0, 1.0, True, 10.4),
        (5.0, 2.0, True, 4.01),
    ],
)
def test_run_lengths_are_those_of_the_tables(limit, shift, two_sided, expected):
    found = average_run_length(limit, 0.5, shift, two_sided=two_sided)
    assert found == pytest.approx(expected, rel=2.5e-3)


@pytest.mark.parametrize(
    ("limit", "allowance", "shift"), [(4.0, 0.5, 0.0), (8.0, 0.5, 0.0), (10.0, 0.25, 0.5)]
)
def test_run_lengths_agree_with_the_markov_chain(limit, allowance, shift):
    # The error of the chain falls with the square of the cells: extrapolate.
    coarse, fine = (brook_evans(limit, allowance, shift, n) for n in (200, 400))
    expected = fine + (fine - coarse) / 3
    found = average_run_length(limit, allowance, shift, two_sided=False)
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("arl0", [100.0, 1e4, 1e6, 1e8])
@pytest.mark.parametrize("allowance", [0.25, 0.5, 1.0])
def test_threshold_inverts_the_run_length(arl0, allowance):
    limit = threshold(arl0, allowance)
    assert average_run_length(limit, allowance) == pytest.approx(arl0, rel=1e-3)


def test_limit_of_eight_gives_one_false_alarm_in_nine_and_a_half_thousand():
    assert average_run_length(8.0) == pytest.approx(9483, rel=1e-3)


def test_limit_is_higher_when_mean_and_spread_are_estimated():
    limits = [threshold(1e5, 0.5, n_reference=n) for n in (100, 1000, 100_000)]
    known = threshold(1e5, 0.5)
    assert limits[0] > limits[1] > limits[2] > known
    assert limits[2] == pytest.approx(known, rel=1e-3)


def test_too_few_reference_values_for_a_rate_are_refused():
    with pytest.raises(ValueError, match="20 reference values cannot give"):
        threshold(1e6, 0.25, n_reference=20)


@pytest.mark.parametrize("arl0", [2.0, 0.0, math.inf, math.nan])
def test_impossible_rates_are_refused(arl0):
    with pytest.raises(ValueError, match="must be a number of values above 2"):
        threshold(arl0)


@pytest.mark.parametrize("law", ["normal", "lognormal", "heavy tails"])
def test_false_alarms_are_as_rare_as_wanted_whatever_the_law(law):
    n_reference, arl0, n, n_histories = 200, 500.0, 3000, 150
    rng = np.random.default_rng(7)
    limit = threshold(arl0, 0.5, n_reference=n_reference)
    calls, watched = 0, 0
    for _ in range(n_histories):
        values = {
            "normal": lambda: rng.normal(size=n),
            "lognormal": lambda: rng.lognormal(size=n),
            "heavy tails": lambda: rng.standard_t(1.5, size=n),
        }[law]()
        scores = normal_scores(values[n_reference:], values[:n_reference])
        begin = 0
        while (call := first_call(scores[begin:], limit, 0.5)) is not None:
            calls += 1
            begin += call.index + 1
        watched += len(scores)
    # The limit is for the rate averaged over reference samples. Bounded scores make it rarer.
    assert 0.6 < calls / (watched / arl0) < 1.1


def test_false_alarm_rate_is_the_mean_over_estimation_errors():
    rng = np.random.default_rng(2)
    limit, allowance, n = 6.0, 0.5, 200
    rates = []
    for _ in range(300):
        sample = rng.normal(size=n)
        mean, spread = sample.mean(), sample.std(ddof=1)
        # A normal value, standardised with the estimates, has mean -mean/spread and 1/spread.
        up = average_run_length(limit * spread, allowance * spread, -mean, two_sided=False)
        down = average_run_length(limit * spread, allowance * spread, mean, two_sided=False)
        rates.append(1 / up + 1 / down)
    error = 5 * np.std(rates) / math.sqrt(len(rates))
    assert false_alarm_rate(limit, allowance, n) == pytest.approx(np.mean(rates), abs=error)


def test_chart_calls_at_the_value_that_crosses_and_knows_where_the_sum_began():
    scores = np.array([0.0, 0.0, -1.0, 2.0, 2.0, 2.0, 2.0])
    # Sum from value 3: 1.5, 3.0, 4.5 > 4.
    assert first_call(scores, 4.0, 0.5) == Call(index=5, begin=3, direction=1)
    assert first_call(-scores, 4.0, 0.5) == Call(index=5, begin=3, direction=-1)
    assert first_call(scores, 6.0, 0.5) is None
    assert first_call(np.array([]), 4.0, 0.5) is None


def test_chart_sums_are_those_of_the_definition():
    rng = np.random.default_rng(5)
    for _ in range(50):
        scores = rng.normal(0.2, 1.0, 200)
        sums = {1: 0.0, -1: 0.0}
        expected = None
        for index, score in enumerate(scores):
            for direction, value in list(sums.items()):
                sums[direction] = max(0.0, value + direction * score - 0.4)
                if sums[direction] > 3.0 and expected is None:
                    expected = index, direction
        call = first_call(scores, 3.0, 0.4)
        assert (None if call is None else (call.index, call.direction)) == expected


def test_normal_scores_do_not_depend_on_the_scale_or_the_tails():
    rng = np.random.default_rng(1)
    values = rng.normal(size=500)
    scores = normal_scores(values, values)
    np.testing.assert_allclose(normal_scores(np.exp(values), np.exp(values)), scores)
    assert abs(scores.mean()) < 1e-12
    assert scores.std() == pytest.approx(1.0, abs=0.02)


def test_equal_values_have_score_zero_and_any_other_value_a_large_one():
    reference = np.full(100, 20.0)
    scores = normal_scores(np.array([20.0, 20.5, 19.9]), reference)
    assert scores[0] == 0.0
    assert scores[1] == pytest.approx(-scores[2])
    assert scores[1] > 2.3
