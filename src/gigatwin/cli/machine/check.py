"""``gigatwin machine check``: may a change be made, and what would it do."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from typing import TYPE_CHECKING, Annotated

import typer

from gigatwin.cli.machine.sources import (
    Dimension,
    MachineSource,
    SettingsOption,
    in_words,
    machine_with_format,
    plain,
    settings_of,
)
from gigatwin.cli.options import AsJson
from gigatwin.errors import EquipmentError

if TYPE_CHECKING:
    from gigatwin.equipment.change_check import Effect, Verdict

NOT_ALLOWED = 1
"""Exit code of a change that may not be made."""


def check(  # noqa: PLR0913 - one parameter for each option
    file: MachineSource,
    *,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--change",
            metavar="SETTING=VALUE[,...]",
            help="The change: new values of settings, with their units; repeatable.",
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="Format to check for; repeatable; left out: all formats of the machine.",
        ),
    ] = None,
    dimensions: Dimension = None,
    settings: SettingsOption = None,
    as_json: AsJson = False,
) -> None:
    """Check a change before it reaches the machine: allowed or not allowed, because.

    Judged are the ranges of settings, limits of drives, web and tools, interlocks (two activities
    in one zone), the process window, and the formats. The effect is predicted with 95 % intervals
    from what the description says of its own uncertainty. Exit code 0: allowed; 1: not allowed.
    """
    from gigatwin.equipment.change_check import Reason, Verdict, check_change

    verdicts: list[Verdict] = []
    wanted: list[str | None] = [*formats] if formats else [None]
    for name in wanted:
        try:
            model, product_format = machine_with_format(file, name, dimensions)
        except EquipmentError as error:
            reasons = (Reason("format", str(error)),)
            verdicts.append(Verdict(file, name or "new format", "", {}, reasons, ()))
            continue
        change = settings_of(model, changes, "--change", may_leave_range=True)
        before = settings_of(model, settings, "--set")
        of_machine = [product_format] if name or dimensions else list(model.dimensions)
        verdicts += [check_change(model, each, change, before) for each in of_machine]
    if as_json:
        typer.echo(json.dumps(plain([_data(verdict) for verdict in verdicts]), indent=2))
    else:
        _print(verdicts)
    if not all(verdict.is_allowed for verdict in verdicts):
        raise typer.Exit(NOT_ALLOWED)


def _data(verdict: "Verdict") -> dict[str, object]:
    return {
        "machine": verdict.machine,
        "format": verdict.product_format,
        "evidence": verdict.evidence,
        "change [SI]": verdict.change,
        "is_allowed": verdict.is_allowed,
        "reasons": [{"kind": reason.kind, "text": reason.text} for reason in verdict.reasons],
        "effects": [
            {
                "name": effect.name,
                "unit": effect.unit,
                "before": effect.before,
                "before_95": effect.before_interval,
                "after": effect.after,
                "after_95": effect.after_interval,
                "difference": effect.difference,
                "difference_95": effect.difference_interval,
                "is_clear": effect.is_clear,
            }
            for effect in verdict.effects
        ],
    }


def _print(verdicts: "list[Verdict]") -> None:
    from gigatwin.cli.tables import console, table, text

    out = console()
    for verdict in verdicts:
        answer = "ALLOWED" if verdict.is_allowed else "NOT ALLOWED"
        because = "" if verdict.is_allowed else ", because"
        out.print(text(f"{verdict.machine}, {verdict.product_format}: {answer}{because}"))
        for reason in verdict.reasons:
            out.print(text(f"  {reason.kind}: {reason.text}"))
        if verdict.effects:
            rows = [_row(effect) for effect in verdict.effects]
            headers = ("quantity", "unit", "before", "after", "difference, 95 %", "verdict")
            out.print(table("Predicted effect", headers, rows, n_names=2))
    kinds = {verdict.evidence for verdict in verdicts if verdict.evidence}
    for evidence in kinds:
        out.print(in_words(evidence))


_UNITS = {"item/s": (60.0, "1/min"), "": (100.0, "%"), "s": (1.0, "s")}


def _row(effect: "Effect") -> tuple[str, ...]:
    scale, unit = _UNITS[effect.unit]
    low, high = (end * scale for end in effect.difference_interval)
    return (
        effect.name,
        unit,
        f"{effect.before * scale:.4g}",
        f"{effect.after * scale:.4g}",
        f"{effect.difference * scale:+.3g} ({low:+.3g} to {high:+.3g})",
        "clear" if effect.is_clear else "not clear",
    )
