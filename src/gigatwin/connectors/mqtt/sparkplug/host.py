"""A host application of Sparkplug B: listens to edge nodes and keeps in step with them."""

import time
from collections import Counter
from collections.abc import Callable

from gigatwin.connectors.mqtt.messages import Filter, Heard, Incoming, Outgoing
from gigatwin.connectors.mqtt.settings import ANY_NODE, MqttSettings
from gigatwin.connectors.mqtt.sparkplug.codec import DataType, Metric, Payload, encode
from gigatwin.connectors.mqtt.sparkplug.metrics import milliseconds
from gigatwin.connectors.mqtt.sparkplug.node import ListenedNode
from gigatwin.connectors.mqtt.sparkplug.topics import (
    DEVICE_BIRTH,
    DEVICE_DATA,
    DEVICE_DEATH,
    NODE_BIRTH,
    NODE_COMMAND,
    NODE_DATA,
    NODE_DEATH,
    REBIRTH,
    Address,
    address_of,
    state_payload,
    state_topic,
)
from gigatwin.telemetry.tags import Tag

_NODE_KINDS = (NODE_BIRTH, NODE_DATA, NODE_DEATH)
_DEVICE_KINDS = (DEVICE_BIRTH, DEVICE_DATA, DEVICE_DEATH)
_LISTENED = frozenset((*_NODE_KINDS, *_DEVICE_KINDS))


class HostApplication:
    """Follows one edge node, or all nodes of a group; elements keep the names of their devices."""

    def __init__(
        self,
        settings: MqttSettings,
        counts: Counter[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Know nothing yet.

        Parameters
        ----------
        settings : MqttSettings
            Group and node; how patient to be.
        counts : Counter
            Where to count what was seen and survived.
        clock : callable
            Wall time. [s]
        """
        self._settings = settings
        self._counts = counts
        self._clock = clock
        self._since = 0
        self._nodes: dict[str, ListenedNode] = {}
        self._owner: dict[str, str] = {}
        group, node = settings.group, settings.node
        self.filters: list[Filter] = [
            *((Address(group, kind, node).topic, 1) for kind in _NODE_KINDS),
            *((Address(group, kind, node, "+").topic, 1) for kind in _DEVICE_KINDS),
        ]
        if node != ANY_NODE:
            self._node(node)

    @property
    def is_alive(self) -> bool:
        """Whether a node was born and has not died."""
        return any(node.is_born for node in self._nodes.values())

    @property
    def is_waiting(self) -> bool:
        """Whether time alone makes something happen."""
        return any(node.is_waiting for node in self._nodes.values())

    def make_will(self) -> Outgoing:
        """Return the will of a new session: this application is offline."""
        self._since = milliseconds(self._clock())
        return self._state(is_online=False)

    def greetings(self, now: float) -> list[Outgoing]:
        """Return what tells that this application is online, and what asks for births."""
        return [self._state(is_online=True), *self.ask(now)]

    def farewell(self) -> list[Outgoing]:
        """Return what tells that this application goes."""
        return [self._state(is_online=False)]

    def take(self, message: Incoming, now: float) -> list[Heard]:
        """Take a message.

        Raises
        ------
        TelemetryError
            If it is spoiled.
        """
        address = address_of(message.topic)
        if address is None or address.kind not in _LISTENED:
            return []
        return self._node(address.node).take(address, message.payload, now)

    def expire(self, now: float) -> list[Heard]:
        """Return what waited for a missing message too long."""
        return [heard for node in self._nodes.values() for heard in node.expire(now)]

    def ask(self, now: float) -> list[Outgoing]:
        """Return what asks every known node for its births."""
        for node in self._nodes.values():
            node.births.ask(now)
        return [self._request(name) for name in self._nodes]

    def requests(self, now: float) -> list[Outgoing]:
        """Return what asks for births that are wanted, as often as is decent."""
        due = [self._request(name) for name, node in self._nodes.items() if node.births.is_due(now)]
        if due:
            self._counts["births_requested"] += len(due)
        return due

    def lose(self) -> None:
        """Note that the session is over: births may be missed from now on."""
        for node in self._nodes.values():
            node.forget()

    def tags(self) -> list[Tag]:
        """Return the tags that are known by now."""
        return [tag for node in self._nodes.values() for tag in node.tags()]

    def _node(self, name: str) -> ListenedNode:
        node = self._nodes.get(name)
        if node is None:
            patience = self._settings.reorder_patience, self._settings.birth_patience
            node = ListenedNode(name, patience, self._counts, self._claim)
            self._nodes[name] = node
        return node

    def _claim(self, element: str, node: str) -> bool:
        """Return whether an element is to be taken from a node: the first one that had it."""
        is_ours = self._owner.setdefault(element, node) == node
        if not is_ours:
            self._counts["clashes"] += 1
        return is_ours

    def _request(self, node: str) -> Outgoing:
        now = milliseconds(self._clock())
        metric = Metric(REBIRTH, None, now, DataType.BOOLEAN, value=True)
        topic = Address(self._settings.group, NODE_COMMAND, node).topic
        return Outgoing(topic, encode(Payload(now, (metric,))))

    def _state(self, *, is_online: bool) -> Outgoing:
        payload = state_payload(is_online=is_online, since=self._since)
        topic = state_topic(self._settings.host_application)
        return Outgoing(topic, payload, quality_of_service=1, is_retained=True)
