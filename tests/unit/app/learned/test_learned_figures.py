from dataclasses import replace

import numpy as np
import pytest

from gigatwin.app.learned.figures import (
    changes_over_time,
    distributions,
    learned_times,
    times_of,
)
from gigatwin.factory.durations import Distribution
from gigatwin.factory.estimates import Estimate
from gigatwin.learning.times.stops import StopFit


def with_law(item, mean, cv, stops=()):
    law = Distribution(distribution="gamma", mean=mean, cv=cv)
    return replace(item, times=replace(item.times, law=law, stops=stops))


def breakdown(between, repair):
    estimate = Estimate(value=between, low=0.9 * between, high=1.1 * between, n=50, method="")
    law = Distribution(distribution="exponential", mean=repair)
    return StopFit("breakdown", estimate, law, n_visible=50, n_expected=50.0)


@pytest.fixture
def cut(learned):
    return learned.stations["cut"]


def test_learned_times_have_the_mean_of_the_law_and_its_stops(cut):
    # 10 s of work, and every 100 s of work a stop of 10 s on average: 11 s.
    found = learned_times(with_law(cut, 10.0, 0.2, (breakdown(100.0, 10.0),)))
    error = found.std() / np.sqrt(len(found))
    assert 5 * error < 0.03 * 11.0
    assert abs(found.mean() - 11.0) < 5 * error


def test_times_of_the_same_law_are_near(cut):
    durations = np.random.default_rng(2).gamma(25.0, 0.4, 5000)
    item = replace(cut, durations=durations, is_blocked=np.zeros(5000, dtype=bool))
    times = times_of(with_law(item, 10.0, 0.2))
    assert times.distance < times.chance * 1.2
    assert times_of(with_law(item, 12.0, 0.2)).distance > 5 * times.chance


def test_held_up_visits_do_not_count_as_measured_times(cut):
    durations = np.random.default_rng(2).gamma(25.0, 0.4, 5000)
    is_blocked = np.arange(5000) % 3 == 0
    late = np.where(is_blocked, durations + 20.0, durations)
    item = replace(cut, durations=late, is_blocked=is_blocked)
    times = times_of(with_law(item, 10.0, 0.2))
    assert len(times.blocked) == is_blocked.sum()
    assert times.measured[-1] < 25.0 < times.blocked[-1]
    assert times.distance < 0.05


def test_constant_time_is_at_no_distance_from_its_visits(cut):
    durations = np.full(30, 0.1) + 0.2  # 0.30000000000000004
    item = replace(cut, durations=durations, is_blocked=np.zeros(30, dtype=bool))
    times = times_of(replace(item, times=replace(item.times, law=0.3)))
    assert times.distance == 0.0


def test_station_with_held_up_visits_only_has_no_distance(cut):
    item = replace(cut, is_blocked=np.ones(len(cut.durations), dtype=bool))
    times = times_of(item)
    assert np.isnan(times.distance)
    (title,) = [note.text for note in distributions([times]).layout.annotations]
    assert "all held up" in title


def test_station_without_times_is_not_shown(cut):
    assert times_of(replace(cut, durations=np.empty(0), is_blocked=np.empty(0, bool))) is None


def test_long_log_is_drawn_with_few_points(cut):
    n = 200_000
    item = replace(cut, durations=np.linspace(1, 2, n), is_blocked=np.zeros(n, dtype=bool))
    figure = distributions([times_of(item)])
    assert {trace.name for trace in figure.data} == {"measured", "learned"}
    assert max(len(trace.x) for trace in figure.data) < 200


def test_drawn_curves_rise_from_0_to_all(learned):
    shown = [times_of(item) for item in learned.stations.values()]
    for trace in distributions(shown).data:
        assert np.all(np.diff(trace.x) >= 0)
        assert (trace.y[0], trace.y[-1]) == (0.0, 100.0)


def test_change_is_drawn_at_its_date_with_both_means(learned):
    drift = learned.stations["paint"].drift
    figure = changes_over_time([drift], 9600.0, {})
    (change,) = drift.changes
    means = [trace for trace in figure.data if trace.mode == "lines"]
    assert [trace.y[0] for trace in means] == [change.before.value, change.after.value]
    assert means[0].x[1] == means[1].x[0] == pytest.approx(change.time / 3600)
