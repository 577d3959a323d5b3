"""Whatever a small log holds: a valid description, or an error that says what is missing."""

import contextlib

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gigatwin.errors import TelemetryError
from gigatwin.events.case_log import CaseLog
from gigatwin.factory.reading import read_text
from gigatwin.factory.writing import to_yaml
from gigatwin.learning.learn import learn

SCHEMA = {
    "case": pl.String,
    "activity": pl.String,
    "machine": pl.String,
    "start": pl.Float64,
    "end": pl.Float64,
    "success": pl.Boolean,
    "format": pl.String,
    "row": pl.UInt32,
}
NAMES = ("a", "b", "c d", "out", "in", "x/y", "x.y", "")
TIMES = st.one_of(
    st.none(),
    st.integers(0, 30).map(float),
    st.floats(0.0, 1e6),
    st.sampled_from([float("nan"), float("inf"), 86_400.0, 1e-9]),
)


@st.composite
def visits(draw: st.DrawFn) -> pl.DataFrame:
    """Draw up to 40 visits with ties, gaps and names that a description cannot use."""
    n_cases = draw(st.integers(1, 12))
    names = st.one_of(st.none(), st.sampled_from(NAMES))
    rows = []
    for number in range(draw(st.integers(0, 40))):
        start, end = draw(TIMES), draw(TIMES)
        is_forward = draw(st.sampled_from([True, True, True, False]))
        if is_forward and start is not None and end is not None:
            start, end = min(start, end), max(start, end)
        case = draw(st.one_of(st.none(), st.integers(0, n_cases).map(str)))
        success = draw(st.sampled_from([None, True, False]))
        format_name = draw(st.sampled_from([None, "A", "B 1", "B.1"]))
        row = (case, draw(names), draw(names), start, end, success, format_name, number)
        rows.append(row)
    found = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    left_out = [name for name in ("format", "row") if draw(st.booleans())]
    return found.drop(left_out)


@st.composite
def serial_visits(draw: st.DrawFn) -> pl.DataFrame:
    """Draw visits of up to 12 items that go the same way, with whole seconds."""
    n, stations = draw(st.integers(2, 12)), draw(st.integers(1, 4))
    rows = []
    free = [0.0] * stations
    for case in range(n):
        ready = 0.0
        for place in range(stations):
            start = max(ready, free[place])
            ready = free[place] = start + draw(st.integers(0, 4))
            lost = draw(st.integers(0, 9))
            times = (None if lost == 1 else start, None if lost == 2 else ready)
            rows.append((str(case), f"s{place}", f"s{place}", *times, None, None, len(rows)))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def check_learning(frame: pl.DataFrame) -> None:
    learned = None
    with contextlib.suppress(TelemetryError):
        learned = learn(CaseLog(frame), "small")
    if learned is None:
        with pytest.raises(TelemetryError, match="needs"):
            learn(CaseLog(frame), "small")
        return
    assert read_text(to_yaml(learned.factory)) == learned.factory
    assert set(learned.stations) == set(learned.factory.stations)
    assert learned.table().height == len(learned.stations)
    for station in learned.stations.values():
        mean = station.times.mean
        assert mean.low <= mean.value
        if mean.n == 0:
            assert not station.times.is_identified
            assert any(item.element == f"{station.name}.time" for item in learned.unknowns)


@given(visits())
@settings(max_examples=40)
@example(pl.DataFrame(schema=SCHEMA))
def test_any_small_log_gives_a_valid_factory_or_says_what_is_missing(frame):
    check_learning(frame)


@given(serial_visits())
@settings(max_examples=25)
def test_a_short_serial_log_gives_a_valid_factory_or_says_what_is_missing(frame):
    check_learning(frame)
