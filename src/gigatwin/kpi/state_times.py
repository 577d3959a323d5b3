"""Time elements of ISO 22400 from the time that machines spent in their states."""

import math
from collections.abc import Mapping

from gigatwin.standards.iso22400 import TimeElement, TimeElements
from gigatwin.standards.machine_states import TIME_ELEMENT, MachineState


def time_elements(
    state_seconds: Mapping[MachineState, float], actual_order_execution_time: float = math.nan
) -> TimeElements:
    """Return the time elements of one machine, or the sums over several machines.

    Parameters
    ----------
    state_seconds : mapping of MachineState to float
        Time in each state; states left out have none. [s]
    actual_order_execution_time : float
        Time from start to end of the orders; NaN where orders are not followed. [s]
    """
    sums = dict.fromkeys(TimeElement, 0.0)
    for state, seconds in state_seconds.items():
        sums[TIME_ELEMENT[state]] += seconds
    return TimeElements(
        actual_production_time=sums[TimeElement.ACTUAL_PRODUCTION_TIME],
        actual_unit_setup_time=sums[TimeElement.ACTUAL_UNIT_SETUP_TIME],
        actual_unit_delay_time=sums[TimeElement.ACTUAL_UNIT_DELAY_TIME],
        actual_unit_down_time=sums[TimeElement.ACTUAL_UNIT_DOWN_TIME],
        planned_down_time=sums[TimeElement.PLANNED_DOWN_TIME],
        actual_order_execution_time=actual_order_execution_time,
    )


__all__ = ["time_elements"]
