import hashlib
import sqlite3
from contextlib import closing

import polars as pl
import pytest

from gigatwin.connectors.embedded import EmbeddedHistorian, verification
from gigatwin.connectors.embedded.segments import path_of
from gigatwin.errors import ConnectorError
from tests.unit.connectors.embedded.kept_readings import BEGIN, HOUR, values
from tests.unit.connectors.embedded.test_compaction import segments_of


@pytest.fixture
def store(opened):
    store = opened()
    store.append([*values(100), *values(50, begin=BEGIN + HOUR)])
    store.compact()
    store.append(values(20))
    store.close()
    return opened(is_writer=False)


def change(store, sql):
    with closing(sqlite3.connect(store.folder / "journal.sqlite")) as connection:
        connection.execute(sql)
        connection.commit()


def problems(store):
    return store.check().problems


def test_sound_historian_has_no_problems_and_counts(store):
    found = store.check()
    assert (found.n_rows, found.n_parts, found.problems, found.notes) == (170, 2, (), ())


def test_damaged_segment_is_found(store):
    path = path_of(store.folder, segments_of(store)[0])
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    assert [text for text in problems(store) if "changed since it was written" in text]


def test_missing_segment_is_found_with_what_it_held(store):
    path_of(store.folder, segments_of(store)[1]).unlink()
    (text,) = problems(store)
    assert "50 readings are lost with it" in text


def rewrite(store, change_frame):
    """Write a segment anew as if it had always been so."""
    segment = segments_of(store)[0]
    path = path_of(store.folder, segment)
    change_frame(pl.read_parquet(path)).write_parquet(path)
    digest = hashlib.blake2b(path.read_bytes()).hexdigest()
    change(store, f"UPDATE segment SET digest = '{digest}' WHERE number = 1")  # noqa: S608 - nothing in it comes from outside


def test_segment_that_is_not_sorted_is_found(store):
    rewrite(store, lambda frame: frame.reverse())
    (text,) = problems(store)
    assert "not sorted by tag, time, row" in text


def test_segment_with_other_rows_than_named_is_found(store):
    rewrite(store, lambda frame: frame.head(99))
    (text,) = problems(store)
    assert "rows and times (99, 1, 99" in text


def test_row_that_is_there_twice_is_found(store):
    again = pl.col("row").replace(60, 59)
    rewrite(store, lambda frame: frame.with_columns(row=again))
    assert [text for text in problems(store) if "1 rows are in more than one segment" in text]
    assert [text for text in problems(store) if "1 rows are missing" in text]


def test_row_that_the_journal_lost_is_found(store):
    change(store, "DELETE FROM reading WHERE row = 160")
    (text,) = problems(store)
    assert "19 rows between 151 and 170; must follow each other" in text


def test_segment_that_is_forgotten_is_found(store):
    change(store, "DELETE FROM segment WHERE number = 1")
    (text,) = problems(store)
    assert text == "100 rows are missing; retention gave up 0 of them."


def test_segment_with_rows_of_the_journal_is_found(store):
    change(store, "UPDATE state SET value = 149 WHERE name = 'moved'")
    change(store, "DELETE FROM reading WHERE row > 150")
    assert [text for text in problems(store) if "hold rows that the journal holds, too" in text]


def test_segments_that_are_merged_during_the_check_are_no_loss(opened, monkeypatch):
    store = opened()
    store.append(values(100))
    store.compact()
    look, calls = verification.path_of, []

    def slow(folder, segment):
        if not calls:
            calls.append(segment)
            store.append(values(10))
            store.compact()
        return look(folder, segment)

    monkeypatch.setattr(verification, "path_of", slow)
    found = store.check()
    assert (found.n_rows, found.problems) == (110, ())


def test_damaged_journal_is_found(store):
    path = store.folder / "journal.sqlite"
    content = bytearray(path.read_bytes())
    content[4096:8192] = bytes(4096)
    path.write_bytes(content)
    assert "journal.sqlite" in problems(store)[0]


def test_folder_without_a_historian_is_one_error(tmp_path):
    with pytest.raises(ConnectorError, match="no historian"):
        EmbeddedHistorian(tmp_path, is_writer=False)
