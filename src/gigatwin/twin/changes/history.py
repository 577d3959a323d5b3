"""The way of each change so far, read from the record alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gigatwin.twin.changes.canonical import canonical, digest
from gigatwin.twin.changes.entry import Entry, Kind
from gigatwin.twin.changes.errors import ChangeError
from gigatwin.twin.changes.prediction import Prediction
from gigatwin.twin.changes.proposal import Proposal


class Status(StrEnum):
    """Where a change stands."""

    NOT_ALLOWED = "not allowed"
    """A check speaks against it."""
    PROPOSED = "proposed"
    """It waits for its approval."""
    DECLINED = "declined"
    APPROVED = "approved"
    """It waits to be applied."""
    EXPIRED = "expired"
    """Its approval ran out; it can be approved again."""
    APPLYING = "applying"
    """Its values are being sent, or were when the process died."""
    WATCHED = "watched"
    """It is in force, and compared with the prediction."""
    KEPT = "kept"
    ROLLING_BACK = "rolling back"
    """The old values are to be written."""
    ROLLBACK_FAILED = "rollback failed"
    """The plant did not take the old values; it will be tried again."""
    UNDO_BY_HAND = "undo by hand"
    """What was done by hand is to be undone by hand."""
    ROLLED_BACK = "rolled back"

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        return self not in _CLOSED

    @property
    def is_in_plant(self) -> bool:
        """Whether the plant may have the new values, and nobody decided that they stay."""
        return self in _IN_PLANT


_CLOSED = {Status.NOT_ALLOWED, Status.DECLINED, Status.KEPT, Status.ROLLED_BACK}
_IN_PLANT = {
    Status.APPLYING,
    Status.WATCHED,
    Status.ROLLING_BACK,
    Status.ROLLBACK_FAILED,
    Status.UNDO_BY_HAND,
}
_AFTER = {
    Kind.DECLINED: Status.DECLINED,
    Kind.APPROVED: Status.APPROVED,
    Kind.EXPIRED: Status.EXPIRED,
    Kind.APPLYING: Status.APPLYING,
    Kind.NOT_APPLIED: Status.APPROVED,
    Kind.APPLIED: Status.WATCHED,
    Kind.KEPT: Status.KEPT,
    Kind.ROLLING_BACK: Status.ROLLING_BACK,
    Kind.ROLLBACK_FAILED: Status.ROLLBACK_FAILED,
}


@dataclass
class ChangeHistory:
    """A change with all its entries."""

    change: str
    """Identity."""
    proposal: Proposal
    """What was proposed."""
    status: Status = Status.PROPOSED
    """Where it stands."""
    prediction: Prediction | None = None
    """What it is predicted to do."""
    checks: tuple[Mapping[str, Any], ...] = ()
    """What the checks said."""
    entries: list[Entry] = field(default_factory=list)
    """Every entry about it, in order."""

    def last(self, kind: Kind) -> Entry | None:
        """Return the newest entry of a kind."""
        return next((entry for entry in reversed(self.entries) if entry.kind == kind), None)

    def count(self, kind: Kind) -> int:
        """Return the number of entries of a kind."""
        return sum(entry.kind == kind for entry in self.entries)

    @property
    def approval(self) -> Entry | None:
        """The approval in force."""
        return self.last(Kind.APPROVED)

    @property
    def last_look(self) -> Entry | None:
        """The newest look since the change was applied."""
        last, applied = self.last(Kind.OBSERVED), self.last(Kind.APPLIED)
        return last if last and applied and last.number > applied.number else None

    @property
    def digest(self) -> str:
        """Digest of all that is approved: the proposal, its checks and its prediction."""
        kinds = (Kind.PROPOSED, Kind.CHECKED, Kind.PREDICTED)
        subject = [entry and entry.data for entry in map(self.last, kinds)]
        return digest(subject)

    @property
    def is_confirmed(self) -> bool:
        """Whether what has to be done by hand was done since the approval."""
        entries = [e for e in self.entries if e.kind in {Kind.APPROVED, Kind.CONFIRMED}]
        return not self.proposal.by_hand or bool(entries and entries[-1].kind == Kind.CONFIRMED)

    @property
    def outcome(self) -> str:
        """What became of it, in a sentence."""
        for kind in (Kind.KEPT, Kind.ROLLBACK_FAILED, Kind.ROLLED_BACK, Kind.ROLLING_BACK):
            entry = self.last(kind)
            if entry is not None and entry.data.get("reason"):
                return str(entry.data["reason"])
        if self.status == Status.NOT_ALLOWED:
            return "; ".join(str(c["text"]) for c in self.checks if not c["is_allowed"])
        entry = self.entries[-1]
        return str(entry.data.get("reason") or entry.data.get("text") or "")

    @property
    def people(self) -> set[str]:
        """Everybody who had to do with it."""
        return {self.proposal.proposer} | {entry.actor for entry in self.entries} - {"gigatwin"}

    def add(self, entry: Entry) -> None:
        """Go on with the next entry about this change."""
        self.entries.append(entry)
        kind = entry.kind
        if kind == Kind.CHECKED:
            self.checks = tuple(entry.data["checks"])
            if not all(check["is_allowed"] for check in self.checks):
                self.status = Status.NOT_ALLOWED
        elif kind == Kind.PREDICTED:
            self.prediction = Prediction.from_data(entry.data)
        elif kind == Kind.ROLLED_BACK:
            undo = bool(entry.data.get("by_hand"))
            self.status = Status.UNDO_BY_HAND if undo else Status.ROLLED_BACK
        elif kind == Kind.CONFIRMED and self.status == Status.UNDO_BY_HAND:
            self.status = Status.ROLLED_BACK
        else:
            self.status = next((s for k, s in _AFTER.items() if k == kind), self.status)


def histories(entries: Iterable[Entry]) -> dict[str, ChangeHistory]:
    """Return every change in a record, the oldest first.

    Raises
    ------
    ChangeError
        If an entry does not have what its kind needs.
    """
    found: dict[str, ChangeHistory] = {}
    for entry in entries:
        if not entry.change:
            continue
        try:
            if entry.kind == Kind.PROPOSED and entry.change not in found:
                proposal = Proposal.from_data(entry.data["proposal"])
                found[entry.change] = ChangeHistory(entry.change, proposal)
            history = found.get(entry.change)
            if history is not None:
                history.add(entry)
        except (KeyError, TypeError) as error:
            message = f"record entry {entry.number} ({entry.kind}): {error!r} is missing or wrong."
            raise ChangeError(message) from None
    return found


def search(
    found: Iterable[ChangeHistory],
    *,
    text: str | None = None,
    station: str | None = None,
    person: str | None = None,
    outcome: str | None = None,
) -> list[ChangeHistory]:
    """Return the changes that fit every condition.

    Parameters
    ----------
    found : iterable of ChangeHistory
        Where to look.
    text : str, optional
        Stands anywhere in the entries of the change; capitals do not matter.
    station : str, optional
        Station that is changed or watched.
    person : str, optional
        Somebody who had to do with it.
    outcome : str, optional
        Where it stands: ``kept``, ``rolled back``, ...
    """
    wanted = None if text is None else text.casefold()
    status = None if outcome is None else outcome.replace("_", " ").casefold()
    return [
        history
        for history in found
        if (wanted is None or wanted in _text_of(history))
        and (station is None or station in _stations_of(history))
        and (person is None or person in history.people)
        and (status is None or history.status.value == status)
    ]


def _text_of(history: ChangeHistory) -> str:
    lines = [f"{history.change} {history.proposal.what} {history.status} {history.outcome}"]
    for entry in history.entries:
        # As people write it, not with the escapes of the file.
        lines += [entry.actor, *_words(entry.data)]
    return "\n".join(lines).casefold()


_NOT_WORDS = {"signature", "digest", "head", "public_key", "covariance"}


def _words(data: object) -> Iterable[str]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key not in _NOT_WORDS:
                yield str(key)
                yield from _words(value)
    elif isinstance(data, list):
        for value in data:
            yield from _words(value)
    else:
        yield data if isinstance(data, str) else canonical(data)


def _stations_of(history: ChangeHistory) -> set[str]:
    watched = {each.station for each in history.prediction.watched} if history.prediction else set()
    return {*history.proposal.stations, *history.proposal.guard.stations, *watched}
