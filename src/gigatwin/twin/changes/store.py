"""Where changes are kept: the record and the people of one plant, and what stands there."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from gigatwin.twin.changes.approval import unsigned_entries
from gigatwin.twin.changes.entry import Kind
from gigatwin.twin.changes.errors import ChangeError, RefusedError
from gigatwin.twin.changes.gate import Gate
from gigatwin.twin.changes.history import ChangeHistory, Status, histories
from gigatwin.twin.changes.keys import Signer
from gigatwin.twin.changes.people import People, Right
from gigatwin.twin.changes.record import ChangeRecord, Writer
from gigatwin.twin.changes.verification import Flaw, Verification, verify

FOLDER = "changes"
"""Folder of the record within a store."""


class ChangeStore:
    """The record of changes of one plant, and its people.

    Parameters
    ----------
    store : Path
        Folder of the twin; the record is kept in ``changes`` below it, people in ``people.yaml``.
    clock : callable
        Wall time, seconds since 1970. [s]
    """

    def __init__(self, store: Path, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.clock = clock
        self.record = ChangeRecord(store / FOLDER / "record.jsonl", clock)
        self.people = People(store / "people.yaml", self.record)
        self.gate = Gate(self.record, self.people)
        self._folded: tuple[object, dict[str, ChangeHistory]] = (None, {})

    def changes(self) -> dict[str, ChangeHistory]:
        """Return every change, the oldest first."""
        version = self.record.version
        if self._folded[0] != version:
            self._folded = (version, histories(self.record.entries()))
        return dict(self._folded[1])

    def find(self, name: str) -> ChangeHistory:
        """Return a change by its identity or the part of it before the hyphen.

        Raises
        ------
        ChangeError
            If there is none.
        """
        found = self.changes()
        fitting = [each for each in found if name in {each, each.partition("-")[0]}]
        if len(fitting) != 1:
            known = ", ".join(list(found)[-5:]) or "none so far"
            message = f"change {name!r}; must be one of the record ({known})."
            raise ChangeError(message)
        return found[fitting[0]]

    def verify(self, anchor: str | None = None) -> tuple[Verification, list[Flaw]]:
        """Return whether the record is as it was written, and the signatures that do not hold.

        Parameters
        ----------
        anchor : str, optional
            A head that was written down earlier.
        """
        entries = self.record.entries()
        wrong = [Flaw(entry.number, reason) for entry, reason in unsigned_entries(entries)]
        return verify(self.record, anchor), wrong

    def refuse(  # noqa: PLR0913 - keyword arguments
        self,
        what: str,
        change: str,
        actor: str,
        reason: str,
        *,
        writer: Writer | None = None,
        subject: str = "",
    ) -> NoReturn:
        """Write down that a step was refused, and raise.

        Raises
        ------
        RefusedError
            Always.
        """
        data = {"what": what, "reason": reason, **({"change": subject} if subject else {})}
        append = self.record.append if writer is None else writer.append
        append(Kind.REFUSED, change=change, actor=actor, data=data)
        message = f"{what} {change}: refused, {reason}."
        raise RefusedError(message)

    def reason_against_key(self, by: Signer) -> str:
        """Return why a private key is not that of the person; empty: it is."""
        person = self.people.all().get(by.name)
        if person is None:
            return f"{by.name} is not among the people of {self.people.path.name}"
        return "" if person.public_key == by.public_key else f"the key is not that of {by.name}"

    def reason_against_person(
        self, by: Signer, right: Right, stations: tuple[str, ...] = ()
    ) -> str:
        """Return why a person has not some right now, or not this key; empty: both are there."""
        reason = self.people.reason_against(by.name, right, self.clock(), stations)
        return reason or self.reason_against_key(by)

    def other_in_plant(self, change: str) -> str:
        """Return why a change must wait for another one; empty: it need not.

        Two changes at once could not be told apart, and the later one might be rolled back to
        values of the earlier.
        """
        for other, history in self.changes().items():
            if other != change and history.status.is_in_plant:
                return f"{other} is {history.status}; one change at a time"
        return ""

    def later_on_same_tags(self, change: str) -> str:
        """Return why old values are not to be written any more; empty: they may.

        A later change of the same tags began from the values of this one.
        """
        found = self.changes()
        tags = {write.tag for write in found[change].proposal.writes}
        for other in list(found)[list(found).index(change) + 1 :]:
            history = found[other]
            is_there = history.status == Status.KEPT or history.status.is_in_plant
            if is_there and tags & {write.tag for write in history.proposal.writes}:
                return f"{other} changed the same tags after it; propose the old values anew"
        return ""


TO_APPROVE = frozenset({Status.PROPOSED, Status.EXPIRED, Status.APPROVED})
"""Where a change can be approved, or approved once more."""
