"""From the times of a log to working time and back."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from gigatwin.learning.clock.time_axis import TimeAxis, rest_note, time_axis

DAY, HOUR = 86400.0, 3600.0


def frame(starts: np.ndarray, length: float = 60.0) -> pl.DataFrame:
    return pl.DataFrame({"start": starts, "end": starts + length})


def shift_work(days: int = 28) -> np.ndarray:
    """From 6 to 22 o'clock, every day, a visit each five minutes; time 0 is midnight."""
    of_day = np.arange(6 * HOUR, 22 * HOUR, 300.0)
    return (DAY * np.arange(days)[:, None] + of_day).ravel()


@pytest.fixture(scope="module")
def axis() -> TimeAxis:
    return time_axis(frame(shift_work()), datetime(2025, 1, 6, tzinfo=UTC))


def test_line_that_never_rests_keeps_its_times():
    visits = frame(300.0 * np.arange(5000))
    found = time_axis(visits, 0.0)
    assert found.clock is None
    assert found.notes == ()
    assert found.to_working(visits) is visits
    assert found.to_log(visits) is visits


def test_nights_are_no_working_time(axis):
    visits = frame(shift_work())
    working = axis.to_working(visits)
    gaps = np.diff(working["start"].to_numpy())
    assert axis.clock is not None
    assert axis.clock.working_ratio == pytest.approx(16 / 24, abs=0.02)
    assert gaps.max() < HOUR
    assert any("nights and other pauses are left out" in note for note in axis.notes)


def test_working_time_goes_back_to_the_times_of_the_log(axis):
    visits = frame(shift_work())
    back = axis.to_log(axis.to_working(visits))
    np.testing.assert_allclose(back["start"], visits["start"], atol=1e-5)
    np.testing.assert_allclose(back["end"], visits["end"], atol=1e-5)


def test_missing_times_stay_missing(axis):
    visits = frame(shift_work()).with_columns(
        end=pl.when(pl.int_range(pl.len()) > 3).then("end"),
    )
    working = axis.to_working(visits)
    assert working["end"].null_count() == 4
    assert axis.to_log(working)["end"].null_count() == 4


def test_summer_time_is_put_right_and_told_with_its_date():
    starts = shift_work(60)
    starts = starts + np.where(starts >= 30 * DAY, HOUR, 0.0)
    found = time_axis(frame(starts), datetime(2025, 3, 1, tzinfo=UTC))
    assert [change.shift for change in found.changes] == [HOUR]
    assert "2025-03-31" in found.notes[0]
    assert "an hour later" in found.notes[0]
    back = found.to_log(found.to_working(frame(starts)))
    np.testing.assert_allclose(back["start"], starts, atol=1e-5)


def test_log_without_times_has_no_shifts():
    empty = pl.DataFrame(schema={"start": pl.Float64, "end": pl.Float64})
    assert time_axis(empty, 0.0).clock is None


def test_moment_is_written_as_a_date_where_the_log_has_dates(axis):
    always = frame(300.0 * np.arange(5000))
    assert time_axis(always, 0.0).moment(7200.0) == "2 h after the begin"
    dated = time_axis(always, datetime(2024, 3, 1, 6, 0, tzinfo=UTC))
    assert dated.moment(7200.0) == "2024-03-01 08:00"
    # An hour more than a day of work, which has 16 hours from 6 o'clock on.
    assert axis.moment(17 * HOUR) == "2025-01-07 07:00"


def test_hours_of_rest_without_a_calendar_are_said():
    starts = np.concatenate(
        [np.arange(0.0, 6 * HOUR, 20.0), 14 * HOUR + np.arange(0.0, HOUR, 20.0)]
    )
    visits = pl.DataFrame({"start": starts, "end": starts + 10.0})
    axis = time_axis(visits, 0.0)
    note = rest_note(visits, axis)
    assert note is not None
    assert "for 8.01 h from 5.99 h after the begin" in note
    steady = visits.filter(pl.col("start") < 6 * HOUR)
    assert rest_note(steady, time_axis(steady, 0.0)) is None
