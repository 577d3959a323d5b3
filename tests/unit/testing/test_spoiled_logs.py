"""Damage to logs is what it says, and the same for the same seed."""

import numpy as np
import polars as pl
import pytest

from gigatwin.testing.random_lines import random_line
from gigatwin.testing.spoiled_logs import (
    in_disorder,
    with_backward_clock,
    with_duplicates,
    with_jitter,
    with_lost_events,
    with_offsets,
)


@pytest.fixture(scope="module")
def visits():
    return random_line(1).simulate(500).visits


def test_jitter_has_its_standard_deviation(visits):
    spoiled = with_jitter(visits, 0.02, seed=3)
    for name in ("start", "end"):
        error = (spoiled[name] - visits[name]).to_numpy()
        assert error.std() == pytest.approx(0.02, rel=0.05)
        assert abs(error.mean()) < 5 * 0.02 / np.sqrt(len(error))


def test_same_seed_spoils_the_same(visits):
    assert with_jitter(visits, 0.1, 5).equals(with_jitter(visits, 0.1, 5))
    assert not with_jitter(visits, 0.1, 5).equals(with_jitter(visits, 0.1, 6))


def test_lost_events_are_null_and_other_rows_stay(visits):
    spoiled = with_lost_events(visits, 0.1)
    for name in ("start", "end"):
        lost = spoiled[name].is_null()
        assert lost.mean() == pytest.approx(0.1, abs=0.03)
        assert spoiled.filter(~lost).join(visits, on=["case", "machine", name]).height == (
            (~lost).sum()
        )
    assert spoiled.filter(pl.col("start").is_null() & pl.col("end").is_null()).height == 0


def test_duplicates_are_copies(visits):
    spoiled = with_duplicates(visits, 0.05)
    assert spoiled.height == pytest.approx(1.05 * visits.height, rel=0.02)
    assert spoiled.unique(maintain_order=True).equals(visits)


def test_only_named_machines_are_shifted(visits):
    spoiled = with_offsets(visits, {"s02": 0.5})
    shift = spoiled["end"] - visits["end"]
    assert set(shift.filter(visits["machine"] == "s02").round(9)) == {0.5}
    assert set(shift.filter(visits["machine"] != "s02")) == {0.0}


def test_disorder_moves_rows_within_reach(visits):
    spoiled = in_disorder(visits, 10)
    moved = np.abs(spoiled["row"].to_numpy().astype(int) - visits["row"].to_numpy().astype(int))
    assert 0 < moved.max() <= 10
    assert spoiled.sort("row").equals(visits)


def test_backward_clock_repeats_a_span_of_time(visits):
    middle = float(visits["start"].median())
    spoiled = with_backward_clock(visits, "s03", middle, 3600.0)
    of_machine = spoiled.filter(pl.col("machine") == "s03")
    assert (of_machine["start"].diff() < 0).sum() == 1
    assert spoiled.filter(pl.col("machine") != "s03").equals(
        visits.filter(pl.col("machine") != "s03")
    )
