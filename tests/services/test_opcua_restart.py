"""An OPC UA server that is killed loses nothing of what it published."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

from gigatwin.connectors.opcua import OpcUaSettings, OpcUaSource
from gigatwin.testing.batch_reader import BatchReader
from tests.services.conftest import free_port, wait_for_port
from tests.services.opcua_line import COUNT, ENVIRONMENT, STATE, Line

PATIENCE = 30.0
PROGRAM = Path(__file__).with_name("opcua_line.py")


def test_killed_server_is_followed_again_and_nothing_is_missing(tmp_path):
    port, events = free_port(), tmp_path / "events.jsonl"
    command = [sys.executable, PROGRAM, tmp_path / "server", str(port)]

    def start():
        process = subprocess.Popen([*command, events])
        wait_for_port(port, process)
        return process

    async def scenario():
        process = await asyncio.to_thread(start)
        url = f"opc.tcp://op@127.0.0.1:{port}?pause=0.2&longest_pause=0.5"
        settings = OpcUaSettings.from_url(url, folder=tmp_path, environment=ENVIRONMENT)
        source = OpcUaSource(settings)
        try:
            await source.open()
            async with BatchReader(source, PATIENCE) as reader:
                await reader.wait_until(lambda: len(reader.values(COUNT)) > 40, "40 counts")
                process.send_signal(signal.SIGKILL)
                await asyncio.to_thread(process.wait)
                published = [json.loads(line) for line in events.read_text().splitlines()]
                process = await asyncio.to_thread(start)
                await reader.wait_for(COUNT, published[-1] + 60)
                told = source.diagnostics()
                counts = [
                    row.value
                    for batch in reader.batches
                    if not batch.is_snapshot
                    for row in batch.readings
                    if row.tag == COUNT and row.value is not None
                ]
            assert sorted(counts) == list(range(counts[0], counts[-1] + 1))
            assert told.counts["reconnections"] == 1
            assert told.counts["backfilled"] > 0
        finally:
            await source.close()
            process.kill()
            await asyncio.to_thread(process.wait)

    asyncio.run(scenario())


def test_what_changed_while_the_line_was_cut_is_fetched_once(tmp_path, opcua_folder):
    """A cut between the two sides, of which the server knows nothing."""

    async def scenario():
        line = await Line(opcua_folder).start()
        pipes = []

        async def forward(reader, writer):
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", line.port)
            pipes.extend((writer, other_writer))
            await asyncio.gather(pump(reader, other_writer), pump(other_reader, writer))

        async def pump(reader, writer):
            try:
                while data := await reader.read(65536):
                    writer.write(data)
            except ConnectionError:
                pass
            finally:
                writer.close()

        cable = await asyncio.start_server(forward, "127.0.0.1", 0)
        port = cable.sockets[0].getsockname()[1]
        url = f"opc.tcp://op@127.0.0.1:{port}?pause=0.1&longest_pause=0.2"
        settings = OpcUaSettings.from_url(url, folder=tmp_path, environment=ENVIRONMENT)
        source = OpcUaSource(settings)
        try:
            await source.open()
            async with BatchReader(source, PATIENCE) as reader:
                await line.show(STATE, 5, 1_800_000_000.0)
                await reader.wait_for(STATE, 5)
                cable.close()
                for pipe in pipes:
                    pipe.transport.abort()
                for number in range(1, 300):
                    await line.show(STATE, 5 + number % 2, 1_800_000_000.0 + number)
                cable = await asyncio.start_server(forward, "127.0.0.1", port)
                last = 1_800_000_299.0
                await reader.wait_until(
                    lambda: any(row.source_time == last for row in reader.readings), "the last edge"
                )
                await line.show(STATE, 9, last + 1)
                await reader.wait_for(STATE, 9)
                edges = [
                    row.source_time
                    for batch in reader.batches
                    if not batch.is_snapshot
                    for row in batch.readings
                    if row.tag == STATE and row.value is not None
                ]
            assert edges == [1_800_000_000.0 + number for number in range(301)]
        finally:
            await source.close()
            cable.close()
            for pipe in pipes:
                pipe.close()
            await line.face.close()

    asyncio.run(scenario())
