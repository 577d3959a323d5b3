"""A growing log: a CSV file, or a folder of Parquet files, followed while somebody writes it.

Reads: rows of time, tag, value and quality, or of time and one column for each tag.
Writes: batches of readings; nothing to the file.
"""

from gigatwin.connectors.files.settings import FileSettings
from gigatwin.connectors.files.sink import FileSink
from gigatwin.connectors.files.source import FileSource

__all__ = ["FileSettings", "FileSink", "FileSource"]
