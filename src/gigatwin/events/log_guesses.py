"""Which column of a log means what, guessed from names and values."""

import re
from collections.abc import Callable

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.events.log_mapping import COMPLETE_WORDS, START_WORDS, SUCCESS_WORDS, CaseMapping
from gigatwin.events.log_times import looks_like_dates

# The usual names of columns, the most telling first, in lower case with _ for other signs.
_NAMES = {
    "case": "case_id caseid case_concept_name case trace_id trace job_id job part_id part item_id "
    "item workpiece_id workpiece serial_number serial unit_id unit lot_id lot product_id order_id "
    "order order_identifier",
    "activity": "activity activity_name concept_name operation operation_name process_step step "
    "task process process_name",
    "machine": "machine machine_id machine_name org_resource resource resource_id main_resource "
    "equipment equipment_id station station_id station_name work_cell workcell work_center "
    "workcenter asset",
    "start": "start start_time starttime start_timestamp time_start start_date started started_at "
    "begin begin_time enter enter_time entry entry_time entered entered_at time_in timestamp_in "
    "time_enter",
    "stamp": "timestamp time_timestamp event_time datetime time",
    "end": "end end_time endtime end_timestamp time_end end_date ended ended_at finish finish_time "
    "finished finished_at complete complete_time completed completed_at completion_time "
    "operation_end_time exit exit_time exited exited_at leave leave_time left time_out "
    "timestamp_out time_exit departure departure_time",
    "lifecycle": "lifecycle_transition lifecycle transition event_type event type kind",
    "outcome": "outcome success result lifecycle_state status state quality resulting_quality",
    "format": "format product product_type product_name variant recipe model part_type item_type "
    "case_format case_product case_product_type case_variant case_model",
    "origin": "origin origin_resource from_resource from_station source_station",
    "destination": "destination destination_resource to_resource to_station target_station",
    "parts": "parts components consumed",
    "enabled": "enabled enabled_time enable_time enabled_timestamp",
}
_NUMBERED_PART = re.compile(r"^(part|component|input)_?\d+$")
_NOT_COLUMNS = {"success", "where", "time_zone", "date_format", "object_type"}


def plain(name: str) -> str:
    """Return the name of a column in lower case with ``_`` for other signs."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def guess_case_mapping(table: pl.DataFrame, file: str) -> tuple[CaseMapping, tuple[str, ...]]:
    """Guess what the columns mean, from their names and values.

    Parameters
    ----------
    table : polars.DataFrame
        The log as it is in the file, or its first rows.
    file : str
        Name of the file, for messages.

    Returns
    -------
    tuple of CaseMapping and tuple of str
        The mapping, and one sentence for each guess.

    Raises
    ------
    TelemetryError
        If there is no column for the case, the activity or the times.
    """
    names: dict[str, str] = {}
    for name in reversed(table.columns):
        names[plain(name)] = name
        names[re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")] = name

    def find(words: str, fits: Callable[[pl.Series], bool] = lambda _: True) -> str | None:
        known = (names[word] for word in words.split() if word in names)
        return next((name for name in known if fits(table[name])), None)

    case = find(_NAMES["case"])
    machine = find(_NAMES["machine"])
    activity = find(_NAMES["activity"], lambda column: column.name != case) or machine
    lifecycle = find(_NAMES["lifecycle"], _has_lifecycle_words)
    starts = (_NAMES["start"], _NAMES["stamp"])
    start = find(" ".join(reversed(starts) if lifecycle else starts), _may_be_time)
    ends = _NAMES["end"] if lifecycle else f"{_NAMES['end']} {_NAMES['stamp']}"
    end = find(ends, lambda column: column.name != start and _may_be_time(column))
    notes = []
    is_stamped = end is None and lifecycle is None and start is not None
    is_stamped = is_stamped and plain(str(start)) in _NAMES["stamp"].split()
    if is_stamped:
        start, end = None, start
        notes.append(f"end: column '{end}', the only time; events are taken as the ends of visits")
    outcome = find(_NAMES["outcome"], _has_success_word)
    needed = {"case": case, "activity": activity}
    if start is None and end is None:
        needed |= {"start": None, "end": None}
    elif lifecycle is None:
        needed |= _unread(find, is_stamped=is_stamped, start=start, end=end)
    missing = [meaning for meaning, column in needed.items() if column is None]
    if case is None or activity is None or missing:
        message = (
            f"{file}: no column found for {' and '.join(missing)}; there are "
            f"{', '.join(repr(name) for name in table.columns)}; give a mapping such as "
            "'case: part_id', 'activity: step', 'machine: station', 'start: begin', 'end: finish'"
        )
        raise TelemetryError(message)
    taken = {case, activity, machine, start, end, lifecycle, outcome}

    def more(meaning: str, fits: Callable[[pl.Series], bool] = lambda _: True) -> str | None:
        return find(
            _NAMES[meaning],
            lambda column: (
                column.name not in taken and column.null_count() < len(column) and fits(column)
            ),
        )

    listed = more("parts")
    numbered = [name for name in table.columns if _NUMBERED_PART.match(plain(name))]
    mapping = CaseMapping(
        case=case,
        activity=activity,
        machine=machine,
        start=start,
        end=end,
        lifecycle=lifecycle,
        outcome=outcome,
        format=more("format"),
        origin=more("origin"),
        destination=more("destination"),
        parts=tuple([listed] if listed else [name for name in numbered if name not in taken]),
        enabled=more("enabled", looks_like_dates),
    )
    return mapping, (*notes, *_told(mapping, set() if not is_stamped else {"end"}))


def _unread(
    find: Callable[..., str | None], *, is_stamped: bool, start: str | None, end: str | None
) -> dict[str, None]:
    """Return the times of which there is a column that cannot be read as times."""
    known = {"start": start, "end": None if is_stamped else end}
    return {
        meaning: None
        for meaning, column in known.items()
        if column is None
        and find(_NAMES[meaning], lambda values: values.null_count() < len(values)) is not None
    }


def _told(mapping: CaseMapping, told: set[str]) -> list[str]:
    """Return a sentence for each column of a mapping but those told already."""
    columns = mapping.model_dump(exclude=_NOT_COLUMNS | {"parts"} | told, exclude_none=True)
    notes = [f"{meaning}: column '{column}'" for meaning, column in columns.items()]
    if mapping.parts:
        notes.append(f"parts: columns {', '.join(repr(name) for name in mapping.parts)}")
    if mapping.machine is None:
        notes.append("machine: no such column; each activity is taken as a machine")
    if mapping.outcome is None:
        notes.append("outcome: no such column; failures are not learned")
    return notes


def words_of(column: pl.Series) -> set[str]:
    """Return the different texts of a column, stripped and in lower case."""
    values = column.drop_nulls().unique().cast(pl.String, strict=False).drop_nulls()
    return {str(value).strip().lower() for value in values}


def _has_lifecycle_words(column: pl.Series) -> bool:
    words = words_of(column) - {""}
    begins, ends = words & START_WORDS, words & COMPLETE_WORDS
    # With one of the two only, as where ends alone are recorded, every word must be known.
    return bool(words) and (bool(begins and ends) or words <= START_WORDS | COMPLETE_WORDS)


def _has_success_word(column: pl.Series) -> bool:
    return bool(words_of(column) & SUCCESS_WORDS)


def _may_be_time(column: pl.Series) -> bool:
    if looks_like_dates(column) or column.dtype.is_numeric():
        return True
    if column.dtype != pl.String:
        return isinstance(column.dtype, pl.Duration)
    values = column.drop_nulls().head(100)
    # A column with some faulty times is still the time column; the fault is reported on reading.
    readable = values.cast(pl.Float64, strict=False).is_not_null() | values.str.contains(r"\d:\d\d")
    return bool(readable.any())
