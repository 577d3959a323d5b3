r"""The record of changes: what was done and why, append-only, each entry chained to the one before.

A line of the file is one entry as canonical JSON. Its ``hash`` is the SHA-256 of the entry without
that field; ``previous`` is the hash of the entry before it. Beside the file stands its *head*, a
small SQLite file with the number of entries, the last hash and the size up to which everything was
acknowledged. It is written after the entry has reached the disk, and is the lock between processes.

What can be found, and what cannot:

- an entry that was changed, removed, added or moved is found by the chain;
- entries removed from the end are found by the head;
- whoever can write to the folder can compute a new chain *and* a new head. Approvals are signed
  and quote the head of their moment, so that nothing before the last approval can be rewritten
  without its signer's key. What came after the last approval can be: write the head down elsewhere
  (``gigatwin changes verify`` prints it) and give it to a later verification.
"""

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gigatwin.twin.changes.canonical import digest, plain
from gigatwin.twin.changes.entry import Entry, Head, Kind, following
from gigatwin.twin.changes.errors import ChangeError

_logger = logging.getLogger(__name__)

_PATIENCE = 30.0
"""Time to wait for another process that is writing. [s]"""


class Writer:
    """The right to append to a record, held by one process at a time."""

    def __init__(
        self, record: "ChangeRecord", connection: sqlite3.Connection, head: Head | None
    ) -> None:
        self._record = record
        self._connection = connection
        self.head = self._repaired(head)

    def append(
        self,
        kind: Kind,
        *,
        change: str = "",
        actor: str = "gigatwin",
        data: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Append an entry; when this returns it is on the disk."""
        number, previous = self.head.number + 1, self.head.hash
        moment = _text_of(self._record.clock())
        of_entry = plain(data or {})
        unsigned = Entry(number, moment, kind.value, change, actor, of_entry, previous, "")
        entry = Entry(
            number, moment, kind.value, change, actor, of_entry, previous, digest(unsigned.content)
        )
        line = entry.line
        try:
            _append_bytes(self._record.path, line)
        except OSError:
            # Half an entry must not stand in the way of the next one.
            with suppress(OSError):
                os.truncate(self._record.path, self.head.size)
            raise
        self._move(Head(number, entry.hash, self.head.size + len(line)))
        return entry

    def _move(self, head: Head) -> None:
        self._connection.execute("insert or replace into head values (1, ?, ?, ?)", head)
        self.head = head

    def _repaired(self, head: Head | None) -> Head:
        """Bring head and file together after a process died, or a person meddled."""
        self.head = head or Head()
        path = self._record.path
        size = path.stat().st_size if path.exists() else 0
        if size < self.head.size:
            missing = self.head.size - size
            if size and not _ends_a_line(path):
                _append_bytes(path, b"\n")
                size += 1
            self._move(self.head._replace(size=size))
            text = f"{missing} acknowledged bytes are missing"
            _logger.error("%s: %s", path, text)
            self.append(Kind.REPAIRED, data={"found": text})
        elif size > self.head.size:
            self._take_tail(path)
        return self.head

    def _take_tail(self, path: Path) -> None:
        """Take over what was written but not acknowledged; put aside what is no entry."""
        with path.open("rb") as file:
            file.seek(self.head.size)
            tail = file.read()
        kept, head = 0, self.head
        for line in _lines(tail):
            entry = following(line, head)
            if entry is None:
                break
            head = Head(entry.number, entry.hash, head.size + len(entry.line))
            kept += len(line)
            if not line.endswith(b"\n"):
                _append_bytes(path, b"\n")
        self._move(head)
        torn = tail[kept:]
        if not torn:
            return
        aside = path.with_suffix(".torn")
        _append_bytes(aside, torn + b"\n")
        with path.open("r+b") as file:
            file.truncate(head.size)
            os.fsync(file.fileno())
        text = f"{len(torn)} bytes after the last entry are no entry"
        _logger.warning("%s: %s; put aside in %s", path, text, aside.name)
        self.append(Kind.REPAIRED, data={"found": text, "put_aside_in": aside.name})


class ChangeRecord:
    """An append-only file of entries that several processes may write to.

    An entry that `append` returned is on the disk. A process that dies while it writes leaves at
    most entries without acknowledgement, which the next one takes over when they are whole, and
    puts aside in a ``.torn`` file otherwise.

    Parameters
    ----------
    path : Path
        The file, ``record.jsonl``; it need not exist.
    clock : callable
        Wall time, seconds since 1970. [s]
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.clock = clock
        self._known: tuple[tuple[int, int] | None, list[Entry]] = (None, [])

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """Hold the right to append: what is read meanwhile cannot be outdated by others.

        Raises
        ------
        ChangeError
            If another process holds it for too long, or the folder cannot be written to.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self._head_path, _PATIENCE) as connection:
            connection.execute(
                "create table if not exists head (id integer primary key, count, hash, size)"
            )
            row = connection.execute("select count, hash, size from head").fetchone()
            yield Writer(self, connection, self._head_of(row))

    @contextmanager
    def sending(self, patience: float = _PATIENCE) -> Iterator[bool]:
        """Hold the right to send instructions; yield whether it was to be had.

        It is free again as soon as the process that holds it ends, however it ends.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(_locked(self.path.with_suffix(".sending"), patience))
            except _BusyError:
                is_held = False
            else:
                is_held = True
            yield is_held

    def append(
        self,
        kind: Kind,
        *,
        change: str = "",
        actor: str = "gigatwin",
        data: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Append one entry; when this returns it is on the disk."""
        with self.writing() as writer:
            return writer.append(kind, change=change, actor=actor, data=data)

    def entries(self) -> list[Entry]:
        """Return the entries that can be read, in the order of the file."""
        key = self.version
        if key is None:
            return []
        if self._known[0] != key:
            lines = self.path.read_bytes().split(b"\n")
            self._known = (key, [entry for line in lines if (entry := Entry.parse(line))])
        return list(self._known[1])

    @property
    def version(self) -> tuple[int, int] | None:
        """Something that is another one after every append; None: nothing is there yet."""
        try:
            state = self.path.stat()
        except FileNotFoundError:
            return None
        return state.st_size, state.st_mtime_ns

    def head(self) -> Head | None:
        """Return up to where the record is acknowledged, None without a head."""
        if not self._head_path.exists():
            return None
        try:
            with closing(sqlite3.connect(self._head_path, timeout=_PATIENCE)) as connection:
                row = connection.execute("select count, hash, size from head").fetchone()
        except sqlite3.Error as error:
            if "no such table" in str(error):
                return None
            message = f"{self._head_path}: {error}; must be the head of a record."
            raise ChangeError(message) from None
        return self._head_of(row)

    def _head_of(self, row: tuple[Any, ...] | None) -> Head | None:
        if row is None:
            return None
        head = Head(*row)
        if tuple(map(type, head)) != (int, str, int) or head.number < 0 or head.size < 0:
            message = f"{self._head_path}: {row}; must be a count, a hash and a size."
            raise ChangeError(message)
        return head

    @property
    def _head_path(self) -> Path:
        return self.path.with_suffix(".head")


class _BusyError(ChangeError):
    """Another process holds a lock."""


@contextmanager
def _locked(path: Path, patience: float) -> Iterator[sqlite3.Connection]:
    """Hold a SQLite file for writing; it is free again when the process dies."""
    try:
        connection = sqlite3.connect(path, timeout=patience, isolation_level=None)
    except sqlite3.Error as error:
        message = f"{path}: {error}; must be a place that can be written to."
        raise ChangeError(message) from None
    with closing(connection):
        try:
            # EXTRA: the end of a transaction is on the disk, too.
            connection.execute("pragma synchronous = extra")
            connection.execute("begin immediate")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                message = f"{path}: another process has held it for {patience:g} s; try again."
                raise _BusyError(message) from None
            message = f"{path}: {error}; must be a file that can be written to."
            raise ChangeError(message) from None
        except sqlite3.DatabaseError as error:
            message = f"{path}: {error}; must be the head of a record. Restore it from a backup."
            raise ChangeError(message) from None
        try:
            yield connection
        finally:
            # Also after an error: entries that were appended are on the disk.
            with suppress(sqlite3.Error):
                connection.execute("commit")


def _append_bytes(path: Path, content: bytes) -> None:
    is_new = not path.exists()
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags, 0o644)
    try:
        while content:
            content = content[os.write(handle, content) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    if is_new and os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _lines(content: bytes) -> list[bytes]:
    """Return the lines with their ends; the last one may have none."""
    return [part + b"\n" for part in content.split(b"\n")[:-1]] + [
        part for part in content.split(b"\n")[-1:] if part
    ]


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _text_of(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
