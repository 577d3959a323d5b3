"""``gigatwin machine new``: a machine description to start from."""

from pathlib import Path
from typing import Annotated

import typer

from gigatwin.cli.new import print_templates, write_template

_SHELF = "machines"
_DEFAULT = "machine-template"


def new(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Name of the new machine and of its file."),
    ] = None,
    *,
    template: Annotated[
        str, typer.Option(metavar="T", help="Machine of the library to start from.")
    ] = _DEFAULT,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="File to write; default: NAME.yaml."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    is_list: Annotated[
        bool, typer.Option("--list", help="List the machines of the library and exit.")
    ] = False,
) -> None:
    """Write a commented machine description to start from, a copy of one of the library."""
    if is_list:
        print_templates(_SHELF)
        return
    target = write_template(name, template, output, shelf=_SHELF, force=force)
    typer.echo(f"{target} written. Next: change its numbers, then gigatwin machine show {target}")
