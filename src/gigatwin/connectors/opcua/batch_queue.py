"""Batches that wait for their reader; when there are too many, the oldest is dropped."""

import asyncio
from collections import deque

from gigatwin.telemetry.readings import Batch


class BatchQueue:
    """A queue with an end and a limit.

    Parameters
    ----------
    most : int
        Batches that wait at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[Batch] = deque()
        self._changed = asyncio.Event()
        self._is_closed = False

    def put(self, batch: Batch) -> bool:
        """Add a batch; return whether the oldest had to go for it."""
        is_full = len(self._waiting) >= self._most
        if is_full:
            self._waiting.popleft()
        self._waiting.append(batch)
        self._changed.set()
        return is_full

    async def put_when_free(self, batch: Batch) -> None:
        """Add a batch once there is room for it."""
        while len(self._waiting) >= self._most and not self._is_closed:
            self._changed.clear()
            await self._changed.wait()
        self.put(batch)

    async def get(self) -> Batch | None:
        """Return the next batch, None when the queue is closed and empty."""
        while not self._waiting:
            if self._is_closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        batch = self._waiting.popleft()
        self._changed.set()
        return batch

    def __len__(self) -> int:
        """Return the number of batches that wait."""
        return len(self._waiting)

    def close(self) -> None:
        """Let readers come to the end of what is there."""
        self._is_closed = True
        self._changed.set()
