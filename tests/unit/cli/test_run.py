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


LEARNED = """
name: learned
stations:
  first:
    time: {distribution: exponential, mean: 2 s}
    estimates: {}
  second:
    time:
      distribution: exponential
      mean: 2 s
      estimates: {mean: {value: 2, low: 1.5, high: 2.7, unit: s, n: 50, method: mean}}
    buffer: {capacity: 3}
parameter_sets:
  larger: {second.buffer.capacity: 30}
"""
LEARNED_RUN = ("run", "line.yaml", "--days", 0.05)


@pytest.fixture
def learned(folder):
    (folder / "line.yaml").write_text(LEARNED, encoding="utf-8")


@pytest.mark.usefixtures("learned")
def test_uncertain_parameters_are_drawn_in_20_replications(call):
    text = call(*LEARNED_RUN, "--parameters", "uncertain").stdout
    assert "learned: 20 replications" in text
    assert "± half a 95 % interval over parameters as well as chance" in " ".join(text.split())
    data = json.loads(call(*LEARNED_RUN, "--parameters", "uncertain", "--json").stdout)
    assert (data["parameters"], data["replications"]) == ("uncertain", 20)
    plain = json.loads(call(*LEARNED_RUN, "--json").stdout)
    assert (plain["parameters"], plain["replications"]) == ("estimated", 10)
    width, plain_width = (d["totals"][0]["high"] - d["totals"][0]["low"] for d in (data, plain))
    assert width > 4 * plain_width


@pytest.mark.usefixtures("learned")
def test_uncertain_parameters_and_a_parameter_set_go_together(call):
    settings = ("--parameters", "uncertain", "--replications", 4, "--json")
    before = total(call(*LEARNED_RUN, *settings).stdout, "throughput_rate")
    after = total(call(*LEARNED_RUN, *settings, "--parameters", "larger").stdout, "throughput_rate")
    assert after > 1.05 * before


@pytest.mark.usefixtures("learned")
def test_number_that_is_set_is_not_drawn(call):
    settings = ("--parameters", "uncertain", "--set", "second.time=2 s")
    assert "no number has an estimate" in call(*LEARNED_RUN, *settings, code=2).stderr


@pytest.mark.usefixtures("learned")
def test_precision_and_uncertain_parameters_exclude_each_other(call):
    settings = ("--parameters", "uncertain", "--precision", "1%")
    assert (
        "--precision: with --parameters uncertain" in call(*LEARNED_RUN, *settings, code=2).stderr
    )


def test_uncertain_parameters_without_estimates_say_what_to_do(call):
    message = call(*RUN, "--parameters", "uncertain", code=2).stderr
    assert "two-machine: no number has an estimate" in message
    assert "Learn the factory from a log" in message


def test_help_teaches_uncertain_parameters(call):
    text = " ".join(call("run", "--help").stdout.replace("│", " ").split())
    assert "'uncertain' draws each learned number from its interval" in text
    assert "10, and 20 with uncertain parameters" in text
