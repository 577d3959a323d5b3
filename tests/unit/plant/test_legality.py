"""Every change of a PackML state goes along a way of the standard's table."""

import random
from itertools import pairwise

import pytest

from gigatwin.plant.ways import WAYS
from gigatwin.standards.packml import COMPLETIONS, TRANSITIONS, Command, PackMLState
from tests.unit.plant.lines import TANGLED, hidden_plant, write

STEPS = {(before, after) for (before, _), after in TRANSITIONS.items()} | set(COMPLETIONS.items())


def check_legal(state):
    n_changes = 0
    for intervals in state.intervals.values():
        for before, after in pairwise(intervals):
            assert before.end == after.begin
            if before.packml is after.packml:
                continue
            chain = (before.packml, *after.passed, after.packml)
            assert all(step in STEPS for step in pairwise(chain)), chain
            n_changes += 1
    return n_changes


@pytest.mark.parametrize("seed", [1, 2])
def test_machines_left_alone_change_their_states_legally(seed):
    plant = hidden_plant(TANGLED, seed=seed)
    plant.advance(2 * 3600.0)
    state = plant.true_state()
    assert check_legal(state) > 1000
    seen = {interval.packml for rows in state.intervals.values() for interval in rows}
    # What machines do by themselves takes them through acting states within a scan.
    assert seen == {
        PackMLState.EXECUTE, PackMLState.SUSPENDED, PackMLState.HELD, PackMLState.ABORTED,
        PackMLState.STOPPED,
    }  # fmt: skip


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_machines_that_get_commands_at_random_change_their_states_legally(seed):
    plant = hidden_plant(TANGLED, seed=seed)
    dice = random.Random(seed)  # noqa: S311 - moments of a test
    elements = sorted({tag.element for tag in plant.tags() if tag.label == "Command.CntrlCmd"})
    n_done = 0
    for _ in range(1500):
        plant.advance(dice.uniform(0.0, 4.0))
        element = dice.choice(elements)
        # More of those that bring a machine back, so that the line goes on.
        command = dice.choice([*Command, Command.CLEAR, Command.RESET, *[Command.START] * 3])
        n_done += write(plant, f"{element}/Command.CntrlCmd", command) == ""
    state = plant.true_state()
    check_legal(state)
    assert n_done > 100
    assert sum(machine.n_ignored for machine in state.machines.values()) > 100
    assert len({i.packml for rows in state.intervals.values() for i in rows}) >= 12
    gone = state.n_finished + state.n_scrapped + state.n_consumed
    assert state.n_created == gone + state.n_inside
    assert state.n_finished > 0


def test_times_in_states_add_up_to_the_time_that_has_gone():
    plant = hidden_plant(TANGLED, seed=7)
    plant.advance(3600.0)
    for intervals in plant.true_state().intervals.values():
        assert sum(i.end - i.begin for i in intervals) == pytest.approx(3600.0, abs=1e-4)


def test_ways_are_legal_and_lead_from_every_state_to_every_other_one():
    assert set(WAYS) == {(a, b) for a in PackMLState for b in PackMLState}
    for (first, last), passed in WAYS.items():
        if first is not last:
            chain = (first, *passed, last)
            assert all(step in STEPS for step in pairwise(chain))


def test_starving_machine_passes_suspending():
    assert WAYS[PackMLState.EXECUTE, PackMLState.SUSPENDED] == (PackMLState.SUSPENDING,)
    assert WAYS[PackMLState.SUSPENDED, PackMLState.EXECUTE] == (PackMLState.UNSUSPENDING,)
    assert PackMLState.CLEARING in WAYS[PackMLState.ABORTED, PackMLState.EXECUTE]
