"""Readings from an MQTT broker, by Sparkplug B or from a unified namespace."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Self

from gigatwin.connectors.mqtt.client import MqttClient, Session
from gigatwin.connectors.mqtt.diagnostics import ConnectionRecord
from gigatwin.connectors.mqtt.messages import Heard, Host, Incoming, Outgoing
from gigatwin.connectors.mqtt.settings import MqttSettings
from gigatwin.connectors.mqtt.sparkplug.host import HostApplication
from gigatwin.connectors.mqtt.uns.host import NamespaceHost
from gigatwin.connectors.mqtt.waiting import WaitingBatches
from gigatwin.errors import ConnectorError, TelemetryError
from gigatwin.telemetry.ports import Diagnostics
from gigatwin.telemetry.readings import Batch
from gigatwin.telemetry.tags import Tag

_BEAT = 0.1  # how often it is looked whether something is overdue
_SETTLED = 0.3  # silence after which all births are there


class MqttSource:
    """Follows a line at a broker: see `MqttSettings` for what can be set.

    Every session begins with asking for all present values. What is spoiled is counted and passed
    over; what is missing is counted, told with the next batch, and followed by asking again.
    """

    def __init__(self, settings: MqttSettings) -> None:
        """Do nothing yet.

        Raises
        ------
        ConnectorError
            If the settings do not go together.
        """
        self._settings = settings
        self._record = ConnectionRecord(settings)
        counts = self._record.counts
        self._host: Host = (
            HostApplication(settings, counts)
            if settings.scheme == "sparkplug"
            else NamespaceHost(settings, counts)
        )
        self._waiting = WaitingBatches(
            settings.gathering_time, settings.most_waiting, counts, self._ask
        )
        session = Session(self._host.make_will, self._begin, self._receive, self._lose)
        self._client = MqttClient(settings, session, self._host.filters, self._record)
        self._beat: asyncio.Task[None] | None = None

    @classmethod
    def from_url(
        cls, url: str, environment: Mapping[str, str] | None = None, **changes: object
    ) -> Self:
        """Return a source as a URL says; see `MqttSettings.from_url`."""
        return cls(MqttSettings.from_url(url, environment, **changes))

    async def open(self) -> None:
        """Connect and ask for all present values.

        Raises
        ------
        ConnectorError
            If the broker cannot be reached or refuses.
        """
        await self._client.open()
        self._beat = asyncio.create_task(self._watch())

    async def browse(self) -> Sequence[Tag]:
        """Return the tags that the line tells, once no more of them come.

        Raises
        ------
        ConnectorError
            If none was told in time.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self._settings.browse_patience
        n_before, since = 0, loop.time()
        while True:
            tags = self._host.tags()
            if len(tags) != n_before:
                n_before, since = len(tags), loop.time()
            if tags and loop.time() - since >= _SETTLED:
                return tags
            if loop.time() >= end:
                break
            await asyncio.sleep(_SETTLED / 10)
        if tags:
            return tags
        message = self._nobody()
        self._record.note(message)
        raise ConnectorError(message)

    def batches(self) -> AsyncIterator[Batch]:
        """Yield what arrives, until the source is closed."""
        return self._waiting.read()

    async def refresh(self) -> None:
        """Ask for the present values of all tags; they arrive as batches that are snapshots."""
        self._ask()

    async def close(self) -> None:
        """Disconnect; can be called twice."""
        if self._beat is not None:
            self._beat.cancel()
            await asyncio.gather(self._beat, return_exceptions=True)
            self._beat = None
        await self._client.close(self._host.farewell())
        self._waiting.close()

    def diagnostics(self) -> Diagnostics:
        """Return how the connection is doing; connected means that the line is there, too."""
        is_connected = self._client.is_connected
        told = self._record.tell(is_connected=is_connected and self._host.is_alive)
        if is_connected and not self._host.is_alive and not told.last_error:
            told.last_error = self._nobody()
        return told

    async def _begin(self) -> None:
        self._publish(self._host.greetings(_now()))

    def _lose(self) -> None:
        self._host.lose()
        self._waiting.doubt()

    def _receive(self, message: Incoming) -> None:
        now = _now()
        try:
            heard = self._host.take(message, now)
        except TelemetryError as error:
            self._record.counts["malformed"] += 1
            self._record.note(f"{message.topic}: {error}")
            return
        self._add(heard)
        if self._host.is_waiting:
            self._publish(self._host.requests(now))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_BEAT)
            if self._host.is_waiting:
                now = _now()
                self._add(self._host.expire(now))
                self._publish(self._host.requests(now))

    def _add(self, heard: Sequence[Heard]) -> None:
        for each in heard:
            self._waiting.add(each)

    def _ask(self) -> None:
        self._publish(self._host.ask(_now()))

    def _publish(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            self._client.publish(message)

    def _nobody(self) -> str:
        if self._host.tags():
            return (
                f"{self._record.where}: the line has gone, its values are stale; must come back by "
                "itself. Look whether it runs, and whether it reaches the broker."
            )
        return (
            f"{self._record.where}: the broker is there, but no line has told what it is; must be "
            "an edge node that answers a request for its births, or described tags. Check group, "
            "node and scheme of the address, and that the line runs."
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
