import numpy as np
import pytest
from numpy.testing import assert_allclose

from gigatwin.factory.resources import Shifts, ShiftStep
from gigatwin.learning.clock.working_clock import WorkingClock

HOUR = 3600.0
OFFICE = Shifts(
    period=24 * HOUR,
    steps=(ShiftStep(at=8 * HOUR, capacity=1), ShiftStep(at=16 * HOUR, capacity=0)),
)


def test_a_night_takes_no_working_time():
    clock = WorkingClock(OFFICE)
    times = np.array([15.0, 16.0, 20.0, 32.0, 33.0]) * HOUR
    assert_allclose(clock.to_working(times), np.array([7.0, 8.0, 8.0, 8.0, 9.0]) * HOUR)


def test_a_moment_between_shifts_is_the_begin_of_the_next_or_the_end_of_the_last():
    clock = WorkingClock(OFFICE)
    worked = np.array([8 * HOUR])
    assert clock.to_calendar(worked) == 32 * HOUR
    assert clock.to_calendar(worked, at_end=True) == 16 * HOUR


def test_the_clock_may_begin_within_a_shift():
    clock = WorkingClock(OFFICE, phase=10 * HOUR)
    assert_allclose(clock.to_working(np.array([0.0, 6 * HOUR, 23 * HOUR])), [0, 6 * HOUR, 7 * HOUR])
    assert clock.to_calendar(np.array([7 * HOUR])) == 23 * HOUR


def test_a_shift_may_go_over_midnight():
    night = Shifts(
        period=24 * HOUR,
        steps=(ShiftStep(at=6 * HOUR, capacity=0), ShiftStep(at=22 * HOUR, capacity=2)),
    )
    clock = WorkingClock(night)
    assert clock.working_ratio == pytest.approx(8 / 24)
    assert_allclose(
        clock.to_working(np.array([6.0, 22.0, 30.0]) * HOUR), [6 * HOUR, 6 * HOUR, 14 * HOUR]
    )


@pytest.mark.parametrize("phase", [0.0, 3 * HOUR, 11.5 * HOUR, 23 * HOUR])
@pytest.mark.parametrize("at_end", [False, True])
def test_to_the_calendar_and_back_is_the_same_time(phase, at_end):
    clock = WorkingClock(OFFICE, phase)
    worked = np.random.default_rng(1).uniform(0, 100 * HOUR, 1000)
    assert_allclose(clock.to_working(clock.to_calendar(worked, at_end=at_end)), worked, atol=1e-6)


def test_a_missing_time_stays_missing():
    clock = WorkingClock(OFFICE)
    assert np.isnan(clock.to_working(np.array([np.nan]))).all()
