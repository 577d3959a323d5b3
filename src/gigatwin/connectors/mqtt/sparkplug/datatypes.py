"""The data types of Sparkplug B metrics, and which field of the message holds a value of each."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

Scalar = bool | int | float | str | bytes | None
"""What a metric can hold here; data sets and templates are skipped."""


class DataType(IntEnum):
    """Data type of a metric, by the numbers of the specification (version 3.0, chapter 6)."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15
    DATASET = 16
    BYTES = 17
    FILE = 18
    TEMPLATE = 19


INTEGER_RANGES: Mapping[int, range] = MappingProxyType(
    {
        DataType.INT8: range(-(1 << 7), 1 << 7),
        DataType.INT16: range(-(1 << 15), 1 << 15),
        DataType.INT32: range(-(1 << 31), 1 << 31),
        DataType.INT64: range(-(1 << 63), 1 << 63),
        DataType.UINT8: range(1 << 8),
        DataType.UINT16: range(1 << 16),
        DataType.UINT32: range(1 << 32),
        DataType.UINT64: range(1 << 64),
        DataType.DATETIME: range(1 << 64),
    }
)
"""What each type of whole numbers can hold; a time is a number of milliseconds."""
TEXTS = frozenset({DataType.STRING, DataType.TEXT, DataType.UUID})
"""Types whose values are text."""


def signed(value: Scalar, datatype: int) -> Scalar:
    """Return a value as its data type means it: unsigned on the wire, perhaps negative in truth.

    Writers differ in how far they extend the sign of narrow types; the bits of the type decide.

    Examples
    --------
    >>> signed(0xFFFFFFFF, DataType.INT8), signed(0xFF, DataType.INT8), signed(0xFF, DataType.UINT8)
    (-1, -1, 255)
    """
    if not DataType.INT8 <= datatype <= DataType.INT64 or type(value) is not int:
        return value
    highest = INTEGER_RANGES[datatype].stop
    value &= 2 * highest - 1
    return value - 2 * highest if value >= highest else value
