"""The event log of a line: one record for each thing that happened, as a table with names.

The columns are the same whoever writes them, a simulated line, a virtual plant or a real one:

- ``time`` [s], ``machine``, ``kind``, ``state`` of the machine after the record, ``item``, ``format``,
- ``waited_for`` and ``because``: what the record waited for, and the element that released it,
- ``detail``: where an item went, the stop, the resource or the input.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.standards.machine_states import MachineState

EventTable = pl.DataFrame
"""An event log in memory."""
_SPILL = 20_000_000
"""Records kept in memory when they go to a file in the end."""
_COMPRESSION = "lz4"


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
    detail_codes: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    """Kind to place in ``details``, by (machine or 0, detail + 2)."""


def _enum(values: NDArray[np.generic], names: Sequence[str]) -> pl.Series:
    return pl.Series(values.astype(np.uint32)).cat.to(pl.Enum(list(names)))


def event_table(records: NDArray[np.void], names: EventNames) -> EventTable:
    """Return event records as a table with names.

    Parameters
    ----------
    records : numpy.ndarray
        Records with the fields time, item, machine, because, detail, kind, state, cause, format.
    names : EventNames
        The names behind the numbers.
    """
    kinds = records["kind"]
    machines = records["machine"]
    details = np.zeros(len(records), dtype=np.uint32)
    for name, codes in names.detail_codes.items():
        rows = np.flatnonzero(kinds == names.kinds.index(name))
        if len(rows):
            first = machines[rows] if len(codes) > 1 else 0
            details[rows] = codes[first, records["detail"][rows] + 2]
    formats = records["format"].astype(np.uint32)
    formats[formats == 255] = len(names.formats)  # noqa: PLR2004 - the kernel's mark for none
    return pl.DataFrame(
        {
            "time": pl.Series(np.ascontiguousarray(records["time"])),
            "machine": _enum(machines, names.machines),
            "kind": _enum(kinds, names.kinds),
            "state": _enum(records["state"], [state.name for state in MachineState]),
            "item": pl.Series(np.ascontiguousarray(records["item"])),
            "format": _enum(formats, [*names.formats, ""]),
            "waited_for": _enum(records["cause"], names.causes),
            "because": _enum(records["because"], names.actors),
            "detail": _enum(details, names.details),
        }
    )


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
        self._tables: list[EventTable] = []
        self._n_kept = 0
        self._parts: Path | None = None
        self._n_parts = 0

    def write(self, records: NDArray[np.void]) -> None:
        """Take in a block of records."""
        self._tables.append(event_table(records, self._names))
        self._n_kept += len(records)
        if self._path is not None and self._n_kept >= _SPILL:
            if self._parts is None:
                self._parts = Path(tempfile.mkdtemp(prefix=".trace-", dir=self._path.parent))
            part = self._parts / f"{self._n_parts:06d}.parquet"
            pl.concat(self._tables).write_parquet(part, compression=_COMPRESSION)
            self._n_parts += 1
            self._tables, self._n_kept = [], 0

    def close(self) -> EventTable | None:
        """Finish the log: return the table, or write the file and return None."""
        empty = event_table(np.zeros(0, dtype=_EMPTY_RECORD), self._names)
        table = pl.concat([empty, *self._tables])
        if self._path is None:
            return table
        whole = self._path.with_name(f".{self._path.name}.partial")
        try:
            if self._parts is None:
                table.write_parquet(whole, compression=_COMPRESSION)
            else:
                last = self._parts / f"{self._n_parts:06d}.parquet"
                table.write_parquet(last, compression=_COMPRESSION)
                parts = pl.scan_parquet(self._parts / "*.parquet")
                parts.sink_parquet(whole, compression=_COMPRESSION)
            whole.replace(self._path)
        finally:
            whole.unlink(missing_ok=True)
            self.discard()
        return None

    def discard(self) -> None:
        """Forget what was collected."""
        self._tables, self._n_kept = [], 0
        if self._parts is not None:
            shutil.rmtree(self._parts, ignore_errors=True)
            self._parts = None


_EMPTY_RECORD = np.dtype(
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
