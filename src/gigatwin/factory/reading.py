"""Reading a factory description from a file, a template of the library, or text."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from os import PathLike
from pathlib import Path

from gigatwin.errors import FactoryError, Problem
from gigatwin.factory.checks import add_problems
from gigatwin.factory.factory import Factory
from gigatwin.factory.findings import Findings, find_similar
from gigatwin.factory.nodes import Node, NodeError, parse
from gigatwin.factory.validation import validate

MOST_BYTES = 50_000_000
"""Limit on the size of a file."""


def load(source: str | PathLike[str]) -> Factory:
    """Return the factory in a YAML file or in a template of the library.

    Parameters
    ----------
    source : str or PathLike
        Path of a file, or the name of a template (see `library_names`).

    Raises
    ------
    FactoryError
        With all problems of the description, or if it cannot be read.
    """
    path = Path(source)
    # A template is named by a bare word; anything that looks like a path is one.
    name = str(source)
    if path.name == name and not path.suffix and not path.exists():
        return read_text(_template_text(name), f"library/{name}.yaml")
    try:
        if path.is_dir():
            raise _unreadable(name, "a folder", "must be a file")
        if path.exists() and not path.is_file():
            raise _unreadable(name, "not a regular file", "must be a YAML file")
        if path.exists() and path.stat().st_size > MOST_BYTES:
            found = f"{path.stat().st_size / 1e6:.0f} MB"
            raise _unreadable(name, found, f"must be at most {MOST_BYTES / 1e6:.0f} MB")
        data = path.read_bytes()
    except FactoryError:
        raise
    except FileNotFoundError:
        hint = f"must exist; templates are: {', '.join(library_names())}"
        raise _unreadable(name, "no such file", hint) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _unreadable(name, reason.lower(), "must be a readable file") from None
    return read_text(_decoded(data, name), name)


def read_text(text: str, file_name: str = "text") -> Factory:
    """Return the factory that a YAML text describes.

    Parameters
    ----------
    text : str
        The description.
    file_name : str
        Name to use in messages.

    Raises
    ------
    FactoryError
        With all problems of the description.
    """
    if len(text) > MOST_BYTES:
        found = f"{len(text) / 1e6:.0f} MB"
        raise _unreadable(file_name, found, f"must be at most {MOST_BYTES / 1e6:.0f} MB")
    try:
        document = parse(text)
    except NodeError as error:
        raise _at_line(file_name, error) from None
    findings = Findings(file_name, document.root)
    for problem in document.problems:
        findings.problems.append(
            Problem(file_name, problem.line, "", "", problem.found, problem.required)
        )
    _refuse_other_shapes(document.root, findings)
    factory = validate(document.root.plain(), findings)
    if factory is not None:
        add_problems(factory, findings)
    findings.raise_if_any()
    if factory is None:  # pragma: no cover
        message = "a description without problems must give a factory"
        raise AssertionError(message)
    return factory


def library_names() -> list[str]:
    """Return the names of the templates, sorted."""
    folder = _library()
    if not folder.is_dir():
        return []
    names = (entry.name for entry in folder.iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def _library() -> Traversable:
    return files("gigatwin").joinpath("library")


def _template_text(name: str) -> str:
    names = library_names()
    if name in names:
        return _library().joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    similar = find_similar(name, names)
    hint = f"did you mean '{similar}'?" if similar else f"templates are: {', '.join(names)}"
    raise _unreadable(name, "neither a file nor a template", hint)


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
        raise _unreadable(file_name, "a binary file", "must be a text file in UTF-8")
    return text


def _refuse_other_shapes(root: Node, findings: Findings) -> None:
    if not isinstance(root.value, dict):
        found = "a list" if isinstance(root.value, list) else "only text"
        if root.value is None:
            found = "an empty file"
        required = "must be a mapping with the fields name and stations"
        findings.problems.append(Problem(findings.file, root.line, "", "", found, required))
        findings.raise_if_any()


def _unreadable(file: str, found: str, required: str) -> FactoryError:
    return FactoryError([Problem(file, None, "", "", found, required)])


def _at_line(file: str, error: NodeError) -> FactoryError:
    return FactoryError([Problem(file, error.line, "", "", error.found, error.required)])
