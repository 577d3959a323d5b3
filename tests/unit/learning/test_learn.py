"""Learning a job shop with known laws."""

import math

import polars as pl
import pytest

from gigatwin.events.case_log import CaseLog
from gigatwin.factory.checks import check
from gigatwin.factory.durations import Empirical
from gigatwin.factory.reading import read_text
from gigatwin.factory.routing import Route
from gigatwin.factory.writing import to_yaml
from gigatwin.learning.durations import MAXIMUM_SAMPLES
from gigatwin.learning.failures import wilson_interval
from gigatwin.learning.learn import CASES, FAILED, learn
from gigatwin.testing.generated_log import JOB_SHOP, case_log_of

NAMES = {
    "saw": "saw-cut",
    "mill-rough": "mill-rough",
    "mill-fine": "mill-fine",
    "lathe": "lathe-turn",
    "gauge": "gauge-measure",
    "out": "out",
}


@pytest.fixture(scope="module")
def log():
    return case_log_of(n_cases=12_000, seed=7)


@pytest.fixture(scope="module")
def learned(log):
    return learn(log, "shop")


def few(rows: list[tuple[str, str, str, float, float]]) -> CaseLog:
    schema = ["case", "activity", "machine", "start", "end"]
    table = pl.DataFrame(rows, schema=schema, orient="row")
    return CaseLog(table.with_columns(success=pl.lit(None, dtype=pl.Boolean)))


@pytest.mark.parametrize("step", list(JOB_SHOP.steps))
def test_mean_time_of_each_station_is_recovered(learned, step):
    true = JOB_SHOP.steps[step]
    known = learned.stations[NAMES[step]].time
    error = true.cv * true.mean / math.sqrt(known.n_observations)
    assert abs(known.mean - true.mean) < 5 * error
    assert 5 * error < 0.05 * true.mean
    law = learned.factory.stations[NAMES[step]].time
    assert isinstance(law, Empirical)
    assert law.samples is not None
    assert len(law.samples) == MAXIMUM_SAMPLES
    assert sum(law.samples) / MAXIMUM_SAMPLES == pytest.approx(known.mean, rel=1e-5)


@pytest.mark.parametrize("step", list(JOB_SHOP.steps))
def test_routing_shares_are_recovered(learned, step):
    counts = learned.stations[NAMES[step]].next
    true = {NAMES[target]: share for target, share in JOB_SHOP.steps[step].next.items()}
    assert counts.keys() == true.keys()
    total = sum(counts.values())
    for target, share in true.items():
        error = math.sqrt(share * (1 - share) / total)
        assert abs(counts[target] / total - share) <= 5 * error
    way = learned.factory.stations[NAMES[step]].next
    shares = {way: 1.0} if isinstance(way, str) else {route.to: route.share for route in way}
    assert shares == pytest.approx({key: n / total for key, n in counts.items()}, abs=2e-6)


def test_arrivals_are_recovered(learned):
    known = learned.interval
    assert abs(known.mean - 60.0) < 5 * 60.0 / math.sqrt(known.n_observations)
    assert known.cv == pytest.approx(1.0, abs=0.06)
    way = learned.factory.arrivals[CASES].next
    assert isinstance(way, tuple)
    shares = {route.to: route.share for route in way if isinstance(route, Route)}
    assert shares == pytest.approx({"saw-cut": 0.9, "lathe-turn": 0.1}, abs=0.014)


def test_failures_are_a_defect_that_the_item_keeps(learned):
    lathe = learned.stations["lathe-turn"].failures
    error = math.sqrt(0.05 * 0.95 / lathe.n_known)
    assert abs(lathe.ratio - 0.05) < 5 * error
    assert (lathe.low, lathe.high) == wilson_interval(lathe.n_failed, lathe.n_known)
    station = learned.factory.stations["lathe-turn"]
    assert station.defects == {FAILED: pytest.approx(lathe.ratio, abs=1e-6)}
    assert station.scrap == 0.0
    assert learned.factory.stations["saw-cut"].defects == {}


def test_machine_with_several_activities_is_shared(learned):
    stations = learned.factory.stations
    for name in ("mill-rough", "mill-fine"):
        assert stations[name].operators.resource == "mill"
    assert learned.factory.resources["mill"].capacity == 1
    assert list(learned.factory.resources) == ["mill"]
    assert stations["saw-cut"].operators is None
    assert {station.machines for station in stations.values()} == {1}


def test_learned_factory_is_valid_and_survives_its_file(learned):
    check(learned.factory)
    assert read_text(to_yaml(learned.factory)) == learned.factory


def test_sources_tell_what_numbers_rest_on(learned):
    station = learned.factory.stations["lathe-turn"]
    n = learned.stations["lathe-turn"].time.n_observations
    assert station.sources["time"].startswith(f"learned, {n} observations; mean ")
    assert "95 % interval" in station.sources["defects"]


def test_table_has_a_row_for_each_station(learned):
    table = learned.table()
    assert table["station"].to_list() == list(learned.factory.stations)
    assert table["is_identified"].all()
    assert learned.identified_ratio == 1.0


def test_few_observations_are_marked_as_not_identified():
    log = few([("a", "cut", "saw", 0.0, 5.0), ("b", "cut", "saw", 10.0, 16.0)])
    learned = learn(log, "two")
    assert learned.identified_ratio == 0.0
    assert "Not identified" in learned.factory.stations["saw-cut"].description
    assert any("no outcomes" in note for note in learned.notes)


def test_parallel_machines_are_counted():
    rows = [(f"case_{k}", "wash", "basin", 10.0 * k, 10.0 * k + 25.0) for k in range(200)]
    learned = learn(few(rows), "wash")
    assert learned.factory.stations["basin-wash"].machines == 3


def test_night_is_part_of_the_law_of_arrivals_and_noted():
    rows = [
        (f"case_{k}", "cut", "saw", start, start + 5.0)
        for k, start in enumerate((0.0, 10.0, 20.0, 50_000.0))
    ]
    learned = learn(few(rows), "night")
    law = learned.factory.arrivals[CASES].interval
    assert isinstance(law, Empirical)
    assert law.samples == (10.0, 10.0, 49_980.0)
    assert any("1 pause" in note for note in learned.notes)
