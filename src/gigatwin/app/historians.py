"""From a folder or the URL of a database to the historian there."""
# ruff: noqa: PLC0415 - each historian brings a library of its own

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from gigatwin.errors import ConnectorError

if TYPE_CHECKING:
    from gigatwin.connectors.embedded import EmbeddedHistorian
    from gigatwin.connectors.postgres import PostgresHistorian

Store: TypeAlias = "EmbeddedHistorian | PostgresHistorian"
"""A historian with what else its keeper needs: use, check, retain, size."""
_DATABASES = ("postgresql://", "postgres://")
_OF_A_TWIN = "historian"


def is_database(where: str) -> bool:
    """Return whether a place is a database and not a folder."""
    return where.startswith(_DATABASES)


def open_historian(where: str, *, is_writer: bool = True) -> Store:
    """Return the historian at a place.

    Parameters
    ----------
    where : str
        A folder, or ``postgresql://user@host:port/database``.
    is_writer : bool
        Whether to append to it; others can read meanwhile.

    Raises
    ------
    ConnectorError
        If it cannot be opened, or its library is not installed.
    """
    if is_database(where):
        from gigatwin.connectors.postgres import PostgresHistorian

        return PostgresHistorian(where, is_writer=is_writer)
    if "://" in where:
        message = (
            f"{where.partition('://')[0]}://...: no historian; must be a folder, or "
            "postgresql://user@host:port/database."
        )
        raise ConnectorError(message)
    from gigatwin.connectors.embedded import EmbeddedHistorian

    return EmbeddedHistorian(Path(where), is_writer=is_writer)


def open_existing(where: str, *, is_writer: bool = False) -> Store:
    """Return a historian that is there: at a place, or in the folder of a twin.

    Parameters
    ----------
    where : str
        A folder of a historian, a folder in which a twin has one, or the URL of a database.
    is_writer : bool
        Whether to change it.

    Raises
    ------
    ConnectorError
        If there is none, or it cannot be opened.
    """
    if "://" in where:
        return open_historian(where, is_writer=is_writer)
    from gigatwin.connectors.embedded import EmbeddedHistorian, is_historian

    folders = (Path(where), Path(where) / _OF_A_TWIN)
    found = next((folder for folder in folders if is_historian(folder)), None)
    if found is None:
        message = (
            f"{where}: no historian; must be the folder of one, the store of 'gigatwin sync', or "
            "postgresql://user@host:port/database."
        )
        raise ConnectorError(message)
    return EmbeddedHistorian(found, is_writer=is_writer)
