"""A connection to PostgreSQL through ADBC: tables in, tables out, one kind of error."""

from contextlib import closing, suppress
from types import ModuleType
from typing import Any

import polars as pl

from gigatwin.connectors.postgres.address import Address
from gigatwin.errors import ConnectorError

SCHEMA = "gigatwin"
"""Schema that holds the tables of the historian."""
_PATIENCE = 10


class PostgresError(ConnectorError):
    """What the database refused, or that it is gone."""

    def __init__(self, text: str, state: str | None) -> None:
        """Keep the state: five letters of the SQL standard, None where the connection failed."""
        super().__init__(text)
        self.state = state


class Connection:
    """One session. Every statement is a transaction of its own unless it comes after BEGIN.

    So a session that waits holds no locks: a reader that forgot to commit would keep others from
    changing tables.
    """

    def __init__(self, address: Address, *, is_writer: bool) -> None:
        """Connect.

        Raises
        ------
        ConnectorError
            If the database cannot be reached, or refuses.
        """
        self._address = address
        adbc, self._error = _adbc()
        mark = "&" if "?" in address.url else "?"
        patience = "" if "connect_timeout" in address.url else f"{mark}connect_timeout={_PATIENCE}"
        try:
            self._session: Any = adbc.connect(f"{address.url}{patience}", autocommit=True)
        except self._error as error:
            message = (
                f"{address.shown}: {self._text(error)}; must be a database that can be reached, "
                "with a user who may log in (password: variable PGPASSWORD)."
            )
            raise ConnectorError(message) from None
        try:
            self.run(f"SET search_path = {SCHEMA}")
            if is_writer:
                # What was acknowledged must survive a crash of the server, whatever its default.
                self.run("SET synchronous_commit = on")
        except PostgresError:
            self.close()
            raise

    def run(self, sql: str) -> None:
        """Carry out a statement that returns nothing."""
        try:
            with closing(self._session.cursor()) as cursor:
                cursor.execute(sql)
        except self._error as error:
            raise self._refusal(error) from None

    def rows(self, sql: str) -> pl.DataFrame:
        """Return what a statement returns."""
        try:
            with closing(self._session.cursor()) as cursor:
                cursor.execute(sql)
                return _plain(cursor.fetch_polars())
        except self._error as error:
            raise self._refusal(error) from None
        except pl.exceptions.DuplicateError:
            message = "two columns have the same name; must have names of their own (AS)."
            raise PostgresError(message, "42701") from None
        except pl.exceptions.ComputeError as error:
            # What fails while rows are sent comes through Polars, without its state.
            raise PostgresError(self._text(error), "XX000") from None

    def ingest(self, table: str, frame: pl.DataFrame, *, is_temporary: bool = False) -> None:
        """Append rows to a table, with COPY in binary form."""
        where: dict[str, Any] = {"temporary": True} if is_temporary else {"db_schema_name": SCHEMA}
        try:
            with closing(self._session.cursor()) as cursor:
                cursor.adbc_ingest(table, frame, mode="append", **where)
        except self._error as error:
            raise self._refusal(error) from None

    def is_alive(self) -> bool:
        """Return whether the database still answers."""
        try:
            self.rows("SELECT 1")
        except PostgresError:
            return False
        return True

    def _refusal(self, error: Exception) -> PostgresError:
        return PostgresError(self._text(error), getattr(error, "sqlstate", None))

    def _text(self, error: Exception) -> str:
        told = str(error).partition("\n\nQuery was:")[0].partition(". SQLSTATE:")[0]
        _, found, rest = told.partition("ERROR:")
        return self._address.without_secrets(" ".join((rest if found else told).split()))

    def close(self) -> None:
        """Disconnect; can be called twice."""
        # The session of a database that is gone cannot be closed in an orderly way.
        with suppress(self._error, RuntimeError):
            self._session.close()


def _adbc() -> tuple[ModuleType, type[Exception]]:
    try:
        import adbc_driver_manager  # noqa: PLC0415 - optional, and heavy
        import adbc_driver_postgresql.dbapi  # noqa: PLC0415 - asyncua is optional
    except ImportError:
        message = (
            "PostgreSQL needs ADBC. adbc_driver_postgresql is not installed; "
            "pip install 'gigatwin[postgres]'."
        )
        raise ConnectorError(message) from None
    return adbc_driver_postgresql.dbapi, adbc_driver_manager.Error


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table with numbers where ADBC gives the text of a numeric."""
    plain = {}
    for name, dtype in frame.schema.items():
        if isinstance(dtype, getattr(pl, "BaseExtension", ())):
            stored = frame[name].ext.storage()
            plain[name] = stored.cast(pl.Float64) if '"numeric"' in repr(dtype) else stored
    return frame.with_columns(**plain)
