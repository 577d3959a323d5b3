"""Electricity and heat of a factory in a window of a run."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.kpi.energy import constant_energy, machine_energy
from gigatwin.kpi.tally import Tally
from gigatwin.standards.machine_states import MachineState

_JOULES_PER_KWH = 3.6e6
_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True)
class EnergyUseByConsumer:
    """Mean power of every consumer, and totals for each product."""

    consumers: list[str]
    electricity: NDArray[np.float64]
    """Mean electric power. [kW]"""
    heat: NDArray[np.float64]
    """Mean heat. [kW]"""
    totals: dict[str, float]


def energy_use(compiled: CompiledModel, window: Tally) -> EnergyUseByConsumer:
    """Return what the stations and the site used in a window."""
    factory = compiled.factory
    names, electricity, heat = [], [], []
    for index, name in enumerate(compiled.stations[: len(factory.stations)]):
        rates = factory.stations[name].energy
        if rates is None:
            continue
        seconds = window.state_seconds[index]
        executing = float(seconds[MachineState.EXECUTING])
        use = machine_energy(
            rates,
            executing_time=executing,
            standby_time=float(seconds.sum()) - executing,
            items=float(window.processed[index].sum()),
            metres=float(window.content[index].sum()),
        )
        # What `states` names draws its own power instead of the standby power counted above.
        differences = [
            (power - rates.standby) * float(seconds[MachineState[state.upper()]])
            for state, power in rates.states.items()
        ]
        names.append(name)
        electricity.append(use.electricity + sum(differences))
        heat.append(use.heat)
    for name, load in factory.constant_loads.items():
        use = constant_energy(load.electricity, load.heat, window.time)
        names.append(name)
        electricity.append(use.electricity)
        heat.append(use.heat)
    finished = window.finished.sum(axis=0)
    n_finished = float(finished.sum())
    per_product = 1.0 / (_JOULES_PER_KWH * n_finished) if n_finished else float("nan")
    totals: dict[str, float] = {}
    if names:
        totals["electricity_per_product [kWh]"] = sum(electricity) * per_product
        totals["heat_per_product [kWh]"] = sum(heat) * per_product
        stored = sum(
            (item.energy or 0.0) * float(n)
            for item, n in zip(factory.formats.values(), finished, strict=True)
        )
        if any(item.energy for item in factory.formats.values()):
            whole = sum(electricity) + sum(heat)
            totals["energy_per_cell_energy [kWh/kWh]"] = whole / stored if stored else float("nan")
    hours = window.time / _SECONDS_PER_HOUR
    scale = _JOULES_PER_KWH * hours
    return EnergyUseByConsumer(names, np.array(electricity) / scale, np.array(heat) / scale, totals)
