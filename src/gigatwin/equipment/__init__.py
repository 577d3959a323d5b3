"""What one machine does, down to its axes: cycle time, process window, and what limits them.

Reads: YAML machine descriptions, from files and from ``library/machines/``.
Writes: cycle models for the stations of a factory; limits, sensitivities, settings that are faster.
"""

from gigatwin.equipment.change_check import Verdict, check_change
from gigatwin.equipment.cycle_model import CycleModel
from gigatwin.equipment.description.machine import Machine
from gigatwin.equipment.line import LineRate, MachineGroup, groups_of, line_rate
from gigatwin.equipment.model.equipment_model import EquipmentModel, Evaluation
from gigatwin.equipment.model.reading import load_machine, machine_names, read_machine_text
from gigatwin.equipment.station_machines import with_cycle_models
from gigatwin.equipment.tuning import Tuning, tune

__all__ = [
    "CycleModel",
    "EquipmentModel",
    "Evaluation",
    "LineRate",
    "Machine",
    "MachineGroup",
    "Tuning",
    "Verdict",
    "check_change",
    "groups_of",
    "line_rate",
    "load_machine",
    "machine_names",
    "read_machine_text",
    "tune",
    "with_cycle_models",
]
