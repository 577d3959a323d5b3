import math

from gigatwin.kpi.state_times import time_elements
from gigatwin.standards.machine_states import MachineState


def test_every_state_goes_to_its_time_element():
    # Powers of two, so that each sum tells which states are in it.
    times = time_elements({state: 2.0**state for state in MachineState})
    assert times.actual_production_time == 2.0
    assert times.actual_unit_setup_time == 16.0
    assert times.actual_unit_delay_time == 1.0 + 4.0 + 8.0 + 32.0 + 64.0
    assert times.planned_down_time == 128.0
    assert times.actual_unit_down_time == 256.0
    assert times.planned_operation_time == 511.0
    assert math.isnan(times.actual_order_execution_time)


def test_states_left_out_have_no_time():
    times = time_elements({MachineState.EXECUTING: 60.0}, actual_order_execution_time=90.0)
    assert times.planned_operation_time == 60.0
    assert times.actual_order_execution_time == 90.0
