"""Readings from an OPC UA server, without a gap where the server keeps a history."""
# ruff: noqa: ANN401, PLC0415 - asyncua is optional, and typed in part only

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gigatwin.connectors.opcua.batch_queue import BatchQueue
from gigatwin.connectors.opcua.diagnostics import Account, require_asyncua
from gigatwin.connectors.opcua.mapping import is_overflow, reading_of
from gigatwin.connectors.opcua.settings import OpcUaSettings
from gigatwin.errors import ConnectorError
from gigatwin.telemetry.ports import Diagnostics
from gigatwin.telemetry.readings import Batch, Reading
from gigatwin.telemetry.tags import Tag

if TYPE_CHECKING:
    from gigatwin.connectors.opcua.browsing import Entry
    from gigatwin.connectors.opcua.client import Connection

_logger = logging.getLogger(__name__)
_WINDOW = 120.0
_AT_ONCE = 5000
_SILENCE = 4.0
_CLOSE_ENOUGH = 2.0


class OpcUaSource:
    """Subscribes to every tag of a server (`gigatwin.telemetry.ports.Source`).

    After a loss it connects again with growing pauses, reads from the server's history what it
    missed, where the server keeps one, and then the present values. Values of one message are put
    in the order of their source times, since a server groups them by tag. A refresh may bring a
    value whose change is still on its way; the change then comes after it.

    Parameters
    ----------
    settings : OpcUaSettings or str
        Where the server is, or its URL (`OpcUaSettings.from_url`).
    """

    def __init__(self, settings: OpcUaSettings | str) -> None:
        if isinstance(settings, str):
            settings = OpcUaSettings.from_url(settings)
        self._settings = settings
        self._account = Account(settings.endpoint)
        self._queue = BatchQueue(settings.batches)
        self._connection: Connection | None = None
        self._entries: dict[str, Entry] = {}
        self._latest: dict[str, Reading] = {}
        self._held: list[Batch] | None = None
        self._lost = asyncio.Event()
        self._number: int | None = None
        self._heard = 0.0
        self._is_behind = False
        self._is_closed = False
        self._keeper: asyncio.Task[None] | None = None
        self._refreshing: set[asyncio.Task[None]] = set()

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Return the source at a URL (`OpcUaSettings.from_url`), not connected yet."""
        return cls(OpcUaSettings.from_url(url, folder=folder, environment=environment))

    async def open(self) -> None:
        """Connect; raise ConnectorError where the server cannot be reached or refuses."""
        try:
            require_asyncua()
            await self._connect(is_again=False)
        except ConnectorError as error:
            self._account.last_error = str(error)
            raise
        self._keeper = asyncio.create_task(self._keep_connected())

    async def browse(self) -> Sequence[Tag]:
        """Return the tags that the server offers."""
        if self._connection is None:
            message = f"{self._settings.endpoint}: not connected; open the source first"
            raise ConnectorError(message)
        return [entry.tag for entry in (await self._connection.tags()).values()]

    async def batches(self) -> AsyncIterator[Batch]:
        """Yield what arrives, until the source is closed."""
        while (batch := await self._queue.get()) is not None:
            yield batch
            if self._is_behind and not len(self._queue):
                self._is_behind = False
                self._refresh_soon()

    async def refresh(self) -> None:
        """Read the present values of all tags; they arrive as one batch that is a snapshot.

        While the connection is lost nothing happens: its return brings a snapshot anyway.
        """
        if self._connection is None or self._lost.is_set():
            return
        try:
            await self._snapshot(self._connection)
        except ConnectorError as error:
            self._lose(str(error))

    async def close(self) -> None:
        """Disconnect; can be called twice."""
        self._is_closed = True
        tasks = [*self._refreshing, *([self._keeper] if self._keeper else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._keeper = None
        await self._disconnect()
        self._queue.close()

    def diagnostics(self) -> Diagnostics:
        """Return how the connection is doing."""
        return self._account.told()

    async def _connect(self, *, is_again: bool) -> None:
        from gigatwin.connectors.opcua.client import Connection

        connection = Connection(self._settings, self._lose)
        await connection.open()
        try:
            self._lost.clear()
            self._account.is_connected = True
            if is_again:
                self._account.count("reconnections")
            self._entries = await connection.tags()
            if is_again:
                await self._catch_up(connection)
            self._held = []
            self._number = None
            refused = await connection.subscribe([*self._entries.values()], self._published)
            if refused:
                self._account.last_error = (
                    f"{self._settings.endpoint}: {len(refused)} tags are not sent, the first is "
                    f"{refused[0]}"
                )
            if is_again:
                await self._fetch(connection, None)
            self._release()
            await self._snapshot(connection)
        except BaseException:
            self._held = None
            self._account.is_connected = False
            await connection.close()
            raise
        self._connection = connection
        self._heard = time.monotonic()

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        self._account.is_connected = False
        if connection is not None:
            await connection.close()

    async def _keep_connected(self) -> None:
        while not self._is_closed:
            with contextlib.suppress(TimeoutError):
                # Before Python 3.12 asyncio.wait_for can swallow a cancellation.
                async with asyncio.timeout(1.0):
                    await self._lost.wait()
            if not self._lost.is_set():
                silence = time.monotonic() - self._heard
                if silence > _SILENCE * self._longest_silence():
                    self._lose(f"nothing was heard for {silence:.0f} s")
                continue
            await self._disconnect()
            await self._connect_again()

    def _longest_silence(self) -> float:
        from gigatwin.connectors.opcua.client import KEEP_ALIVE

        return max(KEEP_ALIVE, 2.0 * self._settings.interval)

    async def _connect_again(self) -> None:
        settings, since = self._settings, time.monotonic()
        pause = settings.pause
        while True:
            try:
                await self._connect(is_again=True)
            except ConnectorError as error:
                self._account.last_error = str(error)
            except Exception as error:
                # What a broken server sends must not end the watch over it.
                _logger.debug("%s: connecting again failed", settings.endpoint, exc_info=True)
                self._account.last_error = f"{settings.endpoint}: {error!r}"
            else:
                gone = time.monotonic() - since
                _logger.info("%s: back after %.1f s", settings.endpoint, gone)
                return
            await asyncio.sleep(pause)
            pause = min(2.0 * pause, settings.longest_pause)

    def _lose(self, reason: str) -> None:
        if self._lost.is_set() or self._is_closed:
            return
        self._lost.set()
        if self._account.is_connected:
            self._account.is_connected = False
            self._account.last_error = f"{self._settings.endpoint}: connection lost: {reason}"
            _logger.warning("%s; connecting again", self._account.last_error)

    def _published(self, number: int, values: Sequence[Any], end: Any) -> None:
        self._heard = received = time.monotonic()
        if end is not None:
            self._lose(f"the server ended the subscription ({end.name})")
            return
        n_lost = 0
        if values:
            expected = self._number
            self._number = number + 1
            if expected is not None and number > expected:
                n_lost = number - expected
        received = time.time()
        readings, has_overflow = self._readings(values, received)
        readings = [row for row in readings if not self._is_repeated(row)]
        if n_lost or has_overflow:
            self._account.count("gaps")
            self._refresh_soon()
        if readings or n_lost:
            self._deliver(Batch(tuple(readings), received, n_lost=n_lost))

    def _readings(self, values: Sequence[Any], received: float) -> tuple[list[Reading], bool]:
        readings, has_overflow = [], False
        for entry, value in values:
            reading = reading_of(entry.tag, value, received)
            if reading is None:
                self._account.count("malformed")
                continue
            if reading.value is None and value.SourceTimestamp is None:
                # A tag that waits for its first value says nothing, and at no time.
                continue
            readings.append(reading)
            has_overflow = has_overflow or is_overflow(value.StatusCode.value)
        readings.sort(key=_moment)
        return readings, has_overflow

    def _is_repeated(self, reading: Reading) -> bool:
        is_repeated = self._latest.get(reading.tag) == reading
        if is_repeated:
            self._account.count("duplicates")
        elif self._held is None:
            self._latest[reading.tag] = reading
        return is_repeated

    def _is_known(self, reading: Reading) -> bool:
        """Whether the history has brought this already, or something newer."""
        latest = self._latest.get(reading.tag)
        has_history = self._entries[reading.tag].has_history
        if latest and has_history and reading.source_time <= latest.source_time:
            self._account.count("duplicates")
            return True
        return self._is_repeated(reading)

    def _deliver(self, batch: Batch) -> None:
        if self._held is not None:
            self._held.append(batch)
            return
        self._count(batch)
        if self._queue.put(batch):
            self._account.count("dropped")
            self._is_behind = True

    def _count(self, batch: Batch) -> None:
        self._account.count("batches")
        self._account.count("readings", len(batch.readings))

    def _release(self) -> None:
        held, self._held = self._held or [], None
        for batch in held:
            readings = tuple(row for row in batch.readings if not self._is_known(row))
            if readings:
                self._deliver(Batch(readings, batch.received, n_lost=batch.n_lost))

    def _refresh_soon(self) -> None:
        if not self._refreshing and not self._is_closed:
            task = asyncio.create_task(self.refresh())
            self._refreshing.add(task)
            task.add_done_callback(self._refreshing.discard)

    async def _snapshot(self, connection: "Connection") -> None:
        entries = [*self._entries.values()]
        values = await connection.read(entries)
        received = time.time()
        present, _ = self._readings([*zip(entries, values, strict=True)], received)
        # What only a snapshot brought is no change yet: its own message is still on the way.
        newest = [max(self._latest.get(row.tag, row), row, key=_moment) for row in present]
        merged = sorted(newest, key=_moment)
        self._deliver(Batch(tuple(merged), received, is_snapshot=True))

    async def _catch_up(self, connection: "Connection") -> None:
        """Read what was missed in slices, until little is left."""
        while self._latest:
            begin = max(reading.source_time for reading in self._latest.values())
            values = await connection.read([*self._entries.values()])
            readings, _ = self._readings([*zip(self._entries.values(), values, strict=True)], 0.0)
            now = max((row.source_time for row in readings), default=begin)
            began = time.monotonic()
            while begin < now:
                begin = min(now, begin + _WINDOW)
                await self._fetch(connection, begin)
            if time.monotonic() - began < _CLOSE_ENOUGH:
                return

    async def _fetch(self, connection: "Connection", end: float | None) -> None:
        """Deliver what the server kept of each tag after the last value that came."""
        begins = {
            entry: self._latest[name].source_time
            for name, entry in self._entries.items()
            if entry.has_history and name in self._latest
        }
        missed: list[Reading] = []
        async for rows in connection.history(begins, end):
            readings, _ = self._readings(rows, time.time())
            missed += [
                row for row in readings if row.source_time > self._latest[row.tag].source_time
            ]
        missed.sort(key=_moment)
        for first in range(0, len(missed), _AT_ONCE):
            some = tuple(missed[first : first + _AT_ONCE])
            batch = Batch(some, time.time())
            self._count(batch)
            self._account.count("backfilled", len(some))
            await self._queue.put_when_free(batch)
            self._latest.update((reading.tag, reading) for reading in some)


def _moment(reading: Reading) -> float:
    return reading.source_time
