"""What holds for any factory: the kernel against the reference, and laws that both must keep."""

import json
import os
import re

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from gigatwin.compiler.build import compile_factory
from gigatwin.errors import SimulationError
from gigatwin.kernel.layout import Feature, Kind
from gigatwin.simulation.run import Run
from gigatwin.simulation.simulate import simulate
from gigatwin.standards.machine_states import MachineState
from tests.property.comparison import (
    as_tuples,
    assert_same_records,
    has_exact_times,
    run_kernel,
    run_reference,
)
from tests.property.strategies import build, descriptions

INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}
UNTIL = 100.0
ROUNDING = {"rtol": 1e-9, "atol": 1e-6}
"""Sums of some hundred times below 100 s."""


def some(n):
    """Return settings with so many examples, a quarter of them in plain Python."""
    return settings(max_examples=max(5, n // 4) if INTERPRETED else n)


def compiled_factories():
    return descriptions().map(build).map(compile_factory)


seeds = st.integers(0, 1000)


def state_times(run):
    """Return the seconds of each machine in each state, the present one included."""
    durations = run.state.durations.copy()
    machines = run.state.machines
    durations[np.arange(len(machines)), machines["state"]] += run.now - machines["since"]
    return durations


def traced(compiled, until=UNTIL, **random_numbers):
    """Return the run, its records, and whether it ended in a deadlock."""
    run, is_deadlocked = run_kernel(compiled, until, **random_numbers)
    return run, as_tuples(run.records()), is_deadlocked


@some(200)
@given(compiled_factories(), seeds)
def test_kernel_writes_the_log_of_the_reference(compiled, seed):
    _, found, is_deadlocked = traced(compiled, seed=seed)
    reference = run_reference(compiled, UNTIL, seed=seed)
    # The kernel stops in the midst of the moment that closes the circle.
    expected = reference.records[: len(found)] if is_deadlocked else reference.records
    assert_same_records(found, expected, exact=has_exact_times(compiled))
    event(f"deadlock: {is_deadlocked}")


@some(60)
@given(compiled_factories(), seeds)
def test_kernel_measures_the_times_of_the_reference(compiled, seed):
    run, _, is_deadlocked = traced(compiled, seed=seed)
    tally = run_reference(compiled, run.now if is_deadlocked else UNTIL, seed=seed).tally
    durations = state_times(run)
    for (machine, machine_state), seconds in tally.durations.items():
        found = durations[machine, machine_state]
        assert np.isclose(found, seconds, **ROUNDING), (machine, machine_state)
    for buffer, item_seconds in tally.item_seconds.items():
        queue = run.state.queues[buffer]
        found = queue["area"] + queue["count"] * (run.now - queue["since"])
        assert np.isclose(found, item_seconds, **ROUNDING), buffer
    for resource, crew_seconds in tally.crew_seconds.items():
        pool = run.state.pools[resource]
        in_use = pool["capacity"] - pool["free"]
        found = pool["area"] + in_use * (run.now - pool["since"])
        assert np.isclose(found, crew_seconds, **ROUNDING), resource


@some(60)
@given(compiled_factories(), seeds)
def test_kernel_counts_what_the_reference_counts(compiled, seed):
    run, _, is_deadlocked = traced(compiled, seed=seed)
    if is_deadlocked:
        return
    tally = run_reference(compiled, UNTIL, seed=seed).tally
    n_formats = len(compiled.formats)
    features = compiled.model.stations["features"]
    counted = ("processed", "left", "scrapped", "reworked", "finished", "first_pass", "lead_time")
    for row, flow in enumerate(run.state.flows):
        station, product_format = key = divmod(row, n_formats)
        for name in counted:
            expected = getattr(tally, name).get(key, 0)
            assert np.isclose(flow[name], expected, **ROUNDING), (name, *key)
        if features[station] & Feature.AMOUNTS:
            content = tally.content[station, product_format]
            assert np.isclose(flow["content"], content, **ROUNDING), key
    n_stops = compiled.model.stations[compiled.model.machine_station]["n_stops"]
    for machine, first in enumerate(run.state.machines["first_clock"]):
        for k in range(n_stops[machine]):
            assert run.state.outages[first + k]["count"] == tally.stops[machine, k]


@some(60)
@given(compiled_factories(), seeds)
def test_items_are_conserved(compiled, seed):
    run, _, _ = traced(compiled, seed=seed)
    state, control = run.state, run.state.control[0]
    gone = state.flows["finished"].sum() + state.flows["scrapped"].sum() + control["consumed"]
    in_process = state.queues["count"].sum() + state.machines["n_items"].sum()
    assert control["created"] == gone + in_process
    assert len(state.items) == control["n_free"] + in_process


@some(60)
@given(compiled_factories(), seeds)
def test_times_in_states_add_up_to_the_horizon(compiled, seed):
    run, _, _ = traced(compiled, seed=seed)
    np.testing.assert_allclose(state_times(run).sum(axis=1), run.now, rtol=1e-12)


@some(60)
@given(compiled_factories(), seeds)
def test_levels_stay_within_capacity(compiled, seed):
    run, _, _ = traced(compiled, seed=seed)
    assert (run.state.queues["peak"] <= compiled.model.buffers["capacity"]).all()
    assert (run.state.queues["count"] >= 0).all()


@some(60)
@given(compiled_factories(), seeds, st.floats(0.0, UNTIL))
def test_snapshot_and_restore_change_nothing(compiled, seed, pause):
    whole, expected, is_deadlocked = traced(compiled, seed=seed)
    if is_deadlocked:
        return
    run, first, _ = traced(compiled, pause, seed=seed)
    snapshot = run.snapshot()
    run.advance(UNTIL)
    assert first + as_tuples(run.records()) == expected
    again = Run(compiled, seed=seed + 1, trace=True)
    again.restore(snapshot)
    again.advance(UNTIL)
    assert first + as_tuples(again.records()) == expected
    for name, left, right in zip(whole.state._fields, whole.state, again.state, strict=True):
        if name not in {"records", "control"}:
            assert np.array_equal(left, right), name


@some(60)
@given(compiled_factories(), seeds)
def test_trace_changes_nothing(compiled, seed):
    run, _, is_deadlocked = traced(compiled, seed=seed)
    if is_deadlocked:
        return
    silent = Run(compiled, seed=seed)
    silent.advance(UNTIL)
    for name, left, right in zip(run.state._fields, run.state, silent.state, strict=True):
        if name not in {"records", "control"}:
            assert np.array_equal(left, right), name


def story(compiled, records, machines):
    """Return what certain machines did, in names; items by the order in which they show up."""
    numbers = {compiled.machines.index(name) for name in machines}
    places = (*compiled.buffers, "scrap", "out")
    items = {}
    told = []
    for r in records:
        if r.machine in numbers:
            item = items.setdefault(r.item, len(items))
            detail = places[r.detail] if r.kind in (Kind.LEAVE, Kind.BLOCK) else r.detail
            because = compiled.actors[r.because]
            told.append((r.time, r.kind, r.state, item, r.cause, because, detail))
    return told


@some(60)
@given(descriptions(), seeds)
def test_line_added_elsewhere_changes_nothing_here(description, seed):
    alone = compile_factory(build(description))
    other = {
        "elsewhere": {"kind": "discrete", "time": {"distribution": "exponential", "mean": "3 s"}},
        "far_away": {"kind": "discrete", "time": "2 s", "buffer": {"capacity": 1}, "next": "out"},
    }
    stations = other | description["stations"]
    both = compile_factory(build(description | {"stations": stations}))
    _, expected, is_deadlocked = traced(alone, seed=seed)
    _, found, _ = traced(both, seed=seed)
    if not is_deadlocked:
        assert story(both, found, alone.machines) == story(alone, expected, alone.machines)


def scaled(value):
    """Return a description in which everything takes twice as long."""
    if isinstance(value, dict):
        return {key: scaled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [scaled(item) for item in value]
    if isinstance(value, str) and (match := re.fullmatch(r"([\d.]+) s", value)):
        return f"{2 * float(match[1])} s"
    if isinstance(value, str) and (match := re.fullmatch(r"([\d.]+) (m/s|items/min)", value)):
        return f"{float(match[1]) / 2} {match[2]}"
    return value


@some(60)
@given(descriptions(), seeds)
def test_twice_the_durations_give_twice_the_times(description, seed):
    # Doubling is exact for every law but the lognormal, whose location is a logarithm.
    text = json.dumps(description).replace("lognormal", "weibull")
    description = json.loads(text)
    _, fast, _ = traced(compile_factory(build(description)), seed=seed)
    _, slow, _ = traced(compile_factory(build(scaled(description))), 2 * UNTIL, seed=seed)
    assert [r._replace(time=2 * r.time) for r in fast] == slow


@some(60)
@given(compiled_factories(), seeds)
def test_same_seed_gives_the_same_log(compiled, seed):
    assert traced(compiled, seed=seed)[1] == traced(compiled, seed=seed)[1]


@some(60)
@given(compiled_factories(), seeds)
def test_log_tells_the_times_in_states(compiled, seed):
    run, records, is_deadlocked = traced(compiled, seed=seed)
    if is_deadlocked:
        return
    durations = np.zeros_like(run.state.durations)
    since = [(0.0, MachineState.STARVED)] * len(durations)
    for r in records:
        if r.kind in (Kind.ARRIVE, Kind.LOAD):
            continue
        time, machine_state = since[r.machine]
        durations[r.machine, machine_state] += r.time - time
        since[r.machine] = r.time, r.state
    for machine, (time, machine_state) in enumerate(since):
        durations[machine, machine_state] += UNTIL - time
    np.testing.assert_allclose(durations, state_times(run), **ROUNDING)


def outcome(compiled, seed, threads):
    """Return all numbers and the log of some replications, or why there are none."""
    try:
        result = simulate(
            compiled,
            days=UNTIL / 86400,
            replications=4,
            seed=seed,
            warm_up=0.0,
            threads=threads,
            trace=True,
        )
    except SimulationError as error:
        return str(error)
    return json.dumps(result.to_dict(), default=str), result.events.rows()


@some(10)
@given(compiled_factories(), seeds)
def test_number_of_threads_changes_nothing(compiled, seed):
    assert outcome(compiled, seed, 1) == outcome(compiled, seed, 2)


VEHICLE_LINE = {
    "name": "line",
    "stations": {
        "press": {"kind": "discrete", "time": "4 s"},
        "oven": {
            "kind": "discrete",
            "time": "1 s",
            "buffer": {"capacity": 2, "transfer": "3 s", "vehicle": {"resource": "cart"}},
        },
    },
    "resources": {"cart": {"capacity": 1}},
}


def test_vehicle_brings_items_to_the_station():
    # Pressed at 4, 8, 12, 16; carried for 3 s; baked for 1 s.
    compiled = compile_factory(build(VEHICLE_LINE))
    _, records, _ = traced(compiled, 20.0)
    oven = compiled.machines.index("oven")
    starts = [r.time for r in records if (r.machine, r.kind) == (oven, Kind.START)]
    assert starts == [7.0, 11.0, 15.0, 19.0]


@pytest.mark.parametrize("seed", [1, 2])
def test_replications_differ(seed):
    text = json.dumps(VEHICLE_LINE).replace(
        '"4 s"', '{"distribution": "exponential", "mean": "4 s"}'
    )
    compiled = compile_factory(build(json.loads(text)))
    first, second = (traced(compiled, seed=seed, replication=k)[1] for k in (0, 1))
    assert first != second
