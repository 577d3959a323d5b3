"""Messages and clocks misbehave as often as they are told to, and it is counted."""

import math
from itertools import pairwise

import pytest

from gigatwin.errors import TelemetryError
from gigatwin.plant import Channel, ClockJump, FrozenTag, Misbehaviour, Restart
from gigatwin.telemetry import Reading

START = 1_000_000.0
N = 5000


def reading(number, tag="a/x"):
    return Reading(tag, number, START + number)


def run(channel, n=N):
    """Send a message with its number every second, and return what arrives: (second, batch)."""
    return [
        (second, batch)
        for second in range(n)
        for batch in channel.send([reading(second)], float(second), START + second)
    ]


def numbers(arrived):
    return [batch.readings[0].value for _, batch in arrived]


def near(count, share, n=N):
    return abs(count - n * share) <= 5 * math.sqrt(n * share * (1 - share))


def test_without_misbehaviour_everything_comes_once_and_in_order():
    channel = Channel(Misbehaviour(), START)
    arrived = run(channel, 100)
    assert numbers(arrived) == list(range(100))
    assert [batch.n_lost for _, batch in arrived] == [None] + [0] * 99
    assert channel.counts["messages"] == channel.counts["delivered"] == 100


def test_lost_messages_are_missing_and_show_as_gaps():
    channel = Channel(Misbehaviour(lost=0.02, seed=3), START)
    arrived = run(channel)
    lost = channel.counts["lost"]
    assert near(lost, 0.02)
    assert len(arrived) == N - lost
    gaps = sum(batch.n_lost or 0 for _, batch in arrived)
    missing = set(range(N)) - set(numbers(arrived))
    # What is lost at the very end is not known yet.
    assert gaps == len([number for number in missing if number < numbers(arrived)[-1]])
    for (_, before), (_, after) in pairwise(arrived):
        assert after.n_lost == after.readings[0].value - before.readings[0].value - 1


def test_duplicated_messages_come_twice_and_leave_no_gap():
    channel = Channel(Misbehaviour(duplicated=0.05), START)
    found = numbers(arrived := run(channel))
    assert near(channel.counts["duplicated"], 0.05)
    assert len(found) == N + channel.counts["duplicated"]
    assert sorted(set(found)) == list(range(N))
    assert not any(batch.n_lost for _, batch in arrived)


def test_disordered_messages_come_after_the_next_one():
    channel = Channel(Misbehaviour(disordered=0.1), START)
    found = numbers(run(channel))
    swaps = [k for k in range(len(found) - 1) if found[k] > found[k + 1]]
    assert len(swaps) == pytest.approx(channel.counts["disordered"], abs=1)
    assert all(found[k] == found[k + 1] + 1 for k in swaps)
    # One that waits already is not overtaken twice.
    assert near(channel.counts["disordered"], 0.1 / 1.1)


def test_late_messages_come_after_their_delay():
    channel = Channel(Misbehaviour(late=0.05, delay=20.0), START)
    arrived = run(channel)
    delays = [second - batch.readings[0].value for second, batch in arrived]
    late = [delay for delay in delays if delay > 0]
    assert near(channel.counts["late"], 0.05)
    # The next message brings them: half a second later on average.
    assert sum(late) / len(late) == pytest.approx(20.5, rel=5 / math.sqrt(len(late)))
    assert len(arrived) + 10 > N
    assert min(delays) == 0


def test_shares_act_side_by_side():
    channel = Channel(Misbehaviour(lost=0.01, duplicated=0.01, disordered=0.02, late=0.01), START)
    arrived = run(channel)
    for name, share in (("lost", 0.01), ("duplicated", 0.01), ("late", 0.01)):
        assert near(channel.counts[name], share)
    expected = N - channel.counts["lost"] + channel.counts["duplicated"]
    assert len(arrived) == pytest.approx(expected, abs=10)
    assert channel.counts["delivered"] == len(arrived)


def test_same_seed_hits_the_same_messages():
    bad = Misbehaviour(lost=0.1, late=0.1, duplicated=0.1, disordered=0.1, seed=9)
    first, second = (run(Channel(bad, START), 500) for _ in range(2))
    assert first == second
    other = Misbehaviour(lost=0.1, late=0.1, duplicated=0.1, disordered=0.1, seed=10)
    assert run(Channel(other, START), 500) != first


def test_clock_is_ahead_and_jumps():
    bad = Misbehaviour(clock_offset=5.0, clock_jumps=(ClockJump(10.0, -3.0), ClockJump(20.0, 60.0)))
    arrived = run(Channel(bad, START), 30)
    ahead = [batch.readings[0].source_time - START - second for second, batch in arrived]
    assert ahead == [5.0] * 10 + [2.0] * 10 + [62.0] * 10
    assert all(batch.received == START + second for second, batch in arrived)


def test_frozen_tag_says_nothing_new_until_it_thaws():
    channel = Channel(Misbehaviour(frozen=(FrozenTag("a/x", 10.0, 20.0),)), START)
    found = []
    for second in range(30):
        both = [reading(second), reading(second, "a/y")]
        for batch in channel.send(both, float(second), START):
            found += [r.value for r in batch.readings if r.tag == "a/x"]
            assert batch.readings[-1] == reading(second, "a/y")
    assert found == [*range(10), *range(20, 30)]
    assert channel.counts["frozen_readings"] == 10


def test_frozen_tag_shows_its_old_value_in_a_snapshot():
    channel = Channel(Misbehaviour(frozen=(FrozenTag("a/x", 10.0),)), START)
    run(channel, 15)
    (batch,) = channel.send([reading(15), reading(15, "a/y")], 15.0, START, is_snapshot=True)
    assert batch.is_snapshot
    assert batch.readings == (reading(9), reading(15, "a/y"))


def test_server_that_restarts_is_silent_and_begins_a_new_sequence():
    channel = Channel(Misbehaviour(restarts=(Restart(10.0, 5.0),)), START)
    arrived = run(channel, 30)
    assert numbers(arrived) == [*range(10), *range(15, 30)]
    assert arrived[10][1].n_lost is None
    assert channel.has_returned(29.0)
    assert not channel.has_returned(29.0)
    assert (channel.counts["silenced"], channel.counts["restarts"]) == (5, 1)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"lost": 1.5}, "lost: 1.5; must be from 0 to 1"),
        ({"late": -0.1}, "late: -0.1; must be from 0 to 1"),
        ({"lost": float("nan")}, "lost: nan"),
        ({"lost": 0.6, "late": 0.6}, "add up to more than 1"),
        ({"delay": -1.0}, "0 s or more"),
        ({"restarts": (Restart(1.0, -1.0),)}, "0 s or more"),
    ],
)
def test_numbers_out_of_range_are_refused(options, found):
    with pytest.raises(TelemetryError, match=found):
        Misbehaviour(**options)
