"""What a person needs when a connection does not work; secrets never get in here."""

import importlib
import logging
from collections import Counter
from dataclasses import dataclass, field

from gigatwin.errors import ConnectorError
from gigatwin.telemetry.ports import Diagnostics

COUNTED = (
    "batches",
    "readings",
    "reconnections",
    "gaps",
    "malformed",
    "duplicates",
    "dropped",
    "backfilled",
)
"""What a source counts, from 0."""


def require_asyncua() -> None:
    """Raise ConnectorError where the library is not installed; else quieten what it logs.

    It logs each failed attempt and each refusal, some with their stack; the connector says once
    what was lost and once that it is back. A level set by the user stays.
    """
    try:
        importlib.import_module("asyncua")
        importlib.import_module("cryptography")
    except ModuleNotFoundError as error:
        message = f"{error.name} is not installed; pip install 'gigatwin[opcua]'"
        raise ConnectorError(message) from error
    logger = logging.getLogger("asyncua")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)


@dataclass
class Account:
    """Keeps count of what a connection saw.

    Parameters
    ----------
    where : str
        The other side, without user and password.
    names : tuple of str
        What is counted, from 0.
    """

    where: str
    names: tuple[str, ...] = COUNTED
    is_connected: bool = False
    last_error: str = ""
    counts: Counter[str] = field(default_factory=Counter)

    def count(self, name: str, n: int = 1) -> None:
        """Count something that was seen."""
        self.counts[name] += n

    def told(self) -> Diagnostics:
        """Return what the ports promise to tell."""
        counts = dict.fromkeys(self.names, 0) | dict(self.counts)
        return Diagnostics(self.where, self.is_connected, counts, self.last_error)
