"""The event log of a line: one record for each thing that happened, as a table with names.

The columns are the same whoever writes them, a simulated line, a virtual plant or a real one:

- ``time`` [s], ``machine``, ``kind``, ``state`` of the machine after the record,
- ``item``, ``format``,
- ``waited_for`` and ``because``: what the record waited for, and the element that released it,
- ``detail``: where an item went, the stop, the resource or the input.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.standards.machine_states import MachineState

Columns = dict[str, NDArray[Any]]
EventTable = pl.DataFrame
"""An event log in memory."""
_CHUNK = 1 << 18
"""Records that are given names at a time."""
_CHUNKS_KEPT = 80
"""Chunks kept in memory when they go to a file in the end, some 700 MB."""
# Times hardly shrink, and the rest is small by itself: compressing would cost more than it saves.
_COMPRESSION: Literal["uncompressed"] = "uncompressed"
_RECORD = np.dtype(
    [
        ("time", "f8"),
        ("item", "i8"),
        ("machine", "i4"),
        ("because", "i4"),
        ("detail", "i4"),
        ("kind", "u1"),
        ("state", "u1"),
        ("cause", "u1"),
        ("format", "u1"),
    ]
)
_STATES = tuple(state.name for state in MachineState)


@dataclass(frozen=True)
class EventNames:
    """The names behind the numbers of event records."""

    kinds: tuple[str, ...]
    causes: tuple[str, ...]
    machines: tuple[str, ...]
    actors: tuple[str, ...]
    formats: tuple[str, ...]
    details: tuple[str, ...]
    """Every name that ``detail`` can be."""
    detail_base: NDArray[np.int32]
    """Place in ``detail_codes`` of detail 0, by (kind, machine)."""
    detail_codes: NDArray[np.unsignedinteger]
    """Place in ``details``."""


def _enum(values: NDArray[np.generic], names: Sequence[str]) -> pl.Series:
    return pl.Series(values).cat.to(pl.Enum(names))


def _columns(records: NDArray[np.void], names: EventNames) -> Columns:
    """Return the columns of a block of records, still as numbers."""
    column = {name: np.ascontiguousarray(records[name]) for name in records.dtype.names or ()}
    place = column["detail"]
    place += names.detail_base.ravel()[
        column["kind"] * np.int32(len(names.machines)) + column["machine"]
    ]
    column["detail"] = names.detail_codes[place]
    # As narrow as the names allow: memory and conversion are a good part of the cost of a trace.
    for name, of in (("machine", names.machines), ("because", names.actors)):
        column[name] = column[name].astype(np.min_scalar_type(len(of)))
    return column


def _table(blocks: list[Columns], names: EventNames) -> EventTable:
    """Return blocks of columns as one table with names; empty the list."""
    empty = _columns(np.zeros(0, dtype=_RECORD), names)
    column = {
        name: np.concatenate([empty[name], *(block[name] for block in blocks)]) for name in empty
    }
    blocks.clear()
    formats = column["format"]
    np.minimum(formats, len(names.formats), out=formats)  # the mark for none is 255
    return pl.DataFrame(
        {
            "time": column["time"],
            "machine": _enum(column["machine"], names.machines),
            "kind": _enum(column["kind"], names.kinds),
            "state": _enum(column["state"], _STATES),
            "item": column["item"],
            "format": _enum(formats, (*names.formats, "")),
            "waited_for": _enum(column["cause"], names.causes),
            "because": _enum(column["because"], names.actors),
            "detail": _enum(column["detail"], names.details),
        }
    )


def event_table(records: NDArray[np.void], names: EventNames) -> EventTable:
    """Return event records as a table with names.

    Parameters
    ----------
    records : numpy.ndarray
        Records with the fields time, item, machine, because, detail, kind, state, cause, format.
    names : EventNames
        The names behind the numbers.
    """
    return _table([_columns(records, names)], names)


class EventLogWriter:
    """Collects blocks of event records, in memory or to a Parquet file that appears when complete.

    Parameters
    ----------
    names : EventNames
        The names behind the numbers.
    path : pathlib.Path, optional
        File to write; left out, `close` returns the table.
    """

    def __init__(self, names: EventNames, path: Path | None = None) -> None:
        self._names = names
        self._path = path
        self._blocks: list[Columns] = []
        self._n_in_blocks = 0
        self._tables: list[EventTable] = []
        self._parts: Path | None = None
        self._n_parts = 0

    def write(self, records: NDArray[np.void]) -> None:
        """Take in a block of records."""
        self._blocks.append(_columns(records, self._names))
        self._n_in_blocks += len(records)
        if self._n_in_blocks >= _CHUNK:
            self._close_chunk()
        if self._path is not None and len(self._tables) >= _CHUNKS_KEPT:
            if self._parts is None:
                self._parts = Path(tempfile.mkdtemp(prefix=".trace-", dir=self._path.parent))
            self._write(self._parts / f"{self._n_parts:06d}.parquet")
            self._n_parts += 1

    def _close_chunk(self) -> None:
        self._tables.append(_table(self._blocks, self._names))
        self._n_in_blocks = 0

    def _whole(self) -> EventTable:
        self._close_chunk()
        table = pl.concat(self._tables, rechunk=False)
        self._tables.clear()
        return table

    def close(self) -> EventTable | None:
        """Finish the log: return the table, or write the file and return None."""
        if self._path is None:
            return self._whole().rechunk()
        whole = self._path.with_name(f".{self._path.name}.partial")
        try:
            if self._parts is None:
                self._write(whole)
            else:
                self._write(self._parts / f"{self._n_parts:06d}.parquet")
                parts = pl.scan_parquet(self._parts / "*.parquet")
                parts.sink_parquet(whole, compression=_COMPRESSION)
            whole.replace(self._path)
        finally:
            whole.unlink(missing_ok=True)
            self.discard()
        return None

    def _write(self, path: Path) -> None:
        self._whole().write_parquet(path, compression=_COMPRESSION, statistics=False)

    def discard(self) -> None:
        """Forget what was collected."""
        self._blocks.clear()
        self._tables.clear()
        if self._parts is not None:
            shutil.rmtree(self._parts, ignore_errors=True)
            self._parts = None
