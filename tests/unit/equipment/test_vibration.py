import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from gigatwin.equipment.model.reading import read_machine_text
from gigatwin.equipment.motion.s_curve import move_time, profile
from gigatwin.equipment.motion.vibration import residual_vibration, settling_time

FREQUENCY = 12.0
MOVES = [
    (0.6, 1.0, 10.0, 100.0),  # all seven phases
    (0.6, 1.0, 10.0, 300.0),
    (0.05, 1.0, 10.0, 100.0),  # no cruise
    (0.01, 2.0, 20.0, 300.0),  # neither cruise nor constant acceleration
    (0.3, 0.3, 20.0, 200.0),  # no constant acceleration
]


def swing_at_the_end(move, frequency, damping):
    """Return the amplitude after a move, by integrating the oscillator from phase to phase."""
    omega = 2 * np.pi * frequency
    times, steps = move.jerk_steps()
    state, acceleration = [0.0, 0.0], 0.0
    for start, end, jerk in zip(times[:-1], times[1:], np.cumsum(steps)[:-1], strict=True):

        def motion(t, q, a=acceleration, j=jerk, since=start):
            return [
                q[1],
                -(a + j * (t - since)) - 2 * damping * omega * q[1] - omega * omega * q[0],
            ]

        if end > start:
            found = solve_ivp(motion, (start, end), state, "DOP853", rtol=1e-11, atol=1e-15)
            state = found.y[:, -1]
        acceleration += jerk * (end - start)
    damped = omega * np.sqrt(1 - damping**2)
    # The free vibration is A exp(-z w t) cos(w_d t + phase).
    return np.hypot(state[0], (state[1] + damping * omega * state[0]) / damped)


@pytest.mark.parametrize(
    ("jerk", "duration", "millimetres"),
    [(100.0, 0.8, 0.379), (120.0, 0.7833, 0.0), (150.0, 0.7667, 0.569), (300.0, 0.7333, 1.840)],
)
def test_known_moves_leave_the_known_swing(jerk, duration, millimetres):
    move = profile(0.6, 1.0, 10.0, jerk)
    assert float(move.duration) == pytest.approx(duration, abs=5e-5)
    swing = 1e3 * float(residual_vibration(move, FREQUENCY))
    assert swing == pytest.approx(millimetres, abs=5e-4)


def test_jerk_time_of_one_period_leaves_less_than_a_nanometre():
    assert float(residual_vibration(profile(0.6, 1.0, 10.0, 120.0), FREQUENCY)) < 1e-9


@pytest.mark.parametrize("damping", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("move", MOVES)
def test_swing_equals_the_integrated_oscillator(move, damping):
    phases = profile(*move)
    exact = swing_at_the_end(phases, FREQUENCY, damping)
    found = float(residual_vibration(phases, FREQUENCY, damping))
    assert found == pytest.approx(exact, rel=1e-6, abs=1e-11)


@given(
    st.floats(0.01, 2.0), st.floats(0.1, 3.0), st.floats(1.0, 30.0), st.floats(20.0, 2000.0),
    st.floats(2.0, 60.0),
)  # fmt: skip
def test_undamped_swing_is_a_product_of_three_sincs(stroke, speed, acceleration, jerk, frequency):
    # The speed is three rectangles folded into each other, and the swing is its Fourier transform.
    move = profile(stroke, speed, acceleration, jerk)
    widths = (
        move.ramp,
        move.peak_speed / move.peak_acceleration,
        stroke / move.peak_speed,
    )
    exact = stroke * np.prod([np.abs(np.sinc(frequency * width)) for width in widths])
    assert float(residual_vibration(move, frequency)) == pytest.approx(exact, rel=1e-9, abs=1e-12)


@given(st.integers(1, 5), st.floats(2.0, 60.0), st.floats(1.0, 20.0))
def test_jerk_time_of_whole_periods_leaves_nothing(periods, frequency, acceleration):
    jerk = acceleration * frequency / periods
    speed = 2 * acceleration**2 / jerk
    move = profile(4 * speed * speed / acceleration, speed, acceleration, jerk)
    assert float(move.peak_acceleration) == pytest.approx(acceleration, rel=1e-12)
    assert float(residual_vibration(move, frequency)) < 1e-9


def test_more_jerk_can_be_faster_and_quieter():
    slow, fast = (profile(0.6, 1.0, 10.0, jerk) for jerk in (100.0, 120.0))
    assert fast.duration < slow.duration
    assert residual_vibration(fast, FREQUENCY) < residual_vibration(slow, FREQUENCY)


def test_many_moves_at_once_equal_one_by_one():
    together = residual_vibration(profile(*np.array(MOVES).T), FREQUENCY, 0.05)
    alone = [float(residual_vibration(profile(*move), FREQUENCY, 0.05)) for move in MOVES]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


def test_settled_vibration_is_as_large_as_the_tolerance():
    residual, tolerance, damping = 1.84e-3, 0.05e-3, 0.03
    wait = float(settling_time(residual, tolerance, FREQUENCY, damping))
    decay = np.exp(-damping * 2 * np.pi * FREQUENCY * wait)
    assert residual * decay == pytest.approx(tolerance, rel=1e-12)
    assert wait == pytest.approx(np.log(36.8) / (2 * np.pi * 0.03 * 12.0), rel=1e-12)


def test_small_vibration_needs_no_wait():
    waits = settling_time([0.0, 0.04e-3, 0.05e-3], 0.05e-3, FREQUENCY, 0.03)
    np.testing.assert_array_equal(waits, 0.0)


@pytest.mark.parametrize("at_once", [False, True])
def test_step_that_settles_takes_the_move_and_the_wait(at_once):
    model = read_machine_text("""
        name: tool
        formats: {only: {}}
        settings: {j: {default: 300 m/s^3, low: 100 m/s^3, high: 400 m/s^3}}
        axes:
          tool:
            {speed: 1 m/s, acceleration: 10 m/s^2, jerk: j,
             vibration: {frequency: 12 Hz, damping: 0.03, tolerance: 0.05 mm}}
        activities: {work: {steps: [{move: tool, stroke: 0.6 m, settle: true}]}}
    """)
    jerk = np.array([100.0, 300.0]) if at_once else 300.0
    residual = residual_vibration(profile(0.6, 1.0, 10.0, jerk), FREQUENCY, 0.03)
    wait = np.log(residual / 0.05e-3) / (2 * np.pi * 0.03 * FREQUENCY)
    exact = move_time(0.6, 1.0, 10.0, jerk) + wait
    np.testing.assert_allclose(model.evaluate("only", {"j": jerk}).cycle_time, exact, rtol=1e-12)
