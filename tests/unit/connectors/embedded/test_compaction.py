import random
from dataclasses import replace

import polars as pl
import pytest

from gigatwin.connectors.embedded import compaction, journal
from gigatwin.connectors.embedded.compaction import Merge, plan_merges
from gigatwin.connectors.embedded.journal import open_snapshot
from gigatwin.connectors.embedded.segments import DAY, HOUR, Segment, Span, stray_files
from gigatwin.telemetry import Reading
from tests.unit.connectors.embedded.kept_readings import BEGIN, everything, values

SEGMENT = Segment(
    number=1, file="a", span=Span.HOUR, begin=0.0, tier=0, n_rows=100, first_row=1, last_row=100,
    first_time=0.0, last_time=9.0, n_bytes=1, digest="",
)  # fmt: skip


def segments_of(store):
    with open_snapshot(store.folder) as snapshot:
        return snapshot.segments


def test_each_hour_of_source_time_gets_a_file_sorted_by_tag_and_time(opened):
    store = opened()
    readings = [
        Reading(f"m_{k % 3}/x", float(k), BEGIN + (k * 997) % 7200) for k in range(3000)
    ]  # two hours, mixed
    store.append(readings)
    store.compact()
    found = segments_of(store)
    assert [segment.begin for segment in found] == [BEGIN, BEGIN + HOUR]
    assert [segment.file[:14] for segment in found] == ["2027-01-15/08h", "2027-01-15/09h"]
    for segment in found:
        # Read by Polars alone: a file is complete in itself.
        frame = pl.read_parquet(store.folder / "segments" / segment.file)
        assert frame.equals(frame.sort("tag", "time", "row"))
        assert frame["time"].is_between(segment.begin, segment.end, closed="left").all()
    assert [reading for _, reading in everything(store)] == readings


def test_late_rows_get_a_file_of_their_own_that_is_merged_later(opened):
    store = opened()
    store.append(values(1000))
    store.append(values(10, begin=BEGIN + 3 * HOUR))
    assert store.compact(is_thorough=False).n_rows == 1010
    store.append(values(10))
    store.append(values(500, begin=BEGIN + 3 * HOUR))
    store.compact(is_thorough=False)
    of_first_hour = [s.n_rows for s in segments_of(store) if s.begin == BEGIN]
    assert of_first_hour == [1000, 10]
    assert store.compact().n_merged == 4
    assert sorted(s.n_rows for s in segments_of(store)) == [510, 1010]
    assert store.check().problems == ()


def test_times_all_over_the_place_share_a_file(opened):
    store = opened()
    rng = random.Random(1)  # noqa: S311 - no secret
    readings = [Reading("a/x", k, rng.uniform(-1e12, 1e12)) for k in range(300)]
    store.append(readings)
    store.append(values(5))
    store.compact()
    (only,) = segments_of(store)
    assert (only.span, only.file) == (Span.MIXED, "undated/00000001.parquet")
    assert [reading for _, reading in everything(store)] == [*readings, *values(5)]


def test_wrong_time_in_the_future_does_not_declare_hours_over(opened):
    store = opened()
    store.append([*values(1000), Reading("a/x", 1.0, BEGIN + 1e9)])
    store.compact(is_thorough=False)
    with open_snapshot(store.folder) as snapshot:
        assert snapshot.clock < BEGIN + 1000


def test_hours_with_few_rows_become_a_day(opened):
    store = opened()
    store.append(values(24 * 60, step=60.0))
    store.append(values(60, begin=BEGIN + 2 * DAY, step=60.0))
    store.append(values(600, begin=BEGIN + 4 * DAY, step=1.0))
    store.compact(is_thorough=False)
    days = [segment for segment in segments_of(store) if segment.span is Span.DAY]
    assert [segment.file[:14] for segment in days[:2]] == ["2027-01-15/day", "2027-01-16/day"]
    assert store.check().problems == ()
    assert len(everything(store)) == 24 * 60 + 660


def test_hour_that_is_over_is_merged_when_it_is_worth_it():
    large = replace(SEGMENT, n_rows=1000)
    few = [large, *(replace(SEGMENT, number=2 + k, n_rows=10) for k in range(3))]
    many = [large, *(replace(SEGMENT, number=2 + k, n_rows=10) for k in range(8))]
    much = [large, replace(SEGMENT, number=2, n_rows=250)]
    over, before = HOUR + compaction.GRACE, HOUR + compaction.GRACE - 1.0
    assert plan_merges(few, over) == []
    assert plan_merges(few, over, is_thorough=True) != []
    assert [len(merge.segments) for merge in plan_merges(many, over)] == [9]
    assert [len(merge.segments) for merge in plan_merges(much, over)] == [2]
    assert plan_merges(much, before) == []


def test_sixteen_of_a_tier_are_merged_before_the_hour_is_over():
    parts = [replace(SEGMENT, number=1 + k) for k in range(16)]
    assert plan_merges(parts[:15], 0.0) == []
    assert plan_merges(parts, 0.0) == [Merge(tuple(parts), Span.HOUR, 0.0)]
    other = [*parts[:15], replace(SEGMENT, number=99, tier=1)]
    assert plan_merges(other, 0.0) == []


def test_no_merge_makes_more_rows_than_it_may():
    parts = [replace(SEGMENT, number=1 + k, n_rows=1_500_000) for k in range(3)]
    (merge,) = plan_merges(parts, DAY)
    assert merge.segments == (parts[0], parts[1])
    whole = [replace(SEGMENT, number=1 + k, n_rows=3_000_000) for k in range(3)]
    assert plan_merges(whole, DAY) == []


def test_merged_files_go_at_once(opened):
    store = opened()
    for _ in range(2):
        store.append(values(100))
        store.compact()
    assert len(stray_files(store.folder, ())) == 1
    assert len(everything(store)) == 200


class Killed(BaseException):
    """Stands for a kill: nothing catches it on its way."""


STEPS = {
    "before the file": ("gigatwin.connectors.embedded.compaction.write_segment", True),
    "after the file": ("gigatwin.connectors.embedded.compaction.write_segment", False),
    "before the transaction": ("gigatwin.connectors.embedded.journal.Journal.move", True),
    "after the transaction": ("gigatwin.connectors.embedded.journal.Journal.move", False),
    "before the merge": ("gigatwin.connectors.embedded.journal.Journal.replace", True),
    "after the merge": ("gigatwin.connectors.embedded.journal.Journal.replace", False),
    "before removal": ("gigatwin.connectors.embedded.compaction.remove_files", True),
    "after removal": ("gigatwin.connectors.embedded.compaction.remove_files", False),
}


@pytest.mark.parametrize("step", STEPS)
def test_end_between_two_steps_loses_and_repeats_nothing(opened, monkeypatch, step):
    store = opened()
    readings = [*values(300), *values(300, begin=BEGIN + 10), *values(10, begin=BEGIN + 3 * HOUR)]
    store.append(readings[:300])
    store.compact()
    store.append(readings[300:])
    where, is_before = STEPS[step]
    module, _, name = where.rpartition(".")
    owner = journal.Journal if module.endswith("Journal") else compaction
    original = getattr(owner, name)

    def killed(*arguments, **options):
        if not is_before:
            original(*arguments, **options)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, killed)
        with pytest.raises(Killed):
            store.compact()
    store.close()
    again = opened()
    assert [reading for _, reading in everything(again)] == readings
    assert again.check().problems == ()
    again.compact()
    assert [reading for _, reading in everything(again)] == readings
    assert again.check().notes == ()


def test_unfinished_files_are_noted_and_removed(opened):
    store = opened()
    store.append(values(10))
    store.compact()
    stray = store.folder / "segments" / "2027-01-15" / "08h-00000077.tmp"
    stray.write_bytes(b"half")
    assert "1 unfinished files" in store.check().notes[0]
    store.close()
    again = opened()
    assert not stray.exists()
    assert len(everything(again)) == 10
