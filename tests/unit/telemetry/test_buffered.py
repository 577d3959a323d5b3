import threading

import pytest

from gigatwin.errors import ConnectorError, TelemetryError
from gigatwin.telemetry import Reading
from gigatwin.telemetry.buffered import BufferedWriter

PATIENCE = 30.0
SPEED, STATE = "m_1/Status.CurMachSpeed", "m_1/Status.StateCurrent"


class Store:
    """A historian in memory that can be held up."""

    def __init__(self):
        self.readings, self.commits = [], []
        self.may_write, self.is_writing = threading.Event(), threading.Event()
        self.may_write.set()

    def append(self, readings):
        self.is_writing.set()
        assert self.may_write.wait(PATIENCE)
        self.is_writing.clear()
        if any(reading.source_time < 0 for reading in readings):
            message = "a time below 0"
            raise TelemetryError(message)
        if any(reading.value == "away" for reading in readings):
            message = "the database is away"
            raise ConnectorError(message)
        self.readings += readings
        self.commits.append(len(readings))
        return len(self.readings)


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def started(store):
    """Return a function that starts a writer; all are closed at the end."""
    writers = []

    def starting(**options):
        writer = BufferedWriter(store, **{"max_delay": PATIENCE, **options})
        writers.append(writer)
        return writer

    yield starting
    store.may_write.set()
    for writer in writers:
        writer.close()


def speeds(*values):
    return [Reading(SPEED, float(value), 1.0) for value in values]


def hold(store, writer):
    """Put a batch that keeps the writer busy until the store may write."""
    store.may_write.clear()
    first = writer.put(speeds(0))
    threading.Thread(target=writer.flush).start()
    assert store.is_writing.wait(PATIENCE)
    return first


def test_batches_of_a_moment_share_a_commit_and_each_gets_its_row(started, store):
    writer = started()
    rows = [writer.put(speeds(*range(n))) for n in (3, 1, 2)]
    writer.flush()
    assert [row.result(PATIENCE) for row in rows] == [3, 4, 6]
    assert store.commits == [6]
    assert (writer.n_batches, writer.n_commits) == (3, 1)


def test_batch_is_kept_after_the_delay_without_asking(started, store):
    assert started(max_delay=0.01).put(speeds(1)).result(PATIENCE) == 1
    assert store.readings == speeds(1)


def test_empty_batch_has_the_row_before_it(started):
    writer = started()
    rows = [writer.put(speeds(1)), writer.put([])]
    writer.flush()
    assert [row.result(PATIENCE) for row in rows] == [1, 1]


def test_closing_keeps_what_waits(started, store):
    writer = started()
    row = writer.put(speeds(1, 2))
    writer.close()
    assert row.result(0) == 2
    assert len(store.readings) == 2
    with pytest.raises(ConnectorError, match="closed"):
        writer.put(speeds(3))
    writer.close()


def test_reading_that_cannot_be_kept_takes_no_other_batch_with_it(started, store):
    writer = started()
    good, bad = writer.put(speeds(1)), writer.put([Reading(SPEED, 1.0, -1.0)])
    after = writer.put(speeds(2))
    writer.flush()
    assert (good.result(PATIENCE), after.result(PATIENCE)) == (1, 2)
    with pytest.raises(TelemetryError, match="a time below 0"):
        bad.result(PATIENCE)
    assert store.readings == speeds(1, 2)


def test_historian_that_fails_fails_the_batch_and_the_next_is_tried(started):
    writer = started()
    failed = writer.put([Reading(SPEED, "away", 1.0)])
    writer.flush()
    with pytest.raises(ConnectorError, match="away"):
        failed.result(PATIENCE)
    row = writer.put(speeds(1))
    writer.flush()
    assert row.result(PATIENCE) == 1


def test_full_buffer_makes_the_next_wait_until_there_is_room(started, store):
    writer = started(max_readings=4)
    hold(store, writer)
    writer.put(speeds(1, 2, 3))
    rows = []
    waiting = threading.Thread(target=lambda: rows.append(writer.put(speeds(4))))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    store.may_write.set()
    waiting.join(PATIENCE)
    writer.flush()
    assert rows[0].result(PATIENCE) == 5
    assert store.readings == speeds(0, 1, 2, 3, 4)
    assert writer.n_thinned == 0


def test_batch_larger_than_the_buffer_goes_alone(started, store):
    writer = started(max_readings=2)
    assert writer.put(speeds(1, 2, 3, 4, 5)).result(PATIENCE) == 5
    assert store.commits == [5]


def test_thinning_drops_the_oldest_measured_values_that_newer_ones_replace(started, store):
    writer = started(max_readings=6, when_full="thin")
    hold(store, writer)
    states = [Reading(STATE, 6, 1.0), Reading("m_1/Status.Tracking", "1|START|1||", 1.0)]
    other = Reading("m_2/Status.Value.force", 5.0, 1.0)
    writer.put([*speeds(1), *states, other, *speeds(2)])
    row = writer.put(speeds(3, 4))
    store.may_write.set()
    writer.flush()
    assert store.readings == [*speeds(0), *states, other, *speeds(3, 4)]
    assert writer.n_thinned == 2
    assert row.result(PATIENCE) == 6


def test_thinning_never_drops_states_and_waits_instead(started, store):
    writer = started(max_readings=3, when_full="thin")
    hold(store, writer)
    states = [Reading(STATE, k, float(k)) for k in range(3)]
    writer.put(states[:2])
    waiting = threading.Thread(target=writer.put, args=(states[2:],))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    store.may_write.set()
    waiting.join(PATIENCE)
    writer.flush()
    assert store.readings == [*speeds(0), *states]


def test_counter_that_comes_as_a_float_is_not_dropped(started, store):
    writer = started(max_readings=3, when_full="thin")
    hold(store, writer)
    counter = [Reading("m_1/Admin.ProdProcessedCount", float(k), 1.0) for k in range(3)]
    writer.put(counter[:2])
    waiting = threading.Thread(target=writer.put, args=(counter[2:],))
    waiting.start()
    store.may_write.set()
    waiting.join(PATIENCE)
    writer.flush()
    assert store.readings == [*speeds(0), *counter]
    assert writer.n_thinned == 0
