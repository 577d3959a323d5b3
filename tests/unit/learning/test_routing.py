"""Counting where items go."""

import polars as pl
import pytest

from gigatwin.factory.routing import Route
from gigatwin.learning.routing import first_stations, next_of, overlap_ratio, transitions


def steps(rows: list[tuple[str, str, float, float]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["case", "station", "start", "end"], orient="row")


LOG = steps(
    [
        ("a", "cut", 0.0, 5.0),
        ("b", "cut", 5.0, 10.0),
        ("a", "drill", 6.0, 9.0),
        ("a", "drill", 9.0, 12.0),
        ("c", "drill", 13.0, 16.0),
        ("b", "cut", 15.0, 20.0),
        ("b", "drill", 18.0, 21.0),
    ]
)


def test_moves_are_counted_with_loops_and_the_way_out():
    assert transitions(LOG) == {"cut": {"drill": 2, "cut": 1}, "drill": {"out": 3, "drill": 1}}


def test_first_stations_of_cases_are_counted():
    assert first_stations(LOG) == {"cut": 2, "drill": 1}


def test_activities_side_by_side_are_noticed():
    # Four activities have one before them in their case; b drills while it is still being cut.
    assert overlap_ratio(LOG) == 0.25


def test_single_way_is_just_its_name():
    assert next_of({"drill": 7}) == "drill"


def test_shares_are_those_counted_and_sum_to_one():
    ways = next_of({"a": 1, "b": 1, "c": 1})
    assert isinstance(ways, tuple)
    assert all(isinstance(way, Route) for way in ways)
    assert [way.share for way in ways] == pytest.approx([1 / 3] * 3, abs=2e-6)
    assert sum(way.share for way in ways) == pytest.approx(1.0, abs=1e-15)


def test_rare_way_is_not_rounded_away():
    ways = next_of({"a": 9_999_999, "b": 1})
    assert isinstance(ways, tuple)
    assert {way.to: way.share for way in ways} == {"a": 0.999999, "b": 1e-6}
