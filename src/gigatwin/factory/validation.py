"""From plain data to a description, with pydantic's errors turned into problems with places."""

from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from gigatwin.factory.durations import LAWS
from gigatwin.factory.findings import Findings, Path, show
from gigatwin.factory.stations import KINDS
from gigatwin.units import UNITS_REQUIRED

_STATION_DEPTH = 2
_Branch = tuple[str | None, Any]
Description = TypeVar("Description", bound=BaseModel)


def validate(kind: type[Description], data: object, findings: Findings) -> Description | None:
    """Return the description in data, or None with the problems added to the findings.

    Parameters
    ----------
    kind : type
        What is described: `Factory`, for example.
    data : object
        Plain data, as it stands in a file.
    findings : Findings
        Takes the problems.
    """
    try:
        return kind.model_validate(data, context=UNITS_REQUIRED)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            _add(kind, details, data, findings)
        return None


def _add(root: type[BaseModel], details: ErrorDetails, data: object, findings: Findings) -> None:
    path, value = _locate(details["loc"], data)
    kind = details["type"]
    given = details["input"]
    if kind == "extra_forbidden":
        suggestion = findings.suggest(str(path[-1]), _fields_at(root, details["loc"][:-1]))
        findings.add(path, "unknown field", suggestion)
    elif kind == "missing":
        findings.add(path, "missing", "must be given")
    elif kind == "value_error" and isinstance(value, dict):
        findings.add(path, "", str(details["ctx"]["error"]), is_element=True)
    elif kind == "union_tag_invalid" and isinstance(given, dict):
        findings.add_unknown((*path, "kind"), str(given["kind"]), KINDS, "a kind of station")
    elif kind == "union_tag_not_found":
        findings.add((*path, "kind"), show(given["kind"]), f"must be one of {', '.join(KINDS)}")
    elif kind == "duration" and isinstance(given, dict) and "distribution" in given:
        place = (*path, "distribution")
        findings.add_unknown(place, str(given["distribution"]), LAWS, "a distribution")
    else:
        findings.add(path, *_found_and_required(details))


_REQUIRED = {
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "union_tag_invalid": "must be a mapping with the fields of a station",
    "dict_type": "must be a mapping",
    "tuple_type": "must be a list",
    "string_type": "must be text; put it in quotes",
}


def _found_and_required(details: ErrorDetails) -> tuple[str, str]:
    kind = details["type"]
    context = details.get("ctx", {})
    if kind == "quantity":
        return context["found"], context["required"]
    required = _REQUIRED.get(kind)
    if kind == "too_short":
        required = f"must have {context['min_length']} or more entries"
    elif kind == "value_error":
        required = str(context["error"])
    elif kind == "literal_error":
        required = f"must be {context['expected']}"
    if required is None:
        message = details["msg"].replace("Input should", "must").replace("Value should", "must")
        required = message[:1].lower() + message[1:]
    return show(details["input"]), required


def _locate(location: tuple[int | str, ...], data: object) -> tuple[Path, object]:
    """Return the path in the data for pydantic's location, which also names union branches."""
    path: list[int | str] = []
    value = data
    kind_seen = False
    for part in location:
        is_kind = len(path) == _STATION_DEPTH and path[0] == "stations" and part in KINDS
        if is_kind and not kind_seen:
            kind_seen = True
            continue
        children = _children(value)
        if part not in children and isinstance(part, str) and part.startswith(("<", "[")):
            continue
        path.append(part)
        value = children.get(part)
    return tuple(path), value


def _children(value: object) -> dict[int | str, Any]:
    if isinstance(value, dict):
        return value
    return dict(enumerate(value)) if isinstance(value, list) else {}


def _fields_at(root: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the names of the fields that the element at pydantic's location can have."""
    branches: list[_Branch] = [(None, root)]
    for part in location:
        tagged = [branch for branch in branches if branch[0] == part]
        branches = tagged or [inner for _, kind in branches for inner in _inside(kind, part)]
    names: dict[str, None] = {}
    for _, kind in branches:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names.update(dict.fromkeys(kind.model_fields))
    return list(names)


def _inside(kind: Any, part: int | str) -> list[_Branch]:  # noqa: ANN401 - annotations have no common type
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        info = kind.model_fields.get(str(part))
        return [] if info is None else _branches(info.annotation)
    if get_origin(kind) in {dict, tuple}:
        arguments = get_args(kind)
        return _branches(arguments[1] if get_origin(kind) is dict else arguments[0])
    return []


def _branches(annotation: Any, tag: str | None = None) -> list[_Branch]:  # noqa: ANN401 - annotations have no common type
    if get_origin(annotation) is Annotated:
        inner, *extras = get_args(annotation)
        tag = next((extra.tag for extra in extras if isinstance(extra, Tag)), tag)
        return _branches(inner, tag)
    if get_origin(annotation) in {Union, UnionType}:
        return [branch for inner in get_args(annotation) for branch in _branches(inner, tag)]
    return [(tag, annotation)]
