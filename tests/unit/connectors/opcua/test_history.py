import asyncio

from gigatwin.connectors.opcua.batch_queue import BatchQueue
from gigatwin.connectors.opcua.history import Kept, ValueHistory
from gigatwin.telemetry import Batch

SECOND = 1_000_000


def rows(history, tag="a/b", begin=0, end=2**60, limit=1000):
    return [row[2] for row in history.read(tag, begin, end, None, limit)]


def test_values_are_read_back_between_two_times_in_both_directions():
    history = ValueHistory(None, 3600.0, 10_000)
    history.append(Kept("a/b", number * SECOND, number, 0) for number in range(10))
    assert rows(history, begin=3 * SECOND, end=6 * SECOND) == [3, 4, 5, 6]
    assert rows(history, begin=6 * SECOND, end=3 * SECOND) == [6, 5, 4, 3]
    assert rows(history, "unknown/tag") == []
    history.close()


def test_old_values_go_by_the_clock_of_the_source():
    history = ValueHistory(None, 100.0, 10_000)
    for number in range(1000):
        history.append([Kept("a/b", number * SECOND, number, 0)])
    assert rows(history) == list(range(899, 1000))
    assert len(history) == 101
    history.close()


def test_never_many_more_values_than_allowed_are_kept():
    history = ValueHistory(None, 1e6, 1000)
    for number in range(5000):
        history.append([Kept("a/b", number * SECOND, number, 0)])
    assert len(history) < 2500
    assert rows(history)[-1] == 4999
    history.close()


def test_a_file_outlives_its_server(tmp_path):
    path = tmp_path / "history.sqlite"
    first = ValueHistory(path, 3600.0, 10_000)
    first.append([Kept("a/b", SECOND, "text", 0), Kept("a/b", SECOND, None, 2**31)])
    second = ValueHistory(path, 3600.0, 10_000)
    second.append([Kept("a/b", SECOND, 1, 0)])
    assert rows(second) == ["text", None, 1]
    first.close()
    second.close()


def test_a_full_queue_drops_the_oldest_and_ends_when_it_is_closed():
    async def scenario():
        queue = BatchQueue(2)
        batches = [Batch((), float(number)) for number in range(3)]
        assert [queue.put(batch) for batch in batches] == [False, False, True]
        queue.close()
        assert [await queue.get() for _ in range(3)] == [batches[1], batches[2], None]

    asyncio.run(scenario())
