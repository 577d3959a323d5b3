"""Cases that end where most go on: scrap, or one more way out."""

import polars as pl
import pytest

from gigatwin.learning.flow.topology import discover
from tests.unit.learning.made_visits import drawn_paths, visits_of_paths


def test_cases_that_end_early_are_scrap():
    paths = drawn_paths(1000, 6, {("a", "b", "c"): 0.97, ("a", "b"): 0.03})
    paths += [("a", "b", "c")] * 20  # what ended last could still go on
    flow = discover(visits_of_paths(paths, {"a": 8.0, "b": 9.0, "c": 7.0}))
    n = sum(len(path) == 2 for path in paths)
    assert flow.scrap == {"b": n}
    assert f"{n} cases ended at b, from which most go on: taken as scrap." in flow.notes


def test_smaller_one_of_two_ways_out_is_no_scrap():
    paths = drawn_paths(1000, 6, {("a", "b"): 0.6, ("a",): 0.4})
    paths += [("a", "b")] * 20
    flow = discover(visits_of_paths(paths, {"a": 8.0, "b": 9.0}))
    assert flow.scrap == {}
    assert flow.arcs["a"]["out"] == sum(path == ("a",) for path in paths)


def test_cases_that_end_anywhere_are_no_scrap():
    # Each of six machines is the last one of a few cases, none of most of its cases.
    ring = ("a", "b", "c", "d", "e", "f")
    paths = [tuple((ring * 2)[k : k + 6]) for k in range(6)] * 60
    flow = discover(visits_of_paths(paths, dict.fromkeys(ring, 5.0)))
    assert sum(ways["out"] for ways in flow.arcs.values() if "out" in ways) > 300
    assert flow.scrap == {}


def with_outcomes(visits, outcome):
    """Give the last visit of cases that end early an outcome; all other visits succeed."""
    is_early = (pl.col("activity") == "b") & ~(pl.col("activity") == "c").any().over("case")
    return visits.with_columns(success=pl.when(is_early).then(pl.lit(outcome)).otherwise(good()))


def good():
    return pl.lit(True)  # noqa: FBT003 - a value of the column


@pytest.mark.parametrize("share", [0.05, 0.4])
def test_cases_that_end_early_are_scrap_if_they_failed(share):
    paths = drawn_paths(1000, 6, {("a", "b", "c"): 1 - share, ("a", "b"): share})
    paths += [("a", "b", "c")] * 20
    visits = visits_of_paths(paths, {"a": 8.0, "b": 9.0, "c": 7.0})
    n = sum(len(path) == 2 for path in paths)
    failed = discover(with_outcomes(visits, outcome=False))
    assert failed.scrap == {"b": n}
    assert not any("taken as scrap" in note for note in failed.notes)
    assert discover(with_outcomes(visits, outcome=True)).scrap == {}


def test_cases_that_end_early_without_an_outcome_are_scrap_as_in_a_log_without_outcomes():
    paths = drawn_paths(1000, 6, {("a", "b", "c"): 0.95, ("a", "b"): 0.05})
    paths += [("a", "b", "c")] * 20
    visits = visits_of_paths(paths, {"a": 8.0, "b": 9.0, "c": 7.0})
    elsewhere = visits.with_columns(success=pl.when(pl.col("activity") == "a").then(good()))
    assert set(discover(elsewhere).scrap) == {"b"}
