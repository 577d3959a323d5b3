import math
import threading
from pathlib import Path

import pytest

from gigatwin.connectors.embedded import EmbeddedHistorian, compaction, historian, is_historian
from gigatwin.errors import ConnectorError, TelemetryError
from gigatwin.telemetry import Historian, Quality, Reading
from tests.unit.connectors.embedded.kept_readings import BEGIN, HOUR, everything, values

ODD = [
    Reading("a/x", 2**60 + 1, BEGIN),
    Reading("a/x", -(2**70), BEGIN + 1),
    Reading("a/x", 10**400, BEGIN + 2),
    Reading("a/x", math.inf, BEGIN + 3, Quality.UNCERTAIN),
    Reading("a/x", value=True, source_time=BEGIN + 4),
    Reading("a/x", None, BEGIN + 5, Quality.BAD),
    Reading("a/x", "", BEGIN - 1e12),
    Reading("a/x", "ü\n漢", BEGIN + 1e300),
]


def test_every_historian_of_the_port():
    historian: type[Historian] = EmbeddedHistorian
    assert historian is EmbeddedHistorian


@pytest.mark.parametrize("is_moved", [False, True])
def test_odd_values_come_back_exactly_from_journal_and_segments(opened, is_moved):
    store = opened()
    store.append(ODD)
    if is_moved:
        store.compact()
    kept = [reading for _, reading in store.after(0)]
    assert kept == ODD
    assert [type(reading.value) for reading in kept] == [type(reading.value) for reading in ODD]


@pytest.mark.parametrize("is_moved", [False, True])
def test_no_number_stays_no_number_and_is_not_missing(opened, is_moved):
    store = opened()
    store.append([Reading("a/x", math.nan, BEGIN), Reading("a/x", None, BEGIN + 1)])
    if is_moved:
        store.compact()
    assert math.isnan(store.after(0)[0][1].value)
    table = store.query("SELECT value, isnan(value) AS is_nan FROM readings ORDER BY time")
    assert table["is_nan"].to_list() == [True, None]


@pytest.mark.parametrize("time", [math.nan, math.inf, None, "now"])
def test_reading_without_a_time_is_refused_with_its_batch(opened, time):
    store = opened()
    with pytest.raises(TelemetryError, match=r"tag a/x: source time .* Nothing of this batch"):
        store.append([*values(3), Reading("a/x", 1.0, time)])
    assert store.after(0) == []
    assert store.append(values(1)) == 1


def test_value_that_no_tag_has_is_refused(opened):
    with pytest.raises(TelemetryError, match=r"tag a/x: a value of type list"):
        opened().append([Reading("a/x", [1], BEGIN)])


def test_text_that_cannot_be_stored_is_mended(opened):
    store = opened()
    store.append([Reading("a/x", "a\x00b\ud800c", BEGIN)])
    assert store.after(0)[0][1].value == "a\N{REPLACEMENT CHARACTER}b" + "\ufffd" * 3 + "c"


def test_second_writer_is_told_who_writes(opened, tmp_path):
    opened()
    with pytest.raises(ConnectorError, match=r"process \d+ writes to this historian; only one can"):
        EmbeddedHistorian(tmp_path / "store")


def test_writer_after_another_gets_the_lock(opened):
    first = opened()
    first.append(values(2))
    first.close()
    assert opened().append(values(1)) == 3


def test_reader_cannot_append_and_needs_a_historian(opened, tmp_path):
    with pytest.raises(ConnectorError, match="no historian"):
        EmbeddedHistorian(tmp_path / "nothing", is_writer=False)
    assert not (tmp_path / "nothing").exists()
    opened().append(values(2))
    reader = opened(is_writer=False)
    assert len(reader.after(0)) == 2
    with pytest.raises(ConnectorError, match="open for reading only"):
        reader.append(values(1))


def test_closed_historian_says_so(opened):
    store = opened()
    store.close()
    with pytest.raises(ConnectorError, match="closed"):
        store.append(values(1))


def test_folder_that_is_a_file_is_one_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConnectorError, match="must be a folder that can be made"):
        EmbeddedHistorian(tmp_path / "file")


def test_file_that_is_no_journal_is_one_error_and_stays(tmp_path):
    (tmp_path / "journal.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(ConnectorError, match="no sound journal"):
        EmbeddedHistorian(tmp_path)
    assert (tmp_path / "journal.sqlite").read_bytes().startswith(b"no database")
    assert is_historian(tmp_path)


def test_journal_of_a_newer_version_is_left_alone(opened, monkeypatch):
    opened().close()
    monkeypatch.setattr("gigatwin.connectors.embedded.journal._FORMAT", 2)
    with pytest.raises(ConnectorError, match="written in format 1; this program knows format 2"):
        opened()


def test_latest_is_right_across_journal_segments_and_refreshes(opened, monkeypatch):
    monkeypatch.setattr("gigatwin.connectors.embedded.journal._REFRESH_EVERY", 10)
    store, wanted = opened(), {}
    for k in range(60):
        time = BEGIN + (k * 37) % 50
        reading = Reading(f"a/{k % 7}", k, time)
        store.append([reading])
        if reading.tag not in wanted or time >= wanted[reading.tag].source_time:
            wanted[reading.tag] = reading
        if k % 25 == 24:
            store.compact()
        assert store.latest() == wanted


def test_rows_move_to_segments_by_themselves(opened, monkeypatch):
    monkeypatch.setattr(historian, "MOST_IN_JOURNAL", 500)
    store = opened()
    for _ in range(10):
        store.append(values(300))
    store.close()
    reader = opened(is_writer=False)
    assert reader.check().n_parts > 0
    assert [row for row, _ in everything(reader)] == list(range(1, 3001))


def test_rows_of_an_hour_that_is_over_move_by_themselves(opened, monkeypatch):
    monkeypatch.setattr(historian, "_ENOUGH_FOR_AN_HOUR", 100)
    store = opened()
    store.append(values(100))
    store.append(values(1, begin=BEGIN + HOUR + compaction.GRACE + 1.0))
    store.close()
    assert opened(is_writer=False).check().n_parts == 2


def test_append_moves_rows_itself_when_the_background_does_not_keep_up(opened, monkeypatch):
    monkeypatch.setattr(historian, "MOST_IN_JOURNAL", 10**9)
    monkeypatch.setattr(historian, "_MUCH_TOO_MANY", 500)
    store = opened()
    store.append(values(600))
    assert store.check().n_parts == 1


def test_full_journal_fails_in_the_open_when_segments_cannot_be_written(opened, monkeypatch):
    monkeypatch.setattr(historian, "_MUCH_TOO_MANY", 500)
    store = opened()
    (store.folder / "segments").write_text("in the way")
    with pytest.raises(ConnectorError, match=r"could not be written\. Nothing is lost"):
        store.append(values(600))
    assert len(everything(store)) == 600


def test_failed_compaction_in_the_background_is_logged_and_loses_nothing(
    opened, monkeypatch, caplog
):
    monkeypatch.setattr(historian, "MOST_IN_JOURNAL", 100)
    store = opened()
    (store.folder / "segments").write_text("in the way")
    store.append(values(200))
    store.close()
    assert "compaction failed" in caplog.text
    assert len(everything(opened(is_writer=False))) == 200


def test_several_threads_append_and_read_while_rows_move(opened, monkeypatch):
    monkeypatch.setattr(historian, "MOST_IN_JOURNAL", 300)
    store, failures = opened(), []

    def append(number):
        try:
            for _ in range(10):
                store.append(values(50, tag=f"m_{number}/x"))
                seen = [row for row, _ in everything(store)]
                assert seen == list(range(1, len(seen) + 1))
        except Exception as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    threads = [threading.Thread(target=append, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert store.last_row() == 2000
    assert store.check().problems == ()


def test_rows_read_ahead_are_those_that_come_next(opened):
    store = opened()
    store.append(values(1000))
    store.compact()
    assert [row for row, _ in store.after(10, limit=5)] == [11, 12, 13, 14, 15]
    assert [row for row, _ in store.after(15, limit=2)] == [16, 17]
    assert [row for row, _ in store.after(3, limit=2)] == [4, 5]
    assert [row for row, _ in store.after(998, limit=9)] == [999, 1000]
    store.append(values(1))
    assert [row for row, _ in store.after(999, limit=9)] == [1000]
    assert [row for row, _ in store.after(1000, limit=9)] == [1001]


def test_readings_of_some_tags_or_all_can_be_used(opened):
    store = opened()
    store.append([*values(10, tag="a/x"), *values(10, tag="b/x"), *values(10, tag="c/x")])
    store.compact()
    store.append(values(10, tag="b/x", begin=BEGIN + 100))

    def count(found):
        return found.collect().height

    assert store.use(["a/x", "b/x"], BEGIN + 5, BEGIN + 102, count) == 12
    assert store.use(None, BEGIN + 5, BEGIN + 102, count) == 17
    assert store.use([], BEGIN, BEGIN + 102, count) == 0


def test_use_begins_again_when_a_file_was_merged_away(opened):
    store = opened()
    store.append(values(10))
    store.compact()
    calls = []

    def slow(found):
        if not calls:
            store.append(values(10))
            store.compact()
        calls.append(1)
        return found.collect().height

    assert store.use(None, BEGIN, BEGIN + 100, slow) == 20
    assert len(calls) == 2


def test_folder_with_letters_that_patterns_use_works(tmp_path):
    folder = Path(tmp_path, "line [1] *? 'a'=1")
    store = EmbeddedHistorian(folder)
    store.append(values(10))
    store.compact()
    store.append(values(5))
    assert store.query("SELECT count(*) AS n FROM readings")["n"][0] == 15
    assert store.read("m_1/Status.Value.x", BEGIN, BEGIN + 9).height == 14
    store.close()


def test_power_safe_historian_keeps_the_same(opened):
    store = opened(is_power_safe=True)
    assert store.append(values(3)) == 3
    store.compact()
    assert len(store.after(0)) == 3
