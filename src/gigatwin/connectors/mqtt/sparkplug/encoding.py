"""Writing Sparkplug B messages: protocol buffers (proto2) by hand, with the fields in order.

The bytes are those that the protobuf library writes for the same message; field numbers are those
of the Sparkplug specification, version 3.0.
"""

import struct
from collections.abc import Mapping

from gigatwin.connectors.mqtt.sparkplug.datatypes import (
    INTEGER_RANGES,
    TEXTS,
    DataType,
    Scalar,
)
from gigatwin.connectors.mqtt.sparkplug.payload import Metric, Payload
from gigatwin.errors import TelemetryError

_MASK_32, _MASK_64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
_ONE_BYTE = 128
_DOUBLE = struct.Struct("<Bd").pack
_FLOAT = struct.Struct("<Bf").pack
_SMALL = tuple(
    bytes((number,)) if number < _ONE_BYTE else bytes((number & 127 | 128, number >> 7))
    for number in range(1 << 14)
)
"""All numbers of one or two bytes, ready to write."""
_N_SMALL = len(_SMALL)
_ALIAS = tuple(b"\x10" + number for number in _SMALL)
_ROW = tuple(b"\x12" + number for number in _SMALL[:_ONE_BYTE])
"""Those numbers as the alias, and as the length, of a metric."""
_WIDE = frozenset({DataType.INT64, DataType.UINT64, DataType.DATETIME})


def encode(payload: Payload) -> bytes:
    """Return the bytes of a message.

    Parameters
    ----------
    payload : Payload
        The message. A metric without a data type is written by the Python type of its value:
        integers in 64 bits, floats as doubles.

    Raises
    ------
    TelemetryError
        If a value does not fit its data type, or a text is none; the message names the metric.

    Examples
    --------
    >>> encode(Payload(timestamp=1, metrics=(Metric(alias=2, value=True),), seq=3)).hex()
    '08011204100270011803'
    """
    parts: list[bytes] = []
    if payload.timestamp is not None:
        parts.append(b"\x08" + _varint(payload.timestamp))
    last_time, stamp = None, b""
    metric = Metric()
    try:
        for metric in payload.metrics:
            name, alias, time, kind, value, historical, transient, null, properties = metric
            # What data messages are made of takes the short way: alias, time, value.
            if name or kind or historical or transient or null or properties or value is None:
                row = _metric(metric)
            else:
                if time != last_time:
                    last_time = time
                    stamp = b"" if time is None else b"\x18" + _varint(time)
                head = _alias(alias)
                tail = _DOUBLE(0x69, value) if type(value) is float else _untyped(value)
                row = head + stamp + tail
            parts += _ROW[len(row)] if len(row) < _ONE_BYTE else b"\x12" + _varint(len(row)), row
    except (TypeError, ValueError, OverflowError, struct.error):
        raise TelemetryError(_misfit(metric)) from None
    if payload.seq is not None:
        parts.append(b"\x18" + _varint(payload.seq))
    if payload.uuid:
        parts.append(_text(b"\x22", payload.uuid))
    if payload.body:
        parts.append(b"\x2a" + _varint(len(payload.body)) + payload.body)
    return b"".join(parts)


def _varint(number: int) -> bytes:
    if 0 <= number < _N_SMALL:
        return _SMALL[number]
    number &= _MASK_64
    parts = bytearray()
    while number >= _ONE_BYTE:
        parts.append(number & 127 | 128)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _alias(alias: int | None) -> bytes:
    if alias is None:
        return b""
    return _ALIAS[alias] if 0 <= alias < _N_SMALL else b"\x10" + _varint(alias)


def _text(key: bytes, text: str) -> bytes:
    written = text.encode()
    return key + _varint(len(written)) + written


def _misfit(metric: Metric) -> str:
    kind = DataType(metric.datatype).name if metric.datatype in set(DataType) else metric.datatype
    return (
        f"metric {metric.name or f'alias {metric.alias}'!r}: {metric.value!r} (data type {kind}) "
        "cannot be written; must be text in UTF-8, or a number that its data type can hold."
    )


def _metric(metric: Metric) -> bytes:
    name, alias, time, datatype, value, is_historical, is_transient, is_null, properties = metric
    row = (_text(b"\x0a", name) if name else b"") + _alias(alias)
    if time is not None:
        row += b"\x18" + _varint(time)
    if datatype:
        row += b"\x20" + _varint(datatype)
    if is_historical:
        row += b"\x28\x01"
    if is_transient:
        row += b"\x30\x01"
    if is_null:
        row += b"\x38\x01"
    if properties:
        inside = _properties(properties)
        row += b"\x4a" + _varint(len(inside)) + inside
    if value is None or is_null:
        return row
    return row + (_typed(value, datatype) if datatype else _untyped(value))


def _typed(value: Scalar, datatype: int) -> bytes:
    if datatype == DataType.DOUBLE:
        return _DOUBLE(0x69, value)
    if datatype == DataType.FLOAT:
        return _FLOAT(0x65, value)
    if datatype == DataType.BOOLEAN:
        return b"\x70\x01" if value else b"\x70\x00"
    if datatype in TEXTS and isinstance(value, str):
        return _text(b"\x7a", value)
    if datatype in {DataType.BYTES, DataType.FILE} and isinstance(value, bytes):
        return b"\x82\x01" + _varint(len(value)) + value
    if datatype in INTEGER_RANGES and isinstance(value, int):
        return _integer(value, datatype)
    raise TypeError


def _untyped(value: Scalar) -> bytes:
    if isinstance(value, bool):
        return b"\x70\x01" if value else b"\x70\x00"
    if isinstance(value, int):
        if 0 <= value < _N_SMALL:
            return b"\x58" + _SMALL[value]
        return _integer(value, DataType.INT64 if value < 1 << 63 else DataType.UINT64)
    if isinstance(value, str):
        return _text(b"\x7a", value)
    if isinstance(value, float):
        return _DOUBLE(0x69, value)
    if isinstance(value, bytes):
        return b"\x82\x01" + _varint(len(value)) + value
    raise TypeError


def _fits(value: int, datatype: int) -> bool:
    # A range looks at its members one by one where it is asked for a member of an enumeration.
    limits = INTEGER_RANGES[datatype]
    return limits.start <= value < limits.stop


def _integer(value: int, datatype: int) -> bytes:
    if not _fits(value, datatype):
        raise ValueError
    if datatype in _WIDE:
        return b"\x58" + _varint(value & _MASK_64)
    return b"\x50" + _varint(value & _MASK_32)


def _properties(properties: Mapping[str, Scalar]) -> bytes:
    keys = b"".join(_text(b"\x0a", key) for key in properties)
    rows = [_property(value) for value in properties.values()]
    return keys + b"".join(b"\x12" + _varint(len(row)) + row for row in rows)


def _property(value: Scalar) -> bytes:
    if value is None:
        return b"\x08\x0c\x10\x01"
    if isinstance(value, bool):
        return b"\x08\x0b\x38\x01" if value else b"\x08\x0b\x38\x00"
    if isinstance(value, int):
        if _fits(value, DataType.INT32):
            return b"\x08\x03\x18" + _varint(value & _MASK_32)
        if _fits(value, DataType.INT64):
            return b"\x08\x04\x20" + _varint(value & _MASK_64)
    if isinstance(value, float):
        return b"\x08\x0a" + _DOUBLE(0x31, value)
    if isinstance(value, str):
        return b"\x08\x0c" + _text(b"\x42", value)
    raise TypeError
