"""Text of a description: from a file or from the library, parsed into plain data."""

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from os import PathLike
from pathlib import Path
from typing import Any

from gigatwin.errors import FactoryError, Problem
from gigatwin.factory.findings import Findings, find_similar
from gigatwin.factory.nodes import MOST_ENTRIES, NodeError, parse

MOST_BYTES = 50_000_000
"""Limit on the size of a file."""

MACHINES = "machines"
"""Folder of the library with machines."""


@dataclass(frozen=True)
class Document:
    """The text of a description, and where it comes from."""

    text: str
    """What stands in it."""
    name: str
    """Name to use in messages."""
    folder: Path | None
    """Folder that relative paths in it start from; None for one of the library."""


def find(source: str | PathLike[str], shelf: str = "", folder: Path | None = None) -> Document:
    """Return the text in a file or in a template of the library.

    Parameters
    ----------
    source : str or PathLike
        Path of a file, or the bare name of a template (see `library_names`).
    shelf : str
        Folder of the library: ``machines``, or empty for factories.
    folder : Path, optional
        Folder that a relative path starts from; left out, the current one.

    Raises
    ------
    FactoryError
        If it cannot be read.
    """
    path = Path(source)
    # A template is named by a bare word; anything that looks like a path is one.
    name = str(source)
    if path.name == name and not path.suffix and not (folder or Path()).joinpath(path).exists():
        return Document(template_text(name, shelf), f"library/{_on(shelf, name)}.yaml", None)
    if folder is not None:
        path = folder / path
        name = str(path)
    try:
        if path.is_dir():
            raise unreadable(name, "a folder", "must be a file")
        if path.exists() and not path.is_file():
            raise unreadable(name, "not a regular file", "must be a YAML file")
        if path.exists() and path.stat().st_size > MOST_BYTES:
            found = f"{path.stat().st_size / 1e6:.0f} MB"
            raise unreadable(name, found, f"must be at most {MOST_BYTES / 1e6:.0f} MB")
        data = path.read_bytes()
    except FactoryError:
        raise
    except FileNotFoundError:
        hint = f"must exist; templates are: {', '.join(library_names(shelf))}"
        raise unreadable(name, "no such file", hint) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise unreadable(name, reason.lower(), "must be a readable file") from None
    return Document(_decoded(data, name), name, path.parent)


def parsed(
    text: str, file_name: str, required: str, most_entries: int = MOST_ENTRIES
) -> tuple[Any, Findings]:
    """Return the plain data of a YAML text, and findings that know its lines.

    Parameters
    ----------
    text : str
        The text.
    file_name : str
        Name to use in messages.
    required : str
        What a mapping must have at least, for the message about a text that is none.
    most_entries : int
        Limit on the entries of one mapping.

    Raises
    ------
    FactoryError
        If it is no YAML mapping.
    """
    if len(text) > MOST_BYTES:
        found = f"{len(text) / 1e6:.0f} MB"
        raise unreadable(file_name, found, f"must be at most {MOST_BYTES / 1e6:.0f} MB")
    try:
        document = parse(text, most_entries)
    except NodeError as error:
        raise FactoryError(
            [Problem(file_name, error.line, "", "", error.found, error.required)]
        ) from None
    findings = Findings(file_name, document.root)
    for problem in document.problems:
        findings.problems.append(
            Problem(file_name, problem.line, "", "", problem.found, problem.required)
        )
    root = document.root
    if not isinstance(root.value, dict):
        found = "a list" if isinstance(root.value, list) else "only text"
        if root.value is None:
            found = "an empty file"
        needed = f"must be a mapping {required}"
        findings.problems.append(Problem(file_name, root.line, "", "", found, needed))
        findings.raise_if_any()
    return root.plain(), findings


def library_names(shelf: str = "") -> list[str]:
    """Return the names of the templates in a folder of the library, sorted."""
    folder = _library(shelf)
    if not folder.is_dir():
        return []
    names = (entry.name for entry in folder.iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def unreadable(file: str, found: str, required: str) -> FactoryError:
    """Return the error about a file as a whole."""
    return FactoryError([Problem(file, None, "", "", found, required)])


def _on(shelf: str, name: str) -> str:
    return f"{shelf}/{name}" if shelf else name


def _library(shelf: str) -> Traversable:
    folder = files("gigatwin").joinpath("library")
    return folder.joinpath(shelf) if shelf else folder


def template_text(name: str, shelf: str = "") -> str:
    """Return the text of a template of the library.

    Raises
    ------
    FactoryError
        If there is none of this name.
    """
    names = library_names(shelf)
    if name in names:
        return _library(shelf).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    similar = find_similar(name, names)
    hint = f"did you mean '{similar}'?" if similar else f"templates are: {', '.join(names)}"
    other = "" if shelf else MACHINES
    if name in library_names(other):
        what = "a machine, not a factory" if other else "a factory, not a machine"
        raise unreadable(name, what, hint)
    raise unreadable(name, "neither a file nor a template", hint)


def _decoded(data: bytes, file_name: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        required = "must be a text file in UTF-8"
        raise FactoryError(
            [Problem(file_name, line, "", "", "bytes that are not text", required)]
        ) from None
    if "\0" in text:
        raise unreadable(file_name, "a binary file", "must be a text file in UTF-8")
    return text
