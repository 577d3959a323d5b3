"""Sparkplug B for any message, and for any order in which a network brings messages."""

import contextlib
import math
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from gigatwin.connectors.mqtt.messages import Incoming
from gigatwin.connectors.mqtt.ordering import Ordering
from gigatwin.connectors.mqtt.settings import MqttSettings
from gigatwin.connectors.mqtt.sparkplug.codec import (
    DataType,
    Metric,
    Payload,
    decode,
    encode,
    signed,
)
from gigatwin.connectors.mqtt.sparkplug.datatypes import INTEGER_RANGES
from gigatwin.connectors.mqtt.sparkplug.edge import EdgeNode
from gigatwin.connectors.mqtt.sparkplug.host import HostApplication
from gigatwin.errors import TelemetryError
from gigatwin.telemetry import Quality, Reading, Tag, TagType
from tests.unit.connectors.mqtt.sparkplug_schema import to_protobuf

NUMBERS = st.integers(0, (1 << 64) - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = {
    **{
        datatype: st.integers(limits.start, limits.stop - 1)
        for datatype, limits in INTEGER_RANGES.items()
    },
    DataType.FLOAT: st.floats(width=32, allow_nan=False),
    DataType.DOUBLE: st.floats(allow_nan=False),
    DataType.BOOLEAN: st.booleans(),
    **dict.fromkeys((DataType.STRING, DataType.TEXT, DataType.UUID), TEXTS),
    **dict.fromkeys((DataType.BYTES, DataType.FILE), st.binary(max_size=20)),
    DataType.UNKNOWN: st.one_of(
        st.integers(-(1 << 63), (1 << 63) - 1),
        st.floats(allow_nan=False),
        st.booleans(),
        TEXTS,
        st.binary(max_size=20),
    ),
}
PROPERTIES = st.dictionaries(
    TEXTS,
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(1 << 63), (1 << 63) - 1),
        st.floats(allow_nan=False),
        TEXTS,
    ),
    max_size=3,
)


@st.composite
def metrics(draw):
    datatype = draw(st.sampled_from(sorted(VALUES)))
    is_null = draw(st.booleans())
    return Metric(
        draw(TEXTS),
        draw(st.none() | NUMBERS),
        draw(st.none() | NUMBERS),
        datatype,
        None if is_null else draw(st.none() | VALUES[datatype]),
        draw(st.booleans()),
        draw(st.booleans()),
        is_null,
        draw(PROPERTIES),
    )


PAYLOADS = st.builds(
    Payload,
    st.none() | NUMBERS,
    st.lists(metrics(), max_size=5),
    st.none() | NUMBERS,
    TEXTS,
    st.binary(max_size=10),
)


@settings(max_examples=100)
@given(payload=PAYLOADS)
def test_any_message_has_the_bytes_of_protobuf_and_comes_back(payload):
    data = to_protobuf(payload).SerializeToString()
    assert encode(payload) == data
    got = decode(data)
    rows = [
        row if row.datatype else row._replace(value=signed(row.value, DataType.INT64))
        for row in got.metrics
    ]
    assert Payload(got.timestamp, rows, got.seq, got.uuid, got.body) == payload


@settings(max_examples=100)
@given(data=st.binary(max_size=60))
def test_no_bytes_raise_anything_but_a_telemetry_error(data):
    with contextlib.suppress(TelemetryError):
        decode(data)


@st.composite
def journeys(draw):
    """Return numbers of messages as they arrive: some lost, some twice, some a few places late."""
    n = draw(st.integers(1, 40))
    fates = draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
    arrivals = []
    for number, fate in enumerate(fates):
        if fate == 0:
            continue
        arrivals.append((number + (draw(st.integers(1, 6)) if fate == 1 else 0), number))
        if fate == 2:
            arrivals.append((number + draw(st.integers(0, 6)), number))
    return [number for _, number in sorted(arrivals)]


@settings(max_examples=200)
@given(arrivals=journeys(), start=st.integers(0, 255))
def test_messages_are_released_once_in_order_and_what_is_missing_is_counted(arrivals, start):
    counts = Counter()
    ordering = Ordering(256, 0.5, counts, start)
    released = []
    for number in arrivals:
        released += ordering.take((start + number) % 256, number, 0.0)
    while ordering.is_waiting:
        released += ordering.expire(math.inf)
    got = [message for message, _ in released]
    assert got == sorted(set(arrivals))
    n_missing = sum(n_lost for _, n_lost in released)
    assert n_missing + len(got) == (max(arrivals) + 1 if arrivals else 0)
    assert counts["duplicates"] == len(arrivals) - len(got)


TAGS = [
    Tag(f"machine_{machine}/{label}", kind, is_writable=False)
    for machine in (1, 2)
    for label, kind in (
        ("Status.CurMachSpeed", TagType.REAL),
        ("Admin.ProdProcessedCount", TagType.INTEGER),
        ("Status.EquipmentInterlock.Blocked", TagType.BOOLEAN),
        ("Status.Tracking", TagType.TEXT),
    )
]
OF_TYPE = {
    TagType.REAL: st.floats(allow_nan=False),
    TagType.INTEGER: st.integers(-(1 << 63), (1 << 63) - 1),
    TagType.BOOLEAN: st.booleans(),
    TagType.TEXT: TEXTS,
}
READINGS = st.sampled_from(TAGS).flatmap(
    lambda tag: st.builds(
        Reading,
        st.just(tag.name),
        st.none() | OF_TYPE[tag.type],
        st.integers(0, 1 << 41).map(lambda number: number / 1000.0),
        st.sampled_from(Quality),
    )
)


@settings(max_examples=50)
@given(
    scans=st.lists(st.lists(READINGS, max_size=6), max_size=8),
    lost=st.sets(st.integers(0, 20)),
    twice=st.sets(st.integers(0, 20)),
)
def test_what_an_edge_node_tells_is_what_a_host_hears_but_for_what_was_lost(scans, lost, twice):
    wire = MqttSettings(host="broker")
    edge, host = EdgeNode(wire, TAGS, lambda: 1e9), HostApplication(wire, Counter(), lambda: 1e9)
    edge.make_will()
    for message in edge.births():
        host.take(Incoming(message.topic, message.payload), 0.0)
    assert sorted(host.tags(), key=str) == sorted(TAGS, key=str)
    told, heard, n_sent = [], [], 0
    for scan in scans:
        for message in edge.data(scan):
            element = message.topic.rpartition("/")[2]
            is_lost = n_sent in lost
            if not is_lost:
                told += [row for row in scan if row.tag.startswith(f"{element}/")]
            for _ in range(0 if is_lost else 1 + (n_sent in twice)):
                heard += host.take(Incoming(message.topic, message.payload), 1.0)
            n_sent += 1
    # One more message shows whether the last ones are missing.
    (last,) = edge.data([Reading(TAGS[0].name, 1.0, 1.0)])
    heard += host.take(Incoming(last.topic, last.payload), 1.0)
    for _ in range(20):
        heard += host.expire(math.inf)
    assert [row for each in heard for row in each.readings] == [
        *told,
        Reading(TAGS[0].name, 1.0, 1.0),
    ]
    n_lost = sum(each.n_lost for each in heard)
    assert n_lost == len({number for number in lost if number < n_sent})
