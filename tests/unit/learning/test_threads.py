"""Work on threads."""

import threading
import time

import pytest

from gigatwin.learning.threads import StoppedError, on_threads


def test_results_stand_in_the_order_of_the_items():
    done = []
    found = on_threads(lambda n, _: n**2, range(50), 4, lambda: done.append(1))
    assert found == [n**2 for n in range(50)]
    assert len(done) == 50


def test_failure_of_one_stops_the_others():
    started = threading.Event()
    stopped = []

    def work(item, check):
        if item == 0:
            started.wait(60)
            raise KeyError
        started.set()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                check()
            except StoppedError:
                stopped.append(item)
                raise

    with pytest.raises(KeyError):
        on_threads(work, range(2), 2)
    assert stopped == [1]
