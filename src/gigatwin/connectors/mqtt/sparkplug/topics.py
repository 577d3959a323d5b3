"""Topics of Sparkplug B."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from gigatwin.errors import TelemetryError

NAMESPACE = "spBv1.0"
NODE_BIRTH, NODE_DATA, NODE_DEATH, NODE_COMMAND = "NBIRTH", "NDATA", "NDEATH", "NCMD"
DEVICE_BIRTH, DEVICE_DATA, DEVICE_DEATH, DEVICE_COMMAND = "DBIRTH", "DDATA", "DDEATH", "DCMD"
STATE = "STATE"
SEQUENCE_MODULUS = 256
"""Numbers of messages run from 0 to 255."""
BIRTH_SEQUENCE = "bdSeq"
"""Metric that ties the death of a session to its birth."""
REBIRTH = "Node Control/Rebirth"
"""Metric by which all births are asked for."""
IDENTITY, EXPIRES, APPROVED_BY, ACKNOWLEDGEMENT = (
    "Command.Identity",
    "Command.Expires",
    "Command.ApprovedBy",
    "Command.Ack",
)
"""Our own metrics about commands: the first three travel with the writes to a device; the last one
is told by the edge node afterwards, as ``identity|reason``."""
ABOUT_COMMANDS = frozenset({IDENTITY, EXPIRES, APPROVED_BY, ACKNOWLEDGEMENT})
_N_NODE_LEVELS, _N_DEVICE_LEVELS = 4, 5


class Address(NamedTuple):
    """Whose message it is, and of what kind."""

    group: str
    kind: str
    node: str
    device: str = ""

    @property
    def topic(self) -> str:
        """The topic."""
        device = f"/{self.device}" if self.device else ""
        return f"{NAMESPACE}/{self.group}/{self.kind}/{self.node}{device}"


@lru_cache(maxsize=1 << 14)
def address_of(topic: str) -> Address | None:
    """Return what a topic says; None where it is not one of Sparkplug B.

    Examples
    --------
    >>> address_of("spBv1.0/acme:west:cells/DDATA/line_1/winding_1").device
    'winding_1'
    """
    parts = topic.split("/")
    if len(parts) not in {_N_NODE_LEVELS, _N_DEVICE_LEVELS} or parts[0] != NAMESPACE:
        return None
    return Address(*parts[1:])


def state_topic(host: str) -> str:
    """Return where a host application tells whether it is online."""
    return f"{NAMESPACE}/{STATE}/{host}"


def state_payload(*, is_online: bool, since: int) -> bytes:
    """Return what it tells there; ``since`` is wall time in milliseconds."""
    return json.dumps({"online": is_online, "timestamp": since}).encode()


def read_state(payload: bytes) -> tuple[bool, float]:
    """Return whether a host application is online, and since when on its clock, in seconds.

    Raises
    ------
    TelemetryError
        If the payload is none.
    """
    try:
        told = json.loads(payload)
        if isinstance(told, Mapping):
            return bool(told["online"]), float(told["timestamp"]) / 1000.0
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    message = (
        f"STATE message {payload[:60]!r}; must be a JSON object with online and timestamp. "
        "Check what the host application writes."
    )
    raise TelemetryError(message)
