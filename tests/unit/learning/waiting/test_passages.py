"""Items keep their place in a buffer although events are lost."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from gigatwin.learning.waiting.passages import (
    fifo_order,
    ordering_times,
    passages_of,
    previous_ends,
)
from gigatwin.testing.random_lines import random_line
from gigatwin.testing.spoiled_logs import with_lost_events


def chain(names):
    return {after: [before] for before, after in pairwise(names)}


LINE = random_line(3)
HISTORY = LINE.simulate(1000)


def test_passages_hold_departures_and_starts_of_the_same_items():
    found = passages_of(HISTORY.visits, chain(LINE.names))
    assert list(found) == list(LINE.names[1:])
    for j, passages in enumerate(found.values(), start=1):
        assert (passages.entries == HISTORY.departure[:, j - 1]).all()
        assert (passages.exits == HISTORY.start[:, j]).all()
        assert (passages.entered == HISTORY.start[:, j - 1]).all()
        assert (passages.released[1:] == HISTORY.departure[:-1, j]).all()
        assert np.isnan(passages.released[0])


@pytest.mark.parametrize("ratio", [0.01, 0.05])
def test_lost_events_shift_nobody(ratio):
    visits = with_lost_events(HISTORY.visits, ratio)
    for j, (name, passages) in enumerate(passages_of(visits, chain(LINE.names)).items(), start=1):
        # Only an item lost at both ends, or at the end of the line, is missing.
        number = np.full(len(passages.entries), -1)
        cases = visits["case"].cast(pl.Int64).to_numpy()
        number = np.where(passages.to_row >= 0, cases[passages.to_row], number)
        number = np.where(passages.from_row >= 0, cases[passages.from_row], number)
        assert (np.diff(number) > 0).all(), name
        assert len(number) >= (1000 if j + 1 < len(LINE.names) else 990)
        known = np.isfinite(passages.entries)
        assert (passages.entries[known] == HISTORY.departure[number[known], j - 1]).all()


def test_rows_refer_to_the_visits():
    visits = HISTORY.visits
    passages = passages_of(visits, chain(LINE.names))["s03"]
    before, after = visits[passages.from_row], visits[passages.to_row]
    assert set(before["station"]) == {"s02"}
    assert set(after["station"]) == {"s03"}
    assert (before["case"] == after["case"]).all()


def test_items_that_left_the_line_do_not_enter():
    visits = pl.DataFrame(
        {
            "case": ["1", "1", "2", "3", "3"],
            "station": ["a", "b", "a", "a", "b"],
            "machine": ["a", "b", "a", "a", "b"],
            "start": [0.0, 10.0, 10.0, 20.0, 30.0],
            "end": [10.0, 19.0, 20.0, 30.0, 39.0],
        }
    )
    passages = passages_of(visits, {"b": ["a"]})["b"]
    assert passages.entries.tolist() == [10.0, 30.0]


def test_lost_visit_in_the_middle_counts_as_passage():
    rows = HISTORY.visits
    without = rows.filter(~((pl.col("case") == "40") & (pl.col("station") == "s03")))
    passages = passages_of(without, chain(LINE.names))
    assert len(passages["s03"].exits) == 1000
    assert np.flatnonzero(np.isnan(passages["s03"].exits)).tolist() == [40]
    assert np.flatnonzero(np.isnan(passages["s04"].entries)).tolist() == [40]


def test_lost_entries_are_placed_by_their_exits_if_the_order_is_not_given():
    entries = np.array([30.0, 10.0, np.nan, 40.0])
    exits = np.array([35.0, 15.0, 25.0, 45.0])
    assert fifo_order(entries, exits).tolist() == [1, 2, 0, 3]


def test_ends_before_are_those_of_the_same_machine():
    visits = pl.DataFrame(
        {
            "machine": ["a", "b", "a", "b", "a"],
            "start": [0.0, 1.0, 10.0, None, 20.0],
            "end": [9.0, 8.0, None, 30.0, 29.0],
        }
    )
    np.testing.assert_equal(previous_ends(visits), [np.nan, np.nan, 9.0, 8.0, np.nan])


def test_filled_times_are_one_stay_apart():
    visits = pl.DataFrame(
        {
            "machine": ["a"] * 4,
            "start": [0.0, 10.0, None, 30.0],
            "end": [8.0, 18.0, 28.0, None],
        }
    )
    start, end = ordering_times(visits)
    assert start.tolist() == [0.0, 10.0, 20.0, 30.0]
    assert end.tolist() == [8.0, 18.0, 28.0, 38.0]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_visits_give_few_passages(n):
    found = passages_of(HISTORY.visits.head(n), chain(LINE.names))
    assert all(len(passages.entries) <= n for passages in found.values())
