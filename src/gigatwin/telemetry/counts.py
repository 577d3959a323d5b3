"""What was counted while readings were taken in."""

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class IntakeCounts:
    """How many readings came, and what was wrong with some."""

    readings: int = 0
    """All that came."""
    unmapped: int = 0
    """Of tags that the mapping does not know, or ignores."""
    duplicates: int = 0
    """Came for the second time; dropped."""
    late: int = 0
    """Came after a newer one of their tag; telegrams among them were put back into order."""
    bad_quality: int = 0
    """Marked bad by the source; the value was not used."""
    malformed: int = 0
    """No value, or one that the tag cannot have, or an impossible time; not used."""
    gaps: int = 0
    """Runs of tracking telegrams that never came."""
    lost_telegrams: int = 0
    """Telegrams in these gaps."""
    lost_messages: int = 0
    """Messages that the protocol knows to be missing."""
    clock_jumps: int = 0
    """Times that the clock of the source was set."""
    counter_resets: int = 0
    """Times that a counter began again, the numbers of telegrams included."""

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)
