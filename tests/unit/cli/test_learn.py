"""``gigatwin learn`` turns a log into a description and says how sure it is."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from gigatwin.cli.learn_tables import print_learned
from gigatwin.events.state_log import states_of
from gigatwin.factory.reading import load
from gigatwin.learning.check.verification import verify
from gigatwin.learning.learn import learn as learn_factory
from gigatwin.testing.generated_log import case_log_of
from gigatwin.testing.random_lines import random_line


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


@pytest.fixture
def line(folder):
    """Return a log of a serial line, as a file."""
    visits = random_line(2, n_stations=(4, 4)).simulate(800, seed=3).visits
    visits.select("case", "machine", "start", "end").write_csv(folder / "line.csv")
    return folder


@pytest.mark.compiled
def test_what_the_log_does_not_tell_is_said_and_the_report_is_written(call, line):
    text = call("learn", "line.csv", "-o", "line.yaml", "--report", "line.html").stdout
    assert "What the log does not tell, and what would" in text
    assert "Learned from the first 70 % of the cases and held against the others" in text
    assert "The discovered line" in (line / "line.html").read_text(encoding="utf-8")
    assert load(line / "line.yaml").stations["s02"].buffer.estimates["capacity"].rows


@pytest.mark.compiled
def test_numbers_carry_their_rows_and_runs_draw_from_them(call, line):
    call("learn", "line.csv", "-o", "line.yaml", "--no-holdout")
    assert "(800 rows)" in (line / "line.yaml").read_text(encoding="utf-8")
    run = ("run", "line.yaml", "--days", "0.2", "--replications", "5", "--json")
    widths = []
    for more in ((), ("--parameters", "uncertain")):
        totals = json.loads(call(*run, *more).stdout)["totals"]
        rate = next(total for total in totals if total["kpi"] == "throughput_rate")
        widths.append(rate["high"] - rate["low"])
    assert widths[1] > widths[0]


@pytest.mark.compiled
def test_trace_of_a_run_is_a_log_to_learn_from(call, folder):
    options = ("--days", "0.2", "--replications", "1", "--warm-up", "0 s")
    call("run", "two-machine", *options, "--trace", "trace.parquet")
    data = json.loads(call("learn", "trace.parquet", "--no-holdout", "--json").stdout)
    assert [row["station"] for row in data["stations"]] == list(load("two-machine").stations)
    capacity = next(row for row in data["stations"] if row["station"] == "second")
    assert (capacity["capacity"], capacity["is_capacity_identified"]) == (3, True)
    assert [path.name for path in folder.iterdir()] == ["trace.parquet"]


def test_states_alone_are_learned(call, folder):
    rows = ["machine,start,end,state"]
    for k in range(40):
        begin = 100 * k
        rows += [f"press,{begin},{begin + 60 + k % 7},Working"]
        rows += [f"press,{begin + 60 + k % 7},{begin + 80},Idle"]
        rows += [f"press,{begin + 80},{begin + 100},Fault"]
    (folder / "states.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    text = call("learn", "states.csv", "-o", "line.yaml").stdout
    assert "Share of the recorded time" in text
    stop = load(folder / "line.yaml").stations["press"].stops["breakdown"]
    assert stop.duration == pytest.approx(20.0)
    message = call("learn", "states.csv", "--report", "states.html", code=2).stderr
    assert "--states" in message


@pytest.mark.compiled
def test_what_cannot_be_seen_is_calibrated(call, line):
    data = json.loads(call("learn", "line.csv", "--calibrate", "-o", "line.yaml", "--json").stdout)
    before, after = data["calibration"]["mismatch"]
    assert after <= before + 0.5
    assert "before any calibration" in data["verification"]["note"]
    assert "ABC-SMC" in (line / "line.yaml").read_text(encoding="utf-8")


@pytest.fixture
def dated(folder):
    """Return a folder with a log whose machine becomes slower in the night to 6 October."""
    random = np.random.default_rng(7)
    lengths = random.gamma(25.0, 1.0, 6000)
    lengths[3456:] *= 1.2
    begin = datetime(2026, 10, 5, tzinfo=UTC)
    ends = np.cumsum(lengths)
    change = begin + timedelta(seconds=ends[3455])
    rows = ["case,machine,start,end"]
    for k, (length, end) in enumerate(zip(lengths, ends, strict=True)):
        start = begin + timedelta(seconds=end - length)
        rows.append(f"{k},press,{start.isoformat()},{(begin + timedelta(seconds=end)).isoformat()}")
    (folder / "dated.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder, change


@pytest.mark.compiled
def test_change_is_told_in_dates_of_the_log(call, dated):
    _, change = dated
    text = call("learn", "dated.csv", "--no-holdout").stdout
    line = " ".join(text.split("Changed: ")[1].split("What the log")[0].split())
    assert re.match(r"press.*, 2026-10-0\d \d\d:\d\d \(95 % interval: 2026-10-0\d", line)
    data = json.loads(call("learn", "dated.csv", "--no-holdout", "--json").stdout)
    (found,) = data["changes"]
    moment = datetime.strptime(found["moment"], "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    assert abs(moment - change) < timedelta(minutes=30)
    assert found["moment"] in line
    assert found["after"]["value"] == pytest.approx(30.0, rel=0.02)


@pytest.mark.compiled
def test_states_beside_a_log_have_a_mapping(call, folder):
    options = ("--days", "0.2", "--replications", "1", "--warm-up", "0 s")
    call("run", "two-machine", *options, "--trace", "trace.parquet")
    states = states_of(pl.read_parquet(folder / "trace.parquet")).intervals
    words = {"executing": "A", "starved": "B", "blocked": "C", "breakdown": "D"}
    table = states.select(
        "start", "end", asset="machine", word=pl.col("state").replace_strict(words)
    )
    table.write_csv(folder / "states.csv")
    (folder / "map.yaml").write_text(
        "machine: asset\nstart: start\nend: end\nstate: word\n"
        "words: {A: executing, B: starved, C: blocked, D: breakdown}\n",
        encoding="utf-8",
    )
    learn = ("learn", "trace.parquet", "--no-holdout", "--json")
    mapped = call(*learn, "--states", "states.csv", "--states-mapping", "map.yaml")
    plain = call(*learn, "--states", "trace.parquet")
    key = "mean_between_failures"
    stops, same = (
        [row[key] for row in json.loads(found.stdout)["stations"]] for found in (mapped, plain)
    )
    assert stops == pytest.approx(same)
    assert call(*learn, "--states", "states.csv", code=2).stderr


def test_note_is_printed_once(capsys):
    cases = case_log_of(n_cases=60)
    learned = learn_factory(cases, "shop")
    note = "The same was found twice."
    print_learned(cases, replace(learned, notes=(note, *learned.notes, note)))
    assert capsys.readouterr().out.count("The same was found twice.") == 1


@pytest.mark.compiled
def test_held_out_comparison_says_what_line_it_is_of(capsys):
    cases = case_log_of(n_cases=60)
    learned = learn_factory(cases, "shop")
    compared = verify(learned.factory, cases, replications=5)
    fitted = SimpleNamespace(notes=("Times were fitted.",))
    print_learned(cases, learned, verification=compared)
    assert "of the cases and held against" in " ".join(capsys.readouterr().out.split())
    print_learned(cases, learned, verification=compared, calibration=fitted)
    text = " ".join(capsys.readouterr().out.split())
    assert "the first 70 % of the cases (before calibration) and held against the others" in text
