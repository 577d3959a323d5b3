"""From what a tag said to a quantity in the unit of the model; None where it cannot be one."""

import math
from collections.abc import Callable

from gigatwin.telemetry.machine_view import packml_number
from gigatwin.telemetry.mapping import TagMeaning
from gigatwin.telemetry.readings import Value
from gigatwin.telemetry.tags import Quantity

Conversion = Callable[[Value], Value]
"""Gets what a tag said, returns the value of the quantity, or None where it is no such value."""
COUNTERS = frozenset({Quantity.PROCESSED, Quantity.DEFECTIVE})
"""Quantities that only grow, but for a restart of the equipment."""
LARGEST_INTEGER = 2**64
"""Bound on integers, in both directions."""

_NO_STOP = frozenset({"0", "none", "no"})
_LARGEST_EXACT = 2**53


def conversion(meaning: TagMeaning) -> Conversion:
    """Return how the values of a tag are converted."""
    known = _CONVERSIONS.get(meaning.quantity)
    if known is not None:
        return known
    factor = meaning.factor
    if meaning.quantity in {Quantity.VALUE, Quantity.SETTING}:
        return lambda value: _any(value, factor)
    return lambda value: _number(value, factor)


def _mode(value: Value) -> int | None:
    return packml_number(value, is_mode=True)


def _truth(value: Value) -> bool | None:
    # By value, so that 1.0 from a table is taken as well.
    return bool(value) if value in (0, 1) and not isinstance(value, str) else None


def _count(value: Value) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= _LARGEST_EXACT and value == int(value) else None


def _number(value: Value, factor: float) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return None
    scaled = value if factor == 1.0 else value * factor
    return scaled if math.isfinite(scaled) else None


def _any(value: Value, factor: float) -> Value:
    return value if isinstance(value, bool | str) else _number(value, factor)


def _text(value: Value) -> str | None:
    if isinstance(value, str):
        return value
    number = _count(value)
    return None if number is None else str(number)


def _stop_reason(value: Value) -> str | None:
    text = _text(value)
    return "" if text is not None and text.strip().lower() in _NO_STOP else text


_CONVERSIONS: dict[Quantity, Conversion] = {
    Quantity.STATE: packml_number,
    Quantity.MODE: _mode,
    Quantity.BLOCKED: _truth,
    Quantity.STARVED: _truth,
    Quantity.PROCESSED: _count,
    Quantity.DEFECTIVE: _count,
    Quantity.STOP_REASON: _stop_reason,
    Quantity.FORMAT: _text,
    Quantity.FORMAT_COMMAND: _text,
}
