"""The table: what was measured beside its target, for the terminal and for a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BEGIN = "<!-- begin of the table that `just bench --markdown` writes -->"
END = "<!-- end of the table -->"
_HEADER = ("What", "Target", "Measured", "Met", "Details")


@dataclass(frozen=True)
class Row:
    """One number and its target."""

    what: str
    measured: str
    target: str = "-"
    is_met: bool | None = None
    """None: there is no target, or it could not be measured."""
    details: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the row, in the order of the columns."""
        met = "-" if self.is_met is None else ("yes" if self.is_met else "NO")
        return (self.what, self.target, self.measured, met, self.details)


def at_least(what: str, value: float, target: float, unit: str, details: str = "") -> Row:
    """Return the row of a number that should be large."""
    text = f"{value:.3g} {unit}"
    return Row(what, text, f">= {target:g} {unit}", value >= target, details)


def at_most(what: str, value: float, target: float, unit: str, details: str = "") -> Row:
    """Return the row of a number that should be small."""
    text = f"{value:.3g} {unit}"
    return Row(what, text, f"<= {target:g} {unit}", value <= target, details)


def as_text(rows: Sequence[Row]) -> str:
    """Return the table for a terminal."""
    table = [_HEADER, *(row.cells() for row in rows)]
    widths = [max(len(line[k]) for line in table) for k in range(len(_HEADER))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def as_markdown(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """Return the table and the notes on the machine for a page."""
    table = [_HEADER, ("---",) * len(_HEADER), *(row.cells() for row in rows)]
    lines = ["| " + " | ".join(cells) + " |" for cells in table]
    return "\n".join([*lines, "", *(f"- {note}" for note in notes)])


def write_into(page: Path, text: str) -> None:
    """Put a text between the two marks of a page, in place of what stands there.

    Raises
    ------
    ValueError
        If the page does not have both marks once, in their order.
    """
    old = page.read_text(encoding="utf-8")
    head, begin, rest = old.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        message = f"{page}: the marks of the table are missing; must contain '{BEGIN}' and '{END}'."
        raise ValueError(message)
    page.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", encoding="utf-8")
