"""Formats: processing times and changeovers."""

import numpy as np
import polars as pl
import pytest

from gigatwin.factory.described import ByFormat
from gigatwin.learning.times.changeovers import find_changeovers, format_times

TIMES = {("4680", "4695"): 600.0, ("4695", "4680"): 900.0}


def test_formats_with_different_means_have_laws_of_their_own():
    rng = np.random.default_rng(1)
    formats = np.repeat(["a", "b"], 200)
    times = np.where(formats == "a", 20.0, 22.0) * rng.gamma(400, 1 / 400, 400)
    found = format_times(times, formats, np.arange(400) + 2)
    assert found.differ
    assert isinstance(found.time, ByFormat)
    assert set(found.time.by_format) == {"a", "b"}
    assert found.means["a"].low < 20.0 < found.means["a"].high
    assert found.means["b"].low < 22.0 < found.means["b"].high
    assert found.means["b"].rows == "202-401 (200 rows)"


def test_formats_with_the_same_mean_share_a_law():
    rng = np.random.default_rng(2)
    n_different = 0
    for _ in range(200):
        formats = rng.choice(["a", "b", "c"], 90)
        spread = np.where(formats == "a", 3.0, 1.0)
        n_different += format_times(20 + spread * rng.normal(size=90), formats).differ
    # One in a thousand by the level of the test, 200 times.
    assert n_different <= 2


def test_repairs_do_not_make_formats_different():
    rng = np.random.default_rng(3)
    formats = np.repeat(["a", "b"], 500)
    times = rng.normal(20, 1, 1000)
    times[:20] += 500.0
    assert not format_times(times, formats).differ


@pytest.mark.parametrize(
    ("times", "formats", "differ"),
    [
        ([5.0], ["a"], False),
        ([5.0, 6.0], ["a", "b"], False),
        ([5.0] * 4, ["a", "a", "b", "b"], False),
        ([5.0, 5.0, 6.0, 6.0], ["a", "a", "b", "b"], True),
        ([0.0] * 4, ["a", "a", "b", "b"], False),
    ],
)
def test_few_and_equal_times_are_compared_too(times, formats, differ):
    assert format_times(np.array(times), np.array(formats)).differ == differ


def history(formats, *, place="between", supply=0.0, jitter=0.0, seed=4):
    """Return visits of a machine that takes 20 s and is handed the next item in 2 s.

    Items are ready every ``supply`` seconds.
    """
    rng = np.random.default_rng(seed)
    rows, now, before = [], 0.0, formats[0]
    for number, name in enumerate(formats):
        ready = number * supply
        setup = TIMES.get((before, name), 0.0)
        setup = max(setup * (1 + jitter * rng.normal()), 0.0)
        enter = max(now, ready) + 2.0
        start = enter + setup * (place == "between")
        end = enter + setup + 20.0 + rng.normal(0, 0.5)
        rows.append(("press", start, end, name, ready))
        now, before = end, name
    columns = ["machine", "start", "end", "format", "ready"]
    return pl.DataFrame(rows, schema=columns, orient="row").with_row_index("row", 2)


def campaigns(n=12, size=30):
    return [name for number in range(n) for name in [("4680", "4695")[number % 2]] * size]


@pytest.mark.parametrize("place", ["between", "inside"])
def test_changeover_times_of_both_directions_are_found(place):
    found = find_changeovers(history(campaigns(), place=place))
    assert found.place == place
    assert found.is_identified
    for pair, time in TIMES.items():
        assert found.means[pair].value == pytest.approx(time, abs=1.0)
        assert found.means[pair].n == (6 if pair == ("4680", "4695") else 5)
    times = {(t.from_format, t.to_format): t for t in found.changeover.times}
    assert set(times) == set(TIMES)
    assert times["4695", "4680"].time == pytest.approx(900.0, abs=1.0)
    assert times["4695", "4680"].estimates["time"].n == 5
    assert found.not_seen == ()


def test_changeovers_that_do_not_differ_have_one_time():
    formats = ["4680"] * 20
    for number in range(12):
        formats += [("4695", "46120", "4680")[number % 3]] * 20
    visits = history(formats)
    # The same 600 s in every direction.
    rng = np.random.default_rng(6)
    is_change = (pl.col("format") != pl.col("format").shift(1)).fill_null(value=False)
    extra = pl.when(is_change).then(pl.Series(600 + rng.normal(0, 30, visits.height))).otherwise(0)
    plain = history(["4680"] * len(formats)).with_columns(format=pl.Series(formats))
    moved = plain.with_columns(extra=extra.cum_sum(), own=extra)
    moved = moved.with_columns(pl.col("start") + pl.col("extra"), pl.col("end") + pl.col("extra"))
    found = find_changeovers(moved)
    assert found.changeover.times == ()
    assert found.changeover.estimates["time"].low < 600 < found.changeover.estimates["time"].high
    assert found.not_seen == (("46120", "4695"), ("4680", "46120"), ("4695", "4680"))
    assert "46120->4695" in found.note


def test_direction_that_never_happened_is_not_identified():
    found = find_changeovers(history(["4695"] * 50 + ["4680"] * 50))
    assert list(found.means) == [("4695", "4680")]
    assert found.not_seen == (("4680", "4695"),)
    assert "4680->4695" in found.note
    assert not found.means["4695", "4680"].is_identified


def test_starving_is_no_changeover():
    # Items come every 40 s and take 22 s: a changeover leaves a queue behind, which is at an end
    # before some of the later changes, and then the machine stands idle as well.
    visits = history(campaigns(size=40), supply=40.0)
    found = find_changeovers(visits)
    assert found.n_left_out > 0
    assert sum(mean.n for mean in found.means.values()) == 11 - found.n_left_out
    for pair, time in TIMES.items():
        assert found.means[pair].value == pytest.approx(time, abs=1.0)
    assert f"{found.n_left_out} changes were left out" in found.note
    # Without the moments of readiness the idle time is taken for changeover.
    blind = find_changeovers(visits.drop("ready"))
    assert max(blind.means[pair].value - time for pair, time in TIMES.items()) > 1.0


def test_without_the_moments_of_readiness_nothing_is_certain():
    found = find_changeovers(history(campaigns()).drop("ready"))
    assert not found.is_identified
    assert found.means["4680", "4695"].value == pytest.approx(600.0, abs=1.0)
    assert "waiting for them may be included" in found.note


def test_formats_that_need_no_changeover_have_none():
    visits = history(["4680"] * 600).with_columns(format=pl.Series(campaigns(20)))
    found = find_changeovers(visits)
    assert found.changeover is None
    assert found.is_identified
    assert "took no longer" in found.note


@pytest.mark.parametrize("formats", [["4680"], ["4680"] * 5, ["4680", "4695"]])
def test_little_to_see_is_said(formats):
    found = find_changeovers(history(formats))
    assert found.changeover is None
    assert "not identified" in found.note


def test_two_machines_have_changes_of_their_own():
    first = history(campaigns())
    second = first.with_columns(
        machine=pl.lit("press 2"), start=pl.col("start") + 7.0, end=pl.col("end") + 7.0
    )
    found = find_changeovers(pl.concat((first, second)))
    assert found.means["4680", "4695"].n == 12
    assert found.means["4680", "4695"].value == pytest.approx(600.0, abs=1.0)
