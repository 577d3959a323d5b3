import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruckig import InputParameter, Result, Ruckig, Trajectory

from gigatwin.equipment.motion.s_curve import move_time, profile

# Stroke, speed, acceleration, jerk and duration, by hand from the phases of each move.
KNOWN = [
    ((0.3, 2.0, 20.0, 1000.0), 0.27),
    ((0.05, 2.0, 20.0, 1000.0), 0.12198039),
    ((0.01, 2.0, 20.0, 1000.0), 0.068399038),
    ((0.3, 0.3, 20.0, 200.0), 1.077459667),
    ((0.1, 1.0, 10.0, 200.0), 0.256155281),
    ((0.4, 1.0, 5.0, 50.0), 0.7),
    ((1.0, 1.0, 1.0, 1.0), 3.174802104),
    ((5.0, 1.0, 1.0, 1.0), 7.0),
]
LOWEST, HIGHEST = (1e-4, 1e-2, 1e-1, 1e0), (1e1, 1e1, 1e2, 1e4)
"""Ranges of stroke [m], speed [m/s], acceleration [m/s^2] and jerk [m/s^3]."""


def random_moves(n, seed=46):
    """Return strokes and limits that are spread evenly over their orders of magnitude."""
    rng = np.random.default_rng(seed)
    return np.exp(rng.uniform(np.log(LOWEST), np.log(HIGHEST), (n, 4))).T


def by_ruckig(moves):
    planner, wanted, found = Ruckig(1), InputParameter(1), Trajectory(1)
    times = []
    for stroke, speed, acceleration, jerk in moves.T.tolist():
        wanted.target_position = [stroke]
        wanted.max_velocity, wanted.max_acceleration = [speed], [acceleration]
        wanted.max_jerk = [jerk]
        assert planner.calculate(wanted, found) == Result.Working
        times.append(found.duration)
    return np.array(times)


def phases(move):
    """Return duration and jerk of the seven phases, shape (7, n) each."""
    ramp, hold, cruise, jerk = move.ramp, move.hold, move.cruise, move.jerk
    none = np.zeros_like(jerk)
    return (
        np.array([ramp, hold, ramp, cruise, ramp, hold, ramp]),
        np.array([jerk, none, -jerk, none, -jerk, none, jerk]),
    )


def integrated(move):
    """Return place, speed and acceleration wherever the jerk changes, shape (3, 8, n).

    Between two changes the jerk is constant, so that cubic polynomials are exact.
    """
    states = [np.zeros((3, *move.jerk.shape))]
    for duration, jerk in zip(*phases(move), strict=True):
        place, speed, acceleration = states[-1]
        states.append(
            np.array([
                place + duration * (speed + duration * (acceleration / 2 + duration * jerk / 6)),
                speed + duration * (acceleration + duration * jerk / 2),
                acceleration + duration * jerk,
            ])
        )  # fmt: skip
    return np.stack(states, axis=1)


def logarithmic(low, high):
    return st.floats(np.log(low), np.log(high)).map(lambda x: float(np.exp(x)))


moves = st.tuples(*(logarithmic(*ends) for ends in zip(LOWEST, HIGHEST, strict=True)))


@pytest.mark.parametrize(("move", "duration"), KNOWN)
def test_move_takes_the_known_time(move, duration):
    # The known times are rounded at the eighth or ninth decimal.
    assert move_time(*move) == pytest.approx(duration, rel=0, abs=5e-9)
    assert float(profile(*move).duration) == pytest.approx(duration, rel=0, abs=5e-9)


def test_closed_form_equals_ruckig():
    random = random_moves(20_000)
    np.testing.assert_allclose(move_time(*random), by_ruckig(random), rtol=1e-9, atol=0)


def test_random_moves_have_every_set_of_phases():
    move = profile(*random_moves(20_000))
    full, held = move.cruise > 0, move.hold > 0
    for share in (full & held, full & ~held, ~full & held, ~full & ~held):
        assert share.mean() > 0.02


def test_floats_and_arrays_give_the_same_time():
    random = random_moves(2_000)
    one_by_one = [move_time(*move) for move in random.T.tolist()]
    assert all(isinstance(time, float) for time in one_by_one)
    np.testing.assert_allclose(move_time(*random), one_by_one, rtol=1e-15, atol=0)


def test_arrays_and_floats_can_be_mixed():
    strokes = np.array([[0.3], [0.05]])
    speeds = np.array([2.0, 1.0, 0.1])
    times = move_time(strokes, speeds, 20.0, 1000.0)
    assert times.shape == (2, 3)
    assert times[1, 2] == pytest.approx(move_time(0.05, 0.1, 20.0, 1000.0), rel=1e-15)
    assert profile(strokes, speeds, 20.0, 1000.0).duration.shape == (2, 3)


def test_whole_numbers_are_taken_as_well():
    assert float(move_time(5, 1, 1, 1)) == pytest.approx(7.0, rel=1e-15)


def test_move_over_no_distance_takes_no_time():
    assert move_time(0.0, 2.0, 20.0, 1000.0) == 0.0
    assert float(profile(0.0, 2.0, 20.0, 1000.0).duration) == 0.0


def test_phases_take_as_long_as_the_move():
    random = random_moves(20_000)
    np.testing.assert_allclose(profile(*random).duration, move_time(*random), rtol=1e-12)


def test_phases_cover_the_stroke_and_end_at_rest():
    strokes, speeds, accelerations, jerks = random = random_moves(20_000)
    place, speed, acceleration = integrated(profile(*random))[:, -1]
    np.testing.assert_allclose(place, strokes, rtol=1e-11)
    assert np.all(np.abs(speed) <= 1e-12 * speeds)
    assert np.all(np.abs(acceleration) <= 1e-12 * accelerations)
    assert np.all(jerks > 0)


def test_phases_keep_within_the_limits():
    _, speeds, accelerations, jerks = random = random_moves(20_000)
    move = profile(*random)
    _, speed, acceleration = integrated(move)
    # Speed and acceleration have their peaks where the jerk changes.
    assert np.all(speed.max(axis=0) <= speeds * (1 + 1e-12))
    assert np.all(np.abs(acceleration).max(axis=0) <= accelerations * (1 + 1e-12))
    assert np.all(speed >= -1e-12 * speeds)
    np.testing.assert_array_equal(move.jerk, jerks)
    assert np.all(move.ramp > 0)
    assert np.all(move.hold >= 0)


def test_phases_reach_the_peaks_they_tell():
    move = profile(*random_moves(20_000))
    _, speed, acceleration = integrated(move)
    np.testing.assert_allclose(move.peak_speed, speed.max(axis=0), rtol=1e-12)
    np.testing.assert_allclose(move.peak_acceleration, acceleration.max(axis=0), rtol=1e-12)


def test_squared_acceleration_is_its_integral():
    move = profile(*random_moves(20_000))
    acceleration = integrated(move)[2]
    first, last = acceleration[:-1], acceleration[1:]
    durations, _ = phases(move)
    # The square of a straight line from p to q has the mean (p^2 + p q + q^2) / 3.
    exact = np.sum(durations * (first**2 + first * last + last**2) / 3, axis=0)
    np.testing.assert_allclose(move.squared_acceleration, exact, rtol=1e-9)


@given(moves, logarithmic(0.01, 100.0))
def test_slower_clock_takes_longer_by_its_factor(move, slower):
    stroke, speed, acceleration, jerk = move
    slow = (stroke, speed / slower, acceleration / slower**2, jerk / slower**3)
    assert move_time(*slow) == pytest.approx(slower * move_time(*move), rel=1e-12)


@given(moves, logarithmic(0.01, 100.0))
def test_longer_unit_of_length_leaves_the_time(move, scale):
    longer = tuple(part * scale for part in move)
    assert move_time(*longer) == pytest.approx(move_time(*move), rel=1e-12)


@given(moves, st.integers(0, 3), st.floats(1.0, 10.0))
def test_wider_limit_is_never_slower_and_longer_stroke_never_faster(move, part, factor):
    changed = [x * factor if k == part else x for k, x in enumerate(move)]
    if part == 0:
        assert move_time(*changed) >= move_time(*move) * (1 - 1e-12)
    else:
        assert move_time(*changed) <= move_time(*move) * (1 + 1e-12)


def test_jerk_changes_between_the_phases():
    move = profile(*random_moves(20_000))
    durations, jerks = phases(move)
    times, steps = move.jerk_steps()
    np.testing.assert_array_equal(times[0], 0.0)
    np.testing.assert_array_equal(times[1:], np.cumsum(durations, axis=0))
    np.testing.assert_array_equal(np.cumsum(steps, axis=0)[:-1], jerks)
    np.testing.assert_array_equal(steps.sum(axis=0), 0.0)
