"""Historians beside their targets: how fast they keep rows, how fast they find one tag, and kills.

``python -m benchmarks.historian`` measures everything; names choose parts.
"""

import argparse
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.historian_kills import kill_writers
from benchmarks.machine import describe_machine
from benchmarks.measuring import REPEATS, Sample, WrongResultError, best_seconds, in_turns
from benchmarks.private_postgres import private_server, programs
from benchmarks.table import Row, as_text, at_least, at_most
from gigatwin.connectors.embedded import EmbeddedHistorian
from gigatwin.connectors.postgres import PostgresHistorian
from gigatwin.connectors.postgres.address import Address
from gigatwin.connectors.postgres.connection import Connection
from gigatwin.connectors.postgres.tables import make_partition, partition_of, require_tables
from gigatwin.telemetry.kept import kept_frame, kept_rows
from gigatwin.telemetry.ports import Historian
from gigatwin.telemetry.readings import Reading

_BEGIN = 1_800_000_000.0
_RATE = 2500.0
_N_TAGS = 1000
_BATCH, _LARGE = 1000, 10_000
_TAGS = tuple(f"machine_{k // 20}/Status.Value.x{k % 20}" for k in range(_N_TAGS))
_N_ROWS = 300_000
_MANY_ROWS = 5_000_000
_N_KILLS = 100
_ONE_TAG = 777


def _readings(first: int, n: int) -> list[Reading]:
    """Return rows of a plant with 1 000 tags and 2 500 changes a second."""
    return [
        Reading(_TAGS[k % _N_TAGS], (k * 7919 % 10_007) / 7.0, _BEGIN + k / _RATE)
        for k in range(first, first + n)
    ]


def _batches(n_rows: int, size: int = _BATCH) -> list[list[Reading]]:
    return [_readings(first, size) for first in range(0, n_rows, size)]


def _append_all(historian: Historian, batches: list[list[Reading]]) -> int:
    """Append every batch with a commit of its own; return the last row."""
    last = 0
    for batch in batches:
        last = historian.append(batch)
    return last


def _rates(
    programs: dict[str, Callable[[int], int]], n_rows: int
) -> tuple[dict[str, float], dict[str, list[Sample[int]]]]:
    """Return rows per second of wall time for each program, the best of its repeats."""
    samples = in_turns(programs, time.perf_counter)
    wrong = {name for name, runs in samples.items() if {run.result for run in runs} != {n_rows}}
    if wrong:
        message = f"{', '.join(sorted(wrong))}: not {n_rows} rows."
        raise WrongResultError(message)
    return {name: n_rows / best_seconds(runs) for name, runs in samples.items()}, samples


def embedded_rows(share: float) -> list[Row]:
    """Return the rows on appending to a folder, with compaction in the background."""
    n_rows = max(_LARGE, int(_N_ROWS * share) // _LARGE * _LARGE)
    batches = _batches(n_rows)

    def ours(_repeat: int) -> int:
        with (
            tempfile.TemporaryDirectory() as folder,
            closing(EmbeddedHistorian(folder)) as historian,
        ):
            return _append_all(historian, batches)

    def sqlite(_repeat: int) -> int:
        """Only the table: no tags by name, no current values, no segments, nothing to query."""
        with tempfile.TemporaryDirectory() as folder:
            connection = sqlite3.connect(f"{folder}/plain.sqlite", isolation_level=None)
            with closing(connection):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("CREATE TABLE r (tag TEXT, value REAL, time REAL, quality INT)")
                for batch in batches:
                    connection.execute("BEGIN")
                    connection.executemany("INSERT INTO r VALUES (?, ?, ?, ?)", batch)
                    connection.execute("COMMIT")
                return int(connection.execute("SELECT count(*) FROM r").fetchone()[0])

    def duck(_repeat: int) -> int:
        """DuckDB's own file, which nobody else can open meanwhile."""
        with (
            tempfile.TemporaryDirectory() as folder,
            closing(duckdb.connect(f"{folder}/plain.duckdb")) as connection,
        ):
            connection.execute("CREATE TABLE r (tag VARCHAR, time DOUBLE, value DOUBLE)")
            for batch in batches:
                rows = [(row, *kept) for row, kept in enumerate(kept_rows(batch))]
                columns = kept_frame(rows).select("tag", "time", "value")
                connection.register("batch", _Stream(columns))
                connection.execute("INSERT INTO r SELECT * FROM batch")
            return int(connection.execute("SELECT count(*) FROM r").fetchall()[0][0])

    rates, _ = _rates({"ours": ours, "sqlite": sqlite, "duck": duck}, n_rows)
    details = (
        f"{n_rows} rows, closed at the end; {rates['ours'] / rates['sqlite']:.2f} of a bare SQLite "
        f"table, {rates['ours'] / rates['duck']:.1f} of a DuckDB file"
    )
    return [
        at_least("folder, 1 000-row batches", rates["ours"] / 1e3, 150, "k rows/s", details),
        Row("  a bare SQLite table", f"{rates['sqlite'] / 1e3:.3g} k rows/s"),
        Row("  a DuckDB file", f"{rates['duck'] / 1e3:.3g} k rows/s"),
    ]


class _Stream:
    """A table as DuckDB can read it where pyarrow is not installed."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def postgres_rows(share: float) -> list[Row]:
    """Return the rows on appending to a server of its own, every commit on its disk."""
    folder = programs()
    if folder is None:
        return [Row("PostgreSQL", "not installed")]
    n_rows = max(_LARGE, int(_N_ROWS * share) // _LARGE * _LARGE)
    batches, large = _batches(n_rows), _batches(n_rows, _LARGE)

    with private_server(folder) as url, tempfile.TemporaryDirectory() as home:
        script = Path(home, "copy.sql")
        script.write_text(_copy_script(batches), encoding="utf-8")

        def ours(_repeat: int, batches: list[list[Reading]] = batches) -> int:
            _empty(url)
            with closing(PostgresHistorian(url)) as historian:
                return _append_all(historian, batches)

        def psql(_repeat: int) -> int:
            """COPY of the same rows into the same tables by PostgreSQL's own program."""
            _empty(url, with_tables=True)
            command = [str(folder / "psql"), url, "-qv", "ON_ERROR_STOP=1", "-f", str(script)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
            with closing(Connection(Address.parse(url), is_writer=False)) as connection:
                return int(connection.rows("SELECT count(*) AS n FROM reading")["n"][0])

        rates, _ = _rates(
            {"ours": ours, "psql": psql, "large": lambda repeat: ours(repeat, large)}, n_rows
        )
    details = (
        f"{n_rows} rows, connecting and making tables included; "
        f"{rates['ours'] / rates['psql']:.2f} of COPY by psql into the same tables"
    )
    return [
        at_least("PostgreSQL, 1 000-row batches", rates["ours"] / 1e3, 100, "k rows/s", details),
        Row("  COPY by psql, 1 000-row batches", f"{rates['psql'] / 1e3:.3g} k rows/s"),
        Row("PostgreSQL, 10 000-row batches", f"{rates['large'] / 1e3:.3g} k rows/s"),
    ]


def _empty(url: str, *, with_tables: bool = False) -> None:
    """Remove the historian of a database; make its empty tables where they are wanted."""
    with closing(Connection(Address.parse(url), is_writer=True)) as connection:
        connection.run("DROP SCHEMA IF EXISTS gigatwin CASCADE")
        connection.run("CHECKPOINT")
        if with_tables:
            require_tables(connection, url, is_writer=True)
            day = partition_of(_BEGIN)
            if day is not None:
                make_partition(connection, *day)


def _copy_script(batches: list[list[Reading]]) -> str:
    """Return a script for psql: one COPY, and so one transaction, for each batch."""
    numbers = {tag: number for number, tag in enumerate(_TAGS, 1)}
    parts, row = [], 0
    for batch in batches:
        parts.append("COPY gigatwin.reading FROM STDIN;")
        for reading in batch:
            row += 1
            number = numbers[reading.tag]
            parts.append(f"{row}\t{number}\t{reading.source_time}\t{reading.value}\t\\N\t0\t3")
        parts.append("\\.")
    return "\n".join(parts) + "\n"


def one_tag_rows(share: float) -> list[Row]:
    """Return the rows on finding one tag among all rows of a folder."""
    n_rows = max(100_000, int(_MANY_ROWS * share))
    tag, end = _TAGS[_ONE_TAG], _BEGIN + n_rows / _RATE
    with tempfile.TemporaryDirectory() as folder, closing(EmbeddedHistorian(folder)) as historian:
        for first in range(0, n_rows, 50_000):
            historian.append(_readings(first, 50_000))

        def ours(_repeat: int) -> int:
            return historian.read(tag, _BEGIN, end).height

        before = in_turns({"ours": ours}, time.perf_counter, 7)["ours"]
        historian.compact()
        size = historian.n_bytes() / n_rows
        files = f"{folder}/segments/*/*.parquet"
        with closing(duckdb.connect()) as connection:

            def duck(_repeat: int) -> int:
                sql = f"SELECT time, value FROM '{files}' WHERE tag = ? ORDER BY time"  # noqa: S608 - nothing in it comes from outside
                return len(connection.execute(sql, [tag]).fetchnumpy()["time"])

            def sql(_repeat: int) -> int:
                query = f"SELECT time, value FROM readings WHERE tag = '{tag}'"  # noqa: S608 - nothing in it comes from outside
                return historian.query(query).height

            times = in_turns({"ours": ours, "duck": duck, "sql": sql}, time.perf_counter, 7)
        found = {run.result for runs in (before, *times.values()) for run in runs}
        if found != {n_rows // _N_TAGS}:
            message = f"one tag: {found} rows, must be {n_rows // _N_TAGS}."
            raise WrongResultError(message)
    ms = {name: 1e3 * best_seconds(runs) for name, runs in (*times.items(), ("before", before))}
    what = f"one tag of {n_rows / 1e6:g} M rows"
    details = (
        f"best of 7; {ms['ours'] / ms['duck']:.2f} of DuckDB on the same files; "
        f"{size:.1f} B/row on disk"
    )
    return [
        at_most(f"{what}, read", ms["ours"], 50, "ms", details),
        at_most(f"{what}, read before a thorough compaction", ms["before"], 50, "ms"),
        Row(f"{what}, in SQL", f"{ms['sql']:.3g} ms", details="a connection of its own each time"),
        Row("  DuckDB on the same files", f"{ms['duck']:.3g} ms"),
    ]


def kill_rows(share: float) -> list[Row]:
    """Return the rows on writers that are killed at random moments."""
    n_kills = max(3, int(_N_KILLS * share))
    with tempfile.TemporaryDirectory() as folder:
        kills = kill_writers(folder, n_kills, seed=1)
    wrong = kills.n_lost + kills.n_repeated + len(kills.problems)
    details = f"{kills.n_rows} rows in the end; {'; '.join(kills.problems[:3]) or 'verified'}"
    measured = f"{kills.n_lost} lost, {kills.n_repeated} repeated"
    what = f"rows after {n_kills} kills of the writer"
    return [Row(what, measured, "0 lost, 0 repeated", wrong == 0, details)]


_MEASUREMENTS: dict[str, Callable[[float], list[Row]]] = {
    "folder": embedded_rows,
    "postgres": postgres_rows,
    "tag": one_tag_rows,
    "kills": kill_rows,
}


def main() -> int:
    """Return 1 when a result is wrong; a missed target is only shown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.historian", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="NAME", help=f"of {', '.join(_MEASUREMENTS)}")
    parser.add_argument("--scale", type=float, default=1.0, help="shorten to this share")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.only) - set(_MEASUREMENTS))
    if unknown:
        parser.error(f"NAME: {unknown[0]}; must be one of {', '.join(_MEASUREMENTS)}")
    print(*describe_machine(), f"best of {REPEATS}, programs in turns, wall time", sep="\n")
    rows: list[Row] = []
    for name, measure in _MEASUREMENTS.items():
        if not arguments.only or name in arguments.only:
            rows += measure(arguments.scale)
    print("", as_text(rows), sep="\n")
    kills = [row for row in rows if row.target.startswith("0 lost")]
    return int(any(row.is_met is False for row in kills))


if __name__ == "__main__":
    sys.exit(main())
