"""Jitter and offsets of clocks, found in logs of known lines."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from gigatwin.learning.clock.clocks import corrected, find_clocks
from gigatwin.testing.random_lines import KnownLaw, KnownStation, RandomLine, random_line
from gigatwin.testing.spoiled_logs import with_jitter, with_lost_events, with_offsets

NO_REPAIR = KnownLaw("exponential", 30.0)


def chain(names):
    return {after: [before] for before, after in pairwise(names)}


def line_of(times, buffers, transfers, cv=0.1):
    stations = tuple(
        KnownStation(f"s{j}", KnownLaw("gamma", time, cv), np.inf, NO_REPAIR, buffer, transfer)
        for j, (time, buffer, transfer) in enumerate(zip(times, buffers, transfers, strict=True))
    )
    return RandomLine(stations)


FALLING = line_of([8.0, 9.0, 10.0, 11.0], [0, 3, 4, 5], [0.0, 1.0, 2.0, 3.0])
"""Each station is slower than the one before, so that all links are held up."""


@pytest.mark.parametrize("sigma", [0.005, 0.02, 0.1])
def test_jitter_is_found(sigma):
    visits = with_lost_events(with_jitter(random_line(4).simulate(3000).visits, sigma), 0.01)
    found = find_clocks(visits, chain(random_line(4).names)).sigma
    assert found.value == pytest.approx(sigma, rel=0.1)
    assert found.low <= sigma <= found.high
    assert found.is_identified


def test_exact_clocks_have_no_jitter_and_no_offset():
    line = random_line(4)
    clocks = find_clocks(line.simulate(2000).visits, chain(line.names))
    assert clocks.sigma.value == 0.0
    assert clocks.sigma.is_identified
    assert {offset.value for offset in clocks.offsets.values()} == {0.0}
    assert clocks.notes == ()


@pytest.mark.parametrize("machine", ["s0", "s1", "s2", "s3"])
@pytest.mark.parametrize(("offset", "sigma"), [(0.5, 0.0), (-0.5, 0.02), (2.0, 0.02)])
def test_offset_is_found_where_departures_are_held_up(machine, offset, sigma):
    history = FALLING.simulate(2000)
    visits = with_jitter(with_offsets(history.visits, {machine: offset}), sigma)
    clocks = find_clocks(visits, chain(FALLING.names))
    for name, found in clocks.offsets.items():
        assert found.is_identified
        assert found.value == pytest.approx(offset if name == machine else 0.0, abs=0.02)
    assert any(f"'{machine}'" in note for note in clocks.notes)


def test_transfer_time_is_not_taken_for_an_offset():
    # Never held up: a way of 3 s and a clock that is 3 s ahead look the same.
    line = line_of([12.0, 8.0, 5.0], [0, 9, 9], [0.0, 3.0, 0.2])
    clocks = find_clocks(line.simulate(2000).visits, chain(line.names))
    for found in clocks.offsets.values():
        assert found.value == 0.0
        assert not found.is_identified
        assert found.high > found.low


def test_negative_times_between_machines_are_a_bound():
    line = line_of([12.0, 8.0, 5.0], [0, 9, 9], [0.0, 0.1, 4.0])
    visits = with_offsets(line.simulate(2000).visits, {"s1": -0.5})
    clocks = find_clocks(visits, chain(line.names))
    found = clocks.offsets["s1"]
    assert found.value == pytest.approx(-0.4, abs=1e-3)
    assert found.low <= -0.5 <= found.high
    assert not found.is_identified
    assert any("'s1' is perhaps" in note for note in clocks.notes)


def test_constant_times_show_no_offset():
    line = line_of([10.0, 10.0, 10.0], [0, 5, 5], [0.0, 9.5, 8.8], cv=0.0)
    clocks = find_clocks(line.simulate(500).visits, chain(line.names))
    assert {offset.value for offset in clocks.offsets.values()} == {0.0}


def test_of_two_linked_clocks_the_wrong_one_is_not_known():
    line = line_of([8.0, 10.0], [0, 4], [0.0, 1.0])
    visits = with_offsets(line.simulate(1000).visits, {"s0": 0.5})
    offsets = find_clocks(visits, chain(line.names)).offsets
    difference = offsets["s0"].value - offsets["s1"].value
    assert difference == pytest.approx(0.5, abs=1e-4)
    assert not offsets["s0"].is_identified
    assert offsets["s0"].low <= 0.5 <= offsets["s0"].high


def test_corrected_times_are_the_right_ones():
    history = FALLING.simulate(1000)
    visits = with_offsets(history.visits, {"s2": 0.5})
    right = corrected(visits, find_clocks(visits, chain(FALLING.names)))
    assert (right["start"] - history.visits["start"]).abs().max() < 1e-4
    assert (right["end"] - history.visits["end"]).abs().max() < 1e-4


def test_machine_with_overlapping_items_is_no_sign_of_jitter():
    start = np.arange(400) * 10.0
    visits = pl.DataFrame(
        {
            "case": np.arange(400).astype(str),
            "station": "oven",
            "machine": "oven",
            "start": start,
            "end": start + 55.0,
        }
    )
    found = find_clocks(visits, {}).sigma
    assert found.value == 0.0
    assert not found.is_identified


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_few_visits_identify_nothing(n):
    visits = FALLING.simulate(2).visits.head(n)
    clocks = find_clocks(visits, chain(FALLING.names))
    assert not clocks.sigma.is_identified
    assert len(clocks.offsets) == visits["machine"].n_unique()
    assert all(not offset.is_identified for offset in clocks.offsets.values())


def test_visits_that_end_before_they_start_are_noted():
    visits = FALLING.simulate(300).visits
    backward = visits.with_columns(
        end=pl.when(pl.col("case") == "7").then(pl.col("start") - 5.0).otherwise("end")
    )
    notes = find_clocks(backward, chain(FALLING.names)).notes
    assert any(note.startswith("4 visits end before") for note in notes)
