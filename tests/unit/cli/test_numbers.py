"""Numbers are rounded to what is known."""

import math

import pytest

from gigatwin.cli.numbers import estimate, number, relative, unit_for_people


@pytest.mark.parametrize(
    ("mean", "half", "expected"),
    [
        (6793.86, 336.7, "6794 ± 337"),
        (0.7561, 0.0373, "0.756 ± 0.037"),
        (12345678.9, 1234.5, "12345679 ± 1234"),
        (5.0, 0.0, "5 ± 0"),
        (0.0, 0.0, "0 ± 0"),
        (-3.25, 0.5, "-3.25 ± 0.50"),
        (1.0, 1e-15, "1 ± 0"),
        (2.5, math.nan, "2.5"),
    ],
)
def test_interval_decides_the_digits(mean, half, expected):
    assert estimate(mean, mean - half, mean + half) == expected


@pytest.mark.parametrize("mean", [None, math.nan, math.inf])
def test_what_is_not_known_is_a_dash(mean):
    assert estimate(mean, mean, mean) == "\u2013"


def test_places_can_be_limited():
    assert estimate(0.99996, 0.99995, 0.99997, 100.0, most_places=1) == "100.0 ± 0.0"


def test_numbers_have_four_digits():
    assert [number(x) for x in (0.05, 7.0, 123456.7, 1 / 3)] == ["0.05", "7", "123457", "0.3333"]


def test_relative_difference_has_a_sign():
    assert [relative(x) for x in (0.0351, -0.5, math.nan)] == ["+3.51", "-50.00", "\u2013"]


@pytest.mark.parametrize(
    ("kpi", "unit", "mean", "expected"),
    [
        ("lead_time_mean", "s", 90.0, "s"),
        ("lead_time_mean", "s", 900.0, "min"),
        ("lead_time_mean", "s", 9000.0, "h"),
        ("lead_time_mean", "s", 9e5, "d"),
        ("yield_ratio", "", 0.9, "%"),
        ("throughput_rate", "1/h", 9.0, "1/h"),
    ],
)
def test_unit_suits_the_size(kpi, unit, mean, expected):
    assert unit_for_people(kpi, unit, mean)[1] == expected
