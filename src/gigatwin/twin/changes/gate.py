"""The only way to the plant: a sink that passes on what is approved, and nothing else."""

import logging
from collections.abc import Callable

from gigatwin.telemetry.ports import Diagnostics, Instruction, Receipt, Sink
from gigatwin.twin.changes.approval import reason_against_approval, reason_against_signature
from gigatwin.twin.changes.entry import Entry, Kind
from gigatwin.twin.changes.errors import ChangeError
from gigatwin.twin.changes.history import ChangeHistory, Status, histories
from gigatwin.twin.changes.people import People
from gigatwin.twin.changes.record import ChangeRecord
from gigatwin.twin.changes.verification import verify

_logger = logging.getLogger(__name__)

ROLLBACK = "rollback"
"""Second part of the identity of an instruction that writes the old values."""


class Gate:
    """Says whether a change may be applied, from the record and the list of people."""

    def __init__(self, record: ChangeRecord, people: People) -> None:
        self.record = record
        self.people = people

    def reason_against(self, history: ChangeHistory, entries: list[Entry], now: float) -> str:
        """Return why the values of a change must not be written; empty: they may.

        Parameters
        ----------
        history : ChangeHistory
            The change.
        entries : list of Entry
            The whole record.
        now : float
            Wall time. [s]
        """
        flaw = verify(self.record).first
        if flaw is not None:
            return (
                f"the record was changed ({flaw}); put the folder {self.record.path.parent.name} "
                "aside, find out why, and begin a new one"
            )
        return reason_against_approval(history, self.people, entries, now)

    def reason_against_instruction(self, instruction: Instruction, now: float) -> str:
        """Return why an instruction must not be passed on; empty: it may."""
        change, _, rest = instruction.identity.partition("/")
        entries = self.record.entries()
        history = histories(entries).get(change)
        if history is None:
            return f"{instruction.identity} is no change of the record: it is not approved"
        if instruction.expires <= now:
            return "the instruction has expired"
        if rest.partition("/")[0] == ROLLBACK:
            return _reason_against_rollback(history, instruction, entries)
        if history.status != Status.APPLYING:
            return f"{change} is {history.status}; nothing is to be written"
        if instruction.writes != history.proposal.writes:
            return "its approval is for other values"
        return self.reason_against(history, entries, now)


def _reason_against_rollback(
    history: ChangeHistory, instruction: Instruction, entries: list[Entry]
) -> str:
    # That the approval has expired meanwhile, or somebody meddled with other entries of the record,
    # must not keep the plant from going back; what is written was signed all the same.
    if history.status not in {Status.ROLLING_BACK, Status.ROLLBACK_FAILED}:
        return f"{history.change} is {history.status}; nothing is to be rolled back"
    if instruction.writes != history.proposal.rollback:
        return "these are not the values that the tags had before"
    if history.approval is None:
        return "it was never approved"
    proposed = reason_against_signature(history.entries[0], entries)
    return proposed or reason_against_signature(history.approval, entries)


class GuardedSink:
    """A sink that carries out only what stands approved in a record.

    Every instruction is judged when it is sent; one that is refused stands in the record.

    Parameters
    ----------
    sink : Sink
        The sink behind it.
    gate : Gate
        Judges.
    clock : callable
        Wall time, seconds since 1970. [s]
    """

    def __init__(self, sink: Sink, gate: Gate, clock: Callable[[], float]) -> None:
        self._sink = sink
        self._gate = gate
        self._clock = clock
        self.has_refused = False
        """Whether an instruction was refused here, and never reached the sink behind."""

    async def open(self) -> None:
        """Connect; raise ConnectorError where the other side cannot be reached or refuses."""
        await self._sink.open()

    async def send(self, instruction: Instruction) -> Receipt:
        """Pass an instruction on, or refuse it; never raises for a refusal."""
        try:
            reason = self._gate.reason_against_instruction(instruction, self._clock())
        except ChangeError as error:
            reason = str(error)
        if not reason:
            return await self._sink.send(instruction)
        self.has_refused = True
        _logger.error("instruction %s refused: %s", instruction.identity, reason)
        data = {
            "what": "instruction",
            "identity": instruction.identity,
            "writes": {write.tag: write.value for write in instruction.writes},
            "reason": reason,
        }
        change = instruction.identity.partition("/")[0]
        actor = instruction.approved_by
        self._gate.record.append(Kind.REFUSED, change=change, actor=actor, data=data)
        return Receipt(instruction.identity, is_done=False, text=f"refused: {reason}")

    async def close(self) -> None:
        """Disconnect; can be called twice."""
        await self._sink.close()

    def diagnostics(self) -> Diagnostics:
        """Return how the connection is doing."""
        return self._sink.diagnostics()
