"""Machines, or settings of one machine, side by side."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigatwin.equipment.change_check import draw_factors, reasons_against
from gigatwin.equipment.model.equipment_model import EquipmentModel
from gigatwin.equipment.motion_energy import energy_per_item
from gigatwin.equipment.schedule import schedule


@dataclass(frozen=True)
class Candidate:
    """One of the machines."""

    name: str
    """Name of the scenario, or of the machine that the others are compared with."""
    evidence: str
    """Where its numbers come from."""
    is_scenario: bool
    """Whether it is compared with the first one."""
    cycle_time: float
    """Time of a cycle. [s]"""
    good_rate: float
    """Good items, stops included. [item/s]"""
    gain: float
    """Relative difference of good items from the first machine."""
    gain_interval: tuple[float, float]
    """95 % interval of it."""
    scrap: float
    """Share of items spoiled."""
    availability: float
    """Share of time without stops."""
    energy_per_item: float
    """Energy while it works. [J/item]"""
    critical: tuple[str, ...]
    """Activities that set the cycle; empty for an FMU."""
    broken: tuple[str, ...]
    """Limits and interlocks that are not kept, in words."""

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data, in SI units."""
        return asdict(self)


def compare_machines(
    model: EquipmentModel,
    product_format: str,
    others: Mapping[str, tuple[EquipmentModel, Mapping[str, float]]],
) -> list[Candidate]:
    """Return a machine and its alternatives.

    Parameters
    ----------
    model : EquipmentModel
        What the others are compared with, as delivered.
    product_format : str
        What is made.
    others : mapping
        Name to a machine and its settings. [SI]

    Raises
    ------
    EquipmentError
        If a machine is not set up for the format.
    """
    drawn: dict[int, dict[str, NDArray[np.float64]]] = {}
    for each in (model, *(other for other, _ in others.values())):
        if id(each) not in drawn:
            drawn[id(each)] = draw_factors(each, seed=46 + len(drawn))
    base = model.evaluate(product_format, factors=drawn[id(model)]).good_rate
    found: list[Candidate] = []
    for name, (machine, settings) in {model.machine.name: (model, {}), **others}.items():
        evaluation = machine.evaluate(product_format, settings)
        first = found[0].good_rate if found else float(evaluation.good_rate)
        rates = machine.evaluate(product_format, settings, drawn[id(machine)]).good_rate
        low, high = np.quantile(np.asarray(rates / base) - 1, (0.025, 0.975))
        chain = schedule(evaluation).circuit if machine.activities else ()
        found.append(
            Candidate(
                name=name,
                evidence=machine.machine.evidence,
                is_scenario=bool(found),
                cycle_time=float(evaluation.cycle_time),
                good_rate=float(evaluation.good_rate),
                gain=float(evaluation.good_rate) / first - 1,
                gain_interval=(float(low), float(high)),
                scrap=float(evaluation.scrap),
                availability=float(evaluation.availability),
                energy_per_item=energy_per_item(evaluation),
                critical=tuple(machine.activities[arc.tail].name for arc in chain),
                broken=tuple(reason.text for reason in reasons_against(evaluation)),
            )
        )
    return found
