"""How many items a machine works on at once."""

import numpy as np
import pytest

from gigatwin.learning.flow.servers import n_servers


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


def test_activities_with_a_missing_event_do_not_count():
    starts = np.arange(100) * 10.0
    ends = starts + 20.0
    starts[::7] = np.nan
    ends[::5] = np.nan
    assert n_servers(starts, ends) == 2
    assert n_servers(np.full(3, np.nan), np.arange(3.0)) == 1


def test_jitter_of_both_clocks_does_not_add_a_server():
    random = np.random.default_rng(1)
    starts = np.arange(1000) * 10.0
    ends = starts + 10.0 + random.normal(0.0, 0.2, 1000)
    assert n_servers(starts + random.normal(0.0, 0.2, 1000), ends) == 1


def test_second_server_that_is_seldom_needed_is_found():
    starts = np.arange(1000) * 10.0
    lengths = np.where(np.arange(1000) % 20 == 0, 16.0, 8.0)
    assert n_servers(starts, starts + lengths) == 2
