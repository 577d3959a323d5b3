"""What each setting does along its range, and what it brings alone without breaking a limit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigatwin.app.machine.evaluated import Evaluated, number
from gigatwin.app.machine.quantities import gain_text, is_worth, setting_text
from gigatwin.app.machine.wording import limit_name
from gigatwin.equipment.description.machine import LEVERS
from gigatwin.equipment.interlocks import overlaps_in_zones
from gigatwin.equipment.limits import limit_uses
from gigatwin.equipment.model.equipment_model import Evaluation, SettingRange
from gigatwin.equipment.sensitivity import Sensitivity, sensitivities

POINTS = 41
"""Values along a range."""
_RUNS_OF_SENSITIVITY = 43
_RELATIVE = 1e-9
_FLAT = 1e-12

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Range:
    """A machine along the range of one setting, the others as they are."""

    setting: str
    known: SettingRange
    values: Floats
    """Values of the setting. [SI]"""
    defects: Floats
    """Share of items spoiled, seen at the machine or later."""
    downtime: Floats
    """Mean time of stops in a cycle. [s]"""
    cycle_time: Floats
    """[s]; empty where it would take too long to calculate."""
    good_rate: Floats
    """Good items in a second; empty where it would take too long to calculate. [item/s]"""
    broken: tuple[frozenset[str], ...]
    """Limits that each value breaks."""
    worse: tuple[frozenset[str], ...]
    """Those that are kept now, or are less broken now."""

    @property
    def matters(self) -> bool:
        """Whether defects or stops depend on it."""
        return any(
            float(np.ptp(part)) > _FLAT * max(float(np.max(np.abs(part))), _FLAT)
            for part in (self.defects, self.downtime)
        )


@dataclass(frozen=True)
class Lever:
    """What one setting brings alone."""

    setting: str
    known: SettingRange
    description: str
    effect: Sensitivity | None
    """Its effect around its value; None where it would take too long to calculate."""
    best_value: float
    """Value with most good items that breaks no limit; of hardware the next step. [SI]"""
    gain: float
    """Relative gain in good items there."""
    ends: str
    """What speaks against more of it."""

    @property
    def order(self) -> int:
        """Place of its kind of change, the cheapest first."""
        return LEVERS.index(self.known.lever)


def spoiled(evaluation: Evaluation) -> Floats:
    """Return the share of items spoiled, whether the machine sees it or not."""
    good = np.ones(evaluation.n)
    for curve in evaluation.model.defects:
        good = good * (1.0 - np.asarray(evaluation.values[curve.value], dtype=np.float64))
    return np.asarray(1.0 - good)


def ranges(shown: Evaluated) -> list[Range]:
    """Return the ranges of all settings that have one."""
    found = {name: r for name, r in shown.model.settings.items() if r.high > r.low}
    can_run = shown.can_afford(len(found) * POINTS)
    return [_range(shown, name, known, can_run=can_run) for name, known in found.items()]


def _range(shown: Evaluated, name: str, known: SettingRange, *, can_run: bool) -> Range:
    values = np.array(known.steps) if known.steps else np.linspace(known.low, known.high, POINTS)
    columns = {key: np.full(len(values), value) for key, value in shown.settings.items()}
    evaluation = shown.model.evaluate(shown.product_format, columns | {name: values})
    shape = len(values)
    nothing = np.empty(0)

    def along(part: object) -> Floats:
        return np.broadcast_to(np.asarray(part, dtype=np.float64), (shape,))

    margins = [
        (use.name, along(use.margin), min(number(now.margin), 0.0) - _RELATIVE)
        for use, now in zip(limit_uses(evaluation), shown.uses, strict=True)
    ]
    return Range(
        setting=name,
        known=known,
        values=values,
        defects=along(spoiled(evaluation)),
        downtime=along(evaluation.downtime),
        cycle_time=along(evaluation.cycle_time) if can_run else nothing,
        good_rate=along(evaluation.good_rate) if can_run else nothing,
        broken=tuple(
            frozenset(limit for limit, margin, _ in margins if margin[k] < -_RELATIVE)
            for k in range(shape)
        ),
        worse=tuple(
            frozenset(limit for limit, margin, least in margins if margin[k] < least)
            for k in range(shape)
        ),
    )


def levers(shown: Evaluated, along: Sequence[Range]) -> list[Lever]:
    """Return what each setting brings, the cheapest kind of change first, then by gain."""
    effects: dict[str, Sensitivity] = {}
    if shown.can_afford(len(along) * _RUNS_OF_SENSITIVITY):
        found = sensitivities(shown.model, shown.product_format, shown.settings)
        effects = {effect.setting: effect for effect in found}
    all_levers = [_lever(shown, part, effects.get(part.setting)) for part in along]
    return sorted(all_levers, key=lambda lever: (lever.order, -lever.gain))


def _lever(shown: Evaluated, along: Range, effect: Sensitivity | None) -> Lever:
    now = shown.settings[along.setting]
    best, gain, ends = now, 0.0, ""
    if len(along.good_rate):
        best, gain, ends = _best(shown, along, now)
    return Lever(
        setting=along.setting,
        known=along.known,
        description=shown.model.machine.settings[along.setting].description,
        effect=effect,
        best_value=best,
        gain=gain,
        ends=ends,
    )


def _best(shown: Evaluated, along: Range, now: float) -> tuple[float, float, str]:
    """Return the best value that breaks nothing, its gain, and what ends it."""
    base = number(shown.evaluation.good_rate)
    gains = along.good_rate / base - 1
    order = [int(k) for k in np.argsort(-gains, kind="stable") if is_worth(float(gains[k]))]
    if along.known.lever == "capital" and along.known.steps:
        # Hardware is bought step by step, the nearest first.
        order.sort(key=lambda k: abs(float(along.values[k]) - now))
    stopped: list[str] = []
    for k in order:
        breaks = _breaks(shown, along, k)
        if not breaks:
            ends = f"more breaks {', '.join(stopped)}" if stopped else _end(along, gains, k, now)
            return float(along.values[k]), float(gains[k]), ends
        stopped = stopped or breaks
    return now, 0.0, f"a change breaks {', '.join(stopped)}" if stopped else "nothing to gain alone"


def _breaks(shown: Evaluated, along: Range, k: int) -> list[str]:
    """Return the limits and interlocks that a value breaks and the present one does not."""
    now_broken = {use.name for use in shown.broken}
    new = [
        f"{limit_name(name)} still more" if name in now_broken else limit_name(name)
        for name in sorted(along.worse[k])
    ]
    if not new and shown.model.machine.zones and shown.model.activities:
        there = shown.with_settings({along.setting: float(along.values[k])})
        now = {pair[:3] for pair in shown.conflicts}
        new = [f"zone {pair[0]}" for pair in overlaps_in_zones(there) if pair[:3] not in now]
    return list(dict.fromkeys(new))


def _end(along: Range, gains: Floats, k: int, now: float) -> str:
    step = 1 if along.values[k] > now else -1
    beyond = k + step
    if along.known.steps:
        others = [
            f"{setting_text(float(along.values[m]), along.known)}: {gain_text(float(gains[m]))}"
            for m in range(len(gains))
            if (m - k) * step > 0
        ]
        return f"after that {', '.join(others)}" if others else "there is no further step"
    if not 0 <= beyond < len(along.values):
        return "its range ends"
    if along.cycle_time[beyond] < along.cycle_time[k] * (1 - _RELATIVE):
        return "more costs more by defects and stops than it brings"
    return "more does not shorten the cycle"


def largest(found: Sequence[Lever], *, is_capital: bool) -> Lever | None:
    """Return the lever with the largest gain, with or without new hardware."""
    chosen = [
        lever
        for lever in found
        if (lever.known.lever == "capital") == is_capital and is_worth(lever.gain)
    ]
    return max(chosen, key=lambda lever: lever.gain, default=None)
