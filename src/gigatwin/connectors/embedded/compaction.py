"""Compaction: from the journal into segments, and from small segments into larger ones.

The order of its steps is such that a kill at any moment loses no row and keeps none twice:

1. Rows of the journal up to a border are read, and each hour of source time is written to a segment
   of its own: to a temporary file, on the disk, then renamed. Nobody knows these files yet.
2. One transaction, on the disk when it ends, names the segments in the journal, deletes the rows up
   to the border, and moves the border. Before it the rows are in the journal alone, after it in the
   segments alone.

Segments are merged the same way: a new file first, then one transaction that names it and forgets
the old ones, whose files go at once, so that no other program finds their rows twice. A reader that
comes too late for a file begins again with the present list. Files that the journal does not name
are left over from a kill, and are removed when the writer opens.

Late rows make an additional segment for their hour. Segments of a stretch of time are merged

* when its hour (day) is over by a grace of source time, and what is to be added is worth writing
  the whole again: a quarter of the largest, or 8 files;
* when 16 of a tier have come together before that, so that few files are open at any rate of rows.

Hours with few rows become days in the same way. No merge makes more than 4 million rows, which
bounds the memory that it takes (about 0.5 GB).
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from gigatwin.connectors.embedded.journal import Journal, open_snapshot
from gigatwin.connectors.embedded.segments import (
    DAY,
    Segment,
    Span,
    remove_files,
    scan_segments,
    split_by_time,
    stray_files,
    write_segment,
)

logger = logging.getLogger(__name__)

GRACE = 600.0
"""Source time after which an hour or a day counts as over. [s]"""
MOST_ROWS = 4_000_000
"""Rows that a merge makes at most."""
_FEW_ROWS = 500_000
_TIER = 16
_MOST_ADDED, _WORTH = 8, 0.25


class Compacted(NamedTuple):
    """What a compaction did."""

    n_rows: int
    """Readings that went from the journal to segments."""
    n_merged: int
    """Segments that went into larger ones."""


class Merge(NamedTuple):
    """Segments to put together, and for what stretch of time."""

    segments: tuple[Segment, ...]
    span: Span
    begin: float


def compact(folder: Path, journal: Journal, *, is_thorough: bool = False) -> Compacted:
    """Move the journal's rows to segments, and merge what is due.

    Parameters
    ----------
    folder : Path
        Folder of the historian.
    journal : Journal
        Its journal, which may be appended to meanwhile.
    is_thorough : bool
        Whether to merge whatever belongs together, worth the effort or not.
    """
    rows = journal.tail()
    with open_snapshot(folder) as snapshot:
        clock = snapshot.clock
    if not rows.is_empty():
        # Not the very newest: one wrong time in the future would declare every hour over.
        newest = rows["time"].quantile(0.9, "lower")
        clock = max(clock, newest or 0.0)
        parts = split_by_time(rows)
        first = journal.next_numbers(len(parts))
        segments = [
            write_segment(folder, part, number=number, span=span, begin=begin, tier=0)
            for number, (span, begin, part) in enumerate(parts, first)
        ]
        journal.move(segments, int(rows["row"][-1]), clock)
    n_merged = 0
    while merges := _due(folder, clock, is_thorough=is_thorough):
        for merge in merges:
            _carry_out(folder, journal, merge)
            n_merged += len(merge.segments)
    return Compacted(rows.height, n_merged)


def _due(folder: Path, clock: float, *, is_thorough: bool) -> list[Merge]:
    with open_snapshot(folder) as snapshot:
        return plan_merges(snapshot.segments, clock, is_thorough=is_thorough)


def _carry_out(folder: Path, journal: Journal, merge: Merge) -> None:
    rows = scan_segments(folder, merge.segments).collect()
    tier = max(segment.tier for segment in merge.segments) + 1
    number = journal.next_numbers(1)
    merged = write_segment(
        folder, rows, number=number, span=merge.span, begin=merge.begin, tier=tier
    )
    journal.replace(merged, merge.segments)
    remove_files(folder, [segment.file for segment in merge.segments])


def plan_merges(
    segments: Iterable[Segment], clock: float, *, is_thorough: bool = False
) -> list[Merge]:
    """Return the merges that are due; no segment is in two of them.

    Parameters
    ----------
    segments : iterable of Segment
        All that count.
    clock : float
        How far source time is. [s since 1970]
    is_thorough : bool
        Whether to merge whatever belongs together, worth the effort or not.
    """
    stretches: dict[tuple[Span, float], list[Segment]] = defaultdict(list)
    for segment in segments:
        stretches[segment.span, segment.begin].append(segment)
    merges: list[Merge] = []
    for (span, begin), parts in sorted(stretches.items()):
        is_over = span is not Span.MIXED and begin + span.length + GRACE <= clock
        if is_over or is_thorough:
            group = _that_fit(parts)
            if len(group) > 1 and (is_thorough or _is_worth_it(group)):
                merges.append(Merge(group, span, begin))
            continue
        tiers: dict[int, list[Segment]] = defaultdict(list)
        for part in parts:
            tiers[part.tier].append(part)
        full = [_that_fit(tier) for tier in tiers.values() if len(tier) >= _TIER]
        merges += [Merge(group, span, begin) for group in full if len(group) >= _TIER]
    return merges or _days(stretches, clock)


def _days(stretches: dict[tuple[Span, float], list[Segment]], clock: float) -> list[Merge]:
    """Return merges of hours into days that are over and have few rows."""
    days: dict[float, list[Segment]] = defaultdict(list)
    for (span, begin), parts in stretches.items():
        if span is not Span.MIXED:
            days[begin // DAY * DAY] += parts
    return [
        Merge(tuple(parts), Span.DAY, begin)
        for begin, parts in sorted(days.items())
        if begin + DAY + GRACE <= clock
        and sum(part.n_rows for part in parts) <= _FEW_ROWS
        and len(parts) > 1
        and _is_worth_it(parts)
    ]


def _that_fit(parts: Sequence[Segment]) -> tuple[Segment, ...]:
    """Return the smallest segments that make no more rows together than a merge may."""
    group: list[Segment] = []
    n_rows = 0
    for part in sorted(parts, key=lambda part: (part.n_rows, part.number)):
        n_rows += part.n_rows
        if n_rows > MOST_ROWS:
            break
        group.append(part)
    return tuple(group)


def _is_worth_it(parts: Sequence[Segment]) -> bool:
    largest = max(part.n_rows for part in parts)
    added = sum(part.n_rows for part in parts) - largest
    return added >= _WORTH * largest or len(parts) > _MOST_ADDED


def remove_strays(folder: Path, journal: Journal) -> None:
    """Remove files that a writer left when it was killed, before the journal named them."""
    strays = stray_files(folder, journal.known_files())
    if strays:
        logger.info("%s: %d unfinished files of a killed writer removed", folder, len(strays))
        remove_files(folder, strays)
