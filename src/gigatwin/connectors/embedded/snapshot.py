"""What a historian holds at one moment: the list of its segments, and the tail in the journal."""

import sqlite3
from collections.abc import Collection
from dataclasses import fields
from itertools import chain
from pathlib import Path

import polars as pl

from gigatwin.connectors.embedded.segments import Segment, Span, scan_segments
from gigatwin.telemetry.kept import FRAME, Row, kept_frame

_SEGMENT = ", ".join(field.name for field in fields(Segment))
_KEPT = "tag, time, value, text, quality, kind"
_READINGS = f"SELECT row, {_KEPT} FROM reading"  # noqa: S608 - our own names


class Snapshot:
    """A historian at one moment. Every row is in one segment or in the tail, never in both."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        """Read the list of segments.

        Parameters
        ----------
        connection : sqlite3.Connection
            In a read transaction, which fixes the moment.
        folder : Path
            Folder of the historian.
        """
        self._connection = connection
        self.folder = folder
        self.segments: tuple[Segment, ...] = tuple(
            Segment(number, file, Span(span), *rest)
            for number, file, span, *rest in connection.execute(
                f"SELECT {_SEGMENT} FROM segment ORDER BY number"  # noqa: S608 - nothing in it comes from outside
            )
        )
        state: dict[str, float] = dict(connection.execute("SELECT name, value FROM state"))
        self.moved = int(state["moved"])
        """The last row that went to a segment."""
        self.clock: float = state["clock"]
        """How far source time was when rows were moved last. [s since 1970]"""
        self.n_dropped = int(state["dropped"])
        """Readings that were given up."""
        self._refreshed = int(state["refreshed"])
        # Joined in Python: a text for each row would cost more than the rest.
        self._tags: dict[int, str] = dict(connection.execute("SELECT number, name FROM tag"))

    def release(self) -> None:
        """Let the journal go on while the segments are read; its tail cannot be read any more."""
        self._connection.close()

    def last_row(self) -> int:
        """Return the number of the last row."""
        (last,) = self._connection.execute("SELECT max(row) FROM reading").fetchone()
        return self.moved if last is None else int(last)

    def tail(self, after: int = 0, limit: int = -1) -> pl.DataFrame:
        """Return rows of the journal, as many as wanted, by row."""
        return self._frame(f"{_READINGS} WHERE row > ? ORDER BY row LIMIT ?", (after, limit))

    def _frame(self, sql: str, values: tuple[object, ...]) -> pl.DataFrame:
        return kept_frame(self._connection.execute(sql, values).fetchall(), self._tags)

    def tail_of(self, tags: Collection[str], begin: float, end: float) -> pl.DataFrame:
        """Return what the journal holds of tags between two source times."""
        numbers = [number for number, name in self._tags.items() if name in tags]
        marks = ", ".join("?" * len(numbers))
        return self._frame(
            f"{_READINGS} WHERE tag IN ({marks}) AND time >= ? AND time < ?",
            (*numbers, begin, end),
        )

    def current(self) -> dict[str, Row]:
        """Return the newest reading of each tag by source time; of equal times the last row."""
        newest: dict[int, Row] = {}
        for number, time, *kept in chain(
            self._connection.execute(f"SELECT {_KEPT} FROM current"),  # noqa: S608 - our own names
            self._connection.execute(
                f"SELECT {_KEPT} FROM reading WHERE row > ? ORDER BY row",  # noqa: S608 - nothing in it comes from outside
                (self._refreshed,),
            ),
        ):
            if number not in newest or time >= newest[number][1]:
                newest[number] = (self._tags[number], time, *kept)
        return {row[0]: row for row in newest.values()}

    def scan(self, tags: Collection[str] | None, begin: float, end: float) -> pl.LazyFrame:
        """Return the readings of tags (None: of all) between two source times, in any order."""
        segments = [
            segment
            for segment in self.segments
            if segment.last_time >= begin and segment.first_time < end
        ]
        kept = scan_segments(self.folder, segments).filter(
            pl.col("time") >= begin, pl.col("time") < end
        )
        if tags is None:
            tail = self.tail().filter(pl.col("time") >= begin, pl.col("time") < end)
            return pl.concat([kept, tail.lazy()])
        # Equality prunes parts of files better than a list of one.
        only = (
            pl.col("tag").is_in(sorted(tags))
            if len(tags) != 1
            else pl.col("tag") == next(iter(tags))
        )
        return pl.concat([kept.filter(only), self.tail_of(tags, begin, end).lazy()])

    def after(self, row: int, limit: int, ahead: int = 0) -> pl.DataFrame:
        """Return kept readings with larger numbers than a row, by row.

        At least one when there is any; never one without all that come before it. Where segments
        have to be read anyway, up to ``ahead`` rows come at once.
        """
        behind = [segment for segment in self.segments if segment.last_row > row]
        if not behind:
            return self.tail(row, limit)
        limit = max(limit, ahead)
        begin = max(row + 1, min(segment.first_row for segment in behind))
        found = self._between(behind, begin, begin + limit)
        if found.is_empty():
            # Rows were given up here; what comes next can be anywhere.
            found = self._between(behind, begin, self.moved + 1).head(limit)
        if found.height < limit and (found.is_empty() or found["row"][-1] == self.moved):
            tail = self.tail(self.moved, limit - found.height)
            return pl.concat([found, tail])
        return found

    def _between(self, segments: list[Segment], begin: int, end: int) -> pl.DataFrame:
        wanted = [part for part in segments if part.first_row < end and part.last_row >= begin]
        rows = pl.col("row")
        scanned = scan_segments(self.folder, wanted).filter(rows >= begin, rows < end)
        return scanned.sort("row").collect().select(FRAME.names())
