"""Visits of a log find the stations of a factory by name."""

import polars as pl
import pytest

from gigatwin.errors import TelemetryError
from gigatwin.factory.reading import read_text
from gigatwin.learning.check.station_matching import (
    matched_visits,
    stations_by_names,
    stations_of_machines,
)


def factory(*names, description=""):
    stations = "\n".join(f"  {name}: {{time: 1 s, description: {description!r}}}" for name in names)
    return read_text(f"name: line\nstations:\n{stations}\n", "line")


def visits(*pairs):
    return pl.DataFrame(
        {
            "case": [str(k) for k in range(len(pairs))],
            "activity": [activity for activity, _ in pairs],
            "machine": [machine for _, machine in pairs],
            "start": [float(k) for k in range(len(pairs))],
            "end": [k + 1.0 for k in range(len(pairs))],
        }
    )


@pytest.mark.parametrize(
    ("activity", "machine", "name"),
    [
        ("weld", "weld", "weld"),
        ("weld", "robot 7", "weld"),
        ("do", "weld#3", "weld"),
        ("do", "weld_3", "weld"),
        ("/hall/weld", "robot", "weld"),
        ("join parts", "robot", "robot-join_parts"),
    ],
)
def test_station_is_found_by_name(activity, machine, name):
    found = matched_visits(factory(name, "other"), visits((activity, machine)))
    assert found.visits["station"].to_list() == [name]
    assert found.stations == (name,)


def test_station_is_found_by_its_description():
    line = factory("first", description="'join' on 'robot', learned")
    assert matched_visits(line, visits(("join", "robot"))).stations == ("first",)


def test_column_station_is_taken_as_it_is():
    rows = visits(("x", "y")).with_columns(station=pl.lit("weld"))
    assert matched_visits(factory("weld"), rows).stations == ("weld",)


def test_function_decides_when_it_is_given():
    found = matched_visits(
        factory("weld"), visits(("x", "y")), lambda rows: pl.Series(["weld"] * rows.height)
    )
    assert found.stations == ("weld",)


def test_what_is_in_one_of_both_only_is_noted():
    found = matched_visits(factory("weld", "paint"), visits(("weld", "weld"), ("saw", "m1")))
    assert found.visits.height == 1
    assert "1 of 2 visits left out" in found.notes[0]
    assert "'saw on m1'" in found.notes[0]
    assert "'paint'" in found.notes[1]


def test_nothing_in_common_is_an_error_that_lists_both():
    with pytest.raises(TelemetryError, match="the log has 'saw on m1', the factory 'weld'"):
        matched_visits(factory("weld"), visits(("saw", "m1")))


def test_empty_log_is_refused():
    with pytest.raises(TelemetryError, match="no visits"):
        matched_visits(factory("weld"), visits(("weld", "weld")).head(0))


def test_activities_and_machines_of_each_station_can_be_given():
    station_of = stations_by_names({"weld": (["join"], ["r1", "r2"]), "saw": (["cut"], ["m"])})
    rows = visits(("join", "r2"), ("cut", "m"), ("join", "m"))
    assert station_of(rows).to_list() == ["weld", "saw", None]
    found = matched_visits(factory("weld", "saw"), rows, station_of)
    assert found.visits["station"].to_list() == ["weld", "saw"]
    assert "'join on m'" in found.notes[0]


def test_machines_find_their_stations():
    line = read_text(
        "name: line\nstations:\n"
        "  weld: {time: 1 s, machines: 2, "
        "recorded_as: {activities: [join], machines: [r 1, r 2]}}\n"
        "  rough: {time: 1 s, recorded_as: {activities: [rough], machines: [mill]}}\n"
        "  fine: {time: 1 s, recorded_as: {activities: [fine], machines: [mill]}}\n"
        "  press: {time: 1 s, machines: 2}\n"
        "  test: {time: 1 s}\n",
        "line",
    )
    rows = matched_visits(line, visits(("test", "bench 7"), ("join", "r 1"))).visits
    names = ["r 1", "r 2", "mill", "press#2", "bench 7", "oven"]
    assert stations_of_machines(line, rows, names) == {
        "r 1": "weld",
        "r 2": "weld",
        "mill": None,
        "press#2": "press",
        "bench 7": "test",
        "oven": None,
    }
