"""``gigatwin history`` over a folder."""

import csv
import json

import polars as pl
import pytest

from gigatwin.connectors.embedded import EmbeddedHistorian
from gigatwin.telemetry import Quality, Reading

BEGIN = 1_800_000_000.0
SPEED, STOP = "winding_1/Status.CurMachSpeed", "winding_1/Admin.StopReason"


@pytest.fixture
def store(folder):
    """Return the name of a folder with a small historian, half of it in segments."""
    historian = EmbeddedHistorian(folder / "store")
    historian.append([Reading(SPEED, float(k), BEGIN + k) for k in range(100)])
    historian.compact()
    historian.append([Reading(STOP, "jam, paper", BEGIN + 5, Quality.UNCERTAIN)])
    historian.append([Reading(SPEED, float("nan"), BEGIN + 100)])
    historian.close()
    return "store"


def test_info_tells_tags_times_and_size(call, store):
    text = call("history", "info", "--store", store).stdout
    assert "102 readings of 2 tags" in text
    assert "2027-01-15 08:00:05" in text
    found = json.loads(call("history", "info", "--store", store, "--json").stdout)
    assert (found["n_rows"], found["last_row"]) == (102, 102)
    assert [tag["n_rows"] for tag in found["tags"]] == [1, 101]
    assert found["n_bytes"] > 1000


def test_query_prints_a_table_json_or_csv(call, store):
    sql = f"SELECT tag, value, text FROM readings WHERE time >= {BEGIN + 99} OR text IS NOT NULL"  # noqa: S608 - nothing in it comes from outside
    sql += " ORDER BY row"
    rows = json.loads(call("history", "query", sql, "--store", store, "--json").stdout)
    assert rows == [
        {"tag": SPEED, "value": 99.0, "text": None},
        {"tag": STOP, "value": None, "text": "jam, paper"},
        {"tag": SPEED, "value": None, "text": None},
    ]
    text = call("history", "query", sql, "--store", store, "--csv").stdout
    assert list(csv.reader(text.splitlines()))[1:] == [
        [SPEED, "99.0", ""],
        [STOP, "", "jam, paper"],
        [SPEED, "NaN", ""],
    ]
    table = call("history", "query", sql, "--store", store).stdout
    assert "jam, paper" in table
    assert "nan" in table


def test_long_answer_is_cut_and_says_so(call, store):
    sql = "SELECT * FROM readings, range(3)"
    assert "106 more rows" in call("history", "query", sql, "--store", store).stdout


def test_query_that_writes_is_refused(call, store):
    result = call("history", "query", "DROP VIEW readings", "--store", store, code=2)
    assert result.stderr.startswith("error: query: DROP; must be one SELECT")


def test_two_forms_at_once_are_refused(call, store):
    result = call("history", "query", "FROM readings", "--store", store, "--json", "--csv", code=2)
    assert "two forms at once" in result.stderr


def test_export_by_tag_and_time(call, store, folder):
    options = ("--tag", SPEED, "--begin", "2027-01-15T08:00:10", "--end", f"{BEGIN + 20}")
    told = call("history", "export", "--store", store, *options, "-o", "part.parquet").stdout
    assert told == "10 readings written to part.parquet\n"
    table = pl.read_parquet(folder / "part.parquet")
    assert table.columns == ["row", "tag", "time", "value", "text", "quality"]
    assert table["value"].to_list() == [float(k) for k in range(10, 20)]


def test_export_of_everything_is_sorted_by_tag_and_time(call, store, folder):
    call("history", "export", "--store", store, "-o", "all.csv")
    table = pl.read_csv(folder / "all.csv")
    assert table.height == 102
    assert table["tag"][0] == STOP
    assert table["time"][1:].is_sorted()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-o", "x.xlsx"), "must be .parquet or .csv"),
        (("-o", "x.csv", "--tag", "no/tag"), "--tag no/tag: not in this historian"),
        (("-o", "x.csv", "--begin", "noon"), "--begin noon: must be a time such as"),
        (("-o", "x.csv", "--begin", "5", "--end", "5"), "no time between"),
    ],
)
def test_export_that_cannot_be_is_one_error_and_no_file(call, store, folder, options, said):
    assert said in call("history", "export", "--store", store, *options, code=2).stderr
    assert list(folder.glob("x.*")) == []


def test_time_may_have_an_offset(call, store):
    options = ("--begin", "2027-01-15T10:01:30+02:00", "-o", "x.csv")
    told = call("history", "export", "--store", store, *options).stdout
    assert told.startswith("11 readings written")


def test_verify_of_a_sound_historian(call, store):
    text = call("history", "verify", "--store", store).stdout
    assert "Every row is there, once." in text
    assert json.loads(call("history", "verify", "--store", store, "--json").stdout)["is_whole"]


def test_verify_tells_what_is_wrong_and_fails(call, store, folder):
    (segment,) = (folder / store).rglob("*.parquet")
    segment.write_bytes(segment.read_bytes()[:-1] + b"?")
    text = call("history", "verify", "--store", store, code=1).stdout
    assert "Wrong: 2027-01-15/08h-00000001.parquet: changed since it was written" in text
    told = json.loads(call("history", "verify", "--store", store, "--json", code=1).stdout)
    assert not told["is_whole"]


def test_compact_moves_everything_to_segments(call, store):
    told = call("history", "compact", "--store", store).stdout
    assert told == "2 readings moved to segments, 2 segments merged\n"
    told = call("history", "compact", "--store", store).stdout
    assert told == "0 readings moved to segments, 0 segments merged\n"


def test_retain_needs_a_limit_and_keeps_to_it(call, store):
    assert "nothing to go by" in call("history", "retain", "--store", store, code=2).stderr
    told = call("history", "retain", "--store", store, "--days", "1").stdout
    assert told.startswith("0 readings given up")
    told = call("history", "retain", "--store", store, "--gigabytes", "0").stdout
    assert told.startswith("100 readings given up, 1 segments")
    verified = call("history", "verify", "--store", store).stdout
    assert "Note: 100 readings were given up by retention." in verified


def test_historian_that_is_written_to_can_be_read_but_not_changed(call, store, folder):
    historian = EmbeddedHistorian(folder / store)
    assert "102 readings" in call("history", "info", "--store", store).stdout
    result = call("history", "compact", "--store", store, code=2)
    assert "writes to this historian; only one can" in result.stderr
    historian.close()


def test_store_of_a_twin_leads_to_its_historian(call, store, folder):
    (folder / "twin").mkdir()
    (folder / store).rename(folder / "twin" / "historian")
    assert "102 readings" in call("history", "info", "--store", "twin").stdout


def test_place_without_a_historian_is_one_error_and_stays_empty(call, folder):
    (folder / "empty").mkdir()
    for place in ("empty", "missing", "http://localhost/x"):
        assert "no historian" in call("history", "info", "--store", place, code=2).stderr
    assert list((folder / "empty").iterdir()) == []
    result = call("history", "compact", "--store", "postgresql://x/y", code=2)
    assert "looks after itself" in result.stderr
