import duckdb
import polars as pl
import pytest

from gigatwin.errors import ConnectorError, TelemetryError
from gigatwin.telemetry import Quality, Reading
from tests.unit.connectors.embedded.kept_readings import BEGIN, everything, values

WRITING = [
    "INSERT INTO readings VALUES (1, 'a', 1.0, 1.0, NULL, 0)",
    "DELETE FROM journal",
    "CREATE TABLE mine (x INTEGER)",
    "COPY (SELECT 1) TO '{folder}/x.csv'",
    "ATTACH '{folder}/x.db'",
    "SET threads = 1",
    "PRAGMA database_list",
    "INSTALL httpfs",
    "EXPORT DATABASE '{folder}/x'",
    "SELECT 1; SELECT 2",
    "SELECT 1; COPY (SELECT 1) TO '{folder}/x.csv'",
    "",
    "-- nothing",
]
REACHING = [
    "SELECT * FROM read_text('{folder}/secret.txt')",
    "SELECT * FROM read_csv('{folder}/secret.txt')",
    "SELECT * FROM sniff_csv('{folder}/secret.txt')",
    "SELECT * FROM '{folder}/secret.txt'",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM read_parquet('https://example.com/x.parquet')",
    "SELECT * FROM files",
]


@pytest.fixture
def store(opened):
    store = opened()
    store.append(values(100))
    store.compact()
    store.append([Reading("b/x", "text", BEGIN, Quality.BAD)])
    return store


def test_query_sees_segments_and_journal_as_one_table(store):
    table = store.query("SELECT * FROM readings ORDER BY row DESC LIMIT 2")
    assert table.to_dicts() == [
        {"row": 101, "tag": "b/x", "time": BEGIN, "value": None, "text": "text", "quality": 2},
        {
            "row": 100,
            "tag": "m_1/Status.Value.x",
            "time": BEGIN + 99,
            "value": 99.0,
            "text": None,
            "quality": 0,
        },
    ]


@pytest.mark.parametrize("sql", ["DESCRIBE readings", "FROM readings", "SUMMARIZE readings"])
def test_short_forms_of_select_work(store, sql):
    assert store.query(sql).height > 0


def test_sums_of_whole_numbers_are_whole_numbers(store):
    table = store.query("SELECT sum(row) AS total, avg(row) AS mean, 1.5 AS x FROM readings")
    assert table.to_dicts() == [{"total": 5151, "mean": 51.0, "x": 1.5}]
    assert table.dtypes == [pl.Int64, pl.Float64, pl.Float64]


@pytest.mark.parametrize("sql", WRITING)
def test_whatever_is_no_single_select_is_refused(store, tmp_path, sql):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(TelemetryError, match="must be one SELECT over readings"):
        store.query(sql.format(folder=tmp_path))
    assert sorted(tmp_path.rglob("*")) == before
    assert len(everything(store)) == 101


@pytest.mark.parametrize("sql", REACHING)
def test_other_files_and_other_machines_are_out_of_reach(store, tmp_path, sql):
    (tmp_path / "secret.txt").write_text("secret")
    with pytest.raises(TelemetryError, match="query: ") as caught:
        store.query(sql.format(folder=tmp_path))
    assert "secret\n" not in str(caught.value)


def test_variables_of_the_program_are_out_of_reach(store):
    mine = pl.DataFrame({"x": [1]})
    assert mine.height == 1
    with pytest.raises(TelemetryError, match="mine"):
        store.query("SELECT * FROM mine")


def test_mistake_in_a_query_says_what_there_is(store):
    with pytest.raises(TelemetryError, match=r"valeu.*The table is readings \(row, tag, time"):
        store.query("SELECT valeu FROM readings")


def test_two_columns_of_one_name_are_one_error(store):
    with pytest.raises(TelemetryError, match="names of their own"):
        store.query("SELECT value, value FROM readings")


def test_empty_historian_can_be_queried(opened):
    store = opened()
    assert store.query("SELECT count(*) AS n FROM readings")["n"][0] == 0
    assert store.latest() == {}
    assert store.read("a/x", 0.0, 1.0).is_empty()


def test_segments_can_be_read_by_duckdb_alone(store):
    files = str(store.folder / "segments" / "*" / "*.parquet")
    found = duckdb.sql(f"SELECT count(*), sum(value) FROM '{files}'").fetchall()  # noqa: S608 - nothing in it comes from outside
    assert found == [(100, 4950.0)]


def test_file_that_is_gone_is_looked_for_again_and_then_told(store):
    for file in store.folder.rglob("*.parquet"):
        file.unlink()
    with pytest.raises(ConnectorError, match=r"a segment is missing.*verify"):
        store.query("SELECT count(*) FROM readings")
    with pytest.raises(ConnectorError, match="a segment is missing"):
        store.read("m_1/Status.Value.x", BEGIN, BEGIN + 9)


def test_missing_library_says_what_to_install(store, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    with pytest.raises(ConnectorError, match=r"pip install 'gigatwin\[historian\]'"):
        store.query("SELECT 1")
    assert store.read("b/x", BEGIN, BEGIN + 1).height == 1
