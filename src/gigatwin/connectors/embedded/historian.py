"""The historian that needs no server: a folder with a journal and segments."""

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import polars as pl

from gigatwin.connectors.embedded import compaction, retention
from gigatwin.connectors.embedded.journal import Journal, open_snapshot
from gigatwin.connectors.embedded.lock import WriterLock
from gigatwin.connectors.embedded.queries import run_query
from gigatwin.connectors.embedded.segments import HOUR
from gigatwin.connectors.embedded.snapshot import Snapshot
from gigatwin.connectors.embedded.verification import check_store
from gigatwin.errors import ConnectorError, GigatwinError
from gigatwin.telemetry.kept import ONE_TAG, StoreCheck, kept_rows, numbered_readings, reading_of
from gigatwin.telemetry.readings import Reading

logger = logging.getLogger(__name__)

MOST_IN_JOURNAL = 65_536
"""Readings in the journal from which on they are moved to segments."""
_MUCH_TOO_MANY = 8 * MOST_IN_JOURNAL
_ENOUGH_FOR_AN_HOUR = 5_000
_AHEAD = 500_000
_ATTEMPTS = 5

T = TypeVar("T")


class EmbeddedHistorian:
    """A historian in a folder. One process writes, any number of others read meanwhile.

    A batch is acknowledged when its commit is done: a kill of the process loses nothing then, and a
    loss of power at most the last commits (``is_power_safe`` waits for the disk instead, at a few
    milliseconds for each batch). Rows are numbered from 1 without gaps.

    Readings move to segments in the background when the journal holds 65 536 of them, or when an
    hour of source time is over. Should that not keep up, ``append`` does it itself, and the caller
    waits: a historian never drops readings.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        is_writer: bool = True,
        keep_days: float | None = None,
        keep_bytes: int | None = None,
        is_power_safe: bool = False,
    ) -> None:
        """Open the historian of a folder, or make it.

        Parameters
        ----------
        folder : str or Path
            The folder; made for a writer when it is not there. Not on a network drive, which
            SQLite's journal does not work on.
        is_writer : bool
            Whether to append. Only one historian can be open for writing.
        keep_days : float, optional
            Age by source time from which readings are given up. [d]
        keep_bytes : int, optional
            Room for segments; the oldest are given up for newer ones. [byte]
        is_power_safe : bool
            Whether each batch is on the disk before it is acknowledged.

        Raises
        ------
        ConnectorError
            If another process writes to it, if there is none to read, or it cannot be opened.
        """
        self.folder = Path(folder)
        self._keep = keep_days, keep_bytes
        self._lock: WriterLock | None = None
        self._journal: Journal | None = None
        self._compaction: threading.Thread | None = None
        self._is_compacting = threading.Lock()
        self._oldest: float | None = None
        self._ahead: tuple[int, pl.DataFrame] | None = None
        self._is_closed = False
        if is_writer:
            self._open_for_writing(is_power_safe=is_power_safe)
        else:
            with open_snapshot(self.folder):
                pass

    def _open_for_writing(self, *, is_power_safe: bool) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"{self.folder}: {error.strerror}; must be a folder that can be made."
            raise ConnectorError(message) from None
        lock = WriterLock(self.folder)
        try:
            self._journal = Journal(self.folder, is_power_safe=is_power_safe)
            compaction.remove_strays(self.folder, self._journal)
        except BaseException:
            lock.release()
            raise
        self._lock = lock

    @property
    def where(self) -> str:
        """The folder."""
        return str(self.folder)

    def append(self, readings: Sequence[Reading]) -> int:
        """Keep readings in one commit; return the number of the last row.

        Raises
        ------
        TelemetryError
            If a reading has no time, or a value that no tag has; none of them is kept.
        ConnectorError
            If they cannot be written; none of them is kept.
        """
        journal = self._writing()
        if not readings:
            return journal.last_row
        rows = kept_rows(readings)
        last = journal.append(rows)
        oldest = self._oldest
        if oldest is None:
            self._oldest = oldest = rows[0][1]
        is_hour_over = rows[-1][1] - oldest >= HOUR + compaction.GRACE
        if journal.n_rows >= _MUCH_TOO_MANY:
            self._wait_for_compaction()
            if journal.n_rows >= _MUCH_TOO_MANY:
                self.compact(is_thorough=False)
        elif journal.n_rows >= (_ENOUGH_FOR_AN_HOUR if is_hour_over else MOST_IN_JOURNAL):
            self._compact_in_background()
        return last

    def _writing(self) -> Journal:
        if self._journal is None or self._is_closed:
            state = "closed" if self._is_closed else "open for reading only"
            message = f"{self.folder}: this historian is {state}; open it for writing."
            raise ConnectorError(message)
        return self._journal

    def _compact_in_background(self) -> None:
        if self._compaction is not None and self._compaction.is_alive():
            return
        self._compaction = threading.Thread(target=self._compact_quietly, name="historian")
        self._compaction.start()

    def _compact_quietly(self) -> None:
        try:
            self.compact(is_thorough=False)
        except GigatwinError as error:
            # The readings are safe in the journal; append fails when that is too full.
            logger.warning("%s: compaction failed: %s", self.folder, error)
        except Exception:
            logger.exception("%s: compaction failed", self.folder)

    def _wait_for_compaction(self) -> None:
        if self._compaction is not None:
            self._compaction.join()

    def compact(self, *, is_thorough: bool = True) -> compaction.Compacted:
        """Move all readings to segments, and merge segments; return what was done.

        Parameters
        ----------
        is_thorough : bool
            Whether to merge whatever belongs together, worth the effort or not.
        """
        journal = self._writing()
        with self._is_compacting:
            self._oldest = None
            done = compaction.compact(self.folder, journal, is_thorough=is_thorough)
            if any(limit is not None for limit in self._keep):
                retention.retain(self.folder, journal, *self._keep)
        return done

    def retain(self, days: float | None = None, n_bytes: int | None = None) -> retention.Dropped:
        """Give up the segments that are too old or too much; return what went.

        Parameters
        ----------
        days : float, optional
            Age by source time from which readings go. [d]
        n_bytes : int, optional
            Room for segments. [byte]
        """
        journal = self._writing()
        with self._is_compacting:
            return retention.retain(self.folder, journal, days, n_bytes)

    def _look(self, look: Callable[[Snapshot], T]) -> T:
        """Look at a snapshot; again at a newer one when a file has gone meanwhile."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with open_snapshot(self.folder) as snapshot:
                    return look(snapshot)
            except FileNotFoundError as error:
                if attempt == _ATTEMPTS:
                    message = (
                        f"{self.folder}: {error}; a segment is missing. "
                        "'gigatwin history verify' says which."
                    )
                    raise ConnectorError(message) from None
        raise AssertionError

    def after(self, row: int, limit: int = 100_000) -> list[tuple[int, Reading]]:
        """Return readings kept after a row, in the order of their rows."""
        ahead = self._ahead
        if ahead is not None:
            begin, frame = ahead
            if begin <= row < frame["row"][-1]:
                rest = frame.slice(frame["row"].search_sorted(row, "right"))
                return numbered_readings(rest.head(limit))
            self._ahead = None
        frame = self._look(lambda snapshot: snapshot.after(row, limit, ahead=_AHEAD))
        if frame.height > limit:
            self._ahead = row, frame
        return numbered_readings(frame.head(limit))

    def last_row(self) -> int:
        """Return the number of the last row, 0 before the first."""
        return self._look(lambda snapshot: snapshot.last_row())

    def latest(self) -> Mapping[str, Reading]:
        """Return the newest reading of every tag, by source time; of equal times the last row."""
        newest = self._look(lambda snapshot: snapshot.current())
        return {tag: reading_of(row) for tag, row in newest.items()}

    def read(self, tag: str, begin: float, end: float) -> pl.DataFrame:
        """Return one tag between two source times [s since 1970], begin included.

        Columns time, value, text and quality, by time. A whole number beyond 2**53 has its digits
        as text beside the rounded value.
        """

        def look(snapshot: Snapshot) -> pl.DataFrame:
            return snapshot.scan([tag], begin, end).sort("time", "row").select(ONE_TAG).collect()

        return self._look(look)

    def use(
        self,
        tags: Collection[str] | None,
        begin: float,
        end: float,
        how: Callable[[pl.LazyFrame], T],
    ) -> T:
        """Do something with readings between two source times; return what it returns.

        Parameters
        ----------
        tags : collection of str or None
            Names of tags; None: all.
        begin, end : float
            Begin, included, and end, not included. [s since 1970]
        how : callable
            Gets the readings in any order, with the columns of the table ``readings`` and ``kind``,
            and must collect or write them; called again when a file was merged away meanwhile.
        """
        return self._look(lambda snapshot: how(snapshot.scan(tags, begin, end)))

    def query(self, sql: str) -> pl.DataFrame:
        """Return what one SELECT over the table ``readings`` gives.

        Raises
        ------
        TelemetryError
            If it is no SELECT, or cannot be carried out.
        """
        return self._look(lambda snapshot: run_query(snapshot, sql))

    def check(self) -> StoreCheck:
        """Read everything, and return what is wrong."""
        return check_store(self.folder)

    def n_bytes(self) -> int:
        """Return the size [byte] of all files."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def close(self) -> None:
        """Let go of files; can be called twice. Waits for a compaction under way."""
        self._wait_for_compaction()
        self._is_closed = True
        if self._journal is not None:
            self._journal.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None
