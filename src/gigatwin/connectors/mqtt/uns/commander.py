"""Who writes to a line in a unified namespace, and reads what became of it."""

import time
from collections.abc import Callable, Mapping

from gigatwin.connectors.mqtt.messages import (
    Acknowledgement,
    Command,
    Filter,
    Incoming,
    Outgoing,
)
from gigatwin.connectors.mqtt.settings import MqttSettings
from gigatwin.connectors.mqtt.uns.namespace import (
    COMMAND,
    Namespace,
    decode,
    encode,
    write_time,
)


class NamespaceCommander:
    """Each value to be written goes to the ``cmd`` topic of its tag; answers come below it."""

    is_single = True
    """A message holds one write."""

    def __init__(self, settings: MqttSettings, clock: Callable[[], float] = time.time) -> None:
        """Keep where to send.

        Parameters
        ----------
        settings : MqttSettings
            Root and path of the line.
        clock : callable
            Wall time. [s]
        """
        self._names = Namespace(settings.root, settings.path)
        self._clock = clock
        self.filters: list[Filter] = [(self._names.topic("+", COMMAND, "#"), 1)]

    def command(self, command: Command) -> Outgoing:
        """Return the message of a command, which must have one write.

        Raises
        ------
        TelemetryError
            If its value cannot be written.
        """
        (write,) = command.writes
        told = {
            "ts": write_time(self._clock()),
            "v": write.value,
            "id": command.identity,
            "by": command.approved_by,
        }
        if command.expires is not None:
            told["expires"] = write_time(command.expires)
        topic = self._names.topic(command.element, COMMAND, write.tag.partition("/")[2])
        return Outgoing(topic, encode(told))

    def read(self, message: Incoming) -> list[Acknowledgement]:
        """Return what became of commands.

        Raises
        ------
        TelemetryError
            If the message is spoiled.
        """
        place = self._names.place(message.topic)
        if place is None or not place.is_answer or message.is_retained:
            return []
        told = decode(message.payload)
        if not isinstance(told, Mapping):
            return []
        return [Acknowledgement(str(told.get("id", "")), str(told.get("reason", "")))]
