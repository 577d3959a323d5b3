"""Follow a plant: connect, take in what comes, keep the state, settle changes, again and again."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from gigatwin.errors import ConnectorError
from gigatwin.telemetry.ports import Sink, Source
from gigatwin.twin.live import LiveTwin
from gigatwin.twin.watch import Finding

_logger = logging.getLogger(__name__)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0


@dataclass(frozen=True)
class Rhythm:
    """How often things are done, in seconds of wall time."""

    status: float = 1.0
    """What the twin says of itself."""
    checkpoint: float = 10.0
    """The state from which it goes on after it was ended."""
    settle: float = 1.0
    """Rows held back, and changes on their way."""


@dataclass
class Following:
    """A twin that follows a source.

    It ends when the source ends or the task is cancelled, and keeps its state then.
    """

    twin: LiveTwin
    source: Source
    sink: Sink | None = None
    """Where instructions go; None: nothing is ever written."""
    rhythm: Rhythm = Rhythm()
    say: Callable[[str], None] = _logger.info
    """Gets what a person wants to know at once: a loss, a return, a finding."""

    async def run(self) -> None:
        """Follow until the source ends.

        Raises
        ------
        TelemetryError
            If the state kept cannot be gone on from.
        """
        n = self.twin.recover()
        if n:
            self.say(f"{n} readings taken in that came after the last checkpoint")
        await self._connect(self.source)
        if self.sink is not None:
            await self._connect(self.sink)
        # What was missed while nobody listened is not all in the historian.
        await self.source.refresh()
        beside = asyncio.create_task(self._beside())
        try:
            await self._take_in(beside)
        finally:
            beside.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beside
            self._tell(self.twin.settle())
            self.twin.keep()
            self._keep_status()
            await self.source.close()
            if self.sink is not None:
                await self.sink.close()

    async def _connect(self, port: Source | Sink) -> None:
        """Open a port; again with growing pauses while the other side is not there."""
        pause, said = _FIRST_PAUSE, ""
        while True:
            try:
                await port.open()
            except ConnectorError as error:
                if str(error) != said:
                    said = str(error)
                    self.say(f"{said} Trying again.")
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                return

    async def _take_in(self, beside: asyncio.Task[None]) -> None:
        async for batch in self.source.batches():
            self._tell(self.twin.take(batch))
            # A source that is never empty must not keep everything else from its turn.
            await asyncio.sleep(0)
            if beside.done():
                # It never ends by itself: this raises what went wrong.
                await beside

    async def _beside(self) -> None:
        status = checkpoint = settle = 0.0
        while True:
            now = time.monotonic()
            if now >= settle:
                settle = now + self.rhythm.settle
                self._tell(self.twin.settle())
                await self._settle_changes()
            if now >= checkpoint:
                checkpoint = now + self.rhythm.checkpoint
                self.twin.keep()
            if now >= status:
                status = now + self.rhythm.status
                self._keep_status()
            await asyncio.sleep(min(self.rhythm.settle, self.rhythm.status) / 2)

    async def _settle_changes(self) -> None:
        desk = self.twin.desk
        if desk is None or self.sink is None:
            return
        for history in await desk.settle(self.sink):
            self.say(f"change {history.change}: {history.status}")

    def _keep_status(self) -> None:
        diagnostics = self.source.diagnostics()
        self.twin.store.keep_status(
            {
                **self.twin.status(),
                "source": {
                    "where": diagnostics.where,
                    "is_connected": diagnostics.is_connected,
                    "counts": diagnostics.counts,
                    "last_error": diagnostics.last_error,
                },
                "is_writable": self.sink is not None,
            }
        )

    def _tell(self, findings: list[Finding]) -> None:
        for finding in findings:
            self.say(f"finding {finding.number}: {finding.text}")
