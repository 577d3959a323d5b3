"""The columns of a log that a mapping names, read under their own names."""

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.events.log_files import ROW, LogTable, collected
from gigatwin.events.log_mapping import COMPLETE_WORDS, START_WORDS, CaseMapping
from gigatwin.events.log_times import TimeKind, date_forms, in_utc, read_times, time_expression

# The columns of a wide log are all worth seeing when one is missing.
_LISTED = 40
_TOO_LARGE_FOR_SECONDS = 1e11
_KINDS: dict[TimeKind, str] = {
    "zoned": "dates with an offset",
    "local": "dates without an offset",
    "number": "numbers",
}
_TEXTS = ("case", "activity", "machine", "instance", "outcome", "format", "origin", "destination")


@dataclass(frozen=True)
class LogRows:
    """The rows of a log that count."""

    rows: pl.DataFrame
    """Columns row (u32), case, activity, machine, instance, outcome, format, origin, destination
    (categories), parts (text), is_begin, and start, end, enabled (microseconds or s)."""
    kind: TimeKind
    """How the times are written."""
    warnings: list[str] = field(default_factory=list)
    """What was left out or assumed."""


def read_rows(
    log: LogTable, sample: pl.DataFrame, mapping: CaseMapping, path: Path, *, drop_duplicates: bool
) -> LogRows:
    """Read what the mapping names.

    Parameters
    ----------
    log : LogTable
        The log.
    sample : polars.DataFrame
        Its first rows.
    mapping : CaseMapping
        What the columns mean.
    path : pathlib.Path
        The file.
    drop_duplicates : bool
        Whether exact copies of rows are left out, with a warning, or an error.

    Raises
    ------
    TelemetryError
        If a column is missing or a value cannot be used.
    """
    file = str(path)
    _check_columns(sample, mapping, file)
    chosen = log.frame
    for name, wanted in mapping.where.items():
        chosen = chosen.filter(pl.col(name).cast(pl.String).is_in(_listed(wanted)))
    times = {"start": mapping.start, "end": mapping.end, "enabled": mapping.enabled}
    columns = {meaning: name for meaning, name in times.items() if name is not None}
    forms = date_forms(log.frame, list(columns.values()), file, mapping.date_format)
    every = [name for name in sample.columns if name != ROW]
    selected = {**_texts(mapping), "hash": pl.struct(every).hash()}
    kinds: dict[str, TimeKind] = {}
    for meaning, name in columns.items():
        fast = time_expression(sample[name], forms)
        if fast is None:
            selected[meaning] = pl.col(name)
            continue
        expression, kinds[meaning] = fast
        is_blank = pl.col(name).is_null() | (pl.col(name).str.strip_chars() == "")
        wrong = expression.is_null() & ~is_blank
        if kinds[meaning] == "number":
            wrong |= ~(expression.abs() < _TOO_LARGE_FOR_SECONDS) & expression.is_not_null()
        selected |= {meaning: expression, f"wrong {meaning}": wrong}
    rows = collected(_lifecycle_only(chosen, mapping).select(row=ROW, **selected), path)
    if rows.is_empty():
        raise _nothing_chosen(log.frame, mapping, path)
    for meaning, name in columns.items():
        raw = rows[meaning]
        if meaning in kinds:
            if not rows[f"wrong {meaning}"].any():
                continue
            again = _lifecycle_only(chosen, mapping).select(pl.col(name))
            raw = collected(again, path)[name]
        read = read_times(raw.alias(name), rows["row"], file, forms)
        kinds[meaning] = read.kind
        rows = rows.with_columns(read.values.alias(meaning))
    warnings: list[str] = []
    rows = _without_copies(rows, file, warnings, drop=drop_duplicates)
    rows = _with_machine(rows, mapping, file, warnings)
    kind = _common_kind(rows, kinds, columns, file)
    rows, kind = _zoned(rows, list(columns), kind, mapping, file, warnings)
    dtype = pl.Float64 if kind == "number" else pl.Int64
    absent = {**dict.fromkeys(_TEXTS, pl.Categorical), "parts": pl.String}
    absent |= dict.fromkeys(times, dtype)
    rows = rows.with_columns(
        pl.lit(None, dtype=of).alias(name)
        for name, of in absent.items()
        if name not in rows.columns
    ).with_columns(pl.col(*times).cast(dtype))
    return LogRows(rows, kind, warnings)


def quoted(values: list[str]) -> str:
    """Return names for a message, the first of them if there are many."""
    more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
    return ", ".join(f"'{value}'" for value in values[:_LISTED]) + more


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(wanted: str | tuple[str, ...]) -> list[str]:
    return [wanted] if isinstance(wanted, str) else list(wanted)


def _check_columns(table: pl.DataFrame, mapping: CaseMapping, file: str) -> None:
    there = [name for name in table.columns if name != ROW]
    missing = [name for name in mapping.columns() if name not in there]
    if missing:
        message = (
            f"{file}: no column {quoted(missing)}, which the mapping names; there are "
            f"{quoted(there)}"
        )
        raise TelemetryError(message)


def _text(name: str | None) -> pl.Expr:
    """Return a column as text, stripped, with blanks as null."""
    if name is None:
        return pl.lit(None, dtype=pl.String)
    stripped = pl.col(name).cast(pl.String).str.strip_chars()
    return pl.when(stripped != "").then(stripped)


def _texts(mapping: CaseMapping) -> dict[str, pl.Expr]:
    names: dict[str, str | None] = {name: getattr(mapping, name) for name in _TEXTS}
    names["machine"] = mapping.machine or mapping.activity
    texts = {meaning: _text(name).cast(pl.Categorical) for meaning, name in names.items() if name}
    if mapping.parts:
        parts = [_text(name) for name in mapping.parts]
        joined = pl.concat_str(parts, separator=";", ignore_nulls=True)
        texts["parts"] = pl.when(joined != "").then(joined)
    if mapping.lifecycle is not None:
        words = _text(mapping.lifecycle).str.to_lowercase()
        texts["is_begin"] = words.is_in(sorted(START_WORDS))
    return texts


def _lifecycle_only(frame: pl.LazyFrame, mapping: CaseMapping) -> pl.LazyFrame:
    if mapping.lifecycle is None:
        return frame
    words = _text(mapping.lifecycle).str.to_lowercase()
    return frame.filter(words.is_in(sorted(START_WORDS | COMPLETE_WORDS)))


def _nothing_chosen(frame: pl.LazyFrame, mapping: CaseMapping, path: Path) -> TelemetryError:
    def found(name: str) -> str:
        values = collected(frame.select(pl.col(name).cast(pl.String)), path)[name]
        return quoted(values.drop_nulls().unique(maintain_order=True).to_list())

    for name, wanted in mapping.where.items():
        kept = frame.filter(pl.col(name).cast(pl.String).is_in(_listed(wanted)))
        if collected(kept.head(1), path).is_empty():
            return TelemetryError(
                f"{path} column '{name}': no row with {quoted(_listed(wanted))}, which the mapping "
                f"asks for under 'where'; there are {found(name)}"
            )
        frame = kept
    assert mapping.lifecycle is not None  # noqa: S101 - for the type checker
    return TelemetryError(
        f"{path} column '{mapping.lifecycle}': holds {found(mapping.lifecycle)}; needs rows with "
        "'start' or rows with 'complete', or a mapping without 'lifecycle'"
    )


def _without_copies(
    rows: pl.DataFrame, file: str, warnings: list[str], *, drop: bool
) -> pl.DataFrame:
    is_first = rows["hash"].is_first_distinct()
    if not is_first.all():
        copies = rows.filter(~is_first)
        if not drop:
            shown = ", ".join(map(str, copies["row"].head(5).to_list()))
            message = (
                f"{file} row {shown}: exact copies of earlier rows, {copies.height} in all; every "
                "row must be there once (remove them, or have them left out with "
                "drop_duplicates=True)"
            )
            raise TelemetryError(message)
        first = rows.filter(pl.col("hash").is_in(copies["hash"].unique().implode()))["row"][0]
        warnings.append(
            f"{counted(copies.height, 'row')} left out as exact copies of another "
            f"(the first copied: row {first})"
        )
        rows = rows.filter(is_first)
    return rows.drop("hash")


def _with_machine(
    rows: pl.DataFrame, mapping: CaseMapping, file: str, warnings: list[str]
) -> pl.DataFrame:
    for meaning, name in (("case", mapping.case), ("activity", mapping.activity)):
        if rows[meaning].null_count():
            empty = rows.filter(pl.col(meaning).is_null())["row"]
            message = (
                f"{file} row {empty[0]} column '{name}': empty, in {counted(len(empty), 'row')}; "
                f"needs the {meaning} in every row (choose rows with 'where' in a mapping)"
            )
            raise TelemetryError(message)
    without_machine = rows["machine"].null_count()
    if without_machine:
        warnings.append(
            f"{counted(without_machine, 'row')} with no machine in column '{mapping.machine}': "
            "the activity is taken as the machine"
        )
        rows = rows.with_columns(pl.col("machine").fill_null(pl.col("activity")))
    return rows


def _common_kind(
    rows: pl.DataFrame, kinds: dict[str, TimeKind], columns: dict[str, str], file: str
) -> TimeKind:
    used = [name for name in columns if rows[name].null_count() < rows.height] or list(columns)
    first = used[0]
    for other in used[1:]:
        if kinds[other] != kinds[first]:
            message = (
                f"{file}: column '{columns[first]}' holds {_KINDS[kinds[first]]} and column "
                f"'{columns[other]}' {_KINDS[kinds[other]]}; needs the same in both"
            )
            raise TelemetryError(message)
    return kinds[first]


def _zoned(  # noqa: PLR0913, PLR0917 - the parts of one step
    rows: pl.DataFrame,
    meanings: list[str],
    kind: TimeKind,
    mapping: CaseMapping,
    file: str,
    warnings: list[str],
) -> tuple[pl.DataFrame, TimeKind]:
    """Put local times on the clock of UTC, if the mapping gives their zone."""
    zone = mapping.time_zone
    if zone is None or kind == "zoned":
        return rows, kind
    if kind == "number":
        message = f"{file}: the times are numbers; a time_zone needs dates; leave it out"
        raise TelemetryError(message)
    twice = never = 0
    for meaning in meanings:
        try:
            values, n_twice, n_never = in_utc(rows[meaning].cast(pl.Int64), zone)
        except pl.exceptions.PolarsError as error:
            message = f"{file}: time_zone '{zone}' is not known; needs one such as Europe/Berlin"
            raise TelemetryError(message) from error
        rows = rows.with_columns(values.alias(meaning))
        twice, never = twice + n_twice, never + n_never
    if twice:
        warnings.append(
            f"{counted(twice, 'time')} that the clock of {zone} showed twice: taken as the earlier"
        )
    if never:
        warnings.append(
            f"{counted(never, 'time')} that the clock of {zone} skipped: taken as on a clock that "
            "was not put forward"
        )
    return rows, "zoned"
