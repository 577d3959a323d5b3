"""What equipment says and understands in a unified namespace."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence

from gigatwin.connectors.mqtt.messages import (
    Command,
    Filter,
    HostState,
    Incoming,
    Outgoing,
    Refresh,
)
from gigatwin.connectors.mqtt.settings import MqttSettings
from gigatwin.connectors.mqtt.uns.namespace import (
    ACKNOWLEDGEMENT,
    COMMAND,
    LINE,
    META,
    ONLINE,
    REFRESH,
    SEQUENCE_MODULUS,
    STATE,
    TAGS,
    Namespace,
    decode,
    encode,
    kind_of,
    read_time,
    write_meta,
    write_time,
    write_value,
)
from gigatwin.errors import TelemetryError
from gigatwin.telemetry.ports import TagWrite
from gigatwin.telemetry.readings import Reading
from gigatwin.telemetry.tags import Tag


class NamespaceEdge:
    """A line that tells each value on a topic of its own."""

    def __init__(
        self, settings: MqttSettings, tags: Sequence[Tag], clock: Callable[[], float] = time.time
    ) -> None:
        """Offer tags.

        Parameters
        ----------
        settings : MqttSettings
            Root and path of the line.
        tags : sequence of Tag
            What is offered.
        clock : callable
            Wall time. [s]
        """
        self._names = Namespace(settings.root, settings.path)
        self._clock = clock
        self._tags = {tag.name: tag for tag in tags}
        self._topic = {
            tag.name: self._names.topic(tag.element, kind_of(tag.label), tag.label) for tag in tags
        }
        self._latest: dict[str, Reading] = {}
        self._sequence = 0
        self._sender = f"{settings.node}-{uuid.uuid4().hex[:8]}"
        self.filters: list[Filter] = [(self._names.topic("+", COMMAND, "#"), 1)]

    def make_will(self) -> Outgoing:
        """Return what tells that the line is gone."""
        return self._online(is_online=False)

    def births(self) -> list[Outgoing]:
        """Return what tells that the line is there, what its tags are, and their values."""
        elements: dict[str, list[Tag]] = {}
        for tag in self._tags.values():
            elements.setdefault(tag.element, []).append(tag)
        metas = [
            Outgoing(
                self._names.topic(element, META, TAGS),
                write_meta(tags),
                quality_of_service=1,
                is_retained=True,
            )
            for element, tags in elements.items()
        ]
        return [self._online(is_online=True), *metas, *self.repetition()]

    def repetition(self) -> list[Outgoing]:
        """Return all present values."""
        return [self._value(reading, is_snapshot=True) for reading in self._latest.values()]

    def data(self, readings: Sequence[Reading]) -> list[Outgoing]:
        """Return one message for each new value.

        Raises
        ------
        TelemetryError
            If a value cannot be written; all are as if they had never been then.
        """
        first = self._sequence
        try:
            messages = [self._value(reading) for reading in readings]
        except TelemetryError:
            self._sequence = first
            raise
        self._latest.update((reading.tag, reading) for reading in readings)
        return messages

    def farewell(self) -> list[Outgoing]:
        """Return what tells that the line goes."""
        return [self._online(is_online=False)]

    def understand(self, message: Incoming) -> Command | Refresh | HostState | None:
        """Return what a message asks for; a command that the broker kept is none.

        Raises
        ------
        TelemetryError
            If it is spoiled.
        """
        place = self._names.place(message.topic)
        if place is None or place.kind != COMMAND or place.is_answer or message.is_retained:
            return None
        if (place.element, place.name) == (LINE, REFRESH):
            return Refresh()
        told = decode(message.payload)
        if not isinstance(told, Mapping) or "v" not in told or isinstance(told["v"], list | dict):
            text = f"{message.topic}: {message.payload[:60]!r}; must be a JSON object with v."
            raise TelemetryError(text)
        expires = told.get("expires")
        return Command(
            place.element,
            (TagWrite(f"{place.element}/{place.name}", told["v"]),),
            str(told.get("id") or ""),
            None if expires is None else read_time(expires),
            str(told.get("by") or ""),
        )

    def acknowledge(self, command: Command, reason: str) -> list[Outgoing]:
        """Return the message that tells the outcome of a command; none where nobody asked."""
        if not command.identity:
            return []
        label = command.writes[0].tag.partition("/")[2]
        topic = f"{self._names.topic(command.element, COMMAND, label)}/{ACKNOWLEDGEMENT}"
        told = {"ts": write_time(self._clock()), "id": command.identity, "reason": reason}
        return [Outgoing(topic, encode(told), quality_of_service=1)]

    def _value(self, reading: Reading, *, is_snapshot: bool = False) -> Outgoing:
        name = reading.tag
        sequence = self._sequence
        self._sequence = (sequence + 1) % SEQUENCE_MODULUS
        unit = self._tags[name].unit
        payload = write_value(reading, unit, sequence, self._sender, is_snapshot=is_snapshot)
        return Outgoing(self._topic[name], payload)

    def _online(self, *, is_online: bool) -> Outgoing:
        told = {
            "ts": write_time(self._clock()),
            "v": is_online,
            "q": "GOOD",
            "u": "",
            "src": self._sender,
        }
        topic = self._names.topic(LINE, STATE, ONLINE)
        return Outgoing(topic, encode(told), quality_of_service=1, is_retained=True)
