"""The tables of the historian in PostgreSQL: readings by day of source time, and what is around."""

from datetime import UTC, datetime

import polars as pl

from gigatwin.connectors.postgres.connection import SCHEMA, Connection
from gigatwin.errors import ConnectorError

DAY = 86_400.0
"""Length of a partition. [s]"""
FIRST, LAST = 946_684_800.0, 4_102_444_800.0
"""Source times with partitions by day: from 2000 up to 2100; others share two. [s since 1970]"""
FORMAT = 1
"""Version of the tables."""
COLUMNS = pl.Schema(
    {
        "row": pl.Int64,
        "tag": pl.Int32,
        "time": pl.Float64,
        "value": pl.Float64,
        "text": pl.String,
        "quality": pl.Int16,
        "kind": pl.Int16,
    }
)
"""Columns of the table of readings."""
_KEPT = (
    '"row" bigint NOT NULL, tag integer NOT NULL, time double precision NOT NULL, '
    "value double precision, text text, quality smallint NOT NULL, kind smallint NOT NULL"
)
_ZEROS = "('last_row', 0), ('refreshed', 0), ('dropped', 0)"
_SHOWN = (
    'reading."row", tag.name AS tag, reading.time, reading.value, reading.text, reading.quality'
)
# Found by tag and time, and by row; a block range index costs next to nothing while rows come in.
_STATEMENTS = (
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
    "CREATE TABLE tag (number integer PRIMARY KEY, name text NOT NULL UNIQUE)",
    f"CREATE TABLE reading ({_KEPT}) PARTITION BY RANGE (time)",
    "CREATE INDEX reading_tag_time ON reading (tag, time)",
    'CREATE INDEX reading_row ON reading USING brin ("row") WITH (pages_per_range = 32)',
    f"CREATE TABLE reading_before PARTITION OF reading FOR VALUES FROM (MINVALUE) TO ({FIRST})",
    f"CREATE TABLE reading_after PARTITION OF reading FOR VALUES FROM ({LAST}) TO (MAXVALUE)",
    f"CREATE TABLE current ({_KEPT}, PRIMARY KEY (tag))",
    "CREATE TABLE state (name text PRIMARY KEY, value bigint NOT NULL)",
    f"INSERT INTO state VALUES ('format', {FORMAT}), {_ZEROS}",  # noqa: S608 - our own names
    f"CREATE VIEW readings AS SELECT {_SHOWN} FROM reading JOIN tag ON tag.number = reading.tag",  # noqa: S608 - nothing in it comes from outside
)
_REFRESHED = """
ON CONFLICT (tag) DO UPDATE SET "row" = excluded."row", time = excluded.time,
    value = excluded.value, text = excluded.text, quality = excluded.quality, kind = excluded.kind
WHERE (excluded.time, excluded."row") > (current.time, current."row")
"""
REFRESH = f"INSERT INTO current SELECT * FROM incoming {_REFRESHED}"  # noqa: S608 - our own text
"""Brings the current values up to what the temporary table ``incoming`` holds, one row per tag."""
REFRESH_ALL = f"""
INSERT INTO current SELECT DISTINCT ON (tag) * FROM reading
WHERE "row" > (SELECT value FROM state WHERE name = 'refreshed')
ORDER BY tag, time DESC, "row" DESC {_REFRESHED}
"""  # noqa: S608 - our own names
"""Brings the current values up to the last row."""
INCOMING = f"CREATE TEMPORARY TABLE incoming ({_KEPT})"
"""Makes the temporary table ``incoming``."""


def require_tables(connection: Connection, where: str, *, is_writer: bool) -> None:
    """Make the tables where there are none; raise ConnectorError for those of another version."""
    (found,) = connection.rows(f"SELECT to_regclass('{SCHEMA}.state')::text AS name")["name"]
    if found is None:
        if not is_writer:
            message = f"{where}: no historian; open it for writing first, which makes its tables."
            raise ConnectorError(message)
        connection.run("BEGIN")
        for statement in _STATEMENTS:
            connection.run(statement)
        connection.run("COMMIT")
        return
    version = state_of(connection)["format"]
    if version != FORMAT:
        message = (
            f"{where}: tables in format {version}; this program knows format {FORMAT}. "
            "Use the version of gigatwin that made them."
        )
        raise ConnectorError(message)


def state_of(connection: Connection) -> dict[str, int]:
    """Return the numbers that the historian keeps about itself."""
    return dict(connection.rows("SELECT name, value FROM state").rows())


def partition_of(time: float) -> tuple[str, float] | None:
    """Return the name and the begin of a day's partition; None: the time has no own day."""
    if not FIRST <= time < LAST:
        return None
    begin = time // DAY * DAY
    return f"reading_{datetime.fromtimestamp(begin, UTC):%Y%m%d}", begin


def partitions(connection: Connection) -> pl.DataFrame:
    """Return the partitions: name, and size with indexes [byte], the oldest first."""
    return connection.rows(
        "SELECT c.relname::text AS name, pg_total_relation_size(c.oid) AS n_bytes "  # noqa: S608 - our own names
        "FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        f"WHERE i.inhparent = '{SCHEMA}.reading'::regclass "
        "ORDER BY (c.relname <> 'reading_before'), c.relname"
    )


def make_partition(connection: Connection, name: str, begin: float) -> None:
    """Make the partition of a day, in a way that waits for no reader."""
    # PARTITION OF would lock the whole table; attaching locks out no reader and no writer.
    connection.run(f"CREATE TABLE IF NOT EXISTS {name} (LIKE reading INCLUDING ALL)")
    connection.run(
        f"ALTER TABLE reading ATTACH PARTITION {name} FOR VALUES FROM ({begin}) TO ({begin + DAY})"
    )
