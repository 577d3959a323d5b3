"""A log cannot be written to: whoever writes it is at its other end."""

from typing import Self

from gigatwin.connectors.files.diagnostics import FileRecord
from gigatwin.connectors.files.settings import FileSettings
from gigatwin.telemetry import Diagnostics, Instruction, Receipt


class FileSink:
    """Refuses every instruction, and says why.

    Parameters
    ----------
    settings : FileSettings
        The log.
    """

    def __init__(self, settings: FileSettings) -> None:
        self._record = FileRecord(settings.where)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Return the sink of a URL; see `FileSettings.from_url`."""
        return cls(FileSettings.from_url(url))

    async def open(self) -> None:
        """Do nothing; there is no connection."""

    async def send(self, instruction: Instruction) -> Receipt:
        """Refuse an instruction."""
        tags = ", ".join(write.tag for write in instruction.writes)
        text = (
            f"{self._record.where}: {tags} not written; a log is read only. Give the address of "
            "the equipment to write to it"
        )
        self._record.last_error = text
        return Receipt(instruction.identity, is_done=False, text=text)

    async def close(self) -> None:
        """Do nothing; can be called twice."""

    def diagnostics(self) -> Diagnostics:
        """Return how often something was refused, and why."""
        return self._record.tell()
