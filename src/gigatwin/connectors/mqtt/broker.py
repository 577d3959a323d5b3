"""A broker inside the process, for a trial or for tests; it listens on this machine only."""
# ruff: noqa: PLC0415 - the library is optional

import asyncio
import contextlib
import logging
import socket
from types import TracebackType
from typing import Any, Self

from gigatwin.errors import ConnectorError

_LOOPBACK = "127.0.0.1"
_STOPPING_PATIENCE = 5.0
_LOUD = ("amqtt", "transitions")


class EmbeddedBroker:
    """Runs while its block runs: ``async with EmbeddedBroker() as broker: ... broker.url``.

    It keeps nothing beyond its end, speaks MQTT 3.1.1, and asks nobody for a password; therefore
    it can be reached from this machine only. Good for about 1 000 messages a second.
    """

    def __init__(self, port: int = 0) -> None:
        """Do nothing yet.

        Parameters
        ----------
        port : int
            Where to listen; 0: at any free port.
        """
        self.port = port
        """Where it listens; known once it has started."""
        self._broker: Any = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Its address."""
        return f"mqtt://{_LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Begin to listen.

        Raises
        ------
        ConnectorError
            If the port is taken, or the library is not installed.
        """
        try:
            from amqtt.broker import Broker
            from amqtt.errors import AMQTTError, BrokerError
        except ImportError:
            message = "amqtt is not installed; pip install 'gigatwin[broker]'"
            raise ConnectorError(message) from None
        for name in _LOUD:
            library = logging.getLogger(name)
            if library.level == logging.NOTSET:
                library.setLevel(logging.CRITICAL + 1)
        port = self.port or _free_port()
        broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"{_LOOPBACK}:{port}"}},
                "plugins": {
                    "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
                },
            }
        )
        # The library forgets to close connections that end while it stops.
        serve = broker.stream_connected

        async def serve_and_close(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
        ) -> None:
            self._writers.add(writer)
            try:
                await serve(reader, writer, listener_name)
            finally:
                writer.close()
                self._writers.discard(writer)

        broker.stream_connected = serve_and_close
        try:
            await broker.start()
        except (AMQTTError, BrokerError, OSError) as error:
            message = f"port {port} of {_LOOPBACK}: {error}; must be free. Choose another, or 0."
            raise ConnectorError(message) from None
        self.port = port
        self._broker = broker

    async def stop(self) -> None:
        """Stop listening and forget everything; can be called twice."""
        broker, self._broker = self._broker, None
        if broker is not None:
            # From Python 3.12 on a server waits for all who are connected, perhaps for ever.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STOPPING_PATIENCE):
                    await broker.shutdown()
            for writer in tuple(self._writers):
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])
