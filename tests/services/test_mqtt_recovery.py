"""Brokers that are killed, lines that are cut off, messages that are spoiled."""

import asyncio

import paho.mqtt.publish
import pytest

from gigatwin.connectors.mqtt import MqttSource
from gigatwin.telemetry import Quality
from gigatwin.testing import BatchReader
from gigatwin.testing.spoiled_payloads import spoiled_payloads
from tests.services.mqtt_line import (
    PATH,
    PATIENCE,
    SPEED,
    STATE,
    Broker,
    Line,
    until,
)

NAMESPACE = "?scheme=uns"


def numbers(reader, tag=STATE):
    """Return the values of a tag but for those that repeat what was there."""
    return [
        row.value
        for each in reader.batches
        if not each.is_snapshot
        for row in each.readings
        if row.tag == tag and row.quality is Quality.GOOD
    ]


def follow(mosquitto, query, scenario, source_query=None):
    """Run a scenario with a line, a source that follows it, and a reader of that."""

    async def all_of_it():
        line = Line(Broker(mosquitto), query)
        source = MqttSource.from_url(
            line.url if source_query is None else f"{mosquitto.url}/{PATH}{source_query}", {}
        )
        try:
            await source.open()
            await line.open()
            async with BatchReader(source, PATIENCE) as reader:
                await reader.wait_for(STATE, 6)
                await scenario(line, source, reader)
        finally:
            await source.close()
            await line.close()

    asyncio.run(all_of_it())


@pytest.mark.parametrize("query", ["", NAMESPACE])
def test_a_killed_broker_costs_one_reconnection_and_nothing_comes_twice(mosquitto, query):
    async def scenario(line, source, reader):
        for value in range(100, 120):
            await line.change(STATE, value)
        await reader.wait_for(STATE, 119)
        mosquitto.kill()
        for value in range(120, 160):
            await line.change(STATE, value)
            await asyncio.sleep(0.01)
        await line.broker.start()
        await reader.wait_for(STATE, 159)
        await until(lambda: source.diagnostics().is_connected, "being connected")
        for value in range(160, 180):
            await line.change(STATE, value)
        await reader.wait_for(STATE, 179)
        assert source.diagnostics().counts["reconnections"] == 1
        assert line.face.diagnostics().counts["reconnections"] == 1
        got = numbers(reader)
        assert got == sorted(set(got))
        assert got[-20:] == list(range(160, 180))
        assert None in [each.n_lost for each in reader.batches]

    follow(mosquitto, query, scenario)


def test_a_line_that_waits_for_its_host_loses_nothing_while_the_broker_is_away(mosquitto):
    async def scenario(line, _source, reader):
        await line.change(STATE, 100)
        await reader.wait_for(STATE, 100)
        mosquitto.kill()
        await until(lambda: not line.face.diagnostics().is_connected, "the loss")
        for value in range(101, 161):
            await line.change(STATE, value)
        await line.broker.start()
        await reader.wait_for(STATE, 160)
        assert numbers(reader) == [6, *range(100, 161)]

    follow(mosquitto, "?primary_host=twin_1", scenario, "?host=twin_1")


def test_a_line_keeps_its_values_until_its_host_comes(mosquitto):
    async def scenario():
        line = Line(Broker(mosquitto), "?primary_host=twin_1")
        await line.open()
        for value in range(100, 130):
            await line.change(STATE, value)
        source = MqttSource.from_url(f"{mosquitto.url}/{PATH}?host=twin_1", {})
        try:
            for value in (130, 131):
                await source.open()
                async with BatchReader(source, PATIENCE) as reader:
                    await line.change(STATE, value)
                    await reader.wait_for(STATE, value)
                if value == 130:
                    assert numbers(reader) == [6, *range(100, 131)]
                await source.close()
                await until(lambda: not line.face.diagnostics().is_connected, "the host's going")
                source = MqttSource.from_url(f"{mosquitto.url}/{PATH}?host=twin_1", {})
        finally:
            await source.close()
            await line.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("query", ["", NAMESPACE])
def test_a_line_that_is_cut_off_is_stale_until_it_is_back(mosquitto, query):
    async def scenario(line, source, reader):
        await line.change(SPEED, 3.5)
        await reader.wait_for(SPEED, 3.5)
        reader.forget()
        # Without a farewell: the broker has to carry out the last will.
        line.face._client._client._connection._transport.abort()  # noqa: SLF001 - cuts the wire
        await reader.wait_until(
            lambda: any(
                (row.tag, row.value, row.quality) == (SPEED, 3.5, Quality.BAD)
                for row in reader.readings
            ),
            "a stale value",
        )
        await reader.wait_until(lambda: reader.snapshot().get(SPEED) == 3.5, "the birth")
        assert source.diagnostics().is_connected
        assert source.diagnostics().counts["deaths"] == 1
        assert "reconnections" not in source.diagnostics().counts

    follow(mosquitto, query, scenario)


def test_a_restarted_source_and_a_restarted_line_find_each_other(mosquitto):
    async def scenario(line, source, reader):
        await line.close()
        await until(lambda: not source.diagnostics().is_connected, "the farewell")
        assert "has gone" in source.diagnostics().last_error
        again = Line(line.broker)
        await again.open()
        await again.change(STATE, 9)
        await reader.wait_for(STATE, 9)
        late = MqttSource.from_url(line.url, {})
        await late.open()
        async with BatchReader(late, PATIENCE) as newcomer:
            await newcomer.wait_until(lambda: newcomer.snapshot().get(STATE) == 9, "the births")
        await late.close()
        await again.close()

    follow(mosquitto, "", scenario)


def test_a_source_without_a_line_says_what_is_missing(mosquitto):
    async def scenario():
        source = MqttSource.from_url(f"{mosquitto.url}/{PATH}", {}, browse_patience=0.2)
        await source.open()
        with pytest.raises(ConnectionError, match="no line has told what it is"):
            await source.browse()
        assert not source.diagnostics().is_connected
        await source.close()

    asyncio.run(scenario())


def test_spoiled_messages_are_counted_and_the_rest_goes_on(mosquitto):
    group, node = PATH.split("/")
    topic = f"spBv1.0/{group}/DDATA/{node}/winding_1"
    spoiled = [{"topic": topic, "payload": data} for data in spoiled_payloads(300, seed=4)]
    orders = [{**each, "topic": topic.replace("DDATA", "DCMD")} for each in spoiled]

    async def scenario(line, source, reader):
        await asyncio.to_thread(
            paho.mqtt.publish.multiple, spoiled + orders, "127.0.0.1", mosquitto.port
        )
        await until(lambda: line.face.diagnostics().counts.get("malformed", 0) > 100)
        await line.change(STATE, 77)
        await reader.wait_until(
            lambda: 77 in [row.value for row in reader.readings if row.tag == STATE], "a value"
        )
        told = source.diagnostics()
        assert told.counts["malformed"] > 100
        assert topic in told.last_error

    follow(mosquitto, "", scenario)


def test_a_reader_that_is_too_slow_loses_the_oldest_and_gets_a_refresh(mosquitto):
    async def scenario():
        line = await Line(Broker(mosquitto)).open()
        source = MqttSource.from_url(line.url, {}, most_waiting=10, gathering_time=0.0)
        try:
            await source.open()
            await source.browse()
            for value in range(60):
                await line.change(STATE, value)
                await asyncio.sleep(0.005)
            await until(lambda: source.diagnostics().counts.get("dropped", 0) > 5, "dropping")
            async with BatchReader(source, PATIENCE) as reader:
                await reader.wait_until(lambda: reader.snapshot().get(STATE) == 59, "the refresh")
                assert reader.batches[0].n_lost > 5
        finally:
            await source.close()
            await line.close()

    asyncio.run(scenario())
