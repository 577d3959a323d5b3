"""Writers of a historian that are killed at random moments, and what is left of their readings.

Run as a program it is such a writer: it appends, moves rows to segments and merges them without
pause, and prints the number of each row that was acknowledged.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from benchmarks.measuring import REPOSITORY, WrongResultError
from gigatwin.app.historians import open_historian
from gigatwin.connectors.embedded import EmbeddedHistorian
from gigatwin.telemetry.ports import Historian
from gigatwin.telemetry.readings import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGIN = 1_800_000_000.0
_STEP = 20.0
_LATE = 5
_COMPACT_EVERY = 3
_PATIENCE = 60.0


def reading_of_row(row: int) -> Reading:
    """Return what is written as a row: an hour goes by in 180 rows, and each fifth is late."""
    late = 7200.0 if row % _LATE == 0 else 0.0
    return Reading(f"m_{row % 7}/Status.Value.x", float(row), _BEGIN + row * _STEP - late)


def write_for_ever(where: str) -> None:
    """Append and compact until killed; print each acknowledged row."""
    historian = open_historian(where)
    row = historian.last_row()
    for number in count():
        batch = [reading_of_row(row + k) for k in range(1, 51)]
        row = historian.append(batch)
        print(row, flush=True)
        if isinstance(historian, EmbeddedHistorian) and number % _COMPACT_EVERY == 0:
            historian.compact(is_thorough=number % (3 * _COMPACT_EVERY) == 0)


@dataclass
class Kills:
    """What writers that were killed left behind."""

    n_kills: int
    n_rows: int
    """Rows that were there at the end."""
    n_lost: int
    """Acknowledged rows that were not."""
    n_repeated: int
    """Rows that were there more than once, or that say something else than was written."""
    problems: list[str]
    """What the check of the historian found."""


def kill_writers(where: str, n_kills: int, seed: int, longest: float = 0.4) -> Kills:
    """Start writers one after the other, and kill each at a random moment.

    Parameters
    ----------
    where : str
        Folder or database of the historian, empty.
    n_kills : int
        Writers to start and kill.
    seed : int
        Chooses the moments.
    longest : float
        Time from the first acknowledged row to the kill at most. [s]
    """
    moments = random.Random(seed)
    kills = Kills(0, 0, 0, 0, [])
    for _ in range(n_kills):
        acknowledged = _run_and_kill(where, moments.uniform(0.0, longest))
        kills.n_kills += 1
        with contextlib.closing(open_historian(where, is_writer=False)) as historian:
            rows = list(_all_rows(historian))
            kills.problems += historian.check().problems
        kills.n_rows = len(rows)
        kills.n_lost += len(set(range(1, acknowledged + 1)) - {row for row, _ in rows})
        kills.n_repeated += len(rows) - len({row for row, _ in rows})
        kills.n_repeated += sum(reading != reading_of_row(row) for row, reading in rows)
    return kills


def _all_rows(historian: Historian) -> "Iterator[tuple[int, Reading]]":
    last = 0
    while part := historian.after(last):
        yield from part
        last = part[-1][0]


def _run_and_kill(where: str, seconds: float) -> int:
    """Return the last row that a writer acknowledged before it was killed."""
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "benchmarks.historian_kills", where],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "POLARS_MAX_THREADS": "1"},
    )
    with process:
        if process.stdout is None:
            raise AssertionError
        first = process.stdout.readline()
        if not first:
            message = f"a writer ended with {process.wait(_PATIENCE)} before its first row."
            raise WrongResultError(message)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        # A line that was cut off was not acknowledged in full.
        told = [line for line in [first, *process.stdout] if line.endswith("\n")]
    return int(told[-1])


if __name__ == "__main__":
    write_for_ever(sys.argv[1])
