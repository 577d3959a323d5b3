"""Verification of a change before hardware: allowed or not, why, and what it would do."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigatwin.equipment.interlocks import overlaps_in_zones
from gigatwin.equipment.limits import SCRAP, is_possible, limit_uses
from gigatwin.equipment.model.equipment_model import EquipmentModel, Evaluation
from gigatwin.equipment.motion.s_curve import Floats
from gigatwin.errors import EquipmentError

DRAWS = 2000
"""Draws of what is uncertain."""
_SEED = 46
_SCORE_OF_END = 1.959963984540054
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Reason:
    """Something that speaks against a change."""

    kind: str
    """``range``, ``limit``, ``interlock``, ``process window`` or ``format``."""
    text: str
    """What is wrong, with numbers and units."""


@dataclass(frozen=True)
class Effect:
    """A quantity before and after a change, with 95 % intervals."""

    name: str
    """What it is."""
    unit: str
    """SI unit."""
    before: float
    after: float
    before_interval: tuple[float, float]
    after_interval: tuple[float, float]
    difference_interval: tuple[float, float]
    """Interval of the difference; both meet the same draws of what is uncertain."""

    @property
    def difference(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def is_clear(self) -> bool:
        """Whether the interval of the difference leaves 0 out."""
        low, high = self.difference_interval
        return low > 0 or high < 0


@dataclass(frozen=True)
class Verdict:
    """Whether a change may be made, and what it would do."""

    machine: str
    product_format: str
    evidence: str
    """Where the machine's numbers come from."""
    change: Mapping[str, float]
    """Setting to its new value. [SI]"""
    reasons: tuple[Reason, ...]
    """What speaks against it; empty: it is allowed."""
    effects: tuple[Effect, ...]
    """What it would do."""

    @property
    def is_allowed(self) -> bool:
        """Whether nothing speaks against the change."""
        return not self.reasons


def reasons_against(evaluation: Evaluation) -> list[Reason]:
    """Return the limits and interlocks that a machine with one setting does not keep."""
    reasons = []
    if not is_possible(evaluation)[0]:
        text = "a duration or stroke is below 0, or an overlap is longer than its activity"
        reasons.append(Reason("limit", text))
    for use in limit_uses(evaluation):
        if use.holds[0]:
            continue
        value, limit = float(use.value[0]), float(use.limit[0])
        side = "at least" if use.is_least else "at most"
        kind = "process window" if use.name == SCRAP else "limit"
        unit = f" {use.unit}" if use.unit else ""
        text = f"{use.name} is {value:.4g}{unit}; must be {side} {limit:.4g}{unit}: {use.because}"
        reasons.append(Reason(kind, text))
    for zone, one, other, seconds in overlaps_in_zones(evaluation):
        other = f"the next {other}" if other == one else other  # noqa: PLW2901 - its name
        text = (
            f"{one} and {other} are both in zone {zone} for {seconds * 1e3:.0f} ms of each cycle; "
            "they must not be there together: let one wait for the other (after), or overlap less"
        )
        reasons.append(Reason("interlock", text))
    return reasons


def check_change(
    model: EquipmentModel,
    product_format: str,
    change: Mapping[str, float],
    settings: Mapping[str, float] | None = None,
) -> Verdict:
    """Return whether a change of settings may be made, and what it would do.

    Parameters
    ----------
    model : EquipmentModel
        The machine.
    product_format : str
        What is made.
    change : mapping
        Setting to its new value. [SI]
    settings : mapping, optional
        Settings before the change that differ from the defaults. [SI]

    Notes
    -----
    What is uncertain (durations, knees and weights of the curves; the description's
    ``uncertainty``) is drawn 2000 times, lognormal with the stated 95 % half-widths, each part
    independently of the others and the same for before and after.
    """
    before = dict(settings or {})
    after = {**before, **change}
    reasons = _out_of_range(model, change)
    if product_format not in model.dimensions:
        text = f"{product_format}; must be one of {', '.join(model.dimensions)}"
        reasons.append(Reason("format", text))
        return _refused(model, product_format, change, reasons)
    base = model.evaluate(product_format, before)
    try:
        changed = model.evaluate(product_format, after)
    except EquipmentError as error:
        reasons.append(Reason("range", str(error)))
        return _refused(model, product_format, change, reasons)
    reasons += reasons_against(changed)
    factors = draw_factors(model)
    effects = _effects(
        (base, changed),
        (
            model.evaluate(product_format, before, factors),
            model.evaluate(product_format, after, factors),
        ),
    )
    return Verdict(
        machine=model.machine.name,
        product_format=product_format,
        evidence=model.machine.evidence,
        change=dict(change),
        reasons=tuple(reasons),
        effects=effects,
    )


def _refused(
    model: EquipmentModel, product_format: str, change: Mapping[str, float], reasons: list[Reason]
) -> Verdict:
    """Return a verdict on a change of which nothing can be calculated."""
    machine = model.machine
    return Verdict(machine.name, product_format, machine.evidence, dict(change), tuple(reasons), ())


def _out_of_range(model: EquipmentModel, change: Mapping[str, float]) -> list[Reason]:
    reasons = []
    for name, value in change.items():
        model.check_setting(name)
        known = model.settings[name]
        described = model.machine.settings[name]
        slack = _ROUNDING * max(abs(known.low), abs(known.high))
        shown = f"{value / known.scale:.6g} {known.written}".strip()
        if not known.low - slack <= value <= known.high + slack:
            text = f"{name} = {shown}; must be from {described.low} to {described.high}"
            reasons.append(Reason("range", text))
        elif known.steps and min(abs(value - step) for step in known.steps) > slack:
            text = f"{name} = {shown}; must be one of {', '.join(described.steps)}"
            reasons.append(Reason("range", text))
    return reasons


def draw_factors(
    model: EquipmentModel, draws: int = DRAWS, seed: int = _SEED
) -> dict[str, NDArray[np.float64]]:
    """Return drawn factors on durations, knees and weights, shape (draws,) each."""
    rng = np.random.default_rng(seed)
    known = model.machine.uncertainty
    widths = {activity.factor: known.times for activity in model.activities}
    for curve in (*model.defects, *model.stops):
        widths |= dict.fromkeys(curve.knees, known.knees)
        widths |= dict.fromkeys(curve.weights, known.weights)
    return {
        name: np.exp(rng.standard_normal(draws) * np.log1p(width) / _SCORE_OF_END)
        for name, width in widths.items()
    }


_QUANTITIES = (
    ("cycle time", "s", "cycle_time"),
    ("rate, stops included", "item/s", "net_rate"),
    ("good items", "item/s", "good_rate"),
    ("scrap", "", "scrap"),
    ("availability", "", "availability"),
)


def _effects(
    points: tuple[Evaluation, Evaluation], drawn: tuple[Evaluation, Evaluation]
) -> tuple[Effect, ...]:
    effects = []
    for name, unit, attribute in _QUANTITIES:
        before, after = (_column(getattr(d, attribute)) for d in drawn)
        point = [float(np.ravel(getattr(p, attribute))[0]) for p in points]
        effects.append(
            Effect(
                name=name,
                unit=unit,
                before=point[0],
                after=point[1],
                before_interval=_interval(before),
                after_interval=_interval(after),
                difference_interval=_interval(after - before),
            )
        )
    return tuple(effects)


def _column(values: Floats) -> NDArray[np.float64]:
    return np.broadcast_to(np.asarray(values, dtype=np.float64), (DRAWS,))


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
