"""A stream with lost, repeated and disordered messages still tells what the plant did."""

import random
from itertools import groupby

import polars as pl
import pytest

from gigatwin.compiler.build import compile_factory
from gigatwin.events.log import EventLogWriter
from gigatwin.factory import load
from gigatwin.simulation.event_names import event_names
from gigatwin.simulation.run import Run
from gigatwin.telemetry import Batch, Intake, Quantity, event_table_of
from tests.unit.telemetry.plant_of_trace import TOLD, mapping_of, readings_of

HORIZON = 3000.0
LOST, REPEATED, DISORDERED = 0.01, 0.01, 0.02


def device_of(reading):
    return reading.tag.partition("/")[0]


def batches_of(readings, seed):
    """Return what arrives of a plant on a bad network; the source asks again after a loss."""
    dice = random.Random(seed)  # noqa: S311 - no secrets

    def origin(reading):
        return reading.source_time, device_of(reading)

    arriving = []
    latest = {}
    asked = []
    for (time, device), group in groupby(sorted(readings, key=origin), key=origin):
        while asked and asked[0][0] < time:
            at, asking = asked.pop(0)
            present = tuple(latest[asking].values())
            arriving.append(Batch(present, received=at, is_snapshot=True))
        message = tuple(group)
        latest.setdefault(device, {}).update({reading.tag: reading for reading in message})
        luck = dice.random()
        # What the machines say at first comes with a birth, which is certain.
        if time > 0.0 and luck < LOST:
            asked.append((time + 1.0, device))
        else:
            delay = dice.uniform(0.0, 1.0) if luck > 1.0 - DISORDERED else 0.0
            arriving.append(Batch(message, received=time + delay))
        if dice.random() < REPEATED:
            arriving.append(Batch(message, received=time + dice.uniform(0.0, 1.0)))
    return sorted(arriving, key=lambda batch: batch.received)


def share_of_time_in_wrong_state(trace, table, machines):
    wrong = 0.0
    for machine in machines:
        states = [
            log.filter(pl.col("machine").cast(pl.String) == machine)
            .group_by("time", maintain_order=True)
            .agg(pl.col("state").cast(pl.String).last().alias(name))
            for log, name in ((trace, "true"), (table, "seen"))
        ]
        both = states[0].join(states[1], on="time", how="full", coalesce=True).sort("time")
        both = both.with_columns(
            pl.col("true", "seen").forward_fill().fill_null("STARVED"),
            seconds=pl.col("time").shift(-1).fill_null(HORIZON) - pl.col("time"),
        )
        wrong += both.filter(pl.col("true") != pl.col("seen"))["seconds"].sum()
    return wrong / (HORIZON * len(machines))


@pytest.fixture(scope="module")
def history():
    compiled = compile_factory(load("machine-repair"))
    log = EventLogWriter(event_names(compiled))
    run = Run(compiled, trace=True, on_records=log.write)
    run.advance(HORIZON)
    run.flush()
    trace = log.close()
    return compiled.machines, trace, readings_of(trace, compiled.machines)


@pytest.mark.compiled
@pytest.mark.parametrize("seed", [1, 2])
def test_counts_are_exact_and_states_nearly_always_right(history, seed):
    machines, trace, readings = history
    intake = Intake(mapping_of(machines))
    rows, counted = [], dict.fromkeys(machines, 0)
    for batch in batches_of(readings, seed):
        taken = intake.take(batch)
        rows += taken.events
        counted |= {
            o.element: o.value for o in taken.observations if o.quantity is Quantity.PROCESSED
        }
    rows += intake.flush().events
    # The last message may be one of those that are lost.
    for machine, count in counted.items():
        n_left = trace.filter((pl.col("machine") == machine) & (pl.col("kind") == "LEAVE")).height
        assert n_left - 1 <= count <= n_left
    numbers = [(row.machine, row.number) for row in rows if row.number]
    assert len(numbers) == len(set(numbers))
    n_told = trace.filter(pl.col("kind").cast(pl.String).is_in(TOLD)).height
    assert n_told - len(numbers) == pytest.approx(intake.counts.lost_telegrams, abs=len(machines))
    assert intake.counts.lost_telegrams > 10
    for machine in machines:
        times = [row.time for row in rows if row.machine == machine]
        assert times == sorted(times)
    table = event_table_of(rows, machines)
    assert share_of_time_in_wrong_state(trace, table, machines) < 0.001


@pytest.mark.compiled
def test_without_losses_disorder_and_repetition_change_nothing(history):
    machines, trace, readings = history
    dice = random.Random(3)  # noqa: S311 - no secrets
    # Nothing is lost, much is late, everything comes twice.
    arriving = [
        (reading.source_time + dice.uniform(0.0, 1.0), reading)
        for reading in readings
        if reading.tag.endswith("Tracking")
        for _ in range(2)
    ]
    intake = Intake(mapping_of(machines), reorder_patience=5.0)
    rows = []
    for time, reading in sorted(arriving, key=lambda arrival: arrival[0]):
        rows += intake.take(Batch((reading,), received=time)).events
    rows += intake.flush().events
    found = {
        machine: [(r.time, r.kind, r.item, r.detail) for r in rows if r.machine == machine]
        for machine in machines
    }
    told = trace.filter(pl.col("kind").cast(pl.String).is_in(TOLD))
    for machine in machines:
        of_machine = told.filter(pl.col("machine") == machine)
        assert found[machine] == of_machine.select("time", "kind", "item", "detail").rows()
    assert intake.counts.lost_telegrams == 0
    assert intake.counts.duplicates == told.height
