"""``gigatwin connect``: what equipment offers, and what it is in the factory."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gigatwin.cli.failures import OptionError
from gigatwin.cli.options import AsJson
from gigatwin.cli.outputs import pending_outputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gigatwin.telemetry.mapping import TagMapping
    from gigatwin.telemetry.tags import Tag

_SHOWN = 40
_SURE = "1.00"
SourceUrl = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help="opc.tcp://host:4840, mqtt://broker/group/node, mqtts://..., or file:///log.csv",
    ),
]


def browse(
    url: SourceUrl,
    *,
    line: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Propose what the tags are in this factory (file or library)."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="MAPPING.yaml",
            help="Write the proposed mapping; needs --line.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the tags that equipment offers, and propose what they are in a factory.

    The proposal says of every line how sure it is and why. Read it, mend it, and write your name
    behind confirmed_by: nothing follows a plant by a mapping that nobody has confirmed.
    """
    if output is not None and line is None:
        message = f"--output {output}: no factory to map to; give one with --line."
        raise OptionError(message)
    with pending_outputs({"--output": output}, [], {"--output": (".yaml", ".yml")}) as paths:
        from gigatwin.app.browsing import browse_tags, propose_mapping

        tags = browse_tags(url)
        mapping = None if line is None else propose_mapping(url, tags, line)
        if output is not None and mapping is not None:
            from gigatwin.telemetry.mapping import write_mapping

            write_mapping(mapping, paths["--output"])
    if as_json:
        typer.echo(json.dumps(_data(tags, mapping), indent=2))
        return
    _print(tags, mapping, output)


def _data(tags: "Sequence[Tag]", mapping: "TagMapping | None") -> dict[str, object]:
    data: dict[str, object] = {
        "tags": [
            {
                "name": tag.name,
                "type": tag.type.value,
                "unit": tag.unit,
                "is_writable": tag.is_writable,
                "description": tag.description,
            }
            for tag in tags
        ]
    }
    if mapping is not None:
        data["mapping"] = mapping.model_dump(mode="json")
        data["comments"] = dict(mapping.comments)
    return data


def _print(tags: "Sequence[Tag]", mapping: "TagMapping | None", output: Path | None) -> None:
    from gigatwin.cli.tables import console, table

    out = console()
    if mapping is None:
        rows = [
            (t.name, t.type.value, t.unit, "yes" if t.is_writable else "", t.description)
            for t in tags[:_SHOWN]
        ]
        headers = ("tag", "type", "unit", "writable", "what it is")
        out.print(table(f"{len(tags)} tags", headers, rows, n_names=5))
    else:
        meanings = [
            (name, meaning.element, meaning.quantity.value, mapping.comments.get(name, ""))
            for name, meaning in list(mapping.tags.items())[:_SHOWN]
        ]
        columns = ("tag", "element", "quantity", "how sure, and why")
        title = f"{len(mapping.tags)} of {len(tags)} tags are known to the factory"
        out.print(table(title, columns, meanings, n_names=4))
    if len(tags) > _SHOWN:
        out.print(f"... the first {_SHOWN}; --json has all.")
    if output is not None:
        out.print(f"mapping written to {output}; check it and write your name behind confirmed_by")


def confirm(
    mapping: Annotated[Path, typer.Argument(metavar="MAPPING.yaml", help="A proposed mapping.")],
    *,
    line: Annotated[
        str,
        typer.Option(metavar="FILE", help="The factory it is for.", show_default=False),
    ],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who has read it.", show_default=False)],
) -> None:
    """Check a mapping against a factory, say what it will not see, and sign it with a name."""
    if not by.strip():
        message = "--by: empty; must be the name of who has read the mapping."
        raise OptionError(message)
    from gigatwin.app.browsing import check_mapping
    from gigatwin.telemetry.mapping import confirm_mapping, read_mapping

    found = read_mapping(mapping)
    for warning in check_mapping(found, line):
        typer.echo(f"not seen: {warning}")
    unsure = sum(1 for text in found.comments.values() if text[:4] < _SURE and text[:1].isdigit())
    confirm_mapping(mapping, by)
    typer.echo(f"{mapping}: {len(found.tags)} tags confirmed by {by.strip()}")
    if unsure:
        typer.echo(f"{unsure} of them were proposed with less than certainty; see the comments")
