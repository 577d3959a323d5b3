"""Appending to the tables: each batch once, whatever happens to the connection."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence

import polars as pl

from gigatwin.connectors.postgres.address import Address
from gigatwin.connectors.postgres.connection import Connection, PostgresError
from gigatwin.connectors.postgres.maintenance import Dropped, retain
from gigatwin.connectors.postgres.tables import (
    COLUMNS,
    DAY,
    INCOMING,
    REFRESH,
    REFRESH_ALL,
    make_partition,
    partition_of,
    partitions,
    require_tables,
    state_of,
)
from gigatwin.errors import ConnectorError
from gigatwin.telemetry.kept import Row

logger = logging.getLogger(__name__)

_REFRESH_EVERY = 16_384
_ATTEMPTS = 5
_LOCK = 0x6769_6761_7477
_FIRST_PAUSE, _LONGEST_PAUSE, _WAIT_FOR_LOCK = 0.1, 2.0, 5.0


class Writer:
    """The one session that appends. Used by several threads, one at a time.

    Rows are numbered here, and each transaction moves the number of the last row in the table
    ``state``. Who does not know whether a transaction was committed, because the connection broke,
    reads there whether it was.
    """

    def __init__(self, address: Address, patience: float) -> None:
        """Connect, and make the tables where there are none.

        Parameters
        ----------
        address : Address
            The database.
        patience : float
            How long to try to connect again before an append fails. [s]
        """
        self._address, self._patience = address, patience
        self._guard = threading.RLock()
        self._session: Connection | None = None
        self._last = self._refreshed = 0
        self._tags: dict[str, int] = {}
        self._partitions: set[str] = set()
        self._recent: list[pl.DataFrame] = []
        self._open(time.monotonic() + min(patience, _WAIT_FOR_LOCK))

    def _open(self, deadline: float) -> Connection:
        """Connect, and learn how far the tables are."""
        session = Connection(self._address, is_writer=True)
        try:
            self._lock(session, deadline)
            require_tables(session, self._address.shown, is_writer=True)
            session.run(INCOMING)
            session.run("BEGIN")
            session.run(REFRESH_ALL)
            session.run(
                "UPDATE state SET value = (SELECT value FROM state WHERE name = 'last_row') "
                "WHERE name = 'refreshed'"
            )
            session.run("COMMIT")
            self._last = self._refreshed = state_of(session)["last_row"]
            self._tags = dict(session.rows("SELECT name, number FROM tag").rows())
            self._partitions = set(partitions(session)["name"])
            self._recent = []
        except BaseException:
            session.close()
            raise
        self._session = session
        return session

    def _lock(self, session: Connection, deadline: float) -> None:
        # The server may take a moment to notice that the session before has ended.
        while not session.rows(f"SELECT pg_try_advisory_lock({_LOCK}) AS ok")["ok"][0]:
            if time.monotonic() > deadline:
                message = (
                    f"{self._address.shown}: another process writes to this historian; only one "
                    "can. Stop it first, or open the historian for reading only."
                )
                raise ConnectorError(message)
            time.sleep(_FIRST_PAUSE)

    def append(self, rows: Sequence[Row]) -> int:
        """Keep readings in one transaction; return the number of the last row.

        Raises
        ------
        ConnectorError
            If the database is away for longer than the patience, or refuses.
        """
        with self._guard:
            last = self._last + len(rows)
            for _ in range(_ATTEMPTS):
                session = self._session or self._connect_again(last)
                try:
                    if self._last < last:
                        self._send(session, rows, last)
                except PostgresError as error:
                    self._give_up(session, error)
                if self._last == last:
                    return last
            message = (
                f"{self._address.shown}: the connection broke {_ATTEMPTS} times at the same batch; "
                "it was not kept. The log of the server says why."
            )
            raise ConnectorError(message)

    def _send(self, session: Connection, rows: Sequence[Row], last: int) -> None:
        session.run("BEGIN")
        is_due = self._last - self._refreshed >= _REFRESH_EVERY
        if is_due:
            self._refresh(session)
        tags, names = self._tags_of(session, rows), self._partitions_of(session, rows)
        table = _table(rows, range(self._last + 1, last + 1), tags)
        session.ingest("reading", table)
        moved = session.rows(
            f"UPDATE state SET value = {last} "  # noqa: S608 - numbers
            f"WHERE name = 'last_row' AND value = {self._last} RETURNING value"
        )
        if moved.is_empty():
            message = "another process wrote to this historian at the same time"
            raise PostgresError(message, "40001")
        session.run("COMMIT")
        if is_due:
            self._refreshed, self._recent = self._last, []
        self._recent.append(table)
        self._last, self._tags, self._partitions = last, tags, names

    def _refresh(self, session: Connection) -> None:
        """Bring the table of current values up to the last row."""
        newest = pl.concat(self._recent).sort("time", "row").unique("tag", keep="last")
        session.run("TRUNCATE incoming")
        session.ingest("incoming", newest, is_temporary=True)
        session.run(REFRESH)
        session.run(f"UPDATE state SET value = {self._last} WHERE name = 'refreshed'")  # noqa: S608 - nothing in it comes from outside

    def _tags_of(self, session: Connection, rows: Sequence[Row]) -> dict[str, int]:
        """Return the numbers of all tags, with those that are new."""
        new = list({row[0]: None for row in rows if row[0] not in self._tags})
        if not new:
            return self._tags
        numbers = range(len(self._tags) + 1, len(self._tags) + len(new) + 1)
        frame = pl.DataFrame({"number": pl.Series(numbers, dtype=pl.Int32), "name": new})
        session.ingest("tag", frame)
        return {**self._tags, **dict(zip(new, numbers, strict=True))}

    def _partitions_of(self, session: Connection, rows: Sequence[Row]) -> set[str]:
        """Return the names of all partitions, with those that are new."""
        names = self._partitions
        for day in sorted({row[1] // DAY for row in rows}):
            found = partition_of(day * DAY)
            if found is not None and found[0] not in names:
                make_partition(session, *found)
                names = {*names, found[0]}
        return names

    def _give_up(self, session: Connection, error: PostgresError) -> None:
        """End a transaction that failed; raise its error unless the connection is broken."""
        try:
            session.run("ROLLBACK")
        except PostgresError:
            logger.warning("%s: connection lost: %s", self._address.shown, error)
            session.close()
            self._session = None
            return
        message = f"{self._address.shown}: {error}; nothing of this batch was kept."
        raise ConnectorError(message) from None

    def _connect_again(self, last: int) -> Connection:
        """Connect with growing pauses, and see whether the batch had been committed after all."""
        before, pause = self._last, _FIRST_PAUSE
        deadline = time.monotonic() + self._patience
        while True:
            try:
                session = self._open(deadline)
                break
            except ConnectorError as error:
                if time.monotonic() + pause > deadline:
                    message = f"{error} Tried for {self._patience:g} s; the batch was not kept."
                    raise ConnectorError(message) from None
            time.sleep(pause)
            pause = min(2.0 * pause, _LONGEST_PAUSE)
        logger.info("%s: connected again", self._address.shown)
        if self._last not in (before, last):
            message = (
                f"{self._address.shown}: {self._last} rows, where {before} or {last} were "
                "expected; another process wrote to it meanwhile. Nothing of this batch was kept."
            )
            raise ConnectorError(message)
        return session

    def retain(self, days: float | None, n_bytes: int | None) -> Dropped:
        """Give up days that are too old or too much; return what went."""
        with self._guard:
            session = self._session or self._connect_again(self._last)
            try:
                dropped = retain(session, days, n_bytes)
            except PostgresError as error:
                self._give_up(session, error)
                message = f"{self._address.shown}: {error}; nothing was given up."
                raise ConnectorError(message) from None
            self._partitions = set(partitions(session)["name"])
            return dropped

    def close(self) -> None:
        """Disconnect; can be called twice."""
        with self._guard:
            if self._session is not None:
                self._session.close()
                self._session = None


def _table(rows: Sequence[Row], numbers: Sequence[int], tags: Mapping[str, int]) -> pl.DataFrame:
    names, *kept = zip(*rows, strict=True)
    columns = (numbers, [tags[name] for name in names], *kept)
    return pl.DataFrame(
        [
            pl.Series(name, column, dtype)
            for (name, dtype), column in zip(COLUMNS.items(), columns, strict=True)
        ]
    )
