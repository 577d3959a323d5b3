import math
import re

import numpy as np
import pytest

from gigatwin.app.machine.evaluated import Evaluated
from gigatwin.app.machine.gantt import gantt
from gigatwin.app.machine.headline import finding, source
from gigatwin.app.machine.limit_bars import used
from gigatwin.app.machine.motion import moves, sampled
from gigatwin.app.machine.ranges import levers, ranges
from gigatwin.app.machine.report import machine_report_html, write_machine_report
from gigatwin.app.machine.window import window
from gigatwin.equipment import fmu
from gigatwin.equipment.limits import limit_uses
from gigatwin.equipment.model.reading import load_machine, machine_names, read_machine_text
from gigatwin.equipment.motion.s_curve import move_time, profile
from gigatwin.equipment.motion_energy import energy_per_cycle
from gigatwin.equipment.schedule import schedule
from gigatwin.equipment.sensitivity import cycle_time_by_activity, sensitivities
from gigatwin.errors import EquipmentError
from tests.unit.app.machine_texts import BROKEN, COLLIDING, FOREIGN, PRESS
from tests.unit.app.page import Page

LIBRARY = [(name, f) for name in machine_names() for f in load_machine(name).dimensions]


def report(model, product_format=None, settings=None):
    wanted = product_format or next(iter(model.dimensions))
    return Page(machine_report_html(model, wanted, settings))


def plain(text):
    return " ".join(text.replace("\u202f", "").split())


@pytest.fixture(scope="module")
def winder():
    return load_machine("winder")


@pytest.fixture(scope="module")
def winder_page(winder):
    return report(winder, "4680")


@pytest.fixture(scope="module")
def filler():
    return load_machine("filler")


@pytest.fixture(scope="module")
def filler_page(filler):
    return report(filler, "4680")


@pytest.fixture(scope="module")
def press():
    return read_machine_text(PRESS)


@pytest.fixture(scope="module")
def press_page(press):
    return report(press, "thin")


def test_head_says_what_is_shown(winder_page):
    top = plain(winder_page.sections[""])
    assert "format 4680 (height 80 mm, diameter 46 mm) \u00b7 1 item in a cycle" in top
    assert "settings as delivered \u00b7 synthetic reference numbers" in top


def test_head_lists_changed_settings(winder):
    text = source(Evaluated(winder, "4695", {"v": 2.0, "tau": 0.1}))
    assert "height 95 mm" in text
    assert "changed: v = 2 m/s \u00b7" in text


def test_synthetic_numbers_are_marked_and_others_are_not(winder_page, press_page):
    def cautions(page):
        return [a for _, a in page.tags if a.get("class") == "caution"]

    assert "Synthetic reference numbers." in winder_page.sections[""]
    assert len(cautions(winder_page)) == 1
    assert cautions(press_page) == []
    assert "numbers of the machine\u2019s maker" in press_page.sections[""]


def test_cards_hold_the_numbers_of_the_evaluation(winder, winder_page):
    found = winder.evaluate("4680")
    top = plain(winder_page.sections[""])
    assert f"Cycle time{found.cycle_time:.2f} s" in top
    assert f"Gross rate{60 * found.gross_rate:.1f} items/min" in top
    assert f"Good rate{60 * found.good_rate:.1f} items/min" in top
    assert "Scrap0.15 %" in top
    assert f"Availability{100 * found.availability:.1f} %" in top
    energy = 2000 * found.cycle_time + 800 * found.downtime + energy_per_cycle(found)
    assert f"Energy per item{energy / 3600:.2f} Wh" in top
    assert "Critical circuitindex \u2192 wind" in top


def test_intervals_come_from_the_uncertainty_of_the_description(winder):
    shown = Evaluated(winder, "4680", {})
    low, high = shown.interval["cycle_time"]
    assert low < shown.evaluation.cycle_time < high
    # Two activities of 2 % each set the cycle: between 1 and 2 %.
    assert 0.01 < (high - low) / 2 / shown.evaluation.cycle_time < 0.02


def test_finding_names_the_circuit_and_the_largest_lever(winder, winder_page):
    top = plain(winder_page.sections[""])
    assert "index \u2192 wind sets the cycle time of 5.69 s: index 604 ms + wind 5.08 s" in top
    assert "index waits for wind of the cycle before" in top
    best = max(sensitivities(winder, "4680"), key=lambda effect: effect.best_gain)
    assert f"The largest single lever is {best.setting}, " in top
    assert f"{100 * best.best_gain:+.1f} % good items" in top


def test_finding_counts_the_tokens_and_names_hardware_apart(filler, filler_page):
    top = plain(filler_page.sections[""])
    assert "shared by the 12 cycles under way at once, that is 3.41 s for each" in top
    assert "load waits for fill 12 cycles before (carrier)" in top
    now, then = (filler.evaluate("4680", {"chambers": n}).good_rate for n in (48.0, 64.0))
    assert f"from 48 to 64: {100 * (then / now - 1):+.1f} % good items" in top


def test_overlap_is_part_of_the_sum(winder):
    text = finding(Evaluated(winder, "4680", {"ov": 0.25}), [])
    assert "index 604 ms + wind 5.08 s \u2212 250 ms overlap = 5.44 s" in text


def bars(figure, *, is_light):
    return [
        (trace.name, begin, length, y)
        for trace in figure.data
        if trace.type == "bar" and (trace.opacity < 1) == is_light
        for begin, length, y in zip(trace.base, trace.x, trace.y, strict=True)
    ]


def test_bars_of_the_gantt_chart_are_the_schedule(winder):
    shown = Evaluated(winder, "4680", {})
    found = schedule(shown.evaluation)
    figure = gantt(shown, found)
    labels = [re.sub(r"<[^>]*>", "", text) for text in figure.layout.yaxis.ticktext]
    assert set(labels) == set(found.durations)
    first = [bar for bar in bars(figure, is_light=False) if bar[0] != "slack"]
    second = bars(figure, is_light=True)
    for row, name in enumerate(labels):
        for part, shift in ((first, 0.0), (second, found.cycle_time)):
            own = [bar for bar in part if round(bar[3]) == row]
            assert sum(bar[2] for bar in own) == pytest.approx(found.durations[name], rel=1e-4)
            assert min(bar[1] for bar in own) == pytest.approx(
                found.starts[name] + shift, rel=1e-4, abs=1e-4
            )
    slack = {
        labels[round(y)]: x for name, _, x, y in bars(figure, is_light=False) if name == "slack"
    }
    assert slack == pytest.approx({k: v for k, v in found.slack.items() if v}, rel=1e-4)


def test_critical_activities_are_framed_and_others_are_not(winder):
    shown = Evaluated(winder, "4680", {})
    figure = gantt(shown, schedule(shown.evaluation))
    frames = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    bold = [re.sub(r"<[^>]*>", "", t) for t in figure.layout.yaxis.ticktext if "<b>" in t]
    assert sorted(bold) == ["index", "wind"]
    assert sorted(round(f.x1 - f.x0, 3) for f in frames) == [0.604, 5.083]


def test_bars_longer_than_a_cycle_are_within_the_axis(filler):
    shown = Evaluated(filler, "4680", {})
    found = schedule(shown.evaluation)
    figure = gantt(shown, found)
    end = max(begin + length for _, begin, length, _ in bars(figure, is_light=True))
    assert end == pytest.approx(found.cycle_time + 0.55 + found.durations["fill"], rel=1e-4)
    assert figure.layout.xaxis.range[1] > end
    texts = [note.text for note in figure.layout.annotations if note.text]
    assert any("load,<br>  12 cycles later" in text for text in texts)


def test_hover_tells_name_time_repetitions_and_probability(press):
    shown = Evaluated(press, "thin", {})
    figure = gantt(shown, schedule(shown.evaluation))
    hover = "\n".join(text for trace in figure.data for text in trace.hovertext or ())
    assert "<b>press it</b>, timer<br>timer 100 ms (2 \u00d7 50.0 ms)" in hover
    assert "vision 50.0 ms (in 50 % of the cycles)" in hover


def test_table_of_activities_is_the_schedule(winder, winder_page):
    found = schedule(winder.evaluate("4680"))
    effects = cycle_time_by_activity(winder, "4680")
    for heading, expected in (
        ("Duration", found.durations),
        ("Slack", found.slack),
        ("Cycle", effects),
    ):
        keys = winder_page.keys("Activities", heading)
        assert {name: float(key) for name, key in keys.items()} == pytest.approx(expected)
    steps = plain(winder_page.texts("Activities", "Steps")["tape"])
    assert (
        steps
        == "press the tape 1.20 s + feed and cut the tape 500 ms + timer 200 ms (2 \u00d7 100 ms)"
    )
    assert winder_page.texts("Activities", "Waits for")["index"] == (
        "wind, tape, unload of the cycle before"
    )


def by_setting(page, heading):
    return {text.split()[0]: value for text, value in page.texts("What next", heading).items()}


def test_table_of_settings_has_the_sensitivities(winder, winder_page):
    effects = {effect.setting: effect for effect in sensitivities(winder, "4680")}
    assert set(by_setting(winder_page, "Now")) == set(effects)
    assert by_setting(winder_page, "Now")["a"] == "1.5 m/s\u00b2"
    assert by_setting(winder_page, "Range")["tau"] == "0.02 to 0.1 s"
    assert plain(by_setting(winder_page, "Cycle time")["tau"]) == "+4.00 s per s"
    assert by_setting(winder_page, "Cycle time")["tp"] == "no effect"
    assert by_setting(winder_page, "Good items [%")["v"] == f"{effects['v'].elasticity:+.2g}"
    table = winder_page.tables["What next"]
    gains = {row[0]["key"]: float(row[7]["key"]) for row in table[1:]}
    expected = {name: e.best_gain for name, e in effects.items() if e.best_gain > 1e-3}
    assert {name: gains[name] for name in expected} == pytest.approx(expected)


def test_cheapest_kind_of_change_comes_first(winder_page):
    kinds = list(by_setting(winder_page, "Kind").values())
    order = ["waits", "overlap", "dynamics", "recipe", "capital"]
    assert kinds == sorted(kinds, key=order.index)
    keys = [row[1]["key"] for row in winder_page.tables["What next"][1:]]
    assert keys == [str(order.index(kind)) for kind in kinds]


def test_settings_are_in_the_units_of_the_description(filler_page):
    assert by_setting(filler_page, "Now")["rate"] == "8 ml/s"
    assert plain(by_setting(filler_page, "Cycle time")["rate"]) == "-43.0 ms per ml/s"


def test_hardware_shows_its_next_step_and_no_slope(filler, filler_page):
    assert by_setting(filler_page, "Best alone")["chambers"] == "64 (next step)"
    assert by_setting(filler_page, "Cycle time")["chambers"] == "\u2013"
    now, then = (filler.evaluate("4680", {"chambers": n}).good_rate for n in (48.0, 80.0))
    expected = f"after that 80: {100 * (then / now - 1):+.1f} %"
    assert by_setting(filler_page, "Why not more")["chambers"] == expected


def test_best_value_keeps_the_process_window(filler):
    shown = Evaluated(filler, "4680", {})
    along = ranges(shown)
    (lever,) = [found for found in levers(shown, along) if found.setting == "wet"]
    (part,) = [found for found in along if found.setting == "wet"]
    place = int(np.flatnonzero(part.values == lever.best_value)[0])
    assert part.good_rate[place - 1] > part.good_rate[place]
    assert filler.evaluate("4680", {"wet": part.values[place - 1]}).scrap > 0.01
    assert filler.evaluate("4680", {"wet": lever.best_value}).scrap <= 0.01
    assert lever.ends == "more breaks process window (scrap)"


def test_best_value_keeps_interlocks():
    # Any overlap lets the second into the nest while the first is still there.
    text = """
name: shared
formats: {a: {height: 80 mm}}
settings:
  ov: {default: 0 s, low: 0 s, high: 0.4 s, lever: overlap}
activities:
  one: {steps: [{process: 1 s}], overlap: ov}
  two: {steps: [{process: 1 s}], after: {one: 0}}
circulating:
  hand: {path: [one, two]}
zones: {nest: [one, two]}
"""
    shown = Evaluated(read_machine_text(text), "a", {})
    (lever,) = levers(shown, ranges(shown))
    assert lever.gain == 0
    assert lever.ends == "a change breaks zone nest"


def test_process_window_draws_what_the_evaluation_gives(winder):
    shown = Evaluated(winder, "4680", {})
    matter = [part for part in ranges(shown) if part.matters]
    assert [part.setting for part in matter] == ["v", "a", "vf", "vt", "tp"]
    figure = window(shown, matter)
    speeds = np.linspace(1.0, 3.0, 41)
    found = winder.evaluate("4680", {"v": speeds})
    rate, now, defects = figure.data[0], figure.data[1], figure.data[2]
    assert rate.x == pytest.approx(speeds)
    assert rate.y == pytest.approx(60 * found.good_rate, rel=1e-4)
    assert defects.y == pytest.approx(100 * found.scrap, rel=1e-4)
    assert now.x[0] == pytest.approx(1.5)
    assert now.y[0] == pytest.approx(60 * winder.evaluate("4680").good_rate, rel=1e-9)


def test_table_of_causes_says_what_each_adds_now(press, press_page):
    # 0.2 m/s beyond the knee of scratches, 0.5 beyond that of stops.
    rows = {
        (row[0]["text"], row[1]["text"]): row[3]["text"]
        for row in press_page.tables["Causes of defects and stops"][1:]
    }
    assert rows["it rubs", "defect: scratch"] == "0.08 %"
    assert rows["with comfortable settings", "defect: scratch"] == "0.1 %"
    assert rows["with comfortable settings", "defect: crack, found later"] == "0.05 %"
    assert rows["the arm jams", "stop: jam (40 s)"] == "0.5 stops in 1000 cycles"
    assert rows["with comfortable settings", "stop: jam (40 s)"] == "1 stop in 1000 cycles"
    assert press.evaluate("thin").scrap == pytest.approx(0.0018)


def test_table_of_limits_has_every_limit(winder, winder_page):
    uses = {use.name: use for use in limit_uses(winder.evaluate("4680"))}
    values = winder_page.keys("Limits", "Value")
    names = {name.replace("process window (scrap)", "scrap"): key for name, key in values.items()}
    assert {name: float(key) for name, key in names.items()} == pytest.approx(
        {name: float(use.value[0]) for name, use in uses.items()}
    )
    assert winder_page.texts("Limits", "Value")["turret peak torque"] == "32 N m"
    assert winder_page.texts("Limits", "May be")["web tension deviation"] == "at most 5 %"
    assert winder_page.texts("Limits", "Used")["turret peak torque"] == "36 %"
    assert "All limits are kept" in winder_page.sections["limits"]


def test_used_share_of_a_least_value_grows_towards_it():
    uses = {use.name: use for use in limit_uses(read_machine_text(BROKEN).evaluate("thin"))}
    assert used(uses["clearance"]) == pytest.approx(1.6)
    assert used(uses["pressure"]) == pytest.approx(0.8)


def test_broken_limit_is_named_at_the_top():
    page = report(read_machine_text(BROKEN))
    top = plain(page.sections[""])
    assert (
        "Limit not kept: clearance is 500 \u00b5m, must be at least 800 \u00b5m: the parts touch."
        in top
    )
    assert "First bring the settings back within limits and interlocks." in top
    assert page.texts("Limits", "Verdict")["clearance"] == "not kept"
    assert page.texts("Limits", "Verdict")["pressure"] == "kept"
    assert page.texts("Limits", "Value")["pressure"] == "4 MPa"
    assert "limits are not kept" in page.sections["limits"]


def test_zone_conflict_is_named_at_the_top_and_among_the_interlocks():
    page = report(read_machine_text(COLLIDING))
    assert "Collision in zone bench: pick and press it are both in it" in plain(page.sections[""])
    verdicts = page.texts("Interlocks", "Verdict")
    assert "pick and press it are both in it for" in verdicts["bench"]
    assert verdicts["nest"] == "never two of them together"


def test_zone_that_is_kept_is_said_to_be_so():
    page = report(load_machine("can-inserter"))
    assert page.texts("Interlocks", "Verdict") == {"nest": "never two of them together"}
    assert "poses of the axes can be reached" in page.sections["limits"]


def test_sampled_move_goes_from_rest_to_rest():
    move = profile(0.4, 1.0, 9.0, 120.0)
    times, (way, speed, acceleration) = sampled(move)
    assert times[-1] == pytest.approx(move_time(0.4, 1.0, 9.0, 120.0))
    assert way[-1] == pytest.approx(0.4)
    assert speed[[0, -1]] == pytest.approx(0.0, abs=1e-12)
    assert acceleration[[0, -1]] == pytest.approx(0.0, abs=1e-9)
    assert speed.max() == pytest.approx(1.0)
    assert acceleration.max() == pytest.approx(9.0)
    assert np.trapezoid(speed, times) == pytest.approx(0.4, rel=1e-3)


def test_dial_turns_by_its_law(press):
    (dial,) = [move for move in moves(Evaluated(press, "thin", {})) if move.axis == "table"]
    way, speed, acceleration = dial.curves
    assert way[-1] == pytest.approx(0.7854)
    assert speed.max() == pytest.approx(dial.peak_speed, rel=1e-3)
    assert acceleration.max() == pytest.approx(dial.peak_acceleration, rel=1e-3)
    # The peak torque of the drive is what limits it.
    assert 1.5 * dial.peak_acceleration == pytest.approx(60.0)


def test_table_of_moves_has_peaks_force_and_vibration(press, press_page):
    uses = {use.name: float(use.value[0]) for use in limit_uses(press.evaluate("thin"))}
    row = {
        heading: press_page.texts("Moves", heading)["arm"]
        for heading in ("Stroke", "Peak speed", "Peak acc", "Root mean", "Vibration")
    }
    assert row["Stroke"] == "400 mm"
    assert row["Peak speed"] == "1 m/s"
    assert row["Peak acc"] == "9 m/s\u00b2"
    force = uses["arm force, root mean square"]
    assert row["Root mean"] == f"{force:.2f} N"
    assert float(press_page.keys("Moves", "Vibration")["arm"]) == pytest.approx(
        uses["arm residual vibration"]
    )
    assert press_page.texts("Moves", "Vibration")["table"] == "\u2013"


def test_moves_that_are_alike_are_shown_once():
    # Loader of the crimper: load, cap and unload make the same way.
    found = [move.axis for move in moves(Evaluated(load_machine("crimper"), "4680", {}))]
    assert sorted(found) == ["dial", "loader", "press"]


@pytest.fixture
def foreign(monkeypatch):
    def times(_path, values, **_rest):
        return np.array([2.0, 2.5, 3.0]) / values["v"]

    monkeypatch.setattr(fmu, "fmu_cycle_times", times)
    return read_machine_text(FOREIGN)


def test_fmu_shows_its_recorded_times_and_no_activities(foreign):
    page = report(foreign)
    assert "cycle" not in page.sections
    assert "2.00 s to 3.00 s" in plain(page.sections["recorded"])
    assert "Cycle time2.50 s" in plain(page.sections[""])
    assert "mean of 3 cycles recorded from the FMU" in page.sections[""]
    assert by_setting(page, "Best alone")["v"] == "2 m/s"
    assert plain(by_setting(page, "Cycle time")["v"]) == "-2.50 s per m/s"


def test_slow_fmu_is_not_run_for_every_setting(foreign, monkeypatch):
    monkeypatch.setattr(Evaluated, "run_time", 60.0)
    page = report(foreign)
    assert "each value would run the FMU again" in plain(page.sections[""])
    assert by_setting(page, "Best alone")["v"] == "\u2013"
    assert "window" in page.sections  # defects need no run


@pytest.mark.parametrize(("name", "product_format"), LIBRARY)
def test_every_machine_of_the_library_has_a_report(name, product_format):
    page = report(load_machine(name), product_format)
    assert {"cycle", "next", "window", "limits"} <= set(page.sections)
    shown = " ".join(page.sections.values())
    # Neither rounding errors nor missing numbers reach the reader.
    assert not re.search(r"\d\.\d{7}", shown)
    assert not re.search(r"\b(nan|inf|None|True|False)\b", shown)


def test_links_within_the_page_lead_to_its_sections(press_page):
    links = [attributes["href"] for tag, attributes in press_page.tags if tag == "a"]
    assert links == [f"#{name}" for name in press_page.sections if name]
    assert list(press_page.sections)[1:] == [
        "cycle", "next", "window", "limits", "motion", "reading"
    ]  # fmt: skip


def test_names_and_descriptions_are_text_and_never_markup(press_page):
    assert "one <script>alert(1)</script> at a time" in press_page.sections[""]
    assert not any(script.startswith("alert") for script in press_page.scripts)
    assert "press <b>one</b>" in press_page.sections[""]


def test_words_are_explained(press_page):
    words = press_page.sections["reading"]
    for word in ("Cycle time", "Critical circuit", "Token", "Slack", "Elasticity", "Kinds", "Knee"):
        assert word in words


def test_machine_without_settings_defects_or_energy_has_a_report():
    text = "name: bare\nformats: {a: {}}\nactivities: {go: {steps: [{process: 2 s}]}}\n"
    page = report(read_machine_text(text))
    assert "go sets the cycle time of 2.00 s: go 2.00 s. Nothing can be set" in plain(
        page.sections[""]
    )
    assert list(page.sections) == ["", "cycle", "reading"]


def test_second_critical_circuit_is_mentioned():
    text = """
name: twins
formats: {a: {}}
activities:
  left: {steps: [{process: 2 s}]}
  right: {steps: [{process: 2 s}]}
"""
    shown = Evaluated(read_machine_text(text), "a", {})
    assert "Another circuit is as long" in finding(shown, [])


def test_format_that_the_machine_does_not_make_is_refused(winder):
    with pytest.raises(EquipmentError, match="must be one of 4680"):
        machine_report_html(winder, "21700")


def test_report_is_written_and_nothing_else(press, tmp_path):
    write_machine_report(tmp_path / "report.html", press, "thick", {"v": 0.9})
    (path,) = tmp_path.iterdir()
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert text.rstrip().endswith("</html>")


def test_lever_ends_say_why_there_is_no_more(winder):
    shown = Evaluated(winder, "4680", {})
    found = levers(shown, ranges(shown))
    ends = {lever.setting: lever.ends for lever in found}
    assert ends["tau"] == "its range ends"
    assert ends["a"] == "more costs more by defects and stops than it brings"
    assert ends["tp"] == "nothing to gain alone"
    assert not any(math.isnan(lever.gain) for lever in found)
