"""The side of the plant: a change is applied, watched, kept or rolled back.

Everything stands in the record, so that a process can be killed at any moment and the next one goes
on: an instruction is announced before it is sent and has the identity of its change, and one whose
outcome nobody noted is read back from the plant before anything else is done.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from gigatwin.errors import ConnectorError, FactoryError
from gigatwin.factory.changes import with_changes
from gigatwin.factory.factory import Factory
from gigatwin.telemetry.observations import Observation
from gigatwin.telemetry.ports import Instruction, Receipt, Sink, TagWrite
from gigatwin.telemetry.readings import Value
from gigatwin.twin.changes.entry import Entry, Kind
from gigatwin.twin.changes.errors import ChangeError
from gigatwin.twin.changes.gate import ROLLBACK, GuardedSink
from gigatwin.twin.changes.history import ChangeHistory, Status
from gigatwin.twin.changes.judging import Judgement
from gigatwin.twin.changes.record import Writer
from gigatwin.twin.changes.store import ChangeStore
from gigatwin.twin.changes.watching import Look, Watch
from gigatwin.twin.changes.writes import TagBook, is_same, machines_of, plan_writes

_logger = logging.getLogger(__name__)

ReadBack = Callable[[Sequence[str]], Awaitable[Mapping[str, Value]]]
"""Returns what tags have now, asked of the plant anew; one that cannot be told is left out."""
_SEND_TIMEOUT = 30.0
_ROLLBACK_TIME = 3600.0
"""How long an instruction to write the old values may be carried out. [s]"""
_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 600.0
_HOUR = 3600.0


class CarryingOut(ChangeStore):
    """The changes of one plant, as far as the plant is concerned.

    Parameters
    ----------
    store : Path
        Folder of the twin.
    factory : Factory, optional
        The plant's model; needed to watch.
    book : TagBook, optional
        Tags and their present values; with it a change is not applied to a plant whose values are
        not those that it was proposed for.
    clock : callable
        Wall time, seconds since 1970. [s]
    """

    def __init__(
        self,
        store: Path,
        factory: Factory | None = None,
        *,
        book: TagBook | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(store, clock)
        self.factory = factory
        self.book = book
        self._watches: dict[str, Watch] = {}

    def require_applicable(self, name: str, by: str = "gigatwin") -> None:
        """Refuse a change that may not be applied now, without asking the plant anything.

        Raises
        ------
        RefusedError
            If it may not; it stands in the record.
        """
        history = self.find(name)
        reason = self._reason_against_applying(history, self.record.entries())
        if reason:
            self.refuse("apply", history.change, by, reason)

    async def apply(
        self, name: str, sink: Sink, *, by: str = "gigatwin", plant_time: float | None = None
    ) -> ChangeHistory:
        """Write the values of an approved change to the plant.

        Parameters
        ----------
        name : str
            The change.
        sink : Sink
            Where instructions go.
        by : str
            Who asks for it.
        plant_time : float, optional
            The plant's clock, where it is known; the watch begins after it. [s]

        Returns
        -------
        ChangeHistory
            ``WATCHED`` when everything was accepted. When the other side did not accept it, it is
            ``ROLLING_BACK``; when it did not answer, ``APPLYING``; `settle` goes on from there.

        Raises
        ------
        RefusedError
            If it may not be applied now; it stands in the record.
        """
        change = self.find(name).change
        # Not waiting: whoever sends may be in this process, and needs its time.
        with self.record.sending(patience=0.0) as is_held:
            if not is_held:
                self.refuse("apply", change, by, "another process is sending an instruction")
            with self.record.writing() as writer:
                entries = self.record.entries()
                history = self.find(change)
                reason = self._reason_against_applying(history, entries)
                if reason:
                    self.refuse("apply", change, by, reason, writer=writer)
                identity = _identity(change, history.count(Kind.APPLYING))
                data = {
                    "identity": identity,
                    "writes": _as_data(history.proposal.writes),
                    "plant_time": plant_time,
                }
                writer.append(Kind.APPLYING, change=change, actor=by, data=data)
            instruction = self._instruction(history, identity, history.proposal.writes)
            receipt = await self._send(instruction, sink, change)
            if receipt is not None and receipt.is_done:
                done = {"identity": identity, "plant_time": plant_time, "text": receipt.text}
                self.record.append(Kind.APPLIED, change=change, actor=by, data=done)
            elif receipt is not None and self.find(change).status == Status.APPLYING:
                self._decide_to_roll_back(change, f"the plant did not accept it: {receipt.text}")
        return self.find(change)

    def observe(self, observations: Iterable[Observation]) -> list[Look]:
        """Compare what was seen with the predictions of the changes that are watched.

        Parameters
        ----------
        observations : iterable of Observation
            In the order of their time; every one is to be given once.

        Returns
        -------
        list of Look
            The looks that were completed; each stands in the record with what it decided. To write
            old values is left to `settle`.
        """
        watched = {c: h for c, h in self.changes().items() if h.status == Status.WATCHED}
        self._watches = {c: watch for c, watch in self._watches.items() if c in watched}
        if not watched:
            return []
        given = list(observations)
        looks: list[Look] = []
        for change, history in watched.items():
            watch = self._watches.get(change)
            if watch is None:
                with self.record.writing() as writer:
                    if self._decide(writer, change):
                        continue
                watch = Watch(history, self._machines_of)
                self._watches[change] = watch
            for look in watch.take(given):
                looks.append(look)
                if self._note_look(change, look):
                    break
        return looks

    async def settle(self, sink: Sink, read_back: ReadBack | None = None) -> list[ChangeHistory]:
        """Do what is due: roll back, find out what became of an instruction, end approvals.

        To be called again and again, and after every start.

        Parameters
        ----------
        sink : Sink
            Where instructions go.
        read_back : callable, optional
            Asks the plant for values; without it an instruction whose outcome is not known is
            rolled back.

        Returns
        -------
        list of ChangeHistory
            The changes that moved on.
        """
        before = {change: history.status for change, history in self.changes().items()}
        for change, status in before.items():
            if status == Status.APPLYING:
                await self._resolve(change, read_back)
            elif status == Status.WATCHED:
                self._check_patience(change)
            elif status == Status.APPROVED:
                self._check_expiry(change)
        for change, history in self.changes().items():
            if history.status in {Status.ROLLING_BACK, Status.ROLLBACK_FAILED}:
                await self._roll_back(change, sink)
        after = self.changes()
        return [after[change] for change, old in before.items() if after[change].status != old]

    def _reason_against_applying(self, history: ChangeHistory, entries: list[Entry]) -> str:
        return next(filter(None, self._reasons_against_applying(history, entries)), "")

    def _reasons_against_applying(
        self, history: ChangeHistory, entries: list[Entry]
    ) -> Iterator[str]:
        proposal = history.proposal
        if history.status == Status.PROPOSED:
            yield "it is not approved"
        if history.status == Status.EXPIRED:
            yield "its approval has expired"
        if history.status != Status.APPROVED:
            yield f"it is {history.status}"
        yield self.gate.reason_against(history, entries, self.clock())
        if not proposal.writes:
            yield "no tag is written; confirm that it was carried out by hand"
        if not history.is_confirmed:
            yield f"first to be carried out by hand and confirmed: {', '.join(proposal.by_hand)}"
        yield self.other_in_plant(history.change)
        yield self._reason_in_plant(history)

    def _reason_in_plant(self, history: ChangeHistory) -> str:
        """Return why the plant is not any more what the change was proposed for."""
        if self.book is None or self.factory is None:
            return ""
        proposal = history.proposal
        try:
            changed = with_changes(self.factory, proposal.values, history.change)
        except FactoryError as error:
            return f"it does not fit the description of the line any more: {error}"
        product_format = proposal.product_format
        plan = plan_writes(self.factory, changed, proposal.values, product_format, self.book)
        if plan.problems:
            return plan.problems[0]
        now = {write.tag: write.value for write in plan.rollback}
        for write in proposal.rollback:
            if not is_same(now.get(write.tag), write.value):
                return (
                    f"{write.tag} had {write.value} when it was proposed and has "
                    f"{now.get(write.tag)} now; propose it again"
                )
        return ""

    def _instruction(
        self, history: ChangeHistory, identity: str, writes: tuple[TagWrite, ...]
    ) -> Instruction:
        approval = history.approval
        name = "" if approval is None else approval.actor
        expires = 0.0 if approval is None else float(approval.data["expires"])
        return Instruction(identity, writes, expires, name)

    async def _send(self, instruction: Instruction, sink: Sink, change: str) -> Receipt | None:
        """Send an instruction through the gate; None: nobody knows what became of it."""
        guarded = GuardedSink(sink, self.gate, self.clock)
        try:
            async with asyncio.timeout(_SEND_TIMEOUT):
                receipt = await guarded.send(instruction)
        except TimeoutError:
            text = f"no answer in {_SEND_TIMEOUT:g} s"
        except (ConnectorError, OSError) as error:
            text = str(error)
        else:
            if guarded.has_refused and self.find(change).status == Status.APPLYING:
                self.record.append(Kind.NOT_APPLIED, change=change, data={"reason": receipt.text})
            return receipt
        _logger.error("%s: %s: %s", change, instruction.identity, text)
        data = {"identity": instruction.identity, "text": text}
        self.record.append(Kind.NOTE, change=change, data=data)
        return None

    def _decide_to_roll_back(self, change: str, reason: str) -> None:
        with self.record.writing() as writer:
            if self.find(change).status in {Status.APPLYING, Status.WATCHED}:
                writer.append(Kind.ROLLING_BACK, change=change, data={"reason": reason})
                _logger.error("%s is rolled back: %s", change, reason)

    def _note_look(self, change: str, look: Look) -> bool:
        """Write a look down with what it decides; return whether the watch is over."""
        with self.record.writing() as writer:
            history = self.find(change)
            if history.status != Status.WATCHED:
                return True
            last = history.last_look
            if last is None or last.data["look"] < look.number:
                writer.append(Kind.OBSERVED, change=change, data=look.data)
            return self._decide(writer, change)

    def _decide(self, writer: Writer, change: str) -> bool:
        """Write down what the last look of a change decides; return whether it decides anything.

        The process that took the look may have died before it came to this.
        """
        history = self.find(change)
        last, guard = history.last_look, history.proposal.guard
        if history.status != Status.WATCHED or last is None:
            return False
        judgements = [Judgement(**each) for each in last.data["judgements"]]
        outside = [judgement.text for judgement in judgements if judgement.is_outside]
        if outside:
            reason = f"outside the prediction: {'; '.join(outside)}"
            writer.append(Kind.ROLLING_BACK, change=change, data={"reason": reason})
            _logger.error("%s is rolled back: %s", change, reason)
            return True
        if last.data["look"] < guard.looks:
            return False
        text = "; ".join(judgement.text for judgement in judgements)
        reason = f"as predicted over {guard.watch / _HOUR:g} h: {text}"
        writer.append(Kind.KEPT, change=change, data={"reason": reason})
        return True

    async def _resolve(self, change: str, read_back: ReadBack | None) -> None:
        """Find out what became of an instruction whose sender is gone."""
        with self.record.sending(patience=0.0) as is_held:
            history = self.find(change)
            if not is_held or history.status != Status.APPLYING:
                return
            proposal, applying = history.proposal, history.last(Kind.APPLYING)
            tags = [write.tag for write in proposal.writes]
            found = {} if read_back is None else await read_back(tags)
            data = dict(applying.data) if applying else {}
            data["found"] = dict(found)
            if _all_are(found, proposal.writes):
                data["text"] = "found by reading back"
                self.record.append(Kind.APPLIED, change=change, data=data)
            elif _all_are(found, proposal.rollback):
                data["reason"] = "reading back found the old values"
                self.record.append(Kind.NOT_APPLIED, change=change, data=data)
            else:
                reason = "nobody knows what the plant took of it"
                self._decide_to_roll_back(change, reason)

    async def _roll_back(self, change: str, sink: Sink) -> None:
        with self.record.sending(patience=0.0) as is_held:
            history = self.find(change)
            failed = history.count(Kind.ROLLBACK_FAILED)
            last = history.last(Kind.ROLLBACK_FAILED)
            pause = min(_FIRST_PAUSE * 2.0 ** (failed - 1), _LONGEST_PAUSE)
            is_early = last is not None and self.clock() < last.seconds + pause
            if not is_held or is_early:
                return
            if history.status not in {Status.ROLLING_BACK, Status.ROLLBACK_FAILED}:
                return
            proposal, cause = history.proposal, history.last(Kind.ROLLING_BACK)
            data = {"reason": cause.data["reason"] if cause else ""}
            if proposal.writes:
                identity = _identity(f"{change}/{ROLLBACK}", failed)
                approver = history.approval.actor if history.approval else ""
                expires = self.clock() + _ROLLBACK_TIME
                instruction = Instruction(identity, proposal.rollback, expires, approver)
                receipt = await self._send(instruction, sink, change)
                if receipt is None or not receipt.is_done:
                    text = "no answer" if receipt is None else receipt.text
                    reason = f"the old values could not be written: {text}"
                    _logger.critical("%s: %s; set the machines back by hand", change, reason)
                    data = {"identity": identity, "reason": reason}
                    self.record.append(Kind.ROLLBACK_FAILED, change=change, data=data)
                    return
                data |= {"identity": identity, "text": receipt.text}
            if proposal.by_hand and history.count(Kind.CONFIRMED):
                data["by_hand"] = list(proposal.by_hand)
                _logger.error("%s: to be undone by hand: %s", change, ", ".join(proposal.by_hand))
            data["writes"] = _as_data(proposal.rollback)
            self.record.append(Kind.ROLLED_BACK, change=change, data=data)

    def _check_patience(self, change: str) -> None:
        history = self.find(change)
        applied, guard = history.last(Kind.APPLIED), history.proposal.guard
        if applied is None or self.clock() < applied.seconds + guard.patience:
            return
        watch = self._watches.get(change)
        waits = "nobody watched it" if watch is None else watch.waits_for
        hours = guard.patience / _HOUR
        reason = f"it could not be watched to the end in {hours:g} h: {waits}"
        self._decide_to_roll_back(change, reason)

    def _check_expiry(self, change: str) -> None:
        with self.record.writing() as writer:
            history = self.find(change)
            approval = history.approval
            if history.status != Status.APPROVED or approval is None:
                return
            if float(approval.data["expires"]) <= self.clock():
                data = {"reason": "its approval was not used in time"}
                writer.append(Kind.EXPIRED, change=change, data=data)

    def _machines_of(self, station: str) -> tuple[str, ...]:
        if self.factory is None or station not in self.factory.stations:
            message = f"watch: no station '{station}'; needs the factory of the proposal."
            raise ChangeError(message)
        return machines_of(self.factory, station)


def _identity(first: str, earlier: int) -> str:
    """Return the identity of an attempt; what was not carried out may be tried under another."""
    return first if earlier == 0 else f"{first}/{earlier + 1}"


def _as_data(writes: Iterable[TagWrite]) -> dict[str, Value]:
    return {write.tag: write.value for write in writes}


def _all_are(found: Mapping[str, Value], writes: Iterable[TagWrite]) -> bool:
    return all(write.tag in found and is_same(found[write.tag], write.value) for write in writes)
