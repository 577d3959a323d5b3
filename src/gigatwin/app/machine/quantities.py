"""Numbers of a machine as an engineer writes them: few digits, and always a unit."""

import math

from gigatwin.app.numbers import MISSING, ShownUnit, grouped, shown_unit
from gigatwin.equipment.model.equipment_model import SettingRange

PER_MINUTE = ShownUnit("items/min", 60.0)
"""Rates of a machine. [item/s]"""
_DIGITS = 4
_SMALLEST = 1e-4
_TINY_GAIN = 5e-4
_PREFIXED = {
    "m": (("m", 1.0, 1.0), ("mm", 1e-3, 1e-3), ("\u00b5m", 1e-6, 0.0)),
    # Angles below a radian are still written in radians; only those of a vibration are not.
    "rad": (("rad", 1.0, 0.01), ("mrad", 1e-3, 1e-5), ("\u00b5rad", 1e-6, 0.0)),
    "Pa": (("MPa", 1e6, 1e5), ("kPa", 1e3, 1e3), ("Pa", 1.0, 0.0)),
    "N": (("kN", 1e3, 1e3), ("N", 1.0, 0.0)),
    "W": (("kW", 1e3, 1e3), ("W", 1.0, 0.0)),
    "J": (("kJ", 1e3, 1e3), ("J", 1.0, 0.0)),
}
"""SI unit to what it is written in: name, one of it, and the least size it is used for."""


def significant(value: float, digits: int = _DIGITS) -> str:
    """Return a number with so many significant digits and no zeros behind them.

    Examples
    --------
    >>> significant(0.30000000000000004), significant(1884.95559215), significant(-0.0001 / 3)
    ('0.3', '1\u202f885', '-3.333e-05')
    """
    if not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    if abs(value) < _SMALLEST:
        return f"{value:.{digits}g}"
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = grouped(value, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def pretty(unit: str) -> str:
    """Return a unit as it is set in print.

    Examples
    --------
    >>> pretty("rad/s^2"), pretty("kg*m^2")
    ('rad/s²', 'kg·m²')
    """
    return unit.replace("^2", "\u00b2").replace("^3", "\u00b3").replace("*", "\u00b7")


def with_unit(number: str, unit: str) -> str:
    """Return a number with its unit, if it has one."""
    return f"{number} {pretty(unit)}".strip()


def seconds(value: float) -> str:
    """Return a time in the unit that suits it.

    Examples
    --------
    >>> seconds(5.6875769), seconds(0.1), seconds(0.0)
    ('5.69 s', '100 ms', '0 s')
    """
    return shown_unit("s", value).sentence(value)


def time_unit(longest: float) -> ShownUnit:
    """Return the unit of an axis of times up to the longest. [s]."""
    return shown_unit("s", longest)


def scaled(unit: str, size: float) -> tuple[str, float]:
    """Return the unit in which a quantity of some size is written, and one of it in SI."""
    known = _PREFIXED.get(unit, ((unit, 1.0, 0.0),))
    if size == 0:
        return unit, 1.0
    return next((name, factor) for name, factor, least in known if abs(size) >= least)


def quantity(value: float, unit: str, size: float | None = None) -> str:
    """Return a quantity in SI units in the unit that suits its size, or another size.

    Examples
    --------
    >>> quantity(0.00025, "m"), quantity(32.0, "N m"), quantity(0.012, "")
    ('250 µm', '32 N m', '0.012')
    """
    name, factor = scaled(unit, value if size is None else size)
    return with_unit(significant(value / factor), name)


def setting_text(value: float, known: SettingRange) -> str:
    """Return a setting in the unit of its description.

    Examples
    --------
    >>> setting_text(0.3, SettingRange({}, 0.2, 0.6, "recipe", (), "m/s", "mm/s", 1e-3))
    '300 mm/s'
    """
    return with_unit(significant(value / known.scale), known.written)


def range_text(known: SettingRange) -> str:
    """Return the range of a setting, or its steps.

    Examples
    --------
    >>> range_text(SettingRange({}, 0.02, 0.1, "waits", (), "s", "s", 1.0))
    '0.02 to 0.1 s'
    """
    if known.steps:
        steps = ", ".join(significant(step / known.scale) for step in known.steps)
        return with_unit(steps, known.written)
    low = significant(known.low / known.scale)
    return f"{low} to {setting_text(known.high, known)}"


def percent(share: float) -> str:
    """Return a share in per cent, with two digits where it is small.

    Examples
    --------
    >>> percent(0.98442), percent(0.0015), percent(0.0), percent(1e-7)
    ('98.4 %', '0.15 %', '0 %', '<0.001 %')
    """
    if share == 0:
        return "0 %"
    if abs(share) < 1e-5:  # noqa: PLR2004 - a thousandth of a per cent
        return "<0.001 %"
    return f"{significant(100 * share, 3 if abs(share) >= 0.1 else 2)} %"  # noqa: PLR2004 - from 10 %


def gain_text(gain: float) -> str:
    """Return a relative change of good items in per cent, with its sign.

    Examples
    --------
    >>> gain_text(0.0666), gain_text(0.00001), gain_text(-0.02)
    ('+6.7 %', '0 %', '-2.0 %')
    """
    return "0 %" if abs(gain) < _TINY_GAIN else f"{100 * gain:+.1f} %"


def stops_text(per_cycle: float) -> str:
    """Return a number of stops in a cycle, as one in many cycles.

    Examples
    --------
    >>> stops_text(0.0012), stops_text(0.001)
    ('1.2 stops in 1000 cycles', '1 stop in 1000 cycles')
    """
    text = significant(1000 * per_cycle, 3)
    return f"{text} {'stop' if text == '1' else 'stops'} in 1000 cycles"


def is_worth(gain: float) -> bool:
    """Return whether a gain shows in what is written."""
    return gain >= _TINY_GAIN
