"""One entry of the record of changes, as a line of its file, and the head of such a file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from gigatwin.twin.changes.canonical import canonical, digest

BEGINNING = "0" * 64
"""What the first entry has in place of the hash before it."""


class Kind(StrEnum):
    """What an entry says."""

    PERSON = "person"
    """Somebody was added, or his rights were changed or ended."""
    PROPOSED = "proposed"
    CHECKED = "checked"
    PREDICTED = "predicted"
    APPROVED = "approved"
    DECLINED = "declined"
    """A person with the right to approve said no."""
    REFUSED = "refused"
    """Somebody tried what he may not, or not now."""
    CONFIRMED = "confirmed"
    """What has no tag was carried out by hand."""
    APPLYING = "applying"
    """The instruction is about to be sent."""
    APPLIED = "applied"
    NOT_APPLIED = "not_applied"
    """The other side took nothing of it."""
    OBSERVED = "observed"
    KEPT = "kept"
    ROLLING_BACK = "rolling_back"
    """The old values are to be written."""
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"
    EXPIRED = "expired"
    """The approval ran out before it was used."""
    REPAIRED = "repaired"
    """Bytes that are no entry were put aside, or acknowledged ones are gone."""
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Entry:
    """One step, as it stands in the record."""

    number: int
    """From 1, without gaps."""
    time: str
    """This side's clock, ISO 8601 in UTC."""
    kind: str
    """One of `Kind`."""
    change: str
    """Identity of the change; empty where it concerns none."""
    actor: str
    """Who did it: a person, or ``gigatwin``."""
    data: Mapping[str, Any]
    """What belongs to the kind."""
    previous: str
    """Hash of the entry before it."""
    hash: str
    """SHA-256 of all this but the hash."""

    @property
    def seconds(self) -> float:
        """Its time [s] since 1970 in UTC."""
        return datetime.fromisoformat(self.time).timestamp()

    @property
    def content(self) -> dict[str, Any]:
        """What the hash is of."""
        return {
            "number": self.number,
            "time": self.time,
            "kind": self.kind,
            "change": self.change,
            "actor": self.actor,
            "data": self.data,
            "previous": self.previous,
        }

    @property
    def line(self) -> bytes:
        """The entry as it stands in the file."""
        return canonical({**self.content, "hash": self.hash}).encode("ascii") + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> "Entry | None":
        """Return the entry in a line, None where it is none."""
        try:
            found = json.loads(line)
            # Numbers beyond all bounds can be read, but not written.
            canonical(found)
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict) or found.keys() != _FIELDS:
            return None
        entry = cls(**found)
        texts = (entry.time, entry.kind, entry.change, entry.actor, entry.previous, entry.hash)
        is_usable = (
            type(entry.number) is int
            and all(isinstance(text, str) for text in texts)
            and isinstance(entry.data, dict)
            and _is_time(entry.time)
        )
        return entry if is_usable else None


_FIELDS = frozenset(Entry.__slots__)


class Head(NamedTuple):
    """Up to where a record is acknowledged."""

    number: int = 0
    """Entries, so that it is the number of the last one."""
    hash: str = BEGINNING
    """Hash of the last one."""
    size: int = 0
    """Bytes of the file."""

    @property
    def text(self) -> str:
        """What a person writes down."""
        return f"{self.number}:{self.hash}"


def following(line: bytes, head: Head) -> Entry | None:
    """Return the entry in a line if it is whole and follows a head."""
    entry = Entry.parse(line)
    if entry is None or entry.line.rstrip(b"\n") != line.rstrip(b"\n"):
        return None
    follows = entry.number == head.number + 1 and entry.previous == head.hash
    return entry if follows and entry.hash == digest(entry.content) else None


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
