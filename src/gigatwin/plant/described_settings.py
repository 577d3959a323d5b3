"""Settings of machines that are described down to their axes, as the virtual plant offers them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gigatwin.equipment.station_machines import machine_of
from gigatwin.errors import EquipmentError
from gigatwin.factory.factory import Factory


@dataclass(frozen=True, slots=True)
class DescribedSetting:
    """A setting with its range."""

    initial: float
    """Value at the start. [unit]"""
    low: float
    """Lowest value. [unit]"""
    high: float
    """Highest value. [unit]"""
    unit: str
    """SI unit; empty where it has none."""
    steps: tuple[float, ...] = ()
    """Values that can be set; empty: all of the range. [unit]"""


def described_settings(factory: Factory, station: str) -> dict[str, Any]:
    """Return the settings of a station's machine and what they do to its time.

    Parameters
    ----------
    factory : Factory
        The description.
    station : str
        Name of the station; without a machine description there is nothing.

    Returns
    -------
    dict
        ``settings`` and ``time_ratio`` of a station's layout, or nothing.
    """
    found = machine_of(factory, station)
    if found is None:
        return {}
    model, given = found
    first = next(iter(factory.formats))
    present = {name: {**model.defaults(name), **given[name]} for name in given}
    settings = {
        name: DescribedSetting(
            initial=present[first][name],
            low=known.low,
            high=known.high,
            unit=known.unit,
            steps=known.steps,
        )
        for name, known in model.settings.items()
    }

    def cycle_time(product_format: str, values: Mapping[str, float]) -> float:
        evaluation = model.evaluate(product_format, values)
        return float(np.ravel(np.asarray(evaluation.cycle_time, dtype=np.float64))[0])

    known_ratios: dict[tuple[tuple[str, float], ...], float] = {}

    def time_ratio(changed: Mapping[str, float], product_format: str) -> float:
        key = (*sorted(changed.items()), (product_format, 0.0))
        if key not in known_ratios:
            before = present[product_format]
            after = cycle_time(product_format, {**before, **changed})
            known_ratios[key] = after / cycle_time(product_format, before)
        return known_ratios[key]

    ratio: Callable[[Mapping[str, float], str], float] | None = time_ratio
    try:
        cycle_time(first, present[first])
    except EquipmentError:
        ratio = None
    return {"settings": settings, "time_ratio": ratio}
