"""``gigatwin run`` prints KPIs, as tables or as JSON, and writes what was asked for."""

import json

import polars as pl
import pytest

pytestmark = pytest.mark.compiled

RUN = ("run", "two-machine", "--days", "0.05", "--replications", "3")


def total(output, kpi):
    rows = json.loads(output)["totals"]
    return next(row["mean"] for row in rows if row["kpi"] == kpi)


def test_tables_show_units_and_intervals(call):
    text = call(*RUN).stdout
    assert "two-machine: 3 replications of 0.05 d, seed 1" in text
    for shown in ("throughput rate", "1/h", "±", "OEE index [%]", "starved", "Bottleneck:"):
        assert shown in text


def test_json_is_all_there_is_on_standard_output(call):
    result = call(*RUN, "--json")
    data = json.loads(result.stdout)
    assert data["replications"] == 3
    assert {row["station"] for row in data["stations"]} == {"first", "second"}
    assert result.stderr == ""


@pytest.mark.parametrize("settings", [("--replications", 1), ("--days", 0.0001)])
def test_json_holds_no_nan(call, settings):
    def refuse(constant):
        pytest.fail(f"{constant} is not JSON")

    json.loads(call(*RUN, *settings, "--json").stdout, parse_constant=refuse)


def test_factory_without_output_gives_advice(call, folder):
    (folder / "line.yaml").write_text(
        "name: slow\nstations:\n  only: {kind: discrete, time: 3 h}\n", encoding="utf-8"
    )
    text = call("run", "line.yaml", "--days", 0.1, "--replications", 2).stdout
    assert "Nothing was finished in the 0.1 d" in text
    assert "--days 0.4" in text


def test_same_seed_gives_the_same_output(call):
    assert call(*RUN, "--json").stdout == call(*RUN, "--json", "--threads", 1).stdout
    assert call(*RUN, "--json").stdout != call(*RUN, "--json", "--seed", 2).stdout


def test_set_changes_a_field(call):
    slow = call(*RUN, "--json", "--set", "first.speed=0.5", "--set", "second.speed=0.5").stdout
    rate = total(call(*RUN, "--json").stdout, "throughput_rate")
    assert total(slow, "throughput_rate") == pytest.approx(0.5 * rate, rel=0.05)


def test_set_takes_units_and_mappings(call):
    changes = (
        "--set",
        "first.time=2 s",
        "--set",
        "second.time={distribution: uniform, low: 1 s, high: 3 s}",
    )
    found = total(call(*RUN, "--json", *changes).stdout, "throughput_rate")
    assert found == pytest.approx(1800, rel=0.05)


def test_warm_up_takes_a_time(call):
    data = json.loads(call(*RUN, "--json", "--warm-up", "10 min").stdout)
    assert 600 <= data["warm_up [s]"] < 800


def test_precision_adds_replications(call):
    data = json.loads(call(*RUN, "--json", "--precision", "1%").stdout)
    assert data["replications"] > 3


def test_report_and_trace_are_written(call, folder):
    text = call(*RUN, "--report", "out.html", "--trace", "out.parquet").stdout
    assert sorted(path.name for path in folder.iterdir()) == ["out.html", "out.parquet"]
    assert (folder / "out.html").read_text(encoding="utf-8").lstrip().startswith("<!")
    events = pl.read_parquet(folder / "out.parquet")
    assert events.height > 1000
    assert "report written to out.html" in text
    assert "trace written to out.parquet" in text


def test_unsteady_run_gives_advice(call, folder):
    # A machine twice as fast as the next, with room without end: the queue only grows.
    (folder / "line.yaml").write_text(
        "name: growing\n"
        "stations:\n"
        "  fast: {kind: discrete, time: 1 s}\n"
        "  slow: {kind: discrete, time: 2 s, buffer: {capacity: unlimited}}\n",
        encoding="utf-8",
    )
    text = call("run", "line.yaml", "--days", 0.05, "--replications", 2).stdout
    assert "Warm-up: no steady part was found" in text
    assert "--days 0.2" in text


def test_parameter_set_is_applied(call, folder):
    (folder / "line.yaml").write_text(
        "name: line\n"
        "stations:\n"
        "  only: {kind: discrete, time: 1 s}\n"
        "parameter_sets:\n"
        "  slow: {only.time: 4 s}\n",
        encoding="utf-8",
    )
    run = ("run", "line.yaml", "--days", 0.01, "--replications", 2, "--json")
    before = total(call(*run).stdout, "throughput_rate")
    after = total(call(*run, "--parameters", "slow").stdout, "throughput_rate")
    assert after == pytest.approx(before / 4, rel=0.02)
