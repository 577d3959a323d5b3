"""What the virtual plant calls its machines and buffers, and where their tags are."""

from gigatwin.errors import CompileError
from gigatwin.telemetry.tags import PACKTAGS, Quantity

BUFFER_SUFFIX = "_buffer"
"""Added to the name of a station or input for the device that counts the items in front of it."""


def machine_names(station: str, n_machines: int) -> tuple[str, ...]:
    """Return the names of a station's machines, as in the compiled factory.

    Examples
    --------
    >>> machine_names("winding", 2)
    ('winding#1', 'winding#2')
    """
    if n_machines == 1:
        return (station,)
    return tuple(f"{station}#{number + 1}" for number in range(n_machines))


def machine_element(machine: str) -> str:
    """Return the name of a machine's device.

    Examples
    --------
    >>> machine_element("winding#1")
    'winding_1'
    """
    return machine.replace("#", "_")


def buffer_element(buffer: str) -> str:
    """Return the name of the device that counts the items in a buffer.

    Examples
    --------
    >>> buffer_element("packing.lid")
    'packing_lid_buffer'
    """
    return buffer.replace(".", "_") + BUFFER_SUFFIX


def tag_name(element: str, quantity: Quantity) -> str:
    """Return the name of the tag of a quantity that a device has once."""
    return f"{element}/{PACKTAGS[quantity]}"


class MachineTags:
    """The names of a machine's tags, as attributes, because they are needed all the time."""

    __slots__ = (
        "blocked",
        "command",
        "defective",
        "format",
        "format_command",
        "mode",
        "mode_command",
        "processed",
        "speed",
        "speed_command",
        "speed_set_point",
        "starved",
        "state",
        "stop_reason",
        "tracking",
    )

    def __init__(self, element: str) -> None:
        """Name the tags of a device."""
        self.blocked = tag_name(element, Quantity.BLOCKED)
        self.command = tag_name(element, Quantity.COMMAND)
        self.defective = tag_name(element, Quantity.DEFECTIVE)
        self.format = tag_name(element, Quantity.FORMAT)
        self.format_command = tag_name(element, Quantity.FORMAT_COMMAND)
        self.mode = tag_name(element, Quantity.MODE)
        self.mode_command = tag_name(element, Quantity.MODE_COMMAND)
        self.processed = tag_name(element, Quantity.PROCESSED)
        self.speed = tag_name(element, Quantity.SPEED)
        self.speed_command = tag_name(element, Quantity.SPEED_COMMAND)
        self.speed_set_point = tag_name(element, Quantity.SPEED_SET_POINT)
        self.starved = tag_name(element, Quantity.STARVED)
        self.state = tag_name(element, Quantity.STATE)
        self.stop_reason = tag_name(element, Quantity.STOP_REASON)
        self.tracking = tag_name(element, Quantity.TRACKING)


def check_unique(elements: list[str]) -> None:
    """Raise if two devices would have one name.

    Raises
    ------
    CompileError
        With the name.
    """
    seen: set[str] = set()
    for element in elements:
        if element in seen:
            message = (
                f"{element}: two machines or buffers would be devices of this name in the virtual "
                "plant; devices need different names. Rename a station."
            )
            raise CompileError(message)
        seen.add(element)
