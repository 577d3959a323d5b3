"""The inside of a server: quick to start, and with a guard before every write.

Starting asyncua costs two to three seconds for the standard's 6 000 nodes; they are made once in
a process, and each server gets copies.
"""

import asyncio
import copy
import gzip
import importlib.resources
import logging
from collections.abc import Awaitable, Callable

from asyncua import Server, ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.address_space import AttributeService, AttributeValue, NodeData
from asyncua.server.internal_server import InternalServer

from gigatwin.connectors.opcua.history import HistoryService
from gigatwin.connectors.opcua.security import Doorkeeper, SessionUser

_logger = logging.getLogger(__name__)
MODELS = {
    "DI": "http://opcfoundation.org/UA/DI/",
    "Machinery": "http://opcfoundation.org/UA/Machinery/",
    "PackML": "http://opcfoundation.org/UA/PackML/",
}
"""Models of the OPC Foundation that every server has, in the order of their namespaces from 2."""
Guard = Callable[[ua.WriteValue, SessionUser], Awaitable[ua.StatusCode]]
"""Decides on a write of a user, and carries it out."""
_Nodes = dict[ua.NodeId, NodeData]
_kept: list[_Nodes] = []
_CHANGED_IN_PLACE = frozenset(
    ua.NodeId(number)
    for number in (
        ua.ObjectIds.Server_ServerStatus,
        ua.ObjectIds.Server_ServerStatus_BuildInfo,
        ua.ObjectIds.Server_NamespaceArray,
        ua.ObjectIds.Server_ServerArray,
    )
)


async def _standard_nodes() -> _Nodes:
    """Return the nodes of the standard and of the models, made once."""
    if not _kept:
        first = Server()
        await first.init()
        for name in MODELS:
            file = importlib.resources.files(__package__) / "nodesets" / f"{name}.xml.gz"
            await first.import_xml(xmlstring=gzip.decompress(file.read_bytes()))
        _kept.append(first.iserver.aspace._nodes)  # noqa: SLF001  no other way to all of them
    return _kept[0]


def _copied(node: NodeData) -> NodeData:
    fresh = NodeData(node.nodeid)
    is_deep = node.nodeid in _CHANGED_IN_PLACE
    for name, attribute in node.attributes.items():
        value = copy.deepcopy(attribute.value) if is_deep else attribute.value
        fresh.attributes[name] = AttributeValue(value)
    fresh.references = list(node.references)
    fresh.call = node.call
    return fresh


class PlantServer(InternalServer):  # type: ignore[misc]
    """The inside of a server that lets nobody do more than they may.

    Parameters
    ----------
    doorkeeper : Doorkeeper
        Decides who may enter.
    guard : callable
        Decides on each write.
    is_anonymous : bool
        Whether somebody without a name may look.
    """

    def __init__(self, doorkeeper: Doorkeeper, guard: Guard, *, is_anonymous: bool) -> None:
        super().__init__(user_manager=doorkeeper)
        self.allow_remote_admin = False
        tokens: tuple[type, ...] = (ua.UserNameIdentityToken,)
        self.supported_tokens = (ua.AnonymousIdentityToken, *tokens) if is_anonymous else tokens
        self.attribute_service = GuardedWrites(self.aspace, guard)
        self.history_manager = HistoryService(self)

    async def load_standard_address_space(self, shelf_file: object = None) -> None:  # noqa: ARG002 - asyncua passes it
        """Copy the nodes of the standard and of the models."""
        nodes = await _standard_nodes()
        self.aspace._nodes = {key: _copied(node) for key, node in nodes.items()}  # noqa: SLF001 - its own class

    async def _address_space_fixes(self) -> None:
        """Do nothing: the copied nodes are mended already."""

    async def stop(self) -> None:
        """Stop at once; asyncua would wait for its clock, up to a second."""
        clock: asyncio.Task[None] | None = getattr(self, "time_task", None)
        if clock is not None:
            clock.cancel()
            await asyncio.gather(clock, return_exceptions=True)
            self.time_task = None
        await super().stop()

    def register_server(self, server: object, conf: object = None) -> None:  # noqa: ARG002 - asyncua passes it
        """Refuse: asyncua would take entries from anybody, before any login."""
        raise ServiceError(ua.StatusCodes.BadServiceUnsupported)


class GuardedWrites(AttributeService):  # type: ignore[misc]
    """Hands every write that comes over the network to a guard."""

    def __init__(self, aspace: object, guard: Guard) -> None:
        super().__init__(aspace)
        self._guard = guard

    async def write(
        self, params: ua.WriteParameters, user: User | None = None
    ) -> list[ua.StatusCode]:
        """Write, and say for each value whether it was accepted."""
        if isinstance(user, SessionUser):
            return [await self._guard(asked, user) for asked in params.NodesToWrite]
        if user is not None and user.role is not UserRole.Admin:
            denied = ua.StatusCode(ua.StatusCodes.BadUserAccessDenied)
            return [denied for _ in params.NodesToWrite]
        answers: list[ua.StatusCode] = await super().write(params)
        return answers
