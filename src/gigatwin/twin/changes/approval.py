"""The approval of a change: signed, for these values and this prediction, for a limited time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gigatwin.twin.changes.entry import Entry, Kind
from gigatwin.twin.changes.history import ChangeHistory
from gigatwin.twin.changes.keys import Signer, is_signed
from gigatwin.twin.changes.people import People, Right, recorded_people, unsigned_people

HOURS = 8.0
"""How long an approval holds when nothing else is said. [h]"""
_HOUR = 3600.0
_PURPOSE = {
    Kind.PROPOSED: "proposal",
    Kind.APPROVED: "approval",
    Kind.DECLINED: "refusal",
    Kind.CONFIRMED: "confirmation",
}


def signed(kind: Kind, content: dict[str, Any], by: Signer) -> dict[str, Any]:
    """Return the data of an entry with its signature."""
    return {**content, "signature": by.sign(_PURPOSE[kind], content)}


def approval_content(
    history: ChangeHistory, by: str, head: str, now: float, hours: float
) -> dict[str, Any]:
    """Return what an approver signs.

    Parameters
    ----------
    history : ChangeHistory
        The change.
    by : str
        Name of the approver.
    head : str
        Hash of the last entry of the record: all before it is approved as it stands.
    now : float
        Wall time. [s]
    hours : float
        How long the approval holds. [h]
    """
    return {
        "change": history.change,
        "digest": history.digest,
        "head": head,
        "by": by,
        "is_own": by == history.proposal.proposer,
        "expires": now + hours * _HOUR,
    }


def reason_against_approving(history: ChangeHistory, people: People, by: Signer, now: float) -> str:
    """Return why a person may not approve or decline a change; empty: he may."""
    proposal = history.proposal
    person = people.all().get(by.name)
    reason = people.reason_against(by.name, Right.APPROVE, now, proposal.stations, proposal.speeds)
    if reason or person is None:
        return reason
    if person.public_key != by.public_key:
        return f"the key at hand is not that of {by.name}"
    if by.name == proposal.proposer and not person.may_approve_own:
        return f"{by.name} proposed it; another person must approve it"
    return ""


def reason_against_approval(
    history: ChangeHistory, people: People, entries: Sequence[Entry], now: float
) -> str:
    """Return why a change has no approval that holds now; empty: it has one.

    Parameters
    ----------
    history : ChangeHistory
        The change.
    people : People
        Who may approve.
    entries : sequence of Entry
        The whole record.
    now : float
        Wall time. [s]
    """
    if history.approval is None:
        return "it is not approved"
    return next(_reasons_against(history, history.approval, people, entries, now), "")


def _reasons_against(
    history: ChangeHistory, entry: Entry, people: People, entries: Sequence[Entry], now: float
) -> Iterator[str]:
    data, proposal = entry.data, history.proposal
    unsigned = reason_against_signature(entry, entries)
    if unsigned:
        yield f"its approval is forged: {unsigned}"
    if data.get("change") != history.change:
        yield f"its approval is for {data.get('change')}"
    if data.get("digest") != history.digest:
        yield "its approval is for other values or another prediction"
    places = {each.hash: each.number for each in entries}
    place = places.get(str(data.get("head")), 0)
    if not history.entries[0].number <= place < entry.number:
        yield "its approval quotes a head that is not in the record: the record was rewritten"
    expires = data.get("expires")
    if not isinstance(expires, int | float) or expires <= now:
        yield "its approval has expired"
    person = people.all().get(entry.actor)
    if entry.actor == proposal.proposer and not (person and person.may_approve_own):
        yield f"{entry.actor} proposed and approved it; another person must approve it"
    proposed = reason_against_signature(history.entries[0], entries)
    if proposed:
        yield f"its proposal is forged: {proposed}"
    yield people.reason_against(entry.actor, Right.APPROVE, now, proposal.stations, proposal.speeds)


def reason_against_signature(entry: Entry, entries: Sequence[Entry]) -> str:
    """Return why an entry is not signed by who it says; empty: it is, or needs no signature."""
    before = (each for each in entries if each.number < entry.number)
    return _reason_against_signature(entry, recorded_people(before))


def _reason_against_signature(entry: Entry, people: Mapping[str, Mapping[str, Any]]) -> str:
    purpose = next((text for kind, text in _PURPOSE.items() if kind == entry.kind), None)
    if purpose is None:
        return ""
    person = people.get(entry.actor)
    if person is None:
        return f"{entry.actor} was not among the people"
    content = dict(entry.data)
    signature = content.pop("signature", None)
    proposal = content.get("proposal")
    named = proposal.get("proposer") if isinstance(proposal, Mapping) else content.get("by")
    key = str(person.get("public_key", ""))
    if named != entry.actor or not is_signed(key, signature, purpose, content):
        return f"the signature under entry {entry.number} is not that of {entry.actor}"
    return ""


def unsigned_entries(entries: Sequence[Entry]) -> list[tuple[Entry, str]]:
    """Return entries whose signature is missing or wrong, and approvals of another record."""
    found = unsigned_people(entries)
    hashes = {entry.hash: entry.number for entry in entries}
    people: dict[str, dict[str, Any]] = {}
    for entry in entries:
        people |= recorded_people([entry])
        reason = _reason_against_signature(entry, people)
        if not reason and entry.kind == Kind.APPROVED:
            place = hashes.get(str(entry.data.get("head")), entry.number)
            if place >= entry.number:
                reason = "it quotes a head that is not in the record: what is before was rewritten"
        if reason:
            found.append((entry, reason))
    return sorted(found, key=lambda pair: pair[0].number)
