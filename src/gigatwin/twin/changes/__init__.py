"""Verified change: nothing reaches the plant unless it was checked, predicted and approved.

Reads: a factory and changes to it, people and their rights, observations of the plant.
Writes: instructions for a sink, and the record of changes: append-only, chained and signed.
"""

from gigatwin.twin.changes.approval import HOURS
from gigatwin.twin.changes.carrying_out import ReadBack
from gigatwin.twin.changes.desk import ChangeDesk
from gigatwin.twin.changes.entry import Entry, Head, Kind
from gigatwin.twin.changes.errors import ChangeError, RefusedError
from gigatwin.twin.changes.gate import Gate, GuardedSink
from gigatwin.twin.changes.history import ChangeHistory, Status, histories, search
from gigatwin.twin.changes.keys import Signer, has_key, is_encrypted, load_key, make_key
from gigatwin.twin.changes.people import People, Person, Right
from gigatwin.twin.changes.prediction import (
    Baseline,
    Effect,
    Prediction,
    Predictor,
    Watched,
    predict_station,
)
from gigatwin.twin.changes.proposal import Guard, Proposal
from gigatwin.twin.changes.record import ChangeRecord
from gigatwin.twin.changes.store import ChangeStore
from gigatwin.twin.changes.verification import Flaw, Verification, verify
from gigatwin.twin.changes.watching import Look
from gigatwin.twin.changes.writes import TagBook

__all__ = [
    "HOURS",
    "Baseline",
    "ChangeDesk",
    "ChangeError",
    "ChangeHistory",
    "ChangeRecord",
    "ChangeStore",
    "Effect",
    "Entry",
    "Flaw",
    "Gate",
    "Guard",
    "GuardedSink",
    "Head",
    "Kind",
    "Look",
    "People",
    "Person",
    "Prediction",
    "Predictor",
    "Proposal",
    "ReadBack",
    "RefusedError",
    "Right",
    "Signer",
    "Status",
    "TagBook",
    "Verification",
    "Watched",
    "has_key",
    "histories",
    "is_encrypted",
    "load_key",
    "make_key",
    "predict_station",
    "search",
    "verify",
]
