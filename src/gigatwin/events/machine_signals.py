"""States of machine tools from the changes of their MTConnect data items."""

import re

import polars as pl

from gigatwin.standards.machine_states import MachineState

_ROLES = {
    "execution": re.compile(r"(^|[^a-z])exec(ution)?$", re.IGNORECASE),
    "avail": re.compile(r"(^|[^a-z])avail(ability)?$", re.IGNORECASE),
    "estop": re.compile(r"(^|[^a-z])(e_?stop|emergency_?stop)$", re.IGNORECASE),
    "mode": re.compile(r"(^|[^a-z])(controller_?)?mode$", re.IGNORECASE),
}
_CONDITION = re.compile(r"cond(ition)?$", re.IGNORECASE)
_BY_HAND = ("MANUAL", "MANUAL_DATA_INPUT")
_LOST = "UNAVAILABLE"
NOTES = (
    "execution ACTIVE in a manual mode: taken as setup",
    "a condition at Fault, or the emergency stop, while not ACTIVE: taken as a breakdown",
)
"""What is assumed about the items."""


def has_execution(items: pl.Series) -> bool:
    """Whether one of the items says what the controller executes."""
    return any(_role(str(item)) == "execution" for item in items.unique())


def signal_intervals(
    changes: pl.DataFrame, gaps: list[int], words: dict[str, MachineState]
) -> pl.DataFrame:
    """Return the intervals of the states of one machine.

    A value holds until the next one of its item, but never across a gap or after
    ``UNAVAILABLE``.

    Parameters
    ----------
    changes : polars.DataFrame
        Columns time (microseconds), item, value, row, in the order of the times.
    gaps : list of int
        When the log falls silent, microseconds.
    words : dict of str to MachineState
        Words of ``execution`` (as in the log) to states; others are left out.

    Returns
    -------
    polars.DataFrame
        Columns start, end (microseconds), state, native (the word that decided), is_cut (the begin
        or the end is no change of state: a gap, ``UNAVAILABLE`` or the end of the log), row.
    """
    roles = {item: _role(item) for item in changes["item"].unique(maintain_order=True).to_list()}
    wanted = {item: role for item, role in roles.items() if role is not None}
    last = changes["time"].max()
    rows = changes.filter(pl.col("item").is_in(list(wanted)))
    marks = pl.DataFrame(
        {"time": gaps, "item": None, "value": _LOST, "row": None}, schema=rows.schema
    )
    rows = pl.concat([rows, marks]).sort("time", maintain_order=True)
    # A condition is several fields, of which the first is its level.
    rows = rows.with_columns(pl.col("value").str.split("|").list.first().str.to_uppercase())
    columns = {
        item: pl.when((pl.col("item") == item) | pl.col("item").is_null()).then("value")
        for item in wanted
    }
    held = rows.select("time", "row", **columns).with_columns(
        pl.col(*wanted).forward_fill(), pl.col("row").forward_fill()
    )
    held = held.group_by("time", maintain_order=True).last()
    execution = _named(wanted, "execution")
    # An item that was never available cannot say that the machine is gone.
    avail = [name for name in _named(wanted, "avail") if (held[name] == "AVAILABLE").any()]
    conditions = [pl.col(name) == "FAULT" for name in _named(wanted, "condition")]
    stops = [pl.col(name) == "TRIGGERED" for name in _named(wanted, "estop")]
    by_hand = [pl.col(name).is_in(_BY_HAND) for name in _named(wanted, "mode")]
    word = pl.col(execution[0])
    is_lost = pl.any_horizontal(
        word.is_null(), word == _LOST, *(pl.col(name) == _LOST for name in avail)
    )
    is_active = word == "ACTIVE"
    table = {native.upper(): state.name.lower() for native, state in words.items()}
    state = (
        pl.when(is_lost)
        .then(None)
        .when(_any(stops))
        .then(pl.lit("breakdown"))
        .when(_any(conditions) & ~is_active)
        .then(pl.lit("breakdown"))
        .when(is_active & _any(by_hand))
        .then(pl.lit("setup"))
        .otherwise(word.replace_strict(table, default=None, return_dtype=pl.String))
    )
    native = (
        pl.when(_any(stops))
        .then(pl.lit("TRIGGERED"))
        .when(_any(conditions) & ~is_active)
        .then(pl.lit("FAULT"))
        .otherwise(word)
    )
    steps = held.select("time", "row", state=state, native=native)
    is_new = (pl.col("state").ne_missing(pl.col("state").shift(1))) | (
        pl.col("native").ne_missing(pl.col("native").shift(1))
    )
    steps = steps.filter(is_new | (pl.int_range(pl.len()) == 0))
    before, after = pl.col("state").shift(1), pl.col("state").shift(-1)
    return (
        steps.with_columns(
            end=pl.col("time").shift(-1).fill_null(last),
            is_cut=before.is_null() | after.is_null(),
        )
        .filter(pl.col("state").is_not_null() & (pl.col("end") > pl.col("time")))
        .select("end", "state", "native", "is_cut", "row", start="time")
    )


def execution_words(changes: pl.DataFrame) -> list[str]:
    """Return the words of the execution items, the most frequent first."""
    is_execution = [item for item in changes["item"].unique() if _role(item) == "execution"]
    values = changes.filter(pl.col("item").is_in(is_execution))["value"].drop_nulls()
    return [str(word) for word in values.value_counts(sort=True)[values.name]]


def _role(item: str) -> str | None:
    name = item.rsplit(":", maxsplit=1)[-1]
    for role, pattern in _ROLES.items():
        if pattern.search(name):
            return role
    return "condition" if _CONDITION.search(name) else None


def _named(wanted: dict[str, str], role: str) -> list[str]:
    return sorted(name for name, its in wanted.items() if its == role)


def _any(tests: list[pl.Expr]) -> pl.Expr:
    return pl.any_horizontal(*tests, pl.lit(value=False)).fill_null(value=False)
