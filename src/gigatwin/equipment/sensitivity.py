"""What each setting does to the cycle time and to the rate of good items."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gigatwin.equipment.description.machine import Lever
from gigatwin.equipment.interlocks import overlaps_in_zones
from gigatwin.equipment.limits import limit_uses
from gigatwin.equipment.model.equipment_model import EquipmentModel
from gigatwin.equipment.schedule import schedule

_ALONG = 41
"""Values along the range of a setting."""
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
    grid = max(_ALONG, *(len(known.steps) for known in model.settings.values()))
    rows = 2 + grid
    table = {
        name: np.full(len(names) * rows + 1, value, dtype=np.float64) for name, value in now.items()
    }
    for k, name in enumerate(names):
        found = model.settings[name]
        step = _STEP * (found.high - found.low)
        begin = k * rows
        values = (
            np.array(found.steps) if found.steps else np.linspace(found.low, found.high, _ALONG)
        )
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

    def why_not(name: str, row: int) -> str:
        """Return what stands in the way of a row of a setting, empty for nothing."""
        broken = [use.name for use, known in zip(uses, kept, strict=True) if not known[row]]
        return (
            broken[0] if broken else _zone(model, product_format, {**now, name: table[name][row]})
        )

    effects = []
    for k, name in enumerate(names):
        found = model.settings[name]
        begin = k * rows
        width = table[name][begin + 1] - table[name][begin]
        # Between the only values possible there is no slope.
        slopes = [
            0.0 if found.steps else float(part[begin + 1] - part[begin]) / width
            for part in (cycle, good, scrap)
        ]
        along = np.arange(begin + 2, begin + rows)
        place, stopped_by = _best(along, good, partial(why_not, name))
        if place is not None and good[place] <= base * (1 + _ROUNDING):
            place = None
        effects.append(
            Sensitivity(
                setting=name,
                lever=found.lever,
                value=now[name],
                low=found.low,
                high=found.high,
                unit=found.unit,
                cycle_time=slopes[0],
                good_rate=slopes[1],
                scrap=slopes[2],
                elasticity=slopes[1] * now[name] / float(base),
                best_value=now[name] if place is None else float(table[name][place]),
                best_gain=0.0 if place is None else float(good[place] / base) - 1,
                stopped_by=stopped_by,
            )
        )
    return sorted(effects, key=lambda effect: -effect.best_gain)


def _zone(model: EquipmentModel, product_format: str, settings: Mapping[str, float]) -> str:
    """Return a zone in which two activities would meet, empty if there is none."""
    if not model.machine.zones:
        return ""
    plain = {name: float(value) for name, value in settings.items()}
    found = overlaps_in_zones(model.evaluate(product_format, plain))
    return f"zone {found[0].zone}" if found else ""


def _best(
    along: NDArray[np.intp], good: NDArray[np.float64], why_not: Callable[[int], str]
) -> tuple[int | None, str]:
    """Return the best row that nothing stands in the way of, and what stops a better one."""
    stopped_by = ""
    for row in along[np.argsort(-good[along], kind="stable")].tolist():
        why = why_not(row)
        if not why:
            return row, stopped_by
        stopped_by = stopped_by or why
    return None, stopped_by


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
