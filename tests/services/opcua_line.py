"""A small line behind an OPC UA server, for tests; run as a program it can be killed."""

import asyncio
import json
import sys
import time
from pathlib import Path

from gigatwin.connectors.opcua import FaceSettings, OpcUaFace, OpcUaSettings
from gigatwin.telemetry import Batch, Reading, Tag, TagType, TagWrite

PASSWORD = "correct-horse"  # noqa: S105 - of a test
ENVIRONMENT = {"GIGATWIN_OPCUA_PASSWORD": PASSWORD}
STATE = "winding_1/Status.StateCurrent"
SPEED = "winding_1/Command.MachSpeed"
COUNT = "winding_1/Admin.ProdProcessedCount"
TAGS = (
    Tag(STATE, TagType.INTEGER, description="PackML state"),
    Tag("winding_1/Status.EquipmentInterlock.Blocked", TagType.BOOLEAN),
    Tag("winding_1/Status.CurMachSpeed", TagType.REAL, "1/min"),
    Tag("winding_1/Status.Tracking", TagType.TEXT),
    Tag(COUNT, TagType.INTEGER),
    Tag("winding_1/Command.CntrlCmd", TagType.INTEGER, is_writable=True),
    Tag(SPEED, TagType.REAL, "1/min", "speed asked for", is_writable=True),
    Tag("winding_1/Command.Setting.tension", TagType.REAL, "N", is_writable=True),
    Tag("flattening_buffer/Status.Level", TagType.INTEGER),
)
HIGHEST = 100.0


class Line:
    """A server with what was written to it."""

    def __init__(self, folder, port=0, options="", host="127.0.0.1", tags=TAGS):
        url = f"opc.tcp://op@{host}:{port}{options}"
        self.settings = FaceSettings.from_url(url, folder=folder, environment=ENVIRONMENT)
        self.face = OpcUaFace(self.settings)
        self.tags = tags
        self.written = []

    async def start(self):
        await self.face.open(self.tags, self.take)
        return self

    async def take(self, write: TagWrite) -> str:
        if isinstance(write.value, float) and write.value > HIGHEST:
            return f"{write.value:g} is above {HIGHEST:g} items/min"
        self.written.append(write)
        return ""

    async def show(self, tag, value, moment=None, *more):
        now = time.time()
        reading = Reading(tag, value, now if moment is None else moment, *more)
        await self.face.publish(Batch((reading,), now))

    @property
    def port(self):
        return int(self.face.url.rpartition(":")[2])

    @property
    def url(self):
        return f"opc.tcp://op@127.0.0.1:{self.port}"

    def client(self, tmp_path, options="", **more):
        url = self.url + options
        return OpcUaSettings.from_url(url, folder=tmp_path, environment=ENVIRONMENT, **more)


async def _run(folder, port, events):
    """Count up in steps that a file records before they are published."""
    line = await Line(Path(folder), port, "?is_history_on_disk=true").start()
    record = Path(events)
    number = len(record.read_text().splitlines()) if record.exists() else 0  # noqa: ASYNC240 - a test
    with record.open("a") as file:  # noqa: ASYNC230 - a test
        while True:
            number += 1
            await line.show(COUNT, number)
            file.write(json.dumps(number) + "\n")
            file.flush()
            await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
