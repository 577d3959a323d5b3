"""Visits straight from records are those of the event table."""

import numpy as np
import polars as pl
import pytest

from gigatwin.compiler.build import compile_factory
from gigatwin.events.log import event_table
from gigatwin.events.visits import visits_of
from gigatwin.factory.reading import load, read_text
from gigatwin.learning.check.simulated_visits import simulated_visits
from gigatwin.simulation.event_names import event_names
from gigatwin.simulation.run import Run

STORE = """
name: store
stations:
  make: {time: 10 s}
  rest: {kind: storage, capacity: 20, dwell: 25 s, buffer: {capacity: 1}}
  pack: {time: 4 s}
"""


def recorded(factory, begin, end):
    compiled = compile_factory(factory)
    run = Run(compiled, seed=3, trace=True)
    run.advance(begin)
    run.records()
    run.advance(end)
    return compiled, run.records()


@pytest.mark.parametrize(
    ("name", "begin", "end"),
    [
        ("two-machine", 0.0, 200.0),
        ("serial-10", 100.0, 200.0),
        pytest.param("assembly-46", 1500.0, 3000.0, marks=pytest.mark.compiled),
        pytest.param("cylindrical-46", 0.0, 20_000.0, marks=pytest.mark.compiled),
    ],
)
def test_visits_are_those_of_the_event_table(name, begin, end):
    factory = load(name)
    compiled, records = recorded(factory, begin, end)
    found = simulated_visits(compiled, records, tuple(factory.stations), tuple(factory.stations))
    expected = visits_of(event_table(records, event_names(compiled)))
    columns = ["activity", "case", "start", "end"]
    expected = expected.filter(pl.col("activity").is_in(list(factory.stations)))
    table = pl.DataFrame(
        {
            "activity": np.array(found.stations)[found.station],
            "case": found.case.astype(str),
            "start": found.start,
            "end": found.end,
        }
    ).with_columns(pl.col("start", "end").fill_nan(None))
    assert table.height > 100
    assert table.sort(columns).equals(expected.select(columns).sort(columns))


def test_only_the_stations_asked_for_are_seen():
    factory = load("two-machine")
    compiled, records = recorded(factory, 0.0, 100.0)
    found = simulated_visits(compiled, records, ["second"])
    assert found.stations == ("second",)
    assert set(found.station) == {0}


def test_time_in_a_storage_begins_when_the_item_comes():
    compiled, records = recorded(read_text(STORE, "store"), 0.0, 300.0)
    found = simulated_visits(compiled, records, ["make", "rest", "pack"])
    stays = (found.end - found.start)[found.station == 1]
    assert np.nanmin(stays) == pytest.approx(25.0)
    instant = simulated_visits(compiled, records, ["make", "rest", "pack"], ["rest"])
    assert np.nanmax((instant.end - instant.start)[instant.station == 1]) == 0.0
