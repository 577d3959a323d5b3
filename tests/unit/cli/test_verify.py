"""``gigatwin verify`` compares a description with a log, and its exit code says how that went."""

import json

import pytest

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
