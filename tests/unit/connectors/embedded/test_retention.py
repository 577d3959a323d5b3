import pytest

from gigatwin.connectors.embedded.retention import segments_to_drop
from gigatwin.connectors.embedded.segments import DAY, HOUR
from tests.unit.connectors.embedded.kept_readings import BEGIN, everything, values
from tests.unit.connectors.embedded.test_compaction import SEGMENT, segments_of


@pytest.fixture
def three_days(opened):
    store = opened()
    for day in range(3):
        store.append(values(100, begin=BEGIN + day * DAY))
        store.compact()
    return store


def test_segments_go_by_the_age_of_their_newest_reading(three_days):
    dropped = three_days.retain(days=1.5)
    assert (dropped.n_segments, dropped.n_rows) == (1, 100)
    rows = [row for row, _ in everything(three_days)]
    assert rows == list(range(101, 301))
    assert three_days.check().problems == ()
    assert three_days.check().notes[0] == "100 readings were given up by retention."


def test_the_oldest_segments_go_until_the_rest_fits(three_days):
    sizes = [segment.n_bytes for segment in segments_of(three_days)]
    assert three_days.retain(n_bytes=sizes[1] + sizes[2]).n_rows == 100
    assert three_days.retain(n_bytes=sizes[2]).n_rows == 100
    assert three_days.retain(n_bytes=0).n_rows == 100
    assert three_days.check().problems == ()


def test_numbers_of_rows_go_on_when_everything_was_given_up(three_days, opened):
    three_days.retain(n_bytes=0)
    assert three_days.after(0) == []
    three_days.close()
    again = opened()
    assert again.append(values(1)) == 301
    assert [row for row, _ in again.after(0)] == [301]
    assert len(again.latest()) == 1
    assert again.check().problems == ()


def test_reading_on_passes_over_what_was_given_up(opened):
    store = opened()
    store.append([*values(50), *values(50, begin=BEGIN + 2 * DAY), *values(50, begin=BEGIN + 1)])
    store.append(values(100, begin=BEGIN + 2 * DAY + 60))
    store.compact()
    store.retain(days=1.0)
    rows = [row for row, _ in everything(store)]
    assert rows == [*range(51, 101), *range(151, 251)]
    assert [row for row, _ in store.after(0, limit=3)] == [51, 52, 53]
    assert [row for row, _ in store.after(99, limit=3)] == [100, 151, 152]


def test_a_limit_given_when_opening_holds_by_itself(opened):
    store = opened(keep_days=0.5)
    store.append(values(100))
    store.append(values(1000, begin=BEGIN + DAY))
    store.compact()
    assert [row for row, _ in everything(store)] == list(range(101, 1101))


def test_nothing_goes_without_a_limit():
    assert segments_to_drop([SEGMENT], 1e12, None, None) == []
    assert segments_to_drop([SEGMENT], SEGMENT.last_time + HOUR, HOUR / DAY, None) == []
    assert segments_to_drop([SEGMENT], SEGMENT.last_time + HOUR + 1, HOUR / DAY, None) == [SEGMENT]
