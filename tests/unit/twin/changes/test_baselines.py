"""What stations did before comes from the counters that were kept."""

import polars as pl
import pytest

from gigatwin.twin.changes.baselines import seen_before

NOW = 100_000.0


class Kept:
    """A historian with counters only."""

    def __init__(self, counters):
        self.counters = counters

    def read(self, tag, begin, end):
        rows = [row for row in self.counters.get(tag, []) if begin <= row[0] < end]
        return pl.DataFrame(rows, schema={"time": pl.Float64, "value": pl.Float64}, orient="row")


def counter(rate, begin=NOW - 20_000, start=500.0):
    return [(float(t), start + rate * (t - begin)) for t in range(int(begin), int(NOW) + 1, 100)]


@pytest.fixture
def seen(factory, book):
    for machine in ("press_1", "press_2", "oven"):
        book.values[f"{machine}/Admin.ProdProcessedCount"] = 0
        book.values[f"{machine}/Admin.ProdDefectiveCount"] = 0

    def seeing(counters, seconds=10_000.0):
        kept = Kept({f"{name}Count": rows for name, rows in counters.items()})
        return seen_before(factory, ["press", "oven"], book, kept, NOW, seconds)

    return seeing


def test_items_of_all_machines_are_added(seen):
    found = seen({
        "press_1/Admin.ProdProcessed": counter(0.1),
        "press_1/Admin.ProdDefective": counter(0.01),
        "press_2/Admin.ProdProcessed": counter(0.2),
    })  # fmt: skip
    assert list(found) == ["press"], "the oven has no counter"
    assert found["press"].good == pytest.approx(2900)
    assert found["press"].scrap == pytest.approx(100)
    assert found["press"].seconds == 10_000


def test_counter_that_was_set_to_0_goes_on(seen):
    rows = counter(0.1, begin=NOW - 10_000)
    reset = [(time, value if time < NOW - 5000 else value - rows[50][1]) for time, value in rows]
    found = seen({"oven/Admin.ProdProcessed": reset})
    assert found["oven"].good == pytest.approx(990)


def test_less_than_was_asked_for_is_taken_as_it_is(seen):
    found = seen({"oven/Admin.ProdProcessed": counter(0.1, begin=NOW - 2000)})
    assert found["oven"].seconds == 2000
    assert found["oven"].good == pytest.approx(200)


def test_machine_that_stood_still_in_the_end_counts_all_the_time(seen):
    rows = [row for row in counter(0.1) if row[0] < NOW - 5000]
    found = seen({"oven/Admin.ProdProcessed": rows})
    assert found["oven"].seconds == 10_000
    assert found["oven"].good == pytest.approx(490)


def test_few_items_say_nothing(seen):
    assert seen({"oven/Admin.ProdProcessed": counter(0.001)}) == {}
