import pytest

from gigatwin.standards.iso22400 import TimeElement
from gigatwin.standards.machine_states import (
    INACTIVE_STATES,
    PACKML_MODE,
    PACKML_STATE,
    TIME_ELEMENT,
    MachineState,
    packml_time_element,
)
from gigatwin.standards.packml import Mode, PackMLState


def test_states_have_the_numbers_of_the_kernel():
    assert {state.name: state.value for state in MachineState} == {
        "STARVED": 0,
        "EXECUTING": 1,
        "BLOCKED": 2,
        "WAITING_FOR_CREW": 3,
        "SETUP": 4,
        "BREAKDOWN": 5,
        "MICRO_STOP": 6,
        "PLANNED_STOP": 7,
        "NO_ORDER": 8,
    }


def test_waiting_for_others_is_suspended_and_own_causes_are_held():
    assert PACKML_STATE[MachineState.STARVED] is PackMLState.SUSPENDED
    assert PACKML_STATE[MachineState.BLOCKED] is PackMLState.SUSPENDED
    assert PACKML_STATE[MachineState.WAITING_FOR_CREW] is PackMLState.HELD
    assert PACKML_STATE[MachineState.MICRO_STOP] is PackMLState.HELD
    assert PACKML_STATE[MachineState.BREAKDOWN] is PackMLState.ABORTED


def test_only_starved_blocked_and_without_order_are_inactive():
    assert {state.name for state in INACTIVE_STATES} == {"STARVED", "BLOCKED", "NO_ORDER"}


@pytest.mark.parametrize("state", MachineState)
def test_time_element_agrees_with_that_of_the_packml_state(state):
    through_packml = packml_time_element(
        PACKML_MODE[state], PACKML_STATE[state], has_order=state is not MachineState.NO_ORDER
    )
    assert TIME_ELEMENT[state] is through_packml


@pytest.mark.parametrize(
    ("mode", "state", "has_order", "element"),
    [
        (Mode.PRODUCTION, PackMLState.EXECUTE, True, "actual_production_time"),
        (Mode.TRIAL, PackMLState.EXECUTE, True, "actual_production_time"),
        (Mode.PRODUCTION, PackMLState.STARTING, True, "actual_unit_delay_time"),
        (Mode.PRODUCTION, PackMLState.STOPPED, True, "actual_unit_delay_time"),
        (Mode.PRODUCTION, PackMLState.STOPPED, False, "actual_unit_down_time"),
        (Mode.CHANGEOVER, PackMLState.IDLE, False, "actual_unit_setup_time"),
        (Mode.MANUAL, PackMLState.EXECUTE, True, "planned_down_time"),
    ],
)
def test_time_element_of_packml_mode_and_state(mode, state, has_order, element):
    assert packml_time_element(mode, state, has_order=has_order) == element


def test_unplanned_maintenance_is_delay():
    element = packml_time_element(
        Mode.MAINTENANCE, PackMLState.STOPPED, has_order=True, is_planned=False
    )
    assert element is TimeElement.ACTUAL_UNIT_DELAY_TIME
