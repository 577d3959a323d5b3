"""What a server remembers, so that a client can fetch what it missed.

Rows are kept in SQLite, in memory or in a file that outlives the process, ordered by tag and
time. asyncua's own history subscribes to every node and prunes by the wall clock; here the server
hands over what it publishes, and the clock is the source's, which may run faster.
"""
# ruff: noqa: ANN401 - asyncua is optional, and typed in part only

import datetime as dt
import sqlite3
import struct
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from asyncua import ua
from asyncua.server.history import HistoryManager

from gigatwin.connectors.opcua.mapping import seconds_of
from gigatwin.errors import ConnectorError
from gigatwin.telemetry.readings import Value

_MICRO = 1_000_000
_FOREVER = 2**62
_PER_NODE, _PER_ANSWER = 10_000, 50_000
_POINT = struct.Struct(">qq")
_SCHEMA = """
create table if not exists tags (number integer primary key, name text unique);
create table if not exists history (
    tag integer, time integer, row integer, value, status integer, primary key (tag, time, row)
) without rowid;
"""


class Kept(NamedTuple):
    """A value that was published."""

    tag: str
    time: int
    """Source time. [us since 1970]"""
    value: Value
    status: int


class ValueHistory:
    """The values of the last while, by tag and source time.

    Parameters
    ----------
    path : Path, optional
        File that keeps them; left out: memory.
    period : float
        How long a value is kept, by the source's clock. [s]
    n_rows : int
        No more values are kept than these.
    """

    def __init__(self, path: Path | None, period: float, n_rows: int) -> None:
        self.period = period
        self._most = n_rows
        self._row = time.time_ns()
        self._tags: dict[str, int] = {}
        self._to_prune: list[int] = []
        self._newest, self._oldest = -_FOREVER, -_FOREVER
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._store = sqlite3.connect(path or ":memory:", isolation_level=None)
            # A killed process loses nothing that was committed; a power cut may.
            self._store.execute("pragma journal_mode = wal")
            self._store.execute("pragma synchronous = off")
            self._store.executescript(_SCHEMA)
            self._tags.update(self._store.execute("select name, number from tags"))
            found = self._store.execute("select count(*), min(time) from history").fetchone()
            self._n_rows = int(found[0])
            if self._n_rows:
                self._oldest = int(found[1])
        except (OSError, sqlite3.Error) as error:
            message = f"{path}: the history of values cannot be kept there: {error}"
            raise ConnectorError(message) from error

    def append(self, rows: Iterable[Kept]) -> None:
        """Keep values, and let go of old ones."""
        if not self.period:
            return
        numbered = []
        for row in rows:
            number = self._tags.get(row.tag) or self._number(row.tag)
            self._row += 1
            self._newest = max(self._newest, row.time)
            numbered.append((number, row.time, self._row, row.value, row.status))
        if not numbered:
            return
        if self._oldest == -_FOREVER:
            self._oldest = min(row[1] for row in numbered)
        self._store.execute("begin")
        self._store.executemany("insert into history values (?, ?, ?, ?, ?)", numbered)
        self._n_rows += len(numbered)
        self._prune(1 + len(numbered) // 4)
        self._store.execute("commit")

    def _number(self, tag: str) -> int:
        self._store.execute("insert into tags (name) values (?)", (tag,))
        number = int(self._store.execute("select last_insert_rowid()").fetchone()[0])
        self._tags[tag] = number
        return number

    def _prune(self, n_tags: int) -> None:
        # A few tags each time, so that no single message has to wait for all of them.
        self._oldest = max(self._oldest, self._newest - int(self.period * _MICRO))
        for _ in range(n_tags):
            if not self._to_prune:
                self._to_prune = list(self._tags.values())
                if self._n_rows > self._most:
                    excess = 1.0 - self._most / self._n_rows
                    self._oldest += int((self._newest - self._oldest) * excess)
            number = self._to_prune.pop()
            done = self._store.execute(
                "delete from history where tag = ? and time < ?", (number, self._oldest)
            )
            self._n_rows -= done.rowcount

    def read(
        self, tag: str, begin: int, end: int, after: tuple[int, int] | None, limit: int
    ) -> list[tuple[int, int, Value, int]]:
        """Return (time, row, value, status) of a tag between two times, both included.

        Parameters
        ----------
        tag : str
            Name of the tag.
        begin, end : int
            Source times; newest first where the end lies before the begin. [us since 1970]
        after : tuple of int, optional
            Time and row of the last value that the reader has.
        limit : int
            How many at most.
        """
        number = self._tags.get(tag)
        if number is None:
            return []
        order, beyond = ("desc", "<") if begin > end else ("asc", ">")
        text = "select time, row, value, status from history where tag = ? and time between ? and ?"
        values: list[int] = [number, min(begin, end), max(begin, end)]
        if after is not None:
            text += f" and (time, row) {beyond} (?, ?)"
            values += after
        text += f" order by time {order}, row {order} limit ?"
        return self._store.execute(text, [*values, limit]).fetchall()

    def __len__(self) -> int:
        """Return the number of values that are kept."""
        return self._n_rows

    def close(self) -> None:
        """Let go of the file; can be called twice."""
        self._store.close()


class HistoryService(HistoryManager):  # type: ignore[misc]
    """Answers a client's history reads from the values kept.

    Parameters
    ----------
    iserver : InternalServer
        The server that it belongs to.
    """

    def __init__(self, iserver: Any) -> None:
        super().__init__(iserver)
        self.kept: ValueHistory | None = None
        self.variant_types: Mapping[ua.NodeId, tuple[str, ua.VariantType]] = {}

    async def read_history(self, params: ua.HistoryReadParameters) -> list[ua.HistoryReadResult]:
        """Return what was kept of each node, page by page."""
        details = params.HistoryReadDetails
        budget = _PER_ANSWER
        results = []
        for asked in params.NodesToRead:
            result = ua.HistoryReadResult()
            results.append(result)
            node = self.variant_types.get(asked.NodeId)
            is_raw = isinstance(details, ua.ReadRawModifiedDetails) and not details.IsReadModified
            if is_raw and node is not None and self.kept is not None and self.kept.period:
                budget -= self._fill(result, node, asked.ContinuationPoint, details, budget)
            else:
                result.StatusCode = ua.StatusCode(ua.StatusCodes.BadHistoryOperationUnsupported)
        return results

    def _fill(
        self,
        result: ua.HistoryReadResult,
        node: tuple[str, ua.VariantType],
        point: bytes | None,
        details: ua.ReadRawModifiedDetails,
        budget: int,
    ) -> int:
        tag, variant_type = node
        after = _POINT.unpack(point) if point and len(point) == _POINT.size else None
        begin, end = _micros(details.StartTime), _micros(details.EndTime)
        wanted = details.NumValuesPerNode or _PER_NODE
        limit = max(0, min(wanted, _PER_NODE, budget))
        # A side that is not set is open; with an end only, the newest come first.
        if begin is None and end is not None:
            first, last = end, -_FOREVER
        else:
            first, last = begin or -_FOREVER, end or _FOREVER
        rows = self.kept.read(tag, first, last, after, limit + 1) if self.kept else []
        is_more = len(rows) > limit
        rows = rows[:limit]
        result.HistoryData = ua.HistoryData()
        result.HistoryData.DataValues = [_data_value(row, variant_type) for row in rows]
        if is_more:
            at = (rows[-1][0], rows[-1][1]) if rows else after or _before(first, last)
            result.ContinuationPoint = _POINT.pack(*at)
        return len(rows)

    async def stop(self) -> None:
        """Let go of what was kept."""
        if self.kept is not None:
            self.kept.close()


def _before(first: int, last: int) -> tuple[int, int]:
    return (first, _FOREVER) if first > last else (first, -_FOREVER)


def _micros(moment: Any) -> int | None:
    seconds = seconds_of(moment)
    return None if seconds is None else round(seconds * _MICRO)


def _data_value(row: tuple[int, int, Value, int], variant_type: ua.VariantType) -> ua.DataValue:
    micros, _, value, status = row
    if value is None:
        variant = ua.Variant(None, ua.VariantType.Null)
    else:
        if variant_type is ua.VariantType.Boolean:
            value = bool(value)
        variant = ua.Variant(value, variant_type)
    moment = dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=micros)
    return ua.DataValue(variant, ua.StatusCode(status), moment, moment)
