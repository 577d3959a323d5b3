"""Writing a factory description as YAML that reads back as the same factory."""

import os
import re
import sys
import tempfile
from os import PathLike
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from gigatwin.factory.described import Described
from gigatwin.factory.factory import Factory
from gigatwin.units import UNITS_AS_TEXT

_WIDTH = 100
_SHORT = 6


def to_data(factory: Factory) -> dict[str, Any]:
    """Return a factory as plain data in the form of a file: units as text, defaults left out."""
    data = factory.model_dump(mode="json", exclude_defaults=True, context=UNITS_AS_TEXT)
    _mark_estimates(factory, data)
    for name, station in data["stations"].items():
        data["stations"][name] = _reordered(station)
    return _reordered(data)


def to_yaml(factory: Factory) -> str:
    """Return a factory as YAML; fields stand in the order of the reference."""
    data = to_data(factory)
    blocks = [_dump({key: value}) for key, value in data.items()]
    return _ENCODED.sub(_decoded, "\n".join(blocks))


def write(factory: Factory, path: str | PathLike[str]) -> None:
    """Write a factory to a file, which is replaced at once or not at all.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    target = Path(path)
    text = to_yaml(factory)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", text=True)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.chmod(target.stat().st_mode if target.exists() else 0o644)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


class _Estimates(dict[str, Any]):
    """The estimates of an element, one to a line."""


class _Estimate(dict[str, Any]):
    """An estimate, on one line however long it is."""


def _mark_estimates(value: object, data: Any) -> None:  # noqa: ANN401 - any value of a YAML file
    """Put the estimates of every element last, and mark them for the dumper."""
    if isinstance(value, BaseModel) and isinstance(data, dict):
        for key in list(data):
            if key != "estimates" or not isinstance(value, Described):
                _mark_estimates(getattr(value, key), data[key])
        if isinstance(value, Described) and "estimates" in data:
            found = data.pop("estimates")
            data["estimates"] = _Estimates((key, _Estimate(item)) for key, item in found.items())
    elif isinstance(value, dict):
        for key, item in value.items():
            _mark_estimates(item, data[key])
    elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        for item, inner in zip(value, data, strict=True):
            _mark_estimates(item, inner)


def _reordered(data: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping with what it is first, and where its items go and its sources last."""
    last = [key for key in ("next", "sources", "estimates") if key in data]
    first = [key for key in ("name", "description", "kind") if key in data]
    middle = [key for key in data if key not in {*first, *last}]
    return {key: data[key] for key in (*first, *middle, *last)}


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # the base depends on how PyYAML was built
    """Writes short lists and mappings of scalars on one line, and never an alias."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401 - any value of a YAML file
        """Return that nothing is written as an alias."""
        del data
        return True

    def represent(self, data: Any) -> None:  # noqa: ANN401 - any value of a YAML file
        """Write a document, its outermost mapping never on one line."""
        node = self.represent_data(data)
        if isinstance(node, yaml.CollectionNode):
            node.flow_style = False
        self.serialize(node)

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> Any:  # noqa: ANN401, FBT001 - the signature is PyYAML's
        """Return a mapping's node, on one line when it is short."""
        node = super().represent_mapping(tag, mapping, flow_style)
        node.flow_style = 0 < len(mapping) <= _SHORT and all(
            isinstance(value, str | int | float) and len(str(value)) <= _WIDTH // 4
            for value in mapping.values()
        )
        return node

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> Any:  # noqa: ANN401, FBT001 - the signature is PyYAML's
        """Return a list's node, on one line when it holds scalars."""
        node = super().represent_sequence(tag, sequence, flow_style)
        node.flow_style = all(not isinstance(value, dict | list) for value in sequence)
        return node


def _represent_float(dumper: yaml.SafeDumper, value: float) -> yaml.Node:
    # PyYAML would write 1e-07, which YAML 1.1 reads as text because it has no point.
    text = repr(value)
    if "e" in text and "." not in text:
        text = text.replace("e", ".0e")
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


def _represent_estimates(dumper: yaml.SafeDumper, value: _Estimates) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", dict(value), flow_style=False)


# PyYAML breaks what is longer than the page, so that an estimate goes through it as one word.
_BEGIN, _END = "\ue000", "\ue001"
_ENCODED = re.compile(f"{_BEGIN}((?:[0-9a-f]{{2}})+){_END}")


def _represent_estimate(dumper: yaml.SafeDumper, value: _Estimate) -> yaml.Node:
    text = yaml.dump(
        dict(value),
        Dumper=_Line,
        sort_keys=False,
        allow_unicode=True,
        width=sys.maxsize,
        default_flow_style=True,
    )
    word = text.strip().encode().hex()
    return dumper.represent_scalar("tag:yaml.org,2002:str", f"{_BEGIN}{word}{_END}")


def _decoded(match: re.Match[str]) -> str:
    return bytes.fromhex(match[1]).decode()


class _Line(yaml.SafeDumper):
    """Writes on one line."""


_Line.add_representer(float, _represent_float)
_Dumper.add_representer(float, _represent_float)
_Dumper.add_representer(_Estimates, _represent_estimates)
_Dumper.add_representer(_Estimate, _represent_estimate)


def _dump(data: dict[str, Any]) -> str:
    text: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, indent=2
    )
    return text
