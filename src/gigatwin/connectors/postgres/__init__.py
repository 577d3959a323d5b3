"""The historian on a PostgreSQL server, through ADBC.

Reads: batches of readings; a database, with its password from the environment.
Writes: the schema ``gigatwin``: readings by day, tags, current values; tables for queries.
"""

from gigatwin.connectors.postgres.historian import PostgresHistorian
from gigatwin.connectors.postgres.maintenance import Dropped

__all__ = ["Dropped", "PostgresHistorian"]
