"""Which column of a log of machine states means what, and what a file is at all."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.events.log_files import ROW, collected, scan_table
from gigatwin.events.log_guesses import plain, words_of
from gigatwin.events.log_times import looks_like_dates
from gigatwin.events.shdr import COLUMNS
from gigatwin.events.state_mapping import STATE_WORDS, UNKNOWN_WORDS, StateMapping, plain_word
from gigatwin.events.visits import is_event_table

LogKind = Literal["cases", "states", "shdr", "events"]
"""Activities on cases; states of machines; changes of MTConnect items; our own trace."""

_NAMES = {
    "machine": "machine_name machine machine_id resource equipment station work_cell asset",
    "start": "start start_time start_timestamp time_start begin begin_time from timestamp time",
    "end": "end end_time end_timestamp time_end finish finish_time to",
    "state": "state machine_state state_name status reason_code reason execution",
    "energy": "energy energy_consumption energy_use consumption",
    "case": "case case_id order order_id work_order job job_id id",
    "item": "item item_id part_id serial_number",
}
_SAMPLE = 10_000


def guess_state_mapping(table: pl.DataFrame, file: str) -> tuple[StateMapping, tuple[str, ...]]:
    """Guess what the columns of a log of machine states mean.

    Parameters
    ----------
    table : polars.DataFrame
        The log as it is in the file, or its first rows.
    file : str
        Name of the file, for messages.

    Returns
    -------
    tuple of StateMapping and tuple of str
        The mapping, and one sentence for each guess.

    Raises
    ------
    TelemetryError
        If there is no column for the times or the states.
    """
    names = {plain(name): name for name in reversed(table.columns)}

    def find(meaning: str, fits: Callable[[pl.Series], bool] = lambda _: True) -> str | None:
        known = (names[word] for word in _NAMES[meaning].split() if word in names)
        return next((name for name in known if fits(table[name])), None)

    start = find("start", _may_be_time)
    end = find("end", _may_be_time)
    state = find("state", _has_states) or find("state")
    missing = [
        meaning for meaning, column in (("start", start), ("state", state)) if column is None
    ]
    if start is None or state is None:
        message = (
            f"{file}: no column found for {' and '.join(missing)}; there are "
            f"{', '.join(repr(name) for name in table.columns)}; give a mapping such as "
            "'machine: station', 'start: from', 'end: to', 'state: status'"
        )
        raise TelemetryError(message)
    mapping = StateMapping(
        machine=find("machine"),
        start=start,
        end=end,
        state=state,
        energy=find("energy"),
        case=find("case"),
        item=find("item"),
    )
    notes = [
        f"{meaning}: column '{column}'"
        for meaning, column in mapping.model_dump(exclude_none=True, exclude={"words"}).items()
    ]
    if mapping.machine is None:
        notes.append("machine: no such column; the log is taken as that of one machine")
    return mapping, tuple(notes)


def sniff(path: str | Path) -> LogKind:
    """Say what a log holds.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    LogKind
        ``events``: gigatwin's own trace; ``shdr``: changes of MTConnect items, as lines or as a
        table timestamp, item, value; ``states``: states of machines; ``cases``: anything else,
        which is for `read_case_log` to judge.

    Raises
    ------
    TelemetryError
        If the file cannot be read at all.
    """
    path = Path(path)
    sample = collected(scan_table(path).frame.head(_SAMPLE).drop(ROW), path)
    if is_event_table(sample.columns):
        return "events"
    if set(sample.columns) == set(COLUMNS):
        return "shdr"
    names = {plain(name): name for name in sample.columns}
    states = [names[word] for word in _NAMES["state"].split() if word in names]
    has_machine = any(word in names for word in _NAMES["machine"].split())
    has_start = any(word in names for word in _NAMES["start"].split())
    has_activity = any(word.startswith(("activity", "operation", "concept_name")) for word in names)
    is_states = has_machine and has_start and not has_activity
    if is_states and any(_has_states(sample[name]) for name in states):
        return "states"
    return "cases"


def _has_states(column: pl.Series) -> bool:
    words = {plain_word(word) for word in words_of(column)} - UNKNOWN_WORDS
    known = words & STATE_WORDS.keys()
    return bool(words) and 2 * len(known) > len(words)


def _may_be_time(column: pl.Series) -> bool:
    if column.dtype.is_numeric() or looks_like_dates(column):
        return True
    values = column.drop_nulls().head(100).cast(pl.String, strict=False)
    return bool(values.cast(pl.Float64, strict=False).is_not_null().any())
