"""A log's table as it is in the file: CSV or Parquet, told apart by content."""

import csv
from pathlib import Path

import polars as pl

from gigatwin.errors import TelemetryError

ROW = "row of the file"
"""Column added to the table: the row a spreadsheet shows for CSV, from 1 for Parquet."""

_PARQUET_MAGIC = b"PAR1"
_ZIP_MAGIC = b"PK\x03\x04"
_NEEDED = "needs a CSV file (UTF-8, with a header row) or a Parquet file"


def read_table(path: Path) -> pl.DataFrame:
    """Return the rows of a CSV file (all text) or Parquet file, with the column ``ROW`` added.

    Raises
    ------
    TelemetryError
        If the file is missing, empty, of another type or damaged, or has no rows.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(65536)
    except OSError as error:
        message = f"{path}: cannot be opened ({error.strerror}); {_NEEDED}"
        raise TelemetryError(message) from error
    if not head:
        message = f"{path}: the file is empty; {_NEEDED}"
        raise TelemetryError(message)
    if head.startswith(_PARQUET_MAGIC):
        table, first_row = _read_parquet(path), 1
    elif path.suffix.lower() in {".parquet", ".pq"}:
        message = f"{path}: does not begin as a Parquet file does ({head[:4]!r}); {_NEEDED}"
        raise TelemetryError(message)
    elif head.startswith(_ZIP_MAGIC):
        message = f"{path}: is a ZIP archive or an Excel workbook; save it as CSV"
        raise TelemetryError(message)
    elif b"\x00" in head:
        message = f"{path}: holds binary data or UTF-16 text; {_NEEDED}"
        raise TelemetryError(message)
    else:
        table, first_row = _read_csv(path, head), 2
    if table.height == 0:
        message = (
            f"{path}: has columns ({', '.join(table.columns)}) but no rows; needs at least one"
        )
        raise TelemetryError(message)
    return table.with_row_index(ROW, offset=first_row)


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        message = f"{path}: a damaged Parquet file ({_first_sentence(error)}); {_NEEDED}"
        raise TelemetryError(message) from error


def _read_csv(path: Path, head: bytes) -> pl.DataFrame:
    header = head.split(b"\n", maxsplit=1)[0]
    separator = max((",", ";", "\t", "|"), key=lambda mark: header.count(mark.encode()))
    try:
        table = pl.read_csv(path, separator=separator, infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        found = _ragged_row(path, separator) or _first_sentence(error)
        message = (
            f"{path}: not readable as CSV with '{separator}' between columns ({found}); {_NEEDED}"
        )
        raise TelemetryError(message) from error
    return table


def _ragged_row(path: Path, separator: str) -> str | None:
    """Say which row has too many columns or is not UTF-8."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = csv.reader(stream, delimiter=separator)
            width = len(next(rows))
            for number, row in enumerate(rows, start=2):
                if len(row) > width:
                    return f"row {number} has {len(row)} columns, the header {width}"
    except UnicodeDecodeError as error:
        return f"byte {error.start} is not UTF-8"
    except csv.Error as error:
        return str(error)
    return None


def _first_sentence(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0]
