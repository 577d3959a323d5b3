"""Learning whole lines whose truth is known."""

import math

import polars as pl
import pytest

from gigatwin.events.case_log import CaseLog
from gigatwin.factory.checks import check
from gigatwin.factory.reading import read_text
from gigatwin.factory.routing import OUT, Route
from gigatwin.factory.stations import BatchStation, DiscreteStation
from gigatwin.factory.writing import to_yaml
from gigatwin.learning.description import FAILED
from gigatwin.learning.intervals import wilson_interval
from gigatwin.learning.learn import learn
from gigatwin.simulation.simulate import simulate
from gigatwin.testing.generated_log import JOB_SHOP, case_log_of
from gigatwin.testing.random_lines import random_line
from gigatwin.testing.random_networks import random_network, true_edges, visits_of_run

NAMES = {
    "saw": "saw-cut",
    "mill-rough": "mill-rough",
    "mill-fine": "mill-fine",
    "lathe": "lathe-turn",
    "gauge": "gauge-measure",
    "out": "out",
}
LINE = random_line(3, n_stations=(5, 5))


def log_of(visits: pl.DataFrame) -> CaseLog:
    return CaseLog(visits.drop("station", strict=False))


@pytest.fixture(scope="module")
def history():
    return LINE.simulate(1500)


@pytest.fixture(scope="module")
def line(history):
    return learn(log_of(history.visits), "line")


@pytest.fixture(scope="module")
def shop():
    return learn(case_log_of(n_cases=4_000, seed=7), "shop")


def test_serial_line_has_its_stations_in_the_order_of_the_flow(line):
    assert list(line.stations) == list(LINE.names)
    assert [station.next for station in line.factory.stations.values()] == [*LINE.names[1:], OUT]


def test_capacities_called_identified_are_exact(line):
    identified = {
        name: item.buffer.capacity
        for name, item in line.stations.items()
        if item.buffer is not None and item.buffer.is_identified
    }
    true = dict(zip(LINE.names, LINE.buffers, strict=True))
    assert len(identified) >= 2
    assert identified == {name: true[name] for name in identified}
    for name, item in line.stations.items():
        if item.buffer is not None:
            assert item.buffer.capacity <= true[name]
            assert line.factory.stations[name].buffer.capacity == item.buffer.capacity


@pytest.mark.parametrize("station", LINE.stations, ids=lambda station: station.name)
def test_mean_time_is_found_behind_hold_ups_and_stops(line, station):
    known = line.stations[station.name].times
    width = known.mean.high - known.mean.low
    assert width < 0.05 * station.time.mean
    assert abs(known.mean.value - station.time.mean) < 5 / (2 * 1.96) * width
    assert known.is_identified


def test_breakdowns_are_found_at_every_station(line, history):
    for station, n in zip(LINE.stations, history.n_failures, strict=True):
        stop = line.factory.stations[station.name].stops["breakdown"]
        estimate = stop.every.estimates["mean"]
        assert estimate.value == stop.every.mean
        assert abs(math.log(stop.every.mean / station.mtbf)) < 5 / math.sqrt(n)


def test_first_station_of_a_line_never_waits_for_items(line):
    assert line.supplies["cases"].kind == "endless"
    assert line.factory.arrivals == {}
    assert line.factory.stations["s01"].buffer.capacity == 0


@pytest.mark.compiled
def test_learned_line_makes_as_much_as_the_true_one(line):
    found, *_ = simulate(line.factory, days=2, replications=4).total("throughput_rate")
    true, error = LINE.throughput()
    assert 3600 * true == pytest.approx(found, rel=0.06)
    assert error < 0.01 * true


def test_line_of_which_only_departures_are_known_has_nearly_the_same_means(line, history):
    exits = history.visits.with_columns(start=pl.lit(None, dtype=pl.Float64))
    found = learn(log_of(exits), "exits")
    for name, item in line.stations.items():
        mean = item.times.mean.value
        assert found.stations[name].times.mean.value == pytest.approx(mean, rel=0.05)
    assert any("only when items left" in note for note in found.notes)


def test_station_of_which_only_departures_are_known_is_learned_from_them(line, history):
    exits = history.visits.with_columns(
        start=pl.when(pl.col("machine") != "s03").then("start"),
    )
    found = learn(log_of(exits), "exits")
    for name, item in line.stations.items():
        rel = 0.05 if name == "s03" else 1e-3
        mean = item.times.mean.value
        assert found.stations[name].times.mean.value == pytest.approx(mean, rel=rel)
    assert any("left s03" in note for note in found.notes)


def test_nights_are_working_hours_and_no_part_of_times():
    line = random_line(4, n_stations=(3, 3), variant="shifts")
    visits = line.simulate(9_000).visits
    found = learn(log_of(visits), "shifts")
    hours = found.factory.working_hours
    assert hours is not None
    assert any(step.capacity == 0 for step in hours.steps)
    for station in line.stations:
        mean = found.stations[station.name].times.mean.value
        assert mean == pytest.approx(station.time.mean, rel=0.04)
    # A repair may reach into the night; a night in a repair would make it hours long.
    repairs = [item.times.stops[0].duration.mean for item in found.stations.values()]
    assert max(repairs) < 300
    assert read_text(to_yaml(found.factory)) == found.factory


@pytest.mark.compiled
@pytest.mark.parametrize("seed", [1, 9, 15])
def test_learned_network_has_the_true_ways_and_throughput(seed):
    factory = random_network(seed)
    visits, _ = visits_of_run(factory, 1500)
    found = learn(CaseLog(visits), "network")
    assert found.flow.edges == true_edges(factory)
    assert read_text(to_yaml(found.factory)) == found.factory
    settings = {"days": 0.7, "replications": 4, "warm_up": 7200.0}
    true, *_ = simulate(factory, **settings).total("throughput_rate")
    rate, *_ = simulate(found.factory, **settings).total("throughput_rate")
    assert rate == pytest.approx(true, rel=0.1)


@pytest.mark.parametrize("step", list(JOB_SHOP.steps))
def test_mean_time_of_each_step_of_a_shop_is_recovered(shop, step):
    true = JOB_SHOP.steps[step]
    known = shop.stations[NAMES[step]].times
    error = true.cv * true.mean / math.sqrt(known.mean.n)
    assert abs(known.mean.value - true.mean) < 5 * error
    assert 5 * error < 0.05 * true.mean
    assert known.cv == pytest.approx(true.cv, rel=0.15)


@pytest.mark.parametrize("step", list(JOB_SHOP.steps))
def test_routing_shares_are_recovered(shop, step):
    counts = shop.stations[NAMES[step]].next
    true = {NAMES[target]: share for target, share in JOB_SHOP.steps[step].next.items()}
    assert counts.keys() == true.keys()
    total = sum(counts.values())
    for target, share in true.items():
        error = math.sqrt(share * (1 - share) / total)
        assert abs(counts[target] / total - share) <= 5 * error


def test_arrivals_of_a_shop_are_recovered(shop):
    supply = shop.supplies["cases"]
    assert supply.kind == "arrivals"
    n = len(supply.intervals)
    assert abs(supply.intervals.mean() - 60.0) < 5 * 60.0 / math.sqrt(n)
    way = shop.factory.arrivals["cases"].next
    assert isinstance(way, tuple)
    shares = {route.to: route.share for route in way if isinstance(route, Route)}
    assert shares == pytest.approx({"saw-cut": 0.9, "lathe-turn": 0.1}, abs=0.02)
    assert any(item.element == "arrivals" for item in shop.unknowns)


def test_failures_are_a_defect_that_the_item_keeps(shop):
    lathe = shop.stations["lathe-turn"].failures
    error = math.sqrt(0.05 * 0.95 / lathe.n_known)
    assert abs(lathe.ratio - 0.05) < 5 * error
    assert (lathe.low, lathe.high) == wilson_interval(lathe.n_failed, lathe.n_known)
    station = shop.factory.stations["lathe-turn"]
    assert station.defects == {FAILED: pytest.approx(lathe.ratio, abs=1e-6)}
    assert station.scrap == 0.0
    assert shop.factory.stations["saw-cut"].defects == {}


def test_machine_with_several_activities_is_shared(shop):
    stations = shop.factory.stations
    for name in ("mill-rough", "mill-fine"):
        assert stations[name].operators.resource == "mill"
    assert shop.factory.resources["mill"].capacity == 1
    assert list(shop.factory.resources) == ["mill"]
    assert stations["saw-cut"].operators is None
    assert {station.machines for station in stations.values()} == {1}


def test_table_has_a_row_for_each_station(shop):
    table = shop.table()
    assert table["station"].to_list() == list(shop.factory.stations)
    assert table["is_identified"].all()
    assert shop.identified_ratio == 1.0


def test_batches_are_found_with_size_and_dwell():
    size, dwell, n = 6, 300.0, 600
    rows = []
    for k in range(n):
        start, out = 60.0 * k, 60.0 * (k - k % size + size) + 40.0
        rows += [
            (f"{k}", "load", "load", start, start + 40.0 + k % 7),
            (f"{k}", "bake", "oven", out + 10.0, out + 10.0 + dwell),
        ]
    schema = ["case", "activity", "machine", "start", "end"]
    found = learn(
        CaseLog(
            pl.DataFrame(rows, schema=schema, orient="row").with_columns(
                success=pl.lit(None, dtype=pl.Boolean)
            )
        ),
        "oven",
    )
    oven = next(s for s in found.factory.stations.values() if isinstance(s, BatchStation))
    assert (oven.size, oven.time) == (size, pytest.approx(dwell))
    assert isinstance(found.factory.stations["load"], DiscreteStation)
    assert read_text(to_yaml(found.factory)) == found.factory


def test_formats_with_dots_and_blanks_get_names_that_a_description_can_use(history):
    is_odd = pl.col("case").cast(pl.Int64) % 2 == 1
    visits = history.visits.with_columns(
        format=pl.when(is_odd).then(pl.lit("Type 1")).otherwise(pl.lit("v2.0"))
    ).filter(pl.col("case").cast(pl.Int64) < 400)
    found = learn(log_of(visits), "formats")
    assert list(found.factory.formats) == ["Type_1", "v2_0"]
    assert read_text(to_yaml(found.factory)) == found.factory
    assert any("'Type 1' is 'Type_1'" in note for note in found.notes)


def test_learned_shop_is_valid_and_survives_its_file(shop):
    check(shop.factory)
    assert read_text(to_yaml(shop.factory)) == shop.factory
