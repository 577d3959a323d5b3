"""How machines look at the server: Machinery and PackML around the PackTags.

The types are those of the OPC Foundation's models (OPC 40001-1 and OPC 30050). Each machine is
below ``Objects/Machines`` and, as a PackML object, below ``Objects/PackMLObjects``, with an
``Identification`` and the objects ``Status``, ``Admin`` and ``Command`` that hold the tags. What
stands between two dots of a label is one object: ``Status.EquipmentInterlock.Blocked`` is
``Status/EquipmentInterlock/Blocked`` with the node id
``s=winding_1/Status.EquipmentInterlock.Blocked``.

Where the two standards differ, the tags follow ISA-TR88.00.02: the state is a number in
``Status.StateCurrent`` (``BaseStateMachine`` shows its name, without the states nested in it),
counts and the stop reason are plain values where OPC 30050 has arrays of structures, and commands
are written to ``Command`` where OPC 30050 has methods, which are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asyncua import ua
from asyncua.server.address_space import NodeData
from asyncua.server.internal_server import InternalServer

from gigatwin.connectors.opcua.mapping import VARIANT_NAMES
from gigatwin.connectors.opcua.server import MODELS
from gigatwin.errors import ConnectorError
from gigatwin.telemetry.tags import PACKTAGS, Quantity, Tag

NAMESPACE = "urn:gigatwin:plant"
"""Namespace of the machines and tags."""
_FIRST_MODEL = 2
_DI, _MACHINERY, _PACKML = range(_FIRST_MODEL, _FIRST_MODEL + len(MODELS))
OURS = _FIRST_MODEL + len(MODELS)
"""Index of that namespace."""
_MACHINES = ua.NodeId(1001, _MACHINERY)
_PACKML_OBJECTS = ua.NodeId(72, _PACKML)
_IDENTIFICATION_TYPE = ua.NodeId(1012, _MACHINERY)
_PACKML_TYPE, _ADMIN_TYPE, _STATUS_TYPE = (ua.NodeId(number, _PACKML) for number in (6, 5, 4))
_STATE_MACHINE = ua.NodeId(88, _PACKML)
_TYPES = {"Admin": _ADMIN_TYPE, "Status": _STATUS_TYPE}
_IN_PACKML = {"Admin", "Status", "UnitModeCurrent", "CurMachSpeed", "MachSpeed"}
"""Names that mean in OPC 30050 what they mean here, with values of the same kind."""
_UNITS = "http://www.opcfoundation.org/UA/units/un/cefact"
_PROPERTY, _COMPONENT, _ORGANIZES = (
    ua.NodeId(number)
    for number in (ua.ObjectIds.HasProperty, ua.ObjectIds.HasComponent, ua.ObjectIds.Organizes)
)
_NO_TYPE = ua.NodeId(ua.ObjectIds.BaseObjectType)


@dataclass(frozen=True, slots=True)
class Nameplate:
    """What stands on a machine."""

    manufacturer: str
    model: str = ""
    serial_number: str = ""


@dataclass(frozen=True, slots=True)
class TagNode:
    """The node of a tag."""

    tag: Tag
    node: NodeData
    variant_type: ua.VariantType
    refusal: NodeData | None
    """Says why the last write was refused."""
    state_name: NodeData | None
    """Shows the state of the machine in words, where the tag is the state."""


class Builder:
    """Adds machines and tags to a server that has the models loaded.

    Parameters
    ----------
    server : InternalServer
        Gets the nodes.
    nameplates : mapping
        What stands on each machine, by the element of its tags.
    has_history : bool
        Whether values can be read back.
    """

    def __init__(
        self, server: InternalServer, nameplates: Mapping[str, Nameplate], *, has_history: bool
    ) -> None:
        self._server = server
        self._space = server.aspace
        self._nameplates = nameplates
        self._access = 1 | (4 if has_history else 0)
        self._has_history = has_history
        self._state_names: dict[str, NodeData] = {}

    def build(self, tags: Sequence[Tag]) -> dict[str, TagNode]:
        """Add the nodes of tags, and return them by the names of the tags."""
        built: dict[str, TagNode] = {}
        machines = {tag.element for tag in tags if tag.label == PACKTAGS[Quantity.STATE]}
        # Short labels first, so that a tag which others lie below is there before them.
        for tag in sorted(tags, key=lambda tag: (tag.element, tag.label.count("."))):
            if tag.name in built:
                message = f"tag {tag.name} comes twice; each name once"
                raise ConnectorError(message)
            if not tag.element or not tag.label:
                message = f"tag {tag.name!r} has no element or no label; must be element/label"
                raise ConnectorError(message)
            self._add_element(tag.element, is_machine=tag.element in machines)
            built[tag.name] = self._add_tag(tag)
        return {tag.name: built[tag.name] for tag in tags}

    def _add_element(self, element: str, *, is_machine: bool) -> None:
        node = _id(element)
        if node in self._space:
            return
        kind = _PACKML_TYPE if is_machine else _NO_TYPE
        self._object(node, _MACHINES, _ours(element), kind, _ORGANIZES)
        if not is_machine:
            return
        also = ua.AddReferencesItem()
        also.SourceNodeId, also.TargetNodeId = _PACKML_OBJECTS, node
        also.ReferenceTypeId, also.IsForward = _ORGANIZES, True
        also.TargetNodeClass = ua.NodeClass.Object
        self._server.node_mgt_service.add_references([also])[0].check()
        self._property(node, f"{element}/TagID", ua.QualifiedName("TagID", _PACKML), element)
        self._identify(element)
        machine = _id(f"{element}/BaseStateMachine")
        name = ua.QualifiedName("BaseStateMachine", _PACKML)
        self._object(machine, node, name, self._type_of(_STATE_MACHINE), _COMPONENT)
        state = _id(f"{element}/BaseStateMachine/CurrentState")
        name = ua.QualifiedName("CurrentState", 0)
        value = ua.Variant(ua.LocalizedText(""), ua.VariantType.LocalizedText)
        kind = ua.NodeId(ua.ObjectIds.FiniteStateVariableType)
        self._variable(state, machine, name, value, kind=kind)
        self._state_names[element] = self._space[state]

    def _identify(self, element: str) -> None:
        plate = self._nameplates.get(element) or Nameplate("gigatwin virtual plant")
        node = _id(f"{element}/Identification")
        name = ua.QualifiedName("Identification", _DI)
        add_in = ua.NodeId(ua.ObjectIds.HasAddIn)
        self._object(node, _id(element), name, _IDENTIFICATION_TYPE, add_in)
        known = {
            "Manufacturer": ua.LocalizedText(plate.manufacturer),
            "Model": ua.LocalizedText(plate.model) if plate.model else None,
            "SerialNumber": plate.serial_number or element,
            "ProductInstanceUri": f"urn:gigatwin:{element}",
        }
        for key, value in known.items():
            if value is not None:
                name = ua.QualifiedName(key, _DI)
                self._property(node, f"{element}/Identification/{key}", name, value)

    def _add_tag(self, tag: Tag) -> TagNode:
        *folders, last = tag.label.split(".")
        parent = _id(tag.element)
        for depth, folder in enumerate(folders, 1):
            node = _id(f"{tag.element}/{'.'.join(folders[:depth])}")
            if node not in self._space:
                kind = _TYPES.get(folder, _NO_TYPE) if depth == 1 else _NO_TYPE
                self._object(node, parent, _name(folder), kind, _COMPONENT)
            parent = node
        node = _id(tag.name)
        variant_type = ua.VariantType[VARIANT_NAMES[tag.type]]
        value = ua.Variant(ua.get_default_value(variant_type), variant_type)
        kind = ua.NodeId(
            ua.ObjectIds.AnalogUnitType if tag.unit else ua.ObjectIds.BaseDataVariableType
        )
        access = self._access | (2 if tag.is_writable else 0)
        name = _name(last)
        self._variable(
            node, parent, name, value, kind=kind, access=access, description=tag.description
        )
        data = self._space[node]
        data.attributes[ua.AttributeIds.Value].value = ua.DataValue(
            ua.Variant(None, ua.VariantType.Null),
            ua.StatusCode(ua.StatusCodes.BadWaitingForInitialData),
        )
        if tag.unit:
            unit = ua.EUInformation(_UNITS, -1, ua.LocalizedText(tag.unit))
            self._property(
                node, f"{tag.name}/EngineeringUnits", ua.QualifiedName("EngineeringUnits", 0), unit
            )
        refusal = None
        if tag.is_writable:
            key = f"{tag.name}/LastRefusal"
            self._property(node, key, _ours("LastRefusal"), "")
            refusal = self._space[_id(key)]
        is_state = tag.label == PACKTAGS[Quantity.STATE]
        state_name = self._state_names.get(tag.element) if is_state else None
        return TagNode(tag, data, variant_type, refusal, state_name)

    def _object(
        self,
        node: ua.NodeId,
        parent: ua.NodeId,
        name: ua.QualifiedName,
        kind: ua.NodeId,
        reference: ua.NodeId,
    ) -> None:
        attributes = ua.ObjectAttributes()
        attributes.EventNotifier = 0
        self._add(node, parent, name, kind, reference, attributes, ua.NodeClass.Object, "")

    def _property(self, parent: ua.NodeId, key: str, name: ua.QualifiedName, value: object) -> None:
        kind = ua.NodeId(ua.ObjectIds.PropertyType)
        self._variable(_id(key), parent, name, ua.Variant(value), kind=kind, reference=_PROPERTY)

    def _variable(  # noqa: PLR0913 - the parts of what is made
        self,
        node: ua.NodeId,
        parent: ua.NodeId,
        name: ua.QualifiedName,
        value: ua.Variant,
        *,
        kind: ua.NodeId,
        access: int = 1,
        description: str = "",
        reference: ua.NodeId = _COMPONENT,
    ) -> None:
        attributes = ua.VariableAttributes()
        attributes.Value = value
        # The identifiers of the built-in types are the numbers of their variants.
        attributes.DataType = (
            ua.NodeId(ua.ObjectIds.EUInformation)
            if value.VariantType is ua.VariantType.ExtensionObject
            else ua.NodeId(value.VariantType.value)
        )
        attributes.ValueRank = ua.ValueRank.Scalar
        attributes.ArrayDimensions = None
        attributes.AccessLevel = attributes.UserAccessLevel = access
        attributes.Historizing = self._has_history and reference is not _PROPERTY
        attributes.MinimumSamplingInterval = 0.0
        self._add(
            node, parent, name, kind, reference, attributes, ua.NodeClass.Variable, description
        )

    def _add(  # noqa: PLR0913, PLR0917 - the parts of what is made
        self,
        node: ua.NodeId,
        parent: ua.NodeId,
        name: ua.QualifiedName,
        kind: ua.NodeId,
        reference: ua.NodeId,
        attributes: ua.ObjectAttributes | ua.VariableAttributes,
        node_class: ua.NodeClass,
        description: str,
    ) -> None:
        attributes.DisplayName = ua.LocalizedText(name.Name)
        attributes.Description = ua.LocalizedText(description)
        attributes.WriteMask = attributes.UserWriteMask = 0
        item = ua.AddNodesItem()
        item.RequestedNewNodeId, item.ParentNodeId = node, parent
        item.BrowseName, item.NodeClass = name, node_class
        item.ReferenceTypeId, item.TypeDefinition = reference, kind
        item.NodeAttributes = attributes
        self._server.node_mgt_service.add_nodes([item])[0].StatusCode.check()

    def _type_of(self, node: ua.NodeId) -> ua.NodeId:
        definition = ua.NodeId(ua.ObjectIds.HasTypeDefinition)
        for reference in self._space[node].references:
            if reference.ReferenceTypeId == definition and reference.IsForward:
                return reference.NodeId
        return _NO_TYPE


def _id(name: str) -> ua.NodeId:
    return ua.NodeId(name, OURS)


def _ours(name: str) -> ua.QualifiedName:
    return ua.QualifiedName(name, OURS)


def _name(part: str) -> ua.QualifiedName:
    return ua.QualifiedName(part, _PACKML if part in _IN_PACKML else OURS)
