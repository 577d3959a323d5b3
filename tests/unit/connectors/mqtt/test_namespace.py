"""The unified namespace: topics, JSON, and both ends of a line, without a network."""

import json
import math
from collections import Counter

import pytest

from gigatwin.connectors.mqtt.messages import Command, Incoming, Refresh
from gigatwin.connectors.mqtt.settings import MqttSettings
from gigatwin.connectors.mqtt.uns.commander import NamespaceCommander
from gigatwin.connectors.mqtt.uns.edge import NamespaceEdge
from gigatwin.connectors.mqtt.uns.host import NamespaceHost
from gigatwin.errors import ConnectorError, TelemetryError
from gigatwin.telemetry import Quality, Reading, Tag, TagType, TagWrite

NOW = 1_795_840_000.0
WIRE = MqttSettings(host="broker", group="acme:west:cells", node="line_1", scheme="uns")
BASE = "uns/acme/west/cells/line_1"
SPEED = Tag("winding_1/Command.MachSpeed", TagType.REAL, "1/min", "asked for", is_writable=True)
STATE = Tag("winding_1/Status.StateCurrent", TagType.INTEGER)
TRACKING = Tag("winding_1/Status.Tracking", TagType.TEXT)
TAGS = [SPEED, STATE, TRACKING]


class Pair:
    """A line, who listens to it, and the wire between them."""

    def __init__(self):
        self.edge = NamespaceEdge(WIRE, TAGS, lambda: NOW)
        self.counts = Counter()
        self.host = NamespaceHost(WIRE, self.counts, lambda: NOW)

    def hear(self, *messages, now=0.0):
        return [
            heard
            for message in messages
            for heard in self.host.take(Incoming(message.topic, message.payload), now)
        ]


def readings(heard):
    return [reading for each in heard for reading in each.readings]


def test_values_are_told_on_the_path_of_the_plant():
    edge = NamespaceEdge(WIRE, TAGS, lambda: NOW)
    told = edge.data([Reading(tag.name, None, NOW) for tag in TAGS])
    assert [message.topic for message in told] == [
        f"{BASE}/winding_1/tag/Command.MachSpeed",
        f"{BASE}/winding_1/state/Status.StateCurrent",
        f"{BASE}/winding_1/event/Status.Tracking",
    ]
    assert not any(message.is_retained for message in told)


def test_a_value_carries_time_quality_unit_number_and_sender():
    edge = NamespaceEdge(WIRE, TAGS, lambda: NOW)
    edge.data([Reading(STATE.name, 6, NOW)])
    (message,) = edge.data([Reading(SPEED.name, 12.5, NOW + 0.000_25, Quality.UNCERTAIN)])
    told = json.loads(message.payload)
    sender = told.pop("src")
    assert told == {
        "ts": "2026-11-28T04:26:40.000250Z",
        "v": 12.5,
        "q": "UNCERTAIN",
        "u": "1/min",
        "seq": 1,
    }
    assert sender.startswith("line_1-")


def test_what_json_cannot_say_becomes_null():
    edge = NamespaceEdge(WIRE, TAGS, lambda: NOW)
    for value in (math.nan, math.inf, None):
        (message,) = edge.data([Reading(SPEED.name, value, NOW)])
        assert json.loads(message.payload, parse_constant=pytest.fail)["v"] is None


def test_tags_are_described_for_whoever_comes_later():
    edge = NamespaceEdge(WIRE, TAGS, lambda: NOW)
    online, first, *_ = edge.births()
    assert online.topic == f"{BASE}/_line/state/online"
    assert json.loads(online.payload)["v"] is True
    assert first.topic == f"{BASE}/winding_1/meta/tags"
    assert list(json.loads(first.payload)) == [tag.label for tag in TAGS]
    assert json.loads(first.payload)["Command.MachSpeed"] == {
        "type": "real",
        "u": "1/min",
        "description": "asked for",
        "writable": True,
        "kind": "tag",
    }
    assert all(message.is_retained for message in edge.births())
    will = edge.make_will()
    assert (will.topic, will.is_retained) == (online.topic, True)
    assert json.loads(will.payload)["v"] is False


def test_a_listener_hears_tags_values_and_snapshots():
    pair = Pair()
    pair.edge.data([Reading(SPEED.name, 1.5, NOW), Reading(STATE.name, 6, NOW)])
    heard = pair.hear(*pair.edge.births())
    assert pair.host.tags() == TAGS
    assert all(each.is_snapshot for each in heard)
    assert readings(heard) == [Reading(SPEED.name, 1.5, NOW), Reading(STATE.name, 6, NOW)]
    told = [
        Reading(TRACKING.name, "1|START|7|4680|", NOW + 0.000_001),
        Reading(SPEED.name, 2.0, NOW),
    ]
    heard = pair.hear(*pair.edge.data(told))
    assert readings(heard) == told
    assert not any(each.is_snapshot for each in heard)


def test_a_listener_asks_for_everything_and_is_answered():
    pair = Pair()
    pair.edge.data([Reading(SPEED.name, 1.5, NOW)])
    (request,) = pair.host.greetings(0.0)
    assert request.topic == f"{BASE}/_line/cmd/refresh"
    assert pair.edge.understand(Incoming(request.topic, request.payload)) == Refresh()
    (heard,) = pair.hear(*pair.edge.repetition())
    assert heard.is_snapshot


def test_a_gap_is_told_once_and_everything_is_asked_for():
    pair = Pair()
    first, second, third = pair.edge.data([Reading(STATE.name, n, NOW) for n in (1, 2, 3)])
    pair.hear(first)
    assert pair.hear(third) == []
    assert pair.host.is_waiting
    (heard,) = pair.host.expire(5.0)
    assert heard.n_lost == 1
    assert len(pair.host.requests(5.0)) == 1
    assert pair.host.requests(5.1) == []
    assert readings(pair.hear(second, second)) == [Reading(STATE.name, 2, NOW)]
    assert pair.counts == {"gaps": 1, "late": 1, "duplicates": 1, "refreshes_requested": 1}


def test_a_line_that_goes_leaves_stale_values():
    pair = Pair()
    pair.hear(*pair.edge.births(), *pair.edge.data([Reading(SPEED.name, 1.5, NOW)]))
    assert pair.host.is_alive
    (heard,) = pair.hear(*pair.edge.farewell())
    assert heard.readings == [Reading(SPEED.name, 1.5, NOW, Quality.BAD)]
    assert not pair.host.is_alive
    assert pair.hear(*pair.edge.farewell()) == []


def test_others_may_tell_less():
    host = NamespaceHost(WIRE, Counter(), lambda: NOW)
    told = [
        ("winding_1/tag/plain", b"12.5", 12.5, NOW),
        ("winding_1/tag/word", b'"on"', "on", NOW),
        ("winding_1/kpi/oee", b'{"v": 0.8, "ts": 1500}', 0.8, 1.5),
        ("winding_1/tag/zone", b'{"v": true, "ts": "2026-11-28T05:26:40+01:00"}', True, NOW),
        ("winding_1/tag/deep/er", b'{"v": 3}', 3, NOW),
    ]
    for place, payload, value, when in told:
        (heard,) = host.take(Incoming(f"{BASE}/{place}", payload), 0.0)
        assert [(row.value, row.source_time) for row in heard.readings] == [(value, when)]
    assert [(tag.name, tag.type) for tag in host.tags()] == [
        ("winding_1/plain", TagType.REAL),
        ("winding_1/word", TagType.TEXT),
        ("winding_1/oee", TagType.REAL),
        ("winding_1/zone", TagType.BOOLEAN),
        ("winding_1/deep/er", TagType.INTEGER),
    ]
    # What the broker had kept is a present value, whatever its number.
    kept = Incoming(f"{BASE}/winding_1/tag/plain", b'{"v":1,"seq":9,"src":"x"}', is_retained=True)
    (heard,) = host.take(kept, 0.0)
    assert heard.is_snapshot
    assert heard.readings[0].value == 1.0


def test_what_is_described_anew_or_taken_back_is_no_tag_any_more():
    pair = Pair()
    pair.hear(*pair.edge.births())
    one = Incoming(f"{BASE}/winding_1/meta/x", b'{"type": "text"}', is_retained=True)
    pair.host.take(one, 0.0)
    assert [*TAGS, Tag("winding_1/x", TagType.TEXT)] == pair.host.tags()
    pair.host.take(one._replace(payload=b""), 0.0)
    assert pair.host.tags() == TAGS
    fewer = b'{"Status.StateCurrent": {"type": "integer"}}'
    pair.host.take(Incoming(f"{BASE}/winding_1/meta/tags", fewer), 0.0)
    assert pair.host.tags() == [STATE]
    pair.host.take(Incoming(f"{BASE}/winding_1/meta/tags", b""), 0.0)
    assert pair.host.tags() == []


def test_a_described_tag_holds_its_type():
    pair = Pair()
    pair.hear(*pair.edge.births())
    for payload, value, quality in (
        (b'{"v": 7}', 7.0, Quality.GOOD),
        (b'{"v": "fast"}', None, Quality.BAD),
        (b'{"v": 7.5, "q": "who knows"}', 7.5, Quality.BAD),
    ):
        message = Incoming(f"{BASE}/winding_1/tag/Command.MachSpeed", payload)
        (heard,) = pair.host.take(message, 0.0)
        assert heard.readings[0][1::2] == (value, quality)
    assert pair.counts["malformed"] == 1


@pytest.mark.parametrize(
    ("place", "payload"),
    [
        ("winding_1/tag/x", b"{"),
        ("winding_1/tag/x", b"\xff\xfe"),
        ("winding_1/tag/x", b"[" * 100_000),
        ("winding_1/tag/x", b"{}"),
        ("winding_1/tag/x", b'{"v": [1]}'),
        ("winding_1/tag/x", b"[1]"),
        ("winding_1/tag/x", b'{"v": 1, "ts": "yesterday"}'),
        ("winding_1/tag/x", b'{"v": 1, "ts": 1e300}'),
        ("winding_1/tag/x", b'{"v": 1, "ts": [1]}'),
        ("winding_1/tag/x", b'{"v": 99999999999999999999}'),
        ("winding_1/meta/x", b'{"type": "matrix"}'),
        ("winding_1/meta/x", b"3"),
        ("winding_1/meta/tags", b'{"x": {"type": []}}'),
        ("winding_1/meta/tags", b'{"x": "real"}'),
    ],
)
def test_spoiled_messages_are_a_telemetry_error(place, payload):
    with pytest.raises(TelemetryError):
        Pair().host.take(Incoming(f"{BASE}/{place}", payload), 0.0)


def test_other_topics_are_passed_over():
    host = Pair().host
    for topic in (
        "",
        "uns",
        BASE,
        f"{BASE}/a",
        f"{BASE}/a/tag/",
        "simulated/acme/west/cells/x/tag/y",
    ):
        assert host.take(Incoming(topic, b"?"), 0.0) == []


def test_a_command_arrives_and_is_answered_below_its_topic():
    edge, commander = NamespaceEdge(WIRE, TAGS, lambda: NOW), NamespaceCommander(WIRE, lambda: NOW)
    command = Command("winding_1", (TagWrite(SPEED.name, 12.5),), "a#0", NOW + 60.0, "Ada")
    message = commander.command(command)
    assert message.topic == f"{BASE}/winding_1/cmd/Command.MachSpeed"
    assert json.loads(message.payload) == {
        "ts": "2026-11-28T04:26:40.000000Z",
        "v": 12.5,
        "id": "a#0",
        "by": "Ada",
        "expires": "2026-11-28T04:27:40.000000Z",
    }
    assert edge.understand(Incoming(message.topic, message.payload)) == command
    (answer,) = edge.acknowledge(command, "too fast")
    assert answer.topic == f"{message.topic}/ack"
    assert commander.read(Incoming(answer.topic, answer.payload)) == [("a#0", "too fast")]
    assert commander.read(Incoming(message.topic, message.payload)) == []
    assert edge.understand(Incoming(answer.topic, answer.payload)) is None
    kept = Incoming(message.topic, message.payload, is_retained=True)
    assert edge.understand(kept) is None


@pytest.mark.parametrize(
    "payload", [b"", b"3", b"{}", b'{"v": {}}', b'{"v": 1, "expires": "soon"}']
)
def test_a_spoiled_command_is_a_telemetry_error(payload):
    edge = NamespaceEdge(WIRE, TAGS, lambda: NOW)
    with pytest.raises(TelemetryError):
        edge.understand(Incoming(f"{BASE}/winding_1/cmd/Command.MachSpeed", payload))


def test_a_simulated_line_has_a_root_of_its_own():
    wire = MqttSettings.from_url("mqtt://broker/a:b:c/d?scheme=uns&root=simulated", {})
    edge = NamespaceEdge(wire, TAGS, lambda: NOW)
    assert edge.births()[0].topic == "simulated/a/b/c/d/_line/state/online"


def test_a_group_must_have_three_parts():
    wire = MqttSettings.from_url("mqtt://broker/acme/line_1?scheme=uns", {})
    with pytest.raises(ConnectorError, match="group 'acme', which must be enterprise:site:area"):
        NamespaceHost(wire, Counter())
