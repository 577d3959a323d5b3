import math

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import t

from gigatwin.errors import StudyError
from gigatwin.kpi.statistics import (
    Interval,
    batch_means,
    has_relative_precision,
    mean_interval,
    mser5,
    paired_difference,
)
from gigatwin.kpi.tables import half_widths

PHI = 0.7
LONG_RUN_VARIANCE = 1.0 / (1.0 - PHI) ** 2


def _autoregressive(generator, n, warm_up=200):
    """Return n values of x[i] = 0.7 x[i-1] + noise, in its steady state."""
    return lfilter([1.0], [1.0, -PHI], generator.standard_normal(n + warm_up))[warm_up:]


def test_interval_of_five_numbers():
    # Mean 3, standard deviation sqrt(2.5), t(0.975, 4) = 2.7764451051977987 from tables.
    interval = mean_interval([1, 2, 3, 4, 5])
    assert interval.mean == 3.0
    assert interval.half_width == pytest.approx(2.7764451051977987 * math.sqrt(0.5), rel=1e-12)
    assert interval.low == 3.0 - interval.half_width
    assert interval.high == 3.0 + interval.half_width
    assert interval.n == 5


def test_prediction_interval_of_five_numbers():
    # t(0.975, 4) times sqrt(2.5) sqrt(1 + 1/5).
    interval = mean_interval([1, 2, 3, 4, 5], kind="prediction")
    assert interval.half_width == pytest.approx(2.7764451051977987 * math.sqrt(3), rel=1e-12)
    assert interval.kind == "prediction"


def test_prediction_intervals_cover_one_more_value_as_often_as_they_say():
    values = np.random.default_rng(1).standard_normal((4000, 9))
    covered = 0
    for row in values:
        interval = mean_interval(row[:8], kind="prediction")
        covered += interval.low <= row[8] <= interval.high
    # Five standard errors of a share of 0.95 are 0.017.
    assert covered / 4000 == pytest.approx(0.95, abs=0.017)


def test_prediction_interval_of_a_table_is_that_of_its_columns():
    values = np.array([[1.0, 7.0], [2.0, 7.0], [4.0, np.nan]])
    found = half_widths(values, kind="prediction")
    expected = [
        mean_interval(column, kind="prediction").half_width for column in ([1, 2, 4], [7, 7])
    ]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.99])
def test_interval_agrees_with_scipy(confidence):
    values = np.random.default_rng(1).gamma(2.0, size=12)
    interval = mean_interval(values, confidence)
    low, high = t.interval(
        confidence, 11, loc=values.mean(), scale=values.std(ddof=1) / math.sqrt(12)
    )
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-12)


def test_single_value_has_no_known_half_width():
    interval = mean_interval([4.0])
    assert interval.mean == 4.0
    assert math.isnan(interval.half_width)


def test_no_values_are_refused():
    with pytest.raises(StudyError, match="need a series of at least 1"):
        mean_interval([])


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_confidence_outside_0_to_1_is_refused(confidence):
    with pytest.raises(StudyError, match="must lie between 0 and 1"):
        mean_interval([1.0, 2.0], confidence)


def test_paired_difference_is_that_of_the_differences():
    interval = paired_difference([10.0, 20.0, 30.0], [11.0, 22.0, 33.0])
    assert interval == mean_interval([1.0, 2.0, 3.0])


def test_paired_difference_of_a_constant_shift_is_certain():
    interval = paired_difference([1.0, 5.0, 2.0], [2.0, 6.0, 3.0])
    assert (interval.mean, interval.half_width) == (1.0, 0.0)


def test_paired_difference_needs_the_same_replications():
    with pytest.raises(StudyError, match="3 baseline and 2 variant"):
        paired_difference([1.0, 2.0, 3.0], [1.0, 2.0])


def test_precision_is_reached_at_the_half_width_of_law():
    # gamma = 0.1 allows 0.1 / 1.1 = 0.0909... of the mean.
    limit = 100.0 * 0.1 / 1.1
    assert has_relative_precision(Interval(100.0, limit * 0.999, 10, 0.95), 0.1)
    assert not has_relative_precision(Interval(100.0, limit * 1.001, 10, 0.95), 0.1)
    assert has_relative_precision(Interval(-100.0, limit * 0.999, 10, 0.95), 0.1)


def test_precision_needs_ten_replications():
    assert not has_relative_precision(Interval(100.0, 0.0, 9, 0.95), 0.1)
    assert has_relative_precision(Interval(100.0, 0.0, 9, 0.95), 0.1, least=9)


def test_relative_half_width_is_that_of_the_magnitude():
    assert Interval(-50.0, 5.0, 10, 0.95).relative_half_width == 0.1
    assert Interval(0.0, 5.0, 10, 0.95).relative_half_width == math.inf


def test_mser5_cuts_a_ramp_exactly():
    series = np.concatenate([np.linspace(10.0, 0.0, 50), np.tile([1.0, -1.0], 100)])
    warm_up = mser5(series)
    assert warm_up.cut == 50
    assert warm_up.is_accepted


def test_mser5_cuts_a_step_exactly():
    series = np.concatenate([np.full(20, 8.0), np.tile([1.0, -1.0, 0.0, 2.0, -2.0], 40)])
    assert mser5(series).cut == 20


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9 / 3])
def test_mser5_cuts_nothing_from_a_constant(value):
    assert mser5(np.full(203, value)).cut == 0


def test_mser5_refuses_a_cut_in_the_second_half():
    series = np.concatenate([np.linspace(100.0, 0.0, 150), np.tile([1.0, -1.0], 25)])
    warm_up = mser5(series)
    assert warm_up.cut == 150
    assert not warm_up.is_accepted


def test_mser5_is_the_least_squared_standard_error():
    generator = np.random.default_rng(7)
    series = generator.standard_normal(300) + 5.0 * np.exp(-np.arange(300) / 30.0)
    means = series.reshape(60, 5).mean(axis=1)
    errors = [means[cut:].var() / (60 - cut) for cut in range(56)]
    assert mser5(series).cut == 5 * int(np.argmin(errors))


def test_mser5_removes_the_bias_of_an_initial_transient():
    # The transient 10 exp(-i / 50) shifts the mean of 2000 values by about 0.25.
    generator = np.random.default_rng(11)
    transient = 10.0 * np.exp(-np.arange(2000) / 50.0)
    cuts, raw, kept = [], [], []
    for _ in range(200):
        series = _autoregressive(generator, 2000) + transient
        cut = mser5(series).cut
        cuts.append(cut)
        raw.append(series.mean())
        kept.append(series[cut:].mean())
    assert 80 <= np.median(cuts) <= 130
    assert np.mean(raw) > 0.2
    assert abs(np.mean(kept)) < 0.05


def test_mser5_needs_fifty_values():
    with pytest.raises(StudyError, match="at least 50"):
        mser5(np.zeros(49))


def test_batch_means_of_equal_batches_are_those_of_their_means():
    series = np.repeat(np.arange(10.0), 3)
    result = batch_means(np.concatenate([[1000.0], series]), n_batches=10)
    assert result.interval == mean_interval(np.arange(10.0))


def test_batch_means_see_a_trend_as_correlation():
    result = batch_means(np.arange(1000.0))
    # Lag-1 correlation of 1..n is 1 - 3/n + small: the formula for n = 20 gives 0.85.
    assert result.lag_1_correlation == pytest.approx(0.85, abs=1e-12)
    assert not result.is_uncorrelated


def test_batch_means_check_accepts_independent_values_as_often_as_stated():
    generator = np.random.default_rng(3)
    accepted = [batch_means(generator.standard_normal(200)).is_uncorrelated for _ in range(2000)]
    assert 0.93 < np.mean(accepted) < 0.98


def test_batch_means_need_ten_batches():
    with pytest.raises(StudyError, match="n_batches: 5; must be 10 or more"):
        batch_means(np.zeros(100), n_batches=5)


def test_batch_means_intervals_cover_the_mean_of_a_correlated_series():
    generator = np.random.default_rng(5)
    covered = 0
    for _ in range(1000):
        interval = batch_means(_autoregressive(generator, 4000)).interval
        covered += interval.low <= 0.0 <= interval.high
    assert 0.90 <= covered / 1000 <= 0.98


def test_batch_means_estimate_the_long_run_variance():
    generator = np.random.default_rng(9)
    factor = 400.0 * 20.0 / float(t.ppf(0.975, 19)) ** 2
    estimates = np.array(
        [
            batch_means(_autoregressive(generator, 8000)).interval.half_width ** 2 * factor
            for _ in range(3500)
        ]
    )
    standard_error = estimates.std(ddof=1) / math.sqrt(estimates.size)
    # A batch of b values has the variance 1 - 2 phi / (b (1 - phi^2)) of the long run, nearly.
    exact = LONG_RUN_VARIANCE * (1.0 - 2.0 * PHI / (400.0 * (1.0 - PHI**2)))
    assert abs(estimates.mean() - exact) < 5.0 * standard_error
    assert 5.0 * standard_error < 0.03 * exact
