"""An edge node of Sparkplug B: births, data, deaths, and the commands that it understands."""

import time
from collections.abc import Callable, Sequence

from gigatwin.connectors.mqtt.messages import (
    Command,
    Filter,
    HostState,
    Incoming,
    Outgoing,
    Refresh,
)
from gigatwin.connectors.mqtt.settings import MqttSettings
from gigatwin.connectors.mqtt.sparkplug.codec import (
    DataType,
    Metric,
    Payload,
    decode,
    encode,
    signed,
)
from gigatwin.connectors.mqtt.sparkplug.metrics import birth_metric, data_metric, milliseconds
from gigatwin.connectors.mqtt.sparkplug.topics import (
    ABOUT_COMMANDS,
    ACKNOWLEDGEMENT,
    APPROVED_BY,
    BIRTH_SEQUENCE,
    DEVICE_BIRTH,
    DEVICE_COMMAND,
    DEVICE_DATA,
    EXPIRES,
    IDENTITY,
    NODE_BIRTH,
    NODE_COMMAND,
    NODE_DATA,
    NODE_DEATH,
    REBIRTH,
    SEQUENCE_MODULUS,
    Address,
    address_of,
    read_state,
    state_topic,
)
from gigatwin.errors import TelemetryError
from gigatwin.telemetry.ports import TagWrite
from gigatwin.telemetry.readings import Quality, Reading, Value
from gigatwin.telemetry.tags import Tag


class EdgeNode:
    """A line: its elements are devices, its tags are metrics known by alias after the birth."""

    def __init__(
        self, settings: MqttSettings, tags: Sequence[Tag], clock: Callable[[], float] = time.time
    ) -> None:
        """Offer tags.

        Parameters
        ----------
        settings : MqttSettings
            Group and node, and the primary host where there is one.
        tags : sequence of Tag
            What is offered.
        clock : callable
            Wall time. [s]
        """
        self._settings = settings
        self._clock = clock
        self._alias = {tag.name: number for number, tag in enumerate(tags, start=1)}
        self._label = {number: tag.label for number, tag in enumerate(tags, start=1)}
        self._devices: dict[str, list[Tag]] = {}
        for tag in tags:
            self._devices.setdefault(tag.element, []).append(tag)
        self._topic = {device: self._address(DEVICE_DATA, device) for device in self._devices}
        self._latest: dict[str, Reading] = {}
        self._sequence = 0
        # A session that died with the process before must not have the number of this one.
        self._birth_sequence = int(clock()) % SEQUENCE_MODULUS
        self._host_topic = state_topic(settings.primary_host) if settings.primary_host else ""
        own: list[Filter] = [
            (self._address(NODE_COMMAND), 1),
            (self._address(DEVICE_COMMAND, "+"), 1),
        ]
        self.filters = [*own, (self._host_topic, 1)] if self._host_topic else own

    def make_will(self) -> Outgoing:
        """Return the death of a new session."""
        self._birth_sequence = (self._birth_sequence + 1) % SEQUENCE_MODULUS
        return self._death()

    def births(self) -> list[Outgoing]:
        """Return the births of the node and of all devices, with the present values."""
        now = self._now()
        self._sequence = 0
        metrics = (
            Metric(BIRTH_SEQUENCE, None, now, DataType.INT64, self._birth_sequence),
            Metric(REBIRTH, None, now, DataType.BOOLEAN, value=False),
            Metric(ACKNOWLEDGEMENT, None, now, DataType.STRING, is_null=True),
        )
        messages = [self._numbered(self._address(NODE_BIRTH), metrics, now)]
        for device, tags in self._devices.items():
            born = [
                birth_metric(tag, self._alias[tag.name], self._latest.get(tag.name), now)
                for tag in tags
            ]
            messages.append(self._numbered(self._address(DEVICE_BIRTH, device), born, now))
        return messages

    def repetition(self) -> list[Outgoing]:
        """Return the births again."""
        return self.births()

    def data(self, readings: Sequence[Reading]) -> list[Outgoing]:
        """Return one message for each device that has new values.

        Raises
        ------
        TelemetryError
            If a value cannot be written; all are as if they had never been then.
        """
        now = self._now()
        by_device: dict[str, list[Metric]] = {}
        alias, latest = self._alias, self._latest
        new: dict[str, Reading] = {}
        for reading in readings:
            name = reading.tag
            before = new.get(name) or latest.get(name)
            was = Quality.BAD if before is None else before.quality
            new[name] = reading
            metric = data_metric(alias[name], reading, was)
            by_device.setdefault(name.partition("/")[0], []).append(metric)
        first = self._sequence
        try:
            messages = [
                self._numbered(self._topic[device], metrics, now)
                for device, metrics in by_device.items()
            ]
        except TelemetryError:
            self._sequence = first
            raise
        latest.update(new)
        return messages

    def farewell(self) -> list[Outgoing]:
        """Return the death of this session, for an end on purpose."""
        return [self._death()]

    def understand(self, message: Incoming) -> Command | Refresh | HostState | None:
        """Return what a message asks for.

        Raises
        ------
        TelemetryError
            If it is spoiled.
        """
        if message.topic == self._host_topic:
            return HostState(*read_state(message.payload), message.is_retained)
        address = address_of(message.topic)
        if address is None or message.is_retained:
            return None  # a command that the broker kept is from another time
        metrics = decode(message.payload).metrics
        if address.kind == NODE_COMMAND:
            is_asked = any(metric.name == REBIRTH and metric.value for metric in metrics)
            return Refresh() if is_asked else None
        about = {metric.name: metric.value for metric in metrics if metric.name in ABOUT_COMMANDS}
        writes = tuple(
            TagWrite(f"{address.device}/{self._name(metric)}", _plain(metric))
            for metric in metrics
            if metric.name not in ABOUT_COMMANDS
        )
        expires = about.get(EXPIRES)
        return Command(
            address.device,
            writes,
            str(about.get(IDENTITY) or ""),
            expires / 1000.0 if isinstance(expires, int) else None,
            str(about.get(APPROVED_BY) or ""),
        )

    def acknowledge(self, command: Command, reason: str) -> list[Outgoing]:
        """Return the message that tells the outcome of a command; none where nobody asked."""
        if not command.identity:
            return []
        now = self._now()
        told = Metric(ACKNOWLEDGEMENT, timestamp=now, value=f"{command.identity}|{reason}")
        return [self._numbered(self._address(NODE_DATA), (told,), now)]

    def _name(self, metric: Metric) -> str:
        if metric.name or metric.alias is None:
            return metric.name
        return self._label.get(metric.alias, f"alias {metric.alias}")

    def _numbered(self, topic: str, metrics: Sequence[Metric], now: int) -> Outgoing:
        payload = encode(Payload(now, metrics, self._sequence))
        self._sequence = (self._sequence + 1) % SEQUENCE_MODULUS
        return Outgoing(topic, payload)

    def _death(self) -> Outgoing:
        metric = Metric(BIRTH_SEQUENCE, datatype=DataType.INT64, value=self._birth_sequence)
        payload = encode(Payload(self._now(), (metric,)))
        return Outgoing(self._address(NODE_DEATH), payload, quality_of_service=1)

    def _address(self, kind: str, device: str = "") -> str:
        return Address(self._settings.group, kind, self._settings.node, device).topic

    def _now(self) -> int:
        return milliseconds(self._clock())


def _plain(metric: Metric) -> Value:
    value = signed(metric.value, metric.datatype or DataType.INT64)
    return None if metric.is_null or isinstance(value, bytes) else value
