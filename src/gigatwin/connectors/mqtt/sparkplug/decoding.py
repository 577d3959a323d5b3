"""Reading Sparkplug B messages that anyone may have written: well, badly or with intent.

Fields that are not known here, or come with another wire type, are skipped, as in any reader of
protocol buffers; of a field that is given twice the last one counts. Letters that are not UTF-8
are replaced: one text in an older code must not cost all that comes with it.
"""
# ruff: noqa: PLR2004 - a field is known by its key: its number times 8, plus its wire type

import struct
from collections.abc import Mapping

from gigatwin.connectors.mqtt.sparkplug.datatypes import Scalar, signed
from gigatwin.connectors.mqtt.sparkplug.payload import NO_PROPERTIES, Metric, Payload
from gigatwin.errors import TelemetryError

_MASK_32, _MASK_64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
_LONGEST_VARINT = 10
_STAMP = 6  # bytes of a time between 2004 and 2109 in milliseconds
_DEEPEST = 32
_DOUBLE = struct.Struct("<d").unpack_from
_FLOAT = struct.Struct("<f").unpack_from
_GROUP, _GROUP_END = 3, 4
_NEW = tuple.__new__  # a third of the time of a call of the class


class _MalformedError(Exception):
    """What is wrong with the bytes."""


def decode(data: bytes) -> Payload:
    """Return what the bytes of a message say.

    Parameters
    ----------
    data : bytes
        The message, from whomever.

    Raises
    ------
    TelemetryError
        If they are no Sparkplug B message; nothing else is ever raised.
    """
    try:
        return _payload(data)
    except (_MalformedError, IndexError, struct.error) as error:
        what = str(error) if isinstance(error, _MalformedError) else "it breaks off"
        message = (
            f"Sparkplug message of {len(data)} bytes: {what}; must be a payload of Sparkplug B. "
            "Check what its sender writes."
        )
        raise TelemetryError(message) from None


def _payload(data: bytes) -> Payload:
    timestamp = seq = None
    uuid, body = "", b""
    metrics = []
    stamps: dict[bytes, int] = {}
    position, end = 0, len(data)
    while position < end:
        key = data[position]
        position += 1
        if key == 0x12:  # metrics
            length = data[position]
            position += 1
            if length > 127:
                length, position = _varint(data, position - 1)
            begin = position
            position += length
            if position > end:
                raise IndexError
            metrics.append(_metric(data, begin, position, stamps))
        elif key == 0x08:  # timestamp
            timestamp, position = _varint(data, position)
        elif key == 0x18:  # seq
            seq, position = _varint(data, position)
        elif key == 0x22:  # uuid
            begin, position = _span(data, position, end)
            uuid = data[begin:position].decode("utf-8", "replace")
        elif key == 0x2A:  # body
            begin, position = _span(data, position, end)
            body = data[begin:position]
        else:
            key, position = _long_key(data, position - 1)
            position = _skip(data, position, end, key)
    return Payload(timestamp, metrics, seq, uuid, body)


def _metric(data: bytes, position: int, end: int, stamps: dict[bytes, int]) -> Metric:  # noqa: C901, PLR0912, PLR0915 - one branch a field
    name, alias, timestamp, datatype = "", None, None, 0
    value: Scalar = None
    is_historical = is_transient = is_null = False
    properties: Mapping[str, Scalar] = NO_PROPERTIES
    while position < end:
        key = data[position]
        position += 1
        if key == 0x10:  # alias
            alias = data[position]
            position += 1
            if alias > 127:
                alias, position = _varint(data, position - 1)
        elif key == 0x18:  # timestamp
            # The metrics of a message share their times.
            raw = data[position : position + _STAMP]
            timestamp = stamps.get(raw)
            if timestamp is None:
                timestamp, after = _varint(data, position)
                if after - position == _STAMP:
                    stamps[raw] = timestamp
                position = after
            else:
                position += _STAMP
        elif key == 0x69:  # double_value
            (value,) = _DOUBLE(data, position)
            position += 8
        elif key in {0x50, 0x58}:  # int_value, long_value
            number, position = _varint(data, position)
            value = number & _MASK_32 if key == 0x50 else number
        elif key == 0x70:  # boolean_value
            number, position = _varint(data, position)
            value = bool(number)
        elif key == 0x7A:  # string_value
            begin, position = _span(data, position, end)
            value = data[begin:position].decode("utf-8", "replace")
        elif key == 0x0A:  # name
            begin, position = _span(data, position, end)
            name = data[begin:position].decode("utf-8", "replace")
        elif key == 0x20:  # datatype
            number, position = _varint(data, position)
            datatype = number & _MASK_32
        elif key == 0x65:  # float_value
            (value,) = _FLOAT(data, position)
            position += 4
        elif key in {0x28, 0x30, 0x38}:  # is_historical, is_transient, is_null
            number, position = _varint(data, position)
            if key == 0x28:
                is_historical = bool(number)
            elif key == 0x30:
                is_transient = bool(number)
            else:
                is_null = bool(number)
        elif key == 0x4A:  # properties
            begin, position = _span(data, position, end)
            properties = _properties(data[begin:position])
        else:
            key, position = _long_key(data, position - 1)
            if key == 0x82:  # bytes_value
                begin, position = _span(data, position, end)
                value = data[begin:position]
            else:
                position = _skip(data, position, end, key)
                if key in {0x8A, 0x92, 0x9A}:
                    # A data set, template or extension takes the place of any value before it.
                    value = None
    if position > end:
        raise IndexError
    if datatype:
        value = signed(value, datatype)
    return _NEW(
        Metric,
        (
            name,
            alias,
            timestamp,
            datatype,
            value,
            is_historical,
            is_transient,
            is_null,
            properties,
        ),
    )


def _varint(data: bytes, position: int) -> tuple[int, int]:
    byte = data[position]
    position += 1
    if byte < 128:
        return byte, position
    number, shift = byte & 127, 7
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number & _MASK_64, position
        shift += 7
        if shift >= 7 * _LONGEST_VARINT:
            what = "a number has more than 10 bytes"
            raise _MalformedError(what)


def _long_key(data: bytes, position: int) -> tuple[int, int]:
    """Return the key of a field, which must not be written longer than it is."""
    key, after = _varint(data, position)
    if after - position > 1 and key < 128:
        what = f"the key {key} in {after - position} bytes"
        raise _MalformedError(what)
    return key, after


def _span(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Return where what has a length before it begins and ends."""
    length, begin = _varint(data, position)
    if begin + length > end:
        what = f"a field of {length} bytes where {end - begin} are left"
        raise _MalformedError(what)
    return begin, begin + length


def _skip(data: bytes, position: int, end: int, key: int, depth: int = 0) -> int:
    """Return the position after a field that nobody asks for."""
    field, wire = key >> 3, key & 7
    if not 0 < field < 1 << 29 or depth > _DEEPEST:
        what = f"field number {field}" if depth <= _DEEPEST else f"groups more than {_DEEPEST} deep"
        raise _MalformedError(what)
    if wire == 0:
        _, position = _varint(data, position)
    elif wire in {1, 5}:
        position += 8 if wire == 1 else 4
    elif wire == 2:
        _, position = _span(data, position, end)
    elif wire == _GROUP:
        while True:
            inner, position = _varint(data, position)
            if inner & 7 == _GROUP_END:
                if inner >> 3 != field:
                    what = f"group {field} ends as group {inner >> 3}"
                    raise _MalformedError(what)
                break
            position = _skip(data, position, end, inner, depth + 1)
    else:
        what = f"wire type {wire}"
        raise _MalformedError(what)
    if position > end:
        raise IndexError
    return position


def _properties(data: bytes) -> Mapping[str, Scalar]:
    keys: list[str] = []
    values: list[Scalar] = []
    position, end = 0, len(data)
    while position < end:
        key, position = _varint(data, position)
        if key == 0x0A:  # keys
            begin, position = _span(data, position, end)
            keys.append(data[begin:position].decode("utf-8", "replace"))
        elif key == 0x12:  # values
            begin, position = _span(data, position, end)
            values.append(_property(data[begin:position]))
        else:
            position = _skip(data, position, end, key)
    return dict(zip(keys, values, strict=False))


def _property(data: bytes) -> Scalar:
    datatype = 0
    value: Scalar = None
    is_null = False
    position, end = 0, len(data)
    while position < end:
        key, position = _varint(data, position)
        if key in {0x08, 0x10, 0x18, 0x20, 0x38}:
            number, position = _varint(data, position)
            if key == 0x08:
                datatype = number & _MASK_32
            elif key == 0x10:
                is_null = bool(number)
            elif key == 0x38:
                value = bool(number)
            else:
                value = number & _MASK_32 if key == 0x18 else number
        elif key == 0x2D:  # float_value
            (value,) = _FLOAT(data, position)
            position += 4
        elif key == 0x31:  # double_value
            (value,) = _DOUBLE(data, position)
            position += 8
        elif key == 0x42:  # string_value
            begin, position = _span(data, position, end)
            value = data[begin:position].decode("utf-8", "replace")
        else:
            position = _skip(data, position, end, key)
    return None if is_null else signed(value, datatype)
