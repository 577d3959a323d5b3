import numpy as np
import pytest

from gigatwin.equipment.limits import broken, limit_uses, moves_of
from gigatwin.equipment.model.reading import load_machine, machine_names, read_machine_text

HEAD = "name: made\nformats: {only: {}}\n"
# 0.6 m at 1 m/s, 4 m/s^2 and 40 m/s^3: 0.1 s of jerk, 0.15 s held, 0.1 s; cruise 0.25 s; and back
# down: 0.95 s. The acceleration reaches 4 m/s^2.
AXIS = """axes:
  x:
    speed: 1 m/s
    acceleration: 4 m/s^2
    jerk: 40 m/s^3
"""
DRIVE = "    drive: {inertia: 5 kg, friction: 6 N, peak: 30 N, continuous: 12 N, speed: 1.1 m/s}\n"
MOVE = "activities: {go: {steps: [{move: x, stroke: 0.6 m}]}}\n"
MOVE_AND_WAIT = "activities: {go: {steps: [{move: x, stroke: 0.6 m}, {timer: 1.05 s}]}}\n"


def uses(*parts, settings=None):
    model = read_machine_text(HEAD + "".join(parts))
    return {
        (use.name, use.is_least): use for use in limit_uses(model.evaluate("only", settings or {}))
    }


def only(*parts):
    (use,) = uses(*parts).values()
    return use


def test_peak_force_by_hand():
    use = uses(AXIS, DRIVE, MOVE)["x peak force", False]
    assert use.value == pytest.approx([5 * 4 + 6], rel=1e-14)
    assert (use.limit.tolist(), use.unit) == ([30.0], "N")
    assert use.margin == pytest.approx([4 / 30], rel=1e-13)
    assert use.holds.all()


def test_root_mean_square_of_the_force_by_hand():
    # Four ramps of 0.1 s are worth a third of their length, two holds of 0.15 s all of it; the
    # friction acts as long as the axis moves, and pushes as often with the inertia as against it.
    squares = 20**2 * (4 * 0.1 / 3 + 2 * 0.15) + 6**2 * 0.95
    use = uses(AXIS, DRIVE, MOVE_AND_WAIT)["x force, root mean square", False]
    assert use.value == pytest.approx([np.sqrt(squares / 2.0)], rel=1e-12)


def test_longer_dwell_lowers_the_root_mean_square_alone():
    without, with_dwell = uses(AXIS, DRIVE, MOVE), uses(AXIS, DRIVE, MOVE_AND_WAIT)
    for key, use in without.items():
        rest = "root mean square" in key[0]
        expected = use.value * (np.sqrt(0.95 / 2.0) if rest else 1.0)
        assert with_dwell[key].value == pytest.approx(expected, rel=1e-12)


def test_repeated_and_rare_moves_count_as_often_as_they_are_done():
    steps = MOVE.replace("0.6 m}", "0.6 m, times: 3, probability: 0.5}, {timer: 1 s}")
    squares = 1.5 * (20**2 * (4 * 0.1 / 3 + 2 * 0.15) + 6**2 * 0.95)
    use = uses(AXIS, DRIVE, steps)["x force, root mean square", False]
    assert use.value == pytest.approx([np.sqrt(squares / (1.5 * 0.95 + 1))], rel=1e-12)


def sampled_acceleration(move, times):
    """Return the acceleration of a move from its steps of jerk alone."""
    instants, steps = move.jerk_steps()
    return sum(s * np.maximum(times - t, 0.0) for t, s in zip(instants, steps, strict=True))


@pytest.mark.parametrize("stroke", [0.6, 0.2, 0.01])
def test_root_mean_square_is_that_of_the_sampled_force(stroke):
    text = HEAD + AXIS + DRIVE + MOVE_AND_WAIT.replace("0.6 m", f"{stroke} m")
    evaluation = read_machine_text(text).evaluate("only")
    ((_, move),) = moves_of(evaluation, "x")
    cycle = float(evaluation.cycle_time)
    times = (np.arange(400_000) + 0.5) * cycle / 400_000
    force = 5 * sampled_acceleration(move, times) + 6 * (times < move.duration)
    force[times > move.duration] = 0.0
    (use,) = (use for use in limit_uses(evaluation) if "mean square" in use.name)
    assert use.value == pytest.approx([np.sqrt(np.mean(force**2))], rel=1e-4)


def test_speed_is_that_which_the_move_reaches():
    assert uses(AXIS, DRIVE, MOVE)["x speed", False].value == pytest.approx([1.0], rel=1e-14)
    short = uses(AXIS, DRIVE, MOVE.replace("0.6 m", "0.01 m"))["x speed", False]
    # Without hold and cruise a stroke is 2 j t^3, and the speed j t^2.
    assert short.value == pytest.approx([40 * (0.01 / 80) ** (2 / 3)], rel=1e-12)


def test_travel_and_poses_are_limits():
    travel = "    travel: {low: 0.1 m, high: 0.8 m}\n    poses: {left: 0.15 m, right: p}\n"
    setting = "settings: {p: {default: 0.75 m, low: 0.2 m, high: 1 m}}\n"
    move = "activities: {go: {steps: [{move: x, start: right, end: left}]}}\n"
    found = uses(AXIS, travel, setting, move)
    assert found["x travel", False].value == pytest.approx([0.6])
    assert found["x travel", False].limit == pytest.approx([0.7])
    assert all(use.holds[0] for use in found.values())
    beyond = uses(AXIS, travel, setting, move, settings={"p": 0.82})
    assert {key for key, use in beyond.items() if not use.holds[0]} == {("x pose right", False)}
    model = read_machine_text(HEAD + AXIS + travel + setting + move)
    (use,) = broken(limit_uses(model.evaluate("only", {"p": 0.82})))
    assert use.margin == pytest.approx([(0.8 - 0.82) / 0.8])


def test_web_is_limited_by_spindle_and_tension():
    web = (
        "    web: {core_radius: 2 mm, thickness: 0.37 mm, length: 4 m, inertia: 4e-8 kg*m^2,"
        " tension: 1.6 N, most_deviation: 0.03, spindle_speed: 6000 rpm}\n"
    )
    found = uses(AXIS, web, MOVE)
    # 1 m/s on 2 mm is 500 rad/s; 4e-8 kg m^2 at 4 m/s^2 on 2 mm takes 0.04 N of 1.6 N.
    assert found["x spindle speed", False].value == pytest.approx([500.0], rel=1e-12)
    assert found["x spindle speed", False].limit == pytest.approx([200 * np.pi], rel=1e-12)
    assert found["x tension deviation", False].value == pytest.approx([2.5], rel=1e-12)
    assert found["x tension deviation", False].limit == pytest.approx([3.0], rel=1e-12)


def test_residual_vibration_is_none_after_whole_periods_of_jerk():
    swing = "    vibration: {{frequency: {} Hz, tolerance: 10 um}}\n"
    assert only(AXIS, swing.format(10), MOVE).value == pytest.approx([0.0], abs=1e-12)
    assert only(AXIS, swing.format(13), MOVE).value[0] > 1e-5


def test_residual_vibration_of_a_short_move_by_hand():
    # Steps of jerk +j, -2j, +2j, -j at 0, t, 3t, 4t with a period of 4 t: the swings of the ends
    # meet in phase, those between cancel half: |1 + 2i + 2i - 1| = 4 times j / omega^3.
    t = (0.01 / 80) ** (1 / 3)
    swing = f"    vibration: {{frequency: {1 / (4 * t)!r} Hz, tolerance: 1 mm}}\n"
    use = only(AXIS, swing, MOVE.replace("0.6 m", "0.01 m"))
    assert use.value == pytest.approx([4 * 40 / (2 * np.pi / (4 * t)) ** 3], rel=1e-9)


def test_vibration_that_is_waited_for_is_no_limit():
    swing = "    vibration: {frequency: 13 Hz, damping: 0.1, tolerance: 10 um}\n"
    assert uses(AXIS, swing, MOVE.replace("0.6 m", "0.6 m, settle: true")) == {}


def test_turning_axis_speaks_of_angles_and_torques():
    turning = AXIS.replace("1 m/s\n", "1 rad/s\n").replace("m/s^", "rad/s^")
    drive = DRIVE.replace("kg", "kg*m^2").replace(" N", " N*m").replace("m/s", "rad/s")
    swing = "    vibration: {frequency: 13 Hz, tolerance: 1 mrad}\n"
    found = uses(turning, drive, swing, MOVE.replace("0.6 m", "0.6 rad"))
    assert {name: use.unit for (name, _), use in found.items()} == {
        "x speed": "rad/s",
        "x peak torque": "N m",
        "x torque, root mean square": "N m",
        "x residual vibration": "rad",
    }
    assert found["x peak torque", False].value == pytest.approx([26.0], rel=1e-14)


def test_root_mean_square_of_a_dial_by_hand():
    dial = (
        "dials: {d: {law: cycloidal, inertia: 2 kg*m^2, torque: 50 N*m, speed: 3 rad/s, "
        "continuous: 20 N*m}}\n"
    )
    steps = "activities: {go: {steps: [{index: d, stroke: 1.5 rad}, {timer: 1 s}]}}"
    # The speed limits: 2 * 1.5 / 3 = 1 s. The mean square of 2 pi sin(2 pi t) is 2 pi^2.
    use = only(dial, steps)
    assert use.value == pytest.approx([2 * np.sqrt(2) * np.pi * 1.5 / np.sqrt(2)], rel=1e-12)
    assert (use.limit.tolist(), use.unit) == ([20.0], "N m")


def test_own_limits_have_a_largest_and_a_smallest_value():
    limit = "limits: {heat: {value: 3 s, most: 5 s, least: 4 s, because: it cools}}\n"
    found = uses(limit, "activities: {go: {steps: [{timer: 1 s}]}}")
    assert found["heat", False].margin == pytest.approx([0.4])
    assert found["heat", True].margin == pytest.approx([-0.25])
    assert not found["heat", True].holds[0]
    assert {use.unit for use in found.values()} == {"s"}


def test_process_window_limits_the_scrap():
    curves = (
        "defects: {a: {least: 0.02}, b: {least: 0.5, is_seen_here: false}}\nmost_defects: 0.025\n"
    )
    use = only(curves, "activities: {go: {steps: [{timer: 1 s}]}}")
    assert (use.name, use.unit) == ("scrap", "%")
    assert use.value == pytest.approx([2.0], rel=1e-12)
    assert use.limit == pytest.approx([2.5])


def test_limit_that_is_just_reached_holds():
    for most in (0.25, 0.1 + 0.2):
        limit = f"limits: {{l: {{value: {most!r} * 3 / 3, most: {most!r}, because: x}}}}\n"
        assert only(limit, "activities: {go: {steps: [{timer: 1 s}]}}").holds[0]


@pytest.mark.parametrize("name", machine_names())
def test_limits_of_many_settings_are_those_of_each(name):
    model = load_machine(name)
    product_format = next(iter(model.dimensions))
    rng = np.random.default_rng(3)
    table = {key: rng.uniform(r.low, r.high, 5) for key, r in model.settings.items()}
    together = limit_uses(model.evaluate(product_format, table))
    for row in range(5):
        alone = limit_uses(
            model.evaluate(product_format, {key: float(v[row]) for key, v in table.items()})
        )
        assert [use.name for use in alone] == [use.name for use in together]
        for one, many in zip(alone, together, strict=True):
            assert one.value[0] == pytest.approx(many.value[row], rel=1e-11, abs=1e-15)
            assert one.limit[0] == pytest.approx(many.limit[row], rel=1e-11)


@pytest.mark.parametrize("name", machine_names())
def test_machine_of_the_library_keeps_its_limits_as_delivered(name):
    model = load_machine(name)
    for product_format in model.dimensions:
        assert broken(limit_uses(model.evaluate(product_format))) == []
