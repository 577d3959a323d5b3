"""Batches, storages and machines in parallel, told apart by how items stay."""

import numpy as np
import polars as pl
import pytest

from gigatwin.factory.durations import Empirical
from gigatwin.learning.flow.batches import find_batches, residence


def visits(starts, ends, machine="oven", **columns) -> pl.DataFrame:
    frame = pl.DataFrame(
        {"start": np.asarray(starts, float), "end": np.asarray(ends, float), **columns}
    )
    machines = [machine] * frame.height if isinstance(machine, str) else machine
    return frame.with_columns(machine=pl.Series(machines, dtype=pl.String)).with_row_index("row", 2)


def batches(sizes, dwell=600.0, jitter=0.0, pause=30.0, seed=1):
    rng = np.random.default_rng(seed)
    starts, ends, now = [], [], 0.0
    for size in sizes:
        end = now + dwell + jitter * rng.normal()
        starts += [now] * size
        ends += [end] * size
        now = end + pause
    return starts, ends


def test_full_batches_show_their_size_and_dwell():
    found = residence(visits(*batches([36] * 20 + [7])))
    assert (found.kind, found.n_servers, found.is_identified) == ("batch", 1, True)
    batch = found.batch
    assert (batch.size.value, batch.typical_size, batch.n_batches) == (36, 36, 21)
    assert batch.size.is_identified
    assert batch.minimum is None
    assert batch.dwell == pytest.approx(600.0)
    assert batch.time.rows == "2-728 (727 rows)"
    station = batch.station()
    assert (station.size, station.minimum, station.time) == (36, None, pytest.approx(600.0))
    assert station.estimates["size"].n == 21


def test_partial_batches_show_the_least_number_to_start_with():
    rng = np.random.default_rng(2)
    sizes = [*rng.choice([8, 10, 16], 60), 3]
    batch = residence(visits(*batches(sizes))).batch
    assert (batch.size.value, batch.minimum.value) == (16, 8)
    assert batch.minimum.is_identified
    assert batch.station().minimum == 8


def test_smallest_batch_seen_once_is_no_known_minimum():
    batch = residence(visits(*batches([16, 16, 5, 16, 12, 16, 16]))).batch
    assert batch.minimum.value == 5
    assert batch.minimum.low == 1
    assert not batch.minimum.is_identified


def test_batch_before_another_format_is_no_minimum():
    sizes, formats = [16, 16, 4, 16, 16, 16], "aaabbb"
    starts, ends = batches(sizes)
    labels = [label for size, label in zip(sizes, formats, strict=True) for _ in range(size)]
    assert residence(visits(starts, ends, format=labels)).batch.minimum is None
    assert residence(visits(starts, ends)).batch.minimum.value == 4


def test_varying_dwell_is_kept_as_seen():
    batch = residence(visits(*batches([4] * 200, jitter=60.0))).batch
    assert isinstance(batch.dwell, Empirical)
    assert batch.time.low < 600.0 < batch.time.high
    assert batch.jitter == pytest.approx(60.0, rel=0.2)


def test_jitter_of_the_clock_does_not_split_batches():
    starts, ends = (np.array(times) for times in batches([12] * 30))
    rng = np.random.default_rng(3)
    starts += rng.uniform(0, 0.2, len(starts))
    batch = residence(visits(starts, ends)).batch
    assert (batch.size.value, batch.n_batches) == (12, 30)


def test_two_ovens_have_batches_of_their_own():
    starts, ends = (np.array(times) for times in batches([6] * 20))
    frame = visits(
        np.concatenate((starts, starts)),
        np.concatenate((ends, ends)),
        ["oven 1"] * len(starts) + ["oven 2"] * len(starts),
    )
    found = residence(frame)
    assert (found.kind, found.n_servers, found.batch.size.value) == ("batch", 2, 6)


def test_blocked_items_that_leave_one_by_one_are_still_a_batch():
    starts, ends = (np.array(times) for times in batches([5] * 40, pause=100.0))
    ends += np.tile(np.arange(5) * 10.0, 40)
    found = residence(visits(starts, ends))
    assert (found.kind, found.batch.size.value) == ("batch", 5)
    assert found.batch.dwell == pytest.approx(600.0)


def test_machines_that_are_served_from_a_pallet_are_no_batch():
    rng = np.random.default_rng(4)
    frees, starts, ends = np.zeros(4), [], []
    for arrival in np.arange(300) * 20.0:
        for _ in range(4):
            server = int(np.argmin(frees))
            start = max(arrival, frees[server])
            frees[server] = start + rng.uniform(8.0, 30.0)
            starts.append(start)
            ends.append(frees[server])
    found = residence(visits(starts, ends))
    assert (found.kind, found.n_servers) == ("parallel", 4)


def storage(n=2000, dwell=3600.0, interval=20.0, seed=5):
    """Return items that age in order, and leave at least the dwell after they came."""
    rng = np.random.default_rng(seed)
    starts = np.cumsum(rng.exponential(interval, n))
    # The station behind stops now and then for long.
    ends = np.maximum.accumulate(starts + dwell + (rng.random(n) < 0.01) * 600.0)
    return starts, ends


def test_aging_store_shows_its_dwell_and_a_bound_of_its_capacity():
    starts, ends = storage()
    found = residence(visits(starts, ends, "store"))
    assert (found.kind, found.is_identified) == ("storage", True)
    assert found.storage.dwell.value == pytest.approx(3600.0)
    assert found.storage.dwell.is_identified
    present = [(np.sum((starts <= now) & (ends > now))) for now in starts]
    assert found.storage.capacity.value == max(present)
    assert found.storage.capacity.high is None
    assert not found.storage.capacity.is_identified
    station = found.storage.station()
    assert (station.capacity, station.dwell) == (max(present), pytest.approx(3600.0))


def test_store_that_is_always_full_shows_its_capacity():
    capacity, n = 50, 1500
    rng = np.random.default_rng(6)
    ends = np.zeros(n)
    starts = np.zeros(n)
    for item in range(n):
        # Plenty come; one leaves every 30 s or so, in order, after 900 s at least.
        free = ends[item - capacity] if item >= capacity else 5.0 * item
        starts[item] = max(free, starts[item - 1] if item else 0.0)
        ready = starts[item] + 900.0
        ends[item] = max(ready, (ends[item - 1] if item else 0.0) + 30 * rng.uniform(0.2, 1.8))
    found = residence(visits(starts, ends, "store"))
    assert found.kind == "storage"
    assert (found.storage.capacity.value, found.storage.capacity.high) == (capacity, capacity)


def test_parallel_machines_overtake_each_other():
    rng = np.random.default_rng(7)
    starts = np.arange(1000) * 10.0
    found = residence(visits(starts, starts + rng.uniform(60, 100, 1000)))
    assert (found.kind, found.is_identified) == ("parallel", True)
    assert 8 <= found.n_servers <= 10


def test_equal_stays_of_many_items_may_be_either():
    starts = np.arange(1000) * 10.0
    found = residence(visits(starts, starts + 1000.0))
    assert (found.kind, found.is_identified) == ("storage", False)
    few = residence(visits(starts, starts + 30.0))
    assert (few.kind, few.n_servers, few.is_identified) == ("parallel", 3, False)


def test_machine_behind_a_queue_is_a_single_machine():
    rng = np.random.default_rng(8)
    starts = np.cumsum(rng.exponential(12.0, 2000))
    ends, now = [], 0.0
    for start in starts:
        now = max(now, start) + 10.0
        ends.append(now)
    found = residence(visits(starts, ends))
    assert (found.kind, found.n_servers) == ("single", 1)


def test_items_one_after_the_other_are_a_single_machine():
    starts = np.arange(100) * 10.0
    assert residence(visits(starts, starts + 9.0)).kind == "single"


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_visits_are_not_enough(n):
    found = residence(visits(np.arange(n), np.arange(n) + 1.0))
    assert (found.kind, found.is_identified) == ("single", False)
    assert f"Only {n} visits" in found.note


def test_missing_moments_and_equal_times_do_no_harm():
    frame = visits([1.0, 1.0, 1.0, 1.0, 1.0], [1.0] * 5)
    assert residence(frame).kind in {"single", "batch"}
    missing = frame.with_columns(end=pl.lit(None, dtype=pl.Float64))
    assert residence(missing).kind == "single"
    assert find_batches(missing, 1.0) is None
