"""Charts that are fed one value at a time."""

import numpy as np
import pytest

from gigatwin.learning.drift.cusum import average_run_length, first_call
from gigatwin.twin.watch.charts import LevelChart, RateChart, level_chart, rate_chart
from gigatwin.twin.watch.rate_limits import RateLimit


def run(chart: LevelChart, scores) -> tuple[int, int] | None:
    for k, score in enumerate(scores):
        side = chart.take(float(k), float(score))
        if side:
            return k, side
    return None


@pytest.mark.parametrize("seed", range(20))
def test_one_at_a_time_calls_where_the_whole_series_does(seed):
    rng = np.random.default_rng(seed)
    shift = 0.8 * rng.choice([-1, 1])
    scores = rng.standard_normal(400) + np.repeat([0.0, shift], 200)
    chart = LevelChart(8.0, 0.4)
    call = first_call(scores, 8.0, 0.4)
    assert call is not None
    assert run(chart, scores) == (call.index, call.direction)
    # The sum was 0 last at the value before the one that the change is dated to.
    since = chart.up_since if call.direction > 0 else chart.down_since
    assert since == max(call.begin - 1, 0)
    expected = scores[call.begin : call.index + 1].mean()
    assert chart.shift(call.direction) == pytest.approx(expected, abs=0.2)


def test_a_chart_runs_as_long_as_the_published_tables_say():
    # k = 0.5 and h = 4: 168 values on average (Hawkins and Olwell 1998, Montgomery).
    rng = np.random.default_rng(1)
    chart, lengths, n = LevelChart(4.0, 0.5), [], 0
    for score in rng.standard_normal(500_000).tolist():
        n += 1
        if chart.take(0.0, score):
            lengths.append(n)
            chart.restart(0.0)
            n = 0
    # About 2 980 runs of a nearly exponential law: 5 standard errors are 9 %.
    assert np.mean(lengths) == pytest.approx(168.0, rel=0.09)


@pytest.mark.parametrize("wanted", [465.0, 2e4, 2e7])
def test_limits_give_the_wanted_mean_run_length_or_a_quarter_more(wanted):
    chart = level_chart(wanted)
    assert chart is not None
    assert chart.allowance == 0.5
    found = average_run_length(chart.limit, chart.allowance)
    assert 0.99 * wanted <= found <= 1.27 * wanted


def test_a_short_record_gets_a_larger_allowance():
    long, short = level_chart(2e7, 0.25, 2000), level_chart(2e7, 0.25, 200)
    assert long is not None
    assert long.allowance == 0.25
    assert short is not None
    assert short.allowance > 0.25


def test_a_record_that_is_too_short_gets_no_chart():
    assert level_chart(1e9, 0.5, 5) is None


def counted(chart: RateChart, events) -> tuple[int, int] | None:
    """Return the item and the side of the first call, items one by one."""
    for k, event in enumerate(events):
        side = chart.take(float(k), 1.0, int(event))
        if side:
            return k, side
    return None


def test_events_in_portions_call_where_events_one_by_one_do():
    rng = np.random.default_rng(2)
    events = rng.random(4000) < np.repeat([0.01, 0.03], 2000)
    one_by_one = counted(rate_chart(1e5, 0.01, 0.01, by_item=True), events)
    chart, seen, portions = rate_chart(1e5, 0.01, 0.01, by_item=True), 0, None
    for k, event in enumerate(events):
        seen += 1
        if event or seen == 200:
            side = chart.take(float(k), float(seen), int(event))
            if side and portions is None:
                portions = k, side
            seen = 0
    assert one_by_one is not None
    assert one_by_one[1] == 1
    assert portions == one_by_one


def test_a_rate_that_falls_is_noticed_without_any_event():
    chart = rate_chart(1e6, 1.0, 1.0, by_item=False)
    side, hours = 0, 0
    while not side:
        hours += 1
        side = chart.take(float(hours), 1.0, 0)
    assert side == -1
    assert hours == int(np.ceil(chart.falling.limit / chart.falling.slope))


def test_counts_since_the_sum_was_0_belong_to_the_call():
    chart = RateChart(RateLimit(1.0, 3.0), RateLimit(1.0, 90.0), 0.1, 0.1)
    assert chart.take(100.0, 100.0, 1) == 0
    assert chart.take(101.0, 1.0, 1) == 0
    assert chart.take(102.0, 1.0, 1) == 0
    assert chart.take(103.0, 1.0, 1) == 1
    assert chart.up_counts == (4.0, 3.0)
    assert chart.up_since == 100.0
