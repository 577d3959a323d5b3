"""Queries in SQL: DuckDB in memory, over the segments and the tail of the journal.

A query sees one moment and can do nothing else than read it: one SELECT, the view ``readings``, no
other files, no network, no settings.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

from gigatwin.connectors.embedded.segments import path_of
from gigatwin.connectors.embedded.snapshot import Snapshot
from gigatwin.errors import ConnectorError, TelemetryError
from gigatwin.telemetry.kept import SHOWN

if TYPE_CHECKING:
    import duckdb

_MOST_DIGITS = 18


class _Stream:
    """A table as DuckDB can read it where pyarrow is not installed."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def run_query(snapshot: Snapshot, sql: str) -> pl.DataFrame:
    """Return what a SELECT over the view ``readings`` gives at the moment of a snapshot.

    Raises
    ------
    TelemetryError
        If it is no SELECT, or cannot be carried out.
    FileNotFoundError
        If a segment is gone, because it was merged since the snapshot.
    """
    duckdb = _duckdb()
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
        }
    )
    paths = [path_of(snapshot.folder, segment) for segment in snapshot.segments]
    try:
        _require_select(connection, sql)
        _show_readings(connection, snapshot.tail(), paths)
        snapshot.release()
        return _plain(pl.DataFrame(connection.sql(sql)))
    except duckdb.Error as error:
        for path in paths:
            path.stat()
        reason = " ".join(str(error).split())
        message = f"query: {reason}. The table is readings ({', '.join(SHOWN)})."
        raise TelemetryError(message) from None
    except pl.exceptions.DuplicateError:
        message = "query: two columns have the same name; give them names of their own (AS)."
        raise TelemetryError(message) from None
    finally:
        connection.close()


def _duckdb() -> Any:  # noqa: ANN401 - a module that may be missing
    try:
        import duckdb  # noqa: PLC0415 - optional, and heavy
    except ImportError:
        message = "Queries need DuckDB. duckdb is not installed; pip install 'gigatwin[historian]'."
        raise ConnectorError(message) from None
    return duckdb


def _require_select(connection: "duckdb.DuckDBPyConnection", sql: str) -> None:
    kinds = [statement.type.name for statement in connection.extract_statements(sql)]
    if kinds != ["SELECT"]:
        found = ", ".join(kinds) or "nothing"
        message = f"query: {found}; must be one SELECT over readings. Nothing was done."
        raise TelemetryError(message)


def _show_readings(
    connection: "duckdb.DuckDBPyConnection", tail: pl.DataFrame, paths: list[Path]
) -> None:
    """Make the view, then lock the connection so that it sees nothing else."""
    columns = ", ".join(f'"{name}"' for name in SHOWN)
    connection.execute("SET parquet_can_have_nan = true")
    connection.register("journal", _Stream(tail))
    parts = [f"SELECT {columns} FROM journal"]  # noqa: S608 - our own names
    if paths:
        files = ", ".join(_quoted(_without_patterns(path)) for path in paths)
        parts.append(f"SELECT {columns} FROM read_parquet([{files}])")  # noqa: S608 - our own files
        # It asks for the pattern first, then for the file.
        allowed = ", ".join([files, *(_quoted(str(path)) for path in paths)])
        connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute(f"CREATE VIEW readings AS {' UNION ALL '.join(parts)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _without_patterns(path: Path) -> str:
    """Return a path in which no character stands for others."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table without decimals, which sums of whole numbers come as."""
    return frame.with_columns(
        pl.col(name).cast(pl.Int64, strict=False)
        if getattr(dtype, "scale", 0) == 0
        and frame[name].abs().max() is not None
        and frame[name].abs().max() < 10**_MOST_DIGITS
        else pl.col(name).cast(pl.Float64)
        for name, dtype in frame.select(cs.decimal()).schema.items()
    )
