"""Changes of a plant: when, how large, which station."""

import math

import numpy as np
import polars as pl
import pytest

from gigatwin.learning.drift.drift import (
    DAY,
    changed_stations,
    delay_table,
    find_drift,
    since,
    watch,
)


def gamma(rng, n, mean=20.0, cv=0.05):
    return mean * rng.gamma(cv**-2, cv**2, n)


@pytest.fixture
def changed():
    rng = np.random.default_rng(1)
    values = gamma(rng, 4000)
    values[3000:] *= 1.05
    return np.arange(4000) * 20.0, values


def test_change_is_called_dated_and_sized(changed):
    times, values = changed
    rows = np.arange(4000) + 2
    drift = find_drift(times, values, name="press", rows=rows)
    (change,) = drift.changes
    assert change.low <= 3000 * 20.0 <= change.high
    assert change.high - change.low < 60 * 20.0
    assert change.size.low < 0.05 < change.size.high
    assert change.size.high - change.size.low < 0.02
    assert change.before.low < 20.0 < change.before.high
    assert change.after.low < 21.0 < change.after.high
    assert change.before.rows == f"2-{change.point.index + 1} ({change.point.index} rows)"
    (alarm,) = drift.alarms
    assert 3000 <= alarm.index < 3040
    assert alarm.direction == 1
    assert drift.since == change.high
    assert drift.second_opinion[0] > 3000 * 20.0


def test_rate_of_false_alarms_is_said_in_words_and_shared_by_the_signals(changed):
    times, values = changed
    one, fifty = (find_drift(times, values, signals=n) for n in (1, 50))
    # One value in 20 s, 30 days: 129 600 values.
    assert one.arl0 == pytest.approx(30 * DAY / 20, rel=1e-3)
    assert fifty.arl0 == pytest.approx(50 * one.arl0)
    assert "one false alarm in 30 days for this signal" in one.text
    assert "one false alarm in 30 days over all stations" in fifty.text
    assert fifty.alarms[0].index > one.alarms[0].index


def test_plant_that_stays_the_same_has_no_changes_and_no_alarms():
    rng = np.random.default_rng(2)
    for _ in range(8):
        drift = find_drift(np.arange(3000) * 20.0, gamma(rng, 3000))
        assert (drift.changes, drift.alarms, drift.second_opinion) == ((), (), ())
        assert drift.since is None
        assert "no change found" in drift.text


def test_repairs_in_the_processing_times_are_no_change():
    rng = np.random.default_rng(3)
    for _ in range(6):
        values = gamma(rng, 3000) + (rng.random(3000) < 0.02) * rng.exponential(300, 3000)
        drift = find_drift(np.arange(3000) * 20.0, values)
        assert (drift.changes, drift.alarms) == ((), ())


def test_early_change_is_no_part_of_what_the_alarms_are_set_by():
    rng = np.random.default_rng(7)
    for _ in range(5):
        values = gamma(rng, 3000, cv=0.1)
        values[300:] *= 1.1
        drift = find_drift(np.arange(3000) * 20.0, values)
        assert 200 <= drift.n_reference <= 310
        (alarm,) = drift.alarms
        assert 300 <= alarm.index < 400


def test_change_too_early_for_a_reference_leaves_that_of_the_next():
    rng = np.random.default_rng(8)
    values = gamma(rng, 3000)
    values[20:] *= 1.1
    values[600:] *= 1.1
    drift = find_drift(np.arange(3000) * 20.0, values)
    assert len(drift.changes) == 2
    assert 580 <= drift.n_reference <= 600
    (alarm,) = drift.alarms
    assert 600 <= alarm.index < 640


def test_capped_reference_raises_no_more_false_alarms():
    rng = np.random.default_rng(9)
    n_alarms = 0
    for _ in range(50):
        values = gamma(rng, 3000, cv=0.1)
        n_alarms += len(find_drift(np.arange(3000) * 20.0, values, wanted_interval=6e4).alarms)
    # Set for one in 3 000 values; 2 000 of each series are watched: 33, by chance 5 s.e. more.
    assert n_alarms <= 62


def test_two_changes_are_two(changed):
    times, values = changed
    values[1800:3000] *= 0.9
    drift = find_drift(times, values)
    assert [
        abs(change.point.index - at) <= 10
        for change, at in zip(drift.changes, (1800, 3000), strict=True)
    ] == [True, True]
    assert [alarm.direction for alarm in drift.alarms] == [-1, 1]


def test_change_of_a_constant_is_dated_exactly():
    values = np.concatenate((np.full(300, 20.0), np.full(100, 21.0)))
    (change,) = find_drift(np.arange(400) * 20.0, values).changes
    assert (change.point.index, change.point.low, change.point.high) == (300, 300, 300)
    assert (change.before.value, change.after.value) == (20.0, 21.0)
    assert change.size.value == pytest.approx(0.05)


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 19, [math.nan] * 50])
def test_few_values_are_said_to_be_too_few(values):
    drift = find_drift(np.arange(len(values)), np.array(values))
    assert (drift.changes, drift.alarms, drift.n_reference) == ((), (), 0)
    assert "not looked at" in drift.text


def test_values_enough_for_a_date_but_not_for_alarms_say_so():
    values = np.concatenate((np.full(30, 20.0), np.full(30, 30.0)))
    drift = find_drift(np.arange(60) * 20.0, values)
    assert len(drift.changes) == 1
    assert drift.n_reference == 0
    assert "no alarms are given" in drift.text


def test_equal_values_and_equal_times_are_no_change():
    assert not find_drift(np.arange(500) * 1.0, np.full(500, 3.0)).is_changed
    assert not find_drift(np.zeros(500), np.arange(500) * 1.0).is_changed


def test_order_of_the_rows_does_not_matter(changed):
    times, values = changed
    order = np.random.default_rng(4).permutation(len(times))
    assert find_drift(times[order], values[order]) == find_drift(times, values)


def visits(n=3000, seed=5):
    rng = np.random.default_rng(seed)
    frames = []
    for name, cv in (("cut", 0.05), ("press", 0.1), ("test", 0.03)):
        times = gamma(rng, n, cv=cv)
        if name == "press":
            times[2000:] *= 1.2
        start = np.arange(n) * 30.0
        p = np.where(np.arange(n) < 1500, 0.05, 0.25) if name == "test" else 0.05
        frame = pl.DataFrame({"station": name, "start": start, "end": start + times})
        frames.append(frame.with_columns(success=pl.Series(rng.random(n) >= p)))
    return pl.concat(frames).sort("start").with_row_index("row", 2)


def test_only_the_station_that_changed_is_to_be_learned_again():
    table = visits().drop("success")
    drifts = watch(table)
    assert [drift.station for drift in drifts] == ["cut", "press", "test"]
    moments = changed_stations(drifts)
    assert list(moments) == ["press"]
    assert moments["press"] == pytest.approx(2000 * 30.0, abs=20 * 30.0)
    kept = since(table, moments)
    counts = dict(kept.group_by("station").len().iter_rows())
    assert counts["cut"] == counts["test"] == 3000
    assert 950 < counts["press"] <= 1000
    assert since(table, {}).equals(table)


def test_more_failures_are_a_change_of_the_station():
    drifts = watch(visits())
    assert len(drifts) == 6
    changed = {drift.signal for drift in drifts if drift.is_changed}
    assert changed == {"press: processing time", "test: items between failures"}
    (change,) = next(d for d in drifts if d.signal.startswith("test: items")).changes
    assert change.low <= 1500 * 30.0 <= change.high
    # Items over failures, counted on either side of the change.
    assert change.before.value == pytest.approx(1500 / change.before.n, rel=0.05)
    assert change.after.value == pytest.approx(1500 / change.after.n, rel=0.05)
    assert change.after.low < 4.0 < change.after.high


def test_change_of_the_mix_is_no_change_of_the_station():
    rng = np.random.default_rng(6)
    n = 2000
    formats = np.where(rng.random(n) < np.where(np.arange(n) < 1000, 0.8, 0.2), "a", "b")
    start = np.arange(n) * 30.0
    times = np.where(formats == "a", gamma(rng, n, 15.0), gamma(rng, n, 20.0))
    table = pl.DataFrame(
        {"station": "press", "start": start, "end": start + times, "format": formats}
    )
    assert changed_stations(watch(table.drop("format")))
    assert changed_stations(watch(table)) == {}


def test_cycles_marked_as_not_normal_are_left_out():
    table = visits().drop("success").filter(pl.col("station") == "press")
    blocked = table.with_columns(fine=pl.col("start") < 2000 * 30.0)
    assert changed_stations(watch(blocked, normal="fine")) == {}


@pytest.mark.compiled
def test_delays_are_those_promised():
    table = delay_table(n_trials=5)
    delays = {
        (row["detector"], row["cv"], row["shift"]): row["delay"]
        for row in table.iter_rows(named=True)
    }
    # Not slower than a chart with the limits for one false alarm in 1e5 parts must be: the limit
    # is about 10 times the spread, and ADWIN needs hundreds of parts.
    assert delays["CUSUM", 0.03, 0.05] < 30
    assert delays["CUSUM", 0.03, 0.10] < 15
    assert delays["CUSUM", 0.10, 0.05] < 150
    assert delays["CUSUM", 0.10, 0.10] < 50
    for cv, shift in ((0.03, 0.02), (0.03, 0.05), (0.10, 0.05), (0.10, 0.10)):
        assert delays["ADWIN", cv, shift] > delays["CUSUM", cv, shift]
    # 2 000 of 3 000 parts are watched, 30 histories: 0.6 false alarms are to be expected.
    assert table.filter(pl.col("detector") == "CUSUM")["false_alarms"].sum() * 5 <= 5
    assert table.filter(pl.col("detector") == "ADWIN")["false_alarms"].sum() == 0
