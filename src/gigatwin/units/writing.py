"""From SI floats to text: exact for files, rounded for people."""

import math

from gigatwin.units.dimensions import CONTENT, DIMENSIONS, Dimension


def to_text(value: float, unit: str | Dimension) -> str | float:
    """Return an SI value as it stands in a file, reading back as exactly the same value.

    Shares, and contents in items, stay plain numbers.

    Examples
    --------
    >>> to_text(1800.0, "s")
    '30 min'
    """
    dimension = DIMENSIONS[unit] if isinstance(unit, str) else unit
    if dimension is CONTENT and getattr(value, "unit", "item") != "item":
        return f"{_short(value)} {value.unit}"  # type: ignore[attr-defined]  # a Content, which the dimension tells
    if dimension.plain_allowed:
        return float(value)
    best = f"{_short(value)} {dimension.unit}"
    shortest = math.inf
    for written in dimension.written:
        top, bottom = dimension.scales[written]
        number = float(f"{value * bottom / top:.12g}")
        digits = _short(number)
        if number * top / bottom == value and len(digits) < shortest:
            shortest = len(digits)
            best = f"{digits} {written}"
    return best


_FOR_PEOPLE: dict[str, tuple[tuple[float, str, float], ...]] = {
    "s": (
        (172_800, "d", 86_400),
        (3600, "h", 3600),
        (120, "min", 60),
        (1, "s", 1),
        (0, "ms", 1e-3),
    ),
    "m": ((1000, "km", 1000), (1, "m", 1), (0, "mm", 1e-3)),
    "kg": ((1000, "t", 1000), (1, "kg", 1), (0, "g", 1e-3)),
    "J": ((3.6e9, "MWh", 3.6e9), (3.6e6, "kWh", 3.6e6), (360, "Wh", 3600), (0, "J", 1)),
    "W": ((1e6, "MW", 1e6), (1e3, "kW", 1e3), (0, "W", 1)),
    "m/s": ((0, "m/min", 1 / 60),),
    "item/s": ((1 / 60, "items/min", 1 / 60), (0, "items/h", 1 / 3600)),
    "J/item": ((3.6e6, "kWh/item", 3.6e6), (0, "Wh/item", 3600)),
    "J/m": ((3.6e6, "kWh/m", 3.6e6), (0, "Wh/m", 3600)),
    "item": ((0, "items", 1),),
    "1": ((0.001, "%", 0.01), (0, "ppm", 1e-6)),
}


def format_quantity(value: float, unit: str, digits: int = 3) -> str:
    """Return an SI value rounded for people, in the unit that suits its size.

    Parameters
    ----------
    value : float
        Value in SI.
    unit : str
        SI unit of the value, for example ``"s"``, ``"J"``, ``"item/s"`` or ``"1"`` for a share.
    digits : int
        Significant digits.

    Examples
    --------
    >>> format_quantity(3725, "s")
    '1.03 h'
    """
    steps = _FOR_PEOPLE.get(unit, ((0, unit, 1),))
    size = abs(value)
    _, name, scale = next((step for step in steps if size >= step[0]), steps[-1])
    if size == 0:
        name, scale = ("%" if unit == "1" else unit), 1
    if not math.isfinite(value):
        return f"{value} {name}"
    return f"{_rounded(value / scale, digits)} {name}"


def _rounded(number: float, digits: int) -> str:
    if number == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(number)))
    if places <= 0:
        return f"{number:.0f}"
    text = f"{number:.{places}f}"
    return text.rstrip("0").rstrip(".")


def _short(number: float) -> str:
    text = repr(float(number))
    return text.removesuffix(".0")
