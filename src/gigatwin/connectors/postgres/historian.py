"""The historian on a PostgreSQL server: for many readers, and for more than one computer holds."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

import polars as pl

from gigatwin.connectors.postgres.address import Address
from gigatwin.connectors.postgres.connection import SCHEMA, Connection, PostgresError
from gigatwin.connectors.postgres.maintenance import Dropped, check_tables
from gigatwin.connectors.postgres.tables import require_tables, state_of
from gigatwin.connectors.postgres.writer import Writer
from gigatwin.errors import ConnectorError, TelemetryError
from gigatwin.telemetry.kept import (
    FRAME,
    ONE_TAG,
    SHOWN,
    StoreCheck,
    kept_rows,
    numbered_readings,
    reading_of,
)
from gigatwin.telemetry.readings import Reading

T = TypeVar("T")

_READINGS = (
    'SELECT "row", name AS tag, time, value, text, quality, kind '
    "FROM reading JOIN tag ON tag.number = reading.tag"
)


class PostgresHistorian:
    """A historian in the schema ``gigatwin`` of a PostgreSQL database. One writes, many read.

    A batch is acknowledged when the server has committed it to its disk. When the connection breaks
    meanwhile, ``append`` connects again, looks whether the batch is there, and sends it only if it
    is not: the numbers of its rows make that certain. Until then the caller waits.
    """

    def __init__(self, url: str, *, is_writer: bool = True, patience: float = 30.0) -> None:
        """Connect, and make the tables if there are none.

        Parameters
        ----------
        url : str
            ``postgresql://user@host:port/database``; the password better in ``PGPASSWORD``.
        is_writer : bool
            Whether to append. Only one historian can be open for writing.
        patience : float
            How long ``append`` tries to connect again before it fails. [s]

        Raises
        ------
        ConnectorError
            If the database cannot be reached, or another process writes to it.
        """
        self._address = Address.parse(url)
        self._guard = threading.Lock()
        self._reader: Connection | None = None
        self._is_closed = False
        self._writer = Writer(self._address, patience) if is_writer else None
        if not is_writer:
            self._reading(state_of)

    @property
    def where(self) -> str:
        """The address, without user and password."""
        return self._address.shown

    def append(self, readings: Sequence[Reading]) -> int:
        """Keep readings in one transaction; return the number of the last row.

        Raises
        ------
        TelemetryError
            If a reading has no time, or a value that no tag has; none of them is kept.
        ConnectorError
            If the database is away for longer than the patience, or refuses.
        """
        return self._writing().append(kept_rows(readings))

    def _writing(self) -> Writer:
        if self._writer is None or self._is_closed:
            state = "closed" if self._is_closed else "open for reading only"
            message = f"{self.where}: this historian is {state}; open it for writing."
            raise ConnectorError(message)
        return self._writer

    def _reading(self, look: Callable[[Connection], T]) -> T:
        """Look with the reader's session; with a new one when it is broken."""
        with self._guard:
            if self._is_closed:
                message = f"{self.where}: this historian is closed; open it again."
                raise ConnectorError(message)
            if self._reader is not None:
                try:
                    return look(self._reader)
                except PostgresError:
                    if self._reader.is_alive():
                        raise
                    self._reader.close()
                    self._reader = None
            connection = Connection(self._address, is_writer=False)
            try:
                require_tables(connection, self.where, is_writer=False)
                self._reader = connection
                return look(connection)
            except BaseException:
                if self._reader is None:
                    connection.close()
                raise

    def _rows(self, sql: str) -> pl.DataFrame:
        try:
            return self._reading(lambda connection: connection.rows(sql))
        except PostgresError as error:
            message = f"{self.where}: {error}"
            raise ConnectorError(message) from None

    def after(self, row: int, limit: int = 100_000) -> list[tuple[int, Reading]]:
        """Return readings kept after a row, in the order of their rows."""
        found = self._window(row + 1, row + 1 + limit, limit)
        if found.is_empty():
            # Nothing yet, or rows that retention gave up: what comes next can be anywhere.
            (first,) = self._rows(
                f'SELECT min("row") AS first FROM reading WHERE "row" > {row}'  # noqa: S608 - nothing in it comes from outside
            )["first"]
            if first is not None:
                found = self._window(first, first + limit, limit)
        return numbered_readings(found)

    def _window(self, begin: int, end: int, limit: int) -> pl.DataFrame:
        where = f'"row" >= {begin} AND "row" < {end} ORDER BY "row" LIMIT {limit}'
        return self._rows(f"{_READINGS} WHERE {where}").cast(FRAME)

    def last_row(self) -> int:
        """Return the number of the last row, 0 before the first."""
        return self._reading(state_of)["last_row"]

    def latest(self) -> Mapping[str, Reading]:
        """Return the newest reading of every tag, by source time; of equal times the last row."""
        found = self._rows(
            "SELECT DISTINCT ON (kept.tag) name AS tag, time, value, text, quality, kind FROM ("
            "SELECT * FROM current UNION ALL SELECT * FROM reading "
            "WHERE \"row\" > (SELECT state.value FROM state WHERE name = 'refreshed')"
            ') AS kept JOIN tag ON tag.number = kept.tag ORDER BY kept.tag, time DESC, "row" DESC'
        )
        return {row[0]: reading_of(row) for row in found.iter_rows()}

    def read(self, tag: str, begin: float, end: float) -> pl.DataFrame:
        """Return one tag between two source times [s since 1970], begin included.

        Columns time, value, text and quality, by time. A whole number beyond 2**53 has its digits
        as text beside the rounded value.
        """
        found = self._rows(f'{_READINGS} WHERE {_where([tag], begin, end)} ORDER BY time, "row"')
        return found.cast(FRAME).select(ONE_TAG)

    def use(
        self,
        tags: Collection[str] | None,
        begin: float,
        end: float,
        how: Callable[[pl.LazyFrame], T],
    ) -> T:
        """Do something with readings between two source times; return what it returns.

        Parameters
        ----------
        tags : collection of str or None
            Names of tags; None: all.
        begin, end : float
            Begin, included, and end, not included. [s since 1970]
        how : callable
            Gets the readings in any order, with the columns of the table ``readings`` and ``kind``.
        """
        found = self._rows(f"{_READINGS} WHERE {_where(tags, begin, end)}")
        return how(found.cast(FRAME).lazy())

    def query(self, sql: str) -> pl.DataFrame:
        """Return what one SELECT over the table ``readings`` gives.

        It runs in a transaction that can only read. A numeric, such as an average of whole numbers,
        comes as a float.

        Raises
        ------
        TelemetryError
            If it is no SELECT, or cannot be carried out.
        """
        asked = sql.strip().removesuffix(";")

        def look(connection: Connection) -> pl.DataFrame:
            # Each time, since a query may have changed it. In brackets only a SELECT is allowed,
            # and one that changes nothing; the line break ends a comment.
            connection.run("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
            return connection.rows(f"SELECT * FROM (\n{asked}\n) AS asked")  # noqa: S608 - nothing in it comes from outside

        try:
            return self._reading(look)
        except PostgresError as error:
            message = (
                f"query: {error}; must be one SELECT over readings ({', '.join(SHOWN)}; "
                '"row" in quotes).'
            )
            raise TelemetryError(message) from None

    def retain(self, days: float | None = None, n_bytes: int | None = None) -> Dropped:
        """Give up the days that are too old or too much; return what went.

        Parameters
        ----------
        days : float, optional
            Age by source time from which readings go, whole days at once. [d]
        n_bytes : int, optional
            Room for readings and their indexes. [byte]
        """
        return self._writing().retain(days, n_bytes)

    def check(self) -> StoreCheck:
        """Read everything, and return what is wrong."""
        return self._reading(check_tables)

    def n_bytes(self) -> int:
        """Return the size [byte] of all tables and indexes."""
        (size,) = self._rows(
            "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint AS size FROM pg_class "  # noqa: S608 - our own names
            f"WHERE relnamespace = '{SCHEMA}'::regnamespace AND relkind = 'r'"
        )["size"]
        return int(size)

    def close(self) -> None:
        """Disconnect; can be called twice."""
        if self._writer is not None:
            self._writer.close()
        with self._guard:
            self._is_closed = True
            if self._reader is not None:
                self._reader.close()
                self._reader = None


def _where(tags: Collection[str] | None, begin: float, end: float) -> str:
    """Return the condition for tags between two times."""
    times = f"time >= {_number(begin)} AND time < {_number(end)}"
    if tags is None:
        return times
    names = ", ".join("'" + tag.replace("'", "''").replace("\x00", "") + "'" for tag in tags)
    # The numbers first, so that the index on tag and time is used.
    chosen = f"ARRAY(SELECT number FROM tag WHERE name IN ({names or 'NULL'}))"  # noqa: S608 - nothing in it comes from outside
    return f"reading.tag = ANY({chosen}) AND {times}"


def _number(value: float) -> str:
    return f"'{float(value)!r}'::double precision"
