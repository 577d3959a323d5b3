"""Readings from a growing log."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from threading import Lock
from typing import Self
from zoneinfo import ZoneInfo

from gigatwin.connectors.files.client import Part, log_at
from gigatwin.connectors.files.diagnostics import FileRecord
from gigatwin.connectors.files.mapping import Form, Rows, add_kinds, form_of, tags_of
from gigatwin.connectors.files.settings import FileSettings
from gigatwin.errors import ConnectorError
from gigatwin.telemetry import Batch, Diagnostics, Reading, Tag, TagType

_MOST_SHOWN = 8
_NEEDED = "needs a column of times (time, timestamp), then tag and value, or a column for each tag"


class FileSource:
    """Follows a log from its start, or from its end with the present values first.

    The file is the queue: a slow reader falls behind and loses nothing.

    Parameters
    ----------
    settings : FileSettings
        The log, and how it is followed.
    """

    def __init__(self, settings: FileSettings) -> None:
        self._settings = settings
        self._record = FileRecord(settings.where)
        self._follower = _Follower(settings, self._record)
        self._is_snapshot_wanted = False
        self._is_closed = False
        self._wake = asyncio.Event()

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Return the source of a URL; see `FileSettings.from_url`."""
        return cls(FileSettings.from_url(url))

    async def open(self) -> None:
        """Find the log.

        Raises
        ------
        ConnectorError
            If it is not there, cannot be read, or has no column of times.
        """
        self._is_closed = False
        await asyncio.to_thread(self._follower.begin)
        if self._settings.begin == "end":
            await asyncio.to_thread(self._follower.skip)
            self._is_snapshot_wanted = True

    async def browse(self) -> Sequence[Tag]:
        """Return the tags of the whole log, as it is now."""
        follower = _Follower(self._settings, FileRecord(self._settings.where))
        try:
            await asyncio.to_thread(follower.begin)
            return await asyncio.to_thread(follower.tags)
        finally:
            follower.close()

    async def batches(self) -> AsyncIterator[Batch]:
        """Yield what is added, until the source is closed."""
        while not self._is_closed:
            readings = await asyncio.to_thread(self._follower.read)
            is_snapshot = not readings and self._is_snapshot_wanted
            if is_snapshot:
                self._is_snapshot_wanted = False
                readings = list(self._follower.latest.values())
            if readings:
                self._record.counts["batches"] += 1
                self._record.counts["readings"] += len(readings)
                yield Batch(tuple(readings), time.time(), is_snapshot=is_snapshot)
            elif not self._is_closed:
                # Not wait_for, which before Python 3.12 may lose that its caller was cancelled.
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.poll):
                        await self._wake.wait()
                self._wake.clear()

    async def refresh(self) -> None:
        """Ask for the last value of each tag; it comes when all rows have been read."""
        self._is_snapshot_wanted = True
        self._wake.set()

    async def close(self) -> None:
        """Let go of the log."""
        self._is_closed = True
        self._wake.set()
        await asyncio.to_thread(self._follower.close)

    def diagnostics(self) -> Diagnostics:
        """Return how following is going."""
        return self._record.tell()


class _Follower:
    """Reads a log in a thread of its own, so that a slow disk stops nobody."""

    def __init__(self, settings: FileSettings, record: FileRecord) -> None:
        self.latest: dict[str, Reading] = {}
        self._settings = settings
        self._record = record
        self._log = log_at(settings.path)
        self._columns: list[str] = []
        self._form: Form | None = None
        self._rows: Rows | None = None
        self._lock = Lock()
        self._is_open = False
        self._first: list[Reading] = []

    def begin(self) -> None:
        """Open the log; raise ConnectorError where that cannot be done."""
        with self._lock:
            self._log.close()
            # Only now is it known whether it is a file or a folder.
            self._log = log_at(self._settings.path)
            self._columns, self._is_open = [], True
            try:
                self._first = self._next()
            except OSError as error:
                self._lose(error)
                raise ConnectorError(self._record.last_error) from None

    def read(self) -> list[Reading]:
        """Return the next readings; none at the end of the log, or where it is gone."""
        with self._lock:
            first, self._first = self._first, []
            if first or not self._is_open:
                return first
            try:
                return self._next()
            except OSError as error:
                self._lose(error)
                return []

    def skip(self) -> None:
        """Go to the end of the log."""
        while self.read():
            pass

    def tags(self) -> list[Tag]:
        """Return the tags of all readings up to the end."""
        kinds: dict[str, TagType | None] = {}
        while readings := self.read():
            add_kinds(kinds, readings)
        for _, tag in self._form.tags if self._form is not None else ():
            kinds.setdefault(tag)
        return tags_of(kinds)

    def close(self) -> None:
        """Let go of the log."""
        with self._lock:
            self._is_open = False
            self._log.close()
            self._record.is_connected = False

    def _next(self) -> list[Reading]:
        is_back = not self._record.is_connected
        if is_back:
            self._log.open()
        part = self._log.read()
        readings = self._readings(part)
        while not readings and not part.is_end:
            part = self._log.read()
            readings = self._readings(part)
        if is_back:
            self._record.find()
        return readings

    def _readings(self, part: Part) -> list[Reading]:
        self._record.counts["reconnections"] += part.n_replaced
        for place, problem in part.problems:
            self._record.refuse(place, problem)
        if part.columns and part.columns != self._columns:
            self._understand(part)
        readings: list[Reading] = []
        for place, row in part.rows:
            try:
                readings += self._rows.readings(row) if self._rows is not None else ()
            except ValueError as error:
                self._record.refuse(place, str(error))
        latest = self.latest
        for reading in readings:
            before = latest.get(reading.tag)
            if before is None or reading.source_time >= before.source_time:
                latest[reading.tag] = reading
        return readings

    def _understand(self, part: Part) -> None:
        name = self._settings.path.stem
        form = form_of(part.columns, name)
        if form is None:
            found = ", ".join(part.columns[:_MOST_SHOWN])
            message = f"{self._record.where}: columns {found}; {_NEEDED}"
            raise ConnectorError(message)
        zone = ZoneInfo(self._settings.zone)
        self._columns, self._form = part.columns, form
        self._rows = Rows(form, name, zone, has_decimal_comma=part.has_decimal_comma)

    def _lose(self, error: OSError) -> None:
        self._log.close()
        self._columns = []
        # A ConnectorError is an error of the connection too, and says all itself.
        reason = str(error)
        if not isinstance(error, ConnectorError):
            what = (error.strerror or reason).lower()
            reason = f"{self._record.where}: {what}; check the path, or start what writes it"
        self._record.lose(reason)
