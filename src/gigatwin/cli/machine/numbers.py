"""Numbers of machines as people read them."""

from gigatwin.equipment.model.equipment_model import SettingRange

_MILLI = 0.1
_DIGITS = 4


def seconds(value: float) -> str:
    """Return a time in s, or in ms where it is short.

    Examples
    --------
    >>> seconds(5.6875)
    '5.688 s'
    >>> seconds(0.0371)
    '37.1 ms'
    """
    if 0 < abs(value) < _MILLI:
        return f"{value * 1e3:.3g} ms"
    return f"{value:.{_DIGITS}g} s"


def per_minute(rate: float) -> str:
    """Return a rate in items per minute."""
    return f"{rate * 60:.1f}"


def setting(value: float, known: SettingRange) -> str:
    """Return a setting in the unit of its description.

    Examples
    --------
    >>> setting(0.3, SettingRange({}, 0.2, 0.6, "recipe", (), "m/s", "mm/s", 1e-3))
    '300 mm/s'
    """
    return f"{value / known.scale:.{_DIGITS}g} {known.written}".strip()


def percent(share: float, places: int = 2) -> str:
    """Return a share in per cent."""
    return f"{100 * share:.{places}f}"


def signed(share: float, places: int = 1) -> str:
    """Return a relative change in per cent, with its sign."""
    return f"{100 * share:+.{places}f}"


def exact_setting(value: float, known: SettingRange) -> str:
    """Return a setting in the unit of its description, with the digits that a machine takes."""
    return f"{value / known.scale:.6g} {known.written}".strip()
