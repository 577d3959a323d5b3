"""The state of a machine, as its tags show it."""

import pytest

from gigatwin.standards.machine_states import PACKML_MODE, PACKML_STATE, MachineState
from gigatwin.standards.packml import Mode, PackMLState
from gigatwin.telemetry.machine_view import is_settled, machine_state_of, packml_number


@pytest.mark.parametrize("state", MachineState)
def test_every_state_is_recognised_from_how_it_is_shown(state):
    reason = {MachineState.MICRO_STOP: "jam", MachineState.WAITING_FOR_CREW: "waiting_for_crew"}
    found = machine_state_of(
        PACKML_STATE[state],
        PACKML_MODE[state],
        reason.get(state, ""),
        is_blocked=state is MachineState.BLOCKED,
    )
    assert found is state


@pytest.mark.parametrize("state", PackMLState)
@pytest.mark.parametrize("mode", [None, *Mode, 17])
def test_every_packml_state_is_some_state(state, mode):
    found = machine_state_of(state, mode, "", is_blocked=False)
    is_fault = state in {PackMLState.ABORTED, PackMLState.ABORTING, PackMLState.CLEARING}
    assert (found is MachineState.BREAKDOWN) == is_fault


def test_operator_who_stops_a_machine_plans_it():
    stopped = machine_state_of(PackMLState.STOPPED, Mode.PRODUCTION, "operator", is_blocked=False)
    assert stopped is MachineState.PLANNED_STOP


def test_idle_machine_in_maintenance_stands_as_planned():
    idle = machine_state_of(PackMLState.IDLE, Mode.MAINTENANCE, "", is_blocked=False)
    assert idle is MachineState.PLANNED_STOP


def test_suspended_machine_is_not_settled_before_it_says_why():
    flags = {"is_blocked": False, "is_starved": False}
    assert not is_settled(PackMLState.SUSPENDED, "", **flags)
    assert is_settled(PackMLState.SUSPENDED, "", is_blocked=True, is_starved=False)
    assert not is_settled(PackMLState.HELD, "", **flags)
    assert is_settled(PackMLState.HELD, "jam", **flags)
    assert is_settled(PackMLState.EXECUTE, "", **flags)


@pytest.mark.parametrize(
    ("given", "number"),
    [
        (6, 6),
        (6.0, 6),
        ("Execute", 6),
        ("UN-HOLDING", 12),
        ("Unholding", 12),
        ("completed", 17),
        (0, None),
        (18, None),
        (6.5, None),
        (True, None),
        ("running", None),
        (None, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
    ],
)
def test_states_are_taken_by_number_and_by_name(given, number):
    assert packml_number(given) == number


def test_modes_of_the_plant_itself_are_taken():
    assert packml_number(12, is_mode=True) == 12
    assert packml_number("maintenance", is_mode=True) == Mode.MAINTENANCE
    assert packml_number(32, is_mode=True) is None
