"""The unified namespace for any JSON, and any values."""

import contextlib
import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from gigatwin.connectors.mqtt.messages import Incoming
from gigatwin.connectors.mqtt.settings import MqttSettings
from gigatwin.connectors.mqtt.uns.commander import NamespaceCommander
from gigatwin.connectors.mqtt.uns.edge import NamespaceEdge
from gigatwin.connectors.mqtt.uns.host import NamespaceHost
from gigatwin.errors import TelemetryError
from gigatwin.telemetry import Quality, Reading, Tag, TagType

WIRE = MqttSettings(host="broker", scheme="uns")
BASE = "uns/gigatwin/site/area/line"
TAGS = [Tag(f"winding_1/{kind.value}", kind, is_writable=True) for kind in TagType]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
KEYS = st.sampled_from(
    ["v", "ts", "q", "u", "seq", "src", "snapshot", "type", "id", "expires", "by", "reason", "x"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.sampled_from(TagType),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(KEYS, inside, max_size=5),
    max_leaves=8,
)
PLACES = st.sampled_from(
    ["winding_1/tag/real", "winding_1/state/y", "_line/state/online"]
    + [f"winding_1/{kind}" for kind in ("meta/tags", "meta/real", "cmd/real", "cmd/real/ack")]
)


@settings(max_examples=150)
@given(messages=st.lists(st.tuples(PLACES, JSON), max_size=4))
def test_no_json_raises_anything_but_a_telemetry_error(messages):
    edge, host = NamespaceEdge(WIRE, TAGS), NamespaceHost(WIRE, Counter())
    commander = NamespaceCommander(WIRE)
    for place, told in messages:
        message = Incoming(f"{BASE}/{place}", json.dumps(told).encode())
        for take in (lambda it: host.take(it, 0.0), edge.understand, commander.read):
            with contextlib.suppress(TelemetryError):
                take(message)
    assert len({tag.name for tag in host.tags()}) == len(host.tags())


OF_TYPE = {
    TagType.REAL: st.floats(allow_nan=False, allow_infinity=False),
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


@settings(max_examples=100)
@given(told=st.lists(READINGS, max_size=8))
def test_what_a_line_tells_is_what_is_heard(told):
    edge, host = NamespaceEdge(WIRE, TAGS), NamespaceHost(WIRE, Counter())
    heard = [
        row
        for message in edge.births() + edge.data(told)
        for each in host.take(Incoming(message.topic, message.payload), 0.0)
        for row in each.readings
    ]
    assert heard == told
