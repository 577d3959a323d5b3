"""Instructions to an OPC UA server, one value after the other, each read back."""
# ruff: noqa: PLC0415 - asyncua is optional, and typed in part only

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from gigatwin.connectors.opcua.diagnostics import Account, require_asyncua
from gigatwin.connectors.opcua.mapping import fitted
from gigatwin.connectors.opcua.settings import OpcUaSettings
from gigatwin.errors import ConnectorError
from gigatwin.telemetry.ports import Diagnostics, Instruction, Receipt, TagWrite
from gigatwin.telemetry.readings import Value
from gigatwin.telemetry.tags import PACKTAGS, Quantity

if TYPE_CHECKING:
    from gigatwin.connectors.opcua.browsing import Entry
    from gigatwin.connectors.opcua.client import Connection

_REMEMBERED = 10_000
_LOOKS, _PAUSE = 4, 0.15
_COUNTED = ("instructions", "writes", "refusals", "reconnections")


@dataclass
class _Course:
    """How far an instruction got."""

    done: set[int] = field(default_factory=set)
    begun: int | None = None
    """A write whose outcome is not known."""
    is_done: bool = False


class OpcUaSink:
    """Writes to a server, only where writing is switched on (`gigatwin.telemetry.ports.Sink`).

    It remembers what became of an instruction while it lives: one that was carried out is not
    repeated, and of one that stopped half-way only the rest is. A command whose outcome is not
    known, because the connection broke, is never repeated.

    Parameters
    ----------
    settings : OpcUaSettings or str
        Where the server is, or its URL (`OpcUaSettings.from_url`).
    """

    def __init__(self, settings: OpcUaSettings | str) -> None:
        if isinstance(settings, str):
            settings = OpcUaSettings.from_url(settings)
        self._settings = settings
        self._account = Account(settings.endpoint, _COUNTED)
        self._connection: Connection | None = None
        self._entries: dict[str, Entry] = {}
        self._courses: OrderedDict[str, _Course] = OrderedDict()
        self._turn = asyncio.Lock()
        self._is_lost = False

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        is_writable: bool = False,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Return the sink at a URL (`OpcUaSettings.from_url`), not connected yet."""
        settings = OpcUaSettings.from_url(
            url, is_writable=is_writable, folder=folder, environment=environment
        )
        return cls(settings)

    async def open(self) -> None:
        """Connect; raise ConnectorError where the server cannot be reached or refuses."""
        try:
            require_asyncua()
            await self._connect()
        except ConnectorError as error:
            self._account.last_error = str(error)
            raise

    async def _connect(self) -> None:
        from gigatwin.connectors.opcua.client import Connection

        connection = Connection(self._settings, self._lose)
        await connection.open()
        try:
            self._entries = await connection.tags()
        except BaseException:
            await connection.close()
            raise
        self._connection, self._is_lost = connection, False
        self._account.is_connected = True

    def _lose(self, reason: str) -> None:
        self._is_lost = True
        self._account.is_connected = False
        self._account.last_error = f"{self._settings.endpoint}: connection lost: {reason}"

    async def send(self, instruction: Instruction) -> Receipt:
        """Carry out an instruction and return what became of it; never raises for a refusal."""
        async with self._turn:
            receipt = await self._send(instruction)
        self._account.count("instructions" if receipt.is_done else "refusals")
        if not receipt.is_done:
            self._account.last_error = f"{self._settings.endpoint}: {receipt.text}"
        return receipt

    async def _send(self, instruction: Instruction) -> Receipt:
        identity = instruction.identity
        course = self._courses.get(identity)
        if course is not None and course.is_done:
            return Receipt(identity, is_done=True)
        text = await self._hindrance(instruction)
        if text:
            return Receipt(identity, is_done=False, text=text)
        course = self._courses.setdefault(identity, _Course())
        if len(self._courses) > _REMEMBERED:
            self._courses.popitem(last=False)
        for number, write in enumerate(instruction.writes):
            if number in course.done:
                continue
            text = await self._write(course, number, write)
            if text:
                before = ", ".join(instruction.writes[done].tag for done in sorted(course.done))
                text += f" (written before: {before})" if before else ""
                return Receipt(identity, is_done=False, text=text)
        course.is_done = True
        return Receipt(identity, is_done=True)

    async def _hindrance(self, instruction: Instruction) -> str:
        """Return why nothing of an instruction may be begun; empty: it may."""
        if not self._settings.is_writable:
            return "writing is not switched on; make the sink with is_writable=True"
        late = time.time() - instruction.expires
        if late > 0:
            return f"expired {late:.0f} s ago; have it approved again"
        try:
            if self._is_lost or self._connection is None:
                await self.close()
                await self._connect()
                self._account.count("reconnections")
        except ConnectorError as error:
            return str(error)
        return self._problem(instruction.writes)

    def _problem(self, writes: tuple[TagWrite, ...]) -> str:
        """Return what speaks against writes before any is begun."""
        for write in writes:
            entry = self._entries.get(write.tag)
            if entry is None:
                return f"{write.tag}: the server has no such tag; browse it for those it has"
            if not entry.tag.is_writable:
                return f"{write.tag}: the server lets it be read only"
            if write.value is None or fitted(write.value, entry.tag.type) is None:
                kind = entry.tag.type.value
                return f"{write.tag}: {write.value!r} is no value for it; must be {kind}"
        return ""

    async def _write(self, course: _Course, number: int, write: TagWrite) -> str:
        entry = self._entries[write.tag]
        value = fitted(write.value, entry.tag.type)
        connection = self._connection
        if connection is None or value is None:
            return f"{write.tag}: not connected"
        is_command = entry.tag.label == PACKTAGS[Quantity.COMMAND]
        if course.begun == number and is_command:
            return (
                f"{write.tag}: the connection broke while it was written, and whether the command "
                "arrived is not known; it is not repeated. Look at the machine, then propose anew"
            )
        course.begun = number
        try:
            status = await connection.write(entry, value)
            if status:
                course.begun = None
                reason = await connection.text(entry.refusal) if entry.refusal else ""
                told = f"{status}: {reason}" if reason and status == "BadOutOfRange" else status
                return f"{write.tag}: {write.value!r} was refused: {told}"
            course.begun = None
            self._account.count("writes")
            # A machine takes a command away once it has it, so there is nothing to read back.
            text = "" if is_command else await self._read_back(connection, entry, value)
            if not text:
                course.done.add(number)
        except ConnectorError as error:
            self._lose(str(error))
            text = f"{write.tag}: {error}"
        return text

    async def _read_back(self, connection: "Connection", entry: "Entry", value: Value) -> str:
        found: object = None
        for look in range(_LOOKS):
            if look:
                await asyncio.sleep(_PAUSE)
            (answer,) = await connection.read([entry])
            found = None if answer.Value is None else answer.Value.Value
            if _is_same(found, value):
                return ""
        return f"{entry.tag.name}: {value!r} was written, but {found!r} is read back"

    async def close(self) -> None:
        """Disconnect; can be called twice."""
        connection, self._connection = self._connection, None
        self._account.is_connected = False
        if connection is not None:
            await connection.close()

    def diagnostics(self) -> Diagnostics:
        """Return how the connection is doing."""
        return self._account.told()


def _is_same(found: object, value: Value) -> bool:
    if isinstance(found, float) and isinstance(value, int | float):
        # The server may keep single precision.
        return abs(found - value) <= 1e-6 * max(1.0, abs(value))
    return found == value
