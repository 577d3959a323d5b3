from collections import deque

import pytest

from gigatwin.standards.packml import (
    COMPLETIONS,
    TRANSITIONS,
    WAITING_STATES,
    Command,
    Mode,
    PackMLState,
    PackMLStateMachine,
    next_state,
    state_after_completion,
)


def _command_path(start, goal):
    """Return the fewest commands from one state to another, completions being free."""
    queue = deque([(start, ())])
    seen = {start}
    while queue:
        state, path = queue.popleft()
        if state is goal:
            return path
        done = state_after_completion(state)
        if done is not None and done not in seen:
            seen.add(done)
            queue.appendleft((done, path))
        for command in Command:
            after = next_state(state, command)
            if after is not None and after not in seen:
                seen.add(after)
                queue.append((after, (*path, command)))
    return None


def test_states_have_the_numbers_of_the_standard():
    assert [state.name for state in sorted(PackMLState)] == [
        "CLEARING",
        "STOPPED",
        "STARTING",
        "IDLE",
        "SUSPENDED",
        "EXECUTE",
        "STOPPING",
        "ABORTING",
        "ABORTED",
        "HOLDING",
        "HELD",
        "UNHOLDING",
        "SUSPENDING",
        "UNSUSPENDING",
        "RESETTING",
        "COMPLETING",
        "COMPLETE",
    ]
    assert sorted(PackMLState) == list(range(1, 18))


def test_commands_and_modes_have_the_numbers_of_the_standard():
    assert [command.name for command in sorted(Command)] == [
        "RESET",
        "START",
        "STOP",
        "HOLD",
        "UNHOLD",
        "SUSPEND",
        "UNSUSPEND",
        "ABORT",
        "CLEAR",
        "COMPLETE",
    ]
    assert sorted(Command) == list(range(1, 11))
    assert (Mode.PRODUCTION, Mode.MAINTENANCE, Mode.MANUAL) == (1, 2, 3)


def test_a_state_is_either_acting_or_waiting():
    assert set(COMPLETIONS) | WAITING_STATES == set(PackMLState)
    assert not set(COMPLETIONS) & WAITING_STATES


def test_clear_is_the_only_way_out_of_aborted():
    legal = [command for command in Command if next_state(PackMLState.ABORTED, command)]
    assert legal == [Command.CLEAR]
    assert state_after_completion(PackMLState.ABORTED) is None


def test_shortest_way_from_aborted_to_execute_is_clear_reset_start():
    path = _command_path(PackMLState.ABORTED, PackMLState.EXECUTE)
    assert path == (Command.CLEAR, Command.RESET, Command.START)


@pytest.mark.parametrize("state", PackMLState)
def test_every_state_is_reached_from_aborted_and_back(state):
    assert _command_path(PackMLState.ABORTED, state) is not None
    assert _command_path(state, PackMLState.ABORTED) is not None


def test_abort_is_legal_everywhere_but_in_aborting_and_aborted():
    refused = {state for state in PackMLState if next_state(state, Command.ABORT) is None}
    assert refused == {PackMLState.ABORTING, PackMLState.ABORTED}


def test_stop_is_legal_in_the_running_states():
    refused = {state for state in PackMLState if next_state(state, Command.STOP) is None}
    assert refused == {
        PackMLState.CLEARING,
        PackMLState.STOPPED,
        PackMLState.STOPPING,
        PackMLState.ABORTING,
        PackMLState.ABORTED,
    }


def test_table_has_no_other_commands_than_the_standard_lists():
    others = {
        (state.name, command.name): after.name
        for (state, command), after in TRANSITIONS.items()
        if command not in (Command.ABORT, Command.STOP)
    }
    assert others == {
        ("STOPPED", "RESET"): "RESETTING",
        ("COMPLETE", "RESET"): "RESETTING",
        ("IDLE", "START"): "STARTING",
        ("EXECUTE", "COMPLETE"): "COMPLETING",
        ("ABORTED", "CLEAR"): "CLEARING",
        ("EXECUTE", "HOLD"): "HOLDING",
        ("HELD", "UNHOLD"): "UNHOLDING",
        ("EXECUTE", "SUSPEND"): "SUSPENDING",
        ("SUSPENDED", "UNSUSPEND"): "UNSUSPENDING",
    }


def test_illegal_command_is_ignored_and_counted():
    machine = PackMLStateMachine()
    assert machine.command(Command.START) is PackMLState.ABORTED
    assert machine.n_ignored_commands == 1
    assert machine.command(Command.CLEAR) is PackMLState.CLEARING
    assert machine.n_ignored_commands == 1


def test_completion_ends_acting_states_only():
    machine = PackMLStateMachine(PackMLState.STARTING)
    assert machine.complete() is PackMLState.EXECUTE
    assert machine.complete() is PackMLState.COMPLETING
    assert machine.complete() is PackMLState.COMPLETE
    assert machine.complete() is PackMLState.COMPLETE
