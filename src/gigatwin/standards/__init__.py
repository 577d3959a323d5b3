"""Terms, numbers and formulas of ISO 22400, PackML and ISA-95, as enums, tables and functions.

Reads: nothing.
Writes: nothing.
"""

from gigatwin.standards.isa95 import PARENT_LEVEL, EquipmentLevel
from gigatwin.standards.iso22400 import (
    Quantities,
    TimeElement,
    TimeElements,
    comprehensive_energy_consumption,
    corrective_maintenance_ratio,
    critical_machine_capability,
    fall_off_ratio,
    first_pass_yield,
    inventory_turns,
    kpis,
    machine_capability,
    mean_time_to_failure,
    mean_time_to_restoration,
    ratio,
)
from gigatwin.standards.machine_states import (
    INACTIVE_STATES,
    PACKML_MODE,
    PACKML_STATE,
    TIME_ELEMENT,
    MachineState,
    packml_time_element,
)
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

__all__ = [
    "COMPLETIONS",
    "INACTIVE_STATES",
    "PACKML_MODE",
    "PACKML_STATE",
    "PARENT_LEVEL",
    "TIME_ELEMENT",
    "TRANSITIONS",
    "WAITING_STATES",
    "Command",
    "EquipmentLevel",
    "MachineState",
    "Mode",
    "PackMLState",
    "PackMLStateMachine",
    "Quantities",
    "TimeElement",
    "TimeElements",
    "comprehensive_energy_consumption",
    "corrective_maintenance_ratio",
    "critical_machine_capability",
    "fall_off_ratio",
    "first_pass_yield",
    "inventory_turns",
    "kpis",
    "machine_capability",
    "mean_time_to_failure",
    "mean_time_to_restoration",
    "next_state",
    "packml_time_element",
    "ratio",
    "state_after_completion",
]
