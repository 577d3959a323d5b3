"""Whatever comes, in whatever order: nothing breaks, nothing counts twice."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from gigatwin.telemetry import (
    Batch,
    Intake,
    Quality,
    Quantity,
    Reading,
    TagMapping,
    TagMeaning,
)

Q = Quantity
T0 = 1_800_000_000.0
NAMED = {Q.VALUE, Q.SETTING}
MACHINES = ("a", "b")
MAPPING = TagMapping(
    source="test",
    tags={
        f"{machine}/{quantity}": TagMeaning(
            element=machine, quantity=quantity, which="x" if quantity in NAMED else None
        )
        for machine in MACHINES
        for quantity in Quantity
    },
)
KINDS = ("START", "LEAVE", "LOAD", "ARRIVE")

odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["1|START|1||", "Execute", 10**400, -0.0, "0"]),
)
telegrams = st.builds(
    "{}|{}|{}|f|d".format, st.integers(-1, 9), st.sampled_from(KINDS), st.integers(-2, 5)
)
times = st.one_of(
    st.floats(), st.integers(), st.floats(0.0, 30.0).map(lambda t: T0 + t), st.just(T0)
)
readings = st.builds(
    Reading,
    st.sampled_from([*MAPPING.tags, "unknown"]),
    st.one_of(odd_values, telegrams, st.integers(0, 17)),
    times,
    st.sampled_from(Quality),
)
batches = st.builds(
    Batch,
    st.lists(readings, max_size=8).map(tuple),
    st.floats(T0, T0 + 60.0),
    st.booleans(),
    st.sampled_from([None, 0, 3]),
)


def in_order(rows):
    """Whether the rows of each machine ascend in time."""
    newest = {}
    for row in rows:
        if row.time < newest.get(row.machine, row.time):
            return False
        newest[row.machine] = row.time
    return True


@given(st.lists(batches, max_size=12), st.sampled_from([0.0, 2.0, 1e9]))
@settings(max_examples=150)
def test_nothing_that_comes_breaks_it(sent, patience):
    intake = Intake(MAPPING, reorder_patience=patience)
    rows = []
    for batch in sent:
        rows += intake.take(batch).events
    rows += intake.flush().events
    assert intake.flush().events == ()
    assert in_order(rows)
    counts = intake.counts.as_dict()
    assert counts["readings"] == sum(len(batch.readings) for batch in sent)
    assert all(count >= 0 for count in counts.values())
    assert len(intake.ages()) == len(MAPPING.tags)
    json.dumps(intake.state(), allow_nan=False)


@given(st.lists(batches, min_size=1, max_size=8), st.data())
@settings(max_examples=80)
def test_going_on_from_what_was_kept_is_the_same_as_not_having_stopped(sent, data):
    cut = data.draw(st.integers(0, len(sent)))
    whole = Intake(MAPPING)
    expected = [repr(whole.take(batch)) for batch in sent]
    first, second = Intake(MAPPING), Intake(MAPPING)
    found = [repr(first.take(batch)) for batch in sent[:cut]]
    second.restore(json.loads(json.dumps(first.state())))
    found += [repr(second.take(batch)) for batch in sent[cut:]]
    assert found == expected
    assert second.counts == whole.counts
    assert second.flush() == whole.flush()
    assert second.state() == whole.state()


@st.composite
def journeys(draw):
    """Telegrams of one machine with ascending times, and the order in which they arrive."""
    n = draw(st.integers(1, 12))
    steps = draw(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=n, max_size=n))
    sent, time = [], 0.0
    for number, step in enumerate(steps, 1):
        time += step
        kind = draw(st.sampled_from(KINDS))
        sent.append(Reading("a/tracking", f"{number}|{kind}|{number}|f|d", T0 + time))
    order = draw(st.permutations(range(n)))
    again = draw(st.lists(st.sampled_from(range(n)), max_size=6))
    lost = draw(st.sets(st.sampled_from(range(n)), max_size=3))
    return sent, [k for k in (*order, *again) if k not in lost], lost


@given(journeys(), st.integers(1, 4))
@settings(max_examples=150)
def test_each_telegram_that_comes_in_time_is_one_row_in_its_order(journey, size):
    sent, arriving, lost = journey
    intake = Intake(MAPPING, reorder_patience=1e9)
    # The first is known to be the first because it comes by itself, at the beginning.
    rows = list(intake.take(Batch((sent[0],), T0)).events)
    for begin in range(0, len(arriving), size):
        part = tuple(sent[k] for k in arriving[begin : begin + size])
        rows += intake.take(Batch(part, T0)).events
    rows += intake.flush().events
    came = sorted({0, *arriving})
    assert [row.number for row in rows] == [k + 1 for k in came]
    assert [row.time for row in rows] == [sent[k].source_time for k in came]
    between = {k for k in lost if 0 < k < max(came)}
    assert intake.counts.lost_telegrams == len(between)
    assert intake.counts.duplicates == len(arriving) + 1 - len(came)


@given(st.lists(st.integers(0, 3), max_size=30))
def test_counter_never_goes_back_and_counts_every_step(steps):
    intake = Intake(MAPPING)
    raw, true, counted = 0, 0, []
    for k, step in enumerate(steps):
        raw, true = raw + step, true + step
        taken = intake.take(Batch((Reading("a/processed", raw, T0 + k),), T0 + k))
        counted += [o.value for o in taken.observations]
        assert counted[-1] == true
    assert counted == sorted(counted)
