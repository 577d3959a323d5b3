"""Batches between a connection and whoever reads them: gathered, bounded, in order."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable

from gigatwin.connectors.mqtt.messages import Heard
from gigatwin.telemetry.readings import Batch, Reading


class WaitingBatches:
    """A queue of batches that drops the oldest when its reader is too slow.

    Readings that come within a short time become one batch, as long as they are of the same sort.
    """

    def __init__(
        self,
        gathering_time: float,
        most_waiting: int,
        counts: Counter[str],
        on_overrun: Callable[[], None],
    ) -> None:
        """Begin empty.

        Parameters
        ----------
        gathering_time : float
            How long readings are gathered into one batch. [s]
        most_waiting : int
            Readings that may wait for their reader.
        counts : Counter
            Where ``batches``, ``readings`` and ``dropped`` are counted.
        on_overrun : callable
            Called when the reader has caught up after batches were dropped.
        """
        self._gathering_time = gathering_time
        self._most_waiting = most_waiting
        self._counts = counts
        self._on_overrun = on_overrun
        self._gathered: list[Reading] = []
        self._is_snapshot = False
        self._n_lost: int | None = 0
        self._timer: asyncio.TimerHandle | None = None
        self._batches: deque[Batch] = deque()
        self._n_waiting = 0
        self._is_overrun = False
        self._is_closed = False
        self._came = asyncio.Event()

    def add(self, heard: Heard) -> None:
        """Take readings."""
        if heard.is_snapshot != self._is_snapshot or heard.n_lost:
            self._flush()
            self._is_snapshot = heard.is_snapshot
            if self._n_lost is not None:
                self._n_lost += heard.n_lost
        self._gathered += heard.readings
        if self._timer is None and self._gathered:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._gathering_time, self._flush)

    def doubt(self) -> None:
        """Note that it cannot be known what is missing before the next batch."""
        self._flush()
        self._n_lost = None

    def close(self) -> None:
        """End the batches, once those that wait are read."""
        self._flush()
        self._is_closed = True
        self._came.set()

    async def read(self) -> AsyncIterator[Batch]:
        """Yield batches until closed."""
        while True:
            while self._batches:
                batch = self._batches.popleft()
                self._n_waiting -= len(batch.readings)
                yield batch
            if self._is_overrun:
                # Asked for only now, for the answer would be the next thing to be dropped.
                self._is_overrun = False
                self._on_overrun()
            if self._is_closed:
                return
            self._came.clear()
            await self._came.wait()

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._gathered:
            return
        readings = tuple(self._gathered)
        self._gathered = []
        batch = Batch(readings, time.time(), self._is_snapshot, self._n_lost)
        self._n_lost = 0
        self._batches.append(batch)
        self._n_waiting += len(readings)
        self._counts["batches"] += 1
        self._counts["readings"] += len(readings)
        while self._n_waiting > self._most_waiting and len(self._batches) > 1:
            self._drop()
        self._came.set()

    def _drop(self) -> None:
        oldest = self._batches.popleft()
        self._n_waiting -= len(oldest.readings)
        self._counts["dropped"] += 1
        self._is_overrun = True
        # What is dropped is missing before the batch that is the oldest now.
        first = self._batches[0]
        n_lost = None
        if first.n_lost is not None and oldest.n_lost is not None:
            n_lost = oldest.n_lost + 1 + first.n_lost
        self._batches[0] = Batch(first.readings, first.received, first.is_snapshot, n_lost)
