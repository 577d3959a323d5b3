"""What a log does not tell."""

from dataclasses import replace

import pytest

from gigatwin.events.case_log import CaseLog
from gigatwin.factory.estimates import Estimate
from gigatwin.learning.learn import learn
from gigatwin.learning.unknowns import unknowns
from gigatwin.testing.generated_log import case_log_of
from gigatwin.testing.random_lines import random_line


@pytest.fixture(scope="module")
def line():
    visits = random_line(3, n_stations=(4, 4)).simulate(600).visits
    return learn(CaseLog(visits.drop("station")), "line")


@pytest.fixture(scope="module")
def shop():
    return learn(case_log_of(n_cases=600), "shop")


def test_each_limited_buffer_that_was_never_full_has_its_entry(line):
    named = {
        item.element: item.what for item in line.unknowns if item.element.endswith(".capacity")
    }
    unidentified = {
        f"{name}.buffer.capacity": item.buffer
        for name, item in line.stations.items()
        if item.buffer is not None and not item.buffer.is_identified
    }
    assert named.keys() == unidentified.keys()
    for element, what in named.items():
        assert f"at least {unidentified[element].capacity}" in what
        assert what.count("at least") == 1


def test_unlimited_buffers_have_one_entry_for_all(shop):
    entries = [item for item in shop.unknowns if "buffer" in item.element]
    assert [item.element for item in entries] == ["buffers"]
    n = sum(item.buffer is not None for item in shop.stations.values())
    assert entries[0].what == (
        f"The capacities of the {n} buffers: none was ever seen full; all are taken as unlimited."
    )


def test_unlimited_buffers_that_were_seen_full_are_named(shop):
    name = next(name for name, item in shop.stations.items() if item.buffer is not None)
    station = shop.stations[name]
    full = replace(station, buffer=replace(station.buffer, is_identified=True))
    found = unknowns(replace(shop, stations={**shop.stations, name: full}))
    (entry,) = [item for item in found if item.element == "buffers"]
    assert f"those of {name} were seen full" in entry.what


def test_station_without_a_complete_visit_says_what_to_record(line):
    station = line.stations["s02"]
    mean = Estimate(value=0.0, low=0.0, n=0, method="none", is_identified=False)
    bare = replace(station, times=replace(station.times, mean=mean))
    found = unknowns(replace(line, stations={**line.stations, "s02": bare}))
    (entry,) = [item for item in found if item.element == "s02.time"]
    assert "taken as 0 s" in entry.what
    assert "when items enter and when they leave" in entry.signal


def test_imprecise_time_says_how_many_observations_it_has(line):
    station = line.stations["s02"]
    mean = Estimate(value=1.0, low=0.0, high=2.0, n=1, method="m")
    poor = replace(station, times=replace(station.times, mean=mean))
    found = unknowns(replace(line, stations={**line.stations, "s02": poor}))
    (entry,) = [item for item in found if item.element == "s02.time"]
    assert entry.what.endswith("from 1 observation.")


def test_every_entry_has_sentences(line, shop):
    for item in (*line.unknowns, *shop.unknowns):
        assert item.what.endswith(".")
        assert item.signal.endswith(".")
