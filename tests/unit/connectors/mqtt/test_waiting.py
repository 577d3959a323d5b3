"""Batches between a connection and its reader."""

import asyncio
from collections import Counter

from gigatwin.connectors.mqtt.messages import Heard
from gigatwin.connectors.mqtt.waiting import WaitingBatches
from gigatwin.telemetry import Reading


def heard(*values, is_snapshot=False, n_lost=0):
    return Heard([Reading("a/b", value, 0.0) for value in values], is_snapshot, n_lost)


def read_all(fill, most_waiting=100):
    """Return the batches as (values, is_snapshot, n_lost), the counts, and refreshes asked for."""
    counts, asked = Counter(), []

    async def scenario():
        waiting = WaitingBatches(0.01, most_waiting, counts, lambda: asked.append(1))
        await fill(waiting)
        waiting.close()
        return [
            ([row.value for row in batch.readings], batch.is_snapshot, batch.n_lost)
            async for batch in waiting.read()
        ]

    return asyncio.run(scenario()), counts, asked


def test_readings_that_come_together_are_one_batch():
    async def fill(waiting):
        waiting.add(heard(1, 2))
        waiting.add(heard(3))
        await asyncio.sleep(0.05)
        waiting.add(heard(4))

    batches, counts, asked = read_all(fill)
    assert batches == [([1, 2, 3], False, 0), ([4], False, 0)]
    assert counts == {"batches": 2, "readings": 4}
    assert not asked


def test_snapshots_and_gaps_begin_a_batch():
    async def fill(waiting):
        waiting.add(heard(1))
        waiting.add(heard(2, is_snapshot=True))
        waiting.add(heard(3, is_snapshot=True))
        waiting.add(heard(4))
        waiting.add(heard(5, n_lost=3))

    batches, _, _ = read_all(fill)
    assert batches == [
        ([1], False, 0),
        ([2, 3], True, 0),
        ([4], False, 0),
        ([5], False, 3),
    ]


def test_after_a_loss_nobody_knows_what_is_missing():
    async def fill(waiting):
        waiting.add(heard(1))
        waiting.doubt()
        waiting.add(heard(2))
        await asyncio.sleep(0.05)
        waiting.add(heard(3))

    batches, _, _ = read_all(fill)
    assert batches == [([1], False, 0), ([2], False, None), ([3], False, 0)]


def test_the_oldest_batches_are_dropped_counted_and_followed_by_a_refresh():
    async def fill(waiting):
        for number in range(6):
            waiting.add(heard(number, number, n_lost=1))

    batches, counts, asked = read_all(fill, most_waiting=5)
    # Each batch that was dropped had one missing before it, and is one itself.
    assert batches == [([4, 4], False, 9), ([5, 5], False, 1)]
    assert counts["dropped"] == 4
    assert len(asked) == 1


def test_a_batch_larger_than_all_room_is_kept():
    async def fill(waiting):
        waiting.add(heard(*range(50)))

    batches, counts, _ = read_all(fill, most_waiting=5)
    assert len(batches[0][0]) == 50
    assert "dropped" not in counts
