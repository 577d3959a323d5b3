"""``gigatwin machine show``: the cycle of a machine, and what sets it."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

import json
from typing import TYPE_CHECKING, Any

import typer

from gigatwin.cli.machine.sources import (
    Dimension,
    MachineSource,
    ProductFormat,
    SettingsOption,
    machine_with_format,
    plain,
    settings_of,
)
from gigatwin.cli.options import REPORT_ENDINGS, AsJson, Report
from gigatwin.cli.outputs import pending_outputs

if TYPE_CHECKING:
    from gigatwin.equipment.model.equipment_model import EquipmentModel


def show(  # noqa: PLR0913 - one parameter for each option
    file: MachineSource,
    *,
    product_format: ProductFormat = None,
    dimensions: Dimension = None,
    settings: SettingsOption = None,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Show a machine's cycle: what takes how long, which chain sets the pace, what comes next.

    The chart has a bar for each activity, '#' where it belongs to the critical circuit. Slack is
    the time by which an activity could take longer without a longer cycle.
    """
    with pending_outputs({"--report": report}, [file], {"--report": REPORT_ENDINGS}) as paths:
        model, wanted = machine_with_format(file, product_format, dimensions)
        given = settings_of(model, settings, "--set")
        model.check_format(wanted)
        if report is not None:
            from gigatwin.app.machine.report import write_machine_report

            write_machine_report(paths["--report"], model, wanted, given)
    if as_json:
        typer.echo(json.dumps(plain(as_data(model, wanted, given)), indent=2))
        return
    from gigatwin.cli.machine.show_tables import print_machine

    print_machine(model, wanted, given)
    if report is not None:
        typer.echo(f"report written to {report}")


def as_data(model: "EquipmentModel", product_format: str, given: dict[str, float]) -> Any:  # noqa: ANN401 - plain data
    """Return what is shown as plain data, in SI units."""
    from dataclasses import asdict

    from gigatwin.equipment.limits import limit_uses
    from gigatwin.equipment.motion_energy import energy_per_item
    from gigatwin.equipment.schedule import schedule
    from gigatwin.equipment.sensitivity import cycle_time_by_activity, sensitivities

    evaluation = model.evaluate(product_format, given)
    data: dict[str, Any] = {
        "machine": model.machine.name,
        "evidence": model.machine.evidence,
        "format": product_format,
        "settings [SI]": model.defaults(product_format) | given,
        "items_per_cycle": model.machine.items_per_cycle,
        "cycle_time [s]": evaluation.cycle_time,
        "gross_rate [item/s]": evaluation.gross_rate,
        "net_rate [item/s]": evaluation.net_rate,
        "good_rate [item/s]": evaluation.good_rate,
        "scrap_ratio": evaluation.scrap,
        "availability": evaluation.availability,
        "energy_per_item [J]": energy_per_item(evaluation),
        "limits": [
            {
                "name": use.name,
                "value": use.value[0],
                "limit": use.limit[0],
                "unit": use.unit,
                "is_least": use.is_least,
                "holds": bool(use.holds[0]),
                "because": use.because,
            }
            for use in limit_uses(evaluation)
        ],
    }
    if not model.activities:
        return data
    found = schedule(evaluation)
    by_activity = cycle_time_by_activity(model, product_format, given)
    data["activities"] = [
        {
            "name": name,
            "start [s]": found.starts[name],
            "duration [s]": found.durations[name],
            "slack [s]": found.slack[name],
            "cycle_time_by_duration": by_activity[name],
        }
        for name in found.durations
    ]
    data["critical_circuit"] = [model.activities[arc.tail].name for arc in found.circuit]
    data["critical_tokens"] = found.tokens
    data["sensitivities [SI]"] = [asdict(s) for s in sensitivities(model, product_format, given)]
    return data
