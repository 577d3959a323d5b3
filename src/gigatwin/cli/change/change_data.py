"""A change as JSON."""

from typing import Any

from gigatwin.twin.changes import ChangeHistory, Entry
from gigatwin.twin.changes.canonical import plain


def data_of(history: ChangeHistory) -> dict[str, Any]:
    """Return a change with all its entries as plain data."""
    prediction = history.prediction
    found: dict[str, Any] = plain({
        "change": history.change,
        "status": history.status.value,
        "outcome": history.outcome,
        "proposal": history.proposal.data,
        "checks": list(history.checks),
        "prediction": None if prediction is None else prediction.data,
        "entries": [entry_data(entry) for entry in history.entries],
    })  # fmt: skip
    return found


def entry_data(entry: Entry) -> dict[str, Any]:
    """Return an entry as it stands in the record."""
    return {**entry.content, "hash": entry.hash}
