"""Who writes to the devices of an edge node, and reads what became of it."""

import time
from collections.abc import Callable

from gigatwin.connectors.mqtt.messages import (
    Acknowledgement,
    Command,
    Filter,
    Incoming,
    Outgoing,
)
from gigatwin.connectors.mqtt.settings import MqttSettings
from gigatwin.connectors.mqtt.sparkplug.codec import DataType, Metric, Payload, decode, encode
from gigatwin.connectors.mqtt.sparkplug.metrics import milliseconds, write_metric
from gigatwin.connectors.mqtt.sparkplug.topics import (
    ACKNOWLEDGEMENT,
    APPROVED_BY,
    DEVICE_COMMAND,
    EXPIRES,
    IDENTITY,
    NODE_DATA,
    Address,
)


class DeviceCommander:
    """Commands go to devices as DCMD; the node itself tells the outcome in NDATA.

    The outcome is told by name at the node and not at the device, so that nobody has to follow all
    data and births only to see it.
    """

    is_single = False
    """A message holds all writes to a device."""

    def __init__(self, settings: MqttSettings, clock: Callable[[], float] = time.time) -> None:
        """Keep where to send.

        Parameters
        ----------
        settings : MqttSettings
            Group and node.
        clock : callable
            Wall time. [s]
        """
        self._settings = settings
        self._clock = clock
        topic = Address(settings.group, NODE_DATA, settings.node).topic
        self.filters: list[Filter] = [(topic, 1)]

    def command(self, command: Command) -> Outgoing:
        """Return the message of a command.

        Raises
        ------
        TelemetryError
            If a value cannot be written.
        """
        now = milliseconds(self._clock())
        metrics = [Metric(IDENTITY, None, now, DataType.STRING, command.identity)]
        if command.expires is not None:
            expires = milliseconds(command.expires)
            metrics.append(Metric(EXPIRES, None, now, DataType.DATETIME, expires))
        metrics.append(Metric(APPROVED_BY, None, now, DataType.STRING, command.approved_by))
        metrics += [write_metric(write, now) for write in command.writes]
        group, node = self._settings.group, self._settings.node
        topic = Address(group, DEVICE_COMMAND, node, command.element).topic
        return Outgoing(topic, encode(Payload(now, metrics)))

    def read(self, message: Incoming) -> list[Acknowledgement]:
        """Return what became of commands.

        Raises
        ------
        TelemetryError
            If the message is spoiled.
        """
        told = []
        for metric in decode(message.payload).metrics:
            if metric.name == ACKNOWLEDGEMENT and isinstance(metric.value, str):
                identity, _, reason = metric.value.partition("|")
                told.append(Acknowledgement(identity, reason))
        return told
