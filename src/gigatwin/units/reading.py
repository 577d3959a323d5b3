"""From text to SI floats. The usual units are in tables; pint, imported late, knows the others."""

import re
from functools import cache
from typing import Self

from gigatwin.units.dimensions import CONTENT, DIMENSIONS, LENGTHS, MASSES, TIME, TIMES, Dimension

NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_QUANTITY = re.compile(rf"({NUMBER})\s*(.*)")
_PIECE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-zµμ]+)\s*")
_UNIT_FOR_PINT = re.compile(r"[A-Za-zµμ_ ]+(?:[/*][A-Za-zµμ_ ]+)*")
_LONGEST_TEXT = 100
_KNOWN = {unit for dimension in DIMENSIONS.values() for unit in dimension.scales}


class QuantityError(ValueError):
    """A text or number that is not the wanted quantity: what was found, what is required."""

    def __init__(self, found: str, required: str) -> None:
        """Keep both halves of the message."""
        self.found = found
        self.required = required
        super().__init__(f"{found}; {required}")


class Content(float):
    """A content of a lot as a float in SI that knows its unit: ``m``, ``kg`` or ``item``."""

    __slots__ = ("unit",)
    unit: str

    def __new__(cls, value: float, unit: str = "item") -> Self:
        """Make a content of so much."""
        content = super().__new__(cls, value)
        content.unit = unit
        return content

    def __getnewargs__(self) -> tuple[float, str]:  # type: ignore[override]  # float declares one value, Content has two
        """Return what a copy is made from."""
        return float(self), self.unit


def parse_quantity(text: str, unit: str | Dimension) -> float:
    """Return the SI value of a text with a unit.

    Parameters
    ----------
    text : str
        Number and unit: ``"12 s"``, ``"150 ppm"``; times may be added up: ``"1 h 30 min"``.
    unit : str or Dimension
        What is wanted, by its SI unit (``"s"``, ``"m/s"``, ``"item/s"``, ``"1"`` for a share) or
        by its dimension.

    Returns
    -------
    float
        Value in the SI unit; a `Content` for a content of a lot.

    Raises
    ------
    QuantityError
        If the text is not a number with a unit of this dimension.

    Examples
    --------
    >>> parse_quantity("30 min", "s")
    1800.0
    >>> parse_quantity("150 ppm", "item/s")
    2.5
    """
    dimension = DIMENSIONS[unit] if isinstance(unit, str) else unit
    stripped = text.strip()
    match = _QUANTITY.fullmatch(stripped) if len(stripped) <= _LONGEST_TEXT else None
    if match is None:
        raise QuantityError(shown(text), wanted(dimension))
    number, written = match.groups()
    scale = dimension.scales.get(written)
    if scale is None:
        if not written:
            raise QuantityError(shown(text), f"needs a unit, {example(dimension)}")
        if dimension is TIME and (total := _added_times(stripped)) is not None:
            return total
        scale = dimension.scales.get(re.sub(r"\s*(?:/|\bper\b)\s*", "/", written))
    if scale is None and written in _KNOWN:
        raise QuantityError(shown(text), wanted(dimension))
    if scale is None:
        return _parsed_by_pint(float(number), written, text, dimension)
    value = float(number) * scale[0] / scale[1]
    return Content(value, _content_unit(written)) if dimension is CONTENT else value


def find_dimension(text: str, *dimensions: Dimension) -> Dimension | None:
    """Return the first of several dimensions that a text is a quantity of."""
    match = _QUANTITY.fullmatch(text.strip()) if len(text) <= _LONGEST_TEXT else None
    if match is None:
        return None
    for dimension in dimensions:
        if match[2] in dimension.scales:
            return dimension
    for dimension in dimensions:
        try:
            parse_quantity(text, dimension)
        except QuantityError:
            continue
        return dimension
    return None


def shown(given: object) -> str:
    """Return what was found, short enough for a message."""
    if isinstance(given, dict):
        return "a mapping"
    if isinstance(given, list | tuple):
        return "a list"
    text = str(given) if isinstance(given, str) and given.strip() else repr(given)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."


def wanted(dimension: Dimension) -> str:
    """Return what a quantity of this kind must be, for a message."""
    article = "an" if dimension.name[0] in "aeiou" else "a"
    return f"must be {article} {dimension.name}, {example(dimension)}"


def example(dimension: Dimension) -> str:
    """Return how a person writes a quantity of this kind."""
    return f"e.g. {dimension.example!r}"


def _content_unit(written: str) -> str:
    if written in LENGTHS:
        return "m"
    return "kg" if written in MASSES else "item"


def _added_times(text: str) -> float | None:
    total = 0.0
    position = 0
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None or piece[2] not in TIMES:
            return None
        top, bottom = TIMES[piece[2]]
        total += float(piece[1]) * top / bottom
        position = piece.end()
    return total


@cache
def _pint_scale(written: str, wanted: str) -> float | None:
    """Return the size of a unit in SI, or None when pint does not know it as one of this kind."""
    # pint takes a third of a second to import, which hardly any run has to pay.
    import pint  # noqa: PLC0415 - heavy, and rarely needed

    try:
        return float(pint.application_registry.Quantity(1.0, written).to(wanted).magnitude)
    except (pint.PintError, AttributeError, TypeError, ValueError):
        return None


def _parsed_by_pint(number: float, written: str, text: str, dimension: Dimension) -> float:
    scale = None
    # Powers are left out: no quantity here needs them, and a tower of them would not end.
    if _UNIT_FOR_PINT.fullmatch(written):
        for si in ("m", "kg") if dimension is CONTENT else (dimension.pint_unit,):
            scale = _pint_scale(written, si) if si else None
            if scale is not None:
                value = number * scale
                return Content(value, si) if dimension is CONTENT else value
    required = wanted(dimension)
    if re.fullmatch(r",[0-9]+.*", written):
        required += "; write numbers with a point and without commas"
    raise QuantityError(shown(text), required)
