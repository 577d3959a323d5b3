"""What a person needs when following a log does not work."""

import logging
from collections import Counter

from gigatwin.telemetry import Diagnostics

_logger = logging.getLogger(__name__)


class FileRecord:
    """How following a log has been going: counts, and the last thing that went wrong.

    Parameters
    ----------
    where : str
        The log.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.is_connected = False
        self.counts: Counter[str] = Counter()
        self.last_error = ""

    def find(self) -> None:
        """Note that the log is there."""
        if self.counts["opened"]:
            self.counts["reconnections"] += 1
            _logger.warning("%s: there again", self.where)
        self.counts["opened"] += 1
        self.is_connected = True

    def lose(self, reason: str) -> None:
        """Note that the log is gone; logged once until it is back."""
        self.last_error = reason
        if self.is_connected:
            self.is_connected = False
            _logger.warning("%s", reason)

    def refuse(self, place: str, problem: str) -> None:
        """Note a row that cannot be read."""
        self.counts["malformed"] += 1
        self.last_error = f"{self.where} {place}: {problem}"

    def tell(self) -> Diagnostics:
        """Return what there is to tell."""
        return Diagnostics(self.where, self.is_connected, dict(self.counts), self.last_error)
