"""Times between cases."""

import polars as pl
import pytest

from gigatwin.errors import TelemetryError
from gigatwin.learning.arrivals import intervals


def steps(rows: list[tuple[str, float]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["case", "start"], orient="row")


def test_interval_is_between_first_starts_and_keeps_long_pauses():
    log = steps([("a", 0.0), ("b", 10.0), ("a", 11.0), ("c", 50_010.0)])
    assert intervals(log).tolist() == [10.0, 50_000.0]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([("a", 0.0), ("a", 5.0)], "1 case"),
        ([("a", 3.0), ("b", 3.0)], "All 2 cases"),
    ],
)
def test_log_that_shows_no_interval_is_refused(rows, found):
    with pytest.raises(TelemetryError, match=found):
        intervals(steps(rows))
