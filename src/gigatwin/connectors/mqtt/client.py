"""A connection to an MQTT broker that comes back by itself; knows nothing of plants.

MQTT 3.1.1, which every broker speaks. The library's own reconnection is switched off: it never
subscribes again, sends the same last will (Sparkplug needs a new one for each session), waits
equally long each time, and goes on for ever without an answer.
"""
# ruff: noqa: PLC0415 - the library is optional

import asyncio
import contextlib
import logging
import ssl
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gigatwin.connectors.mqtt.diagnostics import ConnectionRecord
from gigatwin.connectors.mqtt.messages import Filter, Incoming, Outgoing
from gigatwin.connectors.mqtt.settings import MqttSettings
from gigatwin.errors import ConnectorError

logger = logging.getLogger(__name__)

_NEVER = -2  # gmqtt reconnects once even with 0 retries, and for ever with -1
_REFUSED = 128
_CLOSING_PATIENCE = 2.0
_MOST_UNSENT = 4_000_000
_DRAINING_PAUSE = 0.005


@dataclass(frozen=True, slots=True)
class Session:
    """What the owner of a connection does with it."""

    make_will: Callable[[], Outgoing | None]
    """Returns what the broker publishes when the connection breaks; asked for each session."""
    begin: Callable[[], Awaitable[None]]
    """Called when a new session is there, with the subscriptions made."""
    receive: Callable[[Incoming], None]
    """Takes a message that came; must not raise."""
    lose: Callable[[], None]
    """Called when the session is over; another one will come."""


class MqttClient:
    """Keeps one session after the other, with growing pauses while the broker is away."""

    def __init__(
        self,
        settings: MqttSettings,
        session: Session,
        filters: Sequence[Filter],
        record: ConnectionRecord,
    ) -> None:
        """Do nothing yet.

        Parameters
        ----------
        settings : MqttSettings
            Where the broker is.
        session : Session
            What its owner does with it.
        filters : sequence of Filter
            Topics to subscribe to and their quality of service, in every session.
        record : ConnectionRecord
            Where losses and returns are kept.
        """
        self._settings = settings
        self._session = session
        self._filters = filters
        self._record = record
        self._identifier = f"gigatwin{uuid.uuid4().hex[:15]}"  # 23 characters that all must take
        self._client: Any = None
        self._lost = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def is_connected(self) -> bool:
        """Whether messages can be published now."""
        return self._client is not None and not self._lost.is_set()

    async def open(self) -> None:
        """Connect, and stay so.

        Raises
        ------
        ConnectorError
            If the broker cannot be reached or refuses.
        """
        try:
            await self._connect()
        except ConnectorError as error:
            self._record.note(str(error))
            raise
        self._keeper = asyncio.create_task(self._keep())

    async def close(self, farewell: Sequence[Outgoing] = ()) -> None:
        """Publish some last messages and disconnect; can be called twice."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        for message in farewell:
            self.publish(message)
        await self._disconnect()

    def publish(self, message: Outgoing) -> bool:
        """Hand a message to the connection; return whether there was one."""
        if not self.is_connected:
            return False
        self._client.publish(
            message.topic,
            message.payload,
            qos=message.quality_of_service,
            retain=message.is_retained,
        )
        return True

    def renew(self, reason: str) -> None:
        """End this session and begin another one."""
        self._record.note(reason)
        self._lost.set()

    async def drain(self) -> None:
        """Wait while the broker is slower than what is published."""
        while self.is_connected and self._n_unsent() > _MOST_UNSENT:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(_DRAINING_PAUSE)

    def _n_unsent(self) -> int:
        transport = self._client._connection._transport  # noqa: SLF001 - gmqtt offers no way to ask
        return int(transport.get_write_buffer_size())

    async def _keep(self) -> None:
        while True:
            await self._lost.wait()
            self._record.lose(self._complaint("the connection broke"))
            self._session.lose()
            await self._disconnect()
            pause = self._settings.first_pause
            while True:
                await asyncio.sleep(pause)
                try:
                    await self._connect()
                except Exception as error:
                    # Whatever it is, the next attempt may do better; nobody else would make one.
                    if not isinstance(error, ConnectorError):
                        logger.exception("%s: a session could not begin", self._record.where)
                    self._record.lose(str(error))
                    pause = min(2.0 * pause, self._settings.longest_pause)
                else:
                    break
            self._record.regain()

    async def _connect(self) -> None:
        settings = self._settings
        gmqtt = _library()
        will = self._session.make_will()
        client = gmqtt.Client(
            self._identifier,
            clean_session=True,
            will_message=None if will is None else gmqtt.Message(*will),
            logger=_quiet_logger(),
        )
        client.set_config({"reconnect_retries": _NEVER})
        if settings.user:
            password = settings.password.get_secret_value()
            client.set_auth_credentials(settings.user, password or None)
        lost = asyncio.Event()
        granted: asyncio.Future[Sequence[int]] = asyncio.get_running_loop().create_future()

        def take_levels(_client: object, _number: int, levels: Sequence[int], _: object) -> None:
            if not granted.done():
                granted.set_result(levels)

        client.on_disconnect = lambda *_: lost.set()
        client.on_message = self._on_message
        client.on_subscribe = take_levels
        try:
            await self._try(self._enter(client, granted), lost)
        except BaseException:
            await _end(client)
            raise
        self._client, self._lost = client, lost
        try:
            await self._session.begin()
        except BaseException:
            await self._disconnect()
            raise

    async def _try(self, attempt: Awaitable[None], lost: asyncio.Event) -> None:
        """Wait for an attempt to connect, but not for ever, nor after the broker has hung up."""
        settings = self._settings
        connecting = asyncio.ensure_future(attempt)
        losing = asyncio.ensure_future(lost.wait())
        try:
            done, _ = await asyncio.wait(
                {connecting, losing},
                timeout=settings.connect_patience,
                return_when=asyncio.FIRST_COMPLETED,
            )
            error = connecting.exception() if connecting in done else None
        finally:
            for task in (connecting, losing):
                task.cancel()
            await asyncio.gather(connecting, losing, return_exceptions=True)
        if connecting in done:
            if error is None or isinstance(error, ConnectorError):
                connecting.result()
                return
            # gmqtt raises errors of its own besides those of sockets and of TLS.
            found = f"{type(error).__name__}: {error}"
        elif losing in done:
            found = "the broker hung up"
        else:
            found = f"no answer within {settings.connect_patience:g} s"
        raise ConnectorError(self._complaint(found))

    async def _enter(self, client: Any, granted: asyncio.Future[Sequence[int]]) -> None:  # noqa: ANN401 - no types
        settings = self._settings
        gmqtt = _library()
        await client.connect(
            settings.host,
            settings.port,
            ssl=_tls(settings) if settings.is_tls else False,
            keepalive=settings.keep_alive,
            version=gmqtt.constants.MQTTv311,
        )
        if not self._filters:
            return
        client.subscribe([gmqtt.Subscription(topic, qos=level) for topic, level in self._filters])
        refused = [
            topic
            for (topic, _), level in zip(self._filters, await granted, strict=False)
            if level >= _REFUSED
        ]
        if refused:
            raise ConnectorError(self._complaint(f"the broker refuses to send {refused[0]}"))

    def _complaint(self, found: str) -> str:
        return (
            f"{self._record.where}: {found}; must be a broker that takes this client. Check that "
            "it runs, its address, mqtt:// or mqtts://, user and password, and its rights."
        )

    def _on_message(
        self,
        _client: object,
        topic: str,
        payload: bytes,
        _level: int,
        properties: dict[str, Any],
    ) -> int:
        self._session.receive(Incoming(topic, payload, bool(properties.get("retain"))))
        return 0

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await _end(client)


async def _end(client: Any) -> None:  # noqa: ANN401 - no types
    """Close a connection, whatever state it is in."""
    # Before Python 3.12 asyncio.wait_for can swallow a cancellation; asyncio.timeout does not.
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_CLOSING_PATIENCE):
            await client.disconnect()


def _tls(settings: MqttSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.certificate_file is not None:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
    except OSError as error:
        files = (settings.ca_file, settings.certificate_file, settings.key_file)
        named = ", ".join(str(name) for name in files if name is not None)
        message = (
            f"{settings.where}: {error} in one of {named}; must be certificates and keys in PEM "
            "files. Check the files."
        )
        raise ConnectorError(message) from None
    return context


def _library() -> Any:  # noqa: ANN401 - it ships no types
    try:
        import gmqtt
    except ImportError:
        message = "gmqtt is not installed; pip install 'gigatwin[mqtt]'"
        raise ConnectorError(message) from None
    return gmqtt


def _quiet_logger() -> logging.Logger:
    """Return the library's logger; it would tell every loss several times over."""
    library = logging.getLogger("gmqtt")
    if library.level == logging.NOTSET:
        library.setLevel(logging.CRITICAL)
    return library
