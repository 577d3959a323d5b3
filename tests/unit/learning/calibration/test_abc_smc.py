"""Posteriors by simulation where the exact one is known."""

import numpy as np
import pytest
from scipy import stats

from gigatwin.errors import StudyError
from gigatwin.learning.calibration.abc_smc import Settings, abc_smc

SPREAD, ERROR = 0.5, 0.1
OBSERVED = np.array([0.3])


def normal(x, seed):
    """Return the mean of a sample whose standard error is 0.1."""
    return x + ERROR * np.random.default_rng(seed).normal(size=1)


def normal_posterior(**settings):
    prior = {"factor": stats.norm(0.0, SPREAD)}
    scale = np.array([ERROR])
    return abc_smc(prior, normal, OBSERVED, scale, Settings(threads=1, **settings))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_normal_mean_has_the_conjugate_posterior(seed):
    found = normal_posterior(particles=1000, rounds=6, seed=seed)
    precision = 1 / SPREAD**2 + 1 / ERROR**2
    mean, deviation = OBSERVED[0] / ERROR**2 / precision, precision**-0.5
    # 5 standard errors of the weighted sample.
    error = 5 * deviation / np.sqrt(found.effective_size)
    assert found.mean[0] == pytest.approx(mean, abs=error)
    assert found.deviation[0] == pytest.approx(deviation, rel=5 / np.sqrt(2 * found.effective_size))
    low, high = found.quantile(0.025)[0], found.quantile(0.975)[0]
    assert high - low == pytest.approx(3.92 * deviation, rel=0.25)


def test_rate_of_an_exponential_law_has_the_gamma_posterior():
    # Gamma prior with shape 3 and rate 2; 30 observations that sum to 10.
    n, total = 30, 10.0

    def simulate(x, seed):
        times = np.random.default_rng(seed).exponential(np.exp(-x[0]), n)
        return np.log([times.mean()])

    found = abc_smc(
        {"rate": stats.loggamma(3.0, loc=-np.log(2.0))},
        simulate,
        np.log([total / n]),
        np.array([n**-0.5]),
        Settings(particles=1000, rounds=6, threads=1),
    )
    rates = np.exp(found.sample[:, 0])
    mean = float(found.weights @ rates)
    deviation = float(np.sqrt(found.weights @ (rates - mean) ** 2))
    shape, rate = 3 + n, 2 + total
    error = 5 * shape**0.5 / rate / np.sqrt(found.effective_size)
    assert mean == pytest.approx(shape / rate, abs=error)
    assert deviation == pytest.approx(shape**0.5 / rate, rel=5 / np.sqrt(2 * found.effective_size))


def test_two_parameters_are_told_apart():
    def simulate(x, seed):
        noise = np.random.default_rng(seed).normal(size=2)
        return np.array([x[0] + x[1], x[0] - x[1]]) + 0.05 * noise

    prior = {"a": stats.norm(0.0, 1.0), "b": stats.norm(0.0, 1.0)}
    settings = Settings(particles=400, rounds=7, threads=1)
    found = abc_smc(prior, simulate, np.array([0.5, 0.1]), np.full(2, 0.05), settings)
    assert found.names == ("a", "b")
    # The sum and the difference have a standard error of 0.05, so each has 0.035.
    assert found.mean == pytest.approx([0.3, 0.2], abs=0.035)
    assert found.deviation == pytest.approx([0.035, 0.035], rel=0.4)


def test_same_seed_gives_the_same_on_any_number_of_threads():
    one = normal_posterior(particles=40, rounds=3, seed=7)
    prior = {"factor": stats.norm(0.0, SPREAD)}
    settings = Settings(particles=40, rounds=3, seed=7, threads=4)
    four = abc_smc(prior, normal, OBSERVED, np.array([ERROR]), settings)
    assert np.array_equal(one.sample, four.sample)
    assert np.array_equal(one.weights, four.weights)
    other = normal_posterior(particles=40, rounds=3, seed=8)
    assert not np.array_equal(one.sample, other.sample)


def test_tolerance_falls_and_simulations_are_counted():
    done = []
    prior = {"factor": stats.norm(0.0, SPREAD)}
    settings = Settings(particles=100, rounds=4, threads=1)
    found = abc_smc(prior, normal, OBSERVED, np.array([ERROR]), settings, lambda: done.append(1))
    assert list(found.tolerances) == sorted(found.tolerances, reverse=True)
    assert len(found.tolerances) == 4
    assert len(done) == found.n_simulations == 100 + 3 * 50
    assert found.weights.sum() == pytest.approx(1.0)
    assert found.draws(7, 1).shape == (7, 1)


def test_common_random_numbers_give_every_simulation_the_same_seed():
    seeds = set()

    def simulate(x, seed):
        seeds.add(seed)
        return x

    settings = Settings(particles=30, rounds=2, seed=5, threads=1, common_random_numbers=True)
    abc_smc({"a": stats.norm(0.0, 1.0)}, simulate, OBSERVED, np.ones(1), settings)
    assert seeds == {5}


def test_nothing_outside_the_prior_is_simulated():
    values = []

    def simulate(x, _):
        values.append(x[0])
        return x

    settings = Settings(particles=100, rounds=4, threads=1)
    abc_smc({"a": stats.uniform(0.0, 1.0)}, simulate, np.zeros(1), np.ones(1), settings)
    assert 0.0 <= min(values) <= max(values) <= 1.0


def test_simulations_without_summaries_are_left_out():
    def simulate(x, seed):
        return x if seed % 2 else np.array([np.nan])

    settings = Settings(particles=100, rounds=2, threads=1)
    found = abc_smc({"a": stats.norm(0.0, 1.0)}, simulate, np.zeros(1), np.ones(1), settings)
    assert np.isfinite(found.sample).all()
    with pytest.raises(StudyError, match="gave all summaries"):
        abc_smc(
            {"a": stats.norm(0.0, 1.0)},
            lambda x, _: x * np.nan,
            np.zeros(1),
            np.ones(1),
            settings,
        )


@pytest.mark.parametrize("settings", [{"particles": 5}, {"rounds": 0}, {"kept": 1.0}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(StudyError, match=next(iter(settings))):
        Settings(**settings)
