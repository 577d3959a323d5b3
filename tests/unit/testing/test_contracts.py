"""A contract suite passes what keeps its promises, and fails what breaks one of them."""

import asyncio
import inspect
import sqlite3
import time

import polars as pl
import pytest

from gigatwin.errors import ConnectorError, TelemetryError
from gigatwin.telemetry import (
    Batch,
    Diagnostics,
    Quality,
    Reading,
    Receipt,
    Tag,
    TagType,
    TagWrite,
)
from gigatwin.testing import HistorianContract, SinkContract, SourceContract

TAGS = ("a/Status.CurMachSpeed", "a/Status.Value.force")


class Equipment:
    """The other side, in memory."""

    tags = TAGS
    refused = TagWrite("a/Command.Setting.fixed", 1.0)

    def __init__(self):
        self.latest = {tag: Reading(tag, 0.5, time.time()) for tag in TAGS}
        self.listeners = []
        self.written = []
        self.is_there = True

    async def change(self, tag, value):
        self.latest[tag] = Reading(tag, value, time.time())
        for listener in self.listeners:
            listener(Batch((self.latest[tag],), time.time()))

    async def restart(self):
        for listener in self.listeners:
            listener(None)

    async def close(self):
        self.is_there = False


class MemorySource:
    def __init__(self, equipment, fault=""):
        self.equipment = equipment
        self.fault = fault
        self.queue = asyncio.Queue()
        self.counts = {"batches": 0, "readings": 0, "reconnections": 0}
        self.is_open = False
        self.error = ""

    async def open(self):
        if self.equipment is None:
            self.error = "memory: nobody there; start the equipment"
            raise ConnectorError(self.error)
        self.is_open = True
        self.equipment.listeners.append(self.hear)
        await self.refresh()

    def hear(self, batch):
        if batch is None:
            self.counts["reconnections"] += self.fault != "counts no reconnection"
            self.equipment.listeners.remove(self.hear)
            if self.fault != "stays away":
                self.equipment.listeners.append(self.hear)
            return
        if self.fault == "loses" and batch.readings[0].value == 105.0:
            return
        if self.fault == "turns round" and batch.readings[0].value == 105.0:
            waiting = self.queue.get_nowait() if not self.queue.empty() else None
            self.queue.put_nowait(batch)
            if waiting is not None:
                self.queue.put_nowait(waiting)
            return
        self.queue.put_nowait(batch)

    async def browse(self):
        names = TAGS if self.fault != "names no element" else (*TAGS, "speed")
        return [Tag(name, TagType.REAL) for name in names]

    async def batches(self):
        while (batch := await self.queue.get()) is not None:
            self.counts["batches"] += 1
            self.counts["readings"] += len(batch.readings)
            yield batch
        if self.fault == "never ends":
            await asyncio.sleep(3600.0)

    async def refresh(self):
        is_snapshot = self.fault != "marks no snapshot"
        readings = tuple(self.equipment.latest.values())
        self.queue.put_nowait(Batch(readings, time.time(), is_snapshot=is_snapshot))

    async def close(self):
        if self.is_open and self.hear in self.equipment.listeners:
            self.equipment.listeners.remove(self.hear)
        self.is_open = self.is_open and self.fault == "stays connected"
        self.queue.put_nowait(None)

    def diagnostics(self):
        text = "secret" if self.fault == "tells a secret" else ""
        return Diagnostics("memory", self.is_open, self.counts, self.error + text)


class MemorySink:
    def __init__(self, equipment, fault="", *, is_writing):
        self.equipment = equipment
        self.fault = fault
        self.is_writing = is_writing or fault == "always writes"
        self.done = {}

    async def open(self):
        pass

    async def send(self, instruction):
        if instruction.identity in self.done and self.fault != "repeats":
            return self.done[instruction.identity]
        text = ""
        for write in instruction.writes:
            if not self.is_writing:
                text = "writing is switched off"
            elif instruction.expires < time.time() and self.fault != "ignores expiry":
                text = "expired"
            elif write.tag not in TAGS:
                text = f"{write.tag} refused" if self.fault != "names no tag" else "refused"
            elif not self.equipment.is_there:
                if self.fault == "raises":
                    raise ConnectorError(instruction.identity)
                text = "gone"
        if not text:
            self.equipment.written += instruction.writes
        receipt = Receipt(instruction.identity, not text, text)
        if not text:
            self.done[instruction.identity] = receipt
        return receipt

    async def close(self):
        pass

    def diagnostics(self):
        return Diagnostics("memory")


class TableHistorian:
    """A historian that is one table of SQLite, which knows what it is doing."""

    def __init__(self, path, fault=""):
        self.fault = fault
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS readings"
            '("row" INTEGER PRIMARY KEY, tag, time, value, text, quality, kind)'
        )

    def append(self, readings):
        rows = [
            (r.tag, r.source_time, *self._split(r.value), int(r.quality), type(r.value).__name__)
            for r in readings
        ]
        self.connection.execute("BEGIN")
        columns = "tag, time, value, text, quality, kind"
        self.connection.executemany(
            f"INSERT INTO readings ({columns}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - ours
            rows,
        )
        self.connection.execute("COMMIT")
        found = self.connection.execute("SELECT max(row) FROM readings").fetchone()
        return found[0] or 0

    @staticmethod
    def _split(value):
        return (None, value) if isinstance(value, str) else (value, None)

    def _readings(self, query, *values):
        for row, tag, moment, value, text, quality in self.connection.execute(query, values):
            reading = Reading(tag, text if text is not None else value, moment, Quality(quality))
            yield row, reading

    def after(self, row, limit=100_000):
        limit = 100_000 if self.fault == "ignores the limit" else limit
        return list(
            self._readings(
                "SELECT row, tag, time, value, text, quality FROM readings "
                "WHERE row > ? ORDER BY row LIMIT ?",
                row,
                limit,
            )
        )

    def latest(self):
        order = "row" if self.fault == "latest by arrival" else "time, row"
        query = f"SELECT row, tag, time, value, text, quality FROM readings ORDER BY {order}"  # noqa: S608 - ours
        return {reading.tag: reading for _, reading in self._readings(query)}

    def read(self, tag, begin, end):
        order = "row" if self.fault == "reads by arrival" else "time"
        rows = self.connection.execute(
            "SELECT time, value, text, quality FROM readings "  # noqa: S608 - ours
            f"WHERE tag = ? AND time >= ? AND time < ? ORDER BY {order}",
            (tag, begin, end),
        ).fetchall()
        schema = {"time": pl.Float64, "value": pl.Float64, "text": pl.String, "quality": pl.Int64}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def query(self, sql):
        try:
            cursor = self.connection.execute(sql)
        except sqlite3.Error as error:
            raise TelemetryError(str(error)) from error
        names = [column[0] for column in cursor.description]
        return pl.DataFrame(cursor.fetchall(), schema=names, orient="row", infer_schema_length=None)

    def close(self):
        if self.fault == "forgets":
            self.connection.execute("DELETE FROM readings")
        self.connection.close()
        if self.fault == "closes once":
            self.connection.execute("SELECT 1")


def suites(kind, fault, folder):
    """Return an instance of a suite for a connector in memory with a fault."""

    class OfSource(SourceContract):
        patience = 0.3
        secrets = ("secret",)

        async def start_other_side(self):
            return Equipment()

        def make_source(self, other):
            return MemorySource(other, fault)

        def make_source_to_nowhere(self):
            return MemorySource(None, fault)

    class OfSink(SinkContract):
        async def start_other_side(self):
            return Equipment()

        def make_sink(self, other, *, is_writing):
            return MemorySink(other, fault, is_writing=is_writing)

    class OfHistorian(HistorianContract):
        def open(self):
            return TableHistorian(folder / "readings.db", fault)

    return {"source": OfSource, "sink": OfSink, "historian": OfHistorian}[kind]()


def promises(suite):
    return [name for name, _ in inspect.getmembers(suite, inspect.ismethod) if "test_" in name[:5]]


@pytest.mark.parametrize("kind", ["source", "sink", "historian"])
def test_what_keeps_its_promises_passes(kind, tmp_path):
    names = promises(suites(kind, "", tmp_path))
    assert len(names) >= 8
    for name in names:
        folder = tmp_path / name
        folder.mkdir()
        getattr(suites(kind, "", folder), name)()


FAULTS = [
    ("source", "loses", "test_changes_of_a_tag_arrive_in_order_and_none_is_missing"),
    ("source", "turns round", "test_changes_of_a_tag_arrive_in_order_and_none_is_missing"),
    ("source", "names no element", "test_browsing_lists_each_tag_once_with_its_element"),
    ("source", "marks no snapshot", "test_a_refresh_brings_the_present_values_as_snapshots"),
    ("source", "stays away", "test_values_flow_again_after_the_other_side_restarts"),
    ("source", "counts no reconnection", "test_values_flow_again_after_the_other_side_restarts"),
    ("source", "never ends", "test_closing_ends_the_batches_and_can_be_repeated"),
    ("source", "stays connected", "test_closing_ends_the_batches_and_can_be_repeated"),
    ("source", "tells a secret", "test_diagnostics_count_what_came_and_keep_secrets"),
    ("sink", "always writes", "test_it_writes_nothing_unless_writing_is_switched_on"),
    ("sink", "repeats", "test_the_same_instruction_is_carried_out_once"),
    ("sink", "ignores expiry", "test_an_expired_instruction_is_refused"),
    ("sink", "names no tag", "test_a_refusal_names_the_tag"),
    ("sink", "raises", "test_an_other_side_that_has_gone_is_a_refusal"),
    ("historian", "ignores the limit", "test_after_returns_what_is_new_a_part_at_a_time"),
    ("historian", "latest by arrival", "test_latest_is_the_newest_by_source_time"),
    ("historian", "reads by arrival", "test_one_tag_is_read_between_two_times"),
    ("historian", "forgets", "test_what_was_acknowledged_is_there_after_opening_again"),
    ("historian", "closes once", "test_closing_can_be_repeated"),
]


@pytest.mark.parametrize(("kind", "fault", "name"), FAULTS)
def test_broken_promise_is_found(kind, fault, name, tmp_path):
    suite = suites(kind, fault, tmp_path)
    with pytest.raises((AssertionError, ConnectorError, TimeoutError, sqlite3.Error)):
        getattr(suite, name)()
