"""Logs of machine states: which machine was in which state, from when to when."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.events.coverage import gap_starts
from gigatwin.events.log_files import ROW, LogTable, collected, scan_table
from gigatwin.events.log_guesses import plain
from gigatwin.events.log_mapping import CaseMapping
from gigatwin.events.log_rows import LogRows, counted, quoted, read_rows
from gigatwin.events.machine_signals import (
    NOTES,
    execution_words,
    has_execution,
    signal_intervals,
)
from gigatwin.events.shdr import COLUMNS
from gigatwin.events.state_guesses import guess_state_mapping
from gigatwin.events.state_mapping import (
    JOULES,
    UNKNOWN_WORDS,
    StateMapping,
    plain_word,
    state_of,
    unclear,
)
from gigatwin.events.visits import is_event_table
from gigatwin.standards.machine_states import MachineState

_MICROSECONDS = 1_000_000
_SAMPLE = 100_000


@dataclass(frozen=True)
class StateLog:
    """The states of machines, one row for each stay in a state."""

    intervals: pl.DataFrame
    """Columns machine, start, end (s since ``origin``), state (the name of a `MachineState` in
    lower case, such as ``executing``), native (the word of the log), energy (J, null where not
    known), is_cut (the begin or the end is no change of state: a gap, an unknown state, the end
    of the log), row (row of the file), and item and case where the log has them; by machine and
    time. Times in no interval are unknown."""
    origin: datetime | float = 0.0
    """The moment of the first time: a date (UTC when zoned), or seconds."""
    mapping: StateMapping | None = None
    """What the columns were taken for."""
    guesses: tuple[str, ...] = ()
    """What was guessed about the columns and the words."""
    warnings: tuple[str, ...] = ()
    """What was left out or assumed."""


def read_state_log(
    path: str | Path,
    mapping: StateMapping | None = None,
    *,
    coverage: str | Path | float | None = None,
) -> StateLog:
    """Read the states of machines.

    Read are tables of intervals or of changes (machine, time, state), the changes of MTConnect
    items (the lines of an adapter, or a table timestamp, item, value), and our own traces.

    Parameters
    ----------
    path : str or Path
        The file.
    mapping : StateMapping, optional
        What columns and words mean; left out, it is guessed.
    coverage : str, Path or float, optional
        Of MTConnect items: a table of the daily files that the log was made from, or the longest
        time without any row [s]; left out, a day (UTC) without any row is a gap. No state is taken
        to last across a gap.

    Returns
    -------
    StateLog
        The intervals, what was guessed and what was left out.

    Raises
    ------
    TelemetryError
        If the file cannot be read, a column is missing, or a value cannot be used.
    """
    path = Path(path)
    log = scan_table(path)
    sample = collected(log.frame.head(_SAMPLE), path)
    if mapping is None and is_event_table(sample.columns):
        return states_of(collected(log.frame.drop(ROW), path))
    is_signals = set(sample.columns) - {ROW} == set(COLUMNS) and has_execution(
        collected(log.frame.select(pl.col("item").unique()), path)["item"]
    )
    if is_signals and (mapping is None or mapping.state == "value"):
        return _from_signals(log, sample, mapping, path, coverage)
    guesses: tuple[str, ...] = ()
    if mapping is None:
        mapping, guesses = guess_state_mapping(sample.drop(ROW), str(path))
    return _from_table(log, sample, mapping, path, guesses)


def states_of(events: pl.DataFrame) -> StateLog:
    """Return the states of the machines in gigatwin's own event table, in the order written.

    A machine is unknown before its first record. Stops that follow each other stay apart.
    """
    rows = (
        events.lazy()
        .with_row_index("row", offset=1)
        .filter(pl.col("machine").is_not_null() & pl.col("state").is_not_null())
        .select(
            pl.col("machine").cast(pl.String),
            pl.col("state").cast(pl.String).str.to_lowercase(),
            pl.col("row").cast(pl.UInt32),
            is_stop=pl.col("kind").cast(pl.String) == "STOP",
            start=pl.col("time").cast(pl.Float64),
        )
        .collect()
    )
    rows = rows.sort("machine", maintain_order=True)
    last = pl.lit(rows["start"].max(), dtype=pl.Float64)
    is_same = pl.col("machine") == pl.col("machine").shift(-1)
    stays = rows.with_columns(end=pl.when(is_same).then(pl.col("start").shift(-1)).otherwise(last))
    stays = stays.filter(pl.col("end") > pl.col("start"))
    begins = (
        (pl.col("machine") != pl.col("machine").shift(1))
        | (pl.col("state") != pl.col("state").shift(1))
        | pl.col("is_stop")
    ).fill_null(value=True)
    intervals = (
        stays.with_columns(stay=begins.cum_sum())
        .group_by("stay", maintain_order=True)
        .agg(
            pl.col("machine", "start", "state", "row").first(),
            pl.col("end").last(),
        )
        .with_columns(is_cut=pl.col("end") == last, native=pl.col("state").str.to_uppercase())
    )
    return StateLog(_complete(intervals))


def _complete(intervals: pl.DataFrame) -> pl.DataFrame:
    if "energy" not in intervals.columns:
        intervals = intervals.with_columns(energy=pl.lit(None, dtype=pl.Float64))
    more = [name for name in ("item", "case") if name in intervals.columns]
    return intervals.select(
        pl.col("machine").cast(pl.String),
        pl.col("start", "end").cast(pl.Float64),
        "state",
        "native",
        "energy",
        "is_cut",
        pl.col("row").cast(pl.UInt32),
        *more,
    ).sort("machine", "start", "end", "row")


def _given_words(mapping: StateMapping | None, file: str) -> dict[str, MachineState]:
    given = {}
    for word, name in (mapping.words if mapping else {}).items():
        if name.upper() not in MachineState.__members__:
            known = quoted([state.name.lower() for state in MachineState])
            message = (
                f"{file}: words: '{word}' to '{name}', which is no state; needs one of {known}"
            )
            raise TelemetryError(message)
        given[plain_word(word)] = MachineState[name.upper()]
    return given


def _understood(
    words: list[str], mapping: StateMapping | None, place: str, notes: list[str]
) -> tuple[dict[str, MachineState], list[str]]:
    """Return the states of words, and the words that mean nothing known."""
    given = _given_words(mapping, place)
    table = {word: state for word in words if (state := state_of(word, given)) is not None}
    doubts = [unclear(word, given) for word in table]
    notes.extend(doubt for doubt in doubts if doubt is not None)
    strange = [
        word for word in words if word not in table and plain_word(word) not in UNKNOWN_WORDS
    ]
    if not table:
        message = (
            f"{place}: holds {quoted(words)}, none of which is a known state; give 'words' in a "
            "mapping, for example words: {läuft: executing, steht: breakdown}"
        )
        raise TelemetryError(message)
    return table, strange


def _from_table(
    log: LogTable,
    sample: pl.DataFrame,
    mapping: StateMapping,
    path: Path,
    guesses: tuple[str, ...],
) -> StateLog:
    """Read rows that say the state of a machine from a time on."""
    file = str(path)
    # Read as if the machine were the case and the state what was done to it.
    columns = CaseMapping(
        case=mapping.machine or mapping.state,
        activity=mapping.state,
        start=mapping.start,
        end=mapping.end,
        outcome=mapping.energy,
        origin=mapping.item,
        destination=mapping.case,
        time_zone=mapping.time_zone,
        date_format=mapping.date_format,
    )
    read = read_rows(log, sample, columns, path, drop_duplicates=True)
    warnings, notes = [*log.notes, *read.warnings], list(guesses)
    rows = read.rows.with_columns(
        machine=pl.col("case").cast(pl.String)
        if mapping.machine
        else pl.lit(mapping.machine_name or _name_of(path)),
        native=pl.col("activity").cast(pl.String),
    )
    place = f"{file} column '{mapping.state}'"
    words = rows["native"].unique(maintain_order=True).to_list()
    table, strange = _understood(words, mapping, place, notes)
    rows = _with_ends(rows, mapping, file, warnings)
    known = rows.filter(pl.col("native").is_in(list(table)))
    if strange:
        warnings.append(
            f"{counted(rows.height - known.height, 'row')} left out, whose state is not known: "
            f"{quoted(strange)}; name them under 'words' in a mapping"
        )
    names = {word: state.name.lower() for word, state in table.items()}
    known = known.with_columns(state=pl.col("native").replace_strict(names))
    known = _with_energy(known, mapping, file, warnings)
    overlaps = known.sort("machine", "start", "row").select(
        (pl.col("start") < pl.col("end").shift(1).over("machine")).sum()
    )
    if n_overlaps := int(overlaps.item()):
        warnings.append(
            f"{counted(n_overlaps, 'interval')} begin before the one before on the same machine "
            "has ended"
        )
    more = {"item": mapping.item, "case": mapping.case}
    known = known.drop("case").with_columns(case="destination", item="origin")
    known = known.drop(name for name, column in more.items() if column is None)
    known = known.with_columns(
        pl.col(name).cast(pl.String) for name, column in more.items() if column is not None
    )
    return _state_log(LogRows(known, read.kind, warnings), mapping, notes)


def _with_ends(
    rows: pl.DataFrame, mapping: StateMapping, file: str, warnings: list[str]
) -> pl.DataFrame:
    if mapping.end is None:
        rows = rows.drop_nulls("start").sort("machine", "start", "row")
        following = pl.col("start").shift(-1).over("machine")
        rows = rows.with_columns(
            is_cut=following.is_null(), end=following.fill_null(pl.col("start").max())
        )
        return rows.filter(pl.col("end") > pl.col("start"))
    kept = rows.filter(pl.col("end") >= pl.col("start"))
    if kept.is_empty():
        message = (
            f"{file}: no row has an end in '{mapping.end}' at or after its begin in "
            f"'{mapping.start}'; needs intervals (are the columns the right way round?)"
        )
        raise TelemetryError(message)
    if kept.height < rows.height:
        first = rows.join(kept.select("row"), on="row", how="anti")["row"][0]
        warnings.append(
            f"{counted(rows.height - kept.height, 'row')} left out: a time is missing or the end "
            f"is before the begin (the first: row {first})"
        )
    return kept.with_columns(is_cut=pl.lit(value=False))


def _with_energy(
    rows: pl.DataFrame, mapping: StateMapping, file: str, warnings: list[str]
) -> pl.DataFrame:
    if mapping.energy is None:
        return rows
    if mapping.energy_unit is None:
        warnings.append(
            f"column '{mapping.energy}': the unit of the energy is not known, so it is not used; "
            "give energy_unit in a mapping"
        )
        return rows
    text = rows["outcome"].cast(pl.String)
    energy = text.cast(pl.Float64, strict=False)
    wrong = energy.is_null() & text.is_not_null()
    if wrong.any():
        row = rows.filter(wrong).row(0, named=True)
        message = (
            f"{file} row {row['row']} column '{mapping.energy}': {row['outcome']!r} is not a "
            "number; needs the energy of the interval"
        )
        raise TelemetryError(message)
    return rows.with_columns((energy * JOULES[mapping.energy_unit]).alias("energy"))


def _from_signals(
    log: LogTable,
    sample: pl.DataFrame,
    mapping: StateMapping | None,
    path: Path,
    coverage: str | Path | float | None,
) -> StateLog:
    """Read the changes of MTConnect items."""
    file = str(path)
    columns = CaseMapping(case="item", activity="item", start="timestamp", outcome="value")
    read = read_rows(log, sample, columns, path, drop_duplicates=True)
    if read.kind == "number":
        message = f"{file} column 'timestamp': holds numbers; needs dates, as MTConnect has them"
        raise TelemetryError(message)
    # Copies say nothing new about changes.
    warnings = [*log.notes, *(text for text in read.warnings if "exact copies" not in text)]
    changes = read.rows.select(
        "row",
        item=pl.col("case").cast(pl.String),
        value=pl.col("outcome").cast(pl.String),
        time="start",
    ).drop_nulls("time")
    changes = changes.sort("time", "row")
    gaps = gap_starts(changes["time"], coverage)
    notes: list[str] = []
    table, strange = _understood(
        execution_words(changes), mapping, f"{file} item 'execution'", notes
    )
    if strange:
        warnings.append(f"execution {quoted(strange)}: not known, taken as no state")
    name = (mapping and mapping.machine_name) or _name_of(path)
    machine = pl.col("item").str.extract(r"^([^:]+):").fill_null(name)
    parts = changes.with_columns(machine=machine).partition_by("machine", as_dict=True)
    if any(machine == (name,) for machine in parts) and not (mapping and mapping.machine_name):
        notes.insert(0, f"machine: '{name}', from the name of the file")
    notes.extend(NOTES)
    intervals = pl.concat(
        signal_intervals(part.drop("machine"), gaps, table).with_columns(machine=pl.lit(key[0]))
        for key, part in parts.items()
        if has_execution(part["item"])
    )
    if gaps:
        warnings.append(f"{counted(len(gaps), 'gap')}, across which no state is taken to last")
    if mapping is None:
        mapping = StateMapping(start="timestamp", state="value", machine_name=name)
    return _state_log(LogRows(intervals, read.kind, warnings), mapping, notes)


def _state_log(read: LogRows, mapping: StateMapping, notes: list[str]) -> StateLog:
    first = read.rows["start"].min()
    scale = 1 if read.kind == "number" else _MICROSECONDS
    rows = read.rows
    origin: datetime | float = 0.0
    if first is not None:
        rows = rows.with_columns((pl.col("start", "end") - first) / scale)
        origin = float(str(first))
        if read.kind != "number":
            zone = UTC if read.kind == "zoned" else None
            epoch = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(str(first)))
            origin = epoch.replace(tzinfo=zone)
    return StateLog(_complete(rows), origin, mapping, tuple(notes), tuple(read.warnings))


def _name_of(path: Path) -> str:
    return re.split(r"[-_.]", path.name)[0] or plain(path.name)
