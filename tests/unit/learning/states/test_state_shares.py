"""Shares of states and power."""

import numpy as np
import polars as pl
import pytest

from gigatwin.learning.states.state_shares import learn_energy, state_shares


def alternating(n, seed=1):
    random = np.random.default_rng(seed)
    lengths = np.column_stack((random.exponential(30.0, n), random.exponential(10.0, n))).ravel()
    ends = np.cumsum(lengths)
    return pl.DataFrame(
        {
            "machine": "m",
            "start": ends - lengths,
            "end": ends,
            "state": ["executing", "starved"] * n,
        }
    )


def test_shares_are_of_the_recorded_time_and_add_up():
    rows = pl.DataFrame(
        {
            "machine": ["m"] * 3,
            "start": [0.0, 60.0, 1000.0],
            "end": [60.0, 80.0, 1020.0],
            "state": ["executing", "starved", "executing"],
        }
    )
    shares = state_shares(rows)["m"]
    assert shares["executing"].value == pytest.approx(0.8)
    assert shares["starved"].value == pytest.approx(0.2)
    assert not shares["executing"].is_identified
    assert (shares["starved"].low, shares["starved"].high) == (0.0, 1.0)


def test_interval_covers_the_share_about_as_often_as_it_says():
    trials = 200
    known = [state_shares(alternating(200, seed))["m"]["executing"] for seed in range(trials)]
    hits = sum(item.low <= 0.75 <= item.high for item in known)
    assert 0.90 <= hits / trials <= 0.995
    assert all(item.is_identified for item in known)


def with_energy(n=40, seed=2):
    rows = alternating(n, seed)
    power = pl.when(pl.col("state") == "executing").then(2000.0).otherwise(300.0)
    noise = np.random.default_rng(seed).normal(1.0, 0.02, rows.height)
    return rows.with_columns(energy=(pl.col("end") - pl.col("start")) * power * pl.Series(noise))


def test_power_of_each_state_is_found_again():
    found = learn_energy(with_energy(), n_items={"m": 40}, rows="2-81")["m"]
    assert found.power["executing"].low < 2000.0 < found.power["executing"].high
    assert found.power["starved"].low < 300.0 < found.power["starved"].high
    assert found.energy.executing == found.power["executing"].value
    assert found.energy.states == {"starved": found.power["starved"].value}
    assert found.energy.estimates["executing"].unit == "W"
    assert found.energy.estimates["states.starved"].rows == "2-81"
    assert found.per_item.value == pytest.approx(with_energy()["energy"].sum() / 40)
    assert found.per_item.unit == "J"


def test_power_is_energy_over_time_exactly():
    rows = pl.DataFrame(
        {
            "machine": ["m", "m", "m"],
            "start": [0.0, 10.0, 40.0],
            "end": [10.0, 40.0, 50.0],
            "state": ["executing", "executing", "breakdown"],
            "energy": [50.0, 350.0, 0.0],
        }
    )
    found = learn_energy(rows)["m"]
    assert found.energy.executing == 10.0
    assert found.energy.states == {"breakdown": 0.0}
    assert found.per_item is None
    assert not found.power["breakdown"].is_identified


def test_intervals_without_energy_are_not_counted_as_zero():
    rows = with_energy().with_columns(energy=pl.when(pl.int_range(pl.len()) % 4 < 2).then("energy"))
    assert learn_energy(rows)["m"].energy.executing == pytest.approx(2000.0, rel=0.02)


def test_machine_that_never_executes_says_so():
    rows = with_energy().filter(pl.col("state") == "starved")
    found = learn_energy(rows)["m"]
    assert found.energy.executing == 0.0
    assert "Not identified" in found.notes[0]


def test_energy_below_zero_is_left_out_with_a_note():
    rows = with_energy().with_columns(energy=-pl.col("energy"))
    found = learn_energy(rows)["m"]
    assert found.energy.states == {}
    assert "below 0" in found.notes[0]


def test_no_energy_at_all_gives_nothing():
    assert learn_energy(with_energy().with_columns(energy=pl.lit(None, dtype=pl.Float64))) == {}
