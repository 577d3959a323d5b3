"""The JSON Schema of a description, for editors and for the reference."""

import re
from typing import Any

from pydantic import BaseModel

from gigatwin.factory.described import ByFormat
from gigatwin.factory.factory import Factory
from gigatwin.units import to_text

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(kind: type[BaseModel] = Factory) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of what may stand in a file.

    Quantities are text with a unit; ``unit`` names the SI unit they become.

    Parameters
    ----------
    kind : type
        What the file describes.
    """
    schema = kind.model_json_schema()
    renamed = _short_names(schema.get("$defs", {}))
    return {"$schema": _DIALECT, **_tidied(schema, renamed)}


def _short_names(definitions: dict[str, Any]) -> dict[str, str]:
    """Return readable names of definitions: those of generic models hold whole type expressions."""
    names: dict[str, str] = {}
    for name in definitions:
        generic = re.search(r"(?:^|__)([A-Z][A-Za-z]*)_", name)
        short = name if generic is None else generic[1]
        if name != short:
            taken = set(names.values()) | set(definitions)
            number = 1
            while f"{short}{number}" in taken:
                number += 1
            short = f"{short}{number}"
        names[name] = short
    return names


def _titled(definition: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a definition with its short title; generic models lack their sentence, too."""
    title = name.rstrip("0123456789")
    sentence = ByFormat.__doc__ if title == ByFormat.__name__ else None
    return {"description": sentence, **definition, "title": title}


def _tidied(value: Any, renamed: dict[str, str]) -> Any:  # noqa: ANN401 - any value of a YAML file
    if isinstance(value, list):
        return [_tidied(item, renamed) for item in value]
    if not isinstance(value, dict):
        return value
    tidy: dict[str, Any] = {}
    for key, item in value.items():
        if key == "$defs":
            tidy[key] = {
                renamed[name]: _tidied(_titled(inner, renamed[name]), renamed)
                for name, inner in item.items()
            }
        elif key == "$ref":
            tidy[key] = f"#/$defs/{renamed[item.removeprefix('#/$defs/')]}"
        elif key == "oneOf":
            # A mistake in one branch is reported better by editors when branches may overlap.
            tidy["anyOf"] = _tidied(item, renamed)
        elif key == "default":
            # The default of an element is what its own fields say.
            if not isinstance(item, dict):
                tidy[key] = _default(item, value)
        else:
            tidy[key] = _tidied(item, renamed)
    return tidy


def _default(default: Any, schema: dict[str, Any]) -> Any:  # noqa: ANN401 - any value of a YAML file
    """Return a default as it would stand in a file."""
    if not isinstance(default, float):
        return default
    for branch in (schema, *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        if branch.get("type") == "string" and "unit" in branch:
            return to_text(default, branch["unit"])
    return default
