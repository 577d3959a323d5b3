"""Vehicles: trips and fleet size."""

import numpy as np
import polars as pl
import pytest

from gigatwin.factory.durations import Empirical
from gigatwin.learning.flow.fleets import find_fleet


def transports(rows) -> pl.DataFrame:
    columns = ["machine", "origin", "destination", "start", "end"]
    types = [pl.String, pl.String, pl.String, pl.Float64, pl.Float64]
    frame = pl.DataFrame(rows, schema=dict(zip(columns, types, strict=True)), orient="row")
    return frame.with_row_index("row", 2)


def test_each_pair_has_its_time():
    fleet = find_fleet(
        transports(
            [
                ("agv 1", "press", "oven", 0.0, 20.0),
                ("agv 2", "oven", "store", 5.0, 50.0),
                ("agv 1", "oven", "press", 30.0, 50.0),
                ("agv 1", "press", "oven", 60.0, 80.0),
            ]
        )
    )
    assert {pair: trip.time for pair, trip in fleet.trips.items()} == {
        ("press", "oven"): 20.0,
        ("oven", "store"): 45.0,
        ("oven", "press"): 20.0,
    }
    assert fleet.trips["press", "oven"].mean.n == 2
    assert fleet.trips["press", "oven"].mean.rows == "2-5 (2 rows)"
    assert not fleet.trips["oven", "store"].mean.is_identified
    assert (fleet.n_vehicles.value, fleet.n_vehicles.high) == (2, 2)
    assert fleet.empty_ratio == 0.0


def test_fleet_gives_the_elements_of_a_description():
    fleet = find_fleet(transports([("agv", "a", "b", 10.0 * i, 10.0 * i + 8) for i in range(20)]))
    buffer = fleet.buffer("a", "b", "agvs", capacity=5)
    assert (buffer.capacity, buffer.transfer, buffer.vehicle.resource) == (5, 8.0, "agvs")
    assert buffer.estimates["transfer"].n == 20
    assert fleet.resource().capacity == 1
    assert fleet.resource().estimates["capacity"].value == 1
    with pytest.raises(KeyError):
        fleet.buffer("b", "a", "agvs")


def test_times_that_vary_are_kept_as_seen():
    rng = np.random.default_rng(1)
    rows = [("agv", "a", "b", 100.0 * i, 100.0 * i + rng.uniform(20, 40)) for i in range(300)]
    trip = find_fleet(transports(rows)).trips["a", "b"]
    assert isinstance(trip.time, Empirical)
    assert trip.mean.low < 30 < trip.mean.high


def test_vehicles_without_names_are_counted_on_their_way():
    rows = [("agv", "a", "b", 10.0 * i, 10.0 * i + 30.0) for i in range(200)]
    fleet = find_fleet(transports(rows))
    assert fleet.n_vehicles.value == 3
    assert fleet.n_vehicles.high is None
    assert not fleet.n_vehicles.is_identified


def test_share_of_empty_ways_is_counted():
    rows = [("agv", "a", "b", 100.0 * i, 100.0 * i + 20.0) for i in range(11)]
    fleet = find_fleet(transports(rows))
    assert fleet.empty_ratio == 1.0
    assert "the time to come empty is not part of the trip" in fleet.note


def test_speed_and_handling_follow_from_distances_despite_outliers():
    rng = np.random.default_rng(2)
    distances = {("a", "b"): 10.0, ("b", "c"): 25.0, ("c", "a"): 60.0}
    rows, now = [], 0.0
    for i in range(600):
        pair = list(distances)[i % 3]
        time = 12.0 + distances[pair] / 1.5 + rng.normal(0, 1.0) + (rng.random() < 0.05) * 60
        rows.append(("agv", *pair, now, now + time))
        now += time
    travel = find_fleet(transports(rows), distances).travel
    assert travel.speed.low < 1.5 < travel.speed.high
    assert travel.speed.value == pytest.approx(1.5, rel=0.02)
    assert travel.handling.value == pytest.approx(12.0, abs=0.5)
    assert travel.time(30.0) == pytest.approx(32.0, abs=0.5)


def test_exact_times_give_the_exact_speed():
    distances = {("a", "b"): 10.0, ("b", "a"): 40.0}
    rows = [("agv", "a", "b", 200.0 * i, 200.0 * i + 15.0) for i in range(5)]
    rows += [("agv", "b", "a", 200.0 * i + 100, 200.0 * i + 130.0) for i in range(5)]
    travel = find_fleet(transports(rows), distances).travel
    assert travel.speed.value == pytest.approx(2.0)
    assert travel.handling.value == pytest.approx(10.0)


@pytest.mark.parametrize("distances", [{}, {("a", "b"): 10.0}, {("x", "y"): 3.0}])
def test_distances_that_do_not_differ_give_no_speed(distances):
    rows = [("agv", "a", "b", 100.0 * i, 100.0 * i + 20.0) for i in range(5)]
    assert find_fleet(transports(rows), distances).travel is None


def test_log_without_transports_has_no_fleet():
    assert find_fleet(transports([])) is None
    missing = transports([("agv", None, "b", 0.0, 1.0), ("agv", "a", "b", 0.0, None)])
    assert find_fleet(missing) is None


def test_transports_of_the_bicycle_log_have_one_time_for_each_pair(shared_data):
    path = shared_data / "ofact-bicycle-log" / "executions.csv"
    if not path.exists():
        pytest.skip(f"Data absent: the bicycle log {path}; set GIGATWIN_DATA.")
    table = pl.read_csv(path, infer_schema_length=None)
    moments = [pl.col(name).str.to_datetime() for name in ("Start Time", "End Time")]
    rows = (
        table.with_row_index("row", 2)
        .filter(pl.col("Process Name") == "main_part_transport_p")
        .select(
            "row",
            machine="Main Resource",
            origin="Origin Resource",
            destination="Destination Resource",
            start=moments[0].dt.epoch("s").cast(pl.Float64),
            end=moments[1].dt.epoch("s").cast(pl.Float64),
        )
    )
    fleet = find_fleet(rows)
    assert sum(trip.mean.n for trip in fleet.trips.values()) == 356
    assert len(fleet.trips) == 20
    times = {pair: trip.time for pair, trip in fleet.trips.items()}
    assert set(times.values()) == {20.0, 29.0, 40.0, 45.0}
    assert times["main_warehouse_w", "body_kit_as"] == 20.0
    assert times["gear_shift_brakes_as", "main_warehouse_w"] == 45.0
    assert times["lightning_pedal_saddle_as", "gear_shift_brakes_as"] == 40.0
    assert fleet.n_vehicles.value == 10
    assert fleet.resource().capacity == 10
