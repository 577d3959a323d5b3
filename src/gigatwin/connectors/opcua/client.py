"""A connection to a server: the protocol, and nothing about plants.

The connection does not mend itself. asyncua can, but then it restores a subscription whose values
of the meantime are gone, without a word; who uses a connection makes a new one instead and fetches
what was missed.
"""
# ruff: noqa: ANN401 - asyncua is optional, and typed in part only

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from asyncua import Client, ua
from asyncua.crypto import security_policies
from asyncua.ua import uaerrors

from gigatwin.connectors.opcua.browsing import Entry, find_tags, portions
from gigatwin.connectors.opcua.security import TrustFolder, fingerprint, own_identity
from gigatwin.connectors.opcua.settings import OpcUaSettings, Security, Trigger
from gigatwin.errors import ConnectorError
from gigatwin.telemetry.readings import Value

KEEP_ALIVE = 3.0
"""Longest silence of a subscription of a server that is well. [s]"""
_SESSION = 60_000
_PAGE = 1000
_HISTORY_AT_ONCE = 200
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
Published = Callable[[int, Sequence[tuple[Entry, ua.DataValue]], ua.StatusCode | None], None]
"""Gets the number of a message, its values, and a status where the subscription has ended."""


class Connection:
    """A session with a server.

    Parameters
    ----------
    settings : OpcUaSettings
        Where it is, and as whom.
    on_lost : callable
        Called once when the connection is found to be gone.
    """

    def __init__(self, settings: OpcUaSettings, on_lost: Callable[[str], None]) -> None:
        self._settings = settings
        self._on_lost = on_lost
        self._client: Client | None = None

    async def open(self) -> None:
        """Connect.

        Raises
        ------
        ConnectorError
            If nothing answers, it is not trusted, or it refuses.
        """
        settings = self._settings
        client = Client(settings.endpoint, timeout=settings.timeout, watchdog_intervall=3.0)
        client.session_timeout = _SESSION
        client.name = client.description = "gigatwin"
        client.connection_lost_callback = self._lost
        try:
            if settings.user:
                client.set_user(settings.user)
                client.set_password(settings.password.get_secret_value())
            if settings.security is not Security.NONE:
                await self._protect(client)
            await client.connect()
        except ConnectorError:
            raise
        except (OSError, TimeoutError, ua.UaError, ValueError) as error:
            await _leave(client, settings.timeout)
            message = f"{settings.endpoint}: {self._reason(error)}"
            raise ConnectorError(message) from error
        self._client = client

    async def _protect(self, client: Client) -> None:
        settings = self._settings
        identity = await asyncio.to_thread(own_identity, settings.folder, "client")
        client.application_uri = identity.uri
        policy = getattr(security_policies, f"SecurityPolicy{settings.security.value}")
        mode = ua.MessageSecurityMode.SignAndEncrypt
        offered = await client.connect_and_get_server_endpoints()
        fits = [
            found
            for found in offered
            if found.SecurityMode == mode and found.SecurityPolicyUri == policy.URI
        ]
        if not fits:
            names = sorted({str(found.SecurityPolicyUri).rpartition("#")[2] for found in offered})
            message = (
                f"{settings.endpoint}: offers security {', '.join(names)}; "
                f"{settings.security.value} is asked for; say ?security= what it offers"
            )
            raise ConnectorError(message)
        certificate = bytes(fits[0].ServerCertificate or b"")
        trusted = TrustFolder(settings.folder, settings.trust)
        if not trusted.is_trusted(certificate):
            message = (
                f"{settings.endpoint}: its certificate is not trusted; if its fingerprint is "
                f"{fingerprint(certificate)}, move it from {trusted.rejected} to {trusted.trusted}"
            )
            raise ConnectorError(message)
        await client.set_security(
            policy, identity.certificate, identity.key, server_certificate=certificate, mode=mode
        )

    def _reason(self, error: Exception) -> str:
        settings = self._settings
        refused = (
            uaerrors.BadUserAccessDenied,
            uaerrors.BadIdentityTokenRejected,
            uaerrors.BadIdentityTokenInvalid,
        )
        if isinstance(error, refused):
            who = f"the user {settings.user!r}" if settings.user else "whoever has no name"
            return f"refuses {who}; name a user in the URL and set GIGATWIN_OPCUA_PASSWORD"
        if isinstance(error, uaerrors.BadCertificateUntrusted):
            own = settings.folder / "client.der"
            return f"does not trust this side; copy {own} to the folder 'trusted' of the server"
        if isinstance(error, uaerrors.BadSecurityModeRejected):
            return "wants protected messages; leave out security=None"
        if isinstance(error, TimeoutError):
            return f"did not answer in {settings.timeout:g} s; is it an OPC UA server?"
        if isinstance(error, ua.UaStatusCodeError):
            return f"refuses: {type(error).__name__}"
        text = error.strerror if isinstance(error, OSError) else None
        return f"cannot be reached: {text or error or type(error).__name__}; is it running?"

    async def _lost(self, error: Exception) -> None:
        self._on_lost(str(error) or type(error).__name__)

    @property
    def is_open(self) -> bool:
        """Whether it was opened, and not closed."""
        return self._client is not None

    @property
    def _session(self) -> Any:
        if self._client is None:
            message = f"{self._settings.endpoint}: not connected"
            raise ConnectorError(message)
        return self._client.uaclient.session

    async def tags(self) -> dict[str, Entry]:
        """Return the tags that the server offers, by name."""
        with self._told("the tags cannot be listed"):
            return await find_tags(self._session)

    async def read(self, entries: Sequence[Entry]) -> list[ua.DataValue]:
        """Return the present values of tags."""
        values: list[ua.DataValue] = []
        with self._told("values cannot be read"):
            for some in portions(entries, _PAGE):
                nodes = [entry.node for entry in some]
                values += await self._session.read_attributes(nodes, ua.AttributeIds.Value)
        return values

    async def text(self, node: ua.NodeId) -> str:
        """Return the text of a node, empty where it has none."""
        with self._told("a value cannot be read"):
            (answer,) = await self._session.read_attributes([node], ua.AttributeIds.Value)
        value = None if answer.Value is None else answer.Value.Value
        return value if isinstance(value, str) else ""

    async def write(self, entry: Entry, value: Value) -> str:
        """Write a value; return the name of the status where it was refused, else nothing."""
        with self._told(f"{entry.tag.name} cannot be written"):
            variant = ua.Variant(value, entry.variant_type)
            # Many controllers refuse a write that brings times along.
            wanted = ua.DataValue(variant)
            (status,) = await self._session.write_attributes([entry.node], [wanted])
        return "" if status.is_good() else str(status.name)

    async def subscribe(self, entries: Sequence[Entry], on_published: Published) -> list[str]:
        """Have changes of tags sent; return the names of those that the server will not send."""
        settings = self._settings
        period = settings.interval * 1000.0
        params = ua.CreateSubscriptionParameters()
        params.RequestedPublishingInterval = period
        params.RequestedMaxKeepAliveCount = max(1, round(KEEP_ALIVE / settings.interval))
        params.RequestedLifetimeCount = 20 * params.RequestedMaxKeepAliveCount
        params.MaxNotificationsPerPublish = 0
        params.PublishingEnabled = True
        params.Priority = 0
        numbered = dict(enumerate(entries, 1))

        def published(result: ua.PublishResult) -> None:
            message = result.NotificationMessage
            values: list[tuple[Entry, ua.DataValue]] = []
            end = None
            for part in message.NotificationData or ():
                if isinstance(part, ua.DataChangeNotification):
                    for item in part.MonitoredItems:
                        entry = numbered.get(item.ClientHandle)
                        if entry is not None:
                            values.append((entry, item.Value))
                elif isinstance(part, ua.StatusChangeNotification):
                    end = part.Status
            on_published(message.SequenceNumber, values, end)

        refused = []
        with self._told("changes cannot be subscribed to"):
            session = self._session
            made = await session.create_subscription(params, published)
            for some in portions(list(numbered.items())):
                request = ua.CreateMonitoredItemsParameters()
                request.SubscriptionId = made.SubscriptionId
                request.TimestampsToReturn = ua.TimestampsToReturn.Both
                request.ItemsToCreate = [self._item(*one) for one in some]
                answers = await session.create_monitored_items(request)
                for (_, entry), answer in zip(some, answers, strict=True):
                    if not answer.StatusCode.is_good():
                        refused.append(entry.tag.name)
        return refused

    def _item(self, number: int, entry: Entry) -> ua.MonitoredItemCreateRequest:
        item = ua.MonitoredItemCreateRequest()
        item.ItemToMonitor.NodeId = entry.node
        item.ItemToMonitor.AttributeId = ua.AttributeIds.Value
        item.MonitoringMode = ua.MonitoringMode.Reporting
        item.RequestedParameters.ClientHandle = number
        item.RequestedParameters.SamplingInterval = 0.0
        item.RequestedParameters.QueueSize = self._settings.queue
        item.RequestedParameters.DiscardOldest = True
        if self._settings.trigger is Trigger.TIMESTAMP:
            wanted = ua.DataChangeFilter()
            wanted.Trigger = ua.DataChangeTrigger.StatusValueTimestamp
            item.RequestedParameters.Filter = wanted
        return item

    async def history(
        self, begins: Mapping[Entry, float], end: float | None
    ) -> AsyncIterator[list[tuple[Entry, ua.DataValue]]]:
        """Yield what the server kept of tags, from a source time of each on, begin included.

        Parameters
        ----------
        begins : mapping
            Source time from which on, by tag. [s since 1970]
        end : float, optional
            Source time up to which; left out: up to now. [s since 1970]
        """
        # Tags with like begins share a call, because a call has one begin for all.
        ordered = sorted(begins, key=lambda entry: begins[entry])
        for some in portions(ordered, _HISTORY_AT_ONCE):
            details = ua.ReadRawModifiedDetails()
            details.IsReadModified = False
            details.ReturnBounds = False
            details.NumValuesPerNode = 0
            details.StartTime = _moment(begins[some[0]])
            details.EndTime = _moment(end) if end is not None else ua.get_win_epoch()
            asked: list[tuple[Entry, bytes | None]] = [(entry, None) for entry in some]
            while asked:
                params = ua.HistoryReadParameters()
                params.HistoryReadDetails = details
                params.TimestampsToReturn = ua.TimestampsToReturn.Both
                params.ReleaseContinuationPoints = False
                for entry, point in asked:
                    wanted = ua.HistoryReadValueId()
                    wanted.NodeId, wanted.ContinuationPoint = entry.node, point
                    params.NodesToRead.append(wanted)
                with self._told("what was missed cannot be read"):
                    results = await self._session.history_read(params)
                rows: list[tuple[Entry, ua.DataValue]] = []
                following: list[tuple[Entry, bytes | None]] = []
                for (entry, _), result in zip(asked, results, strict=True):
                    values = getattr(result.HistoryData, "DataValues", None) or []
                    rows += [(entry, value) for value in values]
                    if result.ContinuationPoint:
                        following.append((entry, bytes(result.ContinuationPoint)))
                asked = following
                yield rows

    @contextlib.contextmanager
    def _told(self, what: str) -> Any:
        try:
            yield
        except ConnectorError:
            raise
        except (OSError, TimeoutError, ua.UaError) as error:
            reason = str(error) or type(error).__name__
            message = f"{self._settings.endpoint}: {what}: {reason}"
            raise ConnectorError(message) from error

    async def close(self) -> None:
        """Disconnect; can be called twice."""
        client, self._client = self._client, None
        if client is not None:
            await _leave(client, self._settings.timeout)


def _moment(seconds: float) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=round(seconds * 1e6))


async def _leave(client: Client, patience: float) -> None:
    client.connection_lost_callback = None
    with contextlib.suppress(Exception):
        async with asyncio.timeout(min(patience, 3.0)):
            await client.disconnect()
    with contextlib.suppress(Exception):
        client.disconnect_socket()
    # The transport that was closed takes one more turn of the loop to be gone.
    await asyncio.sleep(0)
