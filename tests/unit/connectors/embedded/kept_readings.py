"""Readings for the tests of the historian in a folder."""

from gigatwin.telemetry import Reading

BEGIN = 1_800_000_000.0
HOUR = 3600.0


def values(n, tag="m_1/Status.Value.x", begin=BEGIN, step=1.0):
    """Return n readings of a tag: 0.0, 1.0, ..."""
    return [Reading(tag, float(k), begin + k * step) for k in range(n)]


def everything(historian):
    """Return all rows with their readings, a part at a time."""
    rows, last = [], 0
    while part := historian.after(last, limit=1000):
        rows += part
        last = part[-1][0]
    return rows
