"""``gigatwin schema``: the JSON Schema of a description, for editors."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from gigatwin.cli.outputs import pending_outputs


def schema(
    *,
    kind: Annotated[
        Literal["factory", "machine"],
        typer.Option("--of", metavar="WHAT", help="What is described: a factory or a machine."),
    ] = "factory",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="File to write instead of printing."),
    ] = None,
) -> None:
    """Print the JSON Schema of a description, with which an editor completes and checks."""
    with pending_outputs({"--output": output}) as paths:
        from gigatwin.equipment.description.machine import Machine
        from gigatwin.factory.factory import Factory
        from gigatwin.factory.schema import json_schema

        described = Machine if kind == "machine" else Factory
        text = json.dumps(json_schema(described), indent=2)
        if output is not None:
            paths["--output"].write_text(f"{text}\n", encoding="utf-8")
    typer.echo(text if output is None else f"schema written to {output}")
