"""Choice of a law."""

import numpy as np
import pytest

from gigatwin.errors import TelemetryError
from gigatwin.factory.durations import Distribution, Empirical
from gigatwin.learning.times.law_fits import law_quantiles
from gigatwin.learning.times.laws import choose_law

RANDOM_SEED = 4


@pytest.fixture
def random():
    return np.random.default_rng(RANDOM_SEED)


@pytest.mark.parametrize(
    ("family", "draw"),
    [
        ("exponential", lambda random: random.exponential(10.0, 1000)),
        ("gamma", lambda random: random.gamma(4.0, 3.0, 3000)),
        ("lognormal", lambda random: random.lognormal(3.0, 0.5, 3000)),
        ("weibull", lambda random: 10.0 * random.weibull(2.5, 3000)),
    ],
)
def test_family_is_found_again(random, family, draw):
    values = draw(random)
    choice = choose_law(values, rows="2-5")
    assert isinstance(choice.law, Distribution)
    assert choice.kind == choice.law.distribution == family
    assert choice.law.mean == pytest.approx(values.mean(), rel=0.02)
    assert choice.law.estimates["mean"].value == choice.law.mean
    assert choice.law.estimates["mean"].rows == "2-5"
    assert choice.is_identified
    assert family.capitalize() in choice.reason
    scored = choice.table.drop_nulls("crps")
    assert scored.filter(scored["kind"] == family).height == 1


def test_two_modes_are_not_one_family(random):
    values = random.permutation(np.r_[random.normal(10, 0.2, 600), random.normal(14, 0.2, 400)])
    choice = choose_law(values)
    assert choice.kind in {"sample", "mixture of 2", "mixture of 3"}
    foretold = law_quantiles(choice.law)
    assert 0.38 < (foretold > 12.0).mean() < 0.42
    assert foretold.mean() == pytest.approx(values.mean(), rel=1e-3)


def test_equal_values_are_a_constant():
    choice = choose_law(np.full(30, 12.5))
    assert (choice.law, choice.kind) == (12.5, "constant")
    assert (choice.mean.low, choice.mean.high) == (12.5, 12.5)
    assert choice.is_identified


def test_values_within_the_resolution_are_a_constant():
    choice = choose_law(np.tile([100.0, 101.0], 30))
    assert (choice.law, choice.kind) == (100.5, "constant")
    assert "resolution 1 s" in choice.reason


def test_two_lengths_far_apart_are_no_constant():
    assert choose_law(np.tile([1.0, 2.0], 30)).kind != "constant"


def test_nearly_constant_times_keep_their_scatter(random):
    choice = choose_law(random.normal(100.0, 0.5, 200))
    assert not isinstance(choice.law, float)
    assert choice.kind not in {"gamma", "lognormal", "weibull", "exponential"}
    assert any("Nearly constant" in note for note in choice.notes)


@pytest.mark.parametrize("n", [2, 5, 9])
def test_few_values_are_kept_as_a_sample_and_flagged(random, n):
    choice = choose_law(random.exponential(5.0, n))
    assert choice.kind == "sample"
    assert isinstance(choice.law, Empirical)
    assert not choice.is_identified
    assert f"Not identified: {n} observations" in choice.notes[-1]


def test_one_value_has_no_upper_bound():
    choice = choose_law(np.array([4.0]))
    assert choice.law == 4.0
    assert choice.mean.high is None
    assert not choice.is_identified


def test_recent_level_counts_when_it_changed(random):
    values = np.r_[random.normal(20.0, 1.0, 300), random.normal(24.0, 1.0, 100)]
    choice = choose_law(values)
    assert choice.kind == "recent sample"
    assert "halve every" in choice.notes[-1]
    # The plain sample has a mean of 21.
    assert choice.mean.value > 23.0
    assert law_quantiles(choice.law).mean() == pytest.approx(choice.mean.value, rel=1e-3)


def test_order_is_that_of_the_times(random):
    values = np.r_[random.normal(24.0, 1.0, 100), random.normal(20.0, 1.0, 300)]
    times = np.r_[np.arange(1000.0, 1100.0), np.arange(300.0)]
    assert choose_law(values, times=times).mean.value > 23.0


def test_stationary_samples_seldom_lose_by_weights(random):
    recent = [choose_law(random.normal(20.0, 3.0, 120)).kind == "recent sample" for _ in range(40)]
    # In a trial 14 % (70 observations) and 22 % (300) of 100 samples took one; 40 % is the limit.
    assert sum(recent) <= 16


def test_upper_bounds_are_not_taken_as_durations(random):
    work, wait = random.gamma(16.0, 1.0, 3000), random.exponential(10.0, 3000)
    is_bound = wait > work
    choice = choose_law(np.maximum(work, wait), is_upper_bound=is_bound)
    error = 4.0 / np.sqrt((~is_bound).sum())
    assert abs(choice.mean.value - 16.0) < 5 * error
    assert 5 * error < 0.03 * 16.0
    assert "only upper bounds" in choice.notes[0]


def test_lower_bounds_are_not_taken_as_durations(random):
    times, limits = random.gamma(4.0, 5.0, 3000), random.exponential(60.0, 3000)
    is_cut = times > limits
    values = np.minimum(times, limits)
    choice = choose_law(values, is_lower_bound=is_cut)
    error = 10.0 / np.sqrt((~is_cut).sum())
    assert values[~is_cut].mean() < 18.5
    assert abs(choice.mean.value - 20.0) < 5 * error
    assert 5 * error < 0.06 * 20.0


def test_bounds_of_both_kinds_are_refused():
    flags = np.array([True, False, False]), np.array([False, True, False])
    with pytest.raises(TelemetryError, match="bounds of one kind only"):
        choose_law(np.arange(1.0, 4.0), is_upper_bound=flags[0], is_lower_bound=flags[1])


def test_longest_lower_bound_counts_as_it_is():
    values, is_cut = np.array([1.0, 2.0, 3.0, 50.0]), np.array([False, False, False, True])
    assert choose_law(values, is_lower_bound=is_cut).mean.value == 14.0


def test_missing_and_negative_values_are_left_out_with_a_note():
    choice = choose_law(np.array([np.nan, 2.0, 3.0, -1.0, np.inf]))
    assert choice.law.samples == (2.0, 3.0)
    assert choice.notes[0] == "3 of 5 values are missing or below 0; left out."


@pytest.mark.parametrize("values", [[], [np.nan], [-1.0]])
def test_nothing_usable_is_refused(values):
    with pytest.raises(TelemetryError, match="at least one that is known"):
        choose_law(np.array(values))


def test_only_bounds_are_refused():
    with pytest.raises(TelemetryError, match="more than a bound"):
        choose_law(np.array([3.0]), is_upper_bound=np.array([True]))


def test_zeros_and_ties_survive(random):
    for values in (
        np.zeros(20),
        np.r_[np.zeros(5), random.exponential(1.0, 30)],
        np.repeat([1.0, 5.0], 50),
        np.r_[np.full(30, 5.0), 500.0],
        random.integers(0, 3, 50).astype(float),
    ):
        choice = choose_law(values)
        assert law_quantiles(choice.law).mean() == pytest.approx(choice.mean.value, abs=0.02)


def test_long_samples_stay_short_in_the_description(random):
    values = random.permutation(np.r_[random.uniform(5, 6, 3000), random.uniform(8, 9, 3000)])
    law = choose_law(values).law
    assert len(law.samples or law.quantiles) <= 401
