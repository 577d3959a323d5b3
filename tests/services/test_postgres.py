"""The historian against a real PostgreSQL server."""

import subprocess
import threading
from contextlib import closing

import pytest

from benchmarks.historian_kills import kill_writers
from gigatwin.app.historians import open_historian
from gigatwin.connectors.postgres import PostgresHistorian, writer
from gigatwin.connectors.postgres.address import Address
from gigatwin.connectors.postgres.connection import Connection, PostgresError
from gigatwin.connectors.postgres.tables import partition_of
from gigatwin.errors import ConnectorError, TelemetryError
from gigatwin.telemetry import Quality, Reading
from gigatwin.testing.historian_contract import HistorianContract
from tests.services.conftest import find_program

BEGIN = 1_800_000_000.0
DAY = 86_400.0
SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


@pytest.fixture
def url(postgres_url):
    """Return the URL of a database without a historian."""
    with closing(Connection(Address.parse(postgres_url), is_writer=True)) as connection:
        connection.run("DROP SCHEMA IF EXISTS gigatwin CASCADE")
    return postgres_url


@pytest.fixture
def psql(url):
    """Return a function that asks the database with its own program."""

    def asking(sql):
        command = [find_program("psql"), url, "-At", "-v", "ON_ERROR_STOP=1", "-c", sql]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return asking


@pytest.fixture
def store(url):
    with closing(PostgresHistorian(url)) as historian:
        yield historian


class TestPostgresHistorian(HistorianContract):
    @pytest.fixture(autouse=True)
    def _url(self, url):
        self.url = url

    def open(self):
        historian = open_historian(self.url)
        assert isinstance(historian, PostgresHistorian)
        return historian


def values(n, tag="m_1/Status.Value.x", begin=BEGIN, step=1.0):
    return [Reading(tag, float(k), begin + k * step) for k in range(n)]


def test_odd_values_come_back_exactly(store):
    odd = [
        Reading("a/x", 2**60 + 1, BEGIN),
        Reading("a/x", 10**400, BEGIN + 1),
        Reading("a/x", float("inf"), BEGIN + 2, Quality.UNCERTAIN),
        Reading("a/x", value=False, source_time=BEGIN + 3),
        Reading("a/x", "tab\t'quote' \\ ü漢", -1e12),
        Reading("a/x", "", 1e300),
    ]
    store.append(odd)
    kept = [reading for _, reading in store.after(0)]
    assert kept == odd
    assert [type(reading.value) for reading in kept] == [type(reading.value) for reading in odd]
    store.append([Reading("a/x", float("nan"), BEGIN), Reading("b/x", "a\x00b", BEGIN)])
    (_, nan), (_, text) = store.after(len(odd))
    assert nan.value != nan.value
    assert text.value == "a\N{REPLACEMENT CHARACTER}b"


def test_each_day_of_source_time_is_a_partition_that_psql_can_read(store, psql):
    store.append([*values(10), *values(5, begin=BEGIN + DAY)])
    name, _ = partition_of(BEGIN)
    assert name == "reading_20270115"
    assert psql(f"SELECT count(*) FROM gigatwin.{name}") == "10"  # noqa: S608 - nothing in it comes from outside
    assert psql("SELECT count(*), max(tag) FROM gigatwin.readings") == "15|m_1/Status.Value.x"


def test_batch_that_was_committed_when_the_connection_broke_is_not_kept_twice(
    store, psql, monkeypatch
):
    store.append(values(3))
    run = Connection.run

    def break_after_commit(connection, sql):
        run(connection, sql)
        if sql == "COMMIT" and not broken:
            broken.append(True)
            psql(SESSIONS)
            message = "server closed the connection unexpectedly"
            raise PostgresError(message, None)

    broken = []
    monkeypatch.setattr(Connection, "run", break_after_commit)
    assert store.append(values(4)) == 7
    assert broken == [True]
    assert store.append(values(1)) == 8
    assert [row for row, _ in store.after(0)] == list(range(1, 9))
    assert store.check().problems == ()


def test_batch_that_was_not_committed_is_sent_again(store, psql):
    store.append(values(3))
    psql(SESSIONS)
    assert store.append(values(4)) == 7
    assert store.check().problems == ()
    assert len(store.after(0)) == 7


def test_reader_connects_again_by_itself(store, psql):
    store.append(values(3))
    assert len(store.latest()) == 1
    psql(SESSIONS)
    assert len(store.latest()) == 1


def test_killed_writers_lose_no_acknowledged_row_and_repeat_none(url):
    kills = kill_writers(url, n_kills=3, seed=2)
    assert (kills.n_kills, kills.n_lost, kills.n_repeated, kills.problems) == (3, 0, 0, [])
    assert kills.n_rows > 50


def test_connection_that_breaks_again_and_again_ends_in_one_error(store, monkeypatch):
    def breaking(self, session, rows, last):
        del self, rows, last
        session.close()
        message = "server closed the connection unexpectedly"
        raise PostgresError(message, None)

    monkeypatch.setattr(writer.Writer, "_send", breaking)
    with pytest.raises(ConnectorError, match="the connection broke 5 times at the same batch"):
        store.append(values(1))


def test_second_writer_is_refused_and_a_reader_is_not(store, url):
    store.append(values(2))
    with pytest.raises(ConnectorError, match="another process writes to this historian"):
        PostgresHistorian(url, patience=0.2)
    with closing(PostgresHistorian(url, is_writer=False)) as reader:
        assert len(reader.after(0)) == 2
        with pytest.raises(ConnectorError, match="open for reading only"):
            reader.append(values(1))


def test_writer_that_lost_its_lock_to_another_keeps_nothing(store, psql):
    store.append(values(2))
    psql("UPDATE gigatwin.state SET value = 9 WHERE name = 'last_row'")
    with pytest.raises(ConnectorError, match="another process wrote"):
        store.append(values(1))
    assert psql("SELECT count(*) FROM gigatwin.reading") == "2"


def test_new_days_do_not_wait_for_an_idle_reader(store, url):
    store.append(values(3))
    with closing(Connection(Address.parse(url), is_writer=False)) as idle:
        # A reader that began a transaction and forgot it.
        idle.run("BEGIN")
        idle.rows("SELECT count(*) FROM readings")
        done = threading.Thread(target=store.append, args=(values(3, begin=BEGIN + 3 * DAY),))
        done.start()
        done.join(20.0)
        assert not done.is_alive()
        idle.run("COMMIT")
    assert len(store.after(0)) == 6


def test_sessions_hold_no_transaction_open(store, psql):
    store.append(values(3))
    store.query("SELECT * FROM readings")
    store.latest()
    held = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
    assert psql(held) == "0"


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM reading",
        "INSERT INTO state VALUES ('x', 1)",
        "DROP TABLE reading",
        "WITH gone AS (DELETE FROM reading RETURNING 1) SELECT * FROM gone",
        "SELECT 1) AS asked; DROP TABLE reading; --",
        "SELECT 1; DELETE FROM reading",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT 1 / 0",
        "SELECT value, value FROM readings",
        "SELECT valeu FROM readings",
        "",
    ],
)
def test_query_that_writes_or_fails_is_one_error(store, sql):
    store.append(values(5))
    with pytest.raises(TelemetryError, match=r"^query: .* must be one SELECT over readings"):
        store.query("SELECT set_config('default_transaction_read_only', 'off', false) FROM x")
    with pytest.raises(TelemetryError, match="must be one SELECT"):
        store.query(sql)
    assert store.query("SELECT count(*) AS n FROM readings -- all;").to_dicts() == [{"n": 5}]


def test_read_only_cannot_be_switched_off_for_the_next_query(store, psql):
    store.append(values(5))
    psql(
        "CREATE OR REPLACE FUNCTION gigatwin.wipe() RETURNS void LANGUAGE sql AS "
        "'DELETE FROM gigatwin.reading'"
    )
    store.query("SELECT set_config('default_transaction_read_only', 'off', false)")
    with pytest.raises(TelemetryError, match="read-only"):
        store.query("SELECT wipe()")
    assert len(store.after(0)) == 5


def test_averages_are_numbers(store):
    store.append(values(4))
    table = store.query('SELECT avg("row") AS mean, sum("row") AS total FROM readings')
    assert table.to_dicts() == [{"mean": 2.5, "total": 10.0}]


def test_current_values_are_right_before_and_after_they_are_refreshed(store, url, monkeypatch):
    monkeypatch.setattr(writer, "_REFRESH_EVERY", 20)
    wanted = {}
    for k in range(60):
        time = BEGIN + (k * 37) % 50
        reading = Reading(f"a/{k % 7}", k, time)
        store.append([reading])
        if reading.tag not in wanted or time >= wanted[reading.tag].source_time:
            wanted[reading.tag] = reading
        if k % 9 == 0:
            assert store.latest() == wanted
    store.close()
    with closing(PostgresHistorian(url)) as again:
        assert again.latest() == wanted


def test_days_that_are_too_old_are_given_up_and_numbers_go_on(store):
    for day in range(4):
        store.append(values(10, begin=BEGIN + day * DAY))
    dropped = store.retain(days=0.9)
    assert (dropped.n_segments, dropped.n_rows) == (2, 20)
    assert [row for row, _ in store.after(0, limit=3)] == [21, 22, 23]
    assert store.check().problems == ()
    assert store.append(values(10)) == 50
    assert store.retain(n_bytes=0).n_rows == 30
    assert store.after(0) == []
    assert store.check().problems == ()


def test_wrong_time_in_the_future_gives_up_nothing(store):
    store.append([*values(100), Reading("a/x", 1.0, BEGIN + 1000 * DAY)])
    assert store.retain(days=10.0).n_rows == 0


def test_lost_and_repeated_rows_are_found(store, psql):
    store.append(values(10))
    psql('DELETE FROM gigatwin.reading WHERE "row" = 3')
    psql('INSERT INTO gigatwin.reading SELECT * FROM gigatwin.reading WHERE "row" = 5')
    psql('UPDATE gigatwin.reading SET tag = 99 WHERE "row" = 7')
    assert store.check().problems == (
        "1 rows are there more than once.",
        "1 rows are missing; retention gave up 0.",
        "1 rows have a tag without a name.",
    )


def test_reader_of_an_empty_database_is_told(url):
    with pytest.raises(ConnectorError, match="no historian"):
        PostgresHistorian(url, is_writer=False)


def test_tables_of_another_version_are_left_alone(store, url, psql):
    store.close()
    psql("UPDATE gigatwin.state SET value = 9 WHERE name = 'format'")
    with pytest.raises(ConnectorError, match="tables in format 9; this program knows format 1"):
        PostgresHistorian(url)


def test_password_is_in_no_message(url):
    host = url.partition("@")[2]
    for bad in (
        f"postgresql://nobody:s3cret-w0rd@{host}",
        "postgresql://twin:s3cret-w0rd@127.0.0.1:1/postgres",
        f"postgresql://twin:s3cret%zz-w0rd@{host}",
        f"postgresql://twin:s3cret-w0rd/x@{host}",
        f"postgresql://twin:s3cret-w0rd@x@{host}",
        f"postgresql://{host}?password=s3cret-w0rd&user=nobody",
        f"postgresql://twin:s3cret-w0rd@{host}?connect_timeout=s3cret-w0rd",
    ):
        with pytest.raises(ConnectorError) as caught:
            PostgresHistorian(bad)
        for part in ("s3cret", "w0rd", "zz"):
            assert part not in str(caught.value), bad
            assert part not in repr(caught.value.__cause__), bad


def test_missing_library_says_what_to_install(url, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "adbc_driver_postgresql", None)
    with pytest.raises(ConnectorError, match=r"pip install 'gigatwin\[postgres\]'"):
        PostgresHistorian(url)
