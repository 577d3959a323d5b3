import math

import pytest

from gigatwin.app.numbers import MISSING, ShownUnit, count, shown_unit


@pytest.mark.parametrize(
    ("expected", "mean", "half_width", "unit"),
    [
        ("113.2 \u00b1 5.6 items/min", 6793.86, 336.7, "1/h"),
        ("12.00 \u00b1 0.25 items/h", 12.0, 0.25, "1/h"),
        ("97.04 \u00b1 0.02 %", 0.970396, 0.000172, ""),
        ("100.0 \u00b1 <0.1 %", 0.9999999, 1e-7, ""),
        ("11.76 \u00b1 0.65 min", 705.6, 38.8, "s"),
        ("459 \u00b1 18 Wh", 0.4587, 0.0179, "kWh"),
        ("2.19 MW", 2190.0, None, "kWh/h"),
        ("3.50 \u00b1 0.40 million items", 3.5023e6, 0.4024e6, "items"),
        ("1\u202f345 \u00b1 42 items", 1344.99, 42.2, "items"),
        ("6\u202f790 \u00b1 340 items", 6793.86, 336.7, "items"),
        ("30.0 \u00b1 0 min", 1800.0, 0.0, "s"),
        ("0 \u00b1 0 items/h", 0.0, 0.0, "1/h"),
        ("0.5 \u00b1 3.5 items", 0.51, 3.49, "items"),
    ],
)
def test_estimate_has_one_unit_and_no_digits_beyond_its_interval(expected, mean, half_width, unit):
    assert shown_unit(unit, mean).sentence(mean, half_width) == expected


def test_difference_that_rounds_to_nothing_has_no_sign():
    assert ShownUnit("%", 100.0).text(-1e-8, 5e-5) == ("0.0000", "\u00b1 0.0050")


def test_unknown_interval_is_not_shown():
    assert ShownUnit("items", 1.0).text(12.345, math.nan) == ("12.3", "")


def test_unknown_number_is_a_dash():
    assert ShownUnit("items", 1.0).text(math.nan, math.nan) == (MISSING, "")


def test_column_takes_the_unit_of_its_median():
    assert shown_unit("s", [90.0, 95.0, 100_000.0, math.nan, 0.0]).name == "s"
    assert shown_unit("s", [600.0, 950.0, 100_000.0]).name == "min"


@pytest.mark.parametrize(
    ("expected", "number"),
    [("14", 14.0), ("0.5", 0.5), ("345\u202f999", 345_999), (MISSING, math.nan)],
)
def test_count_is_written_without_needless_digits(expected, number):
    assert count(number) == expected
