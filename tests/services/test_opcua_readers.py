"""What the OPC UA server shows, read by others; and what the source makes of it."""

import asyncio
import os
import sys

import pytest
from asyncua import Client, ua

from gigatwin.connectors.opcua import OpcUaSource
from gigatwin.telemetry import Quality
from gigatwin.testing.batch_reader import BatchReader
from tests.services.opcua_line import COUNT, PASSWORD, SPEED, STATE, TAGS, Line

MACHINERY, PACKML = "http://opcfoundation.org/UA/Machinery/", "http://opcfoundation.org/UA/PackML/"
PATIENCE = 20.0


async def run_tool(name, line, *arguments):
    """Run a command-line tool of asyncua."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"import sys; from asyncua.tools import {name}; sys.exit({name}())",
        "-u",
        f"opc.tcp://127.0.0.1:{line.port}",
        "--user",
        "op",
        "--password",
        PASSWORD,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0, output.decode()
    return output.decode()


def test_command_line_tools_of_others_list_and_read_it(opcua_folder):
    async def scenario():
        line = await Line(opcua_folder).start()
        try:
            await line.show(COUNT, 4711)
            listed, read = await asyncio.gather(
                run_tool("uals", line, "-n", "ns=5;s=winding_1", "-d", "3"),
                run_tool("uaread", line, "-n", f"ns=5;s={COUNT}"),
            )
            assert "StateCurrent" in listed
            assert "Identification" in listed
            assert "4711" in read
        finally:
            await line.face.close()

    asyncio.run(scenario())


def test_a_client_of_others_finds_machines_where_the_standards_say(opcua_folder):
    async def scenario():
        line = await Line(opcua_folder).start()
        await line.show(STATE, 6)
        try:
            async with Client(f"opc.tcp://op:{PASSWORD}@127.0.0.1:{line.port}") as client:
                machinery = await client.get_namespace_index(MACHINERY)
                packml = await client.get_namespace_index(PACKML)
                machines = client.get_node(ua.NodeId(1001, machinery))
                assert (await machines.read_browse_name()).Name == "Machines"
                found = {
                    (await child.read_browse_name()).Name: child
                    for child in await machines.get_children()
                }
                assert {"winding_1", "flattening_buffer"} <= found.keys()
                machine = found["winding_1"]
                kind = client.get_node(await machine.read_type_definition())
                assert (await kind.read_browse_name()).Name == "PackMLBaseObjectType"
                objects = client.get_node(ua.NodeId(72, packml))
                assert machine in await objects.get_children()
                serial = await machine.get_child(["2:Identification", "2:SerialNumber"])
                assert await serial.read_value() == "winding_1"
                words = await machine.get_child([f"{packml}:BaseStateMachine", "0:CurrentState"])
                assert (await words.read_value()).Text == "Execute"
                unit = await client.get_node(f"ns=5;s={SPEED}").get_child("0:EngineeringUnits")
                assert (await unit.read_value()).DisplayName.Text == "1/min"
        finally:
            await line.face.close()

    asyncio.run(scenario())


def test_a_client_of_others_reads_history_page_by_page_and_backwards(opcua_folder):
    async def scenario():
        line = await Line(opcua_folder).start()
        try:
            for number in range(20):
                await line.show(COUNT, number, 1_800_000_000.0 + number)
            async with Client(f"opc.tcp://op:{PASSWORD}@127.0.0.1:{line.port}") as client:
                node = client.get_node(f"ns=5;s={COUNT}")
                history = await node.read_raw_history()
                assert [row.Value.Value for row in history] == list(range(20))
                end, begin = history[15].SourceTimestamp, history[5].SourceTimestamp
                history = await node.read_raw_history(begin, end)
                assert [row.Value.Value for row in history] == list(range(5, 16))
                history = await node.read_raw_history(end, begin)
                assert [row.Value.Value for row in history] == list(range(15, 4, -1))
                history = await node.read_raw_history(begin, end, numvalues=4)
                assert [row.Value.Value for row in history] == [5, 6, 7, 8]
        finally:
            await line.face.close()

    asyncio.run(scenario())


def test_values_of_every_type_and_quality_come_through_unchanged(tmp_path, opcua_folder):
    sent = [
        (STATE, 6, Quality.GOOD),
        ("winding_1/Status.EquipmentInterlock.Blocked", True, Quality.GOOD),
        ("winding_1/Status.CurMachSpeed", 12.75, Quality.UNCERTAIN),
        ("winding_1/Status.Tracking", "17|LEAVE|9|4680|flattening ✓", Quality.GOOD),
        (COUNT, 2**40, Quality.GOOD),
        ("flattening_buffer/Status.Level", None, Quality.BAD),
    ]

    async def scenario():
        line = await Line(opcua_folder).start()
        source = OpcUaSource(line.client(tmp_path))
        try:
            await source.open()
            assert {tag.name: tag for tag in await source.browse()} == {
                tag.name: tag for tag in TAGS
            }
            async with BatchReader(source, PATIENCE) as reader:
                for number, (tag, value, quality) in enumerate(sent):
                    moment = 1_800_000_000.25 + number
                    await line.show(tag, value, moment, quality)
                    _, reading = await reader.wait_for(tag, value)
                    while reading.source_time != moment:
                        reader.forget()
                        _, reading = await reader.wait_for(tag, value)
                    assert reading == (tag, value, moment, quality)
        finally:
            await source.close()
            await line.face.close()

    asyncio.run(scenario())


def test_every_edge_arrives_however_quick(tmp_path, opcua_folder):
    async def scenario():
        line = await Line(opcua_folder).start()
        source = OpcUaSource(line.client(tmp_path))
        wanted = [6 if number % 2 else 5 for number in range(400)]
        try:
            await source.open()
            async with BatchReader(source, PATIENCE) as reader:
                for number, state in enumerate(wanted):
                    await line.show(STATE, state, 1_800_000_000.0 + number)
                last = 1_800_000_000.0 + len(wanted) - 1
                await reader.wait_until(
                    lambda: any(row.source_time == last for row in reader.readings), "all edges"
                )
                edges = [
                    row
                    for batch in reader.batches
                    if not batch.is_snapshot
                    for row in batch.readings
                    if row.tag == STATE and row.value is not None
                ]
            assert [row.value for row in edges] == wanted
            assert source.diagnostics().counts["gaps"] == 0
        finally:
            await source.close()
            await line.face.close()

    asyncio.run(scenario())


def test_a_reader_that_is_too_slow_loses_the_oldest_and_gets_a_snapshot(tmp_path, opcua_folder):
    async def scenario():
        line = await Line(opcua_folder).start()
        source = OpcUaSource(line.client(tmp_path, "?batches=2&interval=0.02"))
        try:
            await source.open()
            for number in range(12):
                await line.show(COUNT, number)
                await asyncio.sleep(0.05)
            async with BatchReader(source, PATIENCE) as reader:
                await reader.wait_until(
                    lambda: (
                        any(batch.is_snapshot for batch in reader.batches)
                        and reader.values(COUNT)[-1:] == [11]
                    ),
                    "a snapshot with the newest value",
                )
            assert source.diagnostics().counts["dropped"] > 0
        finally:
            await source.close()
            await line.face.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "text", 3])
def test_values_that_do_not_fit_are_not_shown_as_good(value, opcua_folder):
    async def scenario():
        line = await Line(opcua_folder).start()
        try:
            tag = "winding_1/Status.EquipmentInterlock.Blocked"
            if isinstance(value, float):
                tag = "winding_1/Status.CurMachSpeed"
            await line.show(tag, value)
            async with Client(f"opc.tcp://op:{PASSWORD}@127.0.0.1:{line.port}") as client:
                node = client.get_node(f"ns=5;s={tag}")
                shown = await node.read_data_value(raise_on_bad_status=False)
                assert not shown.StatusCode.is_good()
        finally:
            await line.face.close()

    asyncio.run(scenario())
