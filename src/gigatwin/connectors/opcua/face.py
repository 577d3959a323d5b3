"""A server that shows tags to any OPC UA client, and takes writes from those who may."""
# ruff: noqa: ANN401, PLC0415 - asyncua is optional, and typed in part only

import asyncio
import datetime as dt
import logging
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gigatwin.connectors.opcua.diagnostics import Account, require_asyncua
from gigatwin.connectors.opcua.mapping import fitted
from gigatwin.connectors.opcua.settings import FaceSettings
from gigatwin.errors import ConnectorError
from gigatwin.standards.packml import PackMLState
from gigatwin.telemetry.ports import Diagnostics, TagWrite, WriteHandler
from gigatwin.telemetry.readings import Batch, Quality, Reading, Value
from gigatwin.telemetry.tags import Tag, TagType

if TYPE_CHECKING:
    from asyncua import Server, ua

    from gigatwin.connectors.opcua.address_space import Nameplate, TagNode
    from gigatwin.connectors.opcua.history import Kept, ValueHistory
    from gigatwin.connectors.opcua.security import Doorkeeper, Identity, SessionUser

LOGINS = "accounts.json"
"""File of the users in the folder."""
_logger = logging.getLogger(__name__)
_AT_ONCE = 500
_MICRO = 1_000_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_COUNTED = ("batches", "readings", "malformed", "writes", "refusals")


class OpcUaFace:
    """An OPC UA server for tags (`gigatwin.telemetry.ports.Face`).

    It is never open: users have a password, beyond loopback every message is signed and encrypted,
    and only operators write. A write that the handler refuses gets the status BadOutOfRange, and
    the reason stands in the property ``LastRefusal`` of the tag.

    Parameters
    ----------
    settings : FaceSettings or str
        How it is offered, or the URL (`FaceSettings.from_url`).
    nameplates : mapping, optional
        What stands on each machine, by the element of its tags.
    """

    def __init__(
        self,
        settings: FaceSettings | str,
        nameplates: "Mapping[str, Nameplate] | None" = None,
    ) -> None:
        if isinstance(settings, str):
            settings = FaceSettings.from_url(settings)
        self._settings = settings
        self._nameplates = nameplates or {}
        self._account = Account(settings.endpoint, _COUNTED)
        self._server: Server | None = None
        self._nodes: dict[str, TagNode] = {}
        self._by_id: dict[ua.NodeId, TagNode] = {}
        self._history: ValueHistory | None = None
        self._on_write: WriteHandler | None = None
        self._now = 0.0

    @classmethod
    def from_url(cls, url: str, *, folder: Path | None = None) -> Self:
        """Return the server of a URL (`FaceSettings.from_url`), not started yet."""
        return cls(FaceSettings.from_url(url, folder=folder))

    @property
    def url(self) -> str:
        """Where clients find it, with the port that it got where the settings say 0."""
        bound = None if self._server is None else self._server.bserver
        if bound is None or bound.port is None:
            return self._settings.endpoint
        return self._settings.model_copy(update={"port": int(bound.port)}).endpoint

    async def open(self, tags: Sequence[Tag], on_write: WriteHandler) -> None:
        """Offer these tags, and hand writes to a handler.

        Raises
        ------
        ConnectorError
            If nobody may enter, the port is taken, or a tag comes twice.
        """
        require_asyncua()
        from asyncua import Server

        from gigatwin.connectors.opcua.security import own_identity
        from gigatwin.connectors.opcua.server import PlantServer

        settings = self._settings
        identity = await asyncio.to_thread(own_identity, settings.folder, "server")
        doorkeeper = await asyncio.to_thread(self._doorkeeper)
        inside = PlantServer(doorkeeper, self._write, is_anonymous=settings.is_anonymous)
        server = Server(iserver=inside)
        await self._prepare(server, identity)
        self._add_nodes(server, tags)
        self._on_write = on_write
        try:
            await server.start()
        except OSError as error:
            if self._history is not None:
                self._history.close()
            message = f"{settings.endpoint}: cannot listen there: {error.strerror or error}"
            raise ConnectorError(message) from error
        self._server = server
        self._account.where = self.url
        self._account.is_connected = True

    def _doorkeeper(self) -> "Doorkeeper":
        from gigatwin.connectors.opcua.security import (
            Doorkeeper,
            Login,
            Role,
            TrustFolder,
            read_logins,
        )

        settings = self._settings
        logins = read_logins(settings.folder / LOGINS)
        if settings.user:
            secret = settings.password.get_secret_value()
            logins.append(Login.make(settings.user, Role.OPERATOR, secret))
        if not logins and not settings.is_anonymous:
            message = (
                f"{settings.endpoint}: nobody may enter; name an operator in the URL, or write "
                f"users to {settings.folder / LOGINS}"
            )
            raise ConnectorError(message)
        return Doorkeeper(
            logins,
            TrustFolder(settings.folder, settings.clients),
            is_plain=settings.is_loopback,
            is_anonymous=settings.is_anonymous,
        )

    async def _prepare(self, server: "Server", identity: "Identity") -> None:
        from asyncua import ua

        from gigatwin.connectors.opcua.address_space import NAMESPACE
        from gigatwin.connectors.opcua.server import MODELS

        policies = [
            ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
            ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
            ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
        ]
        if self._settings.is_loopback:
            policies.insert(0, ua.SecurityPolicyType.NoSecurity)
        server.set_endpoint(self._settings.endpoint)
        server.set_server_name("gigatwin")
        server.manufacturer_name = "gigatwin"
        server.product_uri = "urn:gigatwin:opcua"
        await server.init()
        await server.set_application_uri(identity.uri)
        server.set_security_policy(policies)
        await server.load_certificate(identity.certificate)
        await server.load_private_key(identity.key)
        for uri in (*MODELS.values(), NAMESPACE):
            await server.register_namespace(uri)

    def _add_nodes(self, server: "Server", tags: Sequence[Tag]) -> None:
        from gigatwin.connectors.opcua.address_space import Builder
        from gigatwin.connectors.opcua.history import ValueHistory

        settings = self._settings
        has_history = settings.history > 0
        builder = Builder(server.iserver, self._nameplates, has_history=has_history)
        self._nodes = builder.build(tags)
        self._by_id = {built.node.nodeid: built for built in self._nodes.values()}
        path = settings.folder / "history.sqlite" if settings.is_history_on_disk else None
        self._history = ValueHistory(path, settings.history, settings.history_rows)
        service = server.iserver.history_manager
        service.kept = self._history
        service.variant_types = {
            key: (built.tag.name, built.variant_type) for key, built in self._by_id.items()
        }

    async def publish(self, batch: Batch) -> None:
        """Show new values; those of unknown tags or wrong types are counted and left out."""
        if self._server is None or self._history is None:
            message = f"{self._settings.endpoint}: not open; open it before publishing"
            raise ConnectorError(message)
        kept: list[Kept] = []
        for number, reading in enumerate(batch.readings, 1):
            built = self._nodes.get(reading.tag)
            row = None if built is None else await self._show(built, reading)
            if row is None:
                self._account.count("malformed")
            else:
                kept.append(row)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        self._history.append(kept)
        self._account.count("batches")
        self._account.count("readings", len(kept))

    async def _show(self, built: "TagNode", reading: Reading) -> "Kept | None":
        from asyncua import ua

        from gigatwin.connectors.opcua.history import Kept

        value = None if reading.value is None else fitted(reading.value, built.tag.type)
        if value is None and reading.value is not None and not _is_unreal(reading.value):
            return None
        quality = Quality.BAD if value is None else reading.quality
        status = int(quality) << 30
        try:
            micros = round(reading.source_time * _MICRO)
            moment = _EPOCH + dt.timedelta(microseconds=micros)
        except (OverflowError, ValueError):
            return None
        self._now = max(self._now, reading.source_time)
        if quality is Quality.BAD:
            variant = ua.Variant(None, ua.VariantType.Null)
        else:
            variant = ua.Variant(value, built.variant_type)
        now = dt.datetime.now(dt.UTC)
        shown = ua.DataValue(variant, ua.StatusCode(status), moment, now)
        server = self._server
        if server is None:
            return None
        await server.write_attribute_value(built.node.nodeid, shown)
        if built.state_name is not None:
            name = ua.LocalizedText(_state_name(value))
            text = ua.Variant(name, ua.VariantType.LocalizedText)
            named = ua.DataValue(text, ua.StatusCode(status), moment, now)
            await server.write_attribute_value(built.state_name.nodeid, named)
        return Kept(reading.tag, micros, None if quality is Quality.BAD else value, status)

    async def _write(self, asked: "ua.WriteValue", user: "SessionUser") -> "ua.StatusCode":
        """Carry out a write of a client, or say why not."""
        from asyncua import ua

        codes = ua.StatusCodes
        built = self._by_id.get(asked.NodeId)
        code = codes.Good
        if built is None or asked.AttributeId != ua.AttributeIds.Value:
            code = codes.BadNotWritable
        elif not user.is_operator:
            code = codes.BadUserAccessDenied
        elif not built.tag.is_writable:
            code = codes.BadNotWritable
        elif asked.IndexRange or (asked.Value.StatusCode or ua.StatusCode()).value != codes.Good:
            code = codes.BadWriteNotSupported
        if built is None or code != codes.Good:
            self._account.count("refusals")
            return ua.StatusCode(code)
        variant = asked.Value.Value
        value = None if variant.is_array else fitted(variant.Value, built.tag.type)
        if value is None:
            is_real = built.tag.type is TagType.REAL and _is_unreal(variant.Value)
            self._account.count("refusals")
            return ua.StatusCode(codes.BadOutOfRange if is_real else codes.BadTypeMismatch)
        return ua.StatusCode(await self._hand_over(built, value, user))

    async def _hand_over(self, built: "TagNode", value: Value, user: "SessionUser") -> int:
        from asyncua import ua

        name = built.tag.name
        try:
            if self._on_write is None:
                return int(ua.StatusCodes.BadShutdown)
            reason = await self._on_write(TagWrite(name, value))
        except Exception:
            _logger.exception("%s: the handler of writes failed at %s", self.url, name)
            self._account.count("refusals")
            return int(ua.StatusCodes.BadInternalError)
        if reason:
            self._account.count("refusals")
            if built.refusal is not None and self._server is not None:
                text = ua.Variant(reason, ua.VariantType.String)
                told = ua.DataValue(text, ServerTimestamp=dt.datetime.now(dt.UTC))
                await self._server.write_attribute_value(built.refusal.nodeid, told)
            _logger.info("%s: %s may not write %s: %s", self.url, user.name, name, reason)
            return int(ua.StatusCodes.BadOutOfRange)
        self._account.count("writes")
        # The source's clock may run faster than ours; its newest moment is its present.
        row = await self._show(built, Reading(name, value, self._now or time.time()))
        if row is not None and self._history is not None:
            self._history.append([row])
        return int(ua.StatusCodes.Good)

    async def close(self) -> None:
        """Stop serving; can be called twice."""
        server, self._server = self._server, None
        self._account.is_connected = False
        self._on_write = None
        if server is not None:
            await server.stop()
            # Transports that were closed take one more turn of the loop to be gone.
            await asyncio.sleep(0)

    def diagnostics(self) -> Diagnostics:
        """Return how the server is doing."""
        return self._account.told()


def _is_unreal(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _state_name(value: Value) -> str:
    try:
        return PackMLState(int(value or 0)).name.title()
    except ValueError:
        return ""
