"""What of a log can be used, and what is said of the rest."""

import polars as pl
import pytest

from gigatwin.errors import TelemetryError
from gigatwin.learning.usable import usable


def frame(**columns: list[object]) -> pl.DataFrame:
    n = len(next(iter(columns.values())))
    whole = {
        "case": [str(k) for k in range(n)],
        "activity": ["a"] * n,
        "machine": ["m"] * n,
        "start": [10.0 * k for k in range(n)],
        "end": [10.0 * k + 5.0 for k in range(n)],
    }
    return pl.DataFrame({**whole, **columns}, strict=False)


def test_good_visits_stay_as_they_are():
    visits = frame(start=[0.0, 10.0, 20.0])
    found, notes = usable(visits)
    assert found.equals(visits)
    assert notes == ()


def test_times_that_are_no_numbers_become_missing():
    found, notes = usable(frame(start=[0.0, float("nan"), float("inf")]))
    assert found["start"].to_list() == [0.0, None, None]
    assert notes == ("2 times are no numbers and taken as missing.",)


def test_visits_without_case_or_time_are_left_out():
    found, notes = usable(frame(case=["1", None, "3"], start=[0, 0, None], end=[1, 1, None]))
    assert found["case"].to_list() == ["1"]
    assert notes == (
        "1 visit without case or activity left out.",
        "1 visit without any time left out.",
    )


def test_activity_and_machine_stand_in_for_each_other():
    found, _ = usable(frame(activity=["a", "", None], machine=[None, "m", " "]))
    assert found.select("activity", "machine").rows() == [("a", "a"), ("m", "m")]


def test_copies_count_once():
    found, notes = usable(frame(case=["1", "1"], start=[3.0, 3.0], end=[4.0, 4.0]))
    assert found.height == 1
    assert notes == ("1 visit left out as copies of others.",)


def test_few_ends_before_their_start_are_missing_and_many_are_an_error():
    ends = [10.0 * k + 5.0 for k in range(40)]
    ends[7] = 3.0
    found, notes = usable(frame(end=ends))
    assert found["end"].null_count() == 1
    assert "at 'm' with the end before the start" in notes[0]
    with pytest.raises(TelemetryError, match="1 of 3 visits end before they start"):
        usable(frame(end=[5.0, 1.0, 25.0]))


def test_slip_of_a_clock_is_a_visit_of_no_time():
    found, _ = usable(frame(end=[5.0, 9.8, 25.0]))
    assert found["end"].to_list() == [5.0, 10.0, 25.0]


def test_formats_keep_different_names():
    found, notes = usable(frame(format=["a b", "a_b", "a.b", None, " "]))
    assert found["format"].to_list() == ["a_b-2", "a_b", "a_b-3", None, None]
    assert "'a b' is 'a_b-2'" in notes[0]
