"""Where the other side is, as whom to go there, and how it is kept safe.

A password never stands in a URL: it comes from the environment variable
``GIGATWIN_OPCUA_PASSWORD``.
"""

import ipaddress
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from gigatwin.errors import ConnectorError

PASSWORD = "GIGATWIN_OPCUA_PASSWORD"  # noqa: S105  the name of the variable
FOLDER = "GIGATWIN_OPCUA_FOLDER"
_PORT = 4840
_FORM = "opc.tcp://user@host:4840/path?security=Basic256Sha256"


class Security(StrEnum):
    """How messages are protected; all but NONE sign and encrypt."""

    NONE = "None"
    BASIC256SHA256 = "Basic256Sha256"
    AES128 = "Aes128Sha256RsaOaep"
    AES256 = "Aes256Sha256RsaPss"


class Trust(StrEnum):
    """Whose certificates are accepted."""

    LISTED = "listed"
    """Those in the folder ``trusted``; others are put into ``rejected`` for a person to judge."""
    FIRST = "first"
    """As LISTED, but the first certificate of a server becomes trusted; for loopback."""
    ANY = "any"
    """Any; the password has to do. For servers on loopback."""


class Trigger(StrEnum):
    """What makes a server report a value."""

    VALUE = "value"
    """A new value or quality."""
    TIMESTAMP = "timestamp"
    """A new source time as well, so that a value that stays the same shows that it is alive."""


class _Place(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    host: str
    """Name or address."""
    port: int = Field(default=_PORT, ge=0, le=65535)
    """TCP port."""
    path: str = ""
    """Path of the endpoint."""
    folder: Path
    """Where certificates are kept, own and trusted."""

    @property
    def endpoint(self) -> str:
        """Where the other side is, without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"opc.tcp://{host}:{self.port}{self.path}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine, out of reach of others."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


_Settings = TypeVar("_Settings", bound=BaseModel)


class OpcUaSettings(_Place):
    """How to reach a server."""

    user: str = ""
    """Name of the user; empty: anonymous."""
    password: SecretStr = SecretStr("")
    """Password of the user."""
    security: Security = Security.BASIC256SHA256
    """How messages are protected."""
    trust: Trust = Trust.LISTED
    """Which certificate of the server is accepted."""
    interval: float = Field(default=0.1, gt=0, le=60)
    """Time between two messages of the server. [s]"""
    queue: int = Field(default=1000, ge=1, le=10_000)
    """Values of a tag that the server keeps between two messages, so that no edge is lost."""
    trigger: Trigger = Trigger.VALUE
    """What makes the server report a value."""
    batches: int = Field(default=1000, ge=2)
    """Batches that wait for a slow reader; then the oldest is dropped."""
    timeout: float = Field(default=10.0, gt=0)
    """How long an answer may take. [s]"""
    pause: float = Field(default=0.5, gt=0)
    """Pause before the second attempt to connect again; each one doubles it. [s]"""
    longest_pause: float = Field(default=15.0, gt=0)
    """No pause is longer. [s]"""
    is_writable: bool = False
    """Whether a sink may write."""

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        is_writable: bool = False,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Read a URL as ``opc.tcp://user@host:4840/path?security=Basic256Sha256``.

        Without ``security`` messages are signed and encrypted, except on loopback. What follows
        ``?`` may also be trust, interval, queue, trigger, batches, timeout, pause, longest_pause.

        Parameters
        ----------
        url : str
            Where the server is.
        is_writable : bool
            Whether a sink may write.
        folder : Path, optional
            Where certificates are kept; left out: ``GIGATWIN_OPCUA_FOLDER``, else a folder of
            the user.
        environment : mapping, optional
            Left out: that of the process.

        Raises
        ------
        ConnectorError
            If the URL cannot be used, holds a password, or would send one in clear text.

        Examples
        --------
        >>> OpcUaSettings.from_url("opc.tcp://line.example/plant").endpoint
        'opc.tcp://line.example:4840/plant'
        >>> OpcUaSettings.from_url("opc.tcp://127.0.0.1").security.value
        'None'
        """
        environment = os.environ if environment is None else environment
        place, user, options = _parts(url, folder, environment, "client")
        if place.is_loopback:
            options = {"security": Security.NONE, "trust": Trust.FIRST} | options
        secret = environment.get(PASSWORD, "") if user else ""
        known = place.model_dump() | {"user": user, "password": secret, "is_writable": is_writable}
        settings = _validated(cls, known, options, place.endpoint)
        is_clear = settings.security is Security.NONE and not settings.is_loopback
        if is_clear and settings.user:
            message = (
                f"{place.endpoint}: security=None would send the password of {user!r} in clear "
                "text; leave out security=, or the user"
            )
            raise ConnectorError(message)
        return settings


class FaceSettings(_Place):
    """How a server is offered."""

    user: str = ""
    """An operator who may always enter, besides those of ``accounts.json`` in the folder."""
    password: SecretStr = SecretStr("")
    """Password of that operator."""
    clients: Trust = Trust.LISTED
    """Which certificates of clients are accepted, listed or any."""
    is_anonymous: bool = False
    """Whether somebody without a name may look, never write; on loopback only."""
    history: float = Field(default=3600.0, ge=0)
    """How long values are kept for clients that missed them; by the source's clock. [s]"""
    history_rows: int = Field(default=10_000_000, ge=1000)
    """No more values are kept than these, about 45 bytes each."""
    is_history_on_disk: bool = False
    """Whether these values are kept in a file in the folder, and so outlive the process."""

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Read a URL as ``opc.tcp://operator@0.0.0.0:4840/path?history=3600``.

        On loopback without a user, anybody on this machine may look and nobody may write. Beyond
        loopback every message is signed and encrypted, and a client's certificate has to
        be in the folder ``trusted``. The user of the URL is an operator, with the password in
        ``GIGATWIN_OPCUA_PASSWORD``. What follows ``?`` may be clients, history, history_rows,
        is_history_on_disk, is_anonymous.

        Raises
        ------
        ConnectorError
            If the URL cannot be used, holds a password, or would open the server to anybody.
        """
        environment = os.environ if environment is None else environment
        place, user, options = _parts(url, folder, environment, "server")
        if place.is_loopback:
            options = {"clients": Trust.ANY, "is_anonymous": not user} | options
        known = place.model_dump() | {"user": user}
        if user:
            secret = environment.get(PASSWORD, "")
            if not secret:
                message = f"{place.endpoint}: {user!r} has no password; set {PASSWORD}"
                raise ConnectorError(message)
            known["password"] = secret
        settings = _validated(cls, known, options, place.endpoint)
        if settings.is_anonymous and not settings.is_loopback:
            message = (
                f"{place.endpoint}: anybody could look; is_anonymous=true is for 127.0.0.1 only"
            )
            raise ConnectorError(message)
        if settings.clients is Trust.FIRST:
            message = f"{place.endpoint}: clients is first; must be listed or any"
            raise ConnectorError(message)
        return settings


def _parts(
    url: str, folder: Path | None, environment: Mapping[str, str], role: str
) -> tuple[_Place, str, dict[str, Any]]:
    try:
        split = urlsplit(url)
        port = _PORT if split.port is None else split.port
    except ValueError as error:
        message = f"the URL cannot be read: {error}; must be of the form {_FORM}"
        raise ConnectorError(message) from error
    if split.password is not None:
        message = (
            f"opc.tcp://{split.hostname}: the URL holds a password, which logs and lists of "
            f"processes would show; take it out and set {PASSWORD}"
        )
        raise ConnectorError(message)
    if split.scheme != "opc.tcp" or not split.hostname:
        message = f"{url}: no URL of an OPC UA server; must be of the form {_FORM}"
        raise ConnectorError(message)
    options = dict(parse_qsl(split.query, keep_blank_values=True))
    if folder is None:
        named = environment.get(FOLDER)
        folder = Path(named) if named else Path.home() / ".config" / "gigatwin" / "opcua" / role
    path = "" if split.path == "/" else split.path
    place = _Place(host=split.hostname, port=port, path=path, folder=folder)
    return place, unquote(split.username or ""), options


def _validated(
    kind: type[_Settings], known: Mapping[str, Any], options: Mapping[str, Any], where: str
) -> _Settings:
    not_options = known.keys() | {"password", "is_writable"}
    allowed = sorted(kind.model_fields.keys() - not_options)
    unknown = sorted(options.keys() - set(allowed))
    if unknown:
        message = f"{where}: {unknown[0]}= is not known; what may follow ? is {', '.join(allowed)}"
        raise ConnectorError(message)
    try:
        return kind.model_validate(dict(options) | dict(known))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        message = f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise ConnectorError(message) from None
