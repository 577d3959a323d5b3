"""The same work for many items on threads, in a way that Ctrl-C ends."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_LOOK = 0.1
"""Time between two looks for Ctrl-C. [s]"""


class StoppedError(Exception):
    """Another thread failed or was interrupted, so this work is not wanted any more."""


def on_threads(
    work: Callable[[T, Callable[[], None]], R],
    items: Sequence[T],
    threads: int | None = None,
    done: Callable[[], None] | None = None,
) -> list[R]:
    """Return what each item gives, in the order of the items.

    Parameters
    ----------
    work : callable
        Gets an item and a function to call now and then, which raises when work should end.
    items : sequence
        What to work on.
    threads : int, optional
        Number of threads; left out, one for each core.
    done : callable, optional
        Called after each item.
    """
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise StoppedError

    def one(item: T) -> R:
        result = work(item, check)
        if done is not None:
            done()
        return result

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        jobs = [pool.submit(one, item) for item in items]
        try:
            results = []
            for job in jobs:
                # A wait without an end would not notice Ctrl-C (polars sets SA_RESTART).
                while not job.done():
                    wait([job], timeout=_LOOK)
                results.append(job.result())
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return results
