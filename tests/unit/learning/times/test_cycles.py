"""Processing time and stops from the times of visits."""

import numpy as np
import pytest
from scipy import optimize, stats

from gigatwin.errors import TelemetryError
from gigatwin.factory.durations import Distribution, Empirical
from gigatwin.learning.times.cycle_density import draws, make_grid
from gigatwin.learning.times.cycle_likelihood import (
    CountedVisits,
    CycleModel,
    maximise,
    profile_interval,
)
from gigatwin.learning.times.cycles import fit_cycles

BREAKDOWN = (400.0, "lognormal", 30.0, 0.7)


def visits(n, *, law="gamma", cv=0.1, stops=(BREAKDOWN,), blocked=0.0, seed=1):  # noqa: PLR0913
    """Return times of visits, whether each was blocked, and the true processing times."""
    mean = 10.0
    generator = np.random.default_rng(seed)
    work = draws(law, generator, n, mean, cv) if cv else np.full(n, mean)
    times = work.copy()
    for mean_between, repair, length, repair_cv in stops:
        numbers = generator.poisson(work / mean_between)
        repairs = draws(repair, generator, int(numbers.sum()), length, repair_cv)
        times += np.bincount(np.repeat(np.arange(n), numbers), repairs, minlength=n)
    bounds = np.where(generator.random(n) < blocked, generator.gamma(4.0, mean * 0.3, n), 0.0)
    return np.maximum(times, bounds), bounds >= times, work


def contains(estimate, value):
    return estimate.low <= value <= (np.inf if estimate.high is None else estimate.high)


def test_gamma_without_blocking_equals_the_fit_of_scipy():
    times, _, _ = visits(3000, stops=(), cv=0.2, seed=4)
    shape, _, scale = stats.gamma.fit(times, floc=0)
    found = fit_cycles(times)
    assert isinstance(found.law, Distribution)
    assert found.law.distribution == "gamma"
    assert found.law.mean == pytest.approx(shape * scale, rel=1e-4)
    assert found.law.cv == pytest.approx(shape**-0.5, rel=2e-3)


def test_blocked_visits_count_as_a_direct_maximisation_of_the_likelihood_does():
    times, flags, _ = visits(3000, stops=(), cv=0.2, blocked=0.7, seed=2)

    def loss(parameters):
        shape, scale = np.exp(parameters)
        law = stats.gamma(shape, scale=scale)
        return -law.logpdf(times[~flags]).sum() - law.logcdf(times[flags]).sum()

    best = optimize.minimize(loss, np.log([25.0, 0.4]), method="Nelder-Mead")
    shape, scale = np.exp(best.x)
    grid = make_grid(centre=10.0, spread=2.0, reach=times.max(), expected_stops=0.0)
    counted = CountedVisits.of(grid, times[~flags], times[flags])
    found = maximise(counted, CycleModel("gamma"), np.log([9.0, 0.3]))
    mean, cv = found.processing
    assert flags.mean() > 0.3
    assert mean == pytest.approx(shape * scale, rel=2e-4)
    assert cv == pytest.approx(shape**-0.5, rel=5e-3)


def test_information_without_blocking_gives_the_standard_error_of_the_mean():
    times, _, _ = visits(3000, stops=(), cv=0.2, seed=4)
    estimate = fit_cycles(times).mean
    half = 1.96 * times.std() / np.sqrt(len(times))
    assert estimate.high - estimate.low == pytest.approx(2 * half, rel=0.05)


@pytest.mark.parametrize("blocked", [0.0, 0.8])
def test_many_visits_give_the_true_laws(blocked):
    # 20 000 stops and more, so that 5 standard errors of the time between them are below 4 %.
    stops = ((100.0, "lognormal", 30.0, 0.7),)
    times, flags, _ = visits(300_000, cv=0.05, stops=stops, blocked=blocked, seed=7)
    found = fit_cycles(times, flags)
    (stop,) = found.stops
    assert found.law.mean == pytest.approx(10.0, rel=1e-3)
    assert found.law.cv == pytest.approx(0.05, rel=0.02)
    assert stop.mean_between.value == pytest.approx(100.0, rel=0.03)
    assert stop.duration.distribution == "lognormal"
    assert stop.duration.mean == pytest.approx(30.0, rel=0.03)
    assert stop.duration.cv == pytest.approx(0.7, rel=0.05)


@pytest.mark.parametrize("law", ["gamma", "lognormal", "weibull"])
def test_blocked_station_with_breakdowns_is_found_again(law):
    times, flags, work = visits(5000, law=law, cv=0.15, blocked=0.7, seed=3)
    found = fit_cycles(times, flags, rows="2-5001")
    (stop,) = found.stops
    assert found.law.distribution == law
    assert found.mean.value == pytest.approx(work.mean(), rel=5e-3)
    assert contains(found.mean, 10.0)
    assert stop.kind == "breakdown"
    assert contains(stop.mean_between, 400.0)
    assert contains(stop.duration.estimates["mean"], 30.0)
    assert contains(found.law.estimates["cv"], 0.15)
    assert {found.mean.rows, stop.mean_between.rows} == {"2-5001"}
    assert found.n == 5000
    assert found.n_censored == flags.sum()
    assert stop.n_visible < stop.n_expected < 2 * stop.n_visible


def test_repairs_hidden_in_the_scatter_are_counted():
    stops = ((150.0, "exponential", 8.0, 1.0),)
    times, flags, work = visits(50_000, cv=0.2, stops=stops, seed=5)
    (stop,) = fit_cycles(times, flags).stops
    assert stop.mean_between.value == pytest.approx(150.0, rel=0.1)
    assert stop.duration.mean == pytest.approx(8.0, rel=0.1)
    assert stop.n_visible < 0.8 * work.sum() / 150.0


def test_micro_stops_are_told_from_breakdowns():
    stops = ((150.0, "lognormal", 6.0, 0.5), (1500.0, "lognormal", 120.0, 0.6))
    times, flags, _ = visits(20_000, cv=0.05, stops=stops, blocked=0.5, seed=2)
    short, long = fit_cycles(times, flags).stops
    assert (short.kind, long.kind) == ("micro_stop", "breakdown")
    assert contains(short.mean_between, 150.0)
    assert contains(long.mean_between, 1500.0)
    assert contains(short.duration.estimates["mean"], 6.0)
    assert contains(long.duration.estimates["mean"], 120.0)


def test_one_law_of_repairs_is_not_split():
    times, flags, _ = visits(20_000, cv=0.05, blocked=0.5, seed=6)
    assert len(fit_cycles(times, flags).stops) == 1


def test_few_breakdowns_have_a_wide_interval():
    times, flags, _ = visits(1000, stops=((2500.0, "exponential", 60.0, 1.0),), seed=8)
    (stop,) = fit_cycles(times, flags).stops
    assert 3 <= stop.n_visible <= 8
    assert contains(stop.mean_between, 2500.0)
    assert stop.mean_between.high > 2.5 * stop.mean_between.low


def test_station_that_never_stops_has_a_lower_bound_of_the_time_between_stops():
    times, flags, _ = visits(3000, stops=(), blocked=0.5, seed=3)
    found = fit_cycles(times, flags)
    assert found.stops == ()
    assert found.to_stops() == {}
    assert any("rule of three" in note for note in found.notes)


@pytest.mark.parametrize(("law", "cv"), [("lognormal", 0.8), ("gamma", 1.0), ("weibull", 1.2)])
def test_widely_scattered_work_is_no_series_of_stops(law, cv):
    times, _, _ = visits(3000, law=law, cv=cv, stops=(), seed=3)
    found = fit_cycles(times)
    assert found.stops == ()
    assert found.mean.value == pytest.approx(10.0, rel=0.1)


def test_modes_of_the_work_give_the_observed_law_and_no_stops():
    generator = np.random.default_rng(4)
    for modes in ((10.0, 13.0), (10.0, 14.0, 25.0)):
        times = generator.choice(modes, 2000) * generator.normal(1.0, 0.02, 2000)
        found = fit_cycles(times)
        assert isinstance(found.law, Empirical)
        assert found.stops == ()
        assert "held-out" in found.reason
        assert found.mean.value == pytest.approx(times.mean(), rel=2e-3)
        assert found.law_mean == pytest.approx(times.mean(), rel=1e-4)


def test_work_of_no_family_keeps_its_stops():
    generator = np.random.default_rng(5)
    work = generator.uniform(8.0, 12.0, 10_000)
    numbers = generator.poisson(work / 400.0)
    repairs = generator.gamma(4.0, 10.0, int(numbers.sum()))
    times = work + np.bincount(np.repeat(np.arange(10_000), numbers), repairs, minlength=10_000)
    found = fit_cycles(times)
    (stop,) = found.stops
    assert isinstance(found.law, Empirical)
    assert found.mean.value == pytest.approx(10.0, rel=0.01)
    assert contains(stop.mean_between, 400.0)
    assert stop.duration.mean == pytest.approx(40.0, rel=0.1)
    held_out = found.table().filter(found.table()["held_out"].is_not_null())
    assert held_out["held_out"].arg_min() == held_out["processing"].to_list().index("no family")


def test_constant_work_is_given_as_a_constant():
    times, flags, _ = visits(3000, cv=0.0, blocked=0.7, seed=5)
    found = fit_cycles(times, flags)
    (stop,) = found.stops
    assert found.law == 10.0
    assert contains(stop.mean_between, 400.0)


def test_scatter_from_the_clock_is_not_taken_for_the_work():
    times, _, _ = visits(5000, cv=0.0, seed=5)
    noise = np.random.default_rng(1).normal(0.0, 0.3 * np.sqrt(2), len(times))
    found = fit_cycles(times + noise, jitter=0.3)
    assert found.law == pytest.approx(10.0, rel=2e-3)
    assert found.scatter == pytest.approx(0.3 * np.sqrt(2), rel=0.05)
    assert not isinstance(fit_cycles(times + noise).law, float)


def test_flags_within_four_jitters_of_the_bound_do_not_shift_the_mean():
    generator = np.random.default_rng(2)
    work = generator.gamma(0.03**-2, 10.0 * 0.03**2, 20_000)
    bounds = generator.uniform(8.0, 12.0, 20_000)
    ends = np.maximum(work, bounds)
    flags = ends - bounds < 4 * 0.05
    times = ends + generator.normal(0.0, 0.05 * np.sqrt(2), 20_000)
    assert fit_cycles(times, flags, jitter=0.05).mean.value == pytest.approx(10.0, rel=2e-3)
    assert fit_cycles(times, flags).mean.value < 9.98


def test_times_in_whole_seconds_give_the_same_laws():
    times, flags, _ = visits(20_000, cv=0.05, seed=9)
    starts = np.random.default_rng(1).uniform(0.0, 1e5, len(times))
    fine = fit_cycles(times, flags)
    coarse = fit_cycles(np.round(starts + times) - np.round(starts), flags)
    assert coarse.mean.value == pytest.approx(fine.mean.value, rel=2e-3)
    assert coarse.law.cv == pytest.approx(fine.law.cv, rel=0.1)
    assert coarse.stops[0].mean_between.value == pytest.approx(
        fine.stops[0].mean_between.value, rel=0.03
    )


def test_night_within_a_visit_is_a_pause_and_no_stop():
    times, flags, _ = visits(3000, seed=3)
    plain = fit_cycles(times, flags)
    night = 8 * 3600.0
    found = fit_cycles(np.append(times, night), np.append(flags, False))
    assert found.long_pauses == (night,)
    assert any("pauses" in note for note in found.notes)
    assert found.stops == plain.stops
    assert found.mean == plain.mean


def test_long_repairs_among_others_are_no_pauses():
    stops = ((1500.0, "lognormal", 1200.0, 1.5),)
    times, flags, _ = visits(5000, stops=stops, seed=3)
    found = fit_cycles(times, flags)
    assert times.max() > 3600.0
    assert found.long_pauses == ()
    assert contains(found.stops[0].mean_between, 1500.0)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_visits_are_kept_and_not_identified(n):
    times, _, _ = visits(n, stops=())
    found = fit_cycles(times)
    assert not found.mean.is_identified
    assert found.mean.value == pytest.approx(times.mean(), rel=1e-5)
    assert found.stops == ()
    assert str(n) in found.notes[0]


def test_twenty_visits_give_a_law():
    times, _, _ = visits(20, stops=())
    found = fit_cycles(times)
    assert isinstance(found.law, Distribution)
    assert found.mean.value == pytest.approx(times.mean(), rel=0.01)


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_equal_visits_are_a_constant(value):
    found = fit_cycles(np.full(50, value))
    assert found.law == value
    assert found.cdf(np.array([value - 0.1, value])).tolist() == [0.0, 1.0]
    assert (found.sample(np.random.default_rng(1), 5) == value).all()


def test_mostly_empty_visits_keep_their_mean():
    times = np.concatenate((np.zeros(80), np.linspace(1.0, 20.0, 20)))
    found = fit_cycles(times)
    assert found.law_mean == pytest.approx(times.mean(), rel=1e-4)
    assert found.stops == ()


def test_blocked_visits_alone_give_only_an_upper_bound():
    found = fit_cycles(np.array([12.0, 11.0, 15.0]), np.ones(3, dtype=bool))
    assert found.law == 11.0
    assert found.mean.low == 0.0
    assert not found.mean.is_identified


def test_mean_far_below_every_bound_is_extrapolated_and_flagged():
    generator = np.random.default_rng(3)
    work, bounds = generator.normal(10.0, 1.0, 5000), generator.uniform(11.0, 14.0, 5000)
    found = fit_cycles(np.maximum(work, bounds), bounds >= work)
    assert not found.mean.is_identified
    assert any("extrapolated" in note for note in found.notes)


def test_unusable_times_are_left_out_and_told():
    found = fit_cycles(np.array([np.nan, -1.0, 3.0, 4.0, 5.0]))
    assert found.n == 3
    assert "2 visits" in found.notes[0]


def test_no_visit_at_all_is_an_error():
    with pytest.raises(TelemetryError, match="No visit"):
        fit_cycles(np.array([np.nan]))


def test_flags_of_another_length_are_an_error():
    with pytest.raises(TelemetryError, match="one for each"):
        fit_cycles(np.ones(3), np.zeros(2, dtype=bool))


def test_sample_and_distribution_function_agree_with_the_visits():
    times, _, _ = visits(5000, seed=3)
    found = fit_cycles(times)
    grid = np.quantile(times, [0.02, 0.2, 0.5, 0.8, 0.98, 0.99])
    sample = np.sort(found.sample(np.random.default_rng(2), 50_000))
    sampled = np.searchsorted(sample, grid) / len(sample)
    assert found.cdf(grid) == pytest.approx(sampled, abs=0.01)
    assert found.cdf(grid) == pytest.approx([0.02, 0.2, 0.5, 0.8, 0.98, 0.99], abs=0.02)
    assert found.cdf(np.array([1e5])) == pytest.approx(1.0, abs=1e-4)


def test_families_are_listed_with_their_criteria():
    times, _, _ = visits(3000, cv=0.2, seed=3)
    found = fit_cycles(times)
    table = found.table()
    best = table.sort("aic").row(0, named=True)
    assert best["processing"] == found.law.distribution
    assert best["repairs"] == found.stops[0].duration.distribution
    assert {"gamma", "lognormal", "weibull"} <= set(table["processing"])


def test_bad_fit_of_few_visits_is_told():
    times = np.concatenate((np.linspace(9.9, 10.1, 25), np.linspace(19.9, 20.1, 20)))
    found = fit_cycles(times)
    assert found.stops == ()
    assert found.kolmogorov_smirnov > 0.2
    assert any("more than chance explains" in note for note in found.notes)


def test_rival_family_of_repairs_widens_the_interval():
    # With few repairs gamma and exponential are as likely; they hide different numbers of them.
    times, flags, _ = visits(4000, stops=((400.0, "gamma", 20.0, 0.8),), cv=0.2, seed=1)
    (stop,) = fit_cycles(times, flags).stops
    seen = stop.n_visible
    poisson = stats.chi2.ppf(0.975, 2 * seen + 2) / stats.chi2.ppf(0.025, 2 * seen)
    assert stop.mean_between.high / stop.mean_between.low > poisson
    assert contains(stop.mean_between, 400.0)


@pytest.mark.parametrize("blocked", [0.0, 0.6])
def test_profile_interval_loses_as_much_likelihood_as_it_should(blocked):
    times, flags, _ = visits(3000, blocked=blocked, seed=3)
    grid = make_grid(centre=10.0, spread=1.0, reach=times.max(), expected_stops=0.03)
    counted = CountedVisits.of(grid, times[~flags], times[flags])
    model = CycleModel("gamma", ("exponential",))
    best = maximise(counted, model, np.log([10.0, 0.1, 400.0, 30.0]))
    for end in profile_interval(best, counted, 2):
        start = best.parameters.copy()
        start[2] = end
        held = maximise(counted, model, start, free=[0, 1, 3])
        assert 2 * (best.log_likelihood - held.log_likelihood) == pytest.approx(3.84, abs=0.1)
