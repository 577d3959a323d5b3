"""Shift calendars from the begins of activities."""

import gzip
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from gigatwin.events.case_log import read_case_log
from gigatwin.learning.clock.calendars import DAY, WEEK, find_calendar

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = 3600.0


def begins(days: float, mean_interval: float, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.exponential(mean_interval, int(1.2 * days * DAY / mean_interval) + 10))
    return times[times < days * DAY]


def between(times: np.ndarray, first: float, last: float) -> np.ndarray:
    hours = times % DAY / HOUR
    return times[(hours >= first) & (hours < last)]


def hours(calendar) -> list[tuple[float, int]]:
    return [(step.at / HOUR, step.capacity) for step in calendar.shifts.steps]


@pytest.mark.parametrize("mean_interval", [30.0, 300.0, 900.0])
def test_two_shifts_a_day_are_found_to_the_hour(mean_interval):
    calendar = find_calendar(between(begins(20, mean_interval), 6, 22), MONDAY, capacity=3)
    assert calendar.is_identified
    assert calendar.shifts.period == DAY
    assert hours(calendar) == [(6.0, 3), (22.0, 0)]
    for step in calendar.shifts.steps:
        estimate = step.estimates["at"]
        assert estimate.low <= step.at <= estimate.high
        assert estimate.high - estimate.low < 900.0


def test_weekend_is_found_in_four_weeks():
    times = begins(28, 120.0)
    times = times[times % WEEK < 5 * DAY]
    calendar = find_calendar(between(times, 7, 15.5), MONDAY)
    assert calendar.shifts.period == WEEK
    expected = [(24 * day + hour, n) for day in range(5) for hour, n in ((7.0, 1), (15.5, 0))]
    assert hours(calendar) == expected


def test_night_shift_goes_over_midnight():
    times = begins(20, 120.0)
    times = times[(times % DAY < 6 * HOUR) | (times % DAY >= 20 * HOUR)]
    assert hours(find_calendar(times, MONDAY)) == [(6.0, 0), (20.0, 1)]


def test_break_of_an_hour_is_found():
    times = begins(20, 60.0)
    times = between(times, 6, 22)
    times = times[(times % DAY < 12 * HOUR) | (times % DAY >= 13 * HOUR)]
    assert hours(find_calendar(times, MONDAY)) == [(6.0, 1), (12.0, 0), (13.0, 1), (22.0, 0)]


def test_log_that_starts_on_a_thursday_morning_has_the_same_calendar():
    times = begins(42, 120.0)
    times = between(times[times % WEEK < 5 * DAY], 7, 16)
    first = 3 * DAY + 8.25 * HOUR
    later = find_calendar(times[times >= first] - first, datetime(2024, 1, 4, 8, 15, tzinfo=UTC))
    assert later.phase == first
    assert hours(later) == hours(find_calendar(times, MONDAY))


def test_log_without_dates_has_a_calendar_from_its_own_begin():
    calendar = find_calendar(between(begins(20, 120.0), 6, 22), 0.0)
    assert hours(calendar) == [(6.0, 1), (22.0, 0)]
    assert calendar.phase == 0.0
    assert "not at midnight" in calendar.note


def test_a_few_begins_at_night_do_not_hide_it():
    times = begins(28, 120.0)
    night = begins(28, 100_000.0, seed=2)
    times = np.concatenate((between(times, 6, 22), night))
    assert hours(find_calendar(times, MONDAY)) == [(6.0, 1), (22.0, 0)]


@pytest.mark.parametrize("mean_interval", [20.0, 300.0, 3000.0])
def test_work_at_all_hours_has_no_calendar(mean_interval):
    calendar = find_calendar(begins(30, mean_interval), MONDAY)
    assert calendar.shifts is None
    assert calendar.is_identified
    assert "at all hours" in calendar.note


def test_regular_begins_have_no_breaks_between_them():
    assert find_calendar(np.arange(0, 28 * DAY, 1800.0), MONDAY).shifts is None


@pytest.mark.parametrize(
    "times", [[], [5.0], [5.0, 5.0], np.arange(0, 1.9 * DAY, 100.0), [np.nan, 1.0]]
)
def test_log_shorter_than_two_days_says_so(times):
    calendar = find_calendar(np.array(times), MONDAY)
    assert calendar.shifts is None
    assert not calendar.is_identified
    assert "needs at least 2 days" in calendar.note


def test_few_begins_in_a_long_log_say_so():
    calendar = find_calendar(begins(30, 2 * DAY), MONDAY)
    assert calendar.shifts is None
    assert not calendar.is_identified
    assert "too few" in calendar.note


def test_sessions_that_do_not_repeat_are_no_calendar():
    times = np.concatenate(
        [day * DAY + np.arange(9 * HOUR, 17 * HOUR, 20.0) for day in (0, 1, 9, 10, 18, 26)]
    )
    calendar = find_calendar(times, MONDAY)
    assert calendar.shifts is None or calendar.shifts.period == DAY
    assert not calendar.is_identified


def test_clock_of_work_without_a_calendar_is_the_clock():
    calendar = find_calendar(np.array([]), MONDAY)
    assert calendar.working_time(np.array([1.0, 2.0])).tolist() == [1.0, 2.0]


def read(shared_data, tmp_path, name):
    packed = shared_data / "bps-logs" / f"{name}.csv.gz"
    if not packed.exists():
        pytest.skip(f"Data absent: the event log {packed}; set GIGATWIN_DATA.")
    path = tmp_path / f"{name}.csv"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    return read_case_log(path, drop_duplicates=True)


@pytest.mark.parametrize("part", ["train", "test"])
def test_office_hours_of_the_loan_application_log_are_found(shared_data, tmp_path, part):
    log = read(shared_data, tmp_path, f"LoanApp_simplified_{part}")
    steps = log.activities
    calendar = find_calendar(steps["start"].to_numpy(), log.origin)
    assert calendar.shifts.period == WEEK
    assert hours(calendar) == [
        (24.0 * day + hour, n) for day in range(5) for hour, n in ((7.0, 1), (16.0, 0))
    ]
    clock = pl.DataFrame(
        {name: calendar.working_time(steps[name].to_numpy()) for name in ("start", "end")}
    )
    worked = clock["end"] - clock["start"]
    # On the clock of the wall one activity in 50 takes a night; none takes more than a day's work.
    assert (steps["end"] - steps["start"]).quantile(0.99) > 15 * HOUR
    assert worked.quantile(0.99) < 3 * HOUR
    assert worked.min() >= 0


def test_purchasing_log_is_worked_on_at_all_hours(shared_data, tmp_path):
    log = read(shared_data, tmp_path, "PurchasingExample")
    calendar = find_calendar(log.activities["start"].to_numpy(), log.origin)
    assert calendar.shifts is None
    assert calendar.is_identified
