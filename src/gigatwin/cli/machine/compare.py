"""``gigatwin machine compare``: machines, or settings of one, side by side."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from typing import TYPE_CHECKING, Annotated

import typer

from gigatwin.cli.changes import split_scenario
from gigatwin.cli.failures import OptionError
from gigatwin.cli.machine.sources import MachineSource, ProductFormat, in_words, plain
from gigatwin.cli.options import AsJson

if TYPE_CHECKING:
    from gigatwin.equipment.machine_comparison import Candidate
    from gigatwin.equipment.model.equipment_model import EquipmentModel


def compare(
    file: MachineSource,
    *,
    scenarios: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            metavar="NAME:WHAT",
            help="NAME:setting=value[,...] changes settings, NAME:FILE is another machine; "
            "repeatable.",
        ),
    ] = None,
    product_format: ProductFormat = None,
    as_json: AsJson = False,
) -> None:
    """Compare machines, or settings of one: cycle, rate, scrap, energy, and what sets the pace.

    Differences carry 95 % intervals from what the descriptions say of their own uncertainty;
    scenarios of one machine share it.
    """
    from gigatwin.equipment.machine_comparison import compare_machines
    from gigatwin.equipment.model.reading import load_machine
    from gigatwin.equipment.station_machines import read_settings
    from gigatwin.factory.findings import Findings

    model = load_machine(file)
    wanted = product_format or next(iter(model.dimensions))
    others: dict[str, tuple[EquipmentModel, dict[str, float]]] = {}
    for given in scenarios or []:
        name, what = split_scenario(given)
        if name in others or name == model.machine.name or what is None:
            found = "given twice" if what is not None else "names nothing to change"
            message = f"--scenario {name}: {found}; must be NAME:setting=value or NAME:FILE."
            raise OptionError(message)
        if isinstance(what, str):
            others[name] = (load_machine(what), {})
            continue
        findings = Findings(f"--scenario {name}")
        others[name] = (model, read_settings(model, what, findings))
        findings.raise_if_any()
    if not others:
        message = (
            f"{file}: nothing to compare with; give a --scenario such as "
            f"faster:{next(iter(model.settings), 'setting')}=VALUE."
        )
        raise OptionError(message)
    candidates = compare_machines(model, wanted, others)
    if as_json:
        typer.echo(json.dumps(plain([candidate.as_data() for candidate in candidates]), indent=2))
        return
    _print(candidates, wanted)


def _print(candidates: "list[Candidate]", product_format: str) -> None:
    from gigatwin.cli.machine.numbers import per_minute, percent, seconds, signed
    from gigatwin.cli.tables import console, table, text

    out = console()
    rows = []
    for candidate in candidates:
        low, high = candidate.gain_interval
        gain = f"{signed(candidate.gain)} ({signed(low)} to {signed(high)})"
        rows.append(
            (
                candidate.name,
                seconds(candidate.cycle_time),
                per_minute(candidate.good_rate),
                gain if candidate.is_scenario else "",
                percent(candidate.scrap),
                percent(candidate.availability),
                f"{candidate.energy_per_item / 3600:.3g}",
                " -> ".join(candidate.critical),
                "kept" if not candidate.broken else f"BROKEN: {', '.join(candidate.broken)}",
            )
        )
    headers = (
        "machine", "cycle", "good items [1/min]", "difference, 95 % [%]", "scrap [%]",
        "available [%]", "energy [Wh/item]", "critical", "limits",
    )  # fmt: skip
    out.print(table(f"{candidates[0].name}, {product_format}", headers, rows))
    for evidence in dict.fromkeys(candidate.evidence for candidate in candidates):
        out.print(text(in_words(evidence)))
