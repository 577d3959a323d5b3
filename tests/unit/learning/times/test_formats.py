"""What differs by format at a station: its laws, and the changeovers inside its visits."""

import numpy as np
import polars as pl
import pytest

from gigatwin.factory.durations import Distribution, Empirical
from gigatwin.learning.times.formats import find_formats
from gigatwin.learning.times.station_times import station_times

N = 2000


def visits(formats, durations, blocked=None):
    """Return visits of one machine that follow on each other; every item waits for it."""
    end = np.cumsum(durations)
    is_blocked = np.zeros(len(end), dtype=np.bool_) if blocked is None else blocked
    return pl.DataFrame(
        {
            "machine": "press",
            "start": end - durations,
            "end": end,
            "format": formats,
            "ready": np.zeros(len(end)),
            "is_blocked": is_blocked,
        }
    )


def law_mean(law):
    if isinstance(law, Empirical):
        return float(np.mean(law.samples))
    return law.mean if isinstance(law, Distribution) else law


def campaigns(means, size=20):
    """Return formats that change every ``size`` items, times of 2 % spread, and the changes."""
    number = np.arange(N) // size
    names = np.array(list(means))[number % len(means)]
    rng = np.random.default_rng(3)
    work = np.array([means[name] for name in names]) * rng.normal(1.0, 0.02, N)
    return names, work, np.append(False, names[1:] != names[:-1])


def test_slow_visits_of_a_job_shop_are_part_of_the_law_of_a_format():
    rng = np.random.default_rng(1)
    formats = rng.choice(["a", "b"], N)
    durations = np.where(formats == "a", 10.0, 14.0) * rng.gamma(100.0, 0.01, N)
    durations += np.where(rng.random(N) < 0.03, rng.exponential(100.0, N), 0.0)
    table = visits(formats, durations)
    laws = find_formats(table, durations, 0.0, may_stop=False).laws
    for name in ("a", "b"):
        sample = durations[formats == name].mean()
        assert law_mean(laws[name]) == pytest.approx(sample, rel=0.01)
    # Where they may be stops, the law is that of the work alone.
    assert law_mean(find_formats(table, durations, 0.0).laws["a"]) == pytest.approx(10.0, abs=0.2)


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_changeover_inside_a_visit_is_counted_once(spread):
    formats, work, is_changed = campaigns({"a": 10.0, "b": 10.0})
    rng = np.random.default_rng(4)
    durations = work + np.where(is_changed, 120.0 * np.maximum(rng.normal(1, spread, N), 0.0), 0.0)
    table = visits(formats, durations)
    found = find_formats(table, durations, 0.0)
    assert found.changeovers.place == "inside"
    # 99 changes with this spread.
    reach = 5 * 120.0 * spread / 99**0.5 + 1.0
    assert law_mean(found.changeovers.changeover.time) == pytest.approx(120.0, abs=reach)
    assert found.laws == {}
    assert np.all(found.level[~is_changed] == 0.0)
    expected = found.changeovers.changeover.estimates["time"].value
    assert found.level[is_changed].mean() == pytest.approx(expected, rel=0.01)
    times = station_times(
        durations - found.level,
        table["is_blocked"].to_numpy(),
        table["start"].to_numpy(),
        jitter=0.0,
        rows="",
    )
    assert times.mean.value == pytest.approx(10.0, abs=0.05)
    assert times.stops == ()


def test_laws_of_formats_are_without_the_changeovers_inside():
    formats, work, is_changed = campaigns({"a": 10.0, "b": 14.0})
    durations = work + np.where(is_changed, np.where(formats == "a", 60.0, 120.0), 0.0)
    for may_stop in (True, False):
        found = find_formats(visits(formats, durations), durations, 0.0, may_stop=may_stop)
        assert law_mean(found.laws["a"]) == pytest.approx(10.0, abs=0.1)
        assert law_mean(found.laws["b"]) == pytest.approx(14.0, abs=0.1)
        # Times of a mean format, without changeovers.
        assert (durations - found.level).max() < 14.0
        of_change = found.level[is_changed] + np.where(formats == "a", 2.0, -2.0)[is_changed]
        to_b = formats[is_changed] == "b"
        assert of_change[~to_b].mean() == pytest.approx(60.0, abs=0.5)
        assert of_change[to_b].mean() == pytest.approx(120.0, abs=0.5)


def test_stops_are_still_seen_beside_changeovers_inside():
    formats, work, is_changed = campaigns({"a": 10.0, "b": 10.0})
    stopped = np.where(np.arange(N) % 30 == 7, 60.0, 0.0)
    durations = work + np.where(is_changed, 120.0, 0.0) + stopped
    table = visits(formats, durations)
    found = find_formats(table, durations, 0.0)
    times = station_times(
        durations - found.level,
        table["is_blocked"].to_numpy(),
        table["start"].to_numpy(),
        jitter=0.0,
        rows="",
    )
    (stop,) = times.stops
    assert stop.mean_between.value == pytest.approx(300.0, rel=0.2)
    assert stop.duration.mean == pytest.approx(60.0, rel=0.1)


def test_every_visit_a_change_takes_off_the_mean_of_its_pair():
    # Format c never follows itself, so nothing shows its work alone.
    formats = np.array((["a"] * 10 + ["c"]) * 30)
    rng = np.random.default_rng(5)
    work = rng.normal(10.0, 0.2, len(formats))
    is_changed = np.append(False, formats[1:] != formats[:-1])
    durations = work + np.where(is_changed, 120.0, 0.0)
    found = find_formats(visits(formats, durations), durations, 0.0)
    assert durations - found.level == pytest.approx(10.0, abs=1.5)


def test_work_is_not_below_zero_nor_a_held_up_visit_cut_short():
    formats, work, is_changed = campaigns({"a": 10.0, "b": 10.0})
    durations = work + np.where(is_changed, 120.0, 0.0)
    blocked = np.arange(N) % 40 == 20
    assert is_changed[blocked].all()
    found = find_formats(visits(formats, durations, blocked), durations, 0.0)
    assert np.all(found.level[blocked] == 0.0)
    assert np.all(found.level[is_changed & ~blocked] > 100.0)
    # Durations in which the machine's records leave no changeover keep their time.
    found = find_formats(visits(formats, durations), work, 0.0)
    assert found.level == pytest.approx(0.0, abs=1.5)
    found = find_formats(visits(formats, durations), np.where(is_changed, 0.0, work), 0.0)
    assert found.level == pytest.approx(0.0, abs=1e-9)


def test_changeover_between_visits_is_no_part_of_them():
    formats, work, is_changed = campaigns({"a": 10.0, "b": 10.0})
    table = visits(formats, work + np.where(is_changed, 120.0, 0.0))
    table = table.with_columns(start=pl.col("end") - pl.Series(work))
    found = find_formats(table, work, 0.0)
    assert found.changeovers.place == "between"
    assert found.changeovers.changeover is not None
    assert np.all(found.level == 0.0)


def test_order_of_the_visits_does_not_matter():
    formats, work, is_changed = campaigns({"a": 10.0, "b": 14.0})
    durations = work + np.where(is_changed, 120.0, 0.0)
    table = visits(formats, durations)
    order = np.random.default_rng(6).permutation(N)
    found = find_formats(table[order.tolist()], durations[order], 0.0)
    assert found.level == pytest.approx(find_formats(table, durations, 0.0).level[order])


def test_few_visits_and_missing_formats_are_survived():
    table = visits(["a", None, "b", "b", None], np.array([1.0, 2.0, 130.0, 2.0, 2.0]))
    for n in (1, 2, 5):
        part = table.head(n)
        found = find_formats(part, (part["end"] - part["start"]).to_numpy(), 0.0)
        assert found.level.shape == (n,)
        assert np.isfinite(found.level).all()
