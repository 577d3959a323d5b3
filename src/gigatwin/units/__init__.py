"""Quantities as people write them ("12 s", "150 ppm", "3.5 kWh") and as SI floats.

A number inside gigatwin is a float in SI units; text carries a unit. The usual units are in the
tables below; anything else ("3 fortnights") is left to pint, which is imported only then.

``ppm`` means parts (items) per minute where a rate is wanted, and parts per million where a share
is wanted.

Models use the annotated types at the end of this module. With the validation context
``{"units": "required"}``, which files are read with, a plain number is refused where a unit is
needed; without it, a plain number is in SI units.
"""

from gigatwin.units.dimensions import COUNT, LENGTH, TIME, Dimension
from gigatwin.units.fields import (
    UNITS_AS_TEXT,
    UNITS_REQUIRED,
    Amount,
    Items,
    ItemsPerSecond,
    Joules,
    JoulesPerItem,
    JoulesPerMetre,
    Kilograms,
    Length,
    Metres,
    MetresPerSecond,
    PositiveAmount,
    PositiveSeconds,
    Quantity,
    Ratio,
    Seconds,
    Watts,
)
from gigatwin.units.reading import Content, QuantityError, find_dimension, parse_quantity
from gigatwin.units.writing import format_quantity, to_text

__all__ = [
    "COUNT",
    "LENGTH",
    "TIME",
    "UNITS_AS_TEXT",
    "UNITS_REQUIRED",
    "Amount",
    "Content",
    "Dimension",
    "Items",
    "ItemsPerSecond",
    "Joules",
    "JoulesPerItem",
    "JoulesPerMetre",
    "Kilograms",
    "Length",
    "Metres",
    "MetresPerSecond",
    "PositiveAmount",
    "PositiveSeconds",
    "Quantity",
    "QuantityError",
    "Ratio",
    "Seconds",
    "Watts",
    "find_dimension",
    "format_quantity",
    "parse_quantity",
    "to_text",
]
