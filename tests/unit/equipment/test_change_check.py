import numpy as np
import pytest

from gigatwin.equipment.change_check import check_change, draw_factors
from gigatwin.equipment.interlocks import overlaps_in_zones
from gigatwin.equipment.machine_comparison import compare_machines
from gigatwin.equipment.model.reading import load_machine, machine_names, read_machine_text
from gigatwin.equipment.sensitivity import cycle_time_by_activity, sensitivities
from gigatwin.errors import EquipmentError

HEAD = "name: made\nformats: {only: {}}\n"
# Pressing takes `press`, and spoils more the shorter it is; carrying beside it takes `carry`.
PRESS = f"""{HEAD}
settings:
  press: {{default: 2 s, low: 1 s, high: 4 s}}
  carry: {{default: 1 s, low: 0.5 s, high: 6 s}}
  nests: {{default: 1, low: 1, high: 3, steps: [1, 2, 3], lever: capital}}
activities:
  press: {{places: nests, steps: [{{process: press}}]}}
  carry: {{steps: [{{process: carry}}]}}
defects:
  crack: {{least: 0.01, terms: [{{cause: c, of: press, below: 2 s, scale: 1 s, weight: 0.08}}]}}
most_defects: 0.05
stops: {{jam: {{per_cycle: 0.01, duration: 20 s}}}}
limits: {{heat: {{value: press, least: 1.2 s, because: it stays cold}}}}
"""


@pytest.fixture(scope="module")
def press():
    return read_machine_text(PRESS)


def kinds(verdict):
    return [reason.kind for reason in verdict.reasons]


def test_harmless_change_is_allowed(press):
    verdict = check_change(press, "only", {"press": 1.8})
    assert verdict.is_allowed
    assert (verdict.machine, verdict.product_format) == ("made", "only")
    assert verdict.evidence == "synthetic"
    assert [effect.name for effect in verdict.effects] == [
        "cycle time", "rate, stops included", "good items", "scrap", "availability"
    ]  # fmt: skip


def test_effects_by_hand(press):
    cycle, rate, good, scrap, availability = check_change(press, "only", {"press": 1.5}).effects
    assert (cycle.before, cycle.after) == pytest.approx((2.0, 1.5), rel=1e-15)
    assert (scrap.before, scrap.after) == pytest.approx((0.01, 0.03), rel=1e-12)
    assert (availability.before, availability.after) == pytest.approx((2 / 2.2, 1.5 / 1.7))
    assert (rate.before, rate.after) == pytest.approx((1 / 2.2, 1 / 1.7), rel=1e-14)
    assert (good.before, good.after) == pytest.approx((0.99 / 2.2, 0.97 / 1.7), rel=1e-14)
    assert cycle.difference == pytest.approx(-0.5)
    assert cycle.is_clear
    assert good.is_clear


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        ({"press": 5.0}, "range", "press = 5 s; must be from 1 s to 4 s"),
        ({"nests": 2.5}, "range", "nests = 2.5; must be one of 1, 2, 3"),
        ({"press": 1.19}, "limit", "heat is 1.19 s; must be at least 1.2 s: it stays cold"),
        ({"press": 1.25}, "process window", "scrap is 5.5 %; must be at most 5 %"),
    ],
)
def test_change_is_not_allowed_because(press, change, kind, text):
    verdict = check_change(press, "only", change)
    assert not verdict.is_allowed
    (reason,) = [reason for reason in verdict.reasons if reason.kind == kind]
    assert reason.text.startswith(text)


def test_every_reason_is_told(press):
    verdict = check_change(press, "only", {"press": 0.9})
    assert sorted(kinds(verdict)) == ["limit", "process window", "range"]


def test_unknown_format_is_a_reason(press):
    verdict = check_change(press, "onli", {"press": 1.5})
    assert kinds(verdict) == ["format"]
    assert verdict.reasons[0].text == "onli; must be one of only"
    assert verdict.effects == ()


@pytest.mark.compiled
def test_end_of_a_range_is_in_it():
    model = load_machine("groover")
    for name, known in model.settings.items():
        for end in (known.low, known.high * (1 + 1e-12)):
            assert "range" not in kinds(check_change(model, "4680", {name: end}))


def test_change_without_a_cycle_is_a_reason_and_no_crash():
    verdict = check_change(load_machine("winder"), "4680", {"v": 0.0})
    assert "range" in kinds(verdict)


def test_unknown_setting_is_named(press):
    with pytest.raises(EquipmentError, match="pres"):
        check_change(press, "only", {"pres": 1.5})


def test_settings_before_the_change_are_those_given(press):
    cycle, *_ = check_change(press, "only", {"press": 1.5}, {"press": 3.0, "carry": 1.7}).effects
    assert (cycle.before, cycle.after) == (3.0, 1.7)


@pytest.mark.compiled
@pytest.mark.parametrize("name", machine_names())
def test_intervals_hold_what_is_expected(name):
    model = load_machine(name)
    product_format = next(iter(model.dimensions))
    change = {
        key: found.default[product_format] + 0.3 * (found.high - found.default[product_format])
        for key, found in model.settings.items()
        if not found.steps
    }
    for effect in check_change(model, product_format, change).effects:
        for point, (low, high) in (
            (effect.before, effect.before_interval),
            (effect.after, effect.after_interval),
            (effect.difference, effect.difference_interval),
        ):
            assert low - 1e-12 <= point <= high + 1e-12, effect.name


def test_width_of_an_interval_is_that_of_the_description(press):
    cycle, *_ = check_change(press, "only", {"press": 3.0}).effects
    # The only uncertain factor is on the duration: 2 % to both sides, as a 95 % interval.
    assert cycle.before_interval == pytest.approx((2 / 1.02, 2 * 1.02), rel=2e-3)
    assert cycle.difference_interval == pytest.approx((1 / 1.02, 1.02), rel=2e-3)


def test_what_is_known_exactly_has_no_interval():
    exact = read_machine_text(PRESS + "uncertainty: {times: 0, knees: 0, weights: 0}\n")
    for effect in check_change(exact, "only", {"press": 1.5}).effects:
        assert effect.difference_interval == pytest.approx((effect.difference,) * 2, abs=1e-15)
        assert np.ptp(effect.before_interval) == np.ptp(effect.after_interval) == 0.0


def test_before_and_after_meet_the_same_draws(press):
    # Carrying sets no cycle and spoils nothing, so that every draw is the same with a change of it.
    for effect in check_change(press, "only", {"carry": 1.5}).effects:
        assert effect.difference_interval == (0.0, 0.0)
        assert np.ptp(effect.before_interval) > 0.0
        assert not effect.is_clear


def test_factors_are_lognormal_with_the_stated_half_widths(press):
    drawn = draw_factors(press, draws=20_000)
    (curve,) = press.defects
    widths = {press.activities[0].factor: 0.02, curve.knees[0]: 0.2, curve.weights[0]: 0.3}
    for name, width in widths.items():
        low, middle, high = np.quantile(drawn[name], (0.025, 0.5, 0.975))
        assert (low, middle, high) == pytest.approx((1 / (1 + width), 1, 1 + width), rel=0.02)
    correlations = np.corrcoef(np.log(list(drawn.values())))
    assert np.abs(correlations - np.eye(len(drawn))).max() < 5 / np.sqrt(20_000)


def test_fmu_is_run_once_for_each_setting(monkeypatch):
    runs = []

    def cycle_times(path, inputs, **_):
        runs.append((path, inputs["load"]))
        return np.array([inputs["load"]])

    monkeypatch.setattr("gigatwin.equipment.fmu.fmu_cycle_times", cycle_times)
    activities = PRESS[PRESS.index("activities:") : PRESS.index("defects:")]
    fmu = "fmu: {file: press.fmu, cycle_time: t, inputs: {load: press}}\n"
    model = read_machine_text(PRESS.replace(activities, fmu))
    cycle, *_, scrap, _ = check_change(model, "only", {"press": 1.5}).effects
    assert (cycle.before, cycle.after) == (2.0, 1.5)
    assert scrap.is_clear
    # Draws of the curves are no reason to simulate again.
    assert len(runs) <= 4


def timer(name, seconds, after=""):
    return f"{name}: {{steps: [{{timer: {seconds} s}}], after: {{{after}}}}}"


def meetings(*activities):
    """Return the meetings of a and b in a zone, of a machine with a clock of 10 s."""
    known = ", ".join((timer("clock", 10), *activities))
    text = f"{HEAD}activities: {{{known}}}\nzones: {{door: [a, b]}}\n"
    return read_machine_text(text)


@pytest.mark.parametrize(
    ("a", "wait", "b", "seconds"),
    [
        (3, 2, 4, 1.0),  # b begins 2 s after a, which ends 1 s later
        (9, 2, 4, 4.0),  # all of b falls within a
        (3, 8, 4, 2.0),  # b begins 8 s after a, and goes on for 2 s of the next cycle
        (7, 6, 6, 3.0),  # 1 s at the end of a, and 2 s of the next one
        (1, 8, 7, 1.0),  # all of the next a falls within b
        (3, 4, 4, None),
        (3, 3, 7, None),  # they follow each other all the way round
    ],
)
def test_overlap_in_a_zone_by_hand(a, wait, b, seconds):
    model = meetings(timer("a", a, "clock: 0"), timer("w", wait, "clock: 0"), timer("b", b, "w: 0"))
    found = overlaps_in_zones(model.evaluate("only"))
    if seconds is None:
        assert found == []
        return
    ((zone, one, other, shared),) = found
    assert (zone, one, other) == ("door", "a", "b")
    assert shared == pytest.approx(seconds, rel=1e-12)


def test_interlock_is_a_reason_with_its_milliseconds():
    text = f"""{HEAD}
settings: {{early: {{default: 0 s, low: 0 s, high: 1 s}}}}
activities:
  a: {{overlap: early, after: {{b: 1}}, steps: [{{timer: 2 s}}]}}
  b: {{after: {{a: 0}}, steps: [{{timer: 3 s}}]}}
zones: {{door: [a, b]}}
"""
    model = read_machine_text(text)
    assert check_change(model, "only", {"early": 0.0}).is_allowed
    (reason,) = check_change(model, "only", {"early": 0.25}).reasons
    assert reason.kind == "interlock"
    assert reason.text.startswith("a and b are both in zone door for 250 ms of each cycle; ")


def test_machines_are_compared_with_the_first(press):
    other = read_machine_text(PRESS.replace("default: 2 s", "default: 1.6 s"))
    others = {"faster": (press, {"press": 1.5}), "same": (press, {}), "other": (other, {})}
    base, faster, same, different = compare_machines(press, "only", others)
    assert [base.is_scenario, faster.is_scenario, different.is_scenario] == [False, True, True]
    assert base.good_rate == pytest.approx(0.99 / 2.2, rel=1e-14)
    assert faster.gain == pytest.approx((0.97 / 1.7) / (0.99 / 2.2) - 1, rel=1e-12)
    assert faster.gain_interval[0] < faster.gain < faster.gain_interval[1]
    assert (same.gain, same.gain_interval) == (0.0, (0.0, 0.0))
    # A machine of its own is as uncertain as the first: the interval is wider.
    assert np.ptp(different.gain_interval) > 1.3 * 0.02
    assert different.critical == ("press",)
    assert faster.broken == ()
    assert faster.as_data()["cycle_time"] == 1.5


def test_broken_limits_of_a_machine_are_listed(press):
    _, cold = compare_machines(press, "only", {"cold": (press, {"press": 1.1})})
    assert len(cold.broken) == 2
    assert any(text.startswith("heat is 1.1 s; must be at least 1.2 s") for text in cold.broken)


def test_comparison_needs_the_format_everywhere(press):
    with pytest.raises(EquipmentError, match="winder format only"):
        compare_machines(press, "only", {"other": (load_machine("winder"), {})})


@pytest.mark.parametrize("name", machine_names())
def test_sensitivities_are_numeric_derivatives(name):
    model = load_machine(name)
    product_format = next(iter(model.dimensions))
    now = model.defaults(product_format)
    for found in sensitivities(model, product_format):
        known = model.settings[found.setting]
        if known.steps:
            continue
        # From both sides where there is room, as far as 1e-5 of the range.
        step = 1e-5 * (known.high - known.low)
        ends = [
            max(known.low, now[found.setting] - step), min(known.high, now[found.setting] + step)
        ]  # fmt: skip
        low, high = (
            model.evaluate(product_format, now | {found.setting: end}) for end in ends
        )  # fmt: skip
        width = ends[1] - ends[0]
        for slope, attribute in (
            (found.cycle_time, "cycle_time"), (found.good_rate, "good_rate"), (found.scrap, "scrap")
        ):  # fmt: skip
            expected = (getattr(high, attribute) - getattr(low, attribute)) / width
            scale = abs(float(getattr(low, attribute))) / (known.high - known.low)
            assert slope == pytest.approx(expected, rel=2e-3, abs=2e-3 * scale), found.setting


def test_elasticity_by_hand(press):
    (found,) = (s for s in sensitivities(press, "only", {"press": 3.0}) if s.setting == "press")
    # Good items are 0.99 / (T + 0.2): a per cent of T is worth T / (T + 0.2) per cent of them.
    assert found.elasticity == pytest.approx(-3 / 3.2, rel=1e-6)
    assert found.cycle_time == pytest.approx(1.0, rel=1e-9)
    assert (found.value, found.low, found.high, found.unit) == (3.0, 1.0, 4.0, "s")


def effect_of(text, settings=None):
    (found,) = sensitivities(read_machine_text(text), "only", settings)
    return found


ONE = f"{HEAD}settings: {{x: {{default: 2 s, low: 1 s, high: 5 s}}}}\n"
WAIT = "activities: {a: {steps: [{timer: x}]}}\n"


def test_best_value_alone_is_stopped_by_a_limit():
    limits = "limits: {cold: {value: x, least: 1.45 s, because: c}}\n"
    found = effect_of(ONE + WAIT + limits)
    # Values of a hundredth of the range and more are looked at: 1.5 s is the last one allowed.
    assert found.best_value == pytest.approx(1.5)
    assert found.best_gain == pytest.approx(2 / 1.5 - 1, rel=1e-12)
    assert found.stopped_by == "cold"


def test_best_value_that_nothing_stops_is_the_end_of_the_range():
    found = effect_of(ONE + WAIT)
    assert (found.best_value, found.best_gain, found.stopped_by) == (1.0, pytest.approx(1.0), "")


def test_limit_that_is_broken_must_not_get_worse():
    limits = "limits: {cold: {value: x, least: 3 s, because: c}}\n"
    found = effect_of(ONE + WAIT + limits)
    assert found.best_gain == 0.0
    assert found.best_value >= 2.0 - 1e-9
    assert found.stopped_by == "cold"


def test_narrow_range_of_limits_leaves_the_value_as_it_is():
    limits = "limits: {both: {value: x, least: 2.17 s, most: 2.18 s, because: c}}\n"
    found = effect_of(ONE + WAIT + limits, {"x": 2.175})
    assert (found.best_value, found.best_gain) == (2.175, 0.0)
    assert found.stopped_by == "both"


def test_better_value_behind_a_worse_one_is_no_crash():
    # The cycle dips at 2 s and, lower still, at 4.5 s, where the limit stands in the way.
    dip = "over(1 - ((x - {} s) / (1 s))^2)"
    dips = f"process: '4 s - 3 s * {dip.format(2)} - 3.5 s * {dip.format(4.5)}'"
    limits = "limits: {warm: {value: x, most: 4 s, because: c}}\n"
    found = effect_of(ONE + WAIT.replace("timer: x", dips) + limits)
    assert (found.best_value, found.best_gain, found.stopped_by) == (2.0, 0.0, "warm")


def test_all_steps_of_a_setting_are_looked_at():
    steps = ", ".join(f"{k} s" for k in range(60, 0, -1))
    text = f"settings: {{x: {{default: 30 s, low: 1 s, high: 60 s, steps: [{steps}]}}}}\n"
    found = effect_of(HEAD + text + WAIT)
    assert (found.best_value, found.best_gain) == (1.0, pytest.approx(29.0))


def test_cycle_grows_by_the_share_of_the_tokens():
    chambers = cycle_time_by_activity(load_machine("filler"), "4680", {"wet": 40.0})
    assert chambers == pytest.approx({"load": 1 / 12, "fill": 1 / 12})
    assert cycle_time_by_activity(load_machine("winder"), "4680") == {
        "wind": 1.0, "tape": 0.0, "unload": 0.0, "index": 1.0
    }  # fmt: skip
