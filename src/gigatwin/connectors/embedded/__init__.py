"""The historian that needs no server: a folder with an SQLite journal and Parquet segments.

Reads: batches of readings; its own folder.
Writes: ``journal.sqlite``, ``segments/<day>/<hour>h-<number>.parquet``; tables for queries.
"""

from gigatwin.connectors.embedded.compaction import Compacted
from gigatwin.connectors.embedded.historian import EmbeddedHistorian
from gigatwin.connectors.embedded.journal import is_historian
from gigatwin.connectors.embedded.retention import Dropped

__all__ = ["Compacted", "Dropped", "EmbeddedHistorian", "is_historian"]
