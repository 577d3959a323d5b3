"""Which column of a log means what, as a mapping gives it."""

from pathlib import Path
from typing import Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from gigatwin.errors import TelemetryError

START_WORDS = frozenset(
    {"start", "started", "begin", "begun", "enter", "entered", "entry", "in", "arrive", "arrived"}
)
"""Life-cycle words for the begin of an activity."""
COMPLETE_WORDS = frozenset(
    {"complete", "completed", "end", "ended", "finish", "finished", "done"}
    | {"exit", "exited", "leave", "left", "out", "depart", "departed"}
)
"""Life-cycle words for the end of an activity."""
SUCCESS_WORDS = frozenset({"success", "succeeded", "ok", "good", "pass", "passed", "true", "1"})
"""Outcomes that mean success when a mapping names none."""


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
    start: str | None = None
    """Column with the begin; with ``lifecycle``, the time of the row. Left out where only ends
    were recorded."""
    end: str | None = None
    """Column with the end, on the row of the begin; with ``lifecycle`` it may be left out, and
    where only begins were recorded."""
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
    format: str | None = None
    """Column with the format (product, variant) of the item."""
    origin: str | None = None
    """Column with where a transport begins."""
    destination: str | None = None
    """Column with where a transport ends."""
    parts: tuple[str, ...] = ()
    """Columns with the items that were put in, as in assembly."""
    enabled: str | None = None
    """Column with when the activity could have begun."""
    time_zone: str | None = None
    """IANA zone (``Europe/Berlin``) that times without an offset are in; left out, they are taken
    as they stand."""
    date_format: str | None = None
    """Form of dates that could be read in several ways, as for strptime (``%m/%d/%Y %H:%M``)."""
    object_type: str | None = None
    """Type of object that is the case, in an object-centric log."""

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        if self.start is None and (self.end is None or self.lifecycle is not None):
            message = "needs 'start' or 'end', a column of times (with 'lifecycle': 'start')"
            raise ValueError(message)
        return self

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
            self.format,
            self.origin,
            self.destination,
            *self.parts,
            self.enabled,
        )
        return list(dict.fromkeys(name for name in named if name is not None))


Mapping = TypeVar("Mapping", bound=BaseModel)


def read_case_mapping(path: str | Path) -> CaseMapping:
    """Return the mapping of a YAML file.

    Raises
    ------
    TelemetryError
        If the file cannot be read, is not YAML, or has unknown or missing keys.
    """
    return read_mapping(path, CaseMapping)


def read_mapping(path: str | Path, kind: type[Mapping]) -> Mapping:
    """Return a mapping of the given class from a YAML file; errors as in `read_case_mapping`."""
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = f"{path}: cannot be read as a mapping ({error}); needs a YAML file"
        raise TelemetryError(message) from error
    if not isinstance(content, dict):
        message = f"{path}: holds {type(content).__name__}; needs keys such as 'case: case_id'"
        raise TelemetryError(message)
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        allowed = ", ".join(kind.model_fields)
        lines = [
            f"{path} {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors()
        ]
        message = "\n".join([*lines, f"The keys of a mapping are {allowed}."])
        raise TelemetryError(message) from error
