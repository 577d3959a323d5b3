"""Stops learned from states."""

import math

import numpy as np
import polars as pl
import pytest

from gigatwin.factory.durations import Distribution
from gigatwin.learning.states.reliability import learn_stops, rate_interval, split_stops

SCHEMA = ["machine", "start", "end", "state"]


def table(rows, machine="m"):
    return pl.DataFrame([(machine, *row) for row in rows], schema=SCHEMA, orient="row").filter(
        pl.col("end") > pl.col("start")
    )


def record(lives, repairs, *, clock="executing", waits=True, seed=1):
    """Return the states of a machine that works, waits, and stops after each of its lives."""
    random = np.random.default_rng(seed)
    rows, time, age, k = [], 0.0, 0.0, 0
    while k < len(lives):
        for name, length in (
            ("executing", random.uniform(20, 60)),
            ("starved", random.uniform(5, 90) if waits else 0.0),
        ):
            left = length
            ticks = clock in {name, "calendar"}
            while ticks and k < len(lives) and lives[k] - age < left:
                step = lives[k] - age
                rows += [(time, time + step, name)]
                rows += [(time + step, time + step + repairs[k], "breakdown")]
                time, left, age, k = time + step + repairs[k], left - step, 0.0, k + 1
            rows.append((time, time + left, name))
            time, age = time + left, age + left * ticks
    return table(rows)


def test_exponential_rate_is_failures_over_operating_time():
    rows = [
        (0.0, 100.0, "executing"),
        (100.0, 110.0, "breakdown"),
        (110.0, 400.0, "starved"),
        (400.0, 450.0, "executing"),
        (450.0, 470.0, "breakdown"),
        (470.0, 480.0, "executing"),
        # A gap; the machine was already down when the record went on.
        (900.0, 930.0, "breakdown"),
        (930.0, 970.0, "executing"),
    ]
    (stop,) = learn_stops(table(rows), rows="2-9")["m"]
    assert (stop.n_stops, stop.exposure, stop.clock) == (2, 200.0, "running")
    assert stop.between.value == 100.0
    assert stop.between.low == pytest.approx(1 / rate_interval(2, 200.0)[1], rel=1e-5)
    assert stop.between.high == pytest.approx(1 / rate_interval(2, 200.0)[0], rel=1e-5)
    assert stop.law.distribution == "exponential"
    assert stop.law.mean == 100.0
    assert stop.repair.mean.value == 15.0
    assert not stop.is_identified
    assert "Not identified: 2 stops, fewer than 10." in stop.notes


def test_rate_interval_is_garwoods():
    # Tables of Poisson limits: 0 events 0-3.689, 10 events 4.795-18.39.
    assert rate_interval(0, 1.0) == pytest.approx((0.0, 3.689), abs=1e-3)
    assert rate_interval(10, 2.0) == pytest.approx((4.795 / 2, 18.39 / 2), abs=1e-2)


@pytest.fixture(scope="module")
def random():
    return np.random.default_rng(21)


def test_constant_rate_stays_exponential(random):
    lives, repairs = random.exponential(400.0, 900), random.exponential(30.0, 900)
    (stop,) = learn_stops(record(lives, repairs))["m"]
    assert stop.law.distribution == "exponential"
    assert stop.clock == "running"
    assert stop.n_stops == 900
    # The mean of 900 lives is known to 3.3 %; what matters here is that no time is lost.
    assert stop.between.value == pytest.approx(lives.mean(), rel=0.01)
    assert stop.repair.mean.value == pytest.approx(repairs.mean(), rel=0.01)


def test_ageing_is_seen_and_becomes_a_weibull_law(random):
    lives, repairs = 500.0 * random.weibull(2.5, 400), random.exponential(30.0, 400)
    (stop,) = learn_stops(record(lives, repairs))["m"]
    assert stop.law.distribution == "weibull"
    mean = 500.0 * math.gamma(1.4)
    cv = math.sqrt(math.gamma(1.8) / math.gamma(1.4) ** 2 - 1)
    known = stop.law.estimates
    assert known["mean"].low < mean < known["mean"].high
    assert known["cv"].low < cv < known["cv"].high
    assert known["mean"].high - known["mean"].low < 0.1 * mean


def test_weibull_interval_covers_the_mean_about_as_often_as_it_says(random):
    trials, hits = 60, 0
    for trial in range(trials):
        lives = 500.0 * random.weibull(2.5, 60)
        (stop,) = learn_stops(record(lives, np.full(60, 20.0), seed=trial, waits=False))["m"]
        hits += stop.between.low <= 500.0 * math.gamma(1.4) <= stop.between.high
    assert hits / trials >= 0.87


def test_stops_of_the_calendar_are_told_from_those_of_operation(random):
    lives, repairs = random.exponential(400.0, 200), random.exponential(30.0, 200)
    (running,) = learn_stops(record(lives, repairs, clock="executing"))["m"]
    (calendar,) = learn_stops(record(lives, repairs, clock="calendar"))["m"]
    assert (running.clock, calendar.clock) == ("running", "calendar")
    assert calendar.between.value == pytest.approx(lives.mean(), rel=0.02)


def test_clock_of_a_machine_that_always_works_is_not_certain(random):
    lives, repairs = random.exponential(400.0, 50), random.exponential(30.0, 50)
    (stop,) = learn_stops(record(lives, repairs, waits=False))["m"]
    assert stop.clock == "running"
    assert "do not differ enough" in stop.notes[0]


def test_availability_agrees_with_the_share_of_time_and_the_law(random):
    lives, repairs = random.exponential(300.0, 3000), random.exponential(60.0, 3000)
    states = record(lives, repairs, waits=False)
    (stop,) = learn_stops(states)["m"]
    spent = dict(
        states.group_by("state")
        .agg((pl.col("end") - pl.col("start")).sum().alias("time"))
        .iter_rows()
    )
    share = spent["executing"] / (spent["executing"] + spent["breakdown"])
    assert stop.availability.value == pytest.approx(share, rel=1e-3)
    # MTBF / (MTBF + MTTR) = 5/6, within 5 standard errors, which are 2 % of it.
    error = (stop.availability.high - stop.availability.low) / 2 / 1.96
    assert abs(stop.availability.value - 5 / 6) < 5 * error
    assert 5 * error < 0.03 * 5 / 6


def test_clustered_stops_keep_their_rate_in_the_long_run(random):
    # Bursts of 20 stops at 10 s, then 5000 s without, and a gap in each long stretch.
    rows, time = [], 0.0
    for _ in range(15):
        rows.append((time, time + 5000.0, "executing"))
        time += 5000.0
        for _ in range(20):
            life = random.exponential(10.0) + 1e-3
            rows += [(time, time + 5.0, "breakdown"), (time + 5.0, time + 5.0 + life, "executing")]
            time += 5.0 + life
        time += 100.0
    (stop,) = learn_stops(table(rows))["m"]
    assert stop.law.mean == pytest.approx(stop.exposure / stop.n_stops)
    assert stop.between.low <= stop.law.mean <= stop.between.high


def test_short_and_long_stops_are_told_apart(random):
    short, long = random.lognormal(1.5, 0.4, 300), random.lognormal(6.0, 0.5, 60)
    repairs = random.permutation(np.r_[short, long])
    stops = learn_stops(record(random.exponential(200.0, 360), repairs))["m"]
    kinds = {stop.kind: stop for stop in stops}
    assert kinds.keys() == {"breakdown", "micro_stop"}
    assert kinds["micro_stop"].n_stops == 300
    assert kinds["breakdown"].n_stops == 60
    assert kinds["breakdown"].repair.mean.value == pytest.approx(long.mean(), rel=0.02)
    assert "told apart by their lengths" in kinds["breakdown"].notes[-1]


@pytest.mark.parametrize(
    "draw",
    [
        lambda random: random.exponential(60.0, 500),
        lambda random: random.lognormal(4.0, 1.0, 500),
        lambda random: 60.0 * random.weibull(0.7, 500),
        lambda random: random.gamma(0.8, 60.0, 500),
    ],
)
def test_one_law_is_not_split(random, draw):
    assert all(split_stops(draw(random)) is None for _ in range(10))


def test_few_stops_are_not_split():
    assert split_stops(np.r_[np.full(10, 1.0), np.full(10, 100.0)]) is None


def test_timetable_of_planned_stops_is_found():
    rows, time = [], 0.0
    for k in range(30):
        rows += [(time, time + 7000.0, "executing"), (time + 7000.0, time + 7200.0, "starved")]
        rows += [(time + 7200.0, time + 8100.0 + (k % 3) * 60.0, "planned_stop")]
        rows += [(time + 8100.0 + (k % 3) * 60.0, time + 8280.0, "starved")]
        time += 8280.0
    (stop,) = learn_stops(table(rows))["m"]
    assert (stop.kind, stop.clock) == ("planned", "calendar")
    assert stop.law == pytest.approx(8280.0)
    described = stop.to_stop()
    assert described.every == pytest.approx(8280.0)
    assert described.estimates["every"].n == 29


def test_stop_for_a_description_carries_its_estimates(random):
    lives, repairs = random.exponential(400.0, 60), np.full(60, 25.0)
    (learned,) = learn_stops(record(lives, repairs), rows="2-200")["m"]
    stop = learned.to_stop()
    assert (stop.kind, stop.clock) == ("breakdown", "running")
    assert isinstance(stop.every, Distribution)
    assert stop.every.estimates["mean"].rows == "2-200"
    assert stop.duration == pytest.approx(25.0)
    assert stop.estimates["duration"].value == pytest.approx(25.0)


def test_each_machine_has_its_own_stops_and_none_is_invented():
    rows = [(0.0, 10.0, "executing"), (10.0, 12.0, "breakdown"), (12.0, 30.0, "executing")]
    both = pl.concat([table(rows, "first"), table(rows[:1], "second")])
    stops = learn_stops(both)
    assert [stop.n_stops for stop in stops["first"]] == [1]
    assert stops["second"] == ()


def test_no_rows_give_no_machines():
    assert learn_stops(table([(0.0, 1.0, "executing")]).clear()) == {}
