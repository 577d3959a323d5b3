"""``gigatwin schema``: the JSON Schema of a description, for editors."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from pathlib import Path
from typing import Annotated

import typer

from gigatwin.cli.outputs import pending_outputs


def schema(
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="File to write instead of printing."),
    ] = None,
) -> None:
    """Print the JSON Schema of a description, with which an editor completes and checks."""
    with pending_outputs({"--output": output}) as paths:
        from gigatwin.factory.schema import json_schema

        text = json.dumps(json_schema(), indent=2)
        if output is not None:
            paths["--output"].write_text(f"{text}\n", encoding="utf-8")
    typer.echo(text if output is None else f"schema written to {output}")
