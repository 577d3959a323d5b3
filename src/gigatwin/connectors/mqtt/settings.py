"""What a connection over MQTT needs to know, from a URL and the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from gigatwin.errors import ConnectorError

USER_VARIABLE = "GIGATWIN_MQTT_USER"
PASSWORD_VARIABLE = "GIGATWIN_MQTT_PASSWORD"  # noqa: S105 - a name, no password
"""Where user and password come from when the URL has none."""
ROOT = "uns"
"""Root of the unified namespace of a plant."""
SIMULATED_ROOT = "simulated"
"""Root of the namespace of what is only simulated, so that nobody takes it for the plant."""
DEFAULT_GROUP = "gigatwin:site:area"
DEFAULT_NODE = "line"
ANY_NODE = "+"
"""As the node of a source: all nodes of the group."""
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_N_GROUP_PARTS = 3

Name = Annotated[str, Field(pattern=r"^[^+#/$\s]+$")]
Seconds = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]


class MqttSettings(BaseModel):
    """A broker, what is looked for there, and how patiently."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    host: str
    """Name or address of the broker."""
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    group: Name = DEFAULT_GROUP
    """Enterprise, site and area with colons between: the group of Sparkplug."""
    node: Annotated[str, Field(pattern=r"^([^+#/$\s]+|\+)$")] = DEFAULT_NODE
    """The line: the edge node of Sparkplug; ``+`` for a source that follows all of a group."""
    scheme: Literal["sparkplug", "uns"] = "sparkplug"
    """Sparkplug B, or JSON in a unified namespace."""
    root: Name = ROOT
    """First level of the unified namespace."""
    host_application: Name = "gigatwin"
    """Name under which a source tells that it is online (Sparkplug's STATE)."""
    primary_host: Annotated[str, Field(pattern=r"^[^+#/$\s]*$")] = ""
    """Host application without which an edge node keeps its data for later; empty: none."""
    user: str = ""
    password: SecretStr = SecretStr("")
    is_tls: bool = False
    """Whether the connection is encrypted and the broker's certificate checked."""
    ca_file: Path | None = None
    """Certificates of the authorities to trust (PEM); left out: those of the system."""
    certificate_file: Path | None = None
    """This client's certificate (PEM)."""
    key_file: Path | None = None
    """Key of that certificate; left out: it is in the same file."""
    keep_alive: Annotated[int, Field(ge=2, le=65535)] = 10
    """Longest silence before the broker is asked whether it is there. [s]"""
    connect_patience: Seconds = 10.0
    """How long the broker may take to answer. [s]"""
    first_pause: Seconds = 0.1
    """Pause before the first attempt to connect again; doubles with each attempt. [s]"""
    longest_pause: Seconds = 5.0
    """Where that pause stops to grow. [s]"""
    reorder_patience: Seconds = 0.5
    """How long a message may be missing before it is given up. [s]"""
    birth_patience: Seconds = 1.0
    """How long births may take to come before they are asked for again; doubles each time. [s]"""
    browse_patience: Seconds = 5.0
    """How long browsing waits for the first tag. [s]"""
    acknowledgement_patience: Seconds = 5.0
    """How long a command may take to be acknowledged. [s]"""
    gathering_time: Annotated[float, Field(ge=0.0)] = 0.02
    """How long readings are gathered into one batch. [s]"""
    most_waiting: Count = 200_000
    """Readings that wait for their reader at most; the oldest batch goes first."""
    most_stored: Count = 200_000
    """Readings that a face keeps while nobody can take them; the oldest go first."""
    is_writable: bool = False
    """Whether a sink may write."""

    @classmethod
    def from_url(
        cls, url: str, environment: Mapping[str, str] | None = None, **changes: object
    ) -> Self:
        """Return what a URL says.

        Parameters
        ----------
        url : str
            ``mqtt://[user:password@]host[:port][/group/node][?name=value&...]``; ``mqtts://`` for
            an encrypted connection. Names behind the question mark: ``scheme`` (sparkplug or uns),
            ``root``, ``host`` (host application), ``primary_host``, ``ca``, ``cert``, ``key``
            (files).
        environment : mapping, optional
            Where user and password are looked for when the URL has none; the variables are
            ``GIGATWIN_MQTT_USER`` and ``GIGATWIN_MQTT_PASSWORD``. Left out: those of the process.
        **changes
            Other fields.

        Raises
        ------
        ConnectorError
            If the URL cannot be used; the message never holds the password.

        Examples
        --------
        >>> MqttSettings.from_url("mqtts://broker/acme:west:cells/line_1?scheme=uns").where
        'mqtts://broker:8883/acme:west:cells/line_1?scheme=uns'
        """
        environment = os.environ if environment is None else environment
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ConnectorError(_complaint("MQTT address", "no number as port")) from None
        if parts.fragment or "@" in f"{parts.path}{parts.query}":
            # Whatever is quoted here could be a part of the password.
            found = "a character of / ? # in user or password, to be written as %2F %3F %23"
            raise ConnectorError(_complaint("MQTT address", found))
        where = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ConnectorError(_complaint(where, "no broker of MQTT"))
        given: dict[str, Any] = {
            "host": parts.hostname,
            "port": port or _PORTS[parts.scheme],
            "is_tls": parts.scheme == "mqtts",
            "user": unquote(parts.username or "") or environment.get(USER_VARIABLE, ""),
            "password": unquote(parts.password or "") or environment.get(PASSWORD_VARIABLE, ""),
            **_path(parts.path, where),
            **_query(parts.query, where),
            **changes,
        }
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise ConnectorError(_complaint(where, f"{field}: {first['msg']}")) from None

    @property
    def where(self) -> str:
        """The address without user and password."""
        scheme = "mqtts" if self.is_tls else "mqtt"
        suffix = "" if self.scheme == "sparkplug" else f"?scheme={self.scheme}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}/{self.group}/{self.node}{suffix}"

    @property
    def path(self) -> tuple[str, ...]:
        """Enterprise, site, area and line (ISA-95).

        Raises
        ------
        ConnectorError
            If the group has not three parts.
        """
        parts = self.group.split(":")
        if len(parts) != _N_GROUP_PARTS or not all(parts):
            found = f"group {self.group!r}, which must be enterprise:site:area"
            raise ConnectorError(_complaint(self.where, found))
        return (*parts, self.node)


def _path(path: str, where: str) -> dict[str, str]:
    parts = [unquote(part) for part in path.strip("/").split("/") if part]
    if len(parts) > 2:  # noqa: PLR2004 - group and node
        raise ConnectorError(_complaint(where, f"path {path!r}"))
    return dict(zip(("group", "node"), parts, strict=False))


def _query(query: str, where: str) -> dict[str, str]:
    names = {
        "scheme": "scheme",
        "root": "root",
        "host": "host_application",
        "primary_host": "primary_host",
        "ca": "ca_file",
        "cert": "certificate_file",
        "key": "key_file",
    }
    given = parse_qs(query, keep_blank_values=True)
    unknown = sorted(set(given) - set(names))
    if unknown:
        known = ", ".join(names)
        raise ConnectorError(_complaint(where, f"unknown option {unknown[0]!r} (known: {known})"))
    return {names[name]: values[-1] for name, values in given.items()}


def _complaint(where: str, found: str) -> str:
    return (
        f"{where}: {found}; must be mqtt://host[:port][/enterprise:site:area/line]"
        "[?scheme=sparkplug|uns], with names free of + # / $ and spaces. Correct the address."
    )
