"""Finding the tags of a server: the variables below each machine.

Machines are the children of the folder ``Machines`` (OPC 40001-1) where there is one, else the
objects below ``Objects`` that are not the standard's. The label of a tag is its browse path below
the machine, joined by dots. Properties describe a variable and are no tags.
"""
# ruff: noqa: ANN401 - asyncua is optional, and typed in part only

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from asyncua import ua
from asyncua.client.ua_session import UaSession

from gigatwin.connectors.opcua.mapping import type_of
from gigatwin.telemetry.tags import Tag

_AT_ONCE, _DEEPEST, _MOST_NODES = 500, 12, 200_000
_PROPERTY = ua.NodeId(ua.ObjectIds.HasProperty)
_READ = (
    ua.AttributeIds.Value,
    ua.AttributeIds.DataType,
    ua.AttributeIds.Description,
    ua.AttributeIds.AccessLevel,
    ua.AttributeIds.UserAccessLevel,
)
_BUILT_IN, _ENUMERATION = 25, 29
_MAY_WRITE, _MAY_READ_HISTORY = 2, 4
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A tag with what it takes to read and write it."""

    tag: Tag
    node: ua.NodeId
    variant_type: ua.VariantType
    has_history: bool
    refusal: ua.NodeId | None
    """Property that says why the last write was refused, on servers of ours."""


@dataclass(slots=True)
class _Found:
    path: tuple[str, ...]
    node: ua.NodeId
    properties: dict[str, ua.NodeId] = field(default_factory=dict)


def portions(items: Sequence[_Item], size: int = _AT_ONCE) -> Iterable[Sequence[_Item]]:
    """Cut a list, because servers limit how much they take in one call."""
    return (items[begin : begin + size] for begin in range(0, len(items), size))


async def find_tags(session: UaSession) -> dict[str, Entry]:
    """Return the tags of a server by their names; what can be no tag is left out."""
    variables = await _variables(session, await _elements(session))
    entries: dict[str, Entry] = {}
    for some in portions(variables, _AT_ONCE // len(_READ)):
        asked = [(found.node, attribute) for found in some for attribute in _READ]
        answers = await _read(session, asked)
        for number, found in enumerate(some):
            own = answers[number * len(_READ) : (number + 1) * len(_READ)]
            entry = _entry(found, own)
            if entry is not None:
                entries.setdefault(entry.tag.name, entry)
    return await _with_units(session, variables, entries)


async def _elements(session: UaSession) -> list[_Found]:
    objects = ua.NodeId(ua.ObjectIds.ObjectsFolder)
    (children,) = await _browse(session, [objects])
    machines = [child for child in children if child.BrowseName.Name == "Machines"]
    if machines:
        (children,) = await _browse(session, [machines[0].NodeId])
    return [
        _Found((child.BrowseName.Name,), child.NodeId)
        for child in children
        if child.NodeClass is ua.NodeClass.Object and child.NodeId.NamespaceIndex > 0
    ]


async def _variables(session: UaSession, elements: list[_Found]) -> list[_Found]:
    level, seen = elements, {found.node for found in elements}
    variables: list[_Found] = []
    for _ in range(_DEEPEST):
        following: list[_Found] = []
        for some in portions(level):
            answers = await _browse(session, [found.node for found in some])
            for parent, children in zip(some, answers, strict=True):
                for child in children:
                    if child.ReferenceTypeId == _PROPERTY:
                        parent.properties[child.BrowseName.Name] = child.NodeId
                        continue
                    if child.NodeId in seen:
                        continue
                    seen.add(child.NodeId)
                    found = _Found((*parent.path, child.BrowseName.Name), child.NodeId)
                    following.append(found)
                    # Names in namespace 0 are the standard's own furniture, such as CurrentState.
                    is_tag = child.BrowseName.NamespaceIndex > 0
                    if child.NodeClass is ua.NodeClass.Variable and is_tag:
                        variables.append(found)
        level = following
        if not level or len(seen) > _MOST_NODES:
            break
    return variables


async def _browse(
    session: UaSession, nodes: Sequence[ua.NodeId]
) -> list[list[ua.ReferenceDescription]]:
    params = ua.BrowseParameters()
    params.View = ua.ViewDescription()
    params.RequestedMaxReferencesPerNode = 0
    for node in nodes:
        asked = ua.BrowseDescription()
        asked.NodeId = node
        asked.BrowseDirection = ua.BrowseDirection.Forward
        asked.ReferenceTypeId = ua.NodeId(ua.ObjectIds.HierarchicalReferences)
        asked.IncludeSubtypes = True
        asked.NodeClassMask = ua.NodeClass.Object | ua.NodeClass.Variable
        asked.ResultMask = ua.BrowseResultMask.All
        params.NodesToBrowse.append(asked)
    answers = []
    for result in await session.browse(params):
        children = list(result.References or [])
        point = result.ContinuationPoint
        while point:
            following = ua.BrowseNextParameters()
            following.ContinuationPoints = [point]
            (more,) = await session.browse_next(following)
            children += more.References or []
            point = more.ContinuationPoint
        answers.append(children)
    return answers


async def _read(
    session: UaSession, asked: Sequence[tuple[ua.NodeId, ua.AttributeIds]]
) -> list[ua.DataValue]:
    params = ua.ReadParameters()
    for node, attribute in asked:
        wanted = ua.ReadValueId()
        wanted.NodeId, wanted.AttributeId = node, attribute
        params.NodesToRead.append(wanted)
    answers: list[ua.DataValue] = await session.read(params)
    return answers


def _entry(found: _Found, answers: Sequence[ua.DataValue]) -> Entry | None:
    value, data_type, description, access, user_access = answers
    variant_type = _variant_type(value, data_type)
    kind = None if variant_type is None else type_of(variant_type.name)
    if variant_type is None or kind is None or value.Value.is_array:
        return None
    levels = [_plain(answer) or 0 for answer in (access, user_access)]
    text = getattr(_plain(description), "Text", None) or ""
    is_writable = all(level & _MAY_WRITE for level in levels)
    name = f"{found.path[0]}/{'.'.join(found.path[1:])}"
    return Entry(
        Tag(name, kind, "", text, is_writable),
        found.node,
        variant_type,
        all(level & _MAY_READ_HISTORY for level in levels),
        found.properties.get("LastRefusal"),
    )


def _variant_type(value: ua.DataValue, data_type: ua.DataValue) -> ua.VariantType | None:
    told = value.Value.VariantType if value.Value is not None else ua.VariantType.Null
    if told is not ua.VariantType.Null:
        return told if isinstance(told, ua.VariantType) else None
    node = _plain(data_type)
    if not isinstance(node, ua.NodeId) or node.NamespaceIndex:
        return None
    if node.Identifier == _ENUMERATION:
        return ua.VariantType.Int32
    is_built_in = isinstance(node.Identifier, int) and 0 < node.Identifier <= _BUILT_IN
    return ua.VariantType(node.Identifier) if is_built_in else None


def _plain(answer: ua.DataValue) -> Any:
    return None if answer.Value is None else answer.Value.Value


async def _with_units(
    session: UaSession, variables: Sequence[_Found], entries: dict[str, Entry]
) -> dict[str, Entry]:
    by_node = {entry.node: name for name, entry in entries.items()}
    measured = [
        (by_node[found.node], found.properties["EngineeringUnits"])
        for found in variables
        if found.node in by_node and "EngineeringUnits" in found.properties
    ]
    for some in portions(measured):
        answers = await _read(session, [(node, ua.AttributeIds.Value) for _, node in some])
        for (name, _), answer in zip(some, answers, strict=True):
            display = getattr(_plain(answer), "DisplayName", None)
            unit = getattr(display, "Text", None)
            if isinstance(unit, str):
                old = entries[name]
                tag = Tag(name, old.tag.type, unit, old.tag.description, old.tag.is_writable)
                entries[name] = Entry(tag, old.node, old.variant_type, old.has_history, old.refusal)
    return entries
