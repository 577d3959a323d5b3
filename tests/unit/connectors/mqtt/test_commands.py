"""Commands: what a sink refuses to send, and what equipment carries out."""

import asyncio
import time

import pytest

from gigatwin.connectors.mqtt import MqttFace, MqttSink, MqttSource
from gigatwin.connectors.mqtt.messages import Command, Incoming
from gigatwin.connectors.mqtt.orders import Orders
from gigatwin.connectors.mqtt.sparkplug.codec import Metric, Payload, encode
from gigatwin.connectors.mqtt.sparkplug.topics import ACKNOWLEDGEMENT
from gigatwin.errors import ConnectorError, TelemetryError
from gigatwin.telemetry import Batch, Instruction, Tag, TagType, TagWrite

SPEED = Tag("winding_1/Command.MachSpeed", TagType.REAL, is_writable=True)
MODE = Tag("winding_1/Command.UnitMode", TagType.INTEGER, is_writable=True)
STATE = Tag("winding_1/Status.StateCurrent", TagType.INTEGER)
TAGS = {tag.name: tag for tag in (SPEED, MODE, STATE)}


def carry_out(*commands, on_write=None, now=100.0):
    """Return the answers, and what was written."""
    written = []

    async def accept(write):
        written.append(write)
        return ""

    async def scenario():
        orders = Orders(TAGS, on_write or accept, lambda: now)
        return [await orders.carry_out(command) for command in commands]

    return asyncio.run(scenario()), written


def command(*writes, identity="a", expires=None):
    return Command("winding_1", tuple(TagWrite(*write) for write in writes), identity, expires)


def test_values_are_written_in_order_as_their_tags_hold_them():
    answers, written = carry_out(command((SPEED.name, 3), (MODE.name, 1.0)))
    assert answers == [""]
    assert written == [TagWrite(SPEED.name, 3.0), TagWrite(MODE.name, 1)]
    assert type(written[0].value) is float
    assert type(written[1].value) is int


def test_the_same_command_is_carried_out_once():
    same = command((SPEED.name, 3))
    answers, written = carry_out(same, same, command((SPEED.name, 3), identity="b"))
    assert answers == ["", "", ""]
    assert len(written) == 2


def test_a_refusal_is_remembered_too():
    n_asked = []

    async def refuse(write):
        n_asked.append(write)
        return "the door is open"

    same = command((SPEED.name, 3), (MODE.name, 1))
    answers, _ = carry_out(same, same, on_write=refuse)
    assert answers == [f"{SPEED.name}: the door is open"] * 2
    assert len(n_asked) == 1


def test_commands_of_nobody_are_carried_out_each_time():
    anonymous = command((SPEED.name, 3), identity="")
    _, written = carry_out(anonymous, anonymous)
    assert len(written) == 2


def test_an_expired_command_is_refused():
    answers, written = carry_out(command((SPEED.name, 3), expires=99.9))
    assert answers == ["it has expired"]
    assert not written


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (("winding_1/Command.Nothing", 1), "there is no such tag"),
        ((STATE.name, 6), "cannot be written"),
        ((SPEED.name, "fast"), "must be real"),
        ((SPEED.name, True), "must be real"),
        ((SPEED.name, None), "must be a value"),
        ((SPEED.name, float("nan")), "must be a value"),
        ((MODE.name, 1.5), "must be integer"),
        ((MODE.name, 1 << 63), "64 bits"),
    ],
)
def test_nothing_is_written_where_one_write_is_wrong(write, reason):
    answers, written = carry_out(command((SPEED.name, 3), write))
    assert reason in answers[0]
    assert write[0] in answers[0]
    assert not written


def test_equipment_that_fails_is_a_refusal(caplog):
    async def fail(_):
        raise ZeroDivisionError

    answers, _ = carry_out(command((SPEED.name, 3)), on_write=fail)
    assert answers == [f"{SPEED.name}: the equipment failed to carry it out"]
    assert "ZeroDivisionError" in caplog.text


def instruction(*writes, identity="a", seconds=60.0):
    return Instruction(identity, writes, time.time() + seconds, "Ada")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (instruction(TagWrite(SPEED.name, 1.0)), "not connected"),
        (instruction(), "nothing to write"),
        (instruction(TagWrite(SPEED.name, 1.0), seconds=-1.0), "expired"),
        (instruction(TagWrite(SPEED.name, 1.0), identity="a|b"), "identity 'a|b'"),
        (instruction(TagWrite("a/#", 1.0)), "a/#: must be element/tag"),
        (instruction(TagWrite("no_element", 1.0)), "no_element: must be element/tag"),
    ],
)
def test_a_sink_refuses_what_cannot_be_sent(given, reason):
    sink = MqttSink.from_url("mqtt://127.0.0.1:1", {}, is_writable=True)
    receipt = asyncio.run(sink.send(given))
    assert not receipt.is_done
    assert reason in receipt.text


def test_a_sink_refuses_everything_while_writing_is_off():
    sink = MqttSink.from_url("mqtt://127.0.0.1:1", {})
    receipt = asyncio.run(sink.send(instruction(TagWrite(SPEED.name, 1.0))))
    assert not receipt.is_done
    assert "writing is switched off" in receipt.text


class _Wire:
    """A connection that keeps what is published, and answers by itself from some attempt on."""

    is_connected = True

    def __init__(self, sink, answered_from):
        self.published = []
        self._sink, self._answered_from = sink, answered_from

    def publish(self, message):
        self.published.append(message)
        if len(self.published) >= self._answered_from:
            told = Metric(ACKNOWLEDGEMENT, value="a#0|")
            topic = "spBv1.0/gigatwin:site:area/NDATA/line"
            self._sink._receive(Incoming(topic, encode(Payload(1, (told,), 1))))  # noqa: SLF001 - its own class


@pytest.mark.parametrize(
    ("answered_from", "has_answered", "n_published", "is_done"),
    [(99, False, 1, False), (99, True, 2, False), (1, False, 1, True), (3, True, 3, True)],
)
def test_only_a_line_that_answers_gets_a_command_again(
    answered_from, has_answered, n_published, is_done
):
    async def scenario():
        sink = MqttSink.from_url(
            "mqtt://127.0.0.1:1", {}, is_writable=True, acknowledgement_patience=0.5
        )
        sink._client = wire = _Wire(sink, answered_from)  # noqa: SLF001 - its own class
        sink._has_answered = has_answered  # noqa: SLF001 - its own class
        return await sink.send(instruction(TagWrite(SPEED.name, 1.0))), wire

    receipt, wire = asyncio.run(scenario())
    assert receipt.is_done == is_done
    # How often, within a time, depends on how busy the machine is.
    n = len(wire.published)
    assert n == n_published or (answered_from == 99 and has_answered and n > 1)
    assert ("no acknowledgement" in receipt.text) == (not is_done)
    assert (SPEED.name in receipt.text) == (not is_done)


def test_a_broker_that_is_not_there_is_one_error():
    async def scenario():
        for each in (
            MqttSource.from_url("mqtt://127.0.0.1:1", {}),
            MqttSink.from_url("mqtt://127.0.0.1:1", {}),
        ):
            with pytest.raises(ConnectorError, match=r"^mqtt://127\.0\.0\.1:1/.*must be a broker"):
                await each.open()
            assert each.diagnostics().last_error
            await each.close()
        face = MqttFace.from_url("mqtt://127.0.0.1:1", {})
        with pytest.raises(ConnectorError, match="must be a broker"):
            await face.open([SPEED], None)
        with pytest.raises(ConnectorError, match="not open"):
            await face.publish(Batch((), 0.0))
        await face.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("names", [["a"], ["a/"], ["/b"], ["a/+"], ["a#/b"], ["a/b", "a/b"]])
def test_a_face_refuses_names_that_cannot_be_topics(names):
    face = MqttFace.from_url("mqtt://127.0.0.1:1", {})
    with pytest.raises(TelemetryError, match="must be element/tag, once"):
        asyncio.run(face.open([Tag(name, TagType.REAL) for name in names], None))
