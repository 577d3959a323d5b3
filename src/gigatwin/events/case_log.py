"""Logs of activities on cases: who did what to which item, from when to when."""

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.events.log_files import ROW, collected, scan_table
from gigatwin.events.log_guesses import guess_case_mapping
from gigatwin.events.log_mapping import SUCCESS_WORDS, CaseMapping
from gigatwin.events.log_rows import LogRows, counted, quoted, read_rows
from gigatwin.events.log_times import TimeKind
from gigatwin.events.pairing import paired
from gigatwin.events.visits import VISIT_COLUMNS, is_event_table, visits_of

_MICROSECONDS = 1_000_000
# Enough rows to know what the columns mean.
_SAMPLE = 100_000
# More clocks that run backwards than this are no accident.
_MOST_BACKWARD = 0.05
_CORE = ("case", "activity", "machine", "start", "end", "success")
_EXTRAS = ("format", "origin", "destination", "parts")


@dataclass(frozen=True)
class CaseLog:
    """The visits of items to machines, one row each."""

    visits: pl.DataFrame
    """Columns case, activity, machine (text), start, end (s since ``origin``, null where the event
    is missing) and success (true, false, or null where not known), in the order of the times.
    Further columns, each only where the log has it: format, origin, destination, parts (text, with
    ``;`` between), enabled (s) and row (row of the file, of the begin if there is one)."""
    origin: datetime | float = 0.0
    """The moment of the first time: a date (UTC when zoned), or seconds."""
    mapping: CaseMapping | None = None
    """What the columns were taken for."""
    guesses: tuple[str, ...] = ()
    """What was guessed about the columns; empty when a mapping was given."""
    warnings: tuple[str, ...] = ()
    """What was left out or assumed."""

    @functools.cached_property
    def activities(self) -> pl.DataFrame:
        """The visits of which both the start and the end are known, with the first six columns."""
        known = pl.col("start").is_not_null() & pl.col("end").is_not_null()
        return self.visits.filter(known).select(_CORE)

    @property
    def n_cases(self) -> int:
        """Number of cases."""
        return self.visits["case"].n_unique()


def read_case_log(
    path: str | Path, mapping: CaseMapping | None = None, *, drop_duplicates: bool = True
) -> CaseLog:
    """Read the visits of a log: CSV (also gzipped), Parquet, XES, OCEL 2.0, or our own trace.

    Two shapes are understood: one row for each visit with its begin and end, and life-cycle
    rows, where begin and end are rows of their own (or the row of the begin has the end too).
    Where events are missing, and where only begins or only ends were recorded, visits are kept
    with the other time null.

    Parameters
    ----------
    path : str or Path
        The file.
    mapping : CaseMapping, optional
        What the columns mean; left out, it is guessed from their names and values.
    drop_duplicates : bool
        Whether rows that are exact copies of earlier ones are left out with a warning, instead of
        being an error.

    Returns
    -------
    CaseLog
        The visits, what was guessed and what was left out.

    Raises
    ------
    TelemetryError
        If the file cannot be read, a column is missing, or a value cannot be used; the text names
        the file, the row and the column.
    """
    path = Path(path)
    file = str(path)
    log = scan_table(path, mapping.object_type if mapping else None)
    sample = collected(log.frame.head(_SAMPLE), path)
    if mapping is None and is_event_table(sample.columns):
        needed = [name for name in sample.columns if name in VISIT_COLUMNS]
        return CaseLog(visits_of(collected(log.frame.select(needed), path)))
    guesses: tuple[str, ...] = ()
    if mapping is None:
        mapping, guesses = guess_case_mapping(sample.drop(ROW), file)
    read = read_rows(log, sample, mapping, path, drop_duplicates=drop_duplicates)
    del sample
    warnings = [*log.notes, *read.warnings]
    visits = _joined(read.rows, mapping, file) if mapping.lifecycle else read.rows
    visits = _with_times(visits, mapping, file, warnings)
    visits = _in_order(visits, read.kind, mapping, file, warnings)
    _count_halves(visits, warnings)
    return _case_log(LogRows(visits, read.kind, warnings), mapping, guesses, file)


def _joined(rows: pl.DataFrame, mapping: CaseMapping, file: str) -> pl.DataFrame:
    """Return the visits of life-cycle rows."""
    missing = rows.filter(pl.col("start").is_null())["row"]
    if len(missing):
        message = (
            f"{file} row {missing[0]} column '{mapping.start}': empty, in "
            f"{counted(len(missing), 'row')}; needs a time in every row"
        )
        raise TelemetryError(message)
    pairs = paired(rows.rename({"start": "time"}))
    begin, end = pairs["begin"], pairs["end"]
    # Where there is no begin, the row of the end stands for the visit.
    visits = rows[pairs.select(pl.coalesce("begin", "end"))["begin"]].drop("is_begin", "instance")
    time_of_end = rows["start"].gather(end)
    end_on_begin = visits["end"]
    is_half = begin.is_null()
    start = visits["start"].set(is_half, None)
    columns = [start, rows["outcome"].gather(end)]
    columns += [
        visits[extra].zip_with(visits[extra].is_not_null(), rows[extra].gather(end))
        for extra in _EXTRAS
        if visits[extra].null_count() and rows[extra].null_count() < rows.height
    ]
    visits = visits.with_columns(columns)
    if mapping.end is None:
        return visits.with_columns(time_of_end.alias("end"))
    return visits.with_columns(
        end_on_begin.zip_with(end_on_begin.is_not_null(), time_of_end).alias("end")
    )


def _with_times(
    visits: pl.DataFrame, mapping: CaseMapping, file: str, warnings: list[str]
) -> pl.DataFrame:
    has_time = visits["start"].is_not_null() | visits["end"].is_not_null()
    n_without = visits.height - int(has_time.sum())
    if not n_without:
        return visits
    columns = " and ".join(f"'{name}'" for name in (mapping.start, mapping.end) if name)
    first = visits.filter(~has_time)["row"][0]
    if n_without == visits.height:
        message = f"{file} row {first} column {columns}: no row has a time; needs times"
        raise TelemetryError(message)
    warnings.append(
        f"{counted(n_without, 'row')} left out: no time in {columns} (the first: row {first})"
    )
    return visits.filter(has_time)


def _in_order(
    visits: pl.DataFrame, kind: TimeKind, mapping: CaseMapping, file: str, warnings: list[str]
) -> pl.DataFrame:
    """Refuse ends before their begins if there are many; take the end out if there are few."""
    is_backward = (visits["end"] < visits["start"]).fill_null(value=False)
    n_backward = int(is_backward.sum())
    if not n_backward:
        return visits
    first = visits.filter(is_backward).sort("row").row(0, named=True)
    if kind == "number":
        begin, end = (f"{first[name]:.10g} s" for name in ("start", "end"))
    else:
        begin, end = (str(_moment(first[name])) for name in ("start", "end"))
    if n_backward > _MOST_BACKWARD * visits.height:
        message = (
            f"{file} row {first['row']} columns '{mapping.start}' and "
            f"'{mapping.end or mapping.start}': the end, {end}, is before the begin, {begin}, in "
            f"{n_backward} of {visits.height} activities; needs ends at or after the begin "
            "(are the columns the right way round?)"
        )
        raise TelemetryError(message)
    warnings.append(
        f"{counted(n_backward, 'end')} before the begin taken as unknown (the first: row "
        f"{first['row']}, the end {end}, the begin {begin})"
    )
    return visits.with_columns(visits["end"].set(is_backward, None))


def _count_halves(visits: pl.DataFrame, warnings: list[str]) -> None:
    no_start, no_end = visits["start"].null_count(), visits["end"].null_count()
    if no_start == visits.height:
        warnings.append("no begins in the log: starts will be inferred from the ends around them")
    elif no_start:
        warnings.append(f"{counted(no_start, 'visit')} without a begin kept, the start unknown")
    if no_end == visits.height:
        warnings.append("no ends in the log: ends are unknown")
    elif no_end:
        warnings.append(f"{counted(no_end, 'visit')} without an end kept, the end unknown")


def _case_log(read: LogRows, mapping: CaseMapping, guesses: tuple[str, ...], file: str) -> CaseLog:
    visits = read.rows
    first = visits.select(pl.min_horizontal(pl.col("start", "end").min())).item()
    scale = 1 if read.kind == "number" else _MICROSECONDS
    visits = visits.with_columns(success=_success(visits["outcome"], mapping, file))
    order = visits.select(time=pl.coalesce("start", "end"), end="end", row="row")
    visits = visits[order.select(pl.arg_sort_by("time", "end", "row")).to_series()]
    times = [name for name in ("start", "end", "enabled") if name != "enabled" or mapping.enabled]
    extras = [name for name in _EXTRAS if getattr(mapping, name)]
    visits = visits.select(
        pl.col("case", "activity", "machine").cast(pl.String),
        *((pl.col(name) - first) / scale for name in times[:2]),
        "success",
        *(pl.col(name).cast(pl.String) for name in extras),
        *((pl.col(name) - first) / scale for name in times[2:]),
        pl.col("row").cast(pl.UInt32),
    )
    return CaseLog(
        visits=visits,
        origin=_origin(first, read.kind),
        mapping=mapping,
        guesses=guesses,
        warnings=tuple(read.warnings),
    )


def _success(outcome: pl.Series, mapping: CaseMapping, file: str) -> pl.Series:
    if mapping.outcome is None:
        return pl.repeat(None, len(outcome), dtype=pl.Boolean, eager=True)
    wanted = [word.strip().lower() for word in mapping.success] or sorted(SUCCESS_WORDS)
    words = outcome.drop_nulls().unique(maintain_order=True).cast(pl.String)
    good = words.filter(words.str.to_lowercase().is_in(wanted)).cast(pl.Categorical)
    if good.is_empty() and outcome.null_count() < len(outcome):
        message = (
            f"{file} column '{mapping.outcome}': holds {quoted(words.to_list())}, and none of "
            f"{quoted(wanted)}; needs 'success: [..]' in a mapping with the outcomes that are good "
            "(with begin and end on rows of their own also 'lifecycle: ..')"
        )
        raise TelemetryError(message)
    return outcome.is_in(good.implode())


def _origin(first: object, kind: TimeKind) -> datetime | float:
    if kind == "number" or not isinstance(first, int):
        return float(str(first))
    moment = _moment(first)
    return moment.replace(tzinfo=UTC) if kind == "zoned" else moment


def _moment(microseconds: int) -> datetime:
    epoch = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    return epoch + timedelta(microseconds=microseconds)
