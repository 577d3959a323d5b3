"""What each setting does to the cycle time and to the rate of good items."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigatwin.equipment.description.machine import Lever
from gigatwin.equipment.limits import limit_uses
from gigatwin.equipment.model.equipment_model import EquipmentModel
from gigatwin.equipment.schedule import schedule

_ROUNDING = 1e-9
_STEP = 1e-4
"""Step of the differences, relative to the range of a setting."""


@dataclass(frozen=True)
class Sensitivity:
    """The effect of one setting, around the setting it has."""

    setting: str
    """Name of the setting."""
    lever: Lever
    """Kind of change."""
    value: float
    """Value it has. [SI]"""
    low: float
    """Smallest value allowed. [SI]"""
    high: float
    """Largest value allowed. [SI]"""
    unit: str
    """Its SI unit."""
    cycle_time: float
    """Change of the cycle time per unit of the setting. [s per unit]"""
    good_rate: float
    """Change of the rate of good items per unit of the setting. [item/s per unit]"""
    scrap: float
    """Change of the share of scrap per unit of the setting."""
    elasticity: float
    """Per cent by which good items rise when the setting rises by one per cent."""
    best_value: float
    """Value at which this setting alone gives most good items within the limits. [SI]"""
    best_gain: float
    """Relative gain in good items there."""
    stopped_by: str
    """Limit that stands in the way of a still better value; empty: none."""


def sensitivities(
    model: EquipmentModel, product_format: str, settings: dict[str, float] | None = None
) -> list[Sensitivity]:
    """Return the effect of every setting, the largest gain first.

    Parameters
    ----------
    model : EquipmentModel
        The machine.
    product_format : str
        One of its formats.
    settings : dict, optional
        Settings that differ from the defaults. [SI]

    Notes
    -----
    Derivatives are central differences, one-sided at the end of a range: the cycle time is the
    largest of smooth functions, and at a kink (two circuits of one length) there is no other. All
    of them, and 41 values along each setting's range, are calculated in one call.
    """
    now = model.defaults(product_format) | (settings or {})
    names = [name for name, r in model.settings.items() if r.high > r.low]
    if not names:
        return []
    grid = 41
    rows = 2 + grid
    table = {
        name: np.full(len(names) * rows + 1, value, dtype=np.float64) for name, value in now.items()
    }
    for k, name in enumerate(names):
        found = model.settings[name]
        step = _STEP * (found.high - found.low)
        begin = k * rows
        values = np.array(found.steps) if found.steps else np.linspace(found.low, found.high, grid)
        table[name][begin] = max(found.low, now[name] - step)
        table[name][begin + 1] = min(found.high, now[name] + step)
        table[name][begin + 2 : begin + 2 + len(values)] = values
    result = model.evaluate(product_format, table)
    cycle, good, scrap = (
        np.broadcast_to(part, result.n)
        for part in (result.cycle_time, result.good_rate, result.scrap)
    )
    base = good[-1]
    uses = limit_uses(result)
    # A limit that is broken already must not get worse.
    kept = np.array([use.margin >= min(float(use.margin[-1]), 0.0) - _ROUNDING for use in uses])
    allowed: NDArray[np.bool_] = np.ones(result.n, dtype=bool)
    if uses:
        allowed = np.logical_and.reduce(kept)
    effects = []
    for k, name in enumerate(names):
        found = model.settings[name]
        begin = k * rows
        low, high = table[name][begin], table[name][begin + 1]
        width = high - low
        along = slice(begin + 2, begin + rows)
        offset = begin + 2
        place = offset + int(np.argmax(np.where(allowed[along], good[along], -np.inf)))
        wanted = offset + int(np.argmax(good[along]))
        stopped_by = ""
        if good[wanted] > good[place] * (1 + _ROUNDING):
            towards = 1 if wanted > place else -1
            stopped_by = next(
                use.name for use, row in zip(uses, kept, strict=True) if not row[place + towards]
            )
        slope = float(good[begin + 1] - good[begin]) / width
        effects.append(
            Sensitivity(
                setting=name,
                lever=found.lever,
                value=now[name],
                low=found.low,
                high=found.high,
                unit=found.unit,
                cycle_time=float(cycle[begin + 1] - cycle[begin]) / width,
                good_rate=slope,
                scrap=float(scrap[begin + 1] - scrap[begin]) / width,
                elasticity=slope * now[name] / float(base),
                best_value=float(table[name][place]),
                best_gain=max(float(good[place] / base) - 1, 0.0),
                stopped_by=stopped_by,
            )
        )
    return sorted(effects, key=lambda effect: -effect.best_gain)


def cycle_time_by_activity(
    model: EquipmentModel, product_format: str, settings: dict[str, float] | None = None
) -> dict[str, float]:
    """Return how much the cycle grows for each second that an activity takes longer.

    It is the number of times the activity stands on the critical circuit, over its tokens.
    """
    found = schedule(model.evaluate(product_format, settings))
    shares = dict.fromkeys((activity.name for activity in model.activities), 0.0)
    for arc in found.circuit:
        shares[model.activities[arc.tail].name] += 1 / found.tokens
    return shares
