"""The log of a plant is the log of the line that it is."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gigatwin.compiler.build import compile_factory
from gigatwin.events.log import EventLogWriter
from gigatwin.events.visits import visits_of
from gigatwin.factory import load
from gigatwin.kpi.from_events import state_durations
from gigatwin.simulation.event_names import event_names
from gigatwin.simulation.run import Run
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry import Batch, EventRow, Intake, event_table_of
from tests.unit.telemetry.plant_of_trace import BEGIN, mapping_of, readings_of


def trace_of(name, seconds):
    compiled = compile_factory(load(name))
    log = EventLogWriter(event_names(compiled))
    run = Run(compiled, trace=True, on_records=log.write)
    run.advance(seconds)
    run.flush()
    return compiled.machines, log.close()


def in_batches(readings, size):
    for begin in range(0, len(readings), size):
        part = tuple(readings[begin : begin + size])
        yield Batch(part, received=part[-1].source_time)


# Serial; assembly with loads, scrap, arrivals and formats; breakdowns with a crew that is awaited.
@pytest.mark.compiled
@pytest.mark.parametrize(
    ("name", "seconds"), [("serial-10", 400.0), ("assembly-46", 300.0), ("machine-repair", 1500.0)]
)
def test_visits_and_times_in_states_are_those_of_the_trace(name, seconds):
    machines, trace = trace_of(name, seconds)
    intake = Intake(mapping_of(machines))
    rows = []
    for batch in in_batches(readings_of(trace, machines), 37):
        rows += intake.take(batch).events
    rows += intake.flush().events
    table = event_table_of(rows, machines, start=BEGIN)

    def comparable(events):
        return visits_of(events).drop("row").sort("case", "machine", "start", "end")

    assert comparable(trace).height > 300
    assert_frame_equal(comparable(table), comparable(trace), check_exact=True)
    start = dict.fromkeys(machines, MachineState.STARVED)
    found, wanted = (
        state_durations(events, machines, 0.0, seconds, start).sort("machine", "state")
        for events in (table, trace)
    )
    assert_frame_equal(found["machine", "state", "seconds"], wanted["machine", "state", "seconds"])
    counts = intake.counts.as_dict()
    assert counts.pop("readings") > 1000
    assert not any(counts.values())


def test_columns_are_those_of_a_simulated_log():
    row = EventRow(105.0, "winding#2", "STOP", MachineState.MICRO_STOP, detail="jam")
    table = event_table_of([row], ["winding#1", "winding#2"], start=100.0)
    _, trace = trace_of("two-machine", 60.0)
    assert table.columns == trace.columns
    assert table.rows() == [
        (5.0, "winding#2", "STOP", "MICRO_STOP", -1, "", "NOTHING", "winding#2", "winding.jam")
    ]
    assert event_table_of([]).columns == trace.columns
    assert event_table_of([]).schema["time"] == pl.Float64


def test_rows_of_several_sources_stand_in_the_order_of_time():
    rows = [
        EventRow(3.0, "a", "START", MachineState.EXECUTING, 1),
        EventRow(1.0, "b", "START", MachineState.EXECUTING, 1),
    ]
    assert event_table_of(rows)["machine"].to_list() == ["b", "a"]
