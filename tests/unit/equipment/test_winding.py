import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from gigatwin.equipment.motion.winding import (
    roll_length,
    roll_radius,
    spindle_speed,
    tension_deviation,
)

CORE, ROLL, WEB = 2e-3, 22e-3, 0.37e-3
radii = st.floats(1e-3, 0.1)
thicknesses = st.floats(1e-5, 2e-3)


def test_roll_for_a_46_millimetre_can_takes_four_metres_of_web():
    assert roll_length(CORE, ROLL, WEB) == pytest.approx(4.08, abs=5e-3)


def test_length_is_that_of_all_turns():
    # Turn k of N lies between two circles; its middle line has the length of the mean of both.
    turns, thickness = 50, (ROLL - CORE) / 50
    middles = CORE + thickness * (np.arange(turns) + 0.5)
    total = np.sum(2 * np.pi * middles)
    assert roll_length(CORE, ROLL, thickness) == pytest.approx(total, rel=1e-12)


def test_radius_grows_by_one_thickness_a_turn():
    # A web of length dL covers dL / (2 pi r) of a turn.
    grown = solve_ivp(
        lambda _, r: WEB / (2 * np.pi * r), (0.0, 4.0), [CORE], "DOP853", rtol=1e-11, atol=1e-15
    )
    assert roll_radius(CORE, WEB, 4.0) == pytest.approx(grown.y[0, -1], rel=1e-9)


@given(radii, thicknesses, st.floats(0.0, 100.0))
def test_length_of_a_roll_of_some_radius_is_the_length_wound(core, thickness, length):
    radius = roll_radius(core, thickness, length)
    # What is left of the core's area limits the precision.
    precision = 1e-14 * core * core / thickness
    assert roll_length(core, radius, thickness) == pytest.approx(length, rel=1e-9, abs=precision)


def test_empty_core_has_its_own_radius():
    assert roll_radius(CORE, WEB, 0.0) == pytest.approx(CORE, rel=1e-15)
    assert roll_length(CORE, CORE, WEB) == 0.0


def test_spindle_turns_as_often_as_the_web_goes_round():
    turns_a_second = 1.5 / (2 * np.pi * ROLL)
    assert spindle_speed(1.5, ROLL) == pytest.approx(2 * np.pi * turns_a_second, rel=1e-15)


def test_spindle_turns_fastest_on_the_empty_core():
    lengths = np.linspace(0.0, roll_length(CORE, ROLL, WEB), 50)
    speeds = spindle_speed(3.0, roll_radius(CORE, WEB, lengths))
    assert speeds[0] == pytest.approx(1500.0)
    assert np.all(np.diff(speeds) < 0)


def test_tension_pays_for_the_torque_of_inertia():
    # Web at 1.5 m/s^2 on 2 mm: 750 rad/s^2; times 4e-8 kg m^2 is 3e-5 N m, or 15 mN of 1.5 N.
    assert tension_deviation(4e-8, 1.5, CORE, 1.5) == pytest.approx(0.01, rel=1e-12)


@given(st.floats(1e-9, 1e-6), st.floats(0.1, 10.0), radii, st.floats(0.1, 50.0))
def test_tension_deviation_is_the_power_of_inertia_over_the_power_of_the_web(
    inertia, acceleration, radius, tension
):
    # The kinetic energy J w^2 / 2 grows with J w dw/dt, the web brings F v; both at any speed.
    speed = 0.7
    power = inertia * spindle_speed(speed, radius) * spindle_speed(acceleration, radius)
    found = tension_deviation(inertia, acceleration, radius, tension)
    assert found == pytest.approx(power / (tension * speed), rel=1e-12)


def test_arrays_give_what_floats_give():
    lengths = np.array([0.0, 1.0, 4.08])
    together = roll_radius(CORE, WEB, lengths)
    alone = [roll_radius(CORE, WEB, length) for length in lengths.tolist()]
    assert all(isinstance(radius, float) for radius in alone)
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_allclose(roll_length(CORE, together, WEB), lengths, atol=1e-14)
