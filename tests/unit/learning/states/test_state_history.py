"""States in time, and stops on a clock."""

import polars as pl
import pytest

from gigatwin.learning.states.state_history import STATES, histories

SCHEMA = ["machine", "start", "end", "state"]


def history(*rows, **options):
    table = pl.DataFrame([("m", *row) for row in rows], schema=SCHEMA, orient="row")
    return histories(table, **options)["m"]


def in_a_row(*pairs, begin=0.0):
    rows, time = [], begin
    for state, length in pairs:
        rows.append((time, time + length, state))
        time += length
    return rows


def test_neighbours_in_one_state_are_joined():
    found = history((0.0, 5.0, "executing"), (5.0, 9.0, "executing"), (9.0, 10.0, "starved"))
    assert found.lengths.tolist() == [9.0, 1.0]
    assert [STATES[number] for number in found.states] == ["executing", "starved"]
    assert found.follows_gap.tolist() == [True, False]


def test_rows_in_any_order_and_overlaps_give_one_history():
    found = history((8.0, 12.0, "starved"), (0.0, 10.0, "executing"), (0.0, 10.0, "executing"))
    assert found.starts.tolist() == [0.0, 10.0]
    assert found.ends.tolist() == [10.0, 12.0]


def test_holes_and_unknown_states_are_gaps():
    found = history(
        (0.0, 5.0, "executing"),
        (60.0, 70.0, "executing"),
        (70.0, 80.0, "unavailable"),
        (80.0, 90.0, "executing"),
        (90.0, 95.0, None),
        (95.0, 99.0, "executing"),
    )
    assert found.follows_gap.tolist() == [True, True, True, True]
    assert found.lengths.tolist() == [5.0, 10.0, 10.0, 4.0]


def test_short_hole_is_filled():
    found = history((0.0, 5.0, "executing"), (5.5, 9.0, "starved"))
    assert found.follows_gap.tolist() == [True, False]
    assert found.lengths.tolist() == [5.0, 4.0]
    assert history((0.0, 5.0, "executing"), (5.5, 9.0, "starved"), tolerance=0.1).follows_gap.all()


def test_rows_without_length_or_time_are_left_out():
    found = history((0.0, 0.0, "breakdown"), (None, 3.0, "breakdown"), (0.0, 5.0, "executing"))
    assert found.lengths.tolist() == [5.0]


def test_ages_count_only_executing_time():
    found = history(
        *in_a_row(
            ("executing", 10.0),
            ("breakdown", 2.0),
            ("executing", 7.0),
            ("starved", 100.0),
            ("executing", 5.0),
            ("breakdown", 3.0),
            ("executing", 4.0),
        )
    )
    running = found.spells("breakdown", clock="executing")
    # The age at the begin of the record is not known, and the record ends 4 s after the last stop.
    assert running.ages.tolist() == [12.0, 4.0]
    assert running.is_cut.tolist() == [False, True]
    assert running.exposure == 26.0
    assert running.lengths.tolist() == [2.0, 3.0]
    assert running.follows_executing.tolist() == [True, True]
    calendar = found.spells("breakdown")
    assert calendar.ages.tolist() == [112.0, 4.0]
    assert calendar.cycles.tolist() == [114.0]
    assert calendar.exposure == 126.0


def test_nothing_is_continued_across_a_gap():
    first = in_a_row(("executing", 10.0), ("breakdown", 2.0), ("executing", 7.0))
    second = in_a_row(("executing", 5.0), ("breakdown", 3.0), begin=1000.0)
    third = in_a_row(("breakdown", 6.0), ("executing", 9.0), begin=2000.0)
    spells = history(*first, *second, *third).spells("breakdown", clock="executing")
    # Two begins were seen; the second stop was cut off; the third began before its record.
    assert spells.begins.tolist() == [10.0, 1005.0]
    assert spells.is_whole.tolist() == [True, False]
    assert spells.ages.tolist() == [7.0, 9.0]
    assert spells.is_cut.tolist() == [True, True]
    assert spells.exposure == 31.0


def test_stop_that_goes_on_after_a_wait_is_one_on_the_running_clock():
    found = history(
        *in_a_row(("executing", 9.0), ("breakdown", 2.0), ("starved", 50.0), ("breakdown", 3.0))
    )
    assert found.spells("breakdown", clock="executing").lengths.tolist() == [5.0]
    assert found.spells("breakdown").lengths.tolist() == [2.0, 3.0]


def test_machine_without_stops_has_exposure_only():
    spells = history((0.0, 8.0, "executing")).spells("breakdown", clock="executing")
    assert (len(spells.begins), len(spells.ages), spells.exposure) == (0, 0, 8.0)


@pytest.mark.parametrize("rows", [[(0.0, 5.0, "unknown")], [(0.0, 5.0, None)]])
def test_only_unknown_states_leave_an_empty_history(rows):
    assert len(history(*rows).states) == 0


def test_even_a_short_hole_between_cut_rows_is_a_gap():
    rows = [("m", 0.0, 5.0, "executing"), ("m", 5.5, 9.0, "executing")]
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(is_cut=pl.lit(value=True))
    assert histories(table)["m"].follows_gap.tolist() == [True, True]
