"""Measures of a log of visits, by hand."""

import numpy as np
import polars as pl
import pytest

from gigatwin.errors import TelemetryError
from gigatwin.learning.check.log_measures import log_ends, measures, state_shares, visits_of_frame

# Two stations in a row; case 3 is still at the second one when the log ends at 60 s.
ROWS = [
    ("1", "a", 0.0, 10.0),
    ("1", "b", 12.0, 20.0),
    ("2", "a", 10.0, 20.0),
    ("2", "b", 22.0, 30.0),
    ("3", "a", 40.0, 50.0),
    ("3", "b", 52.0, None),
]


def frame(rows):
    return pl.DataFrame(
        rows,
        schema={"case": pl.String, "station": pl.String, "start": pl.Float64, "end": pl.Float64},
        orient="row",
    )


@pytest.fixture
def found():
    return measures(frame(ROWS), end=60.0)


def test_output_counts_the_cases_that_left(found):
    assert found.n_finished == 2
    assert found.throughput.mean == pytest.approx(2 / 60)
    assert found.throughput.n == 20


def test_contents_count_a_case_that_is_still_inside(found):
    assert found.in_process.mean == pytest.approx((20 + 20 + 20) / 60)


def test_lead_times_are_those_of_complete_cases(found):
    assert found.lead_times.tolist() == [20.0, 20.0]
    assert found.lead_time_quantiles(0.5) == (20.0,)


def test_station_is_occupied_while_an_item_is_in_it(found):
    second = found.stations["b"]
    assert second.occupied == pytest.approx((8 + 8 + 8) / 60)
    assert second.idle_share == pytest.approx(1 - 24 / 60)
    assert second.gaps.tolist() == [2.0, 22.0]
    assert second.departures.tolist() == [10.0]
    assert second.visits == 3
    assert second.mean == 8.0
    assert second.quantiles(0.0, 1.0) == (8.0, 8.0)
    assert second.wait == 2.0


def test_moves_leave_out_the_end_of_a_case_that_is_still_inside(found):
    assert found.moves.tolist() == [[0, 3, 0], [0, 0, 2]]


def test_case_inside_at_the_begin_counts_for_contents_and_not_for_lead_times():
    found = measures(frame(ROWS), begin=5.0, end=60.0)
    assert found.in_process.mean == pytest.approx((15 + 20 + 20) / 55)
    assert found.lead_times.tolist() == [20.0]
    assert found.n_finished == 2


def test_overlapping_visits_are_two_items_and_no_idle_time():
    rows = [("1", "a", 0.0, 10.0), ("2", "a", 4.0, 6.0), ("3", "a", 12.0, 16.0)]
    station = measures(frame(rows)).stations["a"]
    assert station.occupied == pytest.approx(16 / 16)
    assert station.idle_share == pytest.approx(2 / 16)
    assert station.gaps.tolist() == [0.0, 2.0]


def test_lost_end_does_not_keep_a_case_inside_for_ever():
    rows = [(str(k), "a", 10.0 * k, 10.0 * k + 5) for k in range(100)]
    rows[3] = ("3", "a", 30.0, None)
    found = measures(frame(rows))
    assert found.n_finished == 100
    assert found.in_process.mean == pytest.approx(500 / 995)
    assert len(found.lead_times) == 99


def test_rows_without_times_or_station_are_left_out():
    rows = [*ROWS, ("9", "a", None, None), ("9", None, 3.0, 4.0)]
    assert measures(frame(rows), end=60.0).n_cases == 3


def test_order_of_the_rows_does_not_matter(found):
    shuffled = frame(ROWS).sample(fraction=1.0, shuffle=True, seed=1)
    other = measures(shuffled, end=60.0)
    assert other.moves.tolist() == found.moves.tolist()
    assert other.in_process == found.in_process


def test_single_visit_is_measured():
    found = measures(frame([("1", "a", 3.0, 7.0)]))
    assert found.throughput.mean == pytest.approx(1 / 4)
    assert found.lead_times.tolist() == [4.0]


def test_window_without_visits_is_empty():
    found = measures(frame(ROWS), begin=100.0, end=200.0)
    assert found.n_cases == 0
    assert found.in_process.mean == 0
    assert found.stations["a"].idle_share == 1.0
    assert np.isnan(found.stations["a"].mean)


@pytest.mark.parametrize("rows", [[], [("1", "a", None, None)]])
def test_log_without_times_is_refused(rows):
    with pytest.raises(TelemetryError, match="none with a time"):
        measures(frame(rows))


def test_log_in_which_no_time_passes_is_refused():
    with pytest.raises(TelemetryError, match="the end must be after the begin"):
        measures(frame([("1", "a", 2.0, 2.0)]))


def test_whole_campaign_begins_and_ends_empty():
    rows = [
        (str(k), name, 10.0 * k + d, 10.0 * k + d + 9)
        for k in range(50)
        for name, d in (("a", 0.0), ("b", 20.0), ("c", 40.0))
    ]
    ends = log_ends(visits_of_frame(frame(rows)))
    assert ends.begins_empty
    assert ends.is_drained
    assert ends.end == 490.0


def test_log_cut_out_of_a_running_line_begins_and_ends_full():
    rows = [
        (str(k), name, 10.0 * k + d, 10.0 * k + d + 9)
        for k in range(50)
        for name, d in (("a", 0.0), ("b", 20.0), ("c", 40.0))
        if 10.0 * k + d >= 100 and 10.0 * k + d + 9 <= 400
    ]
    ends = log_ends(visits_of_frame(frame(rows)))
    assert not ends.begins_empty
    assert not ends.is_drained
    assert ends.end == 399.0


def test_state_shares_are_those_within_the_window():
    states = pl.DataFrame(
        {
            "station": ["a", "a", "a"],
            "state": ["EXECUTING", "BREAKDOWN", "EXECUTING"],
            "start": [0.0, 10.0, 12.0],
            "end": [10.0, 12.0, 40.0],
        }
    )
    shares = state_shares(states, begin=4.0, end=20.0)
    assert shares == {
        ("a", "EXECUTING"): pytest.approx(14 / 16),
        ("a", "BREAKDOWN"): pytest.approx(2 / 16),
    }
