"""Times of several programs, taken in turns so that all of them see the same machine."""

import gc
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

REPEATS = 3
"""Measurements of each program; the best one counts, because noise only adds time."""
REPOSITORY = Path(__file__).parents[1]
_MOST_SECONDS = 600.0


class WrongResultError(Exception):
    """Programs that should compute the same thing do not, so their times mean nothing."""


@dataclass(frozen=True)
class Sample(Generic[T]):
    """One measurement: how long it took and what came out."""

    seconds: float
    """On the clock of the measurement. [s]"""
    result: T


def in_turns(
    programs: Mapping[str, Callable[[int], T]],
    clock: Callable[[], float] = time.process_time,
    repeats: int = REPEATS,
) -> dict[str, list[Sample[T]]]:
    """Measure programs in turns: a, b, a, b, ...

    Parameters
    ----------
    programs : Mapping
        Name to a call that gets the number of the repeat, for its seed.
    clock : callable
        ``time.process_time`` counts the CPU seconds of all threads, ``time.perf_counter`` is wall
        time. [s]
    repeats : int
        Measurements of each program.
    """
    samples: dict[str, list[Sample[T]]] = {name: [] for name in programs}
    for repeat in range(repeats):
        for name, program in programs.items():
            gc.collect()
            begin = clock()
            result = program(repeat)
            samples[name].append(Sample(clock() - begin, result))
    return samples


def best_seconds(samples: Sequence[Sample[T]]) -> float:
    """Return the shortest time [s]."""
    return min(sample.seconds for sample in samples)


def run_python(arguments: Sequence[str], environment: Mapping[str, str]) -> Sample[str]:
    """Run Python in a process of its own; return its wall time and what it printed.

    Raises
    ------
    RuntimeError
        If it fails, with the end of what it wrote to standard error.
    """
    begin = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own modules and texts
        [sys.executable, *arguments],
        capture_output=True,
        check=False,
        cwd=REPOSITORY,
        env=dict(environment),
        text=True,
        timeout=_MOST_SECONDS,
    )
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no message"]
        message = f"python {' '.join(arguments)[:60]}: exit code {done.returncode}: {lines[-1]}"
        raise RuntimeError(message)
    return Sample(seconds, done.stdout)
