"""Starts inferred from departures."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from gigatwin.learning.waiting.starts import transfer_from_exits, with_starts
from gigatwin.testing.random_lines import random_line


def chain(names):
    return {after: [before] for before, after in pairwise(names)}


def transfers(line):
    return dict(zip(pairwise(line.names), line.transfers[1:], strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_starts_of_a_log_of_departures_are_exact(seed):
    line = random_line(seed)
    visits = line.simulate(500, seed).visits
    exits = visits.with_columns(start=pl.lit(None, dtype=pl.Float64))
    found = with_starts(exits, chain(line.names), transfers(line))
    # Of the very first item, only the arrival would tell.
    assert found["start"].null_count() == 1
    known = found["start"].is_not_null()
    assert_allclose(found["start"].filter(known), visits["start"].filter(known), atol=1e-6)
    assert (found["is_start_inferred"] == known).all()


def test_only_missing_starts_are_inferred():
    line = random_line(2)
    visits = line.simulate(300).visits
    is_lost = pl.Series(np.random.default_rng(1).random(visits.height) < 0.05)
    lossy = visits.with_columns(start=pl.when(~is_lost).then("start"))
    found = with_starts(lossy, chain(line.names), transfers(line))
    assert found.columns == [*visits.columns, "is_start_inferred"]
    assert (found["is_start_inferred"] <= is_lost).all()
    assert found["is_start_inferred"].sum() >= is_lost.sum() - 1
    known = found["start"].is_not_null()
    assert_allclose(found["start"].filter(known), visits["start"].filter(known), atol=1e-6)


def test_start_stays_unknown_without_the_departures_it_follows_from():
    visits = pl.DataFrame(
        {
            "case": ["1", "1", "2", "2"],
            "station": ["a", "b", "a", "b"],
            "machine": ["a", "b", "a", "b"],
            "start": [0.0, None, 10.0, None],
            "end": [None, 25.0, 20.0, 40.0],
        },
        schema_overrides={"start": pl.Float64, "end": pl.Float64},
    )
    found = with_starts(visits, {"b": ["a"]}, {("a", "b"): 2.0})
    assert found["start"].to_list() == [0.0, None, 10.0, 25.0]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_visits_are_no_problem(n):
    visits = random_line(1).simulate(2).visits.head(n)
    exits = visits.with_columns(start=pl.lit(None, dtype=pl.Float64))
    found = with_starts(exits, chain(random_line(1).names))
    assert found.height == n
    assert found["start"].null_count() == min(n, 1)


def departures(transfer, n=20_000):
    """Return departures before and after, and releases, of a station that is often idle."""
    random = np.random.default_rng(3)
    before = np.cumsum(random.gamma(4.0, 3.0, n))
    after, released = np.empty(n), np.empty(n)
    free = 0.0
    for i, work in enumerate(random.gamma(25.0, 0.4, n)):
        released[i] = free
        after[i] = free = max(before[i] + transfer, free) + work
    return before, after, released


@pytest.mark.parametrize("transfer", [0.0, 1.5, 6.0])
def test_transfer_time_shows_in_departures_alone(transfer):
    found = transfer_from_exits(*departures(transfer))
    assert found.is_identified
    assert found.low <= transfer <= found.high
    assert found.value == pytest.approx(transfer, abs=0.15)


def test_transfer_time_of_few_departures_is_not_identified():
    before, after, released = departures(1.5, n=20)
    found = transfer_from_exits(before, after, released)
    assert not found.is_identified
    assert found.value == 0.0
    assert found.high is None
