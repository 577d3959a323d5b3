"""Ranks of the truth are uniform for a right posterior, and not for a wrong one."""

import numpy as np
import pytest
from scipy import stats

from gigatwin.errors import StudyError
from gigatwin.factory.reading import read_text
from gigatwin.learning.calibration.abc_smc import Settings, abc_smc
from gigatwin.learning.calibration.factors import Factor, Scaling, with_factors
from gigatwin.learning.calibration.rank_calibration import rank_histogram, sbc_ranks
from gigatwin.learning.check.log_replications import LogWindow, simulated_measures

N_DRAWS = 19


def ranks_of_a_normal_mean(width, n_trials=400):
    """Return ranks with a posterior that is as wide as the right one times a factor."""
    deviation = 0.5**0.5

    def posterior(data, seed):
        random = np.random.default_rng(seed)
        return random.normal(data / 2, width * deviation, (N_DRAWS, 1))

    return sbc_ranks(
        lambda random: random.normal(size=1),
        lambda truth, seed: truth + np.random.default_rng(seed).normal(size=1),
        posterior,
        n_trials,
    )


def test_right_posterior_gives_uniform_ranks():
    found = rank_histogram(ranks_of_a_normal_mean(1.0), N_DRAWS)
    assert found.counts.shape == (20, 1)
    assert found.counts.sum() == 400
    assert found.p_values[0] > 0.01


@pytest.mark.parametrize("width", [0.5, 2.0])
def test_wrong_width_is_noticed(width):
    assert rank_histogram(ranks_of_a_normal_mean(width), N_DRAWS).p_values[0] < 1e-6


def test_ties_take_a_place_at_random():
    ranks = sbc_ranks(
        lambda _: np.zeros(1), lambda truth, _: truth, lambda *_: np.zeros((N_DRAWS, 1)), 400
    )
    assert rank_histogram(ranks, N_DRAWS).p_values[0] > 0.01


def test_p_value_is_that_of_chi_square():
    ranks = np.repeat([0, 1, 2, 3], [10, 20, 30, 20])
    found = rank_histogram(ranks, 3, 4)
    assert found.counts[:, 0].tolist() == [10, 20, 30, 20]
    assert found.p_values[0] == pytest.approx(stats.chisquare([10, 20, 30, 20]).pvalue)


def test_bins_of_unequal_width_are_refused():
    with pytest.raises(StudyError, match="a divisor of 20"):
        rank_histogram(np.zeros((100, 1)), N_DRAWS, 3)
    with pytest.raises(StudyError, match="enough for 2 bins"):
        rank_histogram(np.zeros((5, 1)), N_DRAWS)


PAIR = """
name: pair
stations:
  first:
    time: {distribution: gamma, mean: 10 s, cv: 0.3}
    stops:
      jam: {kind: breakdown, every: 300 s, duration: {distribution: exponential, mean: 60 s}}
  second:
    time: {distribution: gamma, mean: 10 s, cv: 0.3}
    buffer: {capacity: 5}
"""


@pytest.mark.compiled
def test_posterior_of_a_line_is_calibrated():
    line = read_text(PAIR, "pair")
    factors = (
        Factor("time", "time", ("first", "second"), 0.1),
        Factor("breakdown interval", "breakdown interval", ("first",), 0.4),
    )
    window = LogWindow(
        ("first", "second"), 200.0, 3000.0, keeps_unfinished=False, keeps_unbegun=False
    )

    def summaries(x, seed):
        pairs = [(factor, Scaling(float(np.exp(v)))) for factor, v in zip(factors, x, strict=True)]
        found = simulated_measures(with_factors(line, pairs), window, seed)
        station = found.stations["first"]
        return np.log([found.throughput.mean, *station.quantiles(0.5, 0.97), station.mean])

    spreads = np.array([factor.spread for factor in factors])
    errors = np.std([summaries(np.zeros(2), seed) for seed in range(20)], axis=0)
    prior = {factor.name: stats.norm(0.0, factor.spread) for factor in factors}

    def posterior(data, seed):
        settings = Settings(particles=60, rounds=3, seed=seed)
        return abc_smc(prior, summaries, data, errors, settings).draws(9, seed)

    ranks = sbc_ranks(lambda random: random.normal(0.0, spreads), summaries, posterior, 60)
    # Twelve ranks to a bin show a width wrong by half; one in a thousand right posteriors fails.
    assert (rank_histogram(ranks, 9, 5).p_values > 1e-3).all()
