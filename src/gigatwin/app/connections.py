"""From the URL of an interface to the connector that speaks it."""
# ruff: noqa: PLC0415 - each connector brings a library of its own

from urllib.parse import urlsplit

from gigatwin.errors import ConnectorError
from gigatwin.telemetry.ports import Face, Sink, Source

SCHEMES = ("opc.tcp", "mqtt", "mqtts", "file")
"""How the URL of an interface may begin."""


def open_source(url: str) -> Source:
    """Return the source of readings at a URL, not connected yet.

    Parameters
    ----------
    url : str
        ``opc.tcp://...``, ``mqtt://...``, ``mqtts://...`` or ``file:///...``.

    Raises
    ------
    ConnectorError
        If the URL names no interface, or its library is not installed.
    """
    match _scheme(url):
        case "opc.tcp":
            from gigatwin.connectors.opcua import OpcUaSource

            return OpcUaSource.from_url(url)
        case "file":
            from gigatwin.connectors.files import FileSource

            return FileSource.from_url(url)
        case _:
            from gigatwin.connectors.mqtt import MqttSource

            return MqttSource.from_url(url)


def open_sink(url: str, *, is_writable: bool) -> Sink:
    """Return where instructions go, not connected yet.

    Parameters
    ----------
    url : str
        As of `open_source`.
    is_writable : bool
        Whether writing is switched on; everything is refused otherwise.

    Raises
    ------
    ConnectorError
        If the URL names no interface, or its library is not installed.
    """
    match _scheme(url):
        case "opc.tcp":
            from gigatwin.connectors.opcua import OpcUaSink

            return OpcUaSink.from_url(url, is_writable=is_writable)
        case "file":
            from gigatwin.connectors.files import FileSink

            return FileSink.from_url(url)
        case _:
            from gigatwin.connectors.mqtt import MqttSink

            return MqttSink.from_url(url, is_writable=is_writable)


def open_face(url: str) -> Face:
    """Return what shows equipment at a URL: an OPC UA server, or a node at a broker.

    Raises
    ------
    ConnectorError
        If the URL names no such interface, or its library is not installed.
    """
    match _scheme(url):
        case "opc.tcp":
            from gigatwin.connectors.opcua import OpcUaFace

            return OpcUaFace.from_url(url)
        case "file":
            message = f"{url}: a file; must be an OPC UA or MQTT address. Files are read only."
            raise ConnectorError(message)
        case _:
            from gigatwin.connectors.mqtt import MqttFace

            return MqttFace.from_url(url)


def _scheme(url: str) -> str:
    scheme = urlsplit(url).scheme
    if scheme not in SCHEMES:
        message = (
            f"{url}: begins with {scheme or 'no scheme'}; must be one of "
            f"{', '.join(f'{known}://' for known in SCHEMES)}"
        )
        raise ConnectorError(message)
    return scheme


__all__ = ["SCHEMES", "open_face", "open_sink", "open_source"]
