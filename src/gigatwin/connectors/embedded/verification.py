"""The check of a whole historian: every row is there, once, and can be read."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import polars as pl

from gigatwin.connectors.embedded.journal import FILE, open_snapshot
from gigatwin.connectors.embedded.segments import (
    ORDER,
    Segment,
    path_of,
    scan_segments,
    stray_files,
)
from gigatwin.connectors.embedded.snapshot import Snapshot
from gigatwin.errors import ConnectorError
from gigatwin.telemetry.kept import FRAME, StoreCheck

_WINDOW = 20_000_000
_MOST_TOLD = 20
_ATTEMPTS = 5


def check_store(folder: Path) -> StoreCheck:
    """Return what is wrong with a historian, reading all of it.

    The journal: SQLite's own check of its integrity, and that its rows follow each other. Each
    segment: that its file is the one that was written, can be read, is sorted, and holds the rows
    and times that the journal says. All together: that every number of a row from 1 to the last is
    there once, but for those that retention gave up.
    """
    damage = _journal_problems(folder / FILE)
    if damage:
        return StoreCheck(0, 0, tuple(damage))
    for _ in range(_ATTEMPTS):
        with open_snapshot(folder) as snapshot:
            found = _check(snapshot)
        with open_snapshot(folder) as later:
            is_still_so = set(snapshot.segments) <= set(later.segments)
        # A file that is missing because it was merged away meanwhile is no loss.
        if is_still_so or not found.problems:
            break
    return found


def _check(snapshot: Snapshot) -> StoreCheck:
    folder, segments = snapshot.folder, snapshot.segments
    problems = []
    tail, last = snapshot.tail()["row"].to_numpy(), snapshot.last_row()
    snapshot.release()
    if len(tail) and not np.array_equal(tail, np.arange(snapshot.moved + 1, last + 1)):
        problems.append(
            f"{FILE}: {len(tail)} rows between {snapshot.moved + 1} and {last}; "
            "must follow each other."
        )
    damaged = [told for segment in segments for told in _segment_problems(folder, segment)]
    problems += damaged or _row_problems(snapshot)
    hidden = len(problems) - _MOST_TOLD
    told = (*problems[:_MOST_TOLD], *([f"... and {hidden} more."] if hidden > 0 else []))
    n_rows = sum(segment.n_rows for segment in segments) + len(tail)
    return StoreCheck(n_rows, len(segments), told, tuple(_notes(snapshot)))


def _journal_problems(path: Path) -> list[str]:
    if not path.is_file():
        message = f"{path.parent}: no historian; must be a folder with a {FILE}."
        raise ConnectorError(message)
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            told = [text for (text,) in connection.execute("PRAGMA integrity_check(10)")]
    except sqlite3.DatabaseError as error:
        told = [str(error)]
    return [] if told == ["ok"] else [f"{FILE}: {text}" for text in told]


def _segment_problems(folder: Path, segment: Segment) -> list[str]:
    path = path_of(folder, segment)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "blake2b").hexdigest()
    except OSError as error:
        return [f"{segment.file}: {error.strerror}; {segment.n_rows} readings are lost with it."]
    if digest != segment.digest:
        return [f"{segment.file}: changed since it was written; restore it from a copy."]
    try:
        frame = scan_segments(folder, [segment]).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        return [f"{segment.file}: cannot be read: {error}"]
    if frame.schema != FRAME or frame.is_empty():
        return [f"{segment.file}: {frame.height} rows, {frame.schema}; must hold readings."]
    rows, times = frame["row"], frame["time"]
    found = (frame.height, rows.min(), rows.max(), times.min(), times.max())
    named = (
        segment.n_rows,
        segment.first_row,
        segment.last_row,
        segment.first_time,
        segment.last_time,
    )
    problems = []
    if found != named:
        problems.append(f"{segment.file}: rows and times {found}; the journal says {named}.")
    if not frame.select(ORDER).equals(frame.select(ORDER).sort(*ORDER)):
        problems.append(f"{segment.file}: not sorted by {', '.join(ORDER)}.")
    return problems


def _row_problems(snapshot: Snapshot) -> list[str]:
    """Count how often each row is in a segment, a window of numbers at a time."""
    segments = snapshot.segments
    n_missing = n_again = n_beyond = 0
    examples: list[int] = []
    for begin in range(1, snapshot.moved + 1, _WINDOW):
        end = min(begin + _WINDOW, snapshot.moved + 1)
        counts = np.zeros(end - begin, dtype=np.uint8)
        for segment in segments:
            if segment.first_row < end and segment.last_row >= begin:
                rows = (
                    scan_segments(snapshot.folder, [segment])
                    .select("row")
                    .filter(pl.col("row") >= begin, pl.col("row") < end)
                    .collect()["row"]
                    .to_numpy()
                )
                np.add.at(counts, rows - begin, 1)
        n_missing += int(np.count_nonzero(counts == 0))
        again = np.flatnonzero(counts > 1)
        n_again += len(again)
        examples += (again[:3] + begin).tolist()
    n_beyond = sum(segment.last_row > snapshot.moved for segment in segments)
    problems = []
    if n_again:
        problems.append(f"{n_again} rows are in more than one segment, such as {examples[:3]}.")
    if n_missing != snapshot.n_dropped:
        problems.append(
            f"{n_missing} rows are missing; retention gave up {snapshot.n_dropped} of them."
        )
    if n_beyond:
        problems.append(f"{n_beyond} segments hold rows that the journal holds, too.")
    return problems


def _notes(snapshot: Snapshot) -> list[str]:
    notes = []
    if snapshot.n_dropped:
        notes.append(f"{snapshot.n_dropped} readings were given up by retention.")
    strays = stray_files(snapshot.folder, [segment.file for segment in snapshot.segments])
    if strays:
        notes.append(
            f"{len(strays)} unfinished files of a writer, such as {strays[0]}; "
            "they are removed when the historian is opened for writing."
        )
    return notes
