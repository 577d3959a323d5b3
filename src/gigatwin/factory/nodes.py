"""YAML text as nodes that know their lines: plain data for models, lines for messages.

Only what a description needs is understood: mappings, lists, text and numbers, anchors, aliases
and merge keys (``<<``). Words such as ``yes`` and ``on`` stay text. Sizes are limited while
reading, before anything is built from the nodes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

MOST_NODES = 3_000_000
"""Limit on values in a file, with each use of an anchor counted in full."""
MOST_ENTRIES = 10_000
"""Limit on the entries of one mapping, unless another is given."""
DEEPEST = 40
"""Limit on nesting."""

_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,300})")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?")
_NULL = ("", "~", "null", "Null", "NULL")
_TEXT_TAG = "tag:yaml.org,2002:str"
_PLAIN_TAGS = (None, "!", _TEXT_TAG, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")

Scalar = str | int | float | None


class NodeError(ValueError):
    """A place in a YAML text that cannot be read: line, what was found, what is required."""

    def __init__(self, line: int, found: str, required: str) -> None:
        """Keep the parts of the message."""
        self.line = line
        self.found = found
        self.required = required
        super().__init__(f"{line}: {found}; {required}")


@dataclass(slots=True)
class Node:
    """A value with the line it begins on; for an entry of a mapping, the line of its key."""

    line: int
    value: "Scalar | list[Node] | dict[str, Entry]"
    size: int = 1
    """Number of values in it, with aliases counted in full."""
    height: int = 1
    """Levels in it, its own included."""

    def plain(self) -> Any:  # noqa: ANN401 - any value of a YAML file
        """Return the value as dictionaries, lists, text and numbers."""
        if isinstance(self.value, dict):
            return {key: entry.node.plain() for key, entry in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def find_line(self, path: tuple[str | int, ...]) -> int:
        """Return the line of the element at a path, or of the nearest one around it."""
        line = self.line
        node = self
        for part in path:
            if isinstance(node.value, dict) and str(part) in node.value:
                entry = node.value[str(part)]
                line, node = entry.line, entry.node
            elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.line
            else:
                break
        return line


@dataclass(slots=True)
class Entry:
    """One entry of a mapping: the line of its key, and its value."""

    line: int
    node: Node


@dataclass
class Document:
    """The nodes of a text, with the problems that did not prevent reading on."""

    root: Node
    problems: list[NodeError] = field(default_factory=list)


def parse(text: str, most_entries: int = MOST_ENTRIES) -> Document:
    """Return the nodes of a YAML text.

    Parameters
    ----------
    text : str
        The text.
    most_entries : int
        Limit on the entries of one mapping.

    Raises
    ------
    NodeError
        If the text is not YAML, is empty, or is larger or deeper than the limits.
    """
    return _Parser(text, most_entries).parse()


class _Parser:
    def __init__(self, text: str, most_entries: int) -> None:
        self._text = text
        self._most_entries = most_entries
        self._anchors: dict[str, Node] = {}
        self._problems: list[NodeError] = []
        self._total = 0
        self._line = 1

    def parse(self) -> Document:
        events = self._events()
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    required = "must be one YAML document; remove the line '---'"
                    raise NodeError(self._line, "a second document", required)
                root = self._node(next(events), events, 0)
        if root is None:
            raise NodeError(1, "an empty file", "must be a description")
        return Document(root, self._problems)

    def _events(self) -> Iterator[yaml.Event]:
        try:
            for event in yaml.parse(self._text, Loader=_LOADER):
                self._line = _line_of(event)
                yield event
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = self._line if mark is None else mark.line + 1
            raise NodeError(line, *_explained(error, self._text, line)) from None
        except yaml.YAMLError as error:
            position = getattr(error, "position", 0)
            line = self._text.count("\n", 0, position) + 1
            raise NodeError(line, "a control character", "must be plain text") from None

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        line = _line_of(event)
        if isinstance(event, yaml.AliasEvent):
            node = self._anchors.get(str(event.anchor))
            if node is None:
                required = f"has no anchor; write '&{event.anchor}' where the value is first given"
                raise NodeError(line, f"*{event.anchor}", required)
            self._count(node.size, line)
            self._limit_depth(depth + node.height, line)
            return node
        self._limit_depth(depth, line)
        self._count(1, line)
        before = self._total
        if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            raise NodeError(line, "", "must be valid YAML")
        if event.tag not in _PLAIN_TAGS:
            required = "is not supported; leave the tag out"
            self._problems.append(NodeError(line, f"the tag {event.tag}", required))
        node = Node(line, None)
        if isinstance(event, yaml.ScalarEvent):
            node.value = _scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node.value = self._list(events, depth)
            node.height += max((child.height for child in node.value), default=0)
        else:
            node.value = self._mapping(events, depth)
            node.height += max((entry.node.height for entry in node.value.values()), default=0)
        node.size = 1 + self._total - before
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _count(self, size: int, line: int) -> None:
        self._total += size
        if self._total > MOST_NODES:
            required = "must be fewer; are anchors nested in each other?"
            raise NodeError(line, f"more than {MOST_NODES} values", required)

    def _limit_depth(self, depth: int, line: int) -> None:
        if depth > DEEPEST:
            raise NodeError(line, "", f"must not be nested deeper than {DEEPEST} levels")

    def _list(self, events: Iterator[yaml.Event], depth: int) -> list[Node]:
        nodes = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            nodes.append(self._node(event, events, depth + 1))
        return nodes

    def _mapping(self, events: Iterator[yaml.Event], depth: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        merged: list[Node] = []
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, events, depth)
            line = _line_of(event)
            node = self._node(next(events), events, depth + 1)
            if key == "<<" and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
                merged.extend(self._sources(node, line))
            elif key in entries:
                found = f"'{key}' for the second time"
                required = f"is given in line {entries[key].line} already; remove one of them"
                self._problems.append(NodeError(line, found, required))
            else:
                entries[key] = Entry(line, node)
            most = self._most_entries
            if len(entries) > most:
                required = f"must be {most} entries (stations, for example) at most"
                raise NodeError(line, f"more than {most} in one mapping", required)
        for source in merged:
            if isinstance(source.value, dict):
                for key, entry in source.value.items():
                    entries.setdefault(key, entry)
        return entries

    def _key(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> str:
        if isinstance(event, yaml.ScalarEvent):
            self._count(1, _line_of(event))
            return str(event.value)
        line = _line_of(event)
        node = self._node(event, events, depth + 1)
        if isinstance(node.value, str):
            return node.value
        required = "must be a name; put text with braces in quotes"
        self._problems.append(NodeError(line, "a key that is a mapping or list", required))
        return f"<key in line {line}>"

    def _sources(self, node: Node, line: int) -> list[Node]:
        sources = node.value if isinstance(node.value, list) else [node]
        if all(isinstance(source.value, dict) for source in sources):
            return sources
        required = "must name mappings, e.g. '<<: *welding'"
        self._problems.append(NodeError(line, "<<", required))
        return []


def _line_of(event: yaml.Event) -> int:
    mark = event.start_mark
    return 1 if mark is None else mark.line + 1


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    text = str(event.value)
    if not event.implicit[0]:
        return text
    if text in _NULL:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _explained(error: yaml.MarkedYAMLError, text: str, line: int) -> tuple[str, str]:
    lines = text.split("\n", line)
    here = lines[line - 1] if line <= len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return "a tab at the beginning of the line", "must be indented with spaces"
    problem = str(error.problem or "not valid YAML")
    context = f" ({error.context})" if error.context else ""
    return f"{problem}{context}", "must be valid YAML; check indentation, colons and quotes"
