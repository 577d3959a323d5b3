"""The journal: an SQLite database with the newest readings, and the list of all segments.

What it holds decides: a segment counts when the journal names it, and a row is in the journal or in
a segment, because one transaction moves the border between them.
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields
from itertools import chain
from pathlib import Path
from typing import Final

import polars as pl

from gigatwin.connectors.embedded.segments import Segment
from gigatwin.connectors.embedded.snapshot import Snapshot
from gigatwin.errors import ConnectorError
from gigatwin.telemetry.kept import Row, kept_frame

FILE: Final = "journal.sqlite"
"""Name of the journal in the folder of the historian."""
_FORMAT = 1
_SCHEMA = """
CREATE TABLE tag (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE reading (
    row INTEGER PRIMARY KEY, tag INTEGER NOT NULL, time REAL NOT NULL, value REAL, text TEXT,
    quality INTEGER NOT NULL, kind INTEGER NOT NULL
);
CREATE TABLE current (
    tag INTEGER PRIMARY KEY, row INTEGER NOT NULL, time REAL NOT NULL, value REAL, text TEXT,
    quality INTEGER NOT NULL, kind INTEGER NOT NULL
);
CREATE TABLE segment (
    number INTEGER PRIMARY KEY, file TEXT NOT NULL, span TEXT NOT NULL, begin REAL NOT NULL,
    tier INTEGER NOT NULL, n_rows INTEGER NOT NULL, first_row INTEGER NOT NULL,
    last_row INTEGER NOT NULL, first_time REAL NOT NULL, last_time REAL NOT NULL,
    n_bytes INTEGER NOT NULL, digest TEXT NOT NULL
);
CREATE TABLE state (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
INSERT INTO state VALUES ('moved', 0), ('refreshed', 0), ('clock', 0), ('dropped', 0),
    ('segment', 0);
"""
_REFRESH_EVERY = 16_384
_REFRESH = """
INSERT INTO current (tag, row, time, value, text, quality, kind)
SELECT tag, row, time, value, text, quality, kind FROM reading WHERE row > ? ORDER BY row
ON CONFLICT (tag) DO UPDATE SET row = excluded.row, time = excluded.time, value = excluded.value,
    text = excluded.text, quality = excluded.quality, kind = excluded.kind
WHERE excluded.time >= current.time
"""
_COLUMNS = tuple(field.name for field in fields(Segment))
_ADD_SEGMENT = (
    f"INSERT INTO segment ({', '.join(_COLUMNS)}) "  # noqa: S608 - our own names
    f"VALUES ({', '.join('?' * len(_COLUMNS))})"
)


@contextmanager
def tells_of(path: Path) -> Iterator[None]:
    """Turn errors of SQLite into one that says where, and what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        message = f"{path}: {error}; the journal must be readable, with room on its disk."
        raise ConnectorError(message) from None
    except sqlite3.DatabaseError as error:
        message = f"{path}: {error}; this is no sound journal. 'gigatwin history verify' says more."
        raise ConnectorError(message) from None


class Journal:
    """The journal as its one writer has it. Used by several threads, one at a time."""

    def __init__(self, folder: Path, *, is_power_safe: bool) -> None:
        """Open the journal of a folder, or make it.

        Parameters
        ----------
        folder : Path
            Folder of the historian, which the caller holds the lock of.
        is_power_safe : bool
            Whether every commit waits for the disk, so that it survives a loss of power too.
        """
        self.path = folder / FILE
        self._level = "FULL" if is_power_safe else "NORMAL"
        self._guard = threading.RLock()
        self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            with tells_of(self.path):
                self._prepare()
        except ConnectorError:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA journal_mode = WAL")
        execute(f"PRAGMA synchronous = {self._level}")
        (found,) = execute("PRAGMA user_version").fetchone()
        if found == 0:
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_FORMAT}; COMMIT;"
            )
        elif found != _FORMAT:
            message = (
                f"{self.path}: written in format {found}; this program knows format {_FORMAT}. "
                "Use the version of gigatwin that wrote it."
            )
            raise ConnectorError(message)
        self._tags: dict[str, int] = {
            name: number for number, name in execute("SELECT number, name FROM tag")
        }
        state: dict[str, float] = dict(execute("SELECT name, value FROM state"))
        self._moved, self._refreshed = int(state["moved"]), int(state["refreshed"])
        (last,) = execute("SELECT max(row) FROM reading").fetchone()
        self._last = self._moved if last is None else int(last)
        # What was appended since, as it was written: moving it need not read it again.
        self._recent: deque[list[tuple[int, int, float, float | None, str | None, int, int]]] = (
            deque()
        )

    @property
    def last_row(self) -> int:
        """Number of the last row that was kept, 0 before the first."""
        return self._last

    @property
    def n_rows(self) -> int:
        """Readings that are in the journal and in no segment."""
        return self._last - self._moved

    def append(self, rows: Sequence[Row]) -> int:
        """Keep readings in one commit; return the number of the last row."""
        with self._guard, tells_of(self.path):
            with self._transaction():
                numbers = self._numbers_of_tags(rows)
                last = self._last + len(rows)
                written = [
                    (row, numbers[tag], time, value, text, quality, kind)
                    for row, (tag, time, value, text, quality, kind) in enumerate(
                        rows, self._last + 1
                    )
                ]
                self._connection.executemany(
                    "INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?, ?)", written
                )
                # Once for many rows, since most tags come again and again.
                is_due = last - self._refreshed >= _REFRESH_EVERY
                if is_due:
                    self._refresh(last)
            self._tags, self._last = numbers, last
            self._recent.append(written)
            if is_due:
                self._refreshed = last
        return last

    def _numbers_of_tags(self, rows: Sequence[Row]) -> dict[str, int]:
        new = {row[0]: None for row in rows if row[0] not in self._tags}
        if not new:
            return self._tags
        added = dict(
            zip(new, range(len(self._tags) + 1, len(self._tags) + len(new) + 1), strict=True)
        )
        self._connection.executemany("INSERT INTO tag (name, number) VALUES (?, ?)", added.items())
        return {**self._tags, **added}

    def _refresh(self, last: int) -> None:
        """Bring the table of current values up to a row."""
        self._connection.execute(_REFRESH, (self._refreshed,))
        self._set("refreshed", last)

    def _set(self, name: str, value: float) -> None:
        self._connection.execute("UPDATE state SET value = ? WHERE name = ?", (value, name))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # Where the disk is full SQLite may have rolled back itself.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _on_disk(self) -> Iterator[None]:
        """Make a transaction that is on the disk when it ends, with everything before it."""
        self._connection.execute("PRAGMA synchronous = FULL")
        try:
            with self._transaction():
                yield
        finally:
            self._connection.execute(f"PRAGMA synchronous = {self._level}")

    def next_numbers(self, count: int) -> int:
        """Return the first of some numbers for segments that nobody else gets."""
        with self._guard, tells_of(self.path), self._transaction():
            (number,) = self._connection.execute(
                "UPDATE state SET value = value + ? WHERE name = 'segment' RETURNING value",
                (count,),
            ).fetchone()
        return int(number) - count + 1

    def move(self, segments: Sequence[Segment], through: int, clock: float) -> None:
        """Hand rows over to segments that hold them: all rows up to one, at once."""
        with self._guard, tells_of(self.path):
            refreshed = max(self._refreshed, through)
            with self._on_disk():
                if refreshed > self._refreshed:
                    self._refresh(self._last)
                    refreshed = self._last
                self._connection.executemany(_ADD_SEGMENT, map(_values, segments))
                self._connection.execute("DELETE FROM reading WHERE row <= ?", (through,))
                self._set("moved", through)
                self._set("clock", clock)
            self._moved, self._refreshed = through, refreshed
            while self._recent and self._recent[0][-1][0] <= through:
                self._recent.popleft()

    def tail(self) -> pl.DataFrame:
        """Return all rows that are in no segment."""
        with self._guard:
            recent = list(chain.from_iterable(self._recent))
            if not recent or recent[0][0] != self._moved + 1:
                with open_snapshot(self.path.parent) as snapshot:
                    return snapshot.tail()
            names = {number: name for name, number in self._tags.items()}
        return kept_frame(recent, names)

    def replace(self, merged: Segment, old: Sequence[Segment]) -> None:
        """Put one segment in the place of several; their files can go when this returns."""
        with self._guard, tells_of(self.path), self._on_disk():
            self._connection.execute(_ADD_SEGMENT, _values(merged))
            self._forget(old)

    def drop(self, old: Sequence[Segment]) -> None:
        """Give segments up with their readings; their files can go when this returns."""
        with self._guard, tells_of(self.path), self._on_disk():
            self._forget(old)
            self._connection.execute(
                "UPDATE state SET value = value + ? WHERE name = 'dropped'",
                (sum(segment.n_rows for segment in old),),
            )

    def _forget(self, old: Sequence[Segment]) -> None:
        self._connection.executemany(
            "DELETE FROM segment WHERE number = ?", [(segment.number,) for segment in old]
        )

    def known_files(self) -> list[str]:
        """Return the files of all segments."""
        with self._guard, tells_of(self.path):
            return [file for (file,) in self._connection.execute("SELECT file FROM segment")]

    def close(self) -> None:
        """Let go of the file; can be called twice."""
        with self._guard:
            self._connection.close()


def _values(segment: Segment) -> tuple[object, ...]:
    return tuple(getattr(segment, name) for name in _COLUMNS)


def is_historian(folder: Path) -> bool:
    """Return whether a folder holds a historian."""
    return (folder / FILE).is_file()


@contextmanager
def open_snapshot(folder: Path) -> Iterator[Snapshot]:
    """Yield the state of a historian at one moment, whatever is written meanwhile."""
    path = folder / FILE
    if not is_historian(folder):
        message = f"{folder}: no historian; must be a folder with a {FILE}."
        raise ConnectorError(message)
    with tells_of(path):
        uri = f"{path.resolve().as_uri()}?mode=ro"
        with closing(
            sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        ) as connection:
            connection.execute("BEGIN")
            yield Snapshot(connection, folder)
