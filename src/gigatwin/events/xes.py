"""Event logs in XES (IEEE 1849), read as a stream."""

import gzip
import zlib
from typing import IO
from xml.etree import ElementTree as ET
from xml.parsers import expat

import polars as pl

from gigatwin.errors import TelemetryError

CASE = "case:concept:name"
"""Column with the name of the trace that an event is in."""

_VALUES = {"string", "date", "int", "float", "boolean", "id"}
_FIRST = (CASE, "concept:name", "org:resource", "time:timestamp", "lifecycle:transition")


class _Events:
    """A target for the parser that keeps the values of events and refuses document types.

    A document type can declare entities that grow without limit when they are put in.
    """

    def __init__(self) -> None:
        self.case: dict[str, str] = {}
        self.event: dict[str, str] | None = None
        self.inside: list[str] = []
        self.columns: dict[str, list[str | None]] = {}
        self.n_events = 0
        self.root = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rsplit("}", 1)[-1]
        if not self.inside:
            self.root = name
        parent = self.inside[-1] if self.inside else ""
        self.inside.append(name)
        if name == "trace":
            self.case = {}
        elif name == "event":
            self.event = {}
        elif name in _VALUES and "key" in attributes:
            key, value = attributes["key"], attributes.get("value", "")
            if parent == "event" and self.event is not None:
                self.event[key] = value
            elif parent == "trace":
                self.case[f"case:{key}"] = value

    def end(self, tag: str) -> None:
        del tag
        name = self.inside.pop()
        if name == "event" and self.event is not None:
            self._keep({**self.case, **self.event})
            self.event = None

    def _keep(self, values: dict[str, str]) -> None:
        for key, value in values.items():
            column = self.columns.setdefault(key, [])
            if len(column) < self.n_events:
                column.extend([None] * (self.n_events - len(column)))
            column.append(value)
        self.n_events += 1

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        del name, public, system
        message = "has a document type (<!DOCTYPE ...>), which a log does not need; remove it"
        raise TelemetryError(message)

    def table(self) -> pl.DataFrame:
        """Return the events so far; the last ends short columns."""
        for column in self.columns.values():
            column.extend([None] * (self.n_events - len(column)))
        first = [name for name in _FIRST if name in self.columns]
        order = [*first, *(name for name in self.columns if name not in first)]
        values = {name: self.columns[name] for name in order}
        return pl.DataFrame(values, schema=dict.fromkeys(order, pl.String))


def xes_table(stream: IO[bytes], file: str) -> pl.DataFrame:
    """Return the events of an XES log, one row each, all text.

    Parameters
    ----------
    stream : binary file
        The XML.
    file : str
        Name of the file, for messages.

    Returns
    -------
    polars.DataFrame
        The attributes of the events under their own names, those of their traces with ``case:``
        in front. Attributes of attributes, lists, and events outside a trace's attributes are
        read as far as these columns go.

    Raises
    ------
    TelemetryError
        If it is not XML, has a document type, or is no log with events.
    """
    target = _Events()
    parser = ET.XMLParser(target=target)  # noqa: S314 - document types are refused
    try:
        while block := stream.read(1 << 20):
            parser.feed(block)
        parser.close()
    except TelemetryError as error:
        message = f"{file}: {error}"
        raise TelemetryError(message) from error
    except (ET.ParseError, expat.ExpatError, OSError, EOFError, zlib.error) as error:
        kind = "gzip" if isinstance(error, gzip.BadGzipFile | EOFError | zlib.error) else "XML"
        message = f"{file}: not readable as {kind} ({error}); needs a whole XES file"
        raise TelemetryError(message) from error
    table = target.table()
    if target.root != "log" or table.is_empty():
        message = (
            f"{file}: is XML with <{target.root}>, {table.height} events; needs an XES log: "
            "<log> with <trace> and <event>"
        )
        raise TelemetryError(message)
    return table
