"""Which of the two ways of learning a processing time counts."""

import numpy as np
import pytest

from gigatwin.factory.estimates import Estimate
from gigatwin.learning.times.station_times import NO_TIMES, StationTimes, station_times


def learned(durations: np.ndarray, blocked: np.ndarray | None = None) -> StationTimes:
    is_blocked = np.zeros(len(durations), dtype=np.bool_) if blocked is None else blocked
    starts = 20.0 * np.arange(len(durations))
    return station_times(durations, is_blocked, starts, jitter=0.0, rows="2-9 (8 rows)")


@pytest.fixture(scope="module")
def work():
    return np.random.default_rng(1).gamma(100.0, 0.1, 600)


def test_held_up_visits_are_upper_bounds_of_the_work(work):
    blocked = np.arange(600) % 3 == 0
    found = learned(work + np.where(blocked, 30.0, 0.0), blocked)
    assert found.mean.value == pytest.approx(10.0, abs=0.2)
    assert found.mean.low < 10.0 < found.mean.high
    assert "held up taken as upper bounds" in found.reason


def test_long_visits_are_stops(work):
    stopped = work + np.where(np.arange(600) % 30 == 5, 80.0, 0.0)
    found = learned(stopped)
    assert [stop.kind for stop in found.stops] == ["breakdown"]
    assert found.stops[0].mean_between.value == pytest.approx(300.0, rel=0.2)
    assert found.mean.value == pytest.approx(10.0, abs=0.2)
    assert "with breakdowns; best criterion" in found.reason


def test_recorded_stops_are_not_learned_again(work):
    blocked = np.arange(600) % 3 == 0
    stopped = work + np.where(np.arange(600) % 30 == 5, 80.0, 0.0)
    for is_blocked in (blocked, np.zeros(600, dtype=np.bool_)):
        found = station_times(
            stopped, is_blocked, 20.0 * np.arange(600), jitter=0.0, rows="", has_records=True
        )
        assert found.stops == ()


def test_slow_visits_of_a_job_shop_are_lost_neither_with_hold_ups_nor_without(work):
    blocked = np.arange(600) % 3 == 0
    slow = work + np.where(np.arange(600) % 30 == 5, 80.0, 0.0)
    for is_blocked in (blocked, np.zeros(600, dtype=np.bool_)):
        held_up = slow + np.where(is_blocked, 30.0, 0.0)
        found = station_times(
            held_up, is_blocked, 20.0 * np.arange(600), jitter=0.0, rows="", may_stop=False
        )
        lost = sum(
            found.mean.value * stop.duration.mean / stop.mean_between.value for stop in found.stops
        )
        assert bool(found.stops) == is_blocked.any()
        assert found.mean.value + lost == pytest.approx(slow.mean(), rel=0.05)


def test_reason_is_a_sentence(work):
    for times in (work, work[:5], np.full(20, 3.0)):
        reason = learned(times).reason
        assert reason[0].isupper()
        assert reason.endswith(".")


def test_few_or_imprecise_observations_are_not_identified(work):
    assert learned(work).is_identified
    assert not learned(work[:5]).is_identified
    assert not learned(np.random.default_rng(1).lognormal(0.0, 2.0, 40)).is_identified


def test_mean_without_an_upper_end_is_not_identified():
    mean = Estimate(value=1.0, low=0.0, n=100, method="m", unit="s")
    assert not StationTimes(1.0, mean, 0.0, "constant", "").is_identified
    assert not NO_TIMES.is_identified


def test_rows_go_into_the_estimate(work):
    assert learned(work).mean.rows == "2-9 (8 rows)"
