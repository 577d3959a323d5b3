"""``gigatwin compare`` reads scenarios and shows paired differences."""

import json

import pytest

from gigatwin.cli.changes import split_scenario
from gigatwin.cli.failures import OptionError

QUICK = ("--days", "0.05", "--replications", "3")


def rates(output):
    rows = json.loads(output)["comparison"]
    return {row["scenario"]: row for row in rows if row["kpi"] == "throughput_rate"}


@pytest.mark.compiled
def test_scenarios_are_compared(call):
    text = call("compare", "two-machine", "--scenario", "slower:first.speed=0.8", *QUICK).stdout
    for shown in ("slower", "difference", "relative [%]", "±", "worse", "paired"):
        assert shown in text


@pytest.mark.compiled
def test_json_has_every_scenario(call):
    scenarios = ("--scenario", "a:first.speed=0.8", "--scenario", "b:second.buffer.capacity=9")
    found = rates(call("compare", "two-machine", *scenarios, *QUICK, "--json").stdout)
    assert found["a"]["difference"] < 0 < found["b"]["difference"]
    assert found["a"]["base"] == found["b"]["base"]


@pytest.mark.compiled
def test_scenario_may_be_a_file_or_a_parameter_set(call, folder):
    line = "name: line\nstations:\n  only: {{kind: discrete, time: {}}}\n"
    (folder / "base.yaml").write_text(
        line.format("1 s") + "parameter_sets:\n  slow: {only.time: 2 s}\n", encoding="utf-8"
    )
    (folder / "other.yaml").write_text(line.format("4 s"), encoding="utf-8")
    scenarios = ("--scenario", "slow", "--scenario", "other:other.yaml")
    found = rates(call("compare", "base.yaml", *scenarios, *QUICK, "--json").stdout)
    assert found["slow"]["relative_difference"] == pytest.approx(-0.5, abs=0.01)
    assert found["other"]["relative_difference"] == pytest.approx(-0.75, abs=0.01)
    all_sets = rates(call("compare", "base.yaml", *QUICK, "--json").stdout)
    assert list(all_sets) == ["slow"]


@pytest.mark.compiled
def test_report_is_written(call, folder):
    scenario = ("--scenario", "slower:first.speed=0.8")
    call("compare", "two-machine", *scenario, *QUICK, "--report", "out.html")
    assert "slower" in (folder / "out.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "has no parameter sets"),
        (["--scenario", "x:"], "must be NAME:field=value"),
        (["--scenario", ":a=1"], "must be NAME:field=value"),
        (["--scenario", "x:first.sped=1"], "scenario x"),
        (["--scenario", "x:first.speed=1", "--scenario", "x:first.speed=2"], "given twice"),
        (["--scenario", "x:nofile.yaml"], "no such file"),
        (["--scenario", "unknown"], "must be a parameter set"),
        (["--scenario", "x:first.speed=1", "--replications", "1"], "must be 2 or more"),
    ],
)
def test_mistakes_are_named(call, arguments, message):
    assert message in call("compare", "two-machine", *arguments, code=2).stderr


def test_commas_inside_brackets_do_not_split():
    name, changes = split_scenario(
        "mine:a.time={distribution: gamma, mean: 2 s, cv: 1},b.machines=3,b.next=[x, y]"
    )
    assert name == "mine"
    assert changes == {
        "a.time": "{distribution: gamma, mean: 2 s, cv: 1}",
        "b.machines": "3",
        "b.next": "[x, y]",
    }


def test_value_may_hold_an_equals_sign():
    assert split_scenario("x:description=a=b") == ("x", {"description": "a=b"})


def test_change_without_a_value_is_refused():
    with pytest.raises(OptionError, match=r"winding\.speed=1\.1"):
        split_scenario("x:a=1,b=")


@pytest.mark.compiled
def test_uncertain_parameters_are_shared_by_base_and_scenario(call, folder):
    law = "{value: 2, low: 1.5, high: 2.7, unit: s, n: 50, method: mean}"
    (folder / "line.yaml").write_text(
        "name: line\nstations:\n"
        "  only: {time: {distribution: exponential, mean: 2 s, estimates: {mean: "
        f"{law}}}}}}}\n",
        encoding="utf-8",
    )
    run = ("compare", "line.yaml", "--scenario", "faster:only.speed=1.1", "--days", 0.05, "--json")
    data = json.loads(call(*run, "--parameters", "uncertain").stdout)
    base = data["base"]
    assert (base["parameters"], base["replications"]) == ("uncertain", 20)
    row = rates(json.dumps(data))["faster"]
    assert row["relative_difference"] == pytest.approx(0.1, abs=0.01)
    rate = next(row for row in base["totals"] if row["kpi"] == "throughput_rate")
    assert row["difference_high"] - row["difference_low"] < (rate["high"] - rate["low"]) / 4
