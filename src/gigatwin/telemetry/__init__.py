"""Signals of equipment, brought into the form that everything else reads.

Reads: batches of readings from a source, and the mapping from tags to elements of the factory.
Writes: observations and event records, counts of what was lost, late, repeated or bad.
"""

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
from gigatwin.telemetry.readings import Batch, Quality, Reading, Value, is_usable
from gigatwin.telemetry.tags import PACKTAGS, Quantity, Tag, TagType, quantity_of
from gigatwin.telemetry.tracking import Tracking, TrackingKind

__all__ = [
    "PACKTAGS",
    "Batch",
    "Diagnostics",
    "Face",
    "Historian",
    "Instruction",
    "Quality",
    "Quantity",
    "Reading",
    "Receipt",
    "Sink",
    "Source",
    "Tag",
    "TagType",
    "TagWrite",
    "Tracking",
    "TrackingKind",
    "Value",
    "WriteHandler",
    "is_usable",
    "quantity_of",
]
