"""Retention: which segments are given up when a historian must not grow for ever."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from gigatwin.connectors.embedded.journal import Journal, open_snapshot
from gigatwin.connectors.embedded.segments import DAY, Segment, remove_files


class Dropped(NamedTuple):
    """What was given up."""

    n_segments: int
    n_rows: int
    n_bytes: int


def segments_to_drop(
    segments: Iterable[Segment], clock: float, days: float | None, n_bytes: int | None
) -> list[Segment]:
    """Return the segments that are too old, or too much.

    Parameters
    ----------
    segments : iterable of Segment
        All that count.
    clock : float
        How far source time is. [s since 1970]
    days : float or None
        Age from which readings go, by source time; a segment goes when its newest reading is so
        old. None: readings of any age stay. [d]
    n_bytes : int or None
        Room for segments; the oldest go until the others fit. None: no limit. [byte]
    """
    by_age = sorted(segments, key=lambda segment: (segment.last_time, segment.number))
    horizon = None if days is None else clock - days * DAY
    excess = 0 if n_bytes is None else sum(segment.n_bytes for segment in by_age) - n_bytes
    dropped: list[Segment] = []
    for segment in by_age:
        if excess <= 0 and (horizon is None or segment.last_time >= horizon):
            break
        dropped.append(segment)
        excess -= segment.n_bytes
    return dropped


def retain(folder: Path, journal: Journal, days: float | None, n_bytes: int | None) -> Dropped:
    """Give up segments that are too old or too much; what is in the journal always stays."""
    with open_snapshot(folder) as snapshot:
        old = segments_to_drop(snapshot.segments, snapshot.clock, days, n_bytes)
    if old:
        journal.drop(old)
        remove_files(folder, [segment.file for segment in old])
    return Dropped(
        len(old), sum(segment.n_rows for segment in old), sum(segment.n_bytes for segment in old)
    )
