"""What holds for the virtual plant of any factory, whatever persons do to it."""

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigatwin.plant import VirtualPlant
from gigatwin.plant.names import buffer_element
from gigatwin.plant.truth import draw_truth, plain_truth
from gigatwin.standards.packml import COMPLETIONS, TRANSITIONS, Command
from gigatwin.telemetry import TagWrite, Tracking
from tests.property.strategies import build, descriptions

HORIZON = 400.0
STEPS = {(before, after) for (before, _), after in TRANSITIONS.items()} | set(COMPLETIONS.items())
orders = st.lists(
    st.tuples(
        st.floats(0.0, 40.0),
        st.integers(0, 100),
        st.sampled_from([*Command, 15.0, 60.0, 120.0]),
    ),
    max_size=25,
)


LEFT_OUT = ("output", "vehicle", "startup_scrap")


def runnable(described):
    """Return a description without what the virtual plant cannot run."""
    if isinstance(described, list):
        return [runnable(part) for part in described]
    if not isinstance(described, dict):
        # Contents are counted in items.
        is_length = isinstance(described, str) and described.endswith(" m")
        return described.replace(" m", " items") if is_length else described
    parts = {key: runnable(part) for key, part in described.items() if key not in LEFT_OUT}
    if parts.get("kind") == "web":
        parts = {key: part for key, part in parts.items() if key != "rate"}
        parts |= {"kind": "discrete", "time": "3 s"}
    return parts


def plants():
    """Return random factories that the virtual plant can run."""
    return descriptions().map(runnable).map(build)


def run(plant, given_orders):
    """Let a plant run, tell its machines what to do in between, and return all readings."""
    machines = [tag.element for tag in plant.tags() if tag.label == "Command.CntrlCmd"]
    readings = []
    for seconds, number, order in given_orders:
        readings += plant.advance(seconds)
        element = machines[number % len(machines)]
        label = "Command.CntrlCmd" if isinstance(order, Command) else "Command.MachSpeed"
        plant.write(TagWrite(f"{element}/{label}", order))
    return readings + plant.advance(HORIZON)


def check_items(state):
    gone = state.n_finished + state.n_scrapped + state.n_consumed
    assert state.n_created == gone + state.n_inside
    places = (
        *(machine.items for machine in state.machines.values()),
        *state.buffers.values(),
        *state.waiting_outside.values(),
    )
    inside = [serial for items in places for serial in items]
    assert len(inside) == len(set(inside))


def check_states(state, elapsed):
    for intervals in state.intervals.values():
        assert sum(i.end - i.begin for i in intervals) == pytest.approx(elapsed, abs=1e-4)
        for before, after in pairwise(intervals):
            chain = (before.packml, *after.passed, after.packml)
            assert all(a is b or (a, b) in STEPS for a, b in pairwise(chain))


def check_readings(plant, readings):
    assert all(a.source_time <= b.source_time for a, b in pairwise(readings))
    numbers, left, latest = defaultdict(list), defaultdict(int), {}
    for reading in readings:
        latest[reading.tag] = reading.value
        element, _, label = reading.tag.partition("/")
        if label == "Status.Tracking":
            telegram = Tracking.parse(reading.value)
            numbers[element].append(telegram.number)
            left[element] += telegram.kind == "LEAVE"
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    state = plant.true_state()
    for name, machine in state.machines.items():
        element = name.replace("#", "_")
        assert machine.processed == left[element]
        assert latest.get(f"{element}/Admin.ProdProcessedCount", 0) == machine.processed
    for name, level in state.levels.items():
        assert latest.get(f"{buffer_element(name)}/Status.Level", 0) == level


@settings(max_examples=60)
@given(plants(), st.integers(0, 2), orders)
def test_nothing_is_lost_and_every_step_is_legal(factory, seed, given_orders):
    truth = draw_truth(factory, seed) if seed else plain_truth(factory)
    plant = VirtualPlant(factory, seed=seed, truth=truth, record_truth=True, values_per_machine=0)
    readings = run(plant, given_orders)
    state = plant.true_state()
    check_items(state)
    check_states(state, plant.elapsed)
    check_readings(plant, readings)
    for name, items in state.buffers.items():
        station, _, port = name.partition(".")
        described = factory.stations[station]
        buffer = described.inputs[port].buffer if port else described.buffer
        most = described.capacity if described.kind == "storage" else buffer.capacity
        assert most == "unlimited" or len(items) <= most
