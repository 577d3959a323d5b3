import inspect
import sys
from pathlib import Path

import numpy as np
import pytest
import ruckig
from hypothesis import given
from hypothesis import strategies as st

import gigatwin
from gigatwin.equipment.model.reading import read_machine_text
from gigatwin.equipment.motion import blended
from gigatwin.equipment.motion.blended import blended_move_time
from gigatwin.equipment.motion.s_curve import move_time
from gigatwin.errors import EquipmentError, FactoryError

LIMITS = (2.0, 20.0, 1000.0)
limits = st.tuples(st.floats(0.05, 5.0), st.floats(0.5, 50.0), st.floats(10.0, 5000.0))


def run_up(speed, acceleration, jerk):
    """Return time and length of a start from rest that reaches speed and acceleration."""
    assert speed >= acceleration**2 / jerk
    time = speed / acceleration + acceleration / jerk
    return time, speed * time / 2


@given(st.floats(1e-3, 5.0), limits)
def test_move_between_rests_takes_the_time_of_the_closed_form(stroke, bounds):
    assert blended_move_time(stroke, *bounds) == pytest.approx(move_time(stroke, *bounds), rel=1e-9)


def test_move_that_flies_past_both_ends_takes_stroke_over_speed():
    assert blended_move_time(0.3, *LIMITS, 2.0, 2.0) == pytest.approx(0.15, rel=1e-12)


@pytest.mark.parametrize("ends", [(0.0, 2.0), (2.0, 0.0)])
def test_move_that_flies_past_one_end_has_one_run_up(ends):
    time, length = run_up(*LIMITS)
    exact = time + (0.5 - length) / LIMITS[0]
    assert blended_move_time(0.5, *LIMITS, *ends) == pytest.approx(exact, rel=1e-12)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_flying_move_is_shorter(start, end):
    # 0.5 m are long enough to reach any of these speeds, and to brake from it.
    at_rest = move_time(0.5, *LIMITS)
    flying = blended_move_time(0.5, *LIMITS, start * LIMITS[0], end * LIMITS[0])
    assert flying <= at_rest * (1 + 1e-9)
    if start + end > 0.01:
        assert flying < at_rest


@given(st.floats(0.0, 2.0), st.floats(0.0, 2.0))
def test_move_backwards_in_time_is_as_long(start, end):
    forth, back = (blended_move_time(0.5, *LIMITS, *ends) for ends in ((start, end), (end, start)))
    assert forth == pytest.approx(back, rel=1e-9)


@pytest.mark.parametrize("at_once", [False, True])
def test_flying_step_of_a_machine_takes_that_time(at_once):
    model = read_machine_text("""
        name: transfer
        formats: {only: {}}
        settings: {v: {default: 2 m/s, low: 1.5 m/s, high: 3 m/s}}
        axes: {x: {speed: v, acceleration: 20 m/s^2, jerk: 1000 m/s^3}}
        activities:
          pass: {steps: [{move: x, stroke: 0.5 m, start_speed: 1 m/s, end_speed: 1.5 m/s}]}
    """)
    if not at_once:
        exact = blended_move_time(0.5, *LIMITS, 1.0, 1.5)
        assert model.evaluate("only").cycle_time == pytest.approx(exact, rel=1e-12)
        return
    speeds = np.array([1.5, 2.0, 3.0])
    exact = [blended_move_time(0.5, float(v), 20.0, 1000.0, 1.0, 1.5) for v in speeds]
    assert model.evaluate("only", {"v": speeds}).cycle_time == pytest.approx(exact, rel=1e-12)


def test_missing_ruckig_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ruckig", None)
    with pytest.raises(EquipmentError) as caught:
        blended_move_time(0.3, *LIMITS, 1.0)
    assert str(caught.value) == (
        "a move that begins or ends in motion: ruckig is not installed; it must be there. "
        "Install it with pip install 'gigatwin[motion]', or let the move begin and end at rest."
    )


IMPOSSIBLE = {
    "ends too fast": (0.3, *LIMITS, 0.0, 3.0),
    "begins too fast": (0.3, *LIMITS, 3.0, 0.0),
    "has no jerk": (0.3, 2.0, 20.0, 0.0),
    # Ruckig overshoots by 94 mm and comes back, or takes a run-up behind the start.
    "is too short to brake": (0.001, 1.0, 10.0, 100.0, 1.0, 0.0),
    "is too short to speed up": (0.001, 1.0, 10.0, 100.0, 0.0, 1.0),
}


@pytest.mark.parametrize("move", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible_move_is_refused(move):
    with pytest.raises(EquipmentError, match=r"^a move of 0\.\d+ m from \d m/s to \d m/s within "):
        blended_move_time(*move)


def test_waypoints_are_never_given_to_ruckig(monkeypatch):
    # Ruckig sends moves with intermediate waypoints to a service on the internet.
    seen = []

    class Watched(ruckig.Ruckig):
        def calculate(self, wanted, found):
            seen.append(list(wanted.intermediate_positions))
            return super().calculate(wanted, found)

    monkeypatch.setattr(ruckig, "Ruckig", Watched)
    blended_move_time(0.5, *LIMITS, 1.0, 1.0)
    assert seen == [[]]


def test_no_source_mentions_waypoints_of_ruckig():
    assert "ruckig" in inspect.getsource(blended)
    sources = Path(gigatwin.__file__).parent.rglob("*.py")
    assert [path for path in sources if "intermediate_positions" in path.read_text("utf-8")] == []


def test_description_with_an_impossible_flying_move_is_refused_with_its_place():
    with pytest.raises(FactoryError, match=r"pass\.yaml.*activities\.pass"):
        read_machine_text(
            """
            name: transfer
            formats: {only: {}}
            axes: {x: {speed: 2 m/s, acceleration: 20 m/s^2, jerk: 1000 m/s^3}}
            activities: {pass: {steps: [{move: x, stroke: 0.5 m, end_speed: 3 m/s}]}}
            """,
            "pass.yaml",
        )
