"""Processing times in an event table."""

import polars as pl

from gigatwin.learning.event_durations import durations_in

EVENTS = pl.DataFrame(
    [
        (0.0, "cut", "START", 0),
        (0.0, "drill#1", "STARVE", -1),
        (8.0, "cut", "BLOCK", 0),
        (11.0, "cut", "LEAVE", 0),
        (11.0, "drill#1", "CALL", 0),
        (15.0, "drill#1", "START", 0),
        (16.0, "drill#2", "START", 1),
        (18.0, "drill#2", "LEAVE", 1),
        (19.0, "drill#1", "LEAVE", 0),
        (20.0, "drill#1", "START", 0),
        (25.0, "drill#1", "LEAVE", 0),
        (26.0, "cut", "START", 2),
    ],
    schema=["time", "machine", "kind", "item"],
    orient="row",
)


def test_waits_for_room_and_for_operators_are_no_processing_time():
    times = durations_in(EVENTS, ["cut", "drill", "wash"])
    assert times["cut"].tolist() == [8.0]
    assert times["drill"].tolist() == [4.0, 2.0, 5.0]
    assert len(times["wash"]) == 0


def test_replications_are_not_mixed():
    both = pl.concat([EVENTS.with_columns(replication=pl.lit(number)) for number in (0, 1)]).sort(
        "time", maintain_order=True
    )
    assert sorted(durations_in(both, ["drill"])["drill"].tolist()) == [2.0, 2.0, 4.0, 4.0, 5.0, 5.0]
