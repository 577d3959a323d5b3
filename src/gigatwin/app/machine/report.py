"""The report on one machine: one HTML file with everything in it."""

from collections.abc import Mapping
from pathlib import Path

from gigatwin.app.machine.evaluated import Evaluated
from gigatwin.app.machine.headline import cards, cautions, finding, source
from gigatwin.app.machine.ranges import levers, ranges
from gigatwin.app.machine.sections import machine_sections
from gigatwin.app.report import page_html, write_page
from gigatwin.equipment.model.equipment_model import EquipmentModel


def machine_report_html(
    model: EquipmentModel, product_format: str, settings: Mapping[str, float] | None = None
) -> str:
    """Return the report as the text of an HTML page that needs nothing else.

    Parameters
    ----------
    model : EquipmentModel
        The machine.
    product_format : str
        What is made.
    settings : mapping, optional
        Settings that differ from those as delivered. [SI]

    Raises
    ------
    EquipmentError
        If the machine is not set up for the format, or its FMU cannot be run.
    """
    shown = Evaluated(model, product_format, dict(settings or {}))
    along = ranges(shown)
    found = levers(shown, along)
    return page_html(
        "machine report",
        model.machine.name,
        source(shown),
        top=cautions(shown) + cards(shown) + finding(shown, found),
        parts=machine_sections(shown, along, found),
        reading="machine/reading.html",
    )


def write_machine_report(
    path: str | Path,
    model: EquipmentModel,
    product_format: str,
    settings: Mapping[str, float] | None = None,
) -> None:
    """Write the report on a machine as one HTML file that opens without a network.

    The file appears when it is complete; a failure leaves what was there before.

    Parameters
    ----------
    path : str or path
        File to write, about 5 MB.
    model : EquipmentModel
        The machine.
    product_format : str
        What is made.
    settings : mapping, optional
        Settings that differ from those as delivered. [SI]

    Raises
    ------
    EquipmentError
        If the machine is not set up for the format, or its FMU cannot be run.
    OSError
        If the file cannot be written.
    """
    write_page(path, machine_report_html(model, product_format, settings))
