"""Which column of a log means what: given in a mapping, or guessed."""

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from gigatwin.errors import TelemetryError
from gigatwin.events.log_times import looks_like_dates

START_WORDS = frozenset({"start", "started", "begin", "begun"})
"""Life-cycle words for the begin of an activity."""
COMPLETE_WORDS = frozenset({"complete", "completed", "end", "ended", "finish", "finished", "done"})
"""Life-cycle words for the end of an activity."""
SUCCESS_WORDS = frozenset({"success", "succeeded", "ok", "good", "pass", "passed", "true", "1"})
"""Outcomes that mean success when a mapping names none."""

# The usual names of columns, the most telling first, in lower case with _ for other signs.
_NAMES = {
    "case": "case_id caseid case_concept_name case trace_id trace job_id job part_id part item_id "
    "item workpiece_id workpiece serial_number serial unit_id unit lot_id lot order_id order",
    "activity": "activity activity_name concept_name operation operation_name process_step step "
    "task process",
    "machine": "machine machine_id machine_name org_resource resource resource_id equipment "
    "equipment_id station station_id work_cell workcell work_center workcenter asset",
    "start": "start start_time start_timestamp time_start start_date started started_at begin "
    "begin_time",
    "stamp": "timestamp time_timestamp event_time datetime time",
    "end": "end end_time end_timestamp time_end end_date ended ended_at finish finish_time "
    "finished finished_at complete complete_time completed completed_at completion_time "
    "operation_end_time",
    "lifecycle": "lifecycle_transition lifecycle transition event_type event type kind",
    "outcome": "outcome success result lifecycle_state status state quality",
}


class CaseMapping(BaseModel):
    """What the columns of a log mean."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        coerce_numbers_to_str=True,
    )

    case: str
    """Column with the item, job or case."""
    activity: str
    """Column with what was done."""
    machine: str | None = None
    """Column with what did it; left out: the activity."""
    start: str
    """Column with the begin; with ``lifecycle``, the time of the row."""
    end: str | None = None
    """Column with the end, on the row of the begin; with ``lifecycle`` it may be left out."""
    lifecycle: str | None = None
    """Column that says whether a row is the begin or the end of an activity."""
    instance: str | None = None
    """Column that the begin and the end of one activity share, if there is one."""
    outcome: str | None = None
    """Column with the outcome; with ``lifecycle``, read on the row of the end."""
    success: tuple[str, ...] = ()
    """Outcomes that mean success; left out: success, ok, good, pass, true, 1 and the like."""
    where: dict[str, str | tuple[str, ...]] = {}
    """Only rows with these values: column to a value or several."""

    def columns(self) -> list[str]:
        """Return the columns that the mapping names, each once."""
        named = (
            self.case,
            self.activity,
            self.machine,
            self.start,
            self.end,
            self.lifecycle,
            self.instance,
            self.outcome,
            *self.where,
        )
        return list(dict.fromkeys(name for name in named if name is not None))


def read_case_mapping(path: str | Path) -> CaseMapping:
    """Return the mapping of a YAML file.

    Raises
    ------
    TelemetryError
        If the file cannot be read, is not YAML, or has unknown or missing keys.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = f"{path}: cannot be read as a mapping ({error}); needs a YAML file"
        raise TelemetryError(message) from error
    if not isinstance(content, dict):
        message = f"{path}: holds {type(content).__name__}; needs keys such as 'case: case_id'"
        raise TelemetryError(message)
    try:
        return CaseMapping.model_validate(content)
    except ValidationError as error:
        allowed = ", ".join(CaseMapping.model_fields)
        lines = [
            f"{path} {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors()
        ]
        message = "\n".join([*lines, f"The keys of a mapping are {allowed}."])
        raise TelemetryError(message) from error


def guess_case_mapping(table: pl.DataFrame, file: str) -> tuple[CaseMapping, tuple[str, ...]]:
    """Guess what the columns mean, from their names and values.

    Parameters
    ----------
    table : polars.DataFrame
        The log as it is in the file.
    file : str
        Name of the file, for messages.

    Returns
    -------
    tuple of CaseMapping and tuple of str
        The mapping, and one sentence for each guess.

    Raises
    ------
    TelemetryError
        If there is no column for the case, the activity, the start or the end.
    """
    names = {re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_"): name for name in table.columns}

    def find(words: str, fits: Callable[[pl.Series], bool] = lambda _: True) -> str | None:
        known = (names[word] for word in words.split() if word in names)
        return next((name for name in known if fits(table[name])), None)

    case = find(_NAMES["case"])
    machine = find(_NAMES["machine"])
    activity = find(_NAMES["activity"]) or machine
    lifecycle = find(_NAMES["lifecycle"], _has_lifecycle_words)
    starts = (_NAMES["start"], _NAMES["stamp"])
    start = find(" ".join(reversed(starts) if lifecycle else starts), _may_be_time)
    ends = _NAMES["end"] if lifecycle else f"{_NAMES['end']} {_NAMES['stamp']}"
    end = find(ends, lambda column: column.name != start and _may_be_time(column))
    outcome = find(_NAMES["outcome"], _has_success_word)
    needed = {"case": case, "activity": activity, "start": start, "end": end or lifecycle}
    missing = [meaning for meaning, column in needed.items() if column is None]
    if case is None or activity is None or start is None or missing:
        message = (
            f"{file}: no column found for {' and '.join(missing)}; there are "
            f"{', '.join(repr(name) for name in table.columns)}; give a mapping such as "
            "'case: part_id', 'activity: step', 'machine: station', 'start: begin', 'end: finish'"
        )
        raise TelemetryError(message)
    mapping = CaseMapping(
        case=case,
        activity=activity,
        machine=machine,
        start=start,
        end=end,
        lifecycle=lifecycle,
        outcome=outcome,
    )
    notes = [
        f"{meaning}: column '{column}'"
        for meaning, column in mapping.model_dump(exclude={"success", "where"}).items()
        if column is not None
    ]
    if machine is None:
        notes.append("machine: no such column; each activity is taken as a machine")
    if outcome is None:
        notes.append("outcome: no such column; failures are not learned")
    return mapping, tuple(notes)


def _words(column: pl.Series) -> set[str]:
    values = column.drop_nulls().unique().cast(pl.String, strict=False).drop_nulls()
    return {str(value).strip().lower() for value in values}


def _has_lifecycle_words(column: pl.Series) -> bool:
    words = _words(column)
    return bool(words & START_WORDS) and bool(words & COMPLETE_WORDS)


def _has_success_word(column: pl.Series) -> bool:
    return bool(_words(column) & SUCCESS_WORDS)


def _may_be_time(column: pl.Series) -> bool:
    if looks_like_dates(column) or column.dtype.is_numeric():
        return True
    if column.dtype != pl.String:
        return isinstance(column.dtype, pl.Duration)
    values = column.drop_nulls().head(100)
    # A column with some faulty times is still the time column; the fault is reported on reading.
    readable = values.cast(pl.Float64, strict=False).is_not_null() | values.str.contains(r"\d:\d\d")
    return bool(readable.any())
