"""Reading a source beside a test."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from gigatwin.telemetry import Batch, Reading, Source, Value

ANY: object = object()
"""Stands for any value."""


class BatchReader:
    """Collects the batches of an open source while a test does something else.

    Parameters
    ----------
    source : Source
        An open source.
    patience : float
        How long to wait for something, at most; wall time. [s]
    """

    def __init__(self, source: Source, patience: float) -> None:
        self.batches: list[Batch] = []
        self._source = source
        self._patience = patience
        self._came = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to read."""
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop reading; raise AssertionError where the source does not let go."""
        task = self._task
        if task is None:
            return
        task.cancel()
        await asyncio.wait({task}, timeout=self._patience)
        if not task.done():
            message = "the contract asks for batches() that end when the task is cancelled"
            raise AssertionError(message)
        if error is None and not task.cancelled():
            task.result()  # raises what the source raised

    async def _read(self) -> None:
        try:
            async for batch in self._source.batches():
                self.batches.append(batch)
                self._came.set()
        finally:
            self._came.set()

    @property
    def readings(self) -> list[Reading]:
        """Every reading that came, in order."""
        return [reading for batch in self.batches for reading in batch.readings]

    def values(self, tag: str) -> list[Value]:
        """Return the values of a tag that came, in order."""
        return [reading.value for reading in self.readings if reading.tag == tag]

    def snapshot(self) -> dict[str, Value]:
        """Return what the batches that are snapshots say, tag by tag."""
        batches = (batch for batch in self.batches if batch.is_snapshot)
        return {reading.tag: reading.value for batch in batches for reading in batch.readings}

    def forget(self) -> None:
        """Drop what came so far."""
        self.batches.clear()

    async def wait_until(self, is_there: Callable[[], bool], what: str) -> None:
        """Return when a condition holds.

        Raises
        ------
        AssertionError
            If it does not in time, or the batches end before.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self._patience
        while not is_there():
            if self._task is not None and self._task.done():
                self._task.result()  # raises what the source raised
                message = f"the contract asks for {what}; the batches ended before"
                raise AssertionError(message)
            self._came.clear()
            try:
                async with asyncio.timeout_at(end):
                    await self._came.wait()
            except TimeoutError:
                last = self.readings[-5:]
                message = (
                    f"the contract asks for {what} within {self._patience:g} s; the last of "
                    f"{len(self.readings)} readings: {last}"
                )
                raise AssertionError(message) from None

    async def wait_for(self, tag: str, value: object = ANY) -> tuple[Batch, Reading]:
        """Return the first reading of a tag with a value, and its batch, once it has come."""

        def find() -> tuple[Batch, Reading] | None:
            for batch in self.batches:
                for reading in batch.readings:
                    if reading.tag == tag and (value is ANY or reading.value == value):
                        return batch, reading
            return None

        text = "a value" if value is ANY else repr(value)
        await self.wait_until(lambda: find() is not None, f"{text} of {tag}")
        found = find()
        if found is None:  # pragma: no cover
            raise AssertionError(tag)
        return found

    async def wait_for_end(self) -> None:
        """Return when the source has ended its batches."""
        if self._task is not None:
            async with asyncio.timeout(self._patience):
                await self._task
