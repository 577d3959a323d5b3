"""Times in states, active periods and processed items, from an event table.

The columns used are ``time`` [s], ``machine``, ``kind`` and ``state``, the state of the machine
after the event. Rows without a machine or of other machines are left out. A count over a window
has the events after its begin and up to its end, its end included.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from gigatwin.errors import TelemetryError
from gigatwin.standards.machine_states import INACTIVE_STATES, MachineState

_STATES = pl.Enum([state.name for state in MachineState])


def _check_window(begin: float, end: float) -> None:
    if not begin < end:
        message = f"window: begin {begin:g} s, end {end:g} s; the end must be after the begin."
        raise TelemetryError(message)


def _rows(events: pl.DataFrame, machines: Sequence[str], end: float) -> pl.DataFrame:
    # The order of the log decides between events at the same time: every sort keeps it.
    rows = (
        events.select(
            pl.col("time").cast(pl.Float64),
            pl.col("machine").cast(pl.Enum(machines), strict=False),
            pl.col("state"),
        )
        .drop_nulls(["machine", "state"])
        .with_columns(name=pl.col("state").cast(_STATES, strict=False))
    )
    unknown = rows.filter(pl.col("name").is_null())["state"].unique().sort().to_list()
    if unknown:
        message = (
            f"event table, column state: found {', '.join(map(str, unknown))};"
            f" must be one of {', '.join(_STATES.categories)}; map the states of the source first."
        )
        raise TelemetryError(message)
    undated = rows.filter(pl.col("time").is_null() | pl.col("time").is_nan()).height
    if undated:
        message = (
            f"event table, column time: {undated} rows without a time;"
            " need seconds in every row; drop or repair them."
        )
        raise TelemetryError(message)
    return (
        rows.select("time", "machine", state="name")
        .filter(pl.col("time") <= end)
        .sort("time", maintain_order=True)
    )


def _state_intervals(
    events: pl.DataFrame,
    machines: Sequence[str],
    begin: float,
    end: float,
    initial_states: Mapping[str, MachineState] | None,
) -> pl.DataFrame:
    """Return one row per stay of a machine in a state: machine, state, begin, end, is_entry."""
    _check_window(begin, end)
    rows = _rows(events, machines, end)
    before = rows.filter(pl.col("time") <= begin).group_by("machine").agg(pl.col("state").last())
    known = dict(before.iter_rows())
    given = {name: state.name for name, state in (initial_states or {}).items()}
    start = {name: known.get(name, given.get(name)) for name in machines}
    missing = [name for name, state in start.items() if state is None]
    if missing:
        message = (
            f"machines {', '.join(missing)}: no event up to {begin:g} s; the state at the begin of"
            " the window is needed; give it in initial_states, or begin later."
        )
        raise TelemetryError(message)
    first = pl.DataFrame(
        {
            "time": [float(begin)] * len(start),
            "machine": pl.Series(list(start), dtype=pl.Enum(machines)),
            "state": pl.Series(list(start.values()), dtype=_STATES),
        },
        schema_overrides={"time": pl.Float64},
    )
    inside = rows.filter(pl.col("time") > begin)
    return (
        pl.concat([first, inside])
        .sort("machine", "time", maintain_order=True)
        .with_columns(
            previous=pl.col("state").shift(1).over("machine"),
            end=pl.col("time").shift(-1).over("machine").fill_null(end),
        )
        .select(
            "machine",
            "state",
            "end",
            begin="time",
            is_entry=(pl.col("state") != pl.col("previous")).fill_null(value=False),
        )
    )


def state_durations(
    events: pl.DataFrame,
    machines: Sequence[str],
    begin: float,
    end: float,
    initial_states: Mapping[str, MachineState] | None = None,
) -> pl.DataFrame:
    """Return how long and how often each machine was in each state.

    Parameters
    ----------
    events : polars.DataFrame
        Event table; see the module.
    machines : sequence of str
        Machines to report on.
    begin, end : float
        Window. [s]
    initial_states : mapping of str to MachineState, optional
        State at ``begin`` of the machines that have no event up to then.

    Returns
    -------
    polars.DataFrame
        One row for each machine and state, in the order of ``machines`` and of the states:
        ``machine``, ``state``, ``seconds`` (they add up to ``end - begin``), ``entries`` (how
        often the state was entered from another one).

    Raises
    ------
    TelemetryError
        If a state is unknown, a time is missing, or the state of a machine at ``begin`` is not
        known.
    """
    intervals = _state_intervals(events, machines, begin, end, initial_states)
    sums = intervals.group_by("machine", "state").agg(
        seconds=(pl.col("end") - pl.col("begin")).sum(),
        entries=pl.col("is_entry").sum().cast(pl.Int64),
    )
    grid = pl.DataFrame({"machine": pl.Series(machines, dtype=pl.Enum(machines))}).join(
        pl.DataFrame({"state": pl.Series(_STATES.categories, dtype=_STATES)}), how="cross"
    )
    return grid.join(sums, on=["machine", "state"], how="left", maintain_order="left").with_columns(
        pl.col("machine", "state").cast(pl.String),
        pl.col("seconds").fill_null(0.0),
        pl.col("entries").fill_null(0),
    )


def active_intervals(
    events: pl.DataFrame,
    machines: Sequence[str],
    begin: float,
    end: float,
    initial_states: Mapping[str, MachineState] | None = None,
) -> pl.DataFrame:
    """Return the stretches of time in which a machine waits neither for items nor for room.

    The parameters are those of ``state_durations``. The result has ``machine``, ``begin`` and
    ``end`` [s], in the order of machines and time; a wait of no length does not end a period.
    """
    inactive = [state.name for state in sorted(INACTIVE_STATES)]
    return (
        _state_intervals(events, machines, begin, end, initial_states)
        .filter(pl.col("end") > pl.col("begin"))
        .with_columns(is_active=~pl.col("state").cast(pl.String).is_in(inactive))
        .with_columns(period=pl.struct("machine", "is_active").rle_id())
        .filter("is_active")
        .group_by("period", maintain_order=True)
        .agg(pl.col("machine").first(), pl.col("begin").first(), pl.col("end").last())
        .select(pl.col("machine").cast(pl.String), "begin", "end")
    )


def processed_counts(
    events: pl.DataFrame, machines: Sequence[str], begin: float, end: float
) -> pl.DataFrame:
    """Return how many items left each machine (events LEAVE): ``machine``, ``items``."""
    _check_window(begin, end)
    names = pl.Enum(machines)
    counts = (
        events.filter(pl.col("kind") == "LEAVE", pl.col("time") > begin, pl.col("time") <= end)
        .select(pl.col("machine").cast(names, strict=False))
        .group_by("machine")
        .agg(items=pl.len().cast(pl.Int64))
    )
    return (
        pl.DataFrame({"machine": pl.Series(machines, dtype=names)})
        .join(counts, on="machine", how="left", maintain_order="left")
        .with_columns(pl.col("machine").cast(pl.String), pl.col("items").fill_null(0))
    )


__all__ = ["active_intervals", "processed_counts", "state_durations"]
