"""The codec against the protobuf library, and against what nobody should send."""

import math
import random
import struct
from enum import IntEnum

import pytest
from google.protobuf.message import DecodeError

from gigatwin.connectors.mqtt.sparkplug.codec import (
    DataType,
    Metric,
    Payload,
    decode,
    encode,
    signed,
)
from gigatwin.errors import TelemetryError
from gigatwin.testing.spoiled_payloads import good_payload, spoiled_payloads
from tests.unit.connectors.mqtt.sparkplug_schema import MESSAGE, from_protobuf, to_protobuf

NOW = 1_795_840_000_123


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (DataType.INT8, -128),
        (DataType.INT16, -2),
        (DataType.INT32, -(1 << 31)),
        (DataType.INT64, -(1 << 63)),
        (DataType.UINT8, 255),
        (DataType.UINT16, 1 << 15),
        (DataType.UINT32, (1 << 32) - 1),
        (DataType.UINT64, (1 << 64) - 1),
        (DataType.FLOAT, -0.1875),
        (DataType.DOUBLE, 1e300),
        (DataType.BOOLEAN, True),
        (DataType.BOOLEAN, False),
        (DataType.STRING, "Wickelmaschine ∑"),
        (DataType.TEXT, ""),
        (DataType.UUID, "0b3c7c0e-7b5b-4d7a-9f4e-8d1c7a6f5e4d"),
        (DataType.DATETIME, NOW),
        (DataType.BYTES, b"\x00\xff"),
        (DataType.FILE, b""),
        (DataType.UNKNOWN, -7),
        (DataType.UNKNOWN, 16_383),
        (DataType.UNKNOWN, 16_384),
        (DataType.UNKNOWN, (1 << 64) - 1),
        (DataType.UNKNOWN, 2.5),
        (DataType.UNKNOWN, True),
        (DataType.UNKNOWN, "4680"),
        (DataType.UNKNOWN, b"raw"),
    ],
)
def test_each_type_has_the_bytes_of_protobuf_and_comes_back(datatype, value):
    payload = Payload(NOW, (Metric("x", 5, NOW, datatype, value),), 7)
    data = to_protobuf(payload).SerializeToString()
    assert encode(payload) == data
    (metric,) = decode(data).metrics
    assert signed(metric.value, datatype or DataType.INT64) == (
        value if value != (1 << 64) - 1 or datatype else -1
    )


def test_a_message_of_data_by_alias_has_the_bytes_of_protobuf():
    rows = [
        Metric(alias=alias, timestamp=when, value=value)
        for alias, when, value in (
            (1, NOW, 1.5),
            (127, NOW, True),
            (128, NOW + 1, "text" * 40),
            (16_383, None, 3),
            (1 << 40, NOW, math.inf),
            (None, NOW, 0.0),
            (9, 127, -1),
        )
    ]
    payload = Payload(NOW, rows, 255)
    data = to_protobuf(payload).SerializeToString()
    assert encode(payload) == data
    assert decode(data).metrics[:4] == rows[:4]


def test_properties_have_the_bytes_of_protobuf_and_come_back():
    properties = {
        "Quality": 500,
        "engUnit": "m/s",
        "readOnly": True,
        "low": -5,
        "wide": -(1 << 40),
        "high": 2.5,
        "nothing": None,
    }
    payload = Payload(NOW, (Metric("x", properties=properties, is_null=True),), 0)
    data = to_protobuf(payload).SerializeToString()
    assert encode(payload) == data
    assert decode(data).metrics[0].properties == properties


def test_what_is_not_understood_is_passed_over():
    message = MESSAGE["Payload"](timestamp=NOW, seq=3)
    row = message.metrics.add(name="set", alias=1, datatype=DataType.DATASET)
    row.metadata.content_type = "csv"
    row.dataset_value.columns.extend(["a", "b"])
    row = message.metrics.add(name="template", alias=2, datatype=DataType.TEMPLATE)
    row.template_value.metrics.add(name="inside", int_value=1)
    message.metrics.add(name="plain", alias=3, double_value=1.5).metadata.size = 5
    # Fields of later versions: 100 of each wire type, and a group.
    later = (
        b"\xa0\x06\x96\x01" + b"\xa1\x06" + bytes(8) + b"\xa2\x06\x02ab" + b"\xa5\x06" + bytes(4)
    )
    group = b"\xa3\x06" + later + b"\xa4\x06"
    got = decode(message.SerializeToString() + later + group)
    assert [(row.name, row.alias, row.value) for row in got.metrics] == [
        ("set", 1, None),
        ("template", 2, None),
        ("plain", 3, 1.5),
    ]
    assert got.seq == 3


def test_narrow_numbers_are_understood_however_far_their_sign_was_extended():
    for written in (0xFE, 0xFFFE, 0xFFFFFFFE):
        message = MESSAGE["Payload"]()
        message.metrics.add(name="x", datatype=DataType.INT8, int_value=written)
        assert decode(message.SerializeToString()).metrics[0].value == -2


def test_members_of_enumerations_are_written_as_their_numbers():
    class State(IntEnum):
        EXECUTE = 6

    for datatype in (DataType.INT64, DataType.UINT8, DataType.UNKNOWN):
        metric = Metric("x", 1, NOW, datatype, State.EXECUTE)
        assert decode(encode(Payload(metrics=(metric,)))).metrics[0].value == 6


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (DataType.INT8, 128),
        (DataType.UINT8, -1),
        (DataType.INT64, 1 << 63),
        (DataType.DATETIME, -1),
        (DataType.INT32, 1.5),
        (DataType.FLOAT, 1e300),
        (DataType.DOUBLE, "fast"),
        (DataType.STRING, 5),
        (DataType.STRING, "\ud800"),
        (DataType.BYTES, "text"),
        (DataType.DATASET, 1),
        (DataType.UNKNOWN, 1 << 64),
        (DataType.UNKNOWN, "\udfff"),
        (99, 1),
    ],
)
def test_a_value_that_cannot_be_written_is_one_error_that_names_the_metric(datatype, value):
    with pytest.raises(TelemetryError, match=r"^metric 'speed': .* cannot be written; must be"):
        encode(Payload(metrics=(Metric("speed", 1, NOW, datatype, value),)))


@pytest.mark.parametrize(
    "data",
    [
        b"\x08",  # a number breaks off
        b"\x08" + b"\xff" * 11,  # a number of more than ten bytes
        b"\x12\x05\x08",  # a metric longer than the message
        b"\x12\x02\x69\x00",  # half a double
        b"\x00\x00",  # no field has the number 0
        b"\x0f",  # no wire type 7
        b"\x0b" * 100,  # groups in groups
        b"\x0b\x14",  # a group that ends as another
        b"\x80\x00",  # a key in more bytes than it needs
    ],
)
def test_malformed_bytes_are_a_telemetry_error(data):
    with pytest.raises(TelemetryError, match=rf"Sparkplug message of {len(data)} bytes"):
        decode(data)


def test_spoiled_messages_raise_nothing_else_and_what_protobuf_reads_is_read_alike():
    n_read, n_refused, strict = 0, 0, []
    for data in spoiled_payloads(5000, seed=3):
        try:
            theirs = from_protobuf(data)
        except DecodeError:
            theirs = None
        try:
            ours = decode(data)
        except TelemetryError as error:
            n_refused += 1
            if theirs is not None:
                strict.append(str(error))
            continue
        n_read += 1
        if theirs is not None and "\ufffd" not in repr(ours):
            assert _comparable(ours) == _comparable(theirs)
    assert n_read > 1000
    assert n_refused > 1000
    # A key in more bytes than it needs is the one thing that only we refuse.
    assert all(": the key " in text for text in strict)


def test_letters_that_are_not_utf_8_are_replaced_and_cost_nothing_else():
    message = MESSAGE["Payload"]()
    message.metrics.add(name="Kuehlung", alias=1, string_value="K?hlung")
    message.metrics.add(name="x", alias=2, double_value=1.5)
    data = message.SerializeToString().replace(b"K?hlung", b"K\xfchlung")
    assert [metric.value for metric in decode(data).metrics] == ["K\ufffdhlung", 1.5]


def _comparable(payload):
    """Return a message without properties, with numbers as their bits."""
    metrics = [metric._replace(value=_bits(metric), properties={}) for metric in payload.metrics]
    return payload.timestamp, metrics, payload.seq, payload.uuid, payload.body


def _bits(metric):
    value = metric.value
    if isinstance(value, float):
        return struct.pack("<d", value)
    return signed(value, metric.datatype) if type(value) is int else value


def test_good_messages_are_read_as_they_were_written():
    draw = random.Random(5)  # noqa: S311 - no secret
    for _ in range(200):
        payload = good_payload(draw)
        got = decode(encode(payload))
        assert got == payload
