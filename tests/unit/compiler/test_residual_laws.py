"""What is left of a duration: exact laws, and agreement with what the kernel draws."""

import numpy as np
import pytest
import scipy

from gigatwin.compiler.laws import LawTable
from gigatwin.compiler.residual_laws import ResidualLaws
from gigatwin.factory.durations import Distribution, Empirical, Triangular, Uniform

LAWS = {
    "constant": 12.0,
    "exponential": Distribution(distribution="exponential", mean=10.0),
    "gamma": Distribution(distribution="gamma", mean=10.0, cv=0.3),
    "wide gamma": Distribution(distribution="gamma", mean=10.0, cv=2.0),
    "lognormal": Distribution(distribution="lognormal", mean=10.0, cv=0.8),
    "weibull": Distribution(distribution="weibull", mean=10.0, cv=0.5),
    "uniform": Uniform(distribution="uniform", low=4.0, high=16.0),
    "triangular": Triangular(distribution="triangular", low=4.0, mode=6.0, high=16.0),
    "samples": Empirical(samples=(8.0, 9.0, 9.0, 30.0)),
    "quantiles": Empirical(quantiles=(4.0, 9.0, 9.0, 11.0, 16.0)),
}
UNIFORMS = (np.arange(2000) + 0.5) / 2000


def laws_of(duration):
    table = LawTable()
    table.add(duration)
    return ResidualLaws(*table.arrays())


@pytest.fixture(params=LAWS.values(), ids=LAWS.keys())
def laws(request):
    return laws_of(request.param)


def test_survival_is_the_inverse_of_the_quantile(laws):
    for u in (0.02, 0.3, 0.5, 0.83, 0.99):
        value = laws.quantile(0, u)
        # At a jump the value stands for a whole range of probabilities.
        assert laws.survival(0, value + 1e-6) <= 1.0 - u + 1e-5
        assert laws.survival(0, value - 1e-6) >= 1.0 - u - 1e-5


@pytest.mark.parametrize("elapsed", [0.0, 3.0, 8.5, 9.5])
def test_what_is_left_has_the_conditional_law(laws, elapsed):
    """Of drawn durations, those longer than the time so far go on just as long."""
    longer = [value for u in UNIFORMS if (value := laws.quantile(0, u)) > elapsed]
    left = np.array([laws.left(0, elapsed, u) for u in UNIFORMS])
    assert (left >= 0.0).all()
    for probability in (0.1, 0.5, 0.9):
        expected = np.quantile(np.array(longer) - elapsed, probability)
        found = np.quantile(left, probability)
        assert found == pytest.approx(expected, rel=0.02, abs=0.02)


def test_exponential_time_has_no_memory():
    laws = laws_of(LAWS["exponential"])
    assert [laws.left(0, 500.0, u) for u in (0.1, 0.9)] == pytest.approx(
        [-10.0 * np.log(0.9), -10.0 * np.log(0.1)]
    )


def test_constant_time_leaves_the_rest():
    laws = laws_of(LAWS["constant"])
    assert laws.left(0, 5.0, 0.7) == 7.0
    assert laws.left(0, 13.0, 0.7) == 0.0


def test_lognormal_time_is_exact_far_out():
    """Ten standard deviations out the conditional law still has its digits."""
    laws = laws_of(Distribution(distribution="lognormal", mean=10.0, cv=0.5))
    spread = np.sqrt(np.log(1.25))
    elapsed = float(np.exp(np.log(10.0) - spread**2 / 2 + 10.0 * spread))
    tail = scipy.stats.norm.sf(10.0)
    score = scipy.stats.norm.isf(tail / 2)
    expected = np.exp(np.log(10.0) - spread**2 / 2 + score * spread) - elapsed
    assert laws.left(0, elapsed, 0.5) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("gamma", scipy.stats.gamma(1 / 0.09, scale=10.0 * 0.09)),
        ("wide gamma", scipy.stats.gamma(0.25, scale=40.0)),
        ("lognormal", scipy.stats.lognorm(np.sqrt(np.log1p(0.64)), scale=10 / np.sqrt(1.64))),
        ("uniform", scipy.stats.uniform(4.0, 12.0)),
        ("triangular", scipy.stats.triang(2 / 12, 4.0, 12.0)),
    ],
)
def test_survival_and_mean_are_those_of_scipy(name, law):
    laws = laws_of(LAWS[name])
    assert laws.mean(0) == pytest.approx(law.mean(), rel=1e-9)
    for value in (1.0, 5.0, 9.0, 14.0):
        assert laws.survival(0, value) == pytest.approx(law.sf(value), abs=1e-6)
        density = law.cdf(value + 0.01) - law.cdf(value - 0.01)
        assert laws.density(0, value, 0.01) == pytest.approx(density / 0.02, abs=1e-4)


def test_next_event_of_a_timetable_is_anywhere_in_the_interval():
    laws = laws_of(LAWS["constant"])
    assert [laws.until_next(0, 0.0, u) for u in (0.25, 0.5)] == pytest.approx([3.0, 6.0], rel=1e-3)
    # Nothing came for 8 s, so it comes within the 4 s that are left.
    assert laws.until_next(0, 8.0, 0.5) == pytest.approx(2.0, rel=1e-3)
    assert laws.until_next(0, 20.0, 0.5) == 0.0


def test_mean_time_to_the_next_event_is_that_of_renewal_theory(laws):
    """Half the second moment over the mean (the inspection paradox)."""
    values = np.array([laws.quantile(0, u) for u in (np.arange(20_000) + 0.5) / 20_000])
    expected = (values**2).mean() / (2 * values.mean())
    found = np.mean([laws.until_next(0, 0.0, u) for u in UNIFORMS])
    assert found == pytest.approx(expected, rel=0.02)
