"""Machines and lines as they are named on the command line, and their settings."""
# ruff: noqa: PLC0415 - heavy libraries are imported inside the command that needs them

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gigatwin.cli.changes import read_changes, split_parts
from gigatwin.cli.failures import OptionError

if TYPE_CHECKING:
    from gigatwin.equipment.line import MachineGroup
    from gigatwin.equipment.model.equipment_model import EquipmentModel
    from gigatwin.factory.factory import Factory

MachineSource = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="A machine description (YAML), or a machine of the library."
    ),
]
LineSource = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="A machine description, or a factory whose stations name some with 'cycle'; a file "
        "(YAML) or a name of the library.",
    ),
]
ProductFormat = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="NAME", help="What is made; left out: the first format of the machine."
    ),
]
Dimension = Annotated[
    list[str] | None,
    typer.Option(
        "--dimension",
        metavar="NAME=VALUE",
        help="Dimension of a format that the machine does not list, such as height='110 mm'; "
        "repeatable.",
    ),
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SETTING=VALUE",
        help="Give a setting another value than its default, with its unit; repeatable.",
    ),
]


def machine_with_format(
    file: str, product_format: str | None, dimensions: Sequence[str] | None
) -> "tuple[EquipmentModel, str]":
    """Return a machine, and the format that is meant.

    Raises
    ------
    FactoryError
        If the machine cannot be read.
    EquipmentError
        If the machine cannot be set up for the dimensions.
    OptionError
        If an option is malformed.
    """
    from gigatwin.equipment.description.formulas import FormulaError, read_measure
    from gigatwin.equipment.model.reading import load_machine

    model = load_machine(file)
    wanted = product_format or next(iter(model.dimensions))
    if not dimensions:
        return model, wanted
    if wanted in model.dimensions and product_format is not None:
        message = (
            f"--dimension: {wanted} is a format of {model.machine.name} with its own dimensions; "
            "give the new format another name with --format."
        )
        raise OptionError(message)
    wanted = product_format or "new"
    first = next(iter(model.dimensions.values()))
    found: dict[str, float] = dict(first)
    for name, value in read_changes(dimensions, "--dimension").items():
        if name not in first:
            message = f"--dimension {name}: must be one of {', '.join(first)}."
            raise OptionError(message)
        try:
            given = read_measure(value)
            usual = read_measure(next(iter(model.machine.formats.values()))[name])
        except FormulaError as error:
            message = f"--dimension {name}: {error.found}; {error.required}."
            raise OptionError(message) from None
        if given.dimensionality != usual.dimensionality:
            message = (
                f"--dimension {name}: {value}; must have a unit, as the formats of the machine."
            )
            raise OptionError(message)
        found[name] = float(given.magnitude)
    return model.with_format(wanted, found), wanted


def settings_of(
    model: "EquipmentModel",
    texts: Sequence[str] | None,
    option: str,
    *,
    may_leave_range: bool = False,
) -> dict[str, float]:
    """Return settings in SI units from texts such as ``vf=0.35 m/s,v=2 m/s``.

    Raises
    ------
    FactoryError
        With all settings that the machine does not have or take.
    OptionError
        If a text is malformed.
    """
    from gigatwin.equipment.station_machines import read_settings
    from gigatwin.factory.findings import Findings

    parts = [part for text in texts or [] for part in split_parts(text)]
    findings = Findings(f"{option} of {model.machine.name}")
    found = read_settings(
        model, read_changes(parts, option), findings, may_leave_range=may_leave_range
    )
    findings.raise_if_any()
    return found


def read_groups(file: str) -> "tuple[str, list[MachineGroup], Factory | None]":
    """Return the machines of a line, or a machine as a line of its own.

    Returns
    -------
    name, groups, factory
        The factory is None for a machine.

    Raises
    ------
    FactoryError
        If neither can be read.
    """
    from gigatwin.equipment.line import groups_of, single
    from gigatwin.equipment.model.reading import is_machine, load_machine
    from gigatwin.factory.reading import load

    if is_machine(file):
        model = load_machine(file)
        return model.machine.name, single(model), None
    factory = load(file)
    return factory.name, groups_of(factory), factory


def in_words(evidence: str) -> str:
    """Return a sentence on where a machine's numbers come from."""
    return {
        "synthetic": "The numbers of this machine are SYNTHETIC: made up to be plausible.",
        "vendor": "The numbers of this machine are its maker's.",
        "measured": "The numbers of this machine were measured.",
    }[evidence]


def plain(value: Any) -> Any:  # noqa: ANN401 - any value
    """Return a value with NumPy's numbers as Python's, for JSON."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value
