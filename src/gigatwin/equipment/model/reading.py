"""Reading a machine description from a file, from the library, or from text."""

from os import PathLike
from pathlib import Path

from gigatwin.equipment.description.machine import Machine
from gigatwin.equipment.model.build import build
from gigatwin.equipment.model.equipment_model import EquipmentModel
from gigatwin.factory import documents
from gigatwin.factory.validation import validate


def load_machine(source: str | PathLike[str], folder: Path | None = None) -> EquipmentModel:
    """Return the machine in a YAML file or in the library, ready for calculation.

    Parameters
    ----------
    source : str or PathLike
        Path of a file, or the name of a machine of the library (see `machine_names`).
    folder : Path, optional
        Folder that a relative path starts from; left out, the current one.

    Raises
    ------
    FactoryError
        With all problems of the description, or if it cannot be read.

    Examples
    --------
    >>> from gigatwin import load_machine
    >>> round(load_machine("winder").evaluate("4680").cycle_time, 4)
    5.6876
    """
    document = documents.find(source, documents.MACHINES, folder)
    return read_machine_text(document.text, document.name, document.folder)


def read_machine_text(
    text: str, file_name: str = "text", folder: Path | None = None
) -> EquipmentModel:
    """Return the machine that a YAML text describes, ready for calculation.

    Parameters
    ----------
    text : str
        The description.
    file_name : str
        Name to use in messages.
    folder : Path, optional
        Folder of the files named in it.

    Raises
    ------
    FactoryError
        With all problems of the description.
    """
    required = "with the fields name, formats and activities"
    data, findings = documents.parsed(text, file_name, required)
    machine = validate(Machine, data, findings)
    model = None if machine is None else build(machine, findings, folder)
    findings.raise_if_any()
    if model is None:  # pragma: no cover
        message = "a description without problems must give a machine"
        raise AssertionError(message)
    return model


def machine_names() -> list[str]:
    """Return the names of the machines in the library, sorted."""
    return documents.library_names(documents.MACHINES)


def is_machine(source: str | PathLike[str]) -> bool:
    """Return whether a name or file is meant as a machine, not as a factory.

    Raises
    ------
    FactoryError
        If there is a file and it cannot be read.
    """
    name = str(source)
    if name in documents.library_names():
        return False
    if name in machine_names() and not Path(name).exists():
        return True
    found = documents.find(source)
    data, _ = documents.parsed(found.text, found.name, "that describes a factory or a machine")
    return "stations" not in data and ("activities" in data or "fmu" in data)
