"""The tags of a machine, by the names that PackML gives them, and what they are to the twin."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class TagType(StrEnum):
    """What values a tag holds."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    REAL = "real"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag as its source describes it."""

    name: str
    """``element/tag``, unique at its source: ``winding_1/Status.StateCurrent``."""
    type: TagType
    """What values it holds."""
    unit: str = ""
    """Unit of its values; empty where they have none."""
    description: str = ""
    """What it is, in words."""
    is_writable: bool = False
    """Whether the source lets it be written."""

    @property
    def element(self) -> str:
        """What the tag belongs to, as the source calls it."""
        return self.name.partition("/")[0]

    @property
    def label(self) -> str:
        """Name of the tag within its element."""
        return self.name.partition("/")[2]


class Quantity(StrEnum):
    """What a tag means to the twin."""

    STATE = "state"
    """PackML state, by number."""
    MODE = "mode"
    """PackML mode, by number."""
    SPEED = "speed"
    """Actual speed; with its factor in the mapping, the ``speed`` of a station."""
    SPEED_SET_POINT = "speed_set_point"
    """Speed asked for."""
    BLOCKED = "blocked"
    """Whether the machine waits for room behind it."""
    STARVED = "starved"
    """Whether the machine waits for items."""
    PROCESSED = "processed"
    """Items that the machine is done with since the counter was 0."""
    DEFECTIVE = "defective"
    """Items that it spoiled or sorted out since the counter was 0."""
    STOP_REASON = "stop_reason"
    """Name of the stop that it is in; empty: none."""
    FORMAT = "format"
    """Format that it is set up for."""
    TRACKING = "tracking"
    """Telegram on the way of items (`gigatwin.telemetry.tracking`)."""
    LEVEL = "level"
    """Items in a buffer."""
    COMMAND = "command"
    """PackML command, written by number."""
    SPEED_COMMAND = "speed_command"
    """Speed, to be written."""
    MODE_COMMAND = "mode_command"
    """PackML mode, to be written."""
    FORMAT_COMMAND = "format_command"
    """Format to change over to, to be written."""
    SETTING = "setting"
    """A setting of the machine, to be read and written; the mapping says which."""
    VALUE = "value"
    """Any other measured value; kept, and watched for staleness."""


PACKTAGS: Mapping[Quantity, str] = MappingProxyType(
    {
        Quantity.STATE: "Status.StateCurrent",
        Quantity.MODE: "Status.UnitModeCurrent",
        Quantity.SPEED: "Status.CurMachSpeed",
        Quantity.SPEED_SET_POINT: "Status.MachSpeed",
        Quantity.BLOCKED: "Status.EquipmentInterlock.Blocked",
        Quantity.STARVED: "Status.EquipmentInterlock.Starved",
        Quantity.PROCESSED: "Admin.ProdProcessedCount",
        Quantity.DEFECTIVE: "Admin.ProdDefectiveCount",
        Quantity.STOP_REASON: "Admin.StopReason",
        Quantity.FORMAT: "Status.Format",
        Quantity.TRACKING: "Status.Tracking",
        Quantity.LEVEL: "Status.Level",
        Quantity.COMMAND: "Command.CntrlCmd",
        Quantity.SPEED_COMMAND: "Command.MachSpeed",
        Quantity.MODE_COMMAND: "Command.UnitMode",
        Quantity.FORMAT_COMMAND: "Command.Format",
    }
)
"""Label of the tag for each quantity (PackTags; Format, Tracking and Level are our own). A setting
is ``Command.Setting.<name>``, any other value ``Status.Value.<name>``."""
SETTING_PREFIX = "Command.Setting."
"""How the label of a setting begins."""
VALUE_PREFIX = "Status.Value."
"""How the label of any other value begins."""
WRITTEN = frozenset(
    {
        Quantity.COMMAND,
        Quantity.SPEED_COMMAND,
        Quantity.MODE_COMMAND,
        Quantity.FORMAT_COMMAND,
        Quantity.SETTING,
    }
)
"""Quantities that are written."""


def quantity_of(label: str) -> tuple[Quantity, str] | None:
    """Return what the label of a tag means by PackML's names, and which setting or value it is.

    The second part is empty for quantities that a machine has once; None: the label is unknown.
    """
    for quantity, known in PACKTAGS.items():
        if known == label:
            return quantity, ""
    if label.startswith(SETTING_PREFIX):
        return Quantity.SETTING, label.removeprefix(SETTING_PREFIX)
    if label.startswith(VALUE_PREFIX):
        return Quantity.VALUE, label.removeprefix(VALUE_PREFIX)
    return None
