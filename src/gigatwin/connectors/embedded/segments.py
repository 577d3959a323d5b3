"""Segments: Parquet files of readings sorted by tag and time, which never change."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import polars as pl

from gigatwin.errors import ConnectorError
from gigatwin.telemetry.kept import FRAME

FOLDER = "segments"
"""Folder of the segments, in that of the historian."""
ORDER = ("tag", "time", "row")
"""How the readings of a segment are sorted."""
HOUR, DAY = 3600.0, 86_400.0
_ROW_GROUP = 65_536
_FIRST_YEAR, _LAST_YEAR = 0.0, 253_402_300_800.0
_MOST_SPANS = 64


class Span(StrEnum):
    """What stretch of source time a segment is for."""

    HOUR = "hour"
    DAY = "day"
    MIXED = "mixed"
    """Any: source times that are spread over more days than can have a file each."""

    @property
    def length(self) -> float:
        """Length of the stretch [s]; 0 for any."""
        return {Span.HOUR: HOUR, Span.DAY: DAY, Span.MIXED: 0.0}[self]


@dataclass(frozen=True, slots=True)
class Segment:
    """A file of readings, and what the journal knows of it."""

    number: int
    """Unique; a number is never used again."""
    file: str
    """Path in the folder of segments."""
    span: Span
    """What stretch of source time it is for."""
    begin: float
    """Begin of the stretch; 0 for a mixed one. [s since 1970]"""
    tier: int
    """How often its readings were merged."""
    n_rows: int
    first_row: int
    last_row: int
    first_time: float
    """Smallest source time in it. [s since 1970]"""
    last_time: float
    """Largest source time in it. [s since 1970]"""
    n_bytes: int
    digest: str
    """BLAKE2 digest of the file."""

    @property
    def end(self) -> float:
        """End of the stretch [s since 1970]."""
        return self.begin + self.span.length


def split_by_time(frame: pl.DataFrame) -> list[tuple[Span, float, pl.DataFrame]]:
    """Split readings by hour of source time; by day, or not at all, where hours are too many."""
    for span in (Span.HOUR, Span.DAY):
        begins = (frame["time"] / span.length).floor() * span.length
        if begins.n_unique() <= _MOST_SPANS:
            parts = frame.with_columns(begin=begins).partition_by("begin", as_dict=True)
            return [
                (span, float(begin), part.drop("begin")) for (begin,), part in sorted(parts.items())
            ]
    return [(Span.MIXED, 0.0, frame)]


def write_segment(  # noqa: PLR0913 - what the segment is
    folder: Path, frame: pl.DataFrame, *, number: int, span: Span, begin: float, tier: int
) -> Segment:
    """Write readings to a segment: a temporary file, on the disk, then renamed.

    The segment counts only when the journal names it; until then its file is an orphan.
    """
    file = _file_name(span, begin, number)
    path = folder / FOLDER / file
    temporary = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.select(FRAME.names()).sort(*ORDER).write_parquet(temporary, row_group_size=_ROW_GROUP)
        with temporary.open("r+b") as written:
            digest = hashlib.file_digest(written, "blake2b").hexdigest()
            os.fsync(written.fileno())
            n_bytes = os.fstat(written.fileno()).st_size
        temporary.replace(path)
        for changed in (path.parent, path.parent.parent):
            _sync_folder(changed)
    except (OSError, pl.exceptions.ComputeError) as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        message = (
            f"{path}: {error}; the segment could not be written. Nothing is lost, the readings "
            "stay in the journal; make room on the disk."
        )
        raise ConnectorError(message) from None
    (ends,) = frame.select(
        first_row=pl.col("row").min(),
        last_row=pl.col("row").max(),
        first_time=pl.col("time").min(),
        last_time=pl.col("time").max(),
    ).to_dicts()
    return Segment(
        number=number,
        file=file,
        span=span,
        begin=begin,
        tier=tier,
        n_rows=frame.height,
        n_bytes=n_bytes,
        digest=digest,
        **ends,
    )


def _file_name(span: Span, begin: float, number: int) -> str:
    """Return a path that says to a person when the readings are from."""
    if span is Span.MIXED or not _FIRST_YEAR <= begin < _LAST_YEAR:
        return f"undated/{number:08d}.parquet"
    moment = datetime.fromtimestamp(begin, UTC)
    part = f"{moment:%H}h" if span is Span.HOUR else "day"
    return f"{moment:%Y-%m-%d}/{part}-{number:08d}.parquet"


def _sync_folder(folder: Path) -> None:
    # Windows opens no folders, and needs none synchronised.
    with suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def path_of(folder: Path, segment: Segment) -> Path:
    """Return where the file of a segment is."""
    return folder / FOLDER / segment.file


def scan_segments(folder: Path, segments: Sequence[Segment]) -> pl.LazyFrame:
    """Return the readings of segments, to be filtered before they are read."""
    if not segments:
        return pl.LazyFrame(schema=FRAME)
    paths = [path_of(folder, segment) for segment in segments]
    return pl.scan_parquet(paths, glob=False, hive_partitioning=False)


def remove_files(folder: Path, files: Iterable[str]) -> None:
    """Remove files of segments; one that is in use stays until the writer opens again."""
    for file in files:
        with suppress(OSError):
            (folder / FOLDER / file).unlink(missing_ok=True)


def stray_files(folder: Path, known: Iterable[str]) -> list[str]:
    """Return files in the folder of segments that nobody knows: left by a process that ended."""
    root = folder / FOLDER
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    return sorted(found - set(known))
