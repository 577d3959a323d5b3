"""Signals of equipment, brought into the form that everything else reads.

Reads: batches of readings from a source, and the mapping from tags to elements of the factory.
Writes: observations and event records, counts of what was lost, late, repeated or bad.
"""

from gigatwin.telemetry.counts import IntakeCounts
from gigatwin.telemetry.elements import Elements
from gigatwin.telemetry.event_table import event_table_of
from gigatwin.telemetry.intake import Intake
from gigatwin.telemetry.mapping import (
    TagMapping,
    TagMeaning,
    confirm_mapping,
    read_mapping,
    write_mapping,
)
from gigatwin.telemetry.mapping_check import MappingCheck, check
from gigatwin.telemetry.observations import EventRow, Observation, Taken
from gigatwin.telemetry.ports import (
    Diagnostics,
    Face,
    Historian,
    Instruction,
    Receipt,
    Sink,
    Source,
    TagWrite,
    WriteHandler,
)
from gigatwin.telemetry.proposal import propose
from gigatwin.telemetry.readings import Batch, Quality, Reading, Value, is_usable
from gigatwin.telemetry.staleness import TagAge
from gigatwin.telemetry.tags import PACKTAGS, Quantity, Tag, TagType, quantity_of
from gigatwin.telemetry.tracking import Tracking, TrackingKind

__all__ = [
    "PACKTAGS",
    "Batch",
    "Diagnostics",
    "Elements",
    "EventRow",
    "Face",
    "Historian",
    "Instruction",
    "Intake",
    "IntakeCounts",
    "MappingCheck",
    "Observation",
    "Quality",
    "Quantity",
    "Reading",
    "Receipt",
    "Sink",
    "Source",
    "Tag",
    "TagAge",
    "TagMapping",
    "TagMeaning",
    "TagType",
    "TagWrite",
    "Taken",
    "Tracking",
    "TrackingKind",
    "Value",
    "WriteHandler",
    "check",
    "confirm_mapping",
    "event_table_of",
    "is_usable",
    "propose",
    "quantity_of",
    "read_mapping",
    "write_mapping",
]
