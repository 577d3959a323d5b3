"""Dates of changes: PELT against an exhaustive search and another implementation."""

import math

import numpy as np
import pytest
import ruptures
from scipy import signal

from gigatwin.learning.drift.change_points import (
    ChangePoint,
    change_points,
    long_run_deviation,
    pelt,
    penalty,
)


def series(rng: np.random.Generator) -> np.ndarray:
    levels = rng.normal(0, 2, size=rng.integers(1, 5))
    return np.concatenate([rng.normal(level, 1, rng.integers(3, 40)) for level in levels])


def cheapest_cut(values: np.ndarray, gain: float, minimum: int, cost: str) -> list[int]:
    """Return the cut by trying every last piece at every end, without leaving any out."""
    n = len(values)
    best: list[tuple[float, list[int]]] = [(-gain, [])] + [(math.inf, [])] * n
    for end in range(minimum, n + 1):
        for start in range(end - minimum + 1):
            piece = values[start:end]
            price = piece.var() * len(piece)
            if cost == "mean_variance":
                price = len(piece) * math.log(piece.var())
            total = best[start][0] + price + gain
            if total < best[end][0]:
                best[end] = total, [*best[start][1], start] if start else []
    return best[n][1]


@pytest.mark.parametrize("minimum", [1, 2, 5])
def test_cuts_are_those_of_ruptures(minimum):
    rng = np.random.default_rng(1)
    n_cuts = 0
    for _ in range(12):
        values = series(rng)
        if len(values) < 2 * minimum:
            continue
        for gain in (3.0, 10.0):
            model = ruptures.Pelt(model="l2", min_size=minimum, jump=1).fit(values)
            expected = model.predict(pen=gain)[:-1]
            assert pelt(values, gain, minimum) == expected
            n_cuts += len(expected)
    assert n_cuts > 20


@pytest.mark.parametrize(("minimum", "cost"), [(1, "mean"), (4, "mean"), (4, "mean_variance")])
def test_cuts_are_those_of_an_exhaustive_search(minimum, cost):
    rng = np.random.default_rng(2)
    n_cuts = 0
    for _ in range(8):
        values = series(rng)
        expected = cheapest_cut(values, 8.0, minimum, cost)
        assert pelt(values, 8.0, minimum, cost) == expected
        n_cuts += len(expected)
    assert n_cuts > 5


def test_change_of_the_spread_alone_is_found_by_mean_and_variance():
    rng = np.random.default_rng(3)
    values = np.concatenate((rng.normal(0, 1, 200), rng.normal(0, 5, 200)))
    (cut,) = pelt(values, 3 * penalty(400), 5, "mean_variance")
    assert cut == pytest.approx(200, abs=5)


def test_noise_has_no_change():
    rng = np.random.default_rng(4)
    assert sum(len(change_points(rng.normal(size=300))) for _ in range(60)) == 0


def test_noise_with_memory_has_no_change():
    rng = np.random.default_rng(5)
    for _ in range(10):
        values = signal.lfilter([1.0], [1.0, -0.5], rng.normal(size=1000))
        assert change_points(values) == ()


def test_interval_of_the_date_holds_it_in_19_of_20_cases():
    rng = np.random.default_rng(6)
    n_trials, n_held, n_found, widths = 120, 0, 0, []
    for _ in range(n_trials):
        values = rng.normal(size=300)
        values[170:] += 1.0
        points = change_points(values)
        n_found += len(points)
        n_held += any(point.low <= 170 <= point.high for point in points)
        widths.extend(point.high - point.low for point in points)
    assert n_found == n_trials
    # Binomial with 120 trials: 0.95 has a standard error of 0.02.
    assert n_held / n_trials > 0.95 - 3 * 0.02
    assert np.mean(widths) < 25


def test_clear_change_is_dated_to_the_value():
    values = np.concatenate((np.full(50, 10.0), np.full(30, 12.0)))
    assert change_points(values) == (ChangePoint(50, 50, 50),)


def test_long_series_is_dated_to_the_value_too():
    rng = np.random.default_rng(8)
    values = rng.normal(size=20_001)
    values[12_345:] += 5.0
    (point,) = change_points(values)
    assert point.index == 12_345
    assert point.low <= 12_345 <= point.high


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [3.0] * 50])
def test_few_or_equal_values_have_no_change(values):
    assert change_points(np.array(values)) == ()
    assert pelt(np.array(values), 1.0) == []


def test_long_run_deviation_is_that_of_sums():
    rng = np.random.default_rng(9)
    n = 40_000
    assert long_run_deviation(rng.normal(size=n)) == pytest.approx(1.0, abs=0.02)
    # A first-order autoregression with r: variance of sums 1 / (1 - r)^2.
    values = signal.lfilter([1.0], [1.0, -0.6], rng.normal(size=n))
    assert long_run_deviation(values) == pytest.approx(1 / 0.4, rel=0.05)
    values[n // 2 :] += 10.0
    assert long_run_deviation(values) == pytest.approx(1 / 0.4, rel=0.05)
