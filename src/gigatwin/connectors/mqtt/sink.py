"""Instructions to a line at an MQTT broker, with an answer for each."""

import asyncio
import contextlib
import itertools
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Self

from gigatwin.connectors.mqtt.client import MqttClient, Session
from gigatwin.connectors.mqtt.diagnostics import ConnectionRecord
from gigatwin.connectors.mqtt.messages import Command, Commander, Incoming
from gigatwin.connectors.mqtt.settings import ANY_NODE, MqttSettings
from gigatwin.connectors.mqtt.sparkplug.commander import DeviceCommander
from gigatwin.connectors.mqtt.uns.commander import NamespaceCommander
from gigatwin.errors import ConnectorError, TelemetryError
from gigatwin.telemetry.ports import Diagnostics, Instruction, Receipt

_MOST_REMEMBERED = 10_000
_N_ATTEMPTS = 5
_MARK = "|"


class MqttSink:
    """Sends commands and waits for what became of them; refuses all unless writing is on.

    An instruction is sent in parts, one for each element (in a unified namespace: each tag), in
    order; the next part follows when the one before was carried out. A part that is not answered
    is repeated if the line has answered before, for then it remembers what it has carried out.
    """

    def __init__(self, settings: MqttSettings) -> None:
        """Do nothing yet.

        Raises
        ------
        ConnectorError
            If the settings name no single line.
        """
        if settings.node == ANY_NODE:
            message = f"{settings.where}: node +; must be one line to write to. Name it."
            raise ConnectorError(message)
        self._settings = settings
        self._record = ConnectionRecord(settings)
        self._commander: Commander = (
            DeviceCommander(settings)
            if settings.scheme == "sparkplug"
            else NamespaceCommander(settings)
        )
        session = Session(_no_will, _go_ahead, self._receive, _pass_over)
        self._client = MqttClient(settings, session, self._commander.filters, self._record)
        self._has_answered = False
        self._answers: dict[str, asyncio.Future[str]] = {}
        self._done: OrderedDict[str, Receipt] = OrderedDict()

    @classmethod
    def from_url(
        cls,
        url: str,
        environment: Mapping[str, str] | None = None,
        *,
        is_writable: bool = False,
        **changes: object,
    ) -> Self:
        """Return a sink as a URL says; see `MqttSettings.from_url`.

        Whether it may write is never said by a URL.
        """
        changes["is_writable"] = is_writable
        return cls(MqttSettings.from_url(url, environment, **changes))

    async def open(self) -> None:
        """Connect.

        Raises
        ------
        ConnectorError
            If the broker cannot be reached or refuses.
        """
        await self._client.open()

    async def send(self, instruction: Instruction) -> Receipt:
        """Carry out an instruction and return what became of it; never raises for a refusal."""
        done = self._done.get(instruction.identity)
        if done is not None:
            return done
        reason = self._objection(instruction)
        for number, command in enumerate(self._parts(instruction)):
            if reason:
                break
            answer = await self._carry_out(command)
            if answer:
                tags = ", ".join(write.tag for write in command.writes)
                named = answer if command.writes[0].tag in answer else f"{tags}: {answer}"
                reason = f"{named} (after {number} parts were carried out)" if number else named
        self._record.counts["refused" if reason else "done"] += 1
        receipt = Receipt(instruction.identity, not reason, reason)
        if receipt.is_done:
            self._done[instruction.identity] = receipt
            if len(self._done) > _MOST_REMEMBERED:
                self._done.popitem(last=False)
        return receipt

    async def close(self) -> None:
        """Disconnect; can be called twice."""
        await self._client.close()

    def diagnostics(self) -> Diagnostics:
        """Return how the connection is doing."""
        return self._record.tell(is_connected=self._client.is_connected)

    def _objection(self, instruction: Instruction) -> str:  # noqa: PLR0911 - one return a reason
        """Return why an instruction must not be sent; empty: it may."""
        if not self._settings.is_writable:
            return "writing is switched off; switch it on to let instructions through"
        if not instruction.writes:
            return "there is nothing to write"
        if not instruction.identity or _MARK in instruction.identity:
            return f"identity {instruction.identity!r}; must be a text without {_MARK}"
        if time.time() >= instruction.expires:
            return "it has expired"
        for write in instruction.writes:
            element, _, label = write.tag.partition("/")
            if not element or not label or set(element) & set("+#$") or set(label) & set("+#"):
                return f"{write.tag}: must be element/tag, free of + and #"
        if not self._client.is_connected:
            return f"not connected: {self._record.last_error or 'open the sink first'}"
        return ""

    def _parts(self, instruction: Instruction) -> list[Command]:
        """Return the commands of an instruction, in order."""
        writes = instruction.writes
        groups = (
            [(write,) for write in writes]
            if self._commander.is_single
            else [
                tuple(run)
                for _, run in itertools.groupby(writes, lambda write: write.tag.partition("/")[0])
            ]
        )
        return [
            Command(
                group[0].tag.partition("/")[0],
                group,
                f"{instruction.identity}#{number}",
                instruction.expires,
                instruction.approved_by,
            )
            for number, group in enumerate(groups)
        ]

    async def _carry_out(self, command: Command) -> str:
        """Send a command and return why it was not carried out; empty: it was."""
        try:
            message = self._commander.command(command)
        except TelemetryError as error:
            return str(error)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()
        self._answers[command.identity] = answer
        patience = self._settings.acknowledgement_patience
        end = loop.time() + patience
        try:
            while (left := end - loop.time()) > 0.0 and time.time() < (command.expires or 0.0):
                self._client.publish(message)
                wait = min(patience / _N_ATTEMPTS, left) if self._has_answered else left
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        return await asyncio.shield(answer)
        finally:
            del self._answers[command.identity]
        return (
            f"no acknowledgement within {patience:g} s; it may have been carried out or not. Look "
            "at the equipment, and whether the line is there and the names are right"
        )

    def _receive(self, message: Incoming) -> None:
        try:
            told = self._commander.read(message)
        except TelemetryError as error:
            self._record.counts["malformed"] += 1
            self._record.note(f"{message.topic}: {error}")
            return
        for identity, reason in told:
            self._has_answered = True
            answer = self._answers.get(identity)
            if answer is not None and not answer.done():
                answer.set_result(reason)


def _no_will() -> None:
    return None


async def _go_ahead() -> None:
    return


def _pass_over() -> None:
    return
