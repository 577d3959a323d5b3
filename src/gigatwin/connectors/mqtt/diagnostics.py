"""What a person needs when a connection over MQTT does not work; secrets never get in."""

import logging
from collections import Counter

from gigatwin.connectors.mqtt.settings import MqttSettings
from gigatwin.telemetry.ports import Diagnostics

logger = logging.getLogger(__name__)


class ConnectionRecord:
    """How a connection has been doing: counts, the last error, one log entry for each turn."""

    def __init__(self, settings: MqttSettings) -> None:
        """Begin with nothing seen.

        Parameters
        ----------
        settings : MqttSettings
            The connection; its password is taken out of every text.
        """
        self.where = settings.where
        self.counts: Counter[str] = Counter()
        self.last_error = ""
        self._password = settings.password.get_secret_value()
        self._is_lost = False

    def note(self, text: str) -> None:
        """Keep an error as the last one."""
        self.last_error = self._clean(text)

    def lose(self, text: str) -> None:
        """Note that the connection is gone; logged once until it is back."""
        self.note(text)
        if not self._is_lost:
            self._is_lost = True
            logger.warning("connection lost: %s", self.last_error)

    def regain(self) -> None:
        """Note that the connection is back."""
        self.counts["reconnections"] += 1
        if self._is_lost:
            self._is_lost = False
            logger.warning("%s: connected again", self.where)

    def tell(self, *, is_connected: bool) -> Diagnostics:
        """Return what there is to tell."""
        return Diagnostics(self.where, is_connected, dict(self.counts), self.last_error)

    def _clean(self, text: str) -> str:
        return text.replace(self._password, "***") if self._password else text
