"""Others read the line and write to it, without our code."""

import asyncio
import json
import threading
import time

import paho.mqtt.client as paho
import pytest

from gigatwin.connectors.mqtt import MqttSink
from gigatwin.telemetry import Instruction, TagWrite
from tests.services.mqtt_line import REFUSED, SECOND, SPEED, STATE, Broker, Line, until
from tests.unit.connectors.mqtt.sparkplug_schema import MESSAGE

GROUP = "acme:west:cells"
BASE = "uns/acme/west/cells/line_1"


class Subscriber:
    """A plain subscriber in a thread of its own."""

    def __init__(self, port, topic):
        self.messages = []
        self._ready = threading.Event()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = lambda _, __, message: self.messages.append(message)
        self.client.connect("127.0.0.1", port)

    def __enter__(self):
        self.client.loop_start()
        assert self._ready.wait(10.0)
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()

    def of(self, topic):
        return [message for message in list(self.messages) if message.topic == topic]


def run(line, scenario):
    async def all_of_it():
        try:
            await line.open()
            await scenario()
        finally:
            await line.close()

    asyncio.run(all_of_it())


def test_paho_and_protobuf_read_births_data_and_death(mosquitto):
    line = Line(Broker(mosquitto))
    topic = f"spBv1.0/{GROUP}/{{}}/line_1"
    with Subscriber(mosquitto.port, "spBv1.0/#") as subscriber:

        async def scenario():
            await line.change(STATE, 9)
            await until(lambda: len(subscriber.of(topic.format("DDATA") + "/winding_1")) >= 2)

        run(line, scenario)
        deadline = time.monotonic() + 10.0
        while not subscriber.of(topic.format("NDEATH")) and time.monotonic() < deadline:
            time.sleep(0.01)
        told = [
            (message.topic, MESSAGE["Payload"].FromString(message.payload))
            for message in subscriber.messages
        ]
    kinds = [name.split("/")[2] for name, _ in told]
    assert kinds == ["NBIRTH", "DBIRTH", "DBIRTH", "DDATA", "DDATA", "DDATA", "NDEATH"]
    assert [payload.seq for _, payload in told[:-1]] == [0, 1, 2, 3, 4, 5]
    born = {metric.name: metric for _, payload in told[:3] for metric in payload.metrics}
    speed = born["Command.MachSpeed"]
    assert born["Status.StateCurrent"].datatype == 4
    described = dict(zip(speed.properties.keys, speed.properties.values, strict=True))
    assert described["engUnit"].string_value == "1/min"
    assert described["readOnly"].boolean_value is False
    (metric,) = told[5][1].metrics
    assert metric.alias == born["Status.StateCurrent"].alias
    assert metric.long_value == 9
    assert abs(metric.timestamp / 1000.0 - time.time()) < 60.0
    deaths = [metric.long_value for metric in told[-1][1].metrics]
    assert deaths == [born["bdSeq"].long_value]


def test_paho_asks_for_births_and_writes_by_alias(mosquitto):
    line = Line(Broker(mosquitto))
    births = f"spBv1.0/{GROUP}/NBIRTH/line_1"
    with Subscriber(mosquitto.port, "spBv1.0/#") as subscriber:

        async def scenario():
            rebirth = MESSAGE["Payload"]()
            rebirth.metrics.add(name="Node Control/Rebirth", datatype=11, boolean_value=True)
            topic = f"spBv1.0/{GROUP}/NCMD/line_1"
            subscriber.client.publish(topic, rebirth.SerializeToString())
            await until(lambda: len(subscriber.of(births)) == 2)
            device = subscriber.of(f"spBv1.0/{GROUP}/DBIRTH/line_1/winding_1")[-1]
            metrics = MESSAGE["Payload"].FromString(device.payload).metrics
            alias = next(row.alias for row in metrics if row.name == "Command.MachSpeed")
            order = MESSAGE["Payload"]()
            order.metrics.add(alias=alias, double_value=12.5)
            topic = f"spBv1.0/{GROUP}/DCMD/line_1/winding_1"
            subscriber.client.publish(topic, order.SerializeToString())
            await until(lambda: line.written == [TagWrite(SPEED, 12.5)])

        run(line, scenario)


def test_paho_reads_the_namespace_and_writes_to_it(mosquitto):
    line = Line(Broker(mosquitto), "?scheme=uns")

    async def scenario():
        # Whoever comes later finds what the tags are, kept by the broker.
        with Subscriber(mosquitto.port, f"{BASE}/#") as subscriber:
            meta = f"{BASE}/winding_1/meta/tags"
            await until(lambda: subscriber.of(meta))
            described = json.loads(subscriber.of(meta)[0].payload)
            assert described["Command.MachSpeed"]["u"] == "1/min"
            (online,) = subscriber.of(f"{BASE}/_line/state/online")
            assert json.loads(online.payload)["v"] is True
            await line.change(STATE, 9)
            state = f"{BASE}/winding_1/state/Status.StateCurrent"
            await until(
                lambda: [
                    told
                    for told in map(json.loads, (each.payload for each in subscriber.of(state)))
                    if (told["v"], told["q"]) == (9, "GOOD")
                ]
            )
            order = f"{BASE}/winding_1/cmd/Command.MachSpeed"
            subscriber.client.publish(order, json.dumps({"v": 12.5, "id": "x-1"}))
            await until(lambda: subscriber.of(f"{order}/ack"))
            answer = json.loads(subscriber.of(f"{order}/ack")[0].payload)
            assert (answer["id"], answer["reason"]) == ("x-1", "")
            assert line.written == [TagWrite(SPEED, 12.5)]

    run(line, scenario)


@pytest.mark.parametrize("query", ["", "?scheme=uns"])
def test_an_instruction_that_is_sent_by_two_sinks_is_carried_out_once(mosquitto, query):
    line = Line(Broker(mosquitto), query)
    writes = TagWrite(SPEED, 1.5), TagWrite(SECOND, 2.5), TagWrite(SPEED, 3.5)

    async def scenario():
        sinks = [MqttSink.from_url(line.url, {}, is_writable=True) for _ in range(2)]
        instruction = Instruction("a", writes, time.time() + 60.0, "Ada")
        try:
            for sink in sinks:
                await sink.open()
            receipts = await asyncio.gather(*(sink.send(instruction) for sink in sinks))
            assert [receipt.is_done for receipt in receipts] == [True, True]
            assert line.written == list(writes)
            part = Instruction(
                "b",
                (TagWrite(SECOND, 1.0), TagWrite(SPEED, REFUSED), TagWrite(SECOND, 2.0)),
                time.time() + 60.0,
                "Ada",
            )
            receipt = await sinks[0].send(part)
            assert not receipt.is_done
            assert receipt.text == f"{SPEED}: too fast (after 1 parts were carried out)"
            assert line.written == [*writes, TagWrite(SECOND, 1.0)]
        finally:
            for sink in sinks:
                await sink.close()

    run(line, scenario)
