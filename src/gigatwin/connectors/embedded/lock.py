"""One writer for each folder: a lock that ends with its process, however that ends."""

import contextlib
import os
import sqlite3
from pathlib import Path

from gigatwin.errors import ConnectorError

_LOCK, _HOLDER = "writer.lock", "writer.pid"


class WriterLock:
    """The right to write to a folder; held until it is released, or the process ends.

    SQLite's exclusive lock on an empty database serves as the lock: it works on every system, also
    between two historians of one process, and nothing stays behind after a kill.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises
        ------
        ConnectorError
            If another historian holds it, with the number of its process.
        """
        self._holder = folder / _HOLDER
        self._connection = sqlite3.connect(
            folder / _LOCK, timeout=0.0, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self._connection.close()
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                message = f"{folder / _LOCK}: {error}; must be a place that can be written to."
                raise ConnectorError(message) from None
            message = (
                f"{folder}: process {self._process()} writes to this historian; only one can. "
                "Stop it first, or open the historian for reading only."
            )
            raise ConnectorError(message) from None
        self._holder.write_text(f"{os.getpid()}\n", encoding="ascii")

    def _process(self) -> str:
        try:
            return self._holder.read_text(encoding="ascii").strip() or "?"
        except (OSError, UnicodeDecodeError):
            return "?"

    def release(self) -> None:
        """Let others write; can be called twice."""
        with contextlib.suppress(OSError):
            self._holder.unlink(missing_ok=True)
        self._connection.close()
