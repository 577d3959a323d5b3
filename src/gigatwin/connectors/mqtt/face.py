"""What a line shows at an MQTT broker: an edge node of Sparkplug B, or a unified namespace."""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Self

from gigatwin.connectors.mqtt.client import MqttClient, Session
from gigatwin.connectors.mqtt.diagnostics import ConnectionRecord
from gigatwin.connectors.mqtt.mapping import PYTHON_TYPE, fitting
from gigatwin.connectors.mqtt.messages import Command, Edge, HostState, Incoming, Outgoing, Refresh
from gigatwin.connectors.mqtt.orders import Orders
from gigatwin.connectors.mqtt.settings import ANY_NODE, MqttSettings
from gigatwin.connectors.mqtt.sparkplug.edge import EdgeNode
from gigatwin.connectors.mqtt.uns.edge import NamespaceEdge
from gigatwin.errors import ConnectorError, TelemetryError
from gigatwin.telemetry.ports import Diagnostics, WriteHandler
from gigatwin.telemetry.readings import Batch, Reading
from gigatwin.telemetry.tags import Tag

_MOST_ORDERS = 1000
_CHUNK = 2000
_REPEAT_PAUSE = 0.05  # several who ask at the same time are answered once
_STALE_PATIENCE = 2.0  # how long a host that seems to be there since before may take to tell so


class MqttFace:
    """Tells a line's values to a broker, and hands over what is to be written.

    While nobody can take them, values are kept; they follow in order after the next birth, which
    tells the values from before.
    """

    def __init__(self, settings: MqttSettings) -> None:
        """Do nothing yet.

        Raises
        ------
        ConnectorError
            If the settings name no single line, or do not go together.
        """
        if settings.node == ANY_NODE:
            message = f"{settings.where}: node +; must be the name of one line. Name it."
            raise ConnectorError(message)
        if settings.scheme == "uns":
            _ = settings.path
            if settings.primary_host:
                message = f"{settings.where}: primary_host is for Sparkplug only. Leave it out."
                raise ConnectorError(message)
        self._settings = settings
        self._record = ConnectionRecord(settings)
        self._edge: Edge | None = None
        self._client: MqttClient | None = None
        self._tags: dict[str, Tag] = {}
        self._types: dict[str, type] = {}
        self._stored: deque[Reading] = deque()
        self._is_live = False
        self._host_since = 0.0
        self._commands: asyncio.Queue[Command] = asyncio.Queue(_MOST_ORDERS)
        self._worker: asyncio.Task[None] | None = None
        self._going_live: asyncio.Task[None] | None = None
        self._repetition: asyncio.TimerHandle | None = None

    @classmethod
    def from_url(
        cls, url: str, environment: Mapping[str, str] | None = None, **changes: object
    ) -> Self:
        """Return a face as a URL says; see `MqttSettings.from_url`."""
        return cls(MqttSettings.from_url(url, environment, **changes))

    async def open(self, tags: Sequence[Tag], on_write: WriteHandler) -> None:
        """Connect, offer tags, and hand writes to a handler.

        Raises
        ------
        ConnectorError
            If the broker cannot be reached or refuses.
        TelemetryError
            If a tag's name cannot be used.
        """
        _check_names(tags)
        settings = self._settings
        is_sparkplug = settings.scheme == "sparkplug"
        edge: Edge = (EdgeNode if is_sparkplug else NamespaceEdge)(settings, tags)
        self._edge = edge
        self._tags = {tag.name: tag for tag in tags}
        self._types = {tag.name: PYTHON_TYPE[tag.type] for tag in tags}
        session = Session(edge.make_will, self._begin, self._receive, self._lose)
        self._client = MqttClient(settings, session, edge.filters, self._record)
        orders = Orders(self._tags, on_write)
        self._worker = asyncio.create_task(self._work(edge, orders))
        try:
            await self._client.open()
        except BaseException:
            await self.close()
            raise

    async def publish(self, batch: Batch) -> None:
        """Tell new values; keep them while nobody can take them.

        Raises
        ------
        ConnectorError
            If the face is not open.
        TelemetryError
            If a tag is not offered or cannot hold its value; nothing is told then.
        """
        if self._client is None or self._edge is None:
            message = f"{self._record.where}: the face is not open. Open it first."
            raise ConnectorError(message)
        readings = self._checked(batch)
        counts = self._record.counts
        counts["batches"] += 1
        counts["readings"] += len(readings)
        if self._is_live and self._client.is_connected:
            self._send(self._edge.data(readings))
            await self._client.drain()
            return
        counts["stored"] += len(readings)
        self._stored.extend(readings)
        while len(self._stored) > self._settings.most_stored:
            self._stored.popleft()
            counts["dropped"] += 1

    async def close(self) -> None:
        """Say farewell and disconnect; can be called twice."""
        if self._repetition is not None:
            self._repetition.cancel()
            self._repetition = None
        tasks = [task for task in (self._worker, self._going_live) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._worker = self._going_live = None
        if self._client is not None and self._edge is not None:
            await self._client.close(self._edge.farewell() if self._is_live else ())
        self._is_live = False
        self._client = self._edge = None

    def diagnostics(self) -> Diagnostics:
        """Return how the connection is doing."""
        is_connected = self._client is not None and self._client.is_connected
        return self._record.tell(is_connected=is_connected and self._is_live)

    def _checked(self, batch: Batch) -> list[Reading]:
        types = self._types
        return [
            reading if type(reading.value) is types.get(reading.tag) else self._fitted(reading)
            for reading in batch.readings
        ]

    def _fitted(self, reading: Reading) -> Reading:
        tag = self._tags.get(reading.tag)
        if tag is None:
            message = (
                f"{reading.tag}: not offered at {self._record.where}; must be one of its tags."
            )
            raise TelemetryError(message)
        try:
            return reading._replace(value=fitting(reading.value, tag.type))
        except ValueError as error:
            message = f"{reading.tag}: {reading.value!r}; {error}."
            raise TelemetryError(message) from None

    def _send(self, messages: Sequence[Outgoing]) -> None:
        if self._client is not None:
            for message in messages:
                self._client.publish(message)

    async def _begin(self) -> None:
        if not self._settings.primary_host:
            await self._go_live()

    def _lose(self) -> None:
        self._is_live = False
        if self._going_live is not None:
            self._going_live.cancel()

    async def _go_live(self) -> None:
        """Tell everything, then what was kept; new values queue up behind it meanwhile."""
        edge, client = self._edge, self._client
        if edge is None or client is None:
            return
        self._send(edge.births())
        while self._stored:
            await client.drain()
            if not client.is_connected:
                return
            n = min(_CHUNK, len(self._stored))
            self._send(edge.data([self._stored.popleft() for _ in range(n)]))
        self._is_live = True

    def _receive(self, message: Incoming) -> None:
        counts: Counter[str] = self._record.counts
        try:
            asked = None if self._edge is None else self._edge.understand(message)
        except TelemetryError as error:
            counts["malformed"] += 1
            self._record.note(f"{message.topic}: {error}")
            return
        match asked:
            case Command():
                try:
                    self._commands.put_nowait(asked)
                    counts["commands"] += 1
                except asyncio.QueueFull:
                    counts["dropped"] += 1
            case Refresh():
                counts["births_requested"] += 1
                if self._repetition is None and self._is_live:
                    loop = asyncio.get_running_loop()
                    self._repetition = loop.call_later(_REPEAT_PAUSE, self._repeat)
            case HostState():
                self._attend(asked)

    def _repeat(self) -> None:
        self._repetition = None
        if self._edge is not None and self._is_live:
            self._send(self._edge.repetition())

    def _attend(self, host: HostState) -> None:
        """Go on or stop, as the primary host comes or goes."""
        if host.since < self._host_since:
            return  # the last will of a session before the present one
        is_known = host.is_retained and host.since == self._host_since
        self._host_since = host.since
        if self._going_live is not None:
            self._going_live.cancel()
            self._going_live = None
        if host.is_online and not self._is_live:
            pause = _STALE_PATIENCE if is_known else 0.0
            self._going_live = asyncio.create_task(self._go_live_after(pause))
        elif not host.is_online and self._is_live and self._client is not None:
            # By the specification the session ends, so that the next one has a birth of its own.
            self._send(self._edge.farewell() if self._edge is not None else ())
            self._is_live = False
            self._client.renew("the primary host is offline")

    async def _go_live_after(self, pause: float) -> None:
        # A broker that died may tell of a host that has not come back yet.
        await asyncio.sleep(pause)
        await self._go_live()

    async def _work(self, edge: Edge, orders: Orders) -> None:
        while True:
            command = await self._commands.get()
            reason = await orders.carry_out(command)
            self._record.counts["refused" if reason else "done"] += 1
            self._send(edge.acknowledge(command, reason))


def _check_names(tags: Sequence[Tag]) -> None:
    seen = set()
    for tag in tags:
        is_plain = not (set(tag.element) | set(tag.label)) & set("+#")
        if not tag.element or not tag.label or not is_plain or tag.name in seen:
            message = f"tag {tag.name!r}; must be element/tag, once, without + and #. Rename it."
            raise TelemetryError(message)
        seen.add(tag.name)
