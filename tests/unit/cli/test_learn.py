"""``gigatwin learn`` turns a log into a description and says how sure it is."""

import json

import pytest

from gigatwin.factory.reading import load
from gigatwin.testing.generated_log import case_log_of


@pytest.fixture
def log(folder):
    """Return a log of 300 cases with odd names of its columns."""
    table = case_log_of(n_cases=300).activities
    table.rename({"case": "Auftrag", "start": "Beginn", "end": "Ende"}).write_csv(
        folder / "log.csv"
    )
    table.write_csv(folder / "plain.csv")
    (folder / "map.yaml").write_text(
        "case: Auftrag\nactivity: activity\nmachine: machine\nstart: Beginn\nend: Ende\n",
        encoding="utf-8",
    )
    return folder


def test_columns_are_guessed_and_shown(call, log):
    text = call("learn", "plain.csv", "-o", "line.yaml").stdout
    assert "The columns were guessed" in text
    assert "machine: column 'machine'" in text
    assert "mean time [s]" in text
    assert load(log / "line.yaml").name == "line"


def test_mapping_is_used(call, log):
    assert "no column found" in call("learn", "log.csv", code=2).stderr
    data = json.loads(call("learn", "log.csv", "--mapping", "map.yaml", "--json").stdout)
    assert data["n_cases"] == 300
    assert data["guesses"] == []
    assert {row["machine"] for row in data["stations"]} == {"saw", "mill", "lathe", "gauge"}
    assert sorted(path.name for path in log.iterdir()) == ["log.csv", "map.yaml", "plain.csv"]


@pytest.mark.compiled
def test_held_out_cases_are_scored(call, log):
    del log
    data = json.loads(call("learn", "plain.csv", "--holdout", "--json").stdout)
    assert 0 < data["holdout"]["mean_error"] < 0.2
    assert len(data["holdout"]["stations"]) == 5
    assert "Held-out cases" in call("learn", "plain.csv", "--holdout").stdout


def test_log_is_not_replaced_by_the_description(call, log):
    text = (log / "plain.csv").read_text(encoding="utf-8")
    call("learn", "plain.csv", "-o", "plain.csv", code=2)
    assert (log / "plain.csv").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", ["absent.csv", "map.yaml"])
def test_unreadable_log_is_named(call, log, name):
    del log
    result = call("learn", name, "-o", "line.yaml", code=2)
    assert name in result.stderr
