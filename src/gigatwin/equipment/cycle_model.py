"""What a machine gives to the station of a line: times, scrap, defects, stops, energy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gigatwin.equipment.description.formulas import read_measure
from gigatwin.equipment.model.equipment_model import Evaluation
from gigatwin.equipment.motion_energy import energy_per_cycle
from gigatwin.equipment.stepping import WARM_UP, cycle_times, draw_durations, is_random
from gigatwin.factory.durations import Duration, Empirical
from gigatwin.factory.stations import Energy
from gigatwin.factory.stops import Stop
from gigatwin.units import Items

CYCLES = 20_000
"""Cycles that the law of a random cycle is taken from."""
_QUANTILES = 401
_SEED = 46


@dataclass(frozen=True)
class CycleModel:
    """What a machine with one setting does to one format, as a line sees it."""

    time: Duration
    """Time for each item: a constant, or the law of a random cycle. [s]"""
    scrap: float
    """Share of items that are scrap at once."""
    defects: Mapping[str, float]
    """Defect that is found later to its probability."""
    stops: Mapping[str, Stop]
    """Stops by name; their interval is counted in items."""
    energy: Energy | None
    """What the machine uses."""
    cycle_time: float = field(default=0.0)
    """Mean time of a cycle. [s]"""


def cycle_model(evaluation: Evaluation) -> CycleModel:
    """Return what a machine with one setting does, as a line sees it.

    Notes
    -----
    A cycle with random durations becomes the quantiles of 20 000 cycles (stepped with a fixed
    seed), drawn independently: that successive cycles depend on each other is lost.
    """
    machine = evaluation.model.machine
    items = machine.items_per_cycle
    values = evaluation.values
    time, mean = _time(evaluation)
    stops = {}
    for curve in evaluation.model.stops:
        per_cycle = _number(values[curve.value])
        if per_cycle <= 0:
            continue
        described = machine.stops[curve.name]
        stops[curve.name] = Stop(
            kind=described.kind,
            every=Items(items / per_cycle),
            is_random=True,
            duration=float(read_measure(described.duration).magnitude),
        )
    hidden = {
        curve.name: _number(values[curve.value])
        for curve in evaluation.model.defects
        if not machine.defects[curve.name].is_seen_here
    }
    energy = None
    if machine.energy is not None:
        energy = Energy(
            executing=float(read_measure(machine.energy.executing).magnitude),
            standby=float(read_measure(machine.energy.standby).magnitude),
            per_item=energy_per_cycle(evaluation) / items,
        )
    return CycleModel(
        time=time,
        # Rounding of 1 - (1 - p) must not leave the range of a share.
        scrap=min(max(_number(evaluation.scrap), 0.0), 1.0),
        defects=hidden,
        stops=stops,
        energy=energy,
        cycle_time=mean,
    )


def _number(value: Any) -> float:  # noqa: ANN401 - a float or an array with one value
    return float(np.ravel(value)[0])


def _time(evaluation: Evaluation) -> tuple[Duration, float]:
    """Return the time of an item, and the mean time of a cycle."""
    items = evaluation.model.machine.items_per_cycle
    if evaluation.model.machine.fmu is not None:
        times = evaluation.recorded_times[0]
    elif is_random(evaluation):
        rng = np.random.default_rng(_SEED)
        durations = draw_durations(evaluation, CYCLES + WARM_UP + 1, rng)
        times = cycle_times(evaluation, durations)
    else:
        mean = _number(evaluation.cycle_time)
        return mean / items, mean
    mean = float(times.mean())
    if np.ptp(times) <= 1e-9 * mean:
        return mean / items, mean
    # Interpolated quantiles have a slightly other mean than what they were taken from.
    quantiles = np.quantile(times, np.linspace(0, 1, _QUANTILES))
    inner = (quantiles.sum() - (quantiles[0] + quantiles[-1]) / 2) / (_QUANTILES - 1)
    scaled = quantiles * (mean / inner) / items
    return Empirical(quantiles=tuple(float(x) for x in scaled)), mean
