"""States of machines become shares of time of stations."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from gigatwin.errors import TelemetryError
from gigatwin.events.case_log import CaseLog
from gigatwin.events.state_log import StateLog
from gigatwin.factory.reading import read_text
from gigatwin.learning.check.log_as_described import as_described
from gigatwin.learning.check.recorded_states import (
    compared_shares,
    recorded_states,
    station_states,
)
from gigatwin.learning.check.station_matching import matched_visits

LINE = "name: line\nstations:\n  press: {time: 10 s, machines: 2}\n  test: {time: 5 s}\n"
BEGIN = datetime(2026, 10, 5, 6, tzinfo=UTC)


def log(origin=BEGIN):
    visits = pl.DataFrame(
        {
            "case": ["a", "b", "a"],
            "activity": ["press", "press", "test"],
            "machine": ["press#1", "press#2", "tester"],
            "start": [0.0, 0.0, 50.0],
            "end": [50.0, 100.0, 100.0],
        }
    )
    return CaseLog(visits, origin)


def states(*rows, origin=BEGIN):
    table = pl.DataFrame(rows, schema=["machine", "state", "start", "end"], orient="row")
    return StateLog(table.with_columns(row=pl.int_range(1, pl.len() + 1)), origin)


def found(given, line=LINE):
    factory = read_text(line, "line")
    matched = matched_visits(factory, as_described(factory, log()))
    rows, notes = station_states(factory, log(), given, matched)
    recorded = recorded_states(factory, rows, 0.0, 100.0)
    return recorded, (*notes, *recorded.notes)


def test_machines_of_a_station_are_added_and_cut_to_the_time_of_the_log():
    recorded, notes = found(
        states(
            ("press#1", "executing", -40.0, 50.0),
            ("press#1", "blocked", 50.0, 100.0),
            ("PRESS#2", "executing", 0.0, 400.0),
            ("tester", "starved", 0.0, 50.0),
            ("tester", "executing", 50.0, 100.0),
        )
    )
    assert recorded.shares == {
        ("press", "BLOCKED"): 0.25,
        ("press", "EXECUTING"): 0.75,
        ("test", "EXECUTING"): 0.5,
        ("test", "STARVED"): 0.5,
    }
    assert notes == ()


def test_times_are_moved_to_the_begin_of_the_log():
    hour = timedelta(hours=1)
    given = states(
        ("tester", "starved", 3600.0, 3675.0),
        ("tester", "executing", 3675.0, 3700.0),
        origin=BEGIN - hour,
    )
    recorded, notes = found(given)
    assert recorded.shares["test", "STARVED"] == pytest.approx(0.75)
    assert recorded.stations == {"test"}
    assert any("'press'" in note for note in notes)


def test_hours_without_work_do_not_count():
    line = LINE + "working_hours: {period: 24 h, steps: [{at: 0 s, capacity: 0}, {at: 6 h}]}\n"
    line = line.replace("{at: 6 h}", "{at: 6 h, capacity: 1}")
    factory = read_text(line, "line")
    given = states(
        ("tester", "no_order", -1000.0, 0.0),
        ("tester", "executing", 0.0, 100.0),
    )
    matched = matched_visits(factory, as_described(factory, log()))
    rows, _ = station_states(factory, log(), given, matched)
    lengths = rows.select("state", seconds=pl.col("end") - pl.col("start"))
    assert dict(lengths.iter_rows()) == {"NO_ORDER": 0.0, "EXECUTING": 100.0}


def test_waits_without_a_word_are_compared_as_starved():
    recorded, notes = found(
        states(("tester", "starved", 0.0, 60.0), ("tester", "executing", 60.0, 100.0))
    )
    assert recorded.as_starved == {"BLOCKED", "WAITING_FOR_CREW"}
    assert any("never say 'blocked'" in note for note in notes)
    simulated = {
        ("test", "STARVED"): 0.25,
        ("test", "BLOCKED"): 0.25,
        ("test", "EXECUTING"): 0.5,
        ("press", "EXECUTING"): 1.0,
    }
    assert compared_shares(recorded, simulated) == {
        ("test", "STARVED"): 0.5,
        ("test", "EXECUTING"): 0.5,
    }


def test_part_of_the_time_and_of_the_machines_is_said():
    _, notes = found(
        states(("press#1", "executing", 0.0, 100.0), ("oven", "executing", 0.0, 100.0))
    )
    text = " ".join(notes)
    assert "press (50%)" in text
    assert "'oven'" in text


def test_states_of_other_machines_are_refused():
    line = "name: line\nstations:\n  press: {time: 10 s}\n"
    with pytest.raises(TelemetryError, match=r"none of which is a machine.*recorded_as"):
        found(states(("tester", "executing", 0.0, 100.0)), line)


def test_states_of_another_time_are_refused():
    given = pl.DataFrame(
        {"station": ["test"], "state": ["executing"], "start": 500.0, "end": 600.0}
    )
    with pytest.raises(TelemetryError, match="same time as the log"):
        found(given)
