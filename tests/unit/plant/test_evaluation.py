"""What evaluators see: how the plant was, and how far somebody's picture of it was off."""

import pytest

from gigatwin.standards.machine_states import MachineState
from tests.unit.plant.lines import plain_plant

LINE = "name: l\nstations: {a: {time: 4 s}, b: {time: 1 s, buffer: {capacity: 5}}}"
EXECUTING, STARVED = MachineState.EXECUTING, MachineState.STARVED


@pytest.fixture
def observed():
    plant = plain_plant(LINE)
    start = plant.now
    plant.advance(10.0)
    return start, plant.true_state()


def test_states_can_be_looked_up_by_time(observed):
    start, state = observed
    # The second machine works from 4 to 5 and from 8 to 9.
    assert state.state_at("b", start + 3.0) is STARVED
    assert state.state_at("b", start + 4.5) is EXECUTING
    assert state.state_at("b", start + 9.5) is STARVED
    assert state.state_at("b", start - 1.0) is None


def test_picture_that_is_right_is_never_apart(observed):
    start, state = observed
    seen = [(i.begin, i.state) for i in state.intervals["b"]]
    assert state.time_apart("b", seen, start, start + 10.0) == 0.0


def test_picture_that_comes_late_is_apart_for_as_long_as_it_is_late(observed):
    start, state = observed
    seen = [(i.begin + 0.25, i.state) for i in state.intervals["b"]]
    # Nothing is thought at first, then four changes are seen late.
    assert state.time_apart("b", seen, start, start + 10.0) == pytest.approx(5 * 0.25)
    assert state.time_apart("b", seen, start + 6.0, start + 10.0) == pytest.approx(2 * 0.25)


def test_wrong_picture_is_apart_all_the_time(observed):
    start, state = observed
    assert state.time_apart("a", [(start, STARVED)], start, start + 10.0) == pytest.approx(10.0)


def test_without_recording_there_are_no_intervals_but_a_state():
    plant = plain_plant(LINE, record_truth=False)
    plant.advance(10.0)
    state = plant.true_state()
    assert state.intervals == {}
    assert state.machines["a"].state.state is EXECUTING


def test_place_of_every_item_is_known():
    plant = plain_plant(
        "name: l\nstations: {a: {time: 1 s}, b: {time: 10 s, buffer: {capacity: 2}}}"
    )
    plant.advance(8.0)
    state = plant.true_state()
    assert state.buffers == {"b": (2, 3)}
    assert state.levels == {"b": 2}
    assert state.machines["a"].items == (4,)
    assert state.machines["b"].items == (1,)
    assert state.n_inside == 4
    assert state.machines["b"].format == "item"
