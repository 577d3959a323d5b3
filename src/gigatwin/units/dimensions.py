"""Kinds of quantities, and the units that people write them in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_ITEM_WORDS = ("item", "items", "piece", "pieces", "pcs", "cell", "cells", "part", "parts")

Scale = tuple[int, int]
"""Numerator and denominator of a unit in SI; whole numbers keep conversions exact."""


@dataclass(frozen=True)
class Dimension:
    """A kind of quantity with its SI unit and the units people write it in."""

    name: str
    """What it is: ``time``."""
    unit: str
    """SI unit; the unit of every float of this kind."""
    example: str
    """How a person writes one."""
    scales: Mapping[str, Scale] = field(repr=False, hash=False)
    """Accepted unit to its size in SI."""
    written: tuple[str, ...]
    """Units to write values in, the preferred first."""
    plain_allowed: bool = False
    """Whether a number without a unit means something by itself."""
    pint_unit: str = ""
    """SI unit in pint's language; empty when pint is of no use."""


TIMES: dict[str, Scale] = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), (1, 1)),
    "ms": (1, 1000),
    "us": (1, 1_000_000),
    "µs": (1, 1_000_000),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), (60, 1)),
    **dict.fromkeys(("h", "hr", "hour", "hours"), (3600, 1)),
    **dict.fromkeys(("d", "day", "days"), (86_400, 1)),
    **dict.fromkeys(("week", "weeks"), (604_800, 1)),
}
LENGTHS: dict[str, Scale] = {
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), (1, 1)),
    "km": (1000, 1),
    "cm": (1, 100),
    "mm": (1, 1000),
    "um": (1, 1_000_000),
    "µm": (1, 1_000_000),
}
MASSES: dict[str, Scale] = {
    "kg": (1, 1),
    "g": (1, 1000),
    "mg": (1, 1_000_000),
    "t": (1000, 1),
    **dict.fromkeys(("tonne", "tonnes"), (1000, 1)),
}
_ENERGIES: dict[str, Scale] = {
    "J": (1, 1),
    "kJ": (1000, 1),
    "MJ": (1_000_000, 1),
    "GJ": (1_000_000_000, 1),
    "Wh": (3600, 1),
    "kWh": (3_600_000, 1),
    "MWh": (3_600_000_000, 1),
    "GWh": (3_600_000_000_000, 1),
}
_COUNTS: dict[str, Scale] = dict.fromkeys(_ITEM_WORDS, (1, 1))


def _per(units: Mapping[str, Scale], divisors: Mapping[str, Scale]) -> dict[str, Scale]:
    return {
        f"{unit}/{divisor}": (top[0] * bottom[1], top[1] * bottom[0])
        for unit, top in units.items()
        for divisor, bottom in divisors.items()
    }


TIME = Dimension("time", "s", "12 s", TIMES, ("s", "min", "h", "d"), pint_unit="s")
LENGTH = Dimension("length", "m", "60 m", LENGTHS, ("m", "mm", "km"), pint_unit="m")
MASS = Dimension("mass", "kg", "2.5 kg", MASSES, ("kg", "g", "t"), pint_unit="kg")
ENERGY = Dimension("energy", "J", "3.5 kWh", _ENERGIES, ("kWh", "Wh", "J"), pint_unit="J")
POWER = Dimension(
    "power",
    "W",
    "4 kW",
    {"W": (1, 1), "mW": (1, 1000), "kW": (1000, 1), "MW": (1_000_000, 1), "GW": (10**9, 1)},
    ("W", "kW", "MW"),
    pint_unit="W",
)
SPEED = Dimension(
    "speed", "m/s", "35 m/min", _per(LENGTHS, TIMES), ("m/min", "m/s"), pint_unit="m/s"
)
RATE = Dimension(
    "rate",
    "item/s",
    "12 ppm",
    {
        "ppm": (1, 60),
        **_per({**_COUNTS, "1": (1, 1), "": (1, 1)}, TIMES),
    },
    ("ppm", "items/s", "items/h", "items/d"),
    pint_unit="1/s",
)
ENERGY_PER_ITEM = Dimension(
    "energy per item",
    "J/item",
    "20 Wh/item",
    {**_ENERGIES, **_per(_ENERGIES, _COUNTS)},
    ("Wh/item", "kWh/item", "J/item"),
)
ENERGY_PER_LENGTH = Dimension(
    "energy per length",
    "J/m",
    "20 Wh/m",
    {**_ENERGIES, **_per(_ENERGIES, LENGTHS)},
    ("Wh/m", "kWh/m", "J/m"),
    pint_unit="J/m",
)
COUNT = Dimension("count", "item", "5000 items", _COUNTS, ("items",))
SHARE = Dimension(
    "share",
    "1",
    "0.5 %",
    {"": (1, 1), "%": (1, 100), "percent": (1, 100), "ppm": (1, 10**6), "ppb": (1, 10**9)},
    ("",),
    plain_allowed=True,
)
CONTENT = Dimension(
    "content",
    "m, kg or item",
    "3.9 m",
    {"": (1, 1), **_COUNTS, **LENGTHS, **MASSES},
    ("",),
    plain_allowed=True,
)
DIMENSIONS = {
    dimension.unit: dimension
    for dimension in (
        TIME,
        LENGTH,
        MASS,
        ENERGY,
        POWER,
        SPEED,
        RATE,
        ENERGY_PER_ITEM,
        ENERGY_PER_LENGTH,
        COUNT,
        SHARE,
        CONTENT,
    )
}
"""Dimension by its SI unit."""
