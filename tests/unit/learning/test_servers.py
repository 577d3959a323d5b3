"""How many items a machine works on at once."""

import numpy as np
import pytest

from gigatwin.learning.servers import n_servers


def test_activities_that_hand_over_at_one_moment_need_one_server():
    starts = np.arange(100) * 10.0
    assert n_servers(starts, starts + 10.0) == 1


@pytest.mark.parametrize("servers", [2, 3, 7])
def test_full_machines_show_their_number_of_servers(servers):
    starts = np.arange(300) * 10.0
    assert n_servers(starts, starts + 10.0 * servers) == servers


def test_overlap_within_the_jitter_of_the_clock_does_not_count():
    starts = np.arange(500) * 10.0
    assert n_servers(starts, starts + 10.005) == 1


def test_one_wrong_record_does_not_add_a_server():
    starts = np.arange(500) * 10.0
    ends = starts + 10.0
    ends[100] += 8.0
    assert n_servers(starts, ends) == 1


def test_activities_without_length_need_one_server():
    assert n_servers(np.array([1.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0])) == 1
