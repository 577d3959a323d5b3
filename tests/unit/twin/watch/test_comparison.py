"""Plant and model side by side."""

import json

import numpy as np
import pytest

from gigatwin.errors import StudyError
from gigatwin.factory.changes import with_changes
from gigatwin.factory.factory import Factory
from gigatwin.simulation.sampling import trace_of
from gigatwin.standards.machine_states import MachineState as State
from gigatwin.telemetry.observations import EventRow
from gigatwin.twin.watch.comparison import Comparison, compare
from gigatwin.twin.watch.expectation import LEVEL, THROUGHPUT, Expectation, expect
from gigatwin.twin.watch.plant_window import N_PORTIONS, PlantWindow

HOUR = 3600.0
BLOCKED = "blocked share"


def row(time, state, machine="press", kind="BLOCK", detail=""):
    return EventRow(time, machine, kind, state, 0, "item", detail)


def test_the_window_has_the_shares_of_its_last_hours():
    window = PlantWindow(["press"], 1200.0)
    window.take([row(0.0, State.EXECUTING), row(900.0, State.BLOCKED)])
    assert not window.is_full
    assert window.take([row(1500.0, State.EXECUTING)]) == 14 - 8
    assert N_PORTIONS == 12
    assert window.is_full
    # Portions up to 1400 s are over: 200-900 s executing, 900-1400 s blocked.
    shares = window.shares("press")
    assert window.end == 1400.0
    assert shares[State.EXECUTING] == pytest.approx(700 / 1200)
    assert shares[State.BLOCKED] == pytest.approx(500 / 1200)


def test_the_window_counts_products_and_levels():
    window = PlantWindow(["press"], 1200.0)
    window.set_level("press", 4.0, 0.0)
    rows = [row(60.0 * k, State.STARVED, kind="LEAVE", detail="out") for k in range(41)]
    window.take(rows[:15])
    window.set_level("press", 10.0, 850.0)
    window.take(rows[15:21])
    assert window.end == 1100.0
    # What is known of a level is closed with the portion: 800-850 s had 4, the rest 10 or 4.
    assert 4.0 < window.levels["press"] < 10.0
    window.take(rows[21:])
    assert window.finished == {"item": 20}


def test_a_machine_that_was_hardly_seen_has_no_shares():
    window = PlantWindow(["press", "lathe"], 1200.0)
    window.take([row(0.0, State.EXECUTING), row(900.0, State.EXECUTING, "lathe")])
    window.take([row(1201.0, State.EXECUTING)])
    assert window.shares("press") is not None
    assert window.shares("lathe") is None


def test_after_a_long_silence_the_window_begins_anew():
    window = PlantWindow(["press"], 1200.0)
    window.take([row(100.0 * k, State.EXECUTING) for k in range(20)])
    assert window.is_full
    window.take([row(1e6, State.EXECUTING)])
    assert not window.is_full
    assert window.shares("press") is None


def test_the_window_goes_on_after_a_restart():
    rng = np.random.default_rng(1)
    rows = [row(30.0 * k, State(int(rng.integers(0, 3)))) for k in range(200)]
    whole = PlantWindow(["press"], 1200.0)
    whole.take(rows)
    first, second = PlantWindow(["press"], 1200.0), PlantWindow(["press"], 1200.0)
    first.set_level("press", 3.0, 5.0)
    whole.set_level("press", 3.0, 5.0)
    first.take(rows[:77])
    second.restore(json.loads(json.dumps(first.state())))
    second.take(rows[77:])
    assert second.shares("press") == whole.shares("press")
    assert second.end == whole.end


def made_up(rng, n=40):
    """Return windows of a model with a hundred machines."""
    samples = {("", THROUGHPUT): tuple(rng.normal(0.15, 0.002, n))}
    for k in range(100):
        samples[f"m{k}", BLOCKED] = tuple(np.clip(rng.normal(0.2, 0.02, n), 0, 1))
        # Mostly none, now and then an hour: what a rare breakdown looks like.
        samples[f"m{k}", "breakdown share"] = tuple(
            rng.exponential(0.1, n) * (rng.random(n) < 0.15)
        )
    return Expectation(4 * HOUR, samples)


def test_another_window_of_the_model_is_no_difference():
    rng = np.random.default_rng(2)
    false = 0
    for _ in range(60):
        expected = made_up(rng)
        one = {key: values[0] for key, values in made_up(rng, 1).samples.items()}
        false += not compare(expected, one).is_in_step
    # Where nothing differs, a false discovery is any at all: 5 % of 60, and 5 standard errors.
    assert false <= 11


def test_what_differs_is_named_and_hardly_anything_else():
    rng = np.random.default_rng(3)
    expected = made_up(rng)
    one = {key: values[0] for key, values in made_up(rng, 1).samples.items()}
    for k in range(10):
        one[f"m{k}", BLOCKED] = 0.5
    one["", THROUGHPUT] = 0.10
    found = compare(expected, one, end=1_790_000_000.0)
    names = {(figure.station, figure.quantity) for figure in found.differences}
    assert names >= {("", THROUGHPUT), *((f"m{k}", BLOCKED) for k in range(10))}
    assert len(names) <= 12
    assert found.differences[0].quantity == THROUGHPUT
    assert "throughput 360/h" in found.verdict
    assert "blocked share 50 %" in found.verdict
    assert "and 6 more" in found.verdict
    assert "up to 2026-09-21" in found.verdict


def test_a_difference_that_does_not_matter_is_not_called_one():
    samples = {("", THROUGHPUT): (0.15,) * 40, ("press", BLOCKED): (0.2,) * 40}
    found = compare(Expectation(HOUR, samples), {("press", BLOCKED): 0.205, ("", THROUGHPUT): 0.15})
    assert found.is_in_step


def test_a_state_that_the_model_cannot_have_is_a_difference():
    samples = {("", THROUGHPUT): (0.15,) * 40, ("press", "breakdown share"): (0.0,) * 40}
    measured = {("", THROUGHPUT): 0.15, ("press", "breakdown share"): 0.1}
    # Windows without a breakdown do not say that there are none.
    assert compare(Expectation(HOUR, samples), measured).is_in_step
    never = frozenset({("press", "breakdown share")})
    assert not compare(Expectation(HOUR, samples, never), measured).is_in_step


def test_levels_are_compared_where_they_are_known():
    rng = np.random.default_rng(4)
    samples = {("", THROUGHPUT): (0.15,) * 40, ("press", LEVEL): tuple(rng.normal(5, 0.2, 40))}
    measured = {("", THROUGHPUT): 0.15, ("press", LEVEL): 15.0}
    found = compare(Expectation(HOUR, samples), measured)
    assert [figure.quantity for figure in found.differences] == [LEVEL]
    assert "press mean level 15 items" in found.verdict


def line():
    law = {"distribution": "gamma", "mean": "6 s", "cv": 0.2}
    stations = {f"step_{k}": {"time": law, "buffer": {"capacity": 5}} for k in range(4)}
    return Factory.model_validate({"name": "line", "stations": stations})


def rows_of(factory, seconds, seed):
    states = {state.name: state for state in State}
    table = trace_of(factory, seconds, seed=seed)
    return [
        EventRow(time, machine, kind, states[state], item, product_format, detail)
        for time, machine, kind, state, item, product_format, _, _, detail in table.iter_rows()
    ]


@pytest.mark.compiled
def test_a_simulated_plant_is_in_step_until_a_station_is_slower():
    expected = expect(line(), 2 * HOUR)
    same, slower = Comparison(expected), Comparison(expected)
    same.take(rows_of(line(), 5 * HOUR, 77))
    assert same.latest is not None
    assert same.latest.is_in_step
    assert same.latest.verdict.startswith("Plant and model agree in all")
    changed = with_changes(line(), {"step_2.time.mean": "7 s"})
    slower.take(rows_of(changed, 5 * HOUR, 78))
    assert ("", THROUGHPUT) in {(f.station, f.quantity) for f in slower.latest.differences}
    again = Comparison(Expectation.from_dict(json.loads(json.dumps(expected.to_dict()))))
    again.restore(json.loads(json.dumps(slower.state())))
    assert again.latest == slower.latest


@pytest.mark.compiled
def test_expected_shares_add_up_and_agree_with_a_trace_of_the_same_history():
    expected = expect(line(), HOUR, windows=10, in_a_row=10, seed=5)
    assert ("step_1", "breakdown share") in expected.never
    assert ("step_1", BLOCKED) not in expected.never
    sums = np.zeros(10)
    for (name, quantity), values in expected.samples.items():
        if name == "step_1" and quantity.endswith(" share"):
            sums += values
    assert sums == pytest.approx(np.ones(10))
    window = PlantWindow(["step_1"], HOUR)
    rows = [r for r in rows_of(line(), 2.2 * HOUR, 5) if r.time >= HOUR]
    window.take([row(HOUR, State.STARVED, "other"), *rows[:1]])
    window.take([r for r in rows if r.time <= 2 * HOUR + 301])
    found = expected.samples["step_1", "executing share"][0]
    # The same history, but for the time before the first row of the machine.
    assert window.shares("step_1")[State.EXECUTING] == pytest.approx(found, abs=0.01)
    assert expected.samples["", THROUGHPUT][0] * HOUR == pytest.approx(
        window.finished["item"], abs=2
    )


def test_an_expectation_needs_enough_windows():
    with pytest.raises(StudyError, match="10 windows or more"):
        expect(line(), HOUR, windows=3)
