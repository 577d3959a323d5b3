"""What an engineer reads first: sentences, rounded numbers, and the same factory back."""

import re

import polars as pl
import pytest

from gigatwin.events.case_log import CaseLog, read_case_log
from gigatwin.factory.reading import load, read_text
from gigatwin.factory.stations import AssemblyStation
from gigatwin.factory.writing import to_yaml, write
from gigatwin.learning.learn import learn
from gigatwin.simulation.sampling import throughput_of
from gigatwin.testing.generated_log import case_log_of
from gigatwin.testing.random_lines import random_line
from gigatwin.testing.random_networks import random_network, visits_of_run


@pytest.fixture(scope="module")
def line():
    visits = random_line(3, n_stations=(3, 3)).simulate(600).visits
    return learn(CaseLog(visits.drop("station")), "line")


@pytest.fixture(scope="module")
def shop():
    return learn(case_log_of(n_cases=1000), "shop")


@pytest.fixture(scope="module", params=["line", "shop"])
def text(request):
    return to_yaml(request.getfixturevalue(request.param).factory)


def test_description_says_what_it_was_learned_from(line):
    assert line.factory.description == "Learned from 1800 visits of 600 cases."


def test_no_number_has_more_than_six_digits(text):
    numbers = re.findall(r"\d+\.\d+", text)
    assert len(numbers) > 50
    assert [text for text in numbers if len(text.replace(".", "").lstrip("0")) > 6] == []


def test_sentences_need_no_quotes(text):
    for described in re.findall(r"description: (.*)", text):
        assert described[0] not in "'\""
        assert "''" not in described


def test_station_of_one_name_does_not_repeat_it(line, shop):
    assert "s01" not in line.factory.stations["s01"].description
    assert shop.factory.stations["mill-rough"].description.startswith("Does rough on mill. ")


def test_file_reads_back_as_the_same_factory(line, tmp_path):
    write(line.factory, tmp_path / "line.yaml")
    assert load(tmp_path / "line.yaml") == line.factory


def test_every_estimate_agrees_with_its_number(shop, line):
    for factory in (shop.factory, line.factory):
        assert read_text(to_yaml(factory)) == factory
        for station in factory.stations.values():
            for name, estimate in station.estimates.items():
                if name in {"time", "scrap"}:
                    assert getattr(station, name) == pytest.approx(estimate.value, rel=1e-6)


def test_shares_of_ways_sum_to_one_and_have_intervals(shop):
    for station in shop.factory.stations.values():
        if isinstance(station.next, tuple):
            assert sum(route.share for route in station.next) == pytest.approx(1.0, abs=1e-9)
            for route in station.next:
                estimate = route.estimates["share"]
                assert estimate.low <= estimate.value == route.share <= estimate.high


def test_places_on_a_circle_are_unlimited_so_that_it_cannot_lock_up(shop, line):
    assert {station.buffer.capacity for station in shop.factory.stations.values()} == {"unlimited"}
    assert line.factory.stations["s02"].buffer.capacity != "unlimited"


@pytest.mark.compiled
def test_formats_of_an_endless_supply_do_not_run_out():
    visits = random_line(4, n_stations=(3, 3)).simulate(600).visits.drop("station")
    number = pl.col("case").cast(pl.Int64)
    named = visits.with_columns(
        format=pl.when(number % 40 < 20).then(pl.lit("4680")).otherwise(pl.lit("4695"))
    )
    found = learn(CaseLog(named), "formats")
    assert [order.format for order in found.factory.orders[:3]] == ["4680", "4695", "4680"]
    assert any(unknown.element == "orders" for unknown in found.unknowns)
    length = float(visits["end"].max())
    early, later = (
        throughput_of(found.factory, end, end - length) for end in (length, 20 * length)
    )
    assert later == pytest.approx(early, rel=0.15)


def test_assembly_takes_in_what_its_parts_line_makes():
    visits, _ = visits_of_run(random_network(9), 600)
    found = learn(CaseLog(visits), "assembly").factory
    (name,) = [name for name, item in found.stations.items() if isinstance(item, AssemblyStation)]
    (port,) = found.stations[name].inputs
    feeders = [item for item in found.stations.values() if item.next == f"{name}.{port}"]
    assert len(feeders) == 1


def test_log_of_the_smart_factory_is_described_without_findings(shared_data, tmp_path):
    path = shared_data / "smart-factory-event-log" / "smart_factory_event_log.csv"
    if not path.is_file():
        pytest.skip(f"Data absent: {path}")
    log = read_case_log(path)
    factory = learn(log, "smart").factory
    write(factory, tmp_path / "smart.yaml")
    assert load(tmp_path / "smart.yaml") == factory
    text = (tmp_path / "smart.yaml").read_text(encoding="utf-8")
    assert f"Learned from {log.visits.height} visits" in text
    assert not [line for line in text.splitlines() if "description: '" in line]
