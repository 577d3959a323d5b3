"""The tags of the virtual plant, as it describes them itself."""

from collections.abc import Iterator

from gigatwin.plant.commands import setting_limits, speed_limits
from gigatwin.plant.line import Line
from gigatwin.plant.machine import Machine
from gigatwin.plant.names import buffer_element, tag_name
from gigatwin.plant.values import value_kind
from gigatwin.telemetry.tags import SETTING_PREFIX, VALUE_PREFIX, WRITTEN, Quantity, Tag, TagType

RATE_UNIT = "items/min"
_DESCRIBED = {
    Quantity.STATE: (TagType.INTEGER, "", "PackML state by number"),
    Quantity.MODE: (TagType.INTEGER, "", "PackML mode by number"),
    Quantity.SPEED: (TagType.REAL, RATE_UNIT, "Actual speed, 0 while the drives stand"),
    Quantity.SPEED_SET_POINT: (TagType.REAL, RATE_UNIT, "Speed asked for"),
    Quantity.BLOCKED: (TagType.BOOLEAN, "", "Waits for room behind it"),
    Quantity.STARVED: (TagType.BOOLEAN, "", "Waits for items"),
    Quantity.PROCESSED: (TagType.INTEGER, "items", "Items that left the machine since the start"),
    Quantity.DEFECTIVE: (TagType.INTEGER, "items", "Items sorted out as scrap since the start"),
    Quantity.STOP_REASON: (TagType.TEXT, "", "Stop that it is in"),
    Quantity.FORMAT: (TagType.TEXT, "", "Format that it is set up for"),
    Quantity.TRACKING: (TagType.TEXT, "", "number|kind|item|format|detail"),
    Quantity.COMMAND: (TagType.INTEGER, "", "PackML command by number"),
    Quantity.SPEED_COMMAND: (TagType.REAL, RATE_UNIT, "Speed to run at"),
    Quantity.MODE_COMMAND: (TagType.INTEGER, "", "PackML mode to go to"),
    Quantity.FORMAT_COMMAND: (TagType.TEXT, "", "Format to change over to"),
}


def plant_tags(line: Line, n_values: int) -> tuple[Tag, ...]:
    """Return all tags of a line.

    Parameters
    ----------
    line : Line
        The line.
    n_values : int
        Measured values of each machine.
    """
    tags: list[Tag] = []
    for machine in line.machines.values():
        tags.extend(_machine_tags(machine, line.layout.formats, n_values))
    for name, buffer in line.buffers.items():
        capacity = buffer.capacity
        places = "without limit" if capacity == float("inf") else f"of {capacity:g} places"
        text = f"Items in {buffer_element(name)} {places}"
        tags.append(Tag(buffer.level_tag, TagType.INTEGER, "items", text))
    return tuple(tags)


def _machine_tags(m: Machine, formats: tuple[str, ...], n_values: int) -> Iterator[Tag]:
    for quantity, (kind, unit, text) in _DESCRIBED.items():
        shown = text
        if quantity is Quantity.SPEED_COMMAND and m.nominal_rate > 0:
            low, high = speed_limits(m)
            shown = f"{text}, from {low:g} to {high:g}"
        elif quantity is Quantity.FORMAT_COMMAND:
            shown = f"{text}: {', '.join(formats)}"
        yield Tag(tag_name(m.element, quantity), kind, unit, shown, is_writable=quantity in WRITTEN)
    for name, unit in setting_units(m).items():
        low, high, steps = setting_limits(m, name)
        text = f"Setting {name}, from {low:g} to {high:g}"
        if steps:
            text = f"Setting {name}, one of {', '.join(f'{step:g}' for step in steps)}"
        tag = f"{m.element}/{SETTING_PREFIX}{name}"
        yield Tag(tag, TagType.REAL, unit, text, is_writable=True)
    for number in range(n_values):
        name, unit = value_kind(number)
        yield Tag(f"{m.element}/{VALUE_PREFIX}{name}", TagType.REAL, unit, f"Measured {name}")


def setting_units(m: Machine) -> dict[str, str]:
    """Return the settings of a machine and their units; those of its description come first."""
    units = {name: setting.unit for name, setting in m.station.settings.items()}
    for name, setting in m.truth.settings.items():
        units.setdefault(name, setting.unit)
    return units


def setting_values(m: Machine) -> dict[str, float]:
    """Return the settings of a machine as they are now, each in its unit."""
    values = {name: setting.initial for name, setting in m.station.settings.items()}
    for name, value in m.settings.items():
        values.setdefault(name, value)
    return {**values, **m.changed}
