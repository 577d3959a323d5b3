"""A line at an MQTT broker, as tests drive it."""

import asyncio
import time

from gigatwin.connectors.mqtt import EmbeddedBroker, MqttFace
from gigatwin.telemetry import Batch, Reading, Tag, TagType, TagWrite

PATH = "acme:west:cells/line_1"
SPEED, SECOND = "winding_1/Command.MachSpeed", "slitting_1/Command.MachSpeed"
STATE = "winding_1/Status.StateCurrent"
FORMAT = "winding_1/Status.Format"
TAGS = [
    Tag(SPEED, TagType.REAL, "1/min", "speed asked for", is_writable=True),
    Tag(SECOND, TagType.REAL, "1/min", is_writable=True),
    Tag(STATE, TagType.INTEGER),
    Tag(FORMAT, TagType.TEXT),
]
PATIENCE = 20.0
REFUSED = 1000.0


def reading(tag, value, when=None):
    return Reading(tag, value, time.time() if when is None else when)


def batch(*readings):
    return Batch(readings, time.time())


class Broker:
    """A mosquitto of the fixtures, with the manners of the embedded one."""

    def __init__(self, mosquitto):
        self.url = mosquitto.url
        self._mosquitto = mosquitto

    async def start(self):
        await asyncio.to_thread(self._mosquitto.start)

    async def stop(self):
        await asyncio.to_thread(self._mosquitto.kill)


class Line:
    """Two machines at a broker; also both other sides that the contract suites ask for."""

    tags = (SPEED, SECOND)
    refused = TagWrite(SPEED, REFUSED)

    def __init__(self, broker, query=""):
        self.broker = broker
        self.url = f"{broker.url}/{PATH}{query}"
        self.written = []
        self.face = MqttFace.from_url(self.url, {})

    async def open(self):
        await self.face.open(TAGS, self._write)
        await self.face.publish(
            batch(
                reading(SPEED, 0.0), reading(SECOND, 0.0), reading(STATE, 6), reading(FORMAT, "46")
            )
        )
        return self

    async def change(self, tag, value):
        await self.face.publish(batch(reading(tag, value)))

    async def restart(self):
        await self.broker.stop()
        await asyncio.sleep(0.3)
        await self.broker.start()

    async def close(self):
        await self.face.close()

    async def _write(self, write):
        if write.value == REFUSED:
            return "too fast"
        self.written.append(write)
        await self.face.publish(batch(reading(write.tag, write.value)))
        return ""


class EmbeddedLine(Line):
    """The same with a broker of its own inside the process."""

    @classmethod
    async def begin(cls, query=""):
        broker = EmbeddedBroker()
        await broker.start()
        return await cls(broker, query).open()

    async def close(self):
        await super().close()
        await self.broker.stop()


async def until(is_there, what="it"):
    """Return when something has happened."""
    end = time.monotonic() + PATIENCE
    while not is_there():
        assert time.monotonic() < end, f"{what} did not happen"
        await asyncio.sleep(0.01)
