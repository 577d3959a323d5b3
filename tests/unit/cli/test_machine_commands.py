"""``gigatwin machine`` and its commands: show, check, compare, new, tune, limits."""

import json
import math

import pytest

from gigatwin.equipment.model.reading import load_machine, machine_names

ONE = """name: one
formats: {only: {width: 2 m}, wide: {width: 3 m}}
settings: {speed: {default: 1 m/s, low: 0.5 m/s, high: 4 m/s}}
activities: {cut: {steps: [{process: width / speed}]}}
limits: {blade: {value: speed, most: 3 m/s, because: it breaks}}
"""
# Of wind: feeding, 3.5 m with a whole ramp and cruise, tail, cut, three waits; of index: 2.0944 rad
# without cruise, and a wait.
RAMP = 40 / 900
WINDER = (0.5 + 3.5 / 1.5 + 1 + 0.1 + 0.7 + 0.15 + 0.3) + (
    RAMP + math.sqrt(RAMP**2 + 4 * 2.0944 / 40) + 0.1
)


@pytest.fixture
def one(folder):
    """Return the file of a machine of one activity and one setting."""
    file = folder / "one.yaml"
    file.write_text(ONE, encoding="utf-8")
    return file.name


def shown(call, *arguments, code=0):
    return json.loads(call("machine", *arguments, "--json", code=code).stdout)


def test_show_tells_what_sets_the_cycle(call):
    text = call("machine", "show", "winder").stdout
    for words in (
        "winder, 4680: Winds cathode, anode and separator",
        "SYNTHETIC",
        "5.688 s",
        "The cycle is set by wind -> index.",
        "critical",
        "Limits, the nearest first",
        "web tension deviation",
        "What next: one setting alone",
        "speed of the web's tail",
    ):
        assert words in text


def test_shown_data_are_those_of_a_calculation_by_hand(call):
    data = shown(call, "show", "winder")
    assert (data["machine"], data["format"], data["evidence"]) == ("winder", "4680", "synthetic")
    assert data["cycle_time [s]"] == pytest.approx(WINDER, rel=1e-12)
    assert data["gross_rate [item/s]"] == pytest.approx(1 / WINDER, rel=1e-12)
    assert data["critical_circuit"] == ["wind", "index"]
    assert data["settings [SI]"]["vf"] == 0.3
    slack = {activity["name"]: activity["slack [s]"] for activity in data["activities"]}
    assert slack["wind"] == slack["index"] == 0.0
    assert slack["tape"] > 3
    assert all(limit["holds"] for limit in data["limits"])
    assert {row["setting"] for row in data["sensitivities [SI]"]} >= {"v", "a", "tau"}


def test_settings_can_be_tried(call):
    both = ("--set", "vf=0.6 m/s, tau=50 ms", "--set", "vt=1 m/s")
    data = shown(call, "show", "winder", *both)
    # Feeding and tail are twice as fast, and four waits of the chain are half as long.
    assert data["cycle_time [s]"] == pytest.approx(WINDER - 0.25 - 0.35 - 0.2, rel=1e-12)
    assert data["settings [SI]"]["tau"] == pytest.approx(0.05)


def test_format_and_dimension_can_be_chosen(call, one):
    assert shown(call, "show", one)["cycle_time [s]"] == pytest.approx(2.0)
    assert shown(call, "show", one, "--format", "wide")["cycle_time [s]"] == pytest.approx(3.0)
    data = shown(call, "show", one, "--dimension", "width=70 cm", "--format", "narrow")
    assert (data["format"], data["cycle_time [s]"]) == ("narrow", pytest.approx(0.7))
    assert shown(call, "show", one, "--dimension", "width=70 cm")["format"] == "new"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["windr"], "windr: neither a file nor a template; did you mean 'winder'?"),
        (["./no.yaml"], "./no.yaml: no such file; must exist"),
        (["winder", "--format", "46800"], "must be one of 4680, 4695, 46120"),
        (["winder", "--set", "vff=1 m/s"], "vff; must be a setting of winder; did you mean 'vf'?"),
        (["winder", "--set", "vf=5 m/s"], "vf: 5 m/s; must be from 0.2 m/s to 0.6 m/s"),
        (["winder", "--set", "vf=5 kg"], "vf: 5 kg; must be in m/s, e.g. '0.6 m/s'"),
        (["winder", "--set", "vf"], "--set 'vf': must be field=value"),
        (["winder", "--set", "v=2 m/s,v=3 m/s"], "--set v: given twice"),
        (["filler", "--set", "chambers=50"], "chambers: 50; must be one of 48, 64, 80"),
        (["winder", "--dimension", "height=130 mm"], "height: 0.13; must be from 60 mm to 125 mm"),
        (["winder", "--dimension", "heigth=90 mm"], "heigth: must be one of height, diameter"),
        (["winder", "--dimension", "height=tall"], "--dimension height: tall; must be a number"),
        (["winder", "--dimension", "height=0.1"], "--dimension height: 0.1; must "),
        (["winder", "--dimension", "height=0.1 kg"], "--dimension height: 0.1 kg; must "),
        (["winder", "--format", "4680", "--dimension", "height=90 mm"], "give the new format an"),
        (["winder", "--report", "x.pdf"], "--report x.pdf: its ending; must be "),
    ],
)
def test_mistakes_of_show_are_named(call, folder, arguments, message):
    assert message in call("machine", "show", *arguments, code=2).stderr
    assert list(folder.iterdir()) == []


def test_check_allows_a_harmless_change(call, one):
    text = call("machine", "check", one, "--change", "speed=2 m/s").stdout
    assert "one, only: ALLOWED" in text
    assert "one, wide: ALLOWED" in text
    assert "-1 (-1.0" in text


def test_check_says_why_a_change_is_not_allowed(call, one):
    text = call("machine", "check", one, "--change", "speed=5 m/s", code=1).stdout
    assert "one, only: NOT ALLOWED, because" in text
    assert "range: speed = 5 m/s; must be from 0.5 m/s to 4 m/s" in text
    assert "limit: blade is 5 m/s; must be at most 3 m/s: it breaks" in text


def test_verdicts_are_data(call, one):
    first, second = shown(call, "check", one, "--change", "speed=3.5 m/s", code=1)
    assert (first["format"], second["format"]) == ("only", "wide")
    assert not first["is_allowed"]
    assert [reason["kind"] for reason in first["reasons"]] == ["limit"]
    assert first["change [SI]"] == {"speed": 3.5}
    cycle = first["effects"][0]
    assert (cycle["before"], cycle["after"]) == pytest.approx((2.0, 2 / 3.5))
    assert cycle["difference_95"][0] < cycle["difference"] < cycle["difference_95"][1] < 0
    assert cycle["is_clear"]


def test_check_starts_from_the_settings_given(call, one):
    change = ("--change", "speed=2 m/s", "--set", "speed=0.5 m/s", "--format", "only")
    (verdict,) = shown(call, "check", one, *change)
    assert verdict["effects"][0]["before"] == pytest.approx(4.0)


def test_check_judges_each_format_asked_for(call):
    formats = ("--format", "4680", "--format", "none")
    first, second = shown(call, "check", "winder", "--change", "vf=0.35 m/s", *formats, code=1)
    assert first["is_allowed"]
    assert [reason["kind"] for reason in second["reasons"]] == ["format"]


def test_format_that_cannot_be_made_is_not_allowed(call):
    text = call("machine", "check", "winder", "--dimension", "height=130 mm", code=1).stdout
    assert "NOT ALLOWED" in text
    assert "must be from 60 mm to 125 mm" in text


def test_change_without_a_cycle_is_not_allowed(call, one):
    (reason, *_) = shown(call, "check", one, "--change", "speed=0 m/s", code=1)[0]["reasons"]
    assert reason["kind"] == "range"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--change", "speeed=2 m/s"],
            "--change of one speeed: speeed; must be a setting of one; ",
        ),
        (["--change", "speed=2 kg"], "speed: 2 kg; must be in m/s"),
        (["--change", "speed"], "--change 'speed': must be field=value"),
        (["--set", "speed=9 m/s"], "speed: 9 m/s; must be from 0.5 m/s to 4 m/s"),
    ],
)
def test_mistakes_of_check_are_named(call, one, arguments, message):
    assert message in call("machine", "check", one, *arguments, code=2).stderr


def test_machines_are_compared(call, one):
    scenarios = ("--scenario", "fast:speed=2 m/s", "--scenario", "other:winder.yaml")
    call("machine", "new", "winder", "--template", "winder")
    text = call("machine", "compare", one, *scenarios[:2]).stdout
    for words in ("one, only", "fast", "+100.0 (+", "cut", "kept"):
        assert words in text
    message = "winder format only: the machine is not set up for it"
    assert message in call("machine", "compare", one, *scenarios, code=2).stderr


def test_comparison_is_data(call, one):
    scenarios = ("--scenario", "fast:speed=3.2 m/s", "--scenario", f"copy:{one}")
    base, fast, copy = shown(call, "compare", one, *scenarios, "--format", "wide")
    assert (base["cycle_time"], fast["cycle_time"]) == pytest.approx((3.0, 3 / 3.2))
    assert fast["gain"] == pytest.approx(2.2)
    assert fast["broken"] == ["blade is 3.2 m/s; must be at most 3 m/s: it breaks"]
    assert copy["gain"] == 0.0
    assert copy["gain_interval"][0] < 0 < copy["gain_interval"][1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to compare with; give a --scenario such as faster:speed=VALUE"),
        (["--scenario", "a"], "--scenario a: names nothing to change"),
        (["--scenario", "a:"], "must be NAME:field=value"),
        (["--scenario", "a:sped=2 m/s"], "--scenario a sped: sped; must be a setting of one"),
        (["--scenario", "a:speed=9 m/s"], "must be from 0.5 m/s to 4 m/s"),
        (["--scenario", "one:speed=2 m/s"], "--scenario one: given twice"),
        (["--scenario", "a:no.yaml"], "no.yaml: no such file"),
        (["--scenario", "a:speed=2 m/s", "--format", "none"], "must be one of only, wide"),
    ],
)
def test_mistakes_of_compare_are_named(call, one, arguments, message):
    assert message in call("machine", "compare", one, *arguments, code=2).stderr


def test_machines_of_the_library_are_listed(call):
    lines = call("machine", "new", "--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == machine_names()
    assert all(len(line.split()) > 4 for line in lines)


@pytest.mark.parametrize("template", machine_names())
def test_new_machine_is_a_copy_under_another_name(call, folder, template):
    call("machine", "new", "my-machine", "--template", template)
    made = load_machine(folder / "my-machine.yaml").machine
    assert made.name == "my-machine"
    assert made.model_copy(update={"name": template}) == load_machine(template).machine


def test_new_machine_keeps_its_comments(call, folder):
    assert "gigatwin machine show mine.yaml" in call("machine", "new", "mine").stdout
    text = (folder / "mine.yaml").read_text(encoding="utf-8")
    assert "How to make it yours" in text
    assert "gigatwin machine tune mine.yaml" in text
    assert "tune machine-template" not in text


def test_existing_machine_is_kept_unless_forced(call, folder):
    (folder / "mine.yaml").write_text("mine", encoding="utf-8")
    assert "exists already" in call("machine", "new", "mine", code=2).stderr
    assert (folder / "mine.yaml").read_text(encoding="utf-8") == "mine"
    call("machine", "new", "mine", "--force")
    assert load_machine(folder / "mine.yaml").machine.name == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "'gigatwin machine new --list' lists the templates"),
        (["mine", "--template", "windr"], "no such template; did you mean 'winder'?"),
        (["mine", "--output", "no/mine.yaml"], "must be in an existing folder"),
    ],
)
def test_mistakes_of_new_are_named(call, folder, arguments, message):
    assert message in call("machine", "new", *arguments, code=2).stderr
    assert list(folder.iterdir()) == []


def test_machine_file_is_validated(call, one):
    text = call("validate", one, "winder").stdout
    assert "one.yaml: ok (2 formats, 1 setting, 1 activity)" in text
    assert "winder: ok (3 formats, 9 settings, 4 axes, 4 activities, 1 defect, 1 stop)" in text


def test_all_problems_of_a_machine_are_told_with_their_lines(call, folder):
    bad = ONE.replace("width / speed", "width / sped").replace("most: 3 m/s", "most: 3 m")
    (folder / "bad.yaml").write_text(bad, encoding="utf-8")
    text = call("validate", "bad.yaml", code=2).stderr
    assert "2 problems" in text
    assert "bad.yaml:4 activities.cut.steps[0] process: 'sped' in width / sped; must be" in text
    assert "bad.yaml:5 limits.blade most: 3 m; must be in m/s, as its value" in text
    (report,) = json.loads(call("validate", "bad.yaml", "--json", code=2).stdout)
    assert [problem["line"] for problem in report["problems"]] == [4, 5]


def test_machine_of_a_line_is_validated_with_it(call, folder, one):
    line = "name: line\nformats: {{only: {{}}}}\nstations: {{saw: {{cycle: {}}}}}\n"
    (folder / "line.yaml").write_text(line.format(one), encoding="utf-8")
    assert "line.yaml: ok (1 station" in call("validate", "line.yaml").stdout
    (folder / one).write_text(ONE.replace("width / speed", "width"), encoding="utf-8")
    assert "must be in s, but is in m" in call("validate", "line.yaml", code=2).stderr


@pytest.mark.compiled
def test_machine_is_tuned_step_by_step(call):
    text = call("machine", "tune", "machine-template", "--format", "small").stdout
    for words in (
        "machine-template, small: first pass yield 99.30 % or more",
        "as delivered",
        "+ event-driven waits",
        "+ overlap",
        "+ dynamics and recipes",
        "Settings for small",
        "speed of the gantry",
    ):
        assert words in text


@pytest.mark.compiled
def test_tuned_settings_are_data(call):
    options = ("--format", "small", "--yield-loss", "0.2%")
    (tuning,) = shown(call, "tune", "machine-template", *options)
    assert tuning["least_first_pass_yield"] == pytest.approx(0.998 - 0.002)
    gains = [step["gain"] for step in tuning["steps"]]
    assert gains == sorted(gains)
    assert gains[0] == 0.0 < gains[-1]
    last = tuning["steps"][-1]
    assert last["first_pass_yield"] >= 0.996 - 1e-9
    settings = last["settings [SI]"]["machine-template"]
    model = load_machine("machine-template")
    for name, value in settings.items():
        assert model.settings[name].low <= value <= model.settings[name].high
    good = model.evaluate("small", settings).good_rate
    assert last["good_rate [item/s]"] == pytest.approx(good, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["machine-template", "--output", "x.yaml"], "belong to a station of a line"),
        (["machine-template", "--format", "smal"], "must be one of small, large"),
        (["machine-template", "--yield-loss", "2"], "must be a share from 0 to below 1"),
        (["two-machine"], "no station names a machine description; at least one must"),
    ],
)
def test_mistakes_of_tune_are_named(call, folder, arguments, message):
    assert message in call("machine", "tune", *arguments, code=2).stderr
    assert list(folder.iterdir()) == []


@pytest.mark.compiled
def test_axis_that_limits_a_line_is_found(call):
    quick = ("--days", "0.05", "--replications", "2")
    text = call("machine", "limits", "equipment-46", *quick).stdout
    assert "Stations, 4680" in text
    assert "Settings, the strongest first" in text
    assert "The line is limited most by " in text
    data = shown(call, "limits", "equipment-46", *quick)
    assert {row["station"] for row in data["stations"]} == {
        "winding", "welding", "inserting", "grooving", "filling", "crimping"
    }  # fmt: skip
    strengths = [abs(row["elasticity"]) for row in data["settings"]]
    assert strengths == sorted(strengths, reverse=True)


def test_limits_need_a_line_of_machines(call):
    text = call("machine", "limits", "two-machine", code=2).stderr
    assert "no station names a machine description; at least one must" in text
