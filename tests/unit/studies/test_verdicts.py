"""A verdict needs an interval without 0, and knows which way is good."""

import math

import pytest

from gigatwin.kpi.statistics import Interval
from gigatwin.studies.verdicts import verdict


def difference(mean, half_width):
    return Interval(mean, half_width, 10, 0.95)


@pytest.mark.parametrize(
    ("kpi", "mean", "expected"),
    [
        ("throughput_rate", 2.0, "better"),
        ("throughput_rate", -2.0, "worse"),
        ("yield_ratio", 2.0, "better"),
        ("lead_time_mean", 2.0, "worse"),
        ("lead_time_mean", -2.0, "better"),
        ("electricity_per_product", -2.0, "better"),
        ("something_else", 2.0, "higher"),
        ("something_else", -2.0, "lower"),
    ],
)
def test_clear_difference_has_a_direction(kpi, mean, expected):
    assert verdict(kpi, difference(mean, 1.0)) == expected


@pytest.mark.parametrize("half_width", [2.0, 2.1, math.inf, math.nan])
def test_interval_with_zero_is_no_clear_difference(half_width):
    assert verdict("throughput_rate", difference(2.0, half_width)) == "no clear difference"


def test_exactly_nothing_is_no_clear_difference():
    assert verdict("throughput_rate", difference(0.0, 0.0)) == "no clear difference"
