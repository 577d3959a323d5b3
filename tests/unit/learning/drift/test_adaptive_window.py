"""The adaptive window against its definition."""

import math

import numpy as np
import pytest

from gigatwin.learning.drift.adaptive_window import drops, unit_values


def is_cut(buckets: list[np.ndarray], delta: float) -> bool:
    """Return whether two parts of the window differ, for a cut between any two buckets."""
    window = np.concatenate(buckets)
    n = len(window)
    for place in np.cumsum([len(bucket) for bucket in buckets]):
        old, new = window[:place], window[place:]
        if min(len(old), len(new)) >= 5:
            logarithm = math.log(2.0 * math.log(n) / delta)
            inverse = 1.0 / len(old) + 1.0 / len(new)
            reach = math.sqrt(2.0 * inverse * window.var() * logarithm)
            reach += 2.0 / 3.0 * inverse * logarithm
            if abs(old.mean() - new.mean()) > reach:
                return True
    return False


def definition(values: np.ndarray, delta: float) -> list[int]:
    """Return the drops, with every value kept and all means computed from the values."""
    buckets: list[np.ndarray] = []
    found = []
    for index, value in enumerate(values):
        buckets.append(np.array([value]))
        size = 1
        while sum(len(bucket) == size for bucket in buckets) > 5:
            first = next(i for i, bucket in enumerate(buckets) if len(bucket) == size)
            buckets[first : first + 2] = [np.concatenate(buckets[first : first + 2])]
            size *= 2
        if (index + 1) % 32 == 0 and is_cut(buckets, delta):
            found.append(index)
            while is_cut(buckets, delta):
                del buckets[0]
    return found


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.3, -0.2])
def test_window_is_that_of_the_definition(shift):
    rng = np.random.default_rng(11)
    values = np.clip(rng.normal(0.5, 0.1, 640), 0, 1)
    values[200:400] = np.clip(values[200:400] + shift, 0, 1)
    expected = definition(values, 0.002)
    assert drops(values).tolist() == expected
    assert bool(expected) == (shift != 0.0)


def test_window_without_a_change_is_never_cut():
    rng = np.random.default_rng(3)
    for _ in range(20):
        assert len(drops(rng.uniform(size=2000))) == 0


def test_window_keeps_growing_over_a_long_time():
    rng = np.random.default_rng(4)
    values = np.concatenate((rng.uniform(0.0, 0.8, 20_000), rng.uniform(0.2, 1.0, 500)))
    found = drops(values)
    assert len(found)
    assert 20_000 <= found[0] < 20_200


def test_values_outside_the_unit_range_are_refused():
    with pytest.raises(ValueError, match="needs values between 0 and 1"):
        drops(np.array([0.5, 1.5]))
    with pytest.raises(ValueError, match="needs values between 0 and 1"):
        drops(np.array([0.5, math.nan]))


@pytest.mark.parametrize("values", [[], [0.5], [0.5] * 100])
def test_few_or_equal_values_have_no_change(values):
    assert len(drops(np.array(values, dtype=float))) == 0


def test_unit_values_have_the_median_in_the_middle():
    values = np.array([9.0, 10.0, 11.0, 1e6])
    scaled = unit_values(values, 3)
    assert scaled[1] == 0.5
    assert scaled[3] == 1.0
    assert unit_values(np.full(5, 3.0), 5).tolist() == [0.5] * 5
    assert unit_values(np.zeros(5), 5).tolist() == [0.5] * 5
