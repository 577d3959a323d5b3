import numpy as np
import pytest

from gigatwin.equipment.motion.cams import PEAKS, index_time, place

# Peak speed and peak acceleration as textbooks print them (Norton, Cam Design, 2009, ch. 3).
TEXTBOOK = {
    "cycloidal": (2.000, 6.283),
    "modified_sine": (1.760, 5.528),
    "modified_trapezoid": (2.000, 4.888),
    "polynomial_345": (1.875, 5.773),
}
INTERVALS = 4000
every_law = pytest.mark.parametrize("law", TEXTBOOK)
every_place = pytest.mark.parametrize(
    "law",
    list(TEXTBOOK),
)


def differences(law, order):
    """Return a derivative of the law in the middle of each interval or at its inner points."""
    shares = np.linspace(0.0, 1.0, INTERVALS + 1)
    return np.diff(place(law, shares), order) * INTERVALS**order


def test_every_law_is_checked():
    assert set(TEXTBOOK) == set(PEAKS)


@every_law
def test_peaks_are_those_of_textbooks(law):
    speed, acceleration = TEXTBOOK[law]
    # The last printed digit is cut or rounded, by author.
    assert PEAKS[law].speed == pytest.approx(speed, abs=1e-3)
    assert PEAKS[law].acceleration == pytest.approx(acceleration, abs=1e-3)


@every_place
def test_peaks_are_those_of_the_law(law):
    speed, acceleration = differences(law, 1), differences(law, 2)
    # Differences over an interval h are off by h^2 times a derivative of at most some hundred.
    assert speed.max() == pytest.approx(PEAKS[law].speed, rel=1e-5)
    assert acceleration.max() == pytest.approx(PEAKS[law].acceleration, rel=1e-5)
    assert -acceleration.min() == pytest.approx(PEAKS[law].acceleration, rel=1e-5)


@every_place
def test_root_mean_square_is_that_of_the_law(law):
    found = np.sqrt(np.sum(differences(law, 2) ** 2) / INTERVALS)
    assert found == pytest.approx(PEAKS[law].root_mean_square, rel=1e-5)


@every_place
def test_law_leads_from_nothing_to_all(law):
    np.testing.assert_allclose(place(law, np.array([0.0, 0.5, 1.0])), [0, 0.5, 1], atol=1e-15)


@every_place
def test_law_is_symmetric(law):
    shares = np.linspace(0.0, 1.0, INTERVALS + 1)
    np.testing.assert_allclose(place(law, shares) + place(law, 1 - shares), 1.0, atol=1e-14)


@every_place
def test_law_is_smooth_and_never_goes_back(law):
    speed, acceleration = differences(law, 1), differences(law, 2)
    # No jump of place, speed or acceleration: neighbours differ by no more than the next
    # derivative allows, and the jerk of these laws is below 100.
    assert np.all(speed >= 0)
    assert np.all(speed <= PEAKS[law].speed * (1 + 1e-9))
    assert np.abs(np.diff(speed)).max() * INTERVALS <= PEAKS[law].acceleration * (1 + 1e-6)
    assert np.abs(np.diff(acceleration)).max() <= 100 / INTERVALS


@every_place
def test_law_begins_and_ends_at_rest(law):
    # At rest the place rises with the third power of the time.
    assert differences(law, 1)[[0, -1]].max() < 100 / INTERVALS**2
    assert np.abs(differences(law, 2)[[0, -1]]).max() < 100 / INTERVALS


@every_law
def test_weak_motor_needs_its_peak_torque(law):
    angle, inertia, torque = np.pi / 4, 1.1, 20.0
    time = index_time(angle, law, inertia, torque, 1000.0)
    assert inertia * TEXTBOOK[law][1] * angle / time**2 == pytest.approx(torque, rel=2e-4)


@every_law
def test_slow_motor_needs_its_top_speed(law):
    angle, speed = np.pi / 4, 2.0
    time = index_time(angle, law, 1.1, 1e6, speed)
    assert TEXTBOOK[law][0] * angle / time == pytest.approx(speed, rel=3e-4)


def test_cycloidal_index_by_hand():
    # A quarter of a turn: sqrt(2 pi * pi/2 * 0.5 / 10) s by torque, 2 * pi/2 / 6 s by speed.
    assert index_time(np.pi / 2, "cycloidal", 0.5, 10.0, 6.0) == pytest.approx(
        np.pi * np.sqrt(0.05), rel=1e-15
    )
    assert index_time(np.pi / 2, "cycloidal", 0.5, 10.0, 4.0) == pytest.approx(np.pi / 4, rel=1e-15)


@every_law
def test_arrays_give_what_floats_give(law):
    angles, torques = np.array([0.5, 1.0, 2.0]), np.array([10.0, 400.0, 20.0])
    together = index_time(angles, law, 0.8, torques, 5.0)
    alone = [
        index_time(float(angle), law, 0.8, float(torque), 5.0)
        for angle, torque in zip(angles, torques, strict=True)
    ]
    assert all(isinstance(time, float) for time in alone)
    np.testing.assert_allclose(together, alone, rtol=1e-15)
