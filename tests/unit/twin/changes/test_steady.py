"""A prediction from a steady state has the means and spreads that are known exactly."""

import numpy as np
import pytest

from gigatwin.factory import read_text, with_changes
from gigatwin.twin.changes import Guard
from gigatwin.twin.changes.errors import ChangeError
from gigatwin.twin.changes.steady import SteadyState, making

CONSTANT = "name: line\nstations:\n  press: {kind: discrete, time: 10 s}\n"
RANDOM = """
name: line
formats: {A: {}, B: {}}
orders: [{format: A, quantity: 1000000}]
stations:
  press:
    kind: discrete
    time: {distribution: exponential, mean: 10 s}
    scrap: {by_format: {A: 0.1, B: 0.3}}
"""
PREDICT = SteadyState(days=1.0, replications=8)


@pytest.mark.compiled
def test_constant_times_give_exact_counts():
    factory = read_text(CONSTANT, "line.yaml")
    changed = with_changes(factory, {"press.speed": 1.25})
    guard = Guard(stations=("press",), model_error=0.0)
    prediction = PREDICT(factory, changed, None, guard)
    (seen,) = prediction.watched
    assert seen.good == pytest.approx([75 * (k + 1) for k in range(12)], abs=0.2)
    assert seen.good_before == pytest.approx(360, abs=0.2)
    assert seen.covariance[-1][-1] < 0.5
    effect = next(each for each in prediction.effects if each.name == "throughput_rate")
    assert effect.after / effect.before == pytest.approx(1.25, rel=1e-3)
    assert effect.verdict == "better"
    assert "steady state, 8 replications of 1 d" in prediction.how


@pytest.mark.compiled
def test_exponential_times_give_poisson_counts():
    factory = read_text(RANDOM, "line.yaml")
    changed = with_changes(factory, {"press.speed": 2})
    guard = Guard(stations=("press",), model_error=0.0, watch=3600, looks=4)
    (seen,) = SteadyState(days=2.0, replications=10)(factory, changed, None, guard).watched
    # Good items leave as a Poisson process of 0.9 x 720 an hour; some 450 windows.
    assert seen.good[-1] == pytest.approx(648, abs=5 * np.sqrt(648 / 450))
    assert seen.covariance[-1][-1] == pytest.approx(648, rel=5 * np.sqrt(2 / 450))
    assert seen.covariance[0][-1] == pytest.approx(162, rel=0.7)
    assert seen.scrap == pytest.approx(0.1, abs=0.005)


@pytest.mark.compiled
def test_other_format_is_simulated():
    factory = read_text(RANDOM, "line.yaml")
    guard = Guard(stations=("press",))
    (seen,) = PREDICT(factory, factory, "B", guard).watched
    assert seen.scrap == pytest.approx(0.3, abs=0.01)
    assert seen.scrap_before == pytest.approx(0.1, abs=0.01)


def test_unknown_format_is_one_clear_error():
    with pytest.raises(ChangeError, match="must be one of A, B"):
        making(read_text(RANDOM, "line.yaml"), "C")


@pytest.mark.compiled
def test_watch_longer_than_a_replication_has_enough_windows_all_the_same():
    factory = read_text(CONSTANT, "line.yaml")
    guard = Guard(stations=("press",), watch=2 * 86_400, model_error=0.0)
    changed = with_changes(factory, {"press.speed": 1.25})
    prediction = PREDICT(factory, changed, None, guard)
    assert "16 windows of the watch" in prediction.how
    assert prediction.watched[0].good[-1] == pytest.approx(21_600, abs=0.2)
