"""Visits from gigatwin's own event records."""

import polars as pl
import pytest

from gigatwin.events.case_log import read_case_log
from gigatwin.events.state_log import read_state_log
from gigatwin.events.visits import is_event_table, visits_of
from gigatwin.factory import load
from gigatwin.simulation import simulate


def events_of(rows):
    columns = ["time", "machine", "kind", "state", "item", "format"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def test_start_and_departure_make_a_visit():
    events = events_of(
        [
            (0.0, "make#1", "START", "EXECUTING", 7, "A"),
            (1.0, "make#2", "START", "EXECUTING", 8, ""),
            (4.0, "make#1", "BLOCK", "BLOCKED", 7, "A"),
            (6.0, "make#1", "LEAVE", "STARVED", 7, "A"),
            (6.0, "pack", "START", "EXECUTING", 7, "A"),
        ]
    )
    assert is_event_table(events.columns)
    assert visits_of(events).rows() == [
        ("7", "make", "make#1", 0.0, 6.0, None, "A", 1),
        ("8", "make", "make#2", 1.0, None, None, None, 2),
        ("7", "pack", "pack", 6.0, None, None, "A", 5),
    ]


def test_item_that_comes_back_has_two_visits():
    steps = [(0.0, "START"), (1.0, "LEAVE"), (1.0, "START"), (3.0, "LEAVE")]
    events = events_of([(time, "m", kind, "EXECUTING", 1, "A") for time, kind in steps])
    assert visits_of(events).select("start", "end").rows() == [(0.0, 1.0), (1.0, 3.0)]


def test_items_made_by_a_machine_began_when_it_last_began():
    events = events_of(
        [
            (0.0, "slit", "START", "EXECUTING", 1, "A"),
            (5.0, "slit", "LEAVE", "BLOCKED", 2, "A"),
            (6.0, "slit", "LEAVE", "STARVED", 3, "A"),
        ]
    )
    assert visits_of(events).select("case", "start", "end").rows() == [
        ("1", 0.0, None),
        ("2", 0.0, 5.0),
        ("3", 0.0, 6.0),
    ]


@pytest.mark.compiled
def test_trace_of_a_run_reads_as_a_log(tmp_path):
    path = tmp_path / "trace.parquet"
    simulate(load("two-machine"), days=0.01, replications=1, warm_up=0.0, trace=path)
    events = pl.read_parquet(path)
    log = read_case_log(path)
    assert log.activities.height == events.filter(pl.col("kind") == "LEAVE").height > 500
    assert log.visits.height - log.activities.height <= 2
    assert (log.activities["end"] >= log.activities["start"]).all()
    # The time between starts and departures is the time not starved.
    states = read_state_log(path).intervals.filter(pl.col("state") != "starved")
    busy = states.group_by("machine").agg((pl.col("end") - pl.col("start")).sum().alias("busy"))
    inside = log.visits.with_columns(pl.col("end").fill_null(events["time"].max()))
    inside = inside.group_by("machine").agg((pl.col("end") - pl.col("start")).sum().alias("inside"))
    both = busy.join(inside, on="machine")
    assert both.height == 2
    assert both["busy"].to_list() == pytest.approx(both["inside"].to_list())
