"""Estimates as people read them: rounded to what is known, with half the interval behind ±."""

import math

_DIGITS = 4
_MOST_DIGITS = 6
_NOTHING = "\u2013"
_TIMES = ((172_800.0, 86_400.0, "d"), (7200.0, 3600.0, "h"), (120.0, 60.0, "min"))
_SHARES = ("ratio", "yield", "share", "index", "availability", "effectiveness")


def estimate(
    mean: float | None,
    low: float | None,
    high: float | None,
    scale: float = 1.0,
    most_places: int | None = None,
) -> str:
    """Return an estimate, its half-width to two digits and its mean to the same place.

    Parameters
    ----------
    mean, low, high : float or None
        The estimate and its interval; None or NaN when there is none.
    scale : float
        Factor to the unit it is shown in.
    most_places : int, optional
        Places after the point to show at most, in tables with many columns.

    Examples
    --------
    >>> estimate(6793.86, 6457.13, 7130.58)
    '6794 ± 337'
    >>> estimate(0.75617, 0.71883, 0.79350, scale=100)
    '75.6 ± 3.7'
    """
    if mean is None or not math.isfinite(mean):
        return _NOTHING
    value = mean * scale
    if low is None or high is None or not math.isfinite(high - low):
        return _rounded(value, most_places)
    half = (high - low) / 2 * scale
    if half <= abs(value) * 10.0**-_MOST_DIGITS:
        return f"{_rounded(value, most_places)} ± 0"
    places = min(_places(half, 2), _places(value, _MOST_DIGITS))
    if most_places is not None:
        places = min(places, most_places)
    return f"{value:.{places}f} ± {half:.{places}f}"


def number(value: float | None, scale: float = 1.0) -> str:
    """Return a number to four digits, for what is counted or given rather than estimated."""
    return estimate(value, None, None, scale)


def unit_for_people(kpi: str, unit: str, mean: float) -> tuple[float, str]:
    """Return the factor and the unit in which a quantity is read best.

    Parameters
    ----------
    kpi : str
        Name of the quantity: shares have no unit and are shown in per cent.
    unit : str
        Unit of the value.
    mean : float
        Value that decides between seconds, minutes, hours and days.
    """
    if unit == "s":
        for least, size, name in _TIMES:
            if math.isfinite(mean) and abs(mean) >= least:
                return 1.0 / size, name
    if not unit and kpi.endswith(_SHARES):
        return 100.0, "%"
    return 1.0, unit


def relative(share: float) -> str:
    """Return a relative difference in per cent, with its sign."""
    return f"{100 * share:+.2f}" if math.isfinite(share) else _NOTHING


def _rounded(value: float, most_places: int | None = None) -> str:
    places = _places(value, _DIGITS)
    text = f"{value:.{places if most_places is None else min(places, most_places)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _places(value: float, digits: int) -> int:
    if value == 0 or not math.isfinite(value):
        return 0
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))
