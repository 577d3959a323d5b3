"""Streams that end in an assembly."""

import numpy as np
import polars as pl
import pytest

from gigatwin.learning.flow.assembly import Consumer, Feeder, assumed_join, recorded_joins


def coupled(n=400, seed=1, capacity=5):
    """Feeder and station with a finite buffer between them; the exact moments of both."""
    random = np.random.default_rng(seed)
    ends, starts = np.zeros(n), np.zeros(n)
    free = ready = 0.0
    for k in range(n):
        ready = max(
            ready + random.gamma(25.0, 0.4), starts[k - capacity - 1] if k > capacity else 0
        )
        ends[k] = ready
        starts[k] = max(free, ready)
        free = starts[k] + random.gamma(25.0, 0.39)
    return ends, starts


def test_station_that_uses_up_the_items_is_found():
    ends, starts = coupled()
    later = starts + 25.0 + np.random.default_rng(2).uniform(0.0, 4.0, len(starts))
    found = assumed_join(
        Feeder("f", ends), [Consumer("next", np.sort(later)), Consumer("join", starts)]
    )
    assert found is not None
    assert (found.station, found.source, found.n, found.basis) == ("join", "f", 400, "assumed")


def test_clocks_that_differ_do_not_hide_the_station():
    ends, starts = coupled()
    assert assumed_join(Feeder("f", ends), [Consumer("join", starts + 0.4)]) is not None


def test_station_that_begins_before_its_items_is_none():
    ends, starts = coupled()
    assert assumed_join(Feeder("f", ends), [Consumer("join", starts - 30.0)]) is None


def test_station_with_other_numbers_is_none():
    ends, starts = coupled()
    assert assumed_join(Feeder("f", ends), [Consumer("join", starts[:200])]) is None


@pytest.mark.parametrize("seed", range(10))
def test_independent_line_is_not_joined(seed):
    random = np.random.default_rng(seed)
    ends, other = (np.cumsum(random.gamma(25.0, 0.4, 400)) for _ in range(2))
    assert assumed_join(Feeder("f", ends), [Consumer("other", other + 60.0)]) is None


def test_too_few_cases_are_not_matched():
    ends, starts = coupled(8)
    assert assumed_join(Feeder("f", ends), [Consumer("join", starts)]) is None


def test_parts_name_the_streams_they_come_from():
    visits = pl.DataFrame(
        {
            "case": ["p1", "p2", "q1", "x", "x", "y"],
            "station": ["cast", "cast", "cut", "join", "pack", "join"],
            "parts": [None, None, None, "p1; q1;bolt", None, "p2;y"],
        }
    )
    found = {(j.station, j.source): j.n for j in recorded_joins(visits)}
    assert found == {("join", "cast"): 2, ("join", "cut"): 1}
