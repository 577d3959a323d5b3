from itertools import pairwise

import numpy as np
import pytest

from gigatwin.errors import StudyError
from gigatwin.kpi.active_periods import (
    mean_active_period,
    mean_active_period_from_tallies,
    shifting_bottleneck,
    station_means,
)


def test_mean_active_period_of_three():
    assert mean_active_period([0.0, 10.0, 20.0], [5.0, 11.0, 26.0]) == 4.0
    assert mean_active_period([], []) == 0.0


def test_mean_active_period_from_tallies_divides_by_the_periods():
    found = mean_active_period_from_tallies([120.0, 90.0, 100.0, 0.0], [4, 1, 0, 0])
    assert found.tolist() == [30.0, 90.0, 100.0, 0.0]


def test_overlap_of_two_bottlenecks_is_shifting():
    # Machine 0 works 0-10, machine 1 works 6-20: the bottleneck shifts between 6 and 10.
    found = shifting_bottleneck([0, 1], [0.0, 6.0], [10.0, 20.0], 2)
    assert found.sole.tolist() == [6.0, 10.0]
    assert found.shifting.tolist() == [4.0, 4.0]
    assert found.total.tolist() == [10.0, 14.0]


def test_period_inside_a_longer_one_is_no_bottleneck():
    found = shifting_bottleneck([0, 1], [0.0, 3.0], [10.0, 7.0], 3)
    assert found.sole.tolist() == [10.0, 0.0, 0.0]
    assert found.shifting.tolist() == [0.0, 0.0, 0.0]


def test_shorter_period_that_starts_at_the_same_instant_is_no_bottleneck():
    found = shifting_bottleneck([0, 1], [0.0, 0.0], [4.0, 10.0], 2)
    assert found.total.tolist() == [0.0, 10.0]


def test_time_in_which_nobody_is_active_has_no_bottleneck():
    found = shifting_bottleneck([0, 1], [0.0, 15.0], [10.0, 20.0], 2)
    assert found.sole.tolist() == [10.0, 5.0]


def test_longest_period_follows_even_if_it_starts_at_that_instant():
    # When machine 0 ends at 10, machine 1 (8-12) is active, but machine 2 (10-30) is so for longer.
    found = shifting_bottleneck([0, 1, 2], [0.0, 8.0, 10.0], [10.0, 12.0, 30.0], 3)
    assert found.sole.tolist() == [10.0, 0.0, 20.0]


def test_longest_of_those_still_active_follows():
    # At 20, machines 1 (15-24) and 2 (18-26) are active; 1 is active for longer, then 2 alone.
    found = shifting_bottleneck([0, 1, 2], [0.0, 15.0, 18.0], [20.0, 24.0, 26.0], 3)
    assert found.sole.tolist() == [15.0, 0.0, 2.0]
    assert found.shifting.tolist() == [5.0, 9.0, 6.0]


@pytest.mark.parametrize("seed", range(20))
def test_bottlenecks_are_the_longest_active_at_some_instant(seed):
    # Compared with a slow search: at the middle between any two stamps, who is active for longest?
    generator = np.random.default_rng(seed)
    n = 60
    starts = generator.uniform(0.0, 100.0, n)
    ends = starts + generator.exponential(6.0, n)
    stamps = np.sort(np.concatenate([starts, ends]))
    longest = []
    for instant in 0.5 * (stamps[1:] + stamps[:-1]):
        active = np.flatnonzero((starts < instant) & (ends > instant))
        if active.size:
            winner = int(active[np.argmax((ends - starts)[active])])
            if not longest or longest[-1] != winner:
                longest.append(winner)
    found = shifting_bottleneck(np.arange(n), starts, ends, n)
    assert set(np.flatnonzero(found.total > 0)) == set(longest)
    chosen = np.array(longest)
    assert found.total[chosen] == pytest.approx((ends - starts)[chosen], rel=1e-12)
    for before, after in pairwise(longest):
        overlap = max(ends[before] - starts[after], 0.0)
        assert found.shifting[before] >= overlap - 1e-9
        assert found.shifting[after] >= overlap - 1e-9


def test_no_active_period_at_all_gives_no_bottleneck():
    assert shifting_bottleneck([], [], [], 2).total.tolist() == [0.0, 0.0]


def test_period_that_ends_before_it_starts_is_refused():
    with pytest.raises(StudyError, match="every end after its start"):
        shifting_bottleneck([0], [5.0], [4.0], 1)


def test_station_mean_is_over_its_machines():
    assert station_means([0.2, 0.4, 0.9], [0, 0, 1], 2).tolist() == pytest.approx([0.3, 0.9])
