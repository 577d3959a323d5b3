import pytest

from gigatwin.errors import StudyError
from gigatwin.kpi.bottleneck import (
    BottleneckCandidates,
    candidates,
    lowest_waiting,
    over_replications,
    turning_points,
)

STATIONS = ("winding", "welding", "filling", "forming")


def test_lowest_waiting_counts_starved_and_blocked_together():
    assert lowest_waiting([0.0, 0.1, 0.3], [0.4, 0.1, 0.0]) == 1


def test_line_turns_at_the_station_that_never_waits():
    # Constant times: before the slowest station all are blocked, after it all are starved.
    assert turning_points([0.0, 0.0, 0.0, 0.3, 0.2], [0.4, 0.1, 0.0, 0.0, 0.0]) == (2,)


def test_line_turns_at_the_first_station_if_all_others_are_starved():
    assert turning_points([0.0, 0.2, 0.3], [0.0, 0.0, 0.0]) == (0,)
    assert turning_points([0.01, 0.2, 0.3], [0.0, 0.0, 0.0]) == (0,)


def test_line_turns_at_the_last_station_if_all_others_are_blocked():
    assert turning_points([0.0, 0.0, 0.0], [0.3, 0.2, 0.0]) == (2,)
    assert turning_points([0.0, 0.0, 0.0], [0.3, 0.2, 0.01]) == (2,)


def test_line_turns_at_the_station_beside_the_change_that_waits_less():
    assert turning_points([0.1, 0.1, 0.05, 0.3], [0.3, 0.2, 0.02, 0.1]) == (2,)
    assert turning_points([0.1, 0.02, 0.2, 0.3], [0.3, 0.05, 0.1, 0.1]) == (1,)


def test_line_with_two_turns_names_the_one_that_waits_less_first():
    starved = [0.00, 0.02, 0.30, 0.05, 0.01, 0.20]
    blocked = [0.30, 0.10, 0.05, 0.20, 0.03, 0.00]
    assert turning_points(starved, blocked) == (4, 1)


def test_single_station_is_its_own_bottleneck():
    assert turning_points([0.2], [0.0]) == (0,)
    assert lowest_waiting([0.2], [0.0]) == 0


def test_methods_that_agree_name_one_station():
    found = candidates(
        STATIONS, [0.0, 0.0, 0.2, 0.3], [0.3, 0.0, 0.0, 0.0], [5, 90, 6, 7], [0, 100, 0, 1]
    )
    assert found.is_unanimous
    assert found.stations == ("welding",)
    assert found.sentence == "All 4 methods name welding."


def test_methods_that_disagree_are_all_told():
    found = candidates(STATIONS, [0.0, 0.0, 0.2, 0.3], [0.3, 0.0, 0.0, 0.0], [5, 20, 90, 7])
    assert not found.is_unanimous
    assert found.stations == ("welding", "filling")
    assert found.by_method == {
        "lowest waiting share": "welding",
        "turning point": "welding",
        "longest mean active period": "filling",
    }
    assert found.sentence.startswith(
        "The methods disagree: welding (lowest waiting share, turning point);"
        " filling (longest mean active period)."
    )


def test_shares_of_the_wrong_length_are_refused():
    with pytest.raises(StudyError, match=r"blocked: found shape \(3,\); need 4"):
        candidates(STATIONS, [0.0] * 4, [0.0] * 3)


def test_shares_that_are_no_numbers_are_refused():
    with pytest.raises(StudyError, match="starved: not every value is a number"):
        lowest_waiting([0.0, float("nan")], [0.0, 0.0])


def test_replication_in_which_nothing_worked_names_no_station():
    idle = BottleneckCandidates({}, (), "No station processed anything.")
    busy = candidates(["a", "b"], [0.1, 0.4], [0.1, 0.2], mean_active_period=[9.0, 1.0])
    other = candidates(["a", "b"], [0.4, 0.1], [0.2, 0.1])
    assert over_replications(busy, [idle, busy]) == busy
    found = over_replications(busy, [idle, busy, other])
    assert "lowest waiting share names b in 50% of them" in found.sentence
    assert "longest mean active period" not in found.sentence.split("between")[1]
