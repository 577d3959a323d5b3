import numpy as np
import pytest
from scipy import stats

from gigatwin.compiler import compile_factory
from gigatwin.factory.durations import Distribution, Empirical, Triangular, Uniform
from gigatwin.factory.factory import Factory
from gigatwin.factory.stations import DiscreteStation
from gigatwin.kernel.streams import draw, new_streams, normal_quantile, uniform

N_DRAWS = 4000


def drawn(duration, n=N_DRAWS):
    factory = Factory(name="one", stations={"only": DiscreteStation(time=duration)})
    compiled = compile_factory(factory)
    state = compiled.initial_state(seed=5)
    law = int(compiled.model.recipes[0]["law"])
    return np.array([draw(compiled.model, state, law, 0) for _ in range(n)])


@pytest.mark.parametrize(
    ("duration", "law"),
    [
        (Distribution(distribution="exponential", mean=2.0), stats.expon(scale=2.0)),
        (Distribution(distribution="gamma", mean=2.0, cv=0.5), stats.gamma(4, scale=0.5)),
        (Distribution(distribution="gamma", mean=1.0, cv=1.5), stats.gamma(1 / 2.25, scale=2.25)),
        (
            Distribution(distribution="lognormal", mean=3.0, cv=1.0),
            stats.lognorm(np.sqrt(np.log(2)), scale=3.0 / np.sqrt(2)),
        ),
        (Distribution(distribution="weibull", mean=1.0, cv=1.0), stats.expon(scale=1.0)),
        (Uniform(distribution="uniform", low=1.0, high=3.0), stats.uniform(1.0, 2.0)),
        (
            Triangular(distribution="triangular", low=0.0, mode=1.0, high=4.0),
            stats.triang(0.25, scale=4.0),
        ),
        (Empirical(quantiles=(0.0, 1.0, 2.0)), stats.uniform(0.0, 2.0)),
    ],
)
def test_draws_follow_the_law_that_scipy_knows(duration, law):
    # A correct law fails once in a million; an error of 3.5 % of probability cannot hide.
    assert stats.kstest(drawn(duration), law.cdf).pvalue > 1e-6


def test_samples_are_drawn_with_equal_frequency():
    values, counts = np.unique(drawn(Empirical(samples=(1.0, 2.0, 2.0, 5.0))), return_counts=True)
    assert values.tolist() == [1.0, 2.0, 5.0]
    assert stats.chisquare(counts, np.array([1, 2, 1]) * N_DRAWS / 4).pvalue > 1e-6


def test_constant_uses_no_random_number():
    factory = Factory(name="one", stations={"only": DiscreteStation(time=4.0)})
    compiled = compile_factory(factory)
    state = compiled.initial_state()
    before = state.streams.copy()
    assert draw(compiled.model, state, int(compiled.model.recipes[0]["law"]), 0) == 4.0
    assert (state.streams == before).all()


def test_normal_quantile_equals_that_of_scipy():
    probabilities = np.concatenate([np.logspace(-300, -1, 50), np.linspace(0.01, 0.999, 50)])
    found = [normal_quantile(float(p)) for p in probabilities]
    np.testing.assert_allclose(found, stats.norm.ppf(probabilities), rtol=1e-13, atol=1e-13)


def test_uniform_numbers_are_those_of_splitmix64():
    # First outputs of SplitMix64 from state 0 with its usual increment (published test vector).
    compiled = compile_factory(Factory(name="one", stations={"only": DiscreteStation(time=4.0)}))
    state = compiled.initial_state()
    state.streams[0]["state"] = 0
    state.streams[0]["gamma"] = np.uint64(0x9E3779B97F4A7C15)
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [uniform(state, 0) for _ in expected] == [(word >> 11) * 2.0**-53 for word in expected]


def test_streams_depend_on_name_seed_and_replication_only():
    first = new_streams(["a/service", "b/service"], seed=1, replication=0)
    second = new_streams(["x/service", "b/service"], seed=1, replication=0)
    assert first[1] == second[1]
    assert first[0] != second[0]
    assert new_streams(["a/service"], 2, 0)[0] != first[0]
    assert new_streams(["a/service"], 1, 1)[0] != first[0]
