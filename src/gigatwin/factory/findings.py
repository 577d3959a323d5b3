"""Collecting what is wrong with a description, with the place of each problem."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from gigatwin.errors import FactoryError, Problem
from gigatwin.factory.nodes import Node

Path = tuple[str | int, ...]
"""Keys and list positions from the root to an element."""

_MOST_SHOWN = 60
_MOST_COMPARED = 500
_MOST_SUGGESTIONS = 200
_MOST_LISTED = 20


def show(value: object) -> str:
    """Return what was found, short enough for a message."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    text = str(value) if isinstance(value, str) and value.strip() else repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def find_similar(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that somebody who typed another one may have meant."""
    wanted = name.lower()
    names = {candidate.lower(): candidate for candidate in known}
    if len(names) > _MOST_COMPARED:
        near = [low for low in names if low[:2] == wanted[:2] and abs(len(low) - len(wanted)) <= 2]  # noqa: PLR2004 - two letters
        names = {low: names[low] for low in near[:_MOST_COMPARED]}
    matches = get_close_matches(wanted, names, n=1)
    return names[matches[0]] if matches else None


@dataclass
class Findings:
    """The problems found so far in one description."""

    file: str
    """File, or a word for where the description came from."""
    root: Node | None = None
    """What was read, to look up lines; None when there was no file."""
    problems: list[Problem] = field(default_factory=list)
    """The problems, in the order found."""

    def add(self, path: Path, found: str, required: str, *, is_element: bool = False) -> None:
        """Add a problem with a field, or with an element as a whole."""
        line = None if self.root is None else self.root.find_line(path)
        split = len(path) if is_element else len(path) - 1
        name = str(path[-1]) if path and not is_element else ""
        if path and isinstance(path[-1], int) and not is_element:
            name = f"[{path[-1]}]"
        element = _dotted(path[: max(split, 0)])
        problem = Problem(self.file, line, element, name, found, required)
        if problem not in self.problems[-3:]:
            self.problems.append(problem)

    def add_unknown(self, path: Path, name: str, known: Collection[str], what: str) -> None:
        """Add a name that does not exist, with the one that may have been meant."""
        self.add(path, show(name), f"must be {what}; {self.suggest(name, known)}")

    def suggest(self, name: str, known: Collection[str]) -> str:
        """Return the name that may have been meant, or all there are."""
        if not known:
            return "there are none"
        if len(self.problems) > _MOST_SUGGESTIONS:
            return f"{len(known)} are known"
        similar = find_similar(name, known)
        if similar is not None:
            return f"did you mean '{similar}'?"
        names = sorted(known)
        return f"known: {', '.join(names[:_MOST_LISTED])}{', ...' * (len(names) > _MOST_LISTED)}"

    def raise_if_any(self) -> None:
        """Raise all problems together, in the order of the file.

        Raises
        ------
        FactoryError
            If there are problems.
        """
        if self.problems:
            raise FactoryError(sorted(self.problems, key=lambda problem: problem.line or 0))


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
