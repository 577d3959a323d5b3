"""``gigatwin new``: a description to start from."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import re
from pathlib import Path
from typing import Annotated

import typer

from gigatwin.cli.failures import OptionError
from gigatwin.cli.outputs import pending_outputs

_DEFAULT = "two-machine"
_NAME = re.compile(r"^name:.*$", re.MULTILINE)


def new(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Name of the new factory and of its file."),
    ] = None,
    *,
    template: Annotated[
        str, typer.Option(metavar="T", help="Description of the library to start from.")
    ] = _DEFAULT,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="File to write; default: NAME.yaml."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    is_list: Annotated[bool, typer.Option("--list", help="List the templates and exit.")] = False,
) -> None:
    """Write a commented description to start from, a copy of one of the library."""
    if is_list:
        print_templates()
        return
    target = write_template(name, template, output, force=force)
    typer.echo(f"{target} written. Next: change its numbers, then gigatwin run {target}")


def write_template(
    name: str | None, template: str, output: Path | None, *, shelf: str = "", force: bool = False
) -> Path:
    """Write a description of the library under a new name, and return its file.

    Parameters
    ----------
    name : str or None
        The new name.
    template : str
        Description to start from.
    output : path or None
        File to write; None: the name with its ending.
    shelf : str
        Folder of the library: ``machines``, or empty for factories.
    force : bool
        Whether an existing file is replaced.

    Raises
    ------
    OptionError
        If there is no such template, or the name or the file cannot be used.
    """
    command = "machine new" if shelf else "new"
    if name is None or not re.fullmatch(r"\w[\w .-]*", name):
        found = "missing" if name is None else repr(name)
        message = (
            f"NAME: {found}; must be a name of letters, digits, '-' and '_', for example my-line; "
            f"'gigatwin {command} --list' lists the templates."
        )
        raise OptionError(message)
    target = output or Path(f"{name}.yaml")
    if target.exists() and not target.is_dir() and not force:
        message = f"{target}: exists already; must be a new file; give another name, or --force."
        raise OptionError(message)
    with pending_outputs({"--output": target}) as paths:
        description = _renamed(_template(template, shelf), template, name, target)
        _check(description, str(target), shelf)
        paths["--output"].write_text(description, encoding="utf-8")
    return target


def _check(description: str, name: str, shelf: str) -> None:
    if shelf:
        from gigatwin.equipment.model.reading import read_machine_text

        read_machine_text(description, name)
        return
    from gigatwin.factory.reading import read_text

    read_text(description, name)


def _renamed(description: str, template: str, name: str, target: Path) -> str:
    """Return a template's text under a new name, comments and all."""
    import yaml

    # In quotes where YAML would read something else: 4680, no, null.
    is_plain = re.fullmatch(r"[A-Za-z][\w-]*", name) and yaml.safe_load(name) == name
    shown = name if is_plain else f'"{name}"'
    renamed = _NAME.sub(lambda _: f"name: {shown}", description, count=1)
    # The commands in its comments are meant for the new file.
    usage = re.compile(rf"^(#.*\bgigatwin (?:machine )?\w+ ){re.escape(template)}\b", re.MULTILINE)
    return usage.sub(lambda match: f"{match[1]}{target}", renamed)


def _template(name: str, shelf: str = "") -> str:
    from gigatwin.factory.documents import library_names, template_text
    from gigatwin.factory.findings import find_similar

    names = library_names(shelf)
    if name not in names:
        similar = find_similar(name, names)
        hint = f"did you mean '{similar}'?" if similar else f"must be one of {', '.join(names)}."
        message = f"--template {name}: no such template; {hint}"
        raise OptionError(message)
    return template_text(name, shelf)


def print_templates(shelf: str = "") -> None:
    """Print the descriptions of a folder of the library, a line each."""
    from gigatwin.factory.documents import library_names
    from gigatwin.factory.nodes import parse

    names = library_names(shelf)
    width = max(map(len, names))
    for name in names:
        text = parse(_template(name, shelf)).root.plain()["description"]
        typer.echo(f"{name:{width}}  {' '.join(str(text).split())}")
