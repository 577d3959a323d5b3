"""Logs of activities on cases: who did what to which item, from when to when."""

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.events.log_files import ROW, read_table
from gigatwin.events.log_mapping import (
    COMPLETE_WORDS,
    START_WORDS,
    SUCCESS_WORDS,
    CaseMapping,
    guess_case_mapping,
)
from gigatwin.events.log_times import TimeKind, read_times

_MICROSECONDS = 1_000_000
# The columns of a wide log are all worth seeing when one is missing.
_LISTED = 40
_MOST_ROWS = 5
_KINDS: dict[TimeKind, str] = {
    "zoned": "dates with an offset",
    "local": "dates without an offset",
    "number": "numbers",
}


@dataclass(frozen=True)
class CaseLog:
    """The visits of items to machines, one row each."""

    visits: pl.DataFrame
    """Columns case, activity, machine (text), start, end (s since ``origin``, null where the event
    is missing) and success (true, false, or null where not known), in the order of the times.
    Further columns, each only where the log has it: format, origin, destination, parts (text) and
    row (row of the file)."""
    origin: datetime | float = 0.0
    """The moment of the first start: a date (UTC when zoned), or seconds."""
    mapping: CaseMapping | None = None
    """What the columns were taken for."""
    guesses: tuple[str, ...] = ()
    """What was guessed about the columns; empty when a mapping was given."""
    warnings: tuple[str, ...] = ()
    """What was left out or assumed."""

    @functools.cached_property
    def activities(self) -> pl.DataFrame:
        """The visits of which both the start and the end are known."""
        return self.visits.filter(pl.col("start").is_not_null() & pl.col("end").is_not_null())

    @property
    def n_cases(self) -> int:
        """Number of cases."""
        return self.visits["case"].n_unique()


def read_case_log(
    path: str | Path, mapping: CaseMapping | None = None, *, drop_duplicates: bool = False
) -> CaseLog:
    """Read the activities of a CSV or Parquet file.

    Two shapes are understood: one row for each activity with its begin and end, and life-cycle
    rows, where begin and end are rows of their own (or the row of the begin has the end too).

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
        The activities, what was guessed and what was left out.

    Raises
    ------
    TelemetryError
        If the file cannot be read, a column is missing, or a value cannot be used; the text names
        the file, the row and the column.
    """
    file = str(path)
    table = read_table(Path(path))
    guesses: tuple[str, ...] = ()
    if mapping is None:
        mapping, guesses = guess_case_mapping(table.drop(ROW), file)
    _check_columns(table, mapping, file)
    warnings: list[str] = []
    table = _without_duplicates(table, file, warnings, drop=drop_duplicates)
    table = _selected(table, mapping, file)
    rows = _named(table, mapping, file, warnings)
    rows, kind = _timed(rows, table, mapping, file)
    if mapping.lifecycle is None:
        rows = _finished(rows, warnings)
    else:
        rows = _paired(rows, warnings, end_on_begin=mapping.end is not None)
    if rows.height == 0:
        message = (
            f"{file}: no activity has both a begin and an end ({'; '.join(warnings)}); needs at "
            "least one"
        )
        raise TelemetryError(message)
    _check_order(rows, mapping, file)
    first = rows["start"].min()
    scale = 1 if kind == "number" else _MICROSECONDS
    activities = rows.with_columns(success=_success(rows["outcome"], mapping, file))
    activities = activities.sort("start", "end", ROW).select(
        "case",
        "activity",
        "machine",
        start=(pl.col("start") - first) / scale,
        end=(pl.col("end") - first) / scale,
        success="success",
    )
    return CaseLog(
        visits=activities,
        origin=_origin(first, kind),
        mapping=mapping,
        guesses=guesses,
        warnings=tuple(warnings),
    )


def _check_columns(table: pl.DataFrame, mapping: CaseMapping, file: str) -> None:
    there = [name for name in table.columns if name != ROW]
    missing = [name for name in mapping.columns() if name not in there]
    if missing:
        message = (
            f"{file}: no column {_quoted(missing)}, which the mapping names; there are "
            f"{_quoted(there)}"
        )
        raise TelemetryError(message)


def _without_duplicates(
    table: pl.DataFrame, file: str, warnings: list[str], *, drop: bool
) -> pl.DataFrame:
    columns = [name for name in table.columns if name != ROW]
    kept = table.unique(subset=columns, keep="first", maintain_order=True)
    if kept.height < table.height:
        if not drop:
            copies = table.join(kept.select(ROW), on=ROW, how="anti")[ROW].to_list()
            shown = ", ".join(map(str, copies[:_MOST_ROWS]))
            message = (
                f"{file} row {shown}: exact copies of earlier rows, "
                f"{len(copies)} in all; every row must be there once (remove them, or have them "
                "left out with --drop-duplicates)"
            )
            raise TelemetryError(message)
        first = table.filter(table.select(columns).is_duplicated())[ROW][0]
        warnings.append(
            f"{_counted(table.height - kept.height, 'row')} left out as exact copies of another "
            f"(the first copied: row {first})"
        )
    return kept


def _selected(table: pl.DataFrame, mapping: CaseMapping, file: str) -> pl.DataFrame:
    for name, wanted in mapping.where.items():
        values = [wanted] if isinstance(wanted, str) else list(wanted)
        texts = table[name].cast(pl.String)
        kept = table.filter(texts.is_in(values))
        if kept.height == 0:
            found = _quoted(texts.drop_nulls().unique(maintain_order=True).to_list())
            message = (
                f"{file} column '{name}': no row with {_quoted(values)}, which the mapping asks "
                f"for under 'where'; there are {found}"
            )
            raise TelemetryError(message)
        table = kept
    if mapping.lifecycle is None:
        return table
    words = table[mapping.lifecycle].cast(pl.String).str.strip_chars().str.to_lowercase()
    kept = table.filter(words.is_in([*START_WORDS, *COMPLETE_WORDS]))
    if not (words.is_in(list(START_WORDS)).any() and words.is_in(list(COMPLETE_WORDS)).any()):
        found = _quoted(table[mapping.lifecycle].cast(pl.String).unique().drop_nulls().to_list())
        message = (
            f"{file} column '{mapping.lifecycle}': holds {found}; needs rows with 'start' and rows "
            "with 'complete', or a mapping without 'lifecycle'"
        )
        raise TelemetryError(message)
    return kept


def _named(
    table: pl.DataFrame, mapping: CaseMapping, file: str, warnings: list[str]
) -> pl.DataFrame:
    """Return the text columns under their own names, stripped, with blanks as null."""

    def text(name: str | None) -> pl.Expr:
        if name is None:
            return pl.lit(None, dtype=pl.String)
        stripped = pl.col(name).cast(pl.String).str.strip_chars()
        return pl.when(stripped != "").then(stripped)

    lifecycle = text(mapping.lifecycle).str.to_lowercase()
    rows = table.select(
        ROW,
        case=text(mapping.case),
        activity=text(mapping.activity),
        machine=text(mapping.machine or mapping.activity),
        is_begin=lifecycle.is_in(list(START_WORDS)),
        instance=text(mapping.instance),
        outcome=text(mapping.outcome),
    )
    for meaning, name in (("case", mapping.case), ("activity", mapping.activity)):
        empty = rows.filter(pl.col(meaning).is_null())
        if empty.height:
            message = (
                f"{file} row {empty[ROW][0]} column '{name}': empty, in "
                f"{_counted(empty.height, 'row')}; needs the {meaning} in every row (choose rows "
                "with 'where' in a mapping)"
            )
            raise TelemetryError(message)
    without_machine = rows["machine"].null_count()
    if without_machine:
        warnings.append(
            f"{_counted(without_machine, 'row')} with no machine in column '{mapping.machine}': "
            "the activity is taken as the machine"
        )
    return rows.with_columns(pl.col("machine").fill_null(pl.col("activity")))


def _timed(
    rows: pl.DataFrame, table: pl.DataFrame, mapping: CaseMapping, file: str
) -> tuple[pl.DataFrame, TimeKind]:
    starts = read_times(table[mapping.start], table[ROW], file)
    empty = rows.filter(starts.values.is_null())
    if empty.height:
        message = (
            f"{file} row {empty[ROW][0]} column '{mapping.start}': empty, in "
            f"{_counted(empty.height, 'row')}; needs a time in every row"
        )
        raise TelemetryError(message)
    if mapping.end is None and mapping.lifecycle is None:
        message = (
            f"{file}: the mapping has neither 'end' nor 'lifecycle'; needs one of them to know "
            "when an activity ends"
        )
        raise TelemetryError(message)
    if mapping.end is None:
        ends = starts
    else:
        ends = read_times(table[mapping.end], table[ROW], file)
        if ends.kind != starts.kind and ends.values.null_count() < len(ends.values):
            message = (
                f"{file}: column '{mapping.start}' holds {_KINDS[starts.kind]} and column "
                f"'{mapping.end}' {_KINDS[ends.kind]}; needs the same in both"
            )
            raise TelemetryError(message)
    dtype = pl.Float64 if starts.kind == "number" else pl.Int64
    start, end = starts.values.cast(dtype), ends.values.cast(dtype)
    return rows.with_columns(start=start, end=end), starts.kind


def _finished(rows: pl.DataFrame, warnings: list[str]) -> pl.DataFrame:
    kept = rows.filter(pl.col("end").is_not_null())
    if kept.height < rows.height:
        warnings.append(f"{_counted(rows.height - kept.height, 'row')} without an end left out")
    return kept


def _paired(rows: pl.DataFrame, warnings: list[str], *, end_on_begin: bool) -> pl.DataFrame:
    """Join the begin and the end of each activity.

    Where a case has as many begins as ends of an activity on a machine, the first begin belongs to
    the first end, and so on. Where a row was lost, only a begin directly followed by an end is
    taken, because counting would join all later ones wrongly.
    """
    key = ["case", "activity", "machine", "instance"]
    ordered = rows.sort("start", ROW).with_columns(
        n_begins=pl.col("is_begin").sum().over(key),
        n_ends=(~pl.col("is_begin")).sum().over(key),
        followed=~pl.col("is_begin").shift(-1).over(key),
        follows=pl.col("is_begin").shift(1).over(key),
    )
    complete = pl.col("n_begins") == pl.col("n_ends")
    begins = ordered.filter("is_begin").filter(complete | pl.col("followed"))
    ends = ordered.filter(~pl.col("is_begin")).filter(complete | pl.col("follows"))
    number = pl.int_range(pl.len()).over(key).alias("number")
    pairs = (
        begins.with_columns(number)
        .drop("outcome")
        .join(
            ends.with_columns(number).select(*key, "number", "outcome", time_of_end="start"),
            on=[*key, "number"],
            nulls_equal=True,
            maintain_order="left",
        )
    )
    lost = rows.height - 2 * pairs.height
    if lost:
        warnings.append(f"{_counted(lost, 'row')} left out: a begin without an end, or the reverse")
    end = pl.coalesce("end", "time_of_end") if end_on_begin else pl.col("time_of_end")
    return pairs.with_columns(end=end)


def _check_order(rows: pl.DataFrame, mapping: CaseMapping, file: str) -> None:
    backward = rows.filter(pl.col("end") < pl.col("start"))
    if backward.height:
        first = backward.row(0, named=True)
        if backward["start"].dtype == pl.Int64:
            begin, end = (str(_moment(first[name])) for name in ("start", "end"))
        else:
            begin, end = (f"{first[name]:.10g} s" for name in ("start", "end"))
        message = (
            f"{file} row {first[ROW]} columns '{mapping.start}' and "
            f"'{mapping.end or mapping.start}': the end, {end}, is before the begin, {begin}, in "
            f"{backward.height} of {rows.height} activities; needs ends at or after the begin "
            "(are the columns the right way round?)"
        )
        raise TelemetryError(message)


def _success(outcome: pl.Series, mapping: CaseMapping, file: str) -> pl.Series:
    if mapping.outcome is None:
        return pl.repeat(None, len(outcome), dtype=pl.Boolean, eager=True)
    wanted = [word.strip().lower() for word in mapping.success] or sorted(SUCCESS_WORDS)
    is_success = outcome.str.to_lowercase().is_in(wanted)
    if not is_success.any():
        found = _quoted(outcome.drop_nulls().unique(maintain_order=True).to_list())
        message = (
            f"{file} column '{mapping.outcome}': holds {found}, and none of {_quoted(wanted)}; "
            "needs 'success: [..]' in a mapping with the outcomes that are good (with begin and "
            "end on rows of their own also 'lifecycle: ..')"
        )
        raise TelemetryError(message)
    return is_success


def _origin(first: object, kind: TimeKind) -> datetime | float:
    if kind == "number" or not isinstance(first, int):
        return float(str(first))
    moment = _moment(first)
    return moment.replace(tzinfo=UTC) if kind == "zoned" else moment


def _moment(microseconds: int) -> datetime:
    epoch = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    return epoch + timedelta(microseconds=microseconds)


def _quoted(values: list[str]) -> str:
    more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
    return ", ".join(f"'{value}'" for value in values[:_LISTED]) + more


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
