"""Maximum-likelihood fits."""

import numpy as np
import pytest
from scipy import stats

from gigatwin.factory.durations import Distribution, Empirical, Triangular, Uniform, mean_of
from gigatwin.learning.times.law_fits import FAMILIES, fit_family, law_quantiles, weibull_shape
from gigatwin.learning.times.mixture_fits import fit_mixture

GIVEN = {
    "exponential": stats.expon(scale=12.0),
    "gamma": stats.gamma(4.0, scale=3.0),
    "lognormal": stats.lognorm(0.5, scale=10.0),
    "weibull": stats.weibull_min(2.0, scale=14.0),
}


def sample(family, n=4000, seed=5):
    return np.asarray(GIVEN[family].rvs(n, random_state=seed))


@pytest.mark.parametrize("family", FAMILIES)
def test_fitted_family_has_the_mean_and_cv_of_the_law(family):
    fit = fit_family(family, sample(family))
    law = GIVEN[family]
    cv = law.std() / law.mean()
    # 5 standard errors of the mean of 4000; the cv is known about as well.
    assert fit.mean == pytest.approx(law.mean(), rel=5 * cv / np.sqrt(4000))
    assert fit.cv == pytest.approx(cv, rel=0.08)


def test_gamma_and_weibull_agree_with_another_solver():
    values = sample("gamma", 500)
    gamma, weibull = fit_family("gamma", values), fit_family("weibull", values)
    shape, _, scale = stats.gamma.fit(values, floc=0)
    assert (gamma.shape, gamma.scale) == pytest.approx((shape, scale), rel=1e-5)
    shape, _, scale = stats.weibull_min.fit(values, floc=0)
    assert (weibull.shape, weibull.scale) == pytest.approx((shape, scale), rel=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_log_likelihood_is_the_sum_of_the_log_densities(family):
    values = sample(family, 50)
    fit = fit_family(family, values)
    scipy_law = {
        "exponential": stats.expon(scale=fit.scale),
        "gamma": stats.gamma(fit.shape, scale=fit.scale),
        "lognormal": stats.lognorm(fit.shape, scale=fit.scale),
        "weibull": stats.weibull_min(fit.shape, scale=fit.scale),
    }[family]
    assert fit.log_likelihood == pytest.approx(scipy_law.logpdf(values).sum(), rel=1e-9)
    assert fit.aic == pytest.approx(2 * fit.n_parameters - 2 * fit.log_likelihood)


def test_exponential_with_lower_bounds_is_failures_over_total_time():
    values = np.array([3.0, 5.0, 10.0, 10.0])
    is_bound = np.array([False, False, True, True])
    assert fit_family("exponential", values, is_bound=is_bound, bound="lower").mean == 14.0


def test_weibull_with_lower_bounds_agrees_with_another_solver():
    random = np.random.default_rng(8)
    times, limits = 100.0 * random.weibull(1.7, 60), random.uniform(20.0, 250.0, 60)
    values, cut = np.minimum(times, limits), times > limits
    fit = fit_family("weibull", values, is_bound=cut, bound="lower")
    data = stats.CensoredData(values[~cut], right=values[cut])
    shape, _, scale = stats.weibull_min.fit(data, floc=0)
    assert (fit.shape, fit.scale) == pytest.approx((shape, scale), rel=1e-3)
    # Both equations of the maximum hold: scale^k = sum t^k / failures, and that for the shape.
    powers, logs, n = values**fit.shape, np.log(values), int((~cut).sum())
    assert fit.scale**fit.shape == pytest.approx(powers.sum() / n)
    slope = powers @ logs / powers.sum() - 1 / fit.shape - logs[~cut].mean()
    assert slope == pytest.approx(0.0, abs=1e-7)


@pytest.mark.parametrize("family", FAMILIES)
def test_upper_bounds_do_not_bias_the_mean(family):
    random = np.random.default_rng(9)
    work, wait = sample(family, 3000), random.exponential(8.0, 3000)
    fit = fit_family(family, np.maximum(work, wait), is_bound=wait > work)
    law = GIVEN[family]
    exact = (wait <= work).sum()
    reach = 5 * law.std() / law.mean() / np.sqrt(exact)
    assert fit.mean == pytest.approx(law.mean(), rel=reach)
    assert work[wait <= work].mean() > 1.05 * law.mean()


@pytest.mark.parametrize("family", FAMILIES)
def test_law_and_fit_are_the_same_law(family):
    fit = fit_family(family, sample(family, 300))
    law = fit.law()
    assert mean_of(law) == pytest.approx(fit.mean, rel=1e-5)
    middles = (np.arange(400) + 0.5) / 400
    assert law_quantiles(law) == pytest.approx(fit.quantiles(middles), rel=1e-4)


def test_weights_count_as_repetitions():
    values = np.array([2.0, 3.0, 7.0])
    weights = np.array([3.0, 1.0, 2.0])
    for family in FAMILIES:
        once = fit_family(family, values, weights)
        again = fit_family(family, np.repeat(values, [3, 1, 2]))
        assert (once.mean, once.cv) == pytest.approx((again.mean, again.cv), rel=1e-6)
        assert once.log_likelihood == pytest.approx(again.log_likelihood)


def test_what_cannot_be_fitted_gives_none():
    assert fit_family("gamma", np.array([0.0, 1.0])) is None
    assert fit_family("gamma", np.full(5, 3.0)) is None
    assert fit_family("lognormal", np.full(5, 3.0)) is None
    assert fit_family("weibull", np.full(5, 3.0)) is None
    assert fit_family("exponential", np.array([2.0]), is_bound=np.array([True])) is None
    assert fit_family("lognormal", np.array([1e-30, 1e30])) is None


def test_shape_of_a_weibull_law_gives_back_its_cv():
    for cv in (0.05, 0.5, 1.0, 3.0):
        shape = weibull_shape(cv)
        law = stats.weibull_min(shape)
        assert law.std() / law.mean() == pytest.approx(cv, rel=1e-6)


def test_quantiles_of_every_law_have_its_mean():
    laws = (
        5.0,
        Uniform(distribution="uniform", low=2.0, high=6.0),
        Triangular(distribution="triangular", low=2.0, mode=3.0, high=7.0),
        Empirical(quantiles=(1.0, 2.0, 6.0)),
        Empirical(samples=(4.0, 1.0)),
        Distribution(distribution="gamma", mean=4.0, cv=0.3),
    )
    for law in laws:
        assert law_quantiles(law, 2000).mean() == pytest.approx(mean_of(law), rel=1e-3)


def two_modes(n=2000, seed=3):
    random = np.random.default_rng(seed)
    return np.concatenate(
        (random.lognormal(2.0, 0.05, 3 * n // 4), random.lognormal(3.5, 0.1, n // 4))
    )


def test_mixture_finds_both_modes():
    fit = fit_mixture(two_modes(), 2)
    assert fit.shares == pytest.approx((0.75, 0.25), abs=0.01)
    assert fit.medians == pytest.approx((np.exp(2.0), np.exp(3.5)), rel=0.02)
    assert fit.deviations == pytest.approx((0.05, 0.1), rel=0.15)


def test_mixture_becomes_quantiles_with_the_same_mean():
    fit = fit_mixture(two_modes(), 2)
    law = fit.law()
    assert mean_of(law) == pytest.approx(fit.mean, rel=1e-4)
    assert two_modes().mean() == pytest.approx(fit.mean, rel=0.01)
    assert len(law.quantiles) == 401


def test_mixture_likelihood_is_that_of_the_durations():
    values = two_modes(240)
    fit = fit_mixture(values, 2)
    density = sum(
        share * stats.lognorm(width, scale=median).pdf(values)
        for share, median, width in zip(fit.shares, fit.medians, fit.deviations, strict=True)
    )
    assert fit.log_likelihood == pytest.approx(np.log(density).sum(), rel=1e-4)
    assert fit.bic(240) == pytest.approx(5 * np.log(240) - 2 * fit.log_likelihood)


def test_too_few_different_values_give_no_mixture():
    assert fit_mixture(np.repeat([1.0, 2.0, 3.0], 50), 2) is None
    assert fit_mixture(np.array([0.0, *range(20)]), 2) is None
