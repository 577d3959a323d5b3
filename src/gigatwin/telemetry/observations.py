"""What was seen at an element of the factory: readings once they are mapped and put in order."""

from typing import NamedTuple

from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.readings import Quality, Value
from gigatwin.telemetry.tags import Quantity


class Observation(NamedTuple):
    """The value of one quantity of one element at one moment."""

    element: str
    """Machine (``winding#1``) or buffer of the factory."""
    quantity: Quantity
    which: str
    """Name of the setting or value; empty for quantities that an element has once."""
    value: Value
    """In the unit of the model."""
    time: float
    """Clock of the source, seconds since 1970 in UTC. [s]"""
    quality: Quality = Quality.GOOD


class EventRow(NamedTuple):
    """One thing that happened, as a row of the event log."""

    time: float
    """Clock of the source, seconds since 1970 in UTC. [s]"""
    machine: str
    kind: str
    """ARRIVE, START, LOAD, LEAVE, STARVE, BLOCK, SETUP, STOP or RESUME."""
    state: MachineState
    """State of the machine after it."""
    item: int = -1
    """Serial number; -1: none."""
    format: str = ""
    detail: str = ""
    """Where an item went, the stop, or the input."""
    number: int = 0
    """Number of the tracking telegram; 0: none."""


class Taken(NamedTuple):
    """What a batch of readings gave."""

    observations: tuple[Observation, ...]
    events: tuple[EventRow, ...]
