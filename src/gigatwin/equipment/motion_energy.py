"""Energy of a cycle: the process, and drives that speed up and brake."""

import numpy as np

from gigatwin.equipment.description.formulas import read_measure
from gigatwin.equipment.limits import moves_of
from gigatwin.equipment.model.equipment_model import Evaluation


def energy_per_cycle(evaluation: Evaluation) -> float:
    r"""Return the energy of one cycle beyond the power that is always drawn. [J].

    Notes
    -----
    A move takes its kinetic energy and the work of friction,
    :math:`(J v^2/2 + F s)/\eta`; braking gives nothing back.
    """
    machine = evaluation.model.machine
    total = float(np.ravel(evaluation.values[evaluation.model.energy_per_cycle])[0])
    if machine.energy is None:
        return total
    positions, values = evaluation.model.positions, evaluation.values
    for name, axis in machine.axes.items():
        if axis.drive is None:
            continue
        inertia, friction = (
            float(np.ravel(values[positions["axes", name, "drive", part]])[0])
            for part in ("inertia", "friction")
        )
        for step, move in moves_of(evaluation, name):
            speed = float(np.ravel(move.peak_speed)[0])
            stroke = float(np.ravel(values[step.stroke or 0])[0])
            work = inertia * speed * speed / 2 + friction * stroke
            total += step.times * step.probability * work / machine.energy.drive_efficiency
    return total


def energy_per_item(evaluation: Evaluation) -> float:
    """Return the energy of one item while the machine works, its constant power included. [J]."""
    machine = evaluation.model.machine
    power = (
        0.0 if machine.energy is None else float(read_measure(machine.energy.executing).magnitude)
    )
    cycle = float(np.ravel(evaluation.cycle_time)[0])
    return (power * cycle + energy_per_cycle(evaluation)) / machine.items_per_cycle
