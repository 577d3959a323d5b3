"""Whether a record of changes is as it was written."""

from dataclasses import dataclass

from gigatwin.twin.changes.canonical import digest
from gigatwin.twin.changes.entry import BEGINNING, Entry, Head, following
from gigatwin.twin.changes.errors import ChangeError
from gigatwin.twin.changes.record import ChangeRecord

_MOST_LOOKS = 20
_N_PARTS = 2


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something in a record that is not as it was written."""

    number: int
    """Entry at which it shows; where an entry cannot be read, its line."""
    text: str
    """What is wrong."""

    def __str__(self) -> str:
        """Return it in one sentence."""
        return f"entry {self.number}: {self.text}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look at a whole record found."""

    n_entries: int
    """Entries that can be read."""
    head: Head
    """The present end of the record."""
    flaws: tuple[Flaw, ...]
    """What is not as it was written, by place; empty: nothing."""
    n_unfinished: int = 0
    """Bytes after the last entry that a process left when it died; they were never
    acknowledged, and the next entry puts them aside."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing was changed, removed, added or moved."""
        return not self.flaws

    @property
    def first(self) -> Flaw | None:
        """The first flaw."""
        return self.flaws[0] if self.flaws else None


def verify(record: ChangeRecord, anchor: str | None = None) -> Verification:
    """Return whether a record is as it was written.

    Parameters
    ----------
    record : ChangeRecord
        The record; nothing is written, and others may append meanwhile.
    anchor : str, optional
        A head that was written down earlier, ``12:5f3c...``: entry 12 must still have this hash.

    Raises
    ------
    ChangeError
        If the record cannot be read, or the anchor is malformed.
    """
    wanted = _read_anchor(anchor)
    content, head = _consistent(record)
    flaws: list[Flaw] = []
    hashes: dict[int, str] = {}
    last, size = Head(), 0
    while head is None or last.number < head.number:
        end_of_line = content.find(b"\n", size)
        if end_of_line < 0:
            break
        line, size = content[size:end_of_line], end_of_line + 1
        entry = Entry.parse(line)
        if entry is None or entry.hash != digest(entry.content):
            text = "its line is no entry" if entry is None else "it was changed"
            flaws.append(Flaw(last.number + 1, text))
            last = Head(last.number + 1, "", 0)
            continue
        flaws += _flaws_of(entry, line, last)
        if entry.number > last.number:
            last = Head(entry.number, entry.hash, 0)
        hashes.setdefault(entry.number, entry.hash)
    tail = content[size:]
    if head is not None:
        if tail and last.number < head.number:
            flaws.append(Flaw(last.number + 1, "its line has no end, or was changed"))
        flaws += _flaws_of_end(head, size, last)
    elif content:
        flaws.append(Flaw(last.number, "the head is missing, so that its end cannot be known"))
    n_after, tail, last = _after(tail, last)
    hashes |= n_after
    if b"\n" in tail:
        flaws.append(Flaw(last.number + 1, "it was added behind the head and does not follow it"))
    if wanted is not None and hashes.get(wanted.number) != wanted.hash:
        found = hashes.get(wanted.number, "missing")
        flaws.append(Flaw(wanted.number, f"it is {found}; must be {wanted.hash}, as written down"))
    end = Head(last.number, last.hash, len(content) - len(tail))
    flaws.sort(key=lambda flaw: flaw.number)
    return Verification(len(hashes), end, tuple(flaws), len(tail))


def _flaws_of(entry: Entry, line: bytes, last: Head) -> list[Flaw]:
    """Return what is wrong with an entry after the one before it."""
    number, expected = entry.number, last.number + 1
    if entry.line != line + b"\n":
        return [Flaw(number, "it is not written as it was")]
    if number > expected:
        which = str(expected) if number == expected + 1 else f"{expected} to {number - 1}"
        return [Flaw(expected, f"removed; entry {number} follows on {last.number} ({which} gone)")]
    if number < expected:
        return [Flaw(number, f"moved or repeated; it stands behind entry {last.number}")]
    # Behind a line that is no entry nobody knows what came before.
    if last.hash and entry.previous != (last.hash if last.number else BEGINNING):
        return [Flaw(last.number, f"it was changed with its hash; entry {number} knows another")]
    return []


def _flaws_of_end(head: Head, size: int, last: Head) -> list[Flaw]:
    if last.number < head.number:
        text = f"the end is missing: {head.number} entries were acknowledged"
        return [Flaw(last.number + 1, text)]
    if (last.number, last.hash or head.hash) != (head.number, head.hash):
        return [Flaw(last.number, f"the end was rewritten; its hash must be {head.hash}")]
    if size != head.size:
        return [Flaw(last.number, f"it ends at byte {size}; must end at {head.size}")]
    return []


def _after(tail: bytes, last: Head) -> tuple[dict[int, str], bytes, Head]:
    """Return the entries behind the head that follow it, and what remains."""
    found: dict[int, str] = {}
    while tail:
        line, end, rest = tail.partition(b"\n")
        entry = following(line, last)
        if entry is None:
            break
        found[entry.number] = entry.hash
        last, tail = Head(entry.number, entry.hash, 0), rest if end else b""
    return found, tail, last


def _consistent(record: ChangeRecord) -> tuple[bytes, Head | None]:
    """Return content and head of the same moment, while others may write."""
    for _ in range(_MOST_LOOKS):
        head = record.head()
        content = record.path.read_bytes() if record.path.exists() else b""
        if record.head() == head:
            return content, head
    with record.writing():
        return record.path.read_bytes(), record.head()


def _read_anchor(text: str | None) -> Head | None:
    if text is None:
        return None
    parts = text.strip().split(":")
    if len(parts) != _N_PARTS or not parts[0].isdecimal() or len(parts[1]) != len(BEGINNING):
        message = f"anchor {text!r}; must be number:hash, as 'changes verify' prints it."
        raise ChangeError(message)
    return Head(int(parts[0]), parts[1], 0)
