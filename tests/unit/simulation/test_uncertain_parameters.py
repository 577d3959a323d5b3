"""A forecast learned from few rows is wide, one from many narrow, and it covers the truth."""

import math

import numpy as np
import pytest

from gigatwin.errors import StudyError
from gigatwin.factory import read_text
from gigatwin.kpi.statistics import mean_interval
from gigatwin.simulation import simulate
from gigatwin.studies.comparison import compare

pytestmark = pytest.mark.compiled

MEAN = 10.0
RATE = 3600 / MEAN


def learned(n, first=MEAN, second=MEAN):
    """Return two exponential machines as learned from n rows, 3 places between them."""
    half = 1.96 / math.sqrt(n)
    laws = [
        f"{{distribution: exponential, mean: {mean:.9g} s, estimates: {{mean: {{value: {mean:.9g}, "
        f"low: {mean * math.exp(-half):.9g}, high: {mean * math.exp(half):.9g}, unit: s, n: {n}, "
        "method: mean}}}"
        for mean in (first, second)
    ]
    return read_text(
        "name: two\n"
        "stations:\n"
        f"  first: {{time: {laws[0]}}}\n"
        f"  second: {{time: {laws[1]}, buffer: {{capacity: 3}}}}\n"
    )


def exact_rate(first, second):
    """Return the output per hour of two machines with 3 places, by their Markov chain."""
    # Items made by the first and not yet by the second, the last one blocked: 0 to 5.
    weights = (second / first) ** np.arange(6)
    return 3600 / first * weights[:-1].sum() / weights.sum()


def forecast(factory, **settings):
    chosen = {"days": 1.0, "replications": 20, "parameters": "uncertain"} | settings
    return simulate(factory, **chosen)


def width(result):
    _, low, high = result.total("throughput_rate")
    return high - low


def test_few_rows_give_a_wide_forecast_and_many_a_narrow_one():
    few, many = forecast(learned(200)), forecast(learned(10**6))
    assert width(few) > 5 * width(many)
    # Two means known to 7 % each, of which the slower machine counts for more.
    assert 0.1 < width(few) / few.total("throughput_rate")[0] < 0.4


def test_forecasts_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(1)
    n, n_lines = 200, 30
    truth = exact_rate(MEAN, MEAN)
    covered = {"uncertain": 0, "estimated": 0}
    for seed in range(n_lines):
        factory = learned(n, *(MEAN * rng.gamma(n, 1 / n, 2)))
        for parameters in covered:
            result = forecast(
                factory,
                days=0.3,
                replications=8,
                seed=seed,
                warm_up=3600.0,
                parameters=parameters,
            )
            _, low, high = result.total("throughput_rate")
            covered[parameters] += low <= truth <= high
    # 95 % of 30 is 28.5 with a standard deviation of 1.2; the chance of 7 hours makes it some more.
    assert covered["uncertain"] >= 25
    assert covered["estimated"] < 15


def test_exact_rate_is_that_of_the_known_cases():
    # Equal rates: (b + 2) / (b + 3) of the rate, b = 3.
    assert exact_rate(MEAN, MEAN) == pytest.approx(RATE * 5 / 6)


def test_more_replications_do_not_narrow_the_interval():
    factory = learned(200)
    few, many = forecast(factory, days=0.2), forecast(factory, days=0.2, replications=80)
    assert width(many) == pytest.approx(width(few), rel=0.35)
    values = many.samples["throughput_rate [1/h]"]
    _, low, high = many.total("throughput_rate")
    expected = mean_interval(values, kind="prediction")
    assert (low, high) == pytest.approx((expected.low, expected.high))
    assert np.mean((values > low) & (values < high)) > 0.9


def test_estimated_parameters_give_the_interval_of_the_mean():
    result = simulate(learned(200), days=0.2, replications=10)
    _, low, high = result.total("throughput_rate")
    expected = mean_interval(result.samples["throughput_rate [1/h]"])
    assert (low, high) == pytest.approx((expected.low, expected.high))
    assert result.parameters == "estimated"


def test_all_tables_have_the_wider_interval():
    result = forecast(learned(200), days=0.2)
    values = (
        result.stations["throughput_rate_high [1/h]"] - result.stations["throughput_rate [1/h]"]
    )
    assert values.to_list() == pytest.approx([width(result) / 2] * 2, rel=0.05)


def test_result_depends_on_the_seed_alone():
    factory = learned(200)
    one = forecast(factory, days=0.05, replications=4, threads=1)
    two = forecast(factory, days=0.05, replications=4, threads=2)
    other = forecast(factory, days=0.05, replications=4, seed=2)
    assert one.to_json() == two.to_json() != other.to_json()
    assert one.to_dict()["parameters"] == "uncertain"


def test_trace_is_that_of_the_first_drawn_factory():
    result = forecast(learned(200), days=0.02, replications=2, trace=True)
    assert result.events.height > 100


def test_capacity_that_is_not_known_is_drawn():
    text = """
name: unknown-buffer
stations:
  first: {time: {distribution: exponential, mean: 10 s}}
  second:
    time: {distribution: exponential, mean: 10 s}
    machines: 1
    estimates: {machines: {value: 1, low: 1, n: 9, method: overlap, is_identified: false}}
    buffer:
      capacity: 3
      estimates: {capacity: {value: 3, low: 3, n: 9, method: seen, is_identified: false}}
"""
    result = forecast(read_text(text), days=0.3)
    found = result.samples["throughput_rate [1/h]"]
    # From one machine and 3 places to two machines and 6.
    assert found.min() < 0.9 * RATE < 0.97 * RATE < found.max()


def test_factory_without_estimates_says_what_to_do():
    factory = read_text("name: plain\nstations: {only: {time: 1 s}}\n")
    with pytest.raises(StudyError, match=r"plain: no number has an estimate.*Learn the factory"):
        forecast(factory)
    with pytest.raises(StudyError, match="plain: no number has an estimate"):
        compare(factory, {"faster": {"only.speed": 2}}, parameters="uncertain")


def test_precision_is_refused():
    with pytest.raises(StudyError, match=r"precision: 0\.01 with uncertain parameters"):
        forecast(learned(200), precision=0.01)


def test_unknown_parameters_are_refused():
    with pytest.raises(StudyError, match="parameters: certain; must be estimated or uncertain"):
        forecast(learned(200), parameters="certain")


def test_comparison_gives_base_and_scenario_the_same_draw():
    found = compare(
        learned(200),
        {"same": {"first.speed": 1.0}, "faster": {"first.speed": 1.1, "second.speed": 1.1}},
        days=0.3,
        replications=10,
        warm_up=3600.0,
        parameters="uncertain",
    )
    assert found.row("same", "throughput_rate")["difference_high"] == 0
    faster = found.row("faster", "throughput_rate")
    assert faster["verdict"] == "better"
    assert faster["relative_difference"] == pytest.approx(0.1, abs=0.01)
    alone = width(found.results["faster"])
    assert faster["difference_high"] - faster["difference_low"] < alone / 4
