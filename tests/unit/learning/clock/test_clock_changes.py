import numpy as np
import pytest
from numpy.testing import assert_allclose

from gigatwin.learning.clock.clock_changes import find_clock_changes, with_changes, without_changes

HOUR, DAY = 3600.0, 86400.0


def days_of_work(n_days=60, begin=8.0, end=16.0, seed=1):
    random = np.random.default_rng(seed)
    day = np.repeat(np.arange(n_days), 50)
    return np.sort(day * DAY + random.uniform(begin * HOUR, end * HOUR, len(day)))


def test_a_change_to_summer_time_is_found_at_its_date():
    times = days_of_work()
    times[times >= 25 * DAY] -= HOUR
    (change,) = find_clock_changes(times)
    assert (change.moment, change.shift) == (25 * DAY, -HOUR)
    assert_allclose(without_changes(times, (change,)), days_of_work())


def test_there_and_back_are_two_changes():
    times = days_of_work(90)
    times[(times >= 20 * DAY) & (times < 60 * DAY)] += HOUR
    found = [(change.moment / DAY, change.shift / HOUR) for change in find_clock_changes(times)]
    assert found == [(20, 1), (60, -1)]


@pytest.mark.parametrize("hours", [0.0, 0.4, 2.0])
def test_a_day_that_moves_by_something_else_is_no_change_of_the_clock(hours):
    times = days_of_work()
    times[times >= 25 * DAY] += hours * HOUR
    assert find_clock_changes(times) == ()


def test_work_around_the_clock_shows_no_change():
    assert find_clock_changes(np.arange(0.0, 60 * DAY, 300.0)) == ()


def test_nothing_is_found_in_an_empty_record():
    assert find_clock_changes(np.array([np.nan])) == ()


def test_changes_are_put_back():
    times = days_of_work(90)
    spoiled = times + np.where((times >= 20 * DAY) & (times < 60 * DAY), HOUR, 0.0)
    changes = find_clock_changes(spoiled)
    assert_allclose(with_changes(without_changes(spoiled, changes), changes), spoiled)
