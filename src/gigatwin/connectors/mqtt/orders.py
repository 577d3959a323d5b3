"""Commands that came to equipment: checked, carried out once, and answered."""

import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from gigatwin.connectors.mqtt.mapping import fitting
from gigatwin.connectors.mqtt.messages import Command
from gigatwin.telemetry.ports import TagWrite, WriteHandler
from gigatwin.telemetry.tags import Tag

logger = logging.getLogger(__name__)

_MOST_REMEMBERED = 10_000


class Orders:
    """Hands the writes of commands to whoever carries them out.

    Nothing of a command is carried out before all of it has been checked. A command whose identity
    came before is answered as it was then.
    """

    def __init__(
        self,
        tags: Mapping[str, Tag],
        on_write: WriteHandler,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Remember nothing yet.

        Parameters
        ----------
        tags : mapping of str to Tag
            What there is to write, by name.
        on_write : WriteHandler
            Gets each write; returns why not, or an empty text.
        clock : callable
            Wall time. [s]
        """
        self._tags = tags
        self._on_write = on_write
        self._clock = clock
        self._answers: OrderedDict[str, str] = OrderedDict()

    async def carry_out(self, command: Command) -> str:
        """Carry out a command and return why not; empty: it was."""
        known = self._answers.get(command.identity) if command.identity else None
        if known is not None:
            return known
        if command.expires is not None and self._clock() >= command.expires:
            return "it has expired"
        writes = []
        for write in command.writes:
            fitted, reason = self._check(write)
            if reason:
                return f"{write.tag}: {reason}"
            writes.append(fitted)
        answer = ""
        for write in writes:
            reason = await self._hand_over(write)
            if reason:
                answer = f"{write.tag}: {reason}"
                break
        if command.identity:
            self._answers[command.identity] = answer
            if len(self._answers) > _MOST_REMEMBERED:
                self._answers.popitem(last=False)
        return answer

    def _check(self, write: TagWrite) -> tuple[TagWrite, str]:
        """Return a write with the value as its tag holds it, and why not."""
        tag = self._tags.get(write.tag)
        if tag is None:
            return write, "there is no such tag"
        if not tag.is_writable:
            return write, "cannot be written"
        value = write.value
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return write, f"{value}; must be a value"
        try:
            return TagWrite(write.tag, fitting(value, tag.type)), ""
        except ValueError as error:
            return write, f"{value!r}; {error}"

    async def _hand_over(self, write: TagWrite) -> str:
        try:
            return await self._on_write(write)
        except Exception:
            # What the equipment does wrong must not end the connection.
            logger.exception("%s: the write failed", write.tag)
            return "the equipment failed to carry it out"
