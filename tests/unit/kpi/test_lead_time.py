import math

import numpy as np
import pytest

from gigatwin.kpi.lead_time import N_BINS, bin_edges, count_lead_times, histogram_mean, quantile

BIN_RATIO = 2.0 ** (1.0 / 32.0)


def test_edges_double_every_32_bins():
    edges = bin_edges()
    assert edges.shape == (N_BINS + 1,)
    assert edges[0] == 2.0**-10
    assert edges[320] == 1.0
    assert edges[352] == 2.0
    assert edges[-1] == 2.0**40


def test_bin_of_a_time_is_32_for_each_octave_above_the_lowest():
    counts = count_lead_times([1.0, 2.0, 2.1, 1024.0])
    assert np.flatnonzero(counts).tolist() == [320, 352, 354, 640]


def test_bins_agree_with_the_formula_of_the_kernel():
    times = np.random.default_rng(3).lognormal(3.0, 4.0, 2000)
    index = np.clip(np.floor(32.0 * np.log2(times)) + 320.0, 0, N_BINS - 1).astype(np.int64)
    assert count_lead_times(times).tolist() == np.bincount(index, minlength=N_BINS).tolist()


def test_times_outside_the_bins_are_in_the_first_and_the_last():
    counts = count_lead_times([0.0, 1e-9, 2.0**41])
    assert counts[0] == 2
    assert counts[-1] == 1


@pytest.mark.parametrize("probability", [0.0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.999, 1.0])
@pytest.mark.parametrize("n", [1, 2, 7, 100, 100_000])
def test_quantile_is_within_a_bin_of_that_of_the_samples(probability, n):
    samples = np.random.default_rng(n).gamma(2.0, 300.0, n)
    exact = float(np.quantile(samples, probability, method="inverted_cdf"))
    found = quantile(count_lead_times(samples), probability)
    assert exact / BIN_RATIO <= found <= exact * BIN_RATIO


def test_quantile_is_interpolated_within_a_bin():
    counts = np.zeros(N_BINS, dtype=np.int64)
    counts[320] = 4
    # Four times at 1/8, 3/8, 5/8 and 7/8 of the bin from 1 s to 2^(1/32) s.
    assert quantile(counts, 0.25) == pytest.approx(2.0 ** (1 / 8 / 32), rel=1e-12)
    assert quantile(counts, 1.0) == pytest.approx(2.0 ** (7 / 8 / 32), rel=1e-12)


def test_quantile_grows_with_the_probability():
    counts = count_lead_times(np.random.default_rng(4).exponential(50.0, 500))
    values = [quantile(counts, p) for p in np.linspace(0.0, 1.0, 301)]
    assert np.all(np.diff(values) >= 0.0)


def test_histogram_of_nothing_has_no_quantile_and_no_mean():
    counts = np.zeros(N_BINS, dtype=np.int64)
    assert math.isnan(quantile(counts, 0.5))
    assert math.isnan(histogram_mean(counts))


def test_probability_in_per_cent_is_refused():
    with pytest.raises(ValueError, match=r"probability: 95; must be 0 to 1"):
        quantile(np.ones(N_BINS, dtype=np.int64), 95.0)


def test_mean_is_close_to_that_of_the_samples():
    samples = np.random.default_rng(6).lognormal(5.0, 1.0, 1000)
    assert histogram_mean(count_lead_times(samples)) == pytest.approx(samples.mean(), rel=0.011)


def test_histograms_add():
    generator = np.random.default_rng(8)
    first, second = generator.exponential(5.0, 30), generator.exponential(9.0, 40)
    together = count_lead_times(np.concatenate([first, second]))
    assert (count_lead_times(first) + count_lead_times(second)).tolist() == together.tolist()
