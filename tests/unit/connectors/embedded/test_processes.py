"""Other processes: readers while one writes, and writers that are killed."""

import os
import subprocess
import sys

from benchmarks.historian_kills import kill_writers
from tests.unit.connectors.embedded.kept_readings import values

READER = """
import sys
from gigatwin.connectors.embedded import EmbeddedHistorian

store = EmbeddedHistorian(sys.argv[1], is_writer=False)
while True:
    print("ready", flush=True)
    if not sys.stdin.readline():
        break
    n, first, last = store.query(
        "SELECT count(*), min(row), max(row) FROM readings"
    ).rows()[0]
    read = store.read("m_1/Status.Value.x", 0.0, 1e12).height
    print(n, first, last, read >= n, flush=True)
store.close()
"""


def test_many_processes_read_whole_moments_while_one_writes(opened, monkeypatch):
    monkeypatch.setattr("gigatwin.connectors.embedded.historian.MOST_IN_JOURNAL", 400)
    store = opened()
    store.append(values(100))
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(store.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "POLARS_MAX_THREADS": "1"},
        )
        for _ in range(2)
    ]
    for reader in readers:
        assert reader.stdout.readline() == "ready\n"
    seen = 0
    for _ in range(6):
        for reader in readers:
            reader.stdin.write("go\n")
            reader.stdin.flush()
        for _ in range(4):
            last = store.append(values(100))
        for reader in readers:
            n, first, newest, is_read = reader.stdout.readline().split()
            assert (first, n, is_read) == ("1", newest, "True")
            assert seen < int(n) <= last
            assert reader.stdout.readline() == "ready\n"
        seen = last - 400
    for reader in readers:
        assert reader.communicate(timeout=60)[0] == ""
        assert reader.returncode == 0
    assert store.check().problems == ()


def test_killed_writers_lose_no_acknowledged_row_and_repeat_none(tmp_path):
    kills = kill_writers(str(tmp_path / "store"), n_kills=6, seed=4)
    assert kills.n_kills == 6
    assert (kills.n_lost, kills.n_repeated, kills.problems) == (0, 0, [])
    assert kills.n_rows > 100
