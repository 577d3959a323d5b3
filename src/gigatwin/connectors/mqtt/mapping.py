"""What the values of a tag are in Python."""

from collections.abc import Mapping
from types import MappingProxyType

from gigatwin.telemetry.readings import Value
from gigatwin.telemetry.tags import TagType

PYTHON_TYPE: Mapping[TagType, type] = MappingProxyType(
    {TagType.BOOLEAN: bool, TagType.INTEGER: int, TagType.REAL: float, TagType.TEXT: str}
)
"""What the values of each type of tag are in Python."""
_MOST_INTEGER = 1 << 63


def fitting(value: Value, kind: TagType) -> Value:
    """Return a value as a tag of some type holds it.

    Raises
    ------
    ValueError
        If the type cannot hold it; the text says what it can.

    Examples
    --------
    >>> fitting(3, TagType.REAL), fitting(3.0, TagType.INTEGER)
    (3.0, 3)
    """
    if value is None:
        return None
    if kind is TagType.TEXT and isinstance(value, str):
        return str(value)
    if kind is TagType.BOOLEAN and isinstance(value, bool | int) and value in {0, 1}:
        return bool(value)
    if kind is TagType.REAL and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if kind is TagType.INTEGER and is_whole:
        if -_MOST_INTEGER <= int(value) < _MOST_INTEGER:
            return int(value)
        message = "must be a whole number of 64 bits"
        raise ValueError(message)
    message = f"must be {kind.value}"
    raise ValueError(message)
