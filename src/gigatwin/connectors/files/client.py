"""Following files: what was added since the last look, whatever the writer does to them."""

import contextlib
import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

import polars as pl

_CHUNK = 1 << 17
"""Bytes read at a time."""
_MOST_HELD = 1 << 20
"""Bytes of an unfinished row that are waited for; a quote was left open where there are more."""
_HEAD = 512
_N_ROWS = 5000
_DELIMITERS = ";\t,"


@dataclass
class Part:
    """Rows that were added."""

    columns: list[str] = field(default_factory=list)
    """Names of the columns; empty: there are none yet."""
    rows: list[tuple[str, Sequence[object]]] = field(default_factory=list)
    """Where each row stands, for messages, and what is in its columns."""
    problems: list[tuple[str, str]] = field(default_factory=list)
    """Where something could not be read, and why."""
    n_replaced: int = 0
    """Times that the file began anew."""
    has_decimal_comma: bool = False
    """Whether ``1,5`` is a number."""
    is_end: bool = False
    """Whether there is nothing more now."""


class Log(Protocol):
    """A log that grows."""

    def open(self) -> None:
        """Begin at its start; raise OSError where it cannot be opened."""

    def read(self) -> Part:
        """Return some of what was added, nothing at its end; raise OSError where it is gone."""

    def close(self) -> None:
        """Let go of it; can be called twice."""


def log_at(path: Path) -> Log:
    """Return the log at a path: a CSV file, a Parquet file, or a folder of Parquet files."""
    if path.is_dir() or path.suffix.lower() in {".parquet", ".pq"}:
        return ParquetLog(path)
    return CsvLog(path)


class CsvLog:
    """A CSV file that grows; it may be cut off, replaced, or moved away and begun anew.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._begin()

    def _begin(self) -> None:
        self._held = b""
        self._head = b""
        self._line = 0
        self._columns: list[str] = []
        self._delimiter = ","

    def open(self) -> None:
        """Begin at the start of the file."""
        self.close()
        self._begin()
        self._file = self._path.open("rb", buffering=0)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def read(self) -> Part:
        """Return the complete rows of the next piece."""
        if self._file is None:
            self.open()
        part = Part()
        if self._is_cut():
            self.open()
            part.n_replaced = 1
        chunk = self._file.read(_CHUNK) if self._file is not None else b""
        if chunk:
            self._head += chunk[: _HEAD - len(self._head)]
            self._take(self._held + chunk, part)
        elif self._is_replaced():
            # What stands behind the last line break will not be finished any more.
            self._take(self._held + b"\n", part, is_last=True)
            self.open()
            part.n_replaced = 1
        else:
            part.is_end = True
        part.columns = self._columns or part.columns
        part.has_decimal_comma = self._delimiter == ";"
        return part

    def _is_cut(self) -> bool:
        """Whether the file was cut off, or written over, and grows again."""
        file = self._file
        if file is None or not self._head:
            return False
        place = file.tell()
        file.seek(0)
        head = file.read(len(self._head))
        is_cut = head != self._head or os.fstat(file.fileno()).st_size < place
        file.seek(place)
        return is_cut

    def _is_replaced(self) -> bool:
        """Whether another file has taken its place; raise FileNotFoundError where none has."""
        there = self._path.stat()
        here = os.fstat(self._file.fileno()) if self._file is not None else there
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)

    def _take(self, data: bytes, part: Part, *, is_last: bool = False) -> None:
        """Split off the complete rows; keep the rest for later."""
        end = data.rfind(b"\n") + 1
        # A line break between quotes ends no row.
        while end and not is_last and data.count(b'"', 0, end) % 2 and len(data) < _MOST_HELD:
            end = data.rfind(b"\n", 0, end - 1) + 1
        self._held = data[end:]
        lines = data[:end].decode("utf-8", errors="replace").splitlines(keepends=True)
        if lines and not self._columns:
            self._set_columns(lines.pop(0))
        part.columns = self._columns
        before = self._line
        try:
            reader = csv.reader(lines, delimiter=self._delimiter)
            for row in reader:
                if row:
                    part.rows.append((f"line {before + reader.line_num}", row))
        except csv.Error as error:
            part.problems.append((f"line {before + reader.line_num}", str(error)))
        self._line = before + len(lines)

    def _set_columns(self, line: str) -> None:
        text = line.removeprefix("\ufeff").strip("\r\n")
        self._delimiter = max(_DELIMITERS, key=text.count)
        self._columns = next(csv.reader([text], delimiter=self._delimiter), [])
        self._line = 1


class ParquetLog:
    """A folder to which Parquet files are added, read in the order of their names; or one file.

    Parameters
    ----------
    path : pathlib.Path
        The folder or file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done: set[Path] = set()
        self._unreadable: dict[Path, tuple[int, int]] = {}
        self._rows: Iterator[tuple[object, ...]] = iter(())
        self._name = ""
        self._columns: list[str] = []
        self._n_rows = 0

    def open(self) -> None:
        """Begin with the first file."""
        self._path.stat()
        self._done.clear()
        self._unreadable.clear()
        self._rows = iter(())

    def close(self) -> None:
        """Let go of the rows of the present file."""
        self._rows = iter(())

    def read(self) -> Part:
        """Return the next rows."""
        part = Part(self._columns)
        for row in self._rows:
            self._n_rows += 1
            part.rows.append((f"{self._name} row {self._n_rows}", row))
            if len(part.rows) == _N_ROWS:
                return part
        if part.rows:
            return part
        for path in self._new_files():
            # A file that is still being written cannot be read; it is tried again when it changed.
            with contextlib.suppress(OSError):
                status = path.stat()
                if self._unreadable.get(path) != (status.st_size, status.st_mtime_ns):
                    self._start(path, (status.st_size, status.st_mtime_ns), part)
                    return part
        part.is_end = True
        return part

    def _new_files(self) -> list[Path]:
        if not self._path.is_dir():
            self._path.stat()
            return [] if self._path in self._done else [self._path]
        found = (
            path for path in self._path.iterdir() if path.suffix.lower() in {".parquet", ".pq"}
        )
        return sorted(path for path in found if path.name[0] != "." and path not in self._done)

    def _start(self, path: Path, version: tuple[int, int], part: Part) -> None:
        try:
            table = pl.read_parquet(path, glob=False)
        except (pl.exceptions.PolarsError, OSError) as error:
            self._unreadable[path] = version
            part.problems.append((path.name, f"no Parquet file yet ({error})"))
            return
        self._done.add(path)
        self._unreadable.pop(path, None)
        self._name, self._columns, self._n_rows = path.name, table.columns, 0
        self._rows = table.iter_rows()
        part.columns = table.columns
