"""Event rows of a plant as the table that a simulated line writes."""

from collections.abc import Iterable, Sequence

import polars as pl

from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.elements import station_of
from gigatwin.telemetry.observations import EventRow

KINDS = (
    "START",
    "BLOCK",
    "LEAVE",
    "LOAD",
    "STARVE",
    "CALL",
    "SETUP",
    "STOP",
    "REPAIR",
    "RESUME",
    "ARRIVE",
)
"""What an event record can say."""
_STATES = [state.name for state in MachineState]
_STOPS = frozenset({"STOP", "RESUME"})


def event_table_of(
    rows: Iterable[EventRow], machines: Sequence[str] = (), start: float | None = None
) -> pl.DataFrame:
    """Return event rows as a table with the columns of an event log.

    Parameters
    ----------
    rows : iterable of EventRow
        Rows of one or several intakes; those of a machine in the order of their times.
    machines : sequence of str
        Names for the column of machines, in their order; others are put behind.
    start : float, optional
        Source time that becomes time 0; left out, times stay seconds since 1970. [s]

    Returns
    -------
    polars.DataFrame
        Columns as in `gigatwin.events.log`, by time; ``waited_for`` and ``because`` say nothing,
        as no tag does. A stop is named ``station.stop``.
    """
    ordered = sorted(rows, key=lambda row: row.time)
    names = [*dict.fromkeys((*machines, *(row.machine for row in ordered)))]
    machine = pl.Series([row.machine for row in ordered], dtype=pl.Enum(names))
    formats = [row.format for row in ordered]
    details = [_detail(row) for row in ordered]
    kinds = [row.kind for row in ordered]
    begin = 0.0 if start is None else start
    return pl.DataFrame(
        {
            "time": pl.Series([row.time - begin for row in ordered], dtype=pl.Float64),
            "machine": machine,
            "kind": pl.Series(kinds, dtype=pl.Enum([*dict.fromkeys((*KINDS, *kinds))])),
            "state": pl.Series([row.state.name for row in ordered], dtype=pl.Enum(_STATES)),
            "item": pl.Series([row.item for row in ordered], dtype=pl.Int64),
            "format": pl.Series(formats, dtype=pl.Enum([*dict.fromkeys((*formats, ""))])),
            "waited_for": pl.Series(["NOTHING"] * len(ordered), dtype=pl.Enum(["NOTHING"])),
            "because": machine.alias("because"),
            "detail": pl.Series(details, dtype=pl.Enum([*dict.fromkeys((*details, ""))])),
        }
    )


def _detail(row: EventRow) -> str:
    is_short = row.kind in _STOPS and row.detail and "." not in row.detail
    return f"{station_of(row.machine)}.{row.detail}" if is_short else row.detail
