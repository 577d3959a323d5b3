"""``gigatwin verify`` compares a description with a log, and its exit code says how that went."""

import json

import polars as pl
import pytest

from gigatwin.events.state_log import states_of
from gigatwin.testing.generated_log import case_log_of


@pytest.fixture
def shop(folder):
    """Return a folder with a later log, and a line as the truth has it."""
    (folder / "line.yaml").write_text(
        """
name: shop
stations:
  saw: {time: {distribution: gamma, mean: 20 s, cv: 0.2}, buffer: {capacity: unlimited},
    next: [{to: mill-rough, share: 0.7}, {to: lathe, share: 0.3}]}
  mill-rough: {time: {distribution: gamma, mean: 12 s, cv: 0.5}, buffer: {capacity: unlimited},
    operators: {resource: mill}, next: mill-fine}
  mill-fine: {time: {distribution: gamma, mean: 18 s, cv: 0.3}, buffer: {capacity: unlimited},
    operators: {resource: mill}, next: gauge}
  lathe: {time: {distribution: gamma, mean: 40 s, cv: 0.1}, buffer: {capacity: unlimited},
    next: gauge}
  gauge: {time: {distribution: gamma, mean: 8 s, cv: 0.4}, buffer: {capacity: unlimited},
    next: [{to: out, share: 0.88}, {to: mill-fine, share: 0.12}]}
resources: {mill: {capacity: 1}}
arrivals:
  cases: {interval: {distribution: exponential, mean: 60 s},
    next: [{to: saw, share: 0.9}, {to: lathe, share: 0.1}]}
parameter_sets:
  slow: {gauge.speed: 0.5}
""",
        encoding="utf-8",
    )
    case_log_of(n_cases=300, seed=4).visits.write_csv(folder / "later.csv")
    return folder


def test_line_that_agrees_is_verified(call, shop):
    del shop
    text = call("verify", "line.yaml", "later.csv", "--replications", 6).stdout
    assert "The line is verified against this log." in text
    assert "throughput" in text
    assert "The columns were guessed" in text


@pytest.mark.compiled
def test_line_that_differs_has_exit_code_1(call, shop):
    del shop
    text = call("verify", "line.yaml", "later.csv", "--parameters", "slow", code=1).stdout
    assert "Stations, where they differ" in text
    assert "gauge" in text
    assert "The line is not verified against this log." in text


@pytest.mark.compiled
def test_json_has_every_figure(call, shop):
    del shop
    found = call("verify", "line.yaml", "later.csv", "--replications", 10, "--json")
    data = json.loads(found.stdout)
    assert data["is_accepted"] is True
    assert data["replications"] == 10
    assert {"throughput", "time mean"} <= {figure["quantity"] for figure in data["figures"]}


def test_log_of_another_line_is_bad_input(call, shop):
    (shop / "other.csv").write_text(
        "case,activity,start,end\n1,paint,0,1\n2,paint,1,2\n", encoding="utf-8"
    )
    error = call("verify", "line.yaml", "other.csv", code=2).stderr
    assert "'paint'" in error
    assert "'gauge'" in error


def test_help_states_the_exit_codes(call):
    text = " ".join(call("verify", "--help").output.split())
    assert "Exit code 0: the line agrees with the log." in text


@pytest.fixture
def pair(call, folder):
    """Return a folder with a line learned from a trace, the trace, and its states as a table."""
    options = ("--days", "0.5", "--replications", "1", "--warm-up", "0 s")
    call("run", "two-machine", *options, "--trace", "trace.parquet")
    call("learn", "trace.parquet", "--states", "trace.parquet", "--no-holdout", "-o", "line.yaml")
    table = states_of(pl.read_parquet(folder / "trace.parquet")).intervals
    rows = table.select("machine", "start", "end", "state")
    rows.write_csv(folder / "states.csv")
    other = {"machine": "asset", "start": "from", "end": "to", "state": "word"}
    rows.with_columns(state="w " + pl.col("state")).rename(other).write_csv(folder / "other.csv")
    words = ", ".join(f"w {name}: {name}" for name in rows["state"].unique())
    (folder / "map.yaml").write_text(
        f"machine: asset\nstart: from\nend: to\nstate: word\nwords: {{{words}}}\n", encoding="utf-8"
    )
    # Half of the time at work is said to be a breakdown.
    half = pl.col("start") + (pl.col("end") - pl.col("start")) / 2
    is_work = pl.col("state") == "executing"
    down = rows.filter(is_work).with_columns(start=half, state=pl.lit("breakdown"))
    up = rows.with_columns(end=pl.when(is_work).then(half).otherwise("end"))
    pl.concat([up, down]).write_csv(folder / "broken.csv")
    return folder


def shares_of(data):
    states = ("executing share", "starved share", "blocked share")
    return {
        (figure["station"], figure["quantity"]): figure
        for figure in data["figures"]
        if figure["quantity"] in states
    }


@pytest.mark.compiled
def test_states_are_compared_with_those_simulated(call, pair):
    command = ("verify", "line.yaml", "trace.parquet", "--replications", 10, "--json")
    assert shares_of(json.loads(call(*command).stdout)) == {}
    data = json.loads(call(*command, "--states", "states.csv").stdout)
    found = shares_of(data)
    recorded = pl.read_csv(pair / "states.csv")
    for name in ("first", "second"):
        own = recorded.filter(machine=name).with_columns(seconds=pl.col("end") - pl.col("start"))
        work = own.filter(state="executing")["seconds"].sum() / own["seconds"].sum()
        figure = found[name, "executing share"]
        assert figure["measured"] == pytest.approx(work, abs=0.003)
        assert figure["simulated"] == pytest.approx(work, abs=0.03)
    assert not any(figure["is_larger_than_chance"] for figure in found.values())
    assert any("state: column 'state'" in guess for guess in data["states_guesses"])
    mapped = ("--states", "other.csv", "--states-mapping", "map.yaml")
    same = json.loads(call(*command, *mapped).stdout)
    assert shares_of(same) == found
    assert same["states_guesses"] == []


@pytest.mark.compiled
def test_states_that_differ_are_found(call, pair):
    del pair
    command = ("verify", "line.yaml", "trace.parquet", "--replications", 8)
    text = call(*command, "--states", "broken.csv", code=1).stdout
    assert "breakdown share" in text
    assert "The columns and words of the states were guessed" in text


def test_mapping_of_states_needs_states(call, shop):
    (shop / "map.yaml").write_text("start: start\nstate: state\n", encoding="utf-8")
    for command in (("verify", "line.yaml", "later.csv"), ("learn", "later.csv")):
        error = call(*command, "--states-mapping", "map.yaml", code=2).stderr
        assert "--states-mapping" in error
        assert "--states STATES" in " ".join(error.split())
