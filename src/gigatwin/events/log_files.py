"""A log's table as it is in the file, whatever its kind, told apart by content."""

import csv
import gzip
import io
import json
import re
from pathlib import Path
from typing import IO, Any, NamedTuple

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.events.ocel import ocel_table
from gigatwin.events.shdr import SHDR_LINE, shdr_table
from gigatwin.events.xes import xes_table

ROW = "row of the file"
"""Column added to the table: the row a spreadsheet shows for CSV, from 1 for others."""

_PARQUET_MAGIC = b"PAR1"
_ZIP_MAGIC = b"PK\x03\x04"
_GZIP_MAGIC = b"\x1f\x8b"
_NEEDED = (
    "needs a CSV file (UTF-8, with a header row; gzip is fine), a Parquet file, XES, OCEL 2.0 as "
    "JSON, or the lines of an MTConnect adapter"
)
_HEAD = 65536


class LogTable(NamedTuple):
    """The rows of a log, to be read when needed."""

    frame: pl.LazyFrame
    """The columns of the file, and ``ROW`` in front."""
    notes: tuple[str, ...] = ()
    """What was chosen or left out to make it a table."""


def scan_table(path: Path, object_type: str | None = None) -> LogTable:
    """Return the rows of a log, to be read when needed, with the column ``ROW`` added.

    CSV, XES and MTConnect lines come as text; Parquet and OCEL with the types they have.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    object_type : str, optional
        Type of object that is the case, in OCEL; left out, the one in most events.

    Raises
    ------
    TelemetryError
        If the file is missing, empty, of another type or damaged, or has no rows.
    """
    head, is_packed = _head(path)
    first_row = 1
    notes: tuple[str, ...] = ()
    if head.startswith(_PARQUET_MAGIC):
        frame = pl.scan_parquet(path)
    elif path.suffix.lower() in {".parquet", ".pq"}:
        message = f"{path}: does not begin as a Parquet file does ({head[:4]!r}); {_NEEDED}"
        raise TelemetryError(message)
    elif head.startswith(_ZIP_MAGIC):
        message = f"{path}: is a ZIP archive or an Excel workbook; save it as CSV"
        raise TelemetryError(message)
    elif b"\x00" in head:
        message = f"{path}: holds binary data or UTF-16 text; {_NEEDED}"
        raise TelemetryError(message)
    elif _is_xml(head):
        with _opened(path, is_packed=is_packed) as stream:
            frame = xes_table(stream, str(path)).lazy()
    elif _is_json(head):
        table, notes = ocel_table(_json(path, is_packed=is_packed), str(path), object_type)
        frame = table.lazy()
    elif SHDR_LINE.match(head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]):
        with _opened(path, is_packed=is_packed) as stream:
            frame = shdr_table(stream.read(), str(path)).lazy()
    else:
        frame = pl.scan_csv(path, separator=_separator(head), infer_schema=False)
        first_row = 2
    frame = frame.with_row_index(ROW, offset=first_row)
    names = [name for name in collected(frame.head(1), path).columns if name != ROW]
    if first_row == 2:  # noqa: PLR2004 - CSV: blank lines are no rows
        frame = frame.filter(~pl.all_horizontal(pl.col(names).is_null()))
    if collected(frame.head(1), path).height == 0:
        message = f"{path}: has columns ({', '.join(names)}) but no rows; needs at least one"
        raise TelemetryError(message)
    return LogTable(frame, notes)


def read_table(path: Path, object_type: str | None = None) -> pl.DataFrame:
    """Return what `scan_table` would give, at once."""
    return collected(scan_table(path, object_type).frame, path)


def collected(frame: pl.LazyFrame, path: Path) -> pl.DataFrame:
    """Return the rows of what was scanned; what is wrong with the file is a TelemetryError."""
    try:
        return frame.collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _head(path: Path) -> tuple[bytes, bool]:
    """Return the first bytes of a file, unpacked, and whether it was packed with gzip."""
    try:
        with path.open("rb") as stream:
            is_packed = stream.read(2) == _GZIP_MAGIC
        with _opened(path, is_packed=is_packed) as stream:
            head = stream.read(_HEAD)
    except (OSError, EOFError) as error:
        what = getattr(error, "strerror", None) or error
        message = f"{path}: cannot be opened ({what}); {_NEEDED}"
        raise TelemetryError(message) from error
    if not head.strip():
        message = f"{path}: the file is empty; {_NEEDED}"
        raise TelemetryError(message)
    return head, is_packed


def _opened(path: Path, *, is_packed: bool) -> IO[bytes]:
    return gzip.open(path, "rb") if is_packed else path.open("rb")  # type: ignore[return-value]  # both read bytes


def _is_xml(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def _is_json(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def _json(path: Path, *, is_packed: bool) -> dict[str, Any]:
    try:
        with _opened(path, is_packed=is_packed) as stream:
            content = json.loads(stream.read().decode("utf-8-sig"))
    except (ValueError, RecursionError, OSError, EOFError) as error:
        message = f"{path}: not readable as JSON ({error}); {_NEEDED}"
        raise TelemetryError(message) from error
    if not isinstance(content, dict):
        message = f"{path}: holds JSON, but no object with events; {_NEEDED}"
        raise TelemetryError(message)
    return content


def _separator(head: bytes) -> str:
    header = re.sub(rb'"[^"]*"', b"", head.split(b"\n", maxsplit=1)[0])
    return max((",", ";", "\t", "|"), key=lambda mark: header.count(mark.encode()))


def _unreadable(path: Path, error: Exception) -> TelemetryError:
    head, is_packed = _head(path)
    if head.startswith(_PARQUET_MAGIC):
        return TelemetryError(
            f"{path}: a damaged Parquet file ({_first_sentence(error)}); {_NEEDED}"
        )
    separator = _separator(head)
    found = _ragged_row(path, separator, is_packed=is_packed) or _first_sentence(error)
    return TelemetryError(
        f"{path}: not readable as CSV with '{separator}' between columns ({found}); {_NEEDED}"
    )


def _ragged_row(path: Path, separator: str, *, is_packed: bool) -> str | None:
    """Say which row has too many columns or is not UTF-8."""
    try:
        with _opened(path, is_packed=is_packed) as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
            rows = csv.reader(text, delimiter=separator)
            width = len(next(rows))
            for number, row in enumerate(rows, start=2):
                if len(row) > width:
                    return f"row {number} has {len(row)} columns, the header {width}"
    except UnicodeDecodeError as error:
        return f"byte {error.start} is not UTF-8"
    except (csv.Error, OSError, EOFError) as error:
        return str(error)
    return None


def _first_sentence(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0]
