"""Keeping the tables in PostgreSQL sound: which days are given up, and the check of everything."""

from typing import NamedTuple

from gigatwin.connectors.postgres.connection import Connection
from gigatwin.connectors.postgres.tables import DAY, partition_of, partitions, state_of
from gigatwin.telemetry.kept import StoreCheck

_RECENT = 10_000
_LONGEST_WAIT = "5s"


class Dropped(NamedTuple):
    """What was given up."""

    n_segments: int
    n_rows: int
    n_bytes: int


def retain(connection: Connection, days: float | None, n_bytes: int | None) -> Dropped:
    """Drop the partitions that are too old or too much.

    Parameters
    ----------
    connection : Connection
        Of the writer.
    days : float or None
        Age from which readings go, by source time; None: readings of any age stay. [d]
    n_bytes : int or None
        Room for readings with their indexes; None: no limit. [byte]
    """
    found = partitions(connection).rows()
    by_day = [part for part in found if part[0] not in ("reading_before", "reading_after")]
    oldest_kept = None if days is None else _oldest_kept(connection, days)
    excess = 0 if n_bytes is None else sum(size for _, size in found) - n_bytes
    old: list[tuple[str, int]] = []
    for name, size in by_day:
        if excess <= 0 and (oldest_kept is None or name >= oldest_kept):
            break
        old.append((name, size))
        excess -= size
    n_rows = 0
    connection.run("BEGIN")
    # Dropping needs the whole table for a moment; a reader that never ends must not stop the plant.
    connection.run(f"SET LOCAL lock_timeout = '{_LONGEST_WAIT}'")
    for name, _ in old:
        (count,) = connection.rows(f"SELECT count(*) AS n FROM {name}")["n"]  # noqa: S608 - nothing in it comes from outside
        n_rows += count
        connection.run(f"DROP TABLE {name}")
    connection.run(f"UPDATE state SET value = value + {n_rows} WHERE name = 'dropped'")  # noqa: S608 - nothing in it comes from outside
    connection.run("COMMIT")
    return Dropped(len(old), n_rows, sum(size for _, size in old))


def _oldest_kept(connection: Connection, days: float) -> str | None:
    """Return the name of the partition before which all are too old."""
    # Not the very newest: one wrong time in the future would give up everything.
    (clock,) = connection.rows(
        "SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY time) AS clock FROM reading "  # noqa: S608 - our own names
        f"WHERE \"row\" > (SELECT value FROM state WHERE name = 'last_row') - {_RECENT}"
    )["clock"]
    day = None if clock is None else partition_of(clock - days * DAY)
    return None if day is None else day[0]


def check_tables(connection: Connection) -> StoreCheck:
    """Return what is wrong: numbers of rows from 1 to the last are there once, with known tags."""
    state = state_of(connection)
    ((n_rows, n_numbers, first, last),) = connection.rows(
        'SELECT count(*) AS n, count(DISTINCT "row") AS numbers, coalesce(min("row"), 1) AS first, '
        'coalesce(max("row"), 0) AS last FROM reading'
    ).rows()
    (n_unknown,) = connection.rows(
        "SELECT count(*) AS n FROM reading WHERE NOT EXISTS "
        "(SELECT FROM tag WHERE tag.number = reading.tag)"
    )["n"]
    problems = []
    if n_rows != n_numbers:
        problems.append(f"{n_rows - n_numbers} rows are there more than once.")
    if first < 1 or last > state["last_row"]:
        problems.append(f"rows {first} to {last}; must be within 1 and {state['last_row']}.")
    n_missing = state["last_row"] - n_numbers
    if n_missing != state["dropped"]:
        problems.append(f"{n_missing} rows are missing; retention gave up {state['dropped']}.")
    if n_unknown:
        problems.append(f"{n_unknown} rows have a tag without a name.")
    n_dropped = state["dropped"]
    notes = [f"{n_dropped} readings were given up by retention."] if n_dropped else []
    return StoreCheck(n_rows, partitions(connection).height, tuple(problems), tuple(notes))
