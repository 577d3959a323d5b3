"""Numbers with any unit ("0.1 mm/rev", "1.5 m/s^2"), read with pint."""

import functools
import math
import re
from typing import Any

Quantity = Any
"""A pint quantity in SI base units; pint is imported late, and its types do not survive that."""

NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_WORD = r"[A-Za-zµμ°%]+"
_POWER = r"(?:\s*\^\s*-?[0-9]+|[²³])?"
UNIT = rf"{_WORD}{_POWER}(?:\s*[*/·]\s*{_WORD}{_POWER})*"
"""What may follow a number as its unit."""
_MEASURE = re.compile(rf"\s*([+-]?{NUMBER})\s*({UNIT})?\s*")
_SUPERSCRIPTS = str.maketrans({"²": "^2", "³": "^3", "·": "*"})


@functools.cache
def registry() -> Any:  # noqa: ANN401 - pint's registry has no static type
    """Return pint's units; it takes a third of a second to import, so it is imported here."""
    import pint  # noqa: PLC0415 - heavy

    try:
        # Reading pint's definitions takes half a second, reading its cache a tenth of that.
        units: Any = pint.UnitRegistry(cache_folder=":auto:")
    except OSError:
        units = pint.UnitRegistry()
    units.define("@alias turn = rev")
    return units


@functools.lru_cache(maxsize=4096)
def unit_of(text: str) -> Quantity:
    """Return one of a unit, in SI base units.

    Raises
    ------
    ValueError
        If there is no such unit.
    """
    units = registry()
    if text == "%":
        return units.Quantity(0.01)
    try:
        unit = units.parse_units(text.translate(_SUPERSCRIPTS))
        zero, one = (units.Quantity(x, unit).to_base_units() for x in (0.0, 1.0))
    except Exception as error:
        # Pint has no common class for what its parser raises.
        message = f"'{text}' is no unit"
        raise ValueError(message) from error
    if zero.magnitude != 0:
        message = f"'{text}' has a zero of its own; use K"
        raise ValueError(message)
    return one


@functools.lru_cache(maxsize=4096)
def measure(text: str) -> Quantity:
    """Return a number with its unit, in SI base units.

    Raises
    ------
    ValueError
        If it is not a number with a unit.

    Examples
    --------
    >>> measure("90 mm/min").magnitude
    0.0015
    """
    match = _MEASURE.fullmatch(text)
    if match is None:
        message = "must be a number with its unit, e.g. '1.5 m/s'"
        raise ValueError(message)
    unit = unit_of(match[2]) if match[2] else registry().Quantity(1.0)
    number = float(match[1])
    if not math.isfinite(number):
        message = "must be a finite number"
        raise ValueError(message)
    return number * unit


def same_kind(one: Quantity, other: Quantity) -> bool:
    """Return whether two quantities can be compared."""
    return bool(one.dimensionality == other.dimensionality)


_SHOWN = {
    "kilogram * meter ** 2 / second ** 2": "J",
    "kilogram * meter ** 2 / second ** 3": "W",
    "kilogram * meter / second ** 2": "N",
    "kilogram / meter / second ** 2": "Pa",
    "": "",
}


def unit_name(quantity: Quantity) -> str:
    """Return the SI unit of a quantity, as short as people write it."""
    text = str(quantity.units).replace("radian", "rad")
    if text in {"dimensionless", "rad"}:
        return text.replace("dimensionless", "")
    short = _SHOWN.get(str(quantity.units))
    if short is not None:
        return short
    return f"{quantity.units:~C}".replace("**", "^")
