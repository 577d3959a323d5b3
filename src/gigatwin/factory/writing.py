"""Writing a factory description as YAML that reads back as the same factory."""

import os
import tempfile
from os import PathLike
from pathlib import Path
from typing import Any

import yaml

from gigatwin.factory.factory import Factory
from gigatwin.units import UNITS_AS_TEXT

_WIDTH = 100
_SHORT = 6


def to_data(factory: Factory) -> dict[str, Any]:
    """Return a factory as plain data in the form of a file: units as text, defaults left out."""
    data = factory.model_dump(mode="json", exclude_defaults=True, context=UNITS_AS_TEXT)
    for name, station in data["stations"].items():
        data["stations"][name] = _reordered(station)
    return _reordered(data)


def to_yaml(factory: Factory) -> str:
    """Return a factory as YAML; fields stand in the order of the reference."""
    data = to_data(factory)
    blocks = [_dump({key: value}) for key, value in data.items()]
    return "\n".join(blocks)


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


def _reordered(data: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping with what it is first, and where its items go and its sources last."""
    last = [key for key in ("next", "sources") if key in data]
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


_Dumper.add_representer(float, _represent_float)


def _dump(data: dict[str, Any]) -> str:
    text: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, indent=2
    )
    return text
