"""Turn the JSON schema of a description into a page of tables."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

Schema = dict[str, Any]

FACTORY = """# Every field of a factory description

Generated from the JSON schema that `gigatwin schema` prints. A name in a type is a link to its own
table below. Unknown fields are refused.

A quantity is a number with a unit (`12 s`, `40 m/min`, `2 %`); any unit of the same kind as the one
in the column will do, and only a share or a count may stand without one. Where a type says *one for
each format*, the value is `{by_format: {4680: ..., 4695: ...}}` with every format listed.

Every element may also have a `description`, a sentence, and `sources`: field name to where its
number comes from, for example `{time: "est, range 8-20 ppm [3]"}`.

Every element may have `estimates`, too: the name of one of its own numbers to an
[Estimate](#element-estimate), which says how well the number is known. A number within a mapping is
named with its key (`defects.pore`), one of a format with both (`time.by_format.4680`), the mean of
samples or quantiles as `mean`. Beside a law, as in `{time: ...}`, it is about the mean of the law.
"""
MACHINE = """# Every field of a machine description

Generated from the JSON schema that `gigatwin schema --of machine` prints. A name in a type is a
link to its own table below. Unknown fields are refused.

*Text or number* is a number with its unit (`1.5 m/s`), or, where the description says formula,
arithmetic over numbers with units, settings, dimensions and constants (`0.15 m / vf`). Units are
checked when the file is read. [Describing a machine](../describing-a-machine.md) shows how the
parts belong together.

Every element may also have a `description`, a sentence, and `sources`: field name to where its
number comes from.
"""
EVERYWHERE = {"description", "sources", "estimates"}
COLUMNS = ("field", "type", "unit", "description", "required or default", "valid values")
WORDS = {
    "string": "text",
    "boolean": "yes or no",
    "integer": "whole number",
    "number": "number",
}
CONTAINERS = {
    "array": ("list of ", "items"),
    "object": ("name to ", "additionalProperties"),
}
BOUNDS = {
    "minimum": "{} or more",
    "exclusiveMinimum": "more than {}",
    "maximum": "{} or less",
    "exclusiveMaximum": "less than {}",
    "minItems": "entries: {} or more",
    "maxItems": "entries: {} or less",
    "minProperties": "entries: {} or more",
}


def page(schema: Schema, header: str, prefix: str) -> str:
    """Return the page, in MyST Markdown; the prefix tells its links from those of other pages."""
    definitions = schema.get("$defs", {})
    root = str(schema["title"])
    parts = [header, section(root, schema, definitions)]
    parts += [
        section(name, definitions[name], definitions)
        for name in in_order_of_use(schema, definitions)
        if name != root and _has_table(name, definitions)
    ]
    return "\n".join(parts).replace("element-", f"{prefix}-")


def section(name: str, schema: Schema, definitions: dict[str, Schema]) -> str:
    """Return the heading, the sentence and the table of one element."""
    if "$ref" in schema:
        schema = definitions[_target(schema["$ref"])]
    required = schema.get("required", ())
    rows = [
        row(field, value, definitions, is_required=field in required)
        for field, value in schema.get("properties", {}).items()
        if field not in EVERYWHERE
    ]
    return "\n".join(
        [
            f"({_label(name)})=",
            f"## {name}",
            "",
            schema.get("description", ""),
            "",
            _table_row(COLUMNS),
            _table_row(["---"] * len(COLUMNS)),
            *rows,
            "",
        ]
    )


def row(field: str, schema: Schema, definitions: dict[str, Schema], *, is_required: bool) -> str:
    """Return the table row of one field."""
    leaves = list(_leaves(schema, definitions))
    units = _joined(str(leaf["unit"]) for leaf in leaves if leaf.get("unit"))
    if is_required:
        default = "required"
    elif "default" in schema:
        default = _default(schema["default"], units)
    else:
        default = "optional"
    return _table_row(
        [
            f"`{field}`",
            _type(schema, definitions),
            units,
            " ".join(str(schema.get("description", "")).split()).replace("``", "`"),
            default,
            _joined(limit for leaf in leaves for limit in _limits(leaf)),
        ]
    )


def in_order_of_use(schema: Schema, definitions: dict[str, Schema]) -> list[str]:
    """Return the definitions in the order in which a reader meets them."""
    found: list[str] = []
    waiting = _references(_own(schema))
    # What every element has stands at the end.
    everywhere = [name for name in EVERYWHERE if name in schema.get("properties", {})]
    last = [name for key in everywhere for name in _references(schema["properties"][key])]
    while waiting:
        name = waiting.pop(0)
        if name not in found and name not in last:
            found.append(name)
            waiting += _references(_own(definitions[name]))
    return [*found, *dict.fromkeys(last)]


def _own(schema: Schema) -> Schema:
    """Return the fields of an element that not every element has; anything else as it is."""
    fields = schema.get("properties")
    if fields is None:
        return schema
    return {name: field for name, field in fields.items() if name not in EVERYWHERE}


def _references(node: object) -> list[str]:
    if isinstance(node, list):
        return [name for item in node for name in _references(item)]
    if not isinstance(node, dict):
        return []
    own = [_target(node["$ref"])] if isinstance(node.get("$ref"), str) else []
    # The mapping of a discriminator repeats the references of its branches.
    inner = [value for key, value in node.items() if key not in {"$defs", "discriminator"}]
    return own + _references(inner)


def _branches(schema: Schema) -> list[Schema]:
    return [branch for key in ("anyOf", "oneOf", "allOf") for branch in schema.get(key, ())]


def _leaves(schema: Schema, definitions: dict[str, Schema]) -> Iterator[Schema]:
    """Yield the parts of a type that hold values, without what has its own table."""
    if "$ref" in schema:
        name = _target(schema["$ref"])
        if "by_format" in definitions[name].get("properties", {}):
            yield from _leaves(definitions[name]["properties"]["by_format"], definitions)
        elif not _has_table(name, definitions):
            yield from _leaves(definitions[name], definitions)
        return
    yield {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf"}}
    inner = [*_branches(schema), schema.get("items"), schema.get("additionalProperties")]
    for part in inner:
        if isinstance(part, dict):
            yield from _leaves(part, definitions)


def _type(schema: Schema, definitions: dict[str, Schema]) -> str:
    """Return the type in words, with links to tables."""
    if "$ref" in schema:
        return _named_type(_target(schema["$ref"]), definitions)
    if branches := _branches(schema):
        words = (_type(branch, definitions) for branch in branches if branch.get("type") != "null")
        return _joined(words, " or ")
    if "const" in schema or "enum" in schema:
        return "word"
    if schema.get("unit"):
        return "quantity"
    kind = schema.get("type")
    if isinstance(kind, str) and kind in CONTAINERS:
        words, key = CONTAINERS[kind]
        inner = schema.get(key)
        return words + (_type(inner, definitions) if isinstance(inner, dict) else "value")
    return WORDS.get(str(kind), "value")


def _named_type(name: str, definitions: dict[str, Schema]) -> str:
    if "by_format" in definitions[name].get("properties", {}):
        return "one for each format"
    if _has_table(name, definitions):
        return f"[{name}](#{_label(name)})"
    return _type(definitions[name], definitions)


def _limits(leaf: Schema) -> Iterator[str]:
    if "const" in leaf:
        yield f"`{leaf['const']}`"
    for word in leaf.get("enum", ()):
        yield f"`{word}`"
    for key, sentence in BOUNDS.items():
        if key in leaf:
            yield sentence.format(f"{leaf[key]:g}")


def _default(value: object, unit: str) -> str:
    match value:
        case None:
            return "optional"
        case "" | [] | ():
            return "empty"
        case dict():
            return "its own defaults"
        case bool():
            return "yes" if value else "no"
        case float():
            known = unit and unit != "1" and "," not in unit
            return f"`{value:g} {unit}`" if known else f"`{value:g}`"
        case _:
            return f"`{value}`"


def _joined(words: Iterable[str], separator: str = ", ") -> str:
    return separator.join(dict.fromkeys(words))


def _target(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]


def _has_table(name: str, definitions: dict[str, Schema]) -> bool:
    fields = definitions[name].get("properties", {})
    return bool(fields) and "by_format" not in fields


def _label(name: str) -> str:
    return "element-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _table_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
