import json
import re
from importlib.resources import files

import pytest
import yaml

from gigatwin.factory.reading import library_names
from gigatwin.factory.schema import json_schema

SCHEMA = json_schema()
TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
    "null": type(None),
}
ASSERTIONS = {
    "$ref", "anyOf", "type", "enum", "const", "pattern", "minLength", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "minItems", "minProperties", "properties", "required",
    "additionalProperties", "propertyNames", "items",
}  # fmt: skip
ANNOTATIONS = {"$defs", "$schema", "title", "description", "default", "examples", "unit"}


def nodes(schema):
    """Yield every schema within a schema."""
    yield schema
    for key in ("properties", "$defs"):
        for inner in schema.get(key, {}).values():
            yield from nodes(inner)
    for inner in schema.get("anyOf", []):
        yield from nodes(inner)
    for key in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(key), dict):
            yield from nodes(schema[key])


def is_valid(value, schema):  # noqa: C901, PLR0911, PLR0912
    """Judge a value by the keywords that our schema uses."""
    if "$ref" in schema:
        return is_valid(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    if "anyOf" in schema and not any(is_valid(value, branch) for branch in schema["anyOf"]):
        return False
    if "type" in schema:
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        if isinstance(value, bool) or not any(isinstance(value, TYPES[name]) for name in names):
            return False
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        return False
    if isinstance(value, str):
        return re.search(schema.get("pattern", ""), value) is not None and len(value) >= schema.get(
            "minLength", 0
        )
    if isinstance(value, int | float):
        return (
            value >= schema.get("minimum", value)
            and value <= schema.get("maximum", value)
            and value > schema.get("exclusiveMinimum", value - 1)
            and value < schema.get("exclusiveMaximum", value + 1)
        )
    if isinstance(value, list):
        return len(value) >= schema.get("minItems", 0) and all(
            is_valid(item, schema.get("items", {})) for item in value
        )
    if isinstance(value, dict):
        if len(value) < schema.get("minProperties", 0) or set(schema.get("required", ())) - set(
            value
        ):
            return False
        rest = schema.get("additionalProperties", {})
        for key, item in value.items():
            inner = schema.get("properties", {}).get(key, rest)
            if inner is False or (inner is not True and not is_valid(item, inner)):
                return False
            if not is_valid(key, schema.get("propertyNames", {})):
                return False
    return True


def with_text_keys(value):
    if isinstance(value, dict):
        return {str(key): with_text_keys(item) for key, item in value.items()}
    return [with_text_keys(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", library_names())
def test_template_is_valid_as_it_stands(name):
    path = files("gigatwin").joinpath("library").joinpath(f"{name}.yaml")
    text = path.read_text(encoding="utf-8")
    assert is_valid(with_text_keys(yaml.safe_load(text)), SCHEMA)


@pytest.mark.parametrize(
    "station",
    [
        {},
        {"time": "12 s"},
        {"time": {"distribution": "gamma", "mean": "12 s", "cv": 1}},
        {"rate": {"by_format": {"A": "12 ppm"}}, "scrap": "0.5 %"},
        {"kind": "batch", "time": "1 h", "size": 4, "scrap": 0.5},
        {"time": "1 s", "next": [{"to": "out"}], "buffer": {"capacity": "unlimited"}},
        {"time": "1 s", "estimates": {"time": {"value": 1, "low": 1, "n": 9, "method": "mean"}}},
    ],
)
def test_station_is_valid(station):
    assert is_valid({"name": "x", "stations": {"a": station}}, SCHEMA)


@pytest.mark.parametrize(
    "station",
    [
        {"time": 12},
        {"time": "12"},
        {"tim": "12 s"},
        {"time": "12 s", "machines": 0},
        {"time": "12 s", "scrap": 2},
        {"kind": "batsch", "time": "12 s"},
        {"kind": "batch", "time": "12 s"},
        {"time": {"distribution": "norml", "mean": "1 s"}},
        {"time": "1 s", "buffer": {"capacity": "many"}},
        {"time": "1 s", "estimates": {"time": {"value": 1, "low": 1, "n": 9}}},
        {"time": "1 s", "estimates": {"time": 1}},
        "text",
    ],
)
def test_station_is_not_valid(station):
    assert not is_valid({"name": "x", "stations": {"a": station}}, SCHEMA)


def test_schema_uses_only_keywords_of_the_dialect():
    used = {key for node in nodes(SCHEMA) for key in node}
    assert used <= ASSERTIONS | ANNOTATIONS
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_references_lead_to_definitions_and_all_are_used():
    references = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(SCHEMA)))
    assert references == set(SCHEMA["$defs"])


def test_definitions_have_readable_names():
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+[0-9]?", name) for name in SCHEMA["$defs"])


def test_every_field_is_described():
    for name, definition in [("Factory", SCHEMA), *SCHEMA["$defs"].items()]:
        assert definition.get("description"), name
        for field, schema in definition["properties"].items():
            assert schema.get("description"), f"{name}.{field}"


def test_quantities_name_their_units():
    units = {node["unit"] for node in nodes(SCHEMA) if "unit" in node}
    assert {"s", "m", "m/s", "item/s", "W", "J", "J/item", "J/m", "kg", "1", "item"} <= units


def test_default_of_a_quantity_stands_as_in_a_file():
    assert SCHEMA["$defs"]["Order"]["properties"]["release"]["default"] == "0 s"
