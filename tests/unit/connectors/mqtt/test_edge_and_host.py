"""An edge node and a host application of Sparkplug B, without a network between them."""

import json
from collections import Counter

import pytest

from gigatwin.connectors.mqtt.messages import Command, HostState, Incoming, Refresh
from gigatwin.connectors.mqtt.settings import MqttSettings
from gigatwin.connectors.mqtt.sparkplug.codec import DataType, Metric, Payload, decode, encode
from gigatwin.connectors.mqtt.sparkplug.commander import DeviceCommander
from gigatwin.connectors.mqtt.sparkplug.edge import EdgeNode
from gigatwin.connectors.mqtt.sparkplug.host import HostApplication
from gigatwin.errors import TelemetryError
from gigatwin.telemetry import Quality, Reading, Tag, TagType, TagWrite
from tests.unit.connectors.mqtt.sparkplug_schema import MESSAGE

NOW = 1_795_840_000.0
WIRE = MqttSettings(host="broker", group="acme:west:cells", node="line_1")
SPEED = Tag("winding_1/Command.MachSpeed", TagType.REAL, "1/min", "asked for", is_writable=True)
STATE = Tag("winding_1/Status.StateCurrent", TagType.INTEGER)
LEVEL = Tag("flattening_buffer/Status.Level", TagType.INTEGER)
TAGS = [SPEED, STATE, LEVEL]


class Pair:
    """An edge node, a host application, and the wire between them."""

    def __init__(self, tags=TAGS, **changes):
        self.wire = WIRE.model_copy(update=changes)
        self.edge = EdgeNode(self.wire, tags, lambda: NOW)
        self.counts = Counter()
        self.host = HostApplication(self.wire, self.counts, lambda: NOW)
        self.now = 0.0

    def hear(self, *messages):
        return [
            heard
            for message in messages
            for heard in self.host.take(Incoming(message.topic, message.payload), self.now)
        ]

    def be_born(self):
        self.will = self.edge.make_will()
        return self.hear(*self.edge.births())


def readings(*heard):
    return [reading for each in heard for reading in each.readings]


def test_topics_and_numbers_are_those_of_the_specification():
    edge = EdgeNode(WIRE, TAGS, lambda: 1005.0)
    will = edge.make_will()
    assert will.topic == "spBv1.0/acme:west:cells/NDEATH/line_1"
    assert will.quality_of_service == 1
    assert not will.is_retained
    births = edge.births()
    data = edge.data([Reading(LEVEL.name, 3, NOW), Reading(STATE.name, 6, NOW)])
    assert [message.topic for message in births + data] == [
        "spBv1.0/acme:west:cells/NBIRTH/line_1",
        "spBv1.0/acme:west:cells/DBIRTH/line_1/winding_1",
        "spBv1.0/acme:west:cells/DBIRTH/line_1/flattening_buffer",
        "spBv1.0/acme:west:cells/DDATA/line_1/flattening_buffer",
        "spBv1.0/acme:west:cells/DDATA/line_1/winding_1",
    ]
    read = [MESSAGE["Payload"].FromString(message.payload) for message in births + data]
    assert [message.seq for message in read] == [0, 1, 2, 3, 4]
    birth = {metric.name: metric for metric in read[0].metrics}
    assert birth["bdSeq"].long_value == 1006 % 256
    assert birth["Node Control/Rebirth"].boolean_value is False
    death = MESSAGE["Payload"].FromString(will.payload)
    assert [metric.long_value for metric in death.metrics] == [1006 % 256]
    assert not death.HasField("seq")
    # Data: by alias, without name and data type.
    (metric,) = read[3].metrics
    assert metric.alias == read[2].metrics[0].alias
    assert not metric.name
    assert not metric.HasField("datatype")


def test_a_message_number_goes_around_at_256_and_a_birth_begins_at_0():
    pair = Pair()
    pair.be_born()
    heard = [
        row
        for number in range(600)
        for row in pair.hear(*pair.edge.data([Reading(LEVEL.name, number, NOW)]))
    ]
    assert [row.value for row in readings(*heard)] == list(range(600))
    assert decode(pair.edge.births()[0].payload).seq == 0
    assert not pair.counts["gaps"]


def test_births_tell_the_tags_and_are_snapshots():
    pair = Pair()
    pair.edge.data([Reading(SPEED.name, 12.5, NOW - 1.5, Quality.UNCERTAIN)])
    heard = pair.be_born()
    assert pair.host.tags() == TAGS
    assert all(each.is_snapshot for each in heard)
    assert readings(*heard) == [
        Reading(SPEED.name, 12.5, NOW - 1.5, Quality.UNCERTAIN),
        Reading(STATE.name, None, NOW, Quality.BAD),
        Reading(LEVEL.name, None, NOW, Quality.BAD),
    ]
    assert pair.host.is_alive


def test_several_values_of_a_tag_keep_order_time_and_quality():
    pair = Pair()
    pair.be_born()
    told = [
        Reading(STATE.name, 6, NOW + 0.001),
        Reading(STATE.name, 9, NOW + 0.002, Quality.BAD),
        Reading(STATE.name, -1, NOW + 0.003),
        Reading(STATE.name, None, NOW + 0.004, Quality.BAD),
    ]
    messages = pair.edge.data(told)
    assert len(messages) == 1
    (heard,) = pair.hear(*messages)
    assert heard.readings == told
    assert not heard.is_snapshot


def test_a_value_that_is_good_again_says_so_to_hosts_that_remember():
    pair = Pair()
    pair.edge.data([Reading(SPEED.name, 1.0, NOW, Quality.BAD)])
    (message,) = pair.edge.data([Reading(SPEED.name, 2.0, NOW)])
    assert decode(message.payload).metrics[0].properties == {"Quality": 192}
    (message,) = pair.edge.data([Reading(SPEED.name, 3.0, NOW)])
    assert decode(message.payload).metrics[0].properties == {}


def test_a_death_makes_all_values_stale_and_an_older_death_none():
    pair = Pair()
    pair.edge.data([Reading(SPEED.name, 12.5, NOW)])
    pair.be_born()
    of_old, pair.will = pair.will, None
    pair.be_born()
    assert pair.hear(of_old) == []
    assert pair.host.is_alive
    pair.hear(*pair.edge.data([Reading(STATE.name, 6, NOW + 2.0)]))
    (heard,) = pair.hear(pair.will)
    assert not pair.host.is_alive
    assert Reading(SPEED.name, 12.5, NOW + 2.0, Quality.BAD) in heard.readings
    assert Reading(STATE.name, 6, NOW + 2.0, Quality.BAD) in heard.readings
    assert {row.quality for row in heard.readings} == {Quality.BAD}
    assert not heard.is_snapshot


def test_data_before_a_birth_are_dropped_and_the_birth_is_asked_for():
    pair = Pair()
    pair.edge.births()
    assert pair.hear(*pair.edge.data([Reading(STATE.name, 6, NOW)])) == []
    (request,) = pair.host.requests(0.0)
    assert request.topic == "spBv1.0/acme:west:cells/NCMD/line_1"
    assert pair.edge.understand(Incoming(request.topic, request.payload)) == Refresh()
    assert pair.host.requests(0.9) == []
    # It is asked again, with growing pauses, until the birth comes.
    asked = [now for now in range(1, 100) if pair.host.requests(float(now))]
    assert asked == [1, 3, 7, 15, 31, 63]
    pair.be_born()
    assert not pair.host.is_waiting


def test_a_gap_is_told_with_what_follows_and_the_births_are_asked_for():
    pair = Pair()
    pair.be_born()
    first, second, third, fourth = (
        pair.edge.data([Reading(LEVEL.name, number, NOW)])[0] for number in range(4)
    )
    assert len(pair.hear(first)) == 1
    assert pair.hear(fourth) == []
    pair.now = 1.0
    (heard,) = pair.host.expire(1.0)
    assert heard.n_lost == 2
    assert [row.value for row in heard.readings] == [3]
    assert len(pair.host.requests(1.0)) == 1
    # What comes later after all is not lost, and what comes twice counts once.
    assert [row.value for row in readings(*pair.hear(second, third, third))] == [1, 2]
    assert pair.counts["duplicates"] == 1


def test_numbers_that_jump_back_mean_that_a_birth_was_missed():
    pair = Pair()
    pair.be_born()
    for number in range(100):
        pair.hear(*pair.edge.data([Reading(LEVEL.name, number, NOW)]))
    pair.edge.births()
    assert pair.hear(*pair.edge.data([Reading(LEVEL.name, 7, NOW)])) == []
    assert not pair.host.is_alive
    assert len(pair.host.requests(1.0)) == 1


def test_births_after_a_loss_need_not_be_the_same():
    pair = Pair()
    pair.be_born()
    pair.host.lose()
    assert not pair.host.is_alive
    pair.edge = EdgeNode(WIRE, [LEVEL, SPEED], lambda: NOW)
    pair.be_born()
    assert pair.host.tags() == [LEVEL, SPEED]
    (heard,) = pair.hear(*pair.edge.data([Reading(LEVEL.name, 4, NOW)]))
    assert heard.readings == [Reading(LEVEL.name, 4, NOW)]


def test_an_alias_that_nobody_explained_is_passed_over_and_asked_for():
    pair = Pair()
    pair.be_born()
    payload = Payload(None, (Metric(alias=99, value=1), Metric("also", value=2)), 3)
    message = Incoming("spBv1.0/acme:west:cells/DDATA/line_1/winding_1", encode(payload))
    assert readings(*pair.host.take(message, 0.0)) == []
    assert pair.counts["unknown"] == 2
    assert len(pair.host.requests(10.0)) == 1


def test_a_device_that_dies_makes_its_own_values_stale():
    pair = Pair()
    pair.be_born()
    payload = encode(Payload(1, (), 3))
    message = Incoming("spBv1.0/acme:west:cells/DDEATH/line_1/winding_1", payload)
    (heard,) = pair.host.take(message, 0.0)
    assert {row.tag for row in heard.readings} == {SPEED.name, STATE.name}


def test_other_makers_types_become_plain_values():
    metrics = (
        Metric("small", 1, 1000, DataType.INT16, -3),
        Metric("wide", 2, 1000, DataType.UINT64, 5),
        Metric("float", 3, 1000, DataType.FLOAT, 0.5),
        Metric("when", 4, 1000, DataType.DATETIME, 12345),
        Metric("raw", 5, 1000, DataType.BYTES, b"x"),
        Metric("id", 6, None, DataType.UUID, "u"),
        Metric("huge", 7, 1000, DataType.UINT64, (1 << 64) - 1),
    )
    counts = Counter()
    host = HostApplication(WIRE, counts, lambda: NOW)
    node = Payload(1, (Metric("bdSeq", datatype=DataType.UINT64, value=9),), 0)
    host.take(Incoming("spBv1.0/acme:west:cells/NBIRTH/line_1", encode(node)), 0.0)
    topic = "spBv1.0/acme:west:cells/DBIRTH/line_1/plc"
    heard = host.take(Incoming(topic, encode(Payload(2000, metrics, 1))), 0.0)
    assert [(row.tag, row.value, row.source_time) for row in readings(*heard)] == [
        ("plc/small", -3, 1.0),
        ("plc/wide", 5, 1.0),
        ("plc/float", 0.5, 1.0),
        ("plc/when", 12345, 1.0),
        ("plc/id", "u", 2.0),
        ("plc/huge", None, 1.0),
    ]
    assert readings(*heard)[-1].quality is Quality.BAD
    # Whole numbers for a real tag, and the sign of a narrow one in data without types.
    data = Payload(3000, (Metric(alias=3, value=7), Metric(alias=1, value=0xFFFF)), 2)
    topic = topic.replace("DBIRTH", "DDATA")
    heard = host.take(Incoming(topic, encode(data)), 0.0)
    assert [row.value for row in readings(*heard)] == [7.0, -1]


def test_all_nodes_of_a_group_can_be_followed_and_an_element_has_one_owner():
    settings = WIRE.model_copy(update={"node": "+"})
    counts = Counter()
    host = HostApplication(settings, counts, lambda: NOW)
    assert host.ask(0.0) == []
    for node in ("line_1", "line_2"):
        edge = EdgeNode(WIRE.model_copy(update={"node": node}), [LEVEL], lambda: NOW)
        for message in edge.births():
            host.take(Incoming(message.topic, message.payload), 0.0)
    assert host.tags() == [LEVEL]
    assert counts["clashes"] == 1
    assert len(host.ask(0.0)) == 2


def test_the_host_says_that_it_is_online_until_it_goes():
    host = HostApplication(WIRE, Counter(), lambda: NOW)
    will = host.make_will()
    online, request = host.greetings(0.0)
    assert will.topic == online.topic == "spBv1.0/STATE/gigatwin"
    assert json.loads(online.payload) == {"online": True, "timestamp": 1_795_840_000_000}
    assert json.loads(will.payload) == {"online": False, "timestamp": 1_795_840_000_000}
    assert will.is_retained
    assert online.is_retained
    assert request.topic == "spBv1.0/acme:west:cells/NCMD/line_1"
    assert host.farewell() == [will]


def test_an_edge_node_hears_its_primary_host():
    edge = EdgeNode(WIRE.model_copy(update={"primary_host": "twin"}), TAGS, lambda: NOW)
    topic = "spBv1.0/STATE/twin"
    assert (topic, 1) in edge.filters
    message = Incoming(topic, b'{"online": true, "timestamp": 5000}', is_retained=True)
    assert edge.understand(message) == HostState(is_online=True, since=5.0, is_retained=True)
    for payload in (b"ONLINE", b"[]", b"{}", b'{"online": true, "timestamp": "x"}', b"\xff"):
        with pytest.raises(TelemetryError, match="STATE message"):
            edge.understand(Incoming(topic, payload))


def test_a_command_arrives_whole_and_is_answered_at_the_node():
    edge, commander = EdgeNode(WIRE, TAGS, lambda: NOW), DeviceCommander(WIRE, lambda: NOW)
    command = Command(
        "winding_1",
        (TagWrite(SPEED.name, 12.5), TagWrite("winding_1/Command.CntrlCmd", -2)),
        "change-7#0",
        NOW + 60.0,
        "Ada",
    )
    message = commander.command(command)
    assert message.topic == "spBv1.0/acme:west:cells/DCMD/line_1/winding_1"
    assert edge.understand(Incoming(message.topic, message.payload)) == command
    (answer,) = edge.acknowledge(command, "too fast | too hot")
    (told,) = commander.read(Incoming(answer.topic, answer.payload))
    assert told == ("change-7#0", "too fast | too hot")
    assert answer.topic == commander.filters[0][0]
    # The host that follows the node finds nothing to read in it.
    pair = Pair()
    pair.be_born()
    (answer,) = pair.edge.acknowledge(command, "")
    assert readings(*pair.hear(answer)) == []
    assert not pair.host.is_waiting


def test_others_command_by_alias_and_without_identity():
    edge = EdgeNode(WIRE, TAGS, lambda: NOW)
    payload = encode(Payload(1, (Metric(alias=1, value=3.0),)))
    message = Incoming("spBv1.0/acme:west:cells/DCMD/line_1/winding_1", payload)
    command = edge.understand(message)
    assert command == Command("winding_1", (TagWrite(SPEED.name, 3.0),))
    assert edge.acknowledge(command, "") == []


def test_a_command_that_the_broker_kept_is_from_another_time():
    edge, commander = EdgeNode(WIRE, TAGS, lambda: NOW), DeviceCommander(WIRE, lambda: NOW)
    message = commander.command(Command("winding_1", (TagWrite(SPEED.name, 1.0),), "a"))
    assert edge.understand(Incoming(message.topic, message.payload, is_retained=True)) is None


def test_a_value_that_cannot_be_written_leaves_everything_as_it_was():
    pair = Pair([SPEED, Tag("winding_1/Status.Format", TagType.TEXT)])
    pair.be_born()
    good, spoiled = Reading(SPEED.name, 1.0, NOW), Reading("winding_1/Status.Format", "\ud800", NOW)
    with pytest.raises(TelemetryError, match="cannot be written"):
        pair.edge.data([good, spoiled])
    (heard,) = pair.hear(*pair.edge.data([good]))
    assert heard.n_lost == 0
    assert pair.edge.births()


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("spBv1.0/acme:west:cells/DDATA/line_1/winding_1", b"\x12\xff"),
        ("spBv1.0/acme:west:cells/DDATA/line_1/winding_1", b""),
        ("spBv1.0/acme:west:cells/NDATA/line_1", encode(Payload(seq=256))),
        ("spBv1.0/acme:west:cells/NBIRTH/line_1", b"{}"),
        ("spBv1.0/acme:west:cells/NDEATH/line_1", b"\x08"),
    ],
)
def test_spoiled_messages_are_a_telemetry_error(topic, payload):
    pair = Pair()
    pair.be_born()
    with pytest.raises(TelemetryError):
        pair.host.take(Incoming(topic, payload), 0.0)
    assert pair.host.is_alive


@pytest.mark.parametrize(
    "topic", ["", "spBv1.0", "other/a/b/c", "spBv1.0/a/NOTHING/b", "spBv1.0/a/b/c/d/e"]
)
def test_other_topics_are_passed_over(topic):
    assert Pair().host.take(Incoming(topic, b"\xff"), 0.0) == []
