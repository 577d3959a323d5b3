"""Estimates as people read them: one unit for mean and interval, no digits beyond the interval."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from gigatwin.units import format_quantity

_JOULES_PER_KWH = 3.6e6
_DIGITS_OF_INTERVAL = 2
_MOST_DIGITS = 4
_MILLION = 1e6
_PLAIN_DIGITS = 3
THIN_SPACE = "\u202f"
"""Stands between groups of three digits, and does not break."""
MISSING = "\u2013"
"""Stands where there is no number."""

# Unit of a result table -> SI unit, its size in that unit, and what a 0 is written in.
_SI = {
    "1/h": ("item/s", 1 / 3600, "items/h"),
    "": ("1", 1.0, "%"),
    "s": ("s", 1.0, "s"),
    "kWh": ("J", _JOULES_PER_KWH, "kWh"),
    "kWh/h": ("W", 1000.0, "kW"),
}
_SIZE = {
    "items/h": 1 / 3600,
    "items/min": 1 / 60,
    "%": 0.01,
    "ppm": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
    "J": 1.0,
    "Wh": 3600.0,
    "kWh": _JOULES_PER_KWH,
    "MWh": 1000 * _JOULES_PER_KWH,
    "W": 1.0,
    "kW": 1e3,
    "MW": 1e6,
}


@dataclass(frozen=True)
class ShownUnit:
    """A unit to show numbers in."""

    name: str
    """As it is written."""
    factor: float
    """What a number of the result table is multiplied by."""

    def text(self, mean: float, half_width: float | None = None) -> tuple[str, str]:
        """Return a mean and its half-width as text, without the unit.

        Parameters
        ----------
        mean : float
            In the unit of the result table.
        half_width : float, optional
            Of the confidence interval; left out for a number that is no estimate, NaN where the
            interval is not known.
        """
        if not math.isfinite(mean):
            return MISSING, ""
        mean *= self.factor
        if half_width is None or not math.isfinite(half_width):
            return grouped(mean, _decimals(mean, _PLAIN_DIGITS)), ""
        half_width *= self.factor
        if half_width <= 1e-9 * abs(mean):
            return grouped(mean, _decimals(mean, _PLAIN_DIGITS)), "\u00b1 0"
        decimals = _decimals(half_width, _DIGITS_OF_INTERVAL)
        if mean:
            decimals = min(decimals, max(_decimals(mean, _MOST_DIGITS), 0))
        shown = grouped(half_width, decimals)
        if float(shown.replace(THIN_SPACE, "")) == 0.0:
            shown = f"<{10.0**-decimals:.{max(decimals, 0)}f}"
        return grouped(mean, decimals), f"\u00b1 {shown}"

    def sentence(self, mean: float, half_width: float | None = None) -> str:
        """Return a mean with its half-width and unit."""
        return " ".join(part for part in (*self.text(mean, half_width), self.name) if part)


def shown_unit(unit: str, values: float | Iterable[float]) -> ShownUnit:
    """Return the unit that suits numbers of a result table.

    Parameters
    ----------
    unit : str
        Unit of the table: ``1/h``, ``s``, empty for a share, and so on.
    values : float or iterable of float
        What is to be shown; of several the median decides.
    """
    given = [values] if isinstance(values, int | float) else list(values)
    sizes = [abs(value) for value in given if math.isfinite(value) and value]
    if unit == "":
        return ShownUnit("%", 100.0)
    if unit == "items" and sizes and median(sizes) >= _MILLION:
        return ShownUnit("million items", 1 / _MILLION)
    if unit not in _SI:
        return ShownUnit(unit, 1.0)
    si, size, name = _SI[unit]
    if sizes:
        name = format_quantity(median(sizes) * size, si).partition(" ")[2]
    return ShownUnit(name, size / _SIZE[name])


def count(number: float) -> str:
    """Return a number that is no estimate, as short as it can be written.

    Examples
    --------
    >>> count(14.0), count(0.5)
    ('14', '0.5')
    """
    if not math.isfinite(number):
        return MISSING
    text = f"{number:,.10g}" if number % 1 else f"{number:,.0f}"
    return text.replace(",", THIN_SPACE)


def grouped(number: float, decimals: int) -> str:
    """Return a number with so many decimals, negative ones for tens, in groups of three digits."""
    text = f"{round(number, decimals):,.{max(decimals, 0)}f}"
    if not any(digit in text for digit in "123456789"):
        text = text.removeprefix("-")
    return text.replace(",", THIN_SPACE)


def _decimals(number: float, digits: int) -> int:
    """Return the decimals that leave so many significant digits, none for integers of size."""
    if number == 0:
        return 0
    # 99.9999 is shown as 100.0, so it counts as having three digits before the point.
    decimals = digits - 1 - math.floor(math.log10(abs(number) * (1 + 0.5 * 10.0**-_MOST_DIGITS)))
    return max(decimals, 0) if digits == _PLAIN_DIGITS else decimals
