import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from gigatwin.equipment.model.reading import load_machine, read_machine_text
from gigatwin.equipment.schedule import critical_circuit, schedule
from gigatwin.equipment.sensitivity import cycle_time_by_activity
from tests.unit.equipment.machine_stepper import machine_texts

LIBRARY = ("winder", "collector-welder", "can-inserter", "groover", "filler", "crimper")


def machine(activities, more=""):
    """Return a machine of activities given by their lines."""
    lines = "\n".join(f"  {line}" for line in activities)
    return read_machine_text(f"name: made\nformats: {{only: {{}}}}\nactivities:\n{lines}\n{more}")


def arcs_of(model, evaluation):
    """Return (tail, head, weight, tokens) of every arc, by name and number."""
    names = [activity.name for activity in model.activities]
    values = evaluation.values
    return [
        (names[a.tail], names[a.head], float(values[a.weight]), float(values[a.tokens]))
        for a in model.arcs
    ]


def assert_feasible_and_tight(model, product_format="only"):
    evaluation = model.evaluate(product_format)
    found = schedule(evaluation)
    precision = 1e-9 * max(found.cycle_time, 1.0)
    for tail, head, weight, tokens in arcs_of(model, evaluation):
        begins = found.starts[head] + found.cycle_time * tokens
        assert begins >= found.starts[tail] + weight - precision, (tail, head)
    names = [activity.name for activity in model.activities]
    for arc, following in zip(found.circuit, found.circuit[1:] + found.circuit[:1], strict=True):
        assert arc.head == following.tail
        begins = found.starts[names[arc.head]] + found.cycle_time * evaluation.values[arc.tokens]
        ready = found.starts[names[arc.tail]] + evaluation.values[arc.weight]
        assert begins == pytest.approx(ready, rel=0, abs=precision)
    assert min(found.starts.values()) == 0.0


def longer(model, name, seconds):
    """Return the cycle time with one activity longer by so much."""
    part = next(a for a in model.activities if a.name == name)
    duration = model.evaluate("only").values[part.duration]
    return model.evaluate("only", factors={part.factor: 1 + seconds / duration}).cycle_time


DIAL = (
    "a: {steps: [{process: 2 s}], after: {index: 0}}",
    "b: {steps: [{process: 3 s}], after: {index: 0}}",
    "index: {steps: [{process: 1 s}], after: {a: 1, b: 1}, overlap: 0.25 s}",
)


def test_dial_by_hand():
    found = schedule(machine(DIAL).evaluate("only"))
    assert found.cycle_time == pytest.approx(3.75, rel=1e-15)
    assert found.starts == pytest.approx({"index": 0.0, "a": 0.75, "b": 0.75}, abs=1e-12)
    assert found.durations == {"a": 2.0, "b": 3.0, "index": 1.0}
    assert found.slack == pytest.approx({"a": 1.0, "b": 0.0, "index": 0.0}, abs=1e-12)
    assert {arc.tail for arc in found.circuit} == {1, 2}
    assert found.tokens == 1.0
    assert not found.has_rivals


def test_slack_over_several_tokens_is_that_of_the_activity():
    # Three carriers: (1 + 8) / 3 = 3 s a cycle, but the press alone takes 4 s.
    found = schedule(
        machine(
            ["press: {steps: [{process: 4 s}]}", "cool: {steps: [{process: 7 s}], places: 3}"],
            "circulating: {carrier: {count: 3, path: [press, cool]}}",
        ).evaluate("only")
    )
    assert found.cycle_time == 4.0
    # Cooling for 8 s fills 12 s with the press: 3 carriers at 4 s.
    assert found.slack == pytest.approx({"press": 0.0, "cool": 1.0}, abs=1e-12)


@pytest.mark.parametrize(
    ("matrix", "eigenvalue", "difference"),
    [
        ([[3, 7], [2, 4]], 4.5, 2.5),  # eigenvector (6.5, 4), Synchronization and Linearity
        ([[2, 5], [3, 3]], 4.0, 1.0),  # eigenvector (1, 0), by hand; Max Plus at Work
        ([[1, 2], [3, 4]], 4.0, -2.0),  # eigenvector (2, 4), tests of MaxPlus.jl
    ],
)
def test_starts_are_the_eigenvector_of_a_matrix(matrix, eigenvalue, difference):
    # x_i(k) = max over j of x_j(k - 1) + A_ij: a moment for each i, an activity for each entry.
    lines = [
        f"x{i}: {{steps: [{{process: 0 s}}], after: {{from0to{i}: 1, from1to{i}: 1}}}}"
        for i in range(2)
    ] + [
        f"from{j}to{i}: {{steps: [{{process: {matrix[i][j]} s}}], after: {{x{j}: 0}}, places: 9}}"
        for i in range(2)
        for j in range(2)
    ]
    found = schedule(machine(lines).evaluate("only"))
    assert found.cycle_time == pytest.approx(eigenvalue, rel=1e-15)
    assert found.starts["x0"] - found.starts["x1"] == pytest.approx(difference, rel=0, abs=1e-12)


@pytest.mark.compiled
@given(machine_texts(connected=True))
def test_schedule_is_feasible_and_tight_on_its_circuit(text):
    assert_feasible_and_tight(read_machine_text(text))


@pytest.mark.parametrize("name", LIBRARY)
def test_schedule_of_library_machines_is_feasible_and_tight(name):
    model = load_machine(name)
    for product_format in model.dimensions:
        assert_feasible_and_tight(model, product_format)


def test_activities_apart_from_the_critical_one_keep_their_order():
    model = machine(
        [
            "slow: {steps: [{process: 10 s}]}",
            "feed: {steps: [{process: 1 s}]}",
            "press: {steps: [{process: 1 s}], after: {feed: 0}}",
        ]
    )
    assert_feasible_and_tight(model)


@settings(phases=[Phase.generate])
@given(machine_texts())
def test_schedule_of_any_machine_is_feasible(text):
    assert_feasible_and_tight(read_machine_text(text))


@pytest.mark.compiled
@given(machine_texts(), st.data())
def test_activity_can_take_its_slack_and_no_more(text, data):
    model = read_machine_text(text)
    found = schedule(model.evaluate("only"))
    name = data.draw(st.sampled_from(sorted(found.slack)))
    slack, little = found.slack[name], 1e-3 * found.cycle_time
    if slack > little:
        held = longer(model, name, slack - little)
        assert held == pytest.approx(found.cycle_time, rel=1e-12)
    assert longer(model, name, slack + little) > found.cycle_time * (1 + 1e-6)


@pytest.mark.compiled
@given(machine_texts(), st.data())
def test_derivative_by_an_activity_is_the_finite_difference(text, data):
    model = read_machine_text(text)
    shares = cycle_time_by_activity(model, "only")
    name = data.draw(st.sampled_from(sorted(shares)))
    step = 1e-6
    now = model.evaluate("only").cycle_time
    forward = (longer(model, name, step) - now) / step
    backward = (now - longer(model, name, -step)) / step
    # Where two circuits are as long there are two slopes.
    assume(abs(forward - backward) < 1e-6)
    assert shares[name] == pytest.approx(forward, abs=1e-6)


def test_two_stations_as_slow_as_each_other_are_rivals():
    lines = [line.replace("process: 2 s", "process: 3 s") for line in DIAL]
    assert schedule(machine(lines).evaluate("only")).has_rivals


def test_activity_as_slow_alone_as_its_circuit_is_a_rival():
    # 4 s alone, and (4 + 4) / 2 s with the second.
    lines = ["a: {steps: [{process: 4 s}]}", "b: {steps: [{process: 4 s}], places: 2}"]
    more = "circulating: {carrier: {count: 2, path: [a, b]}}"
    assert schedule(machine(lines, more).evaluate("only")).has_rivals


SHORTCUT = {
    # a -> b -> a takes 4 s of one cycle, a -> b -> c -> a 8 s of two: shortening c gains nothing.
    "a": "a: {steps: [{process: 2 s}], after: {b: 1, c: 2}}",
    "b": "b: {steps: [{process: 2 s}], after: {a: 0}}",
    "c": "c: {steps: [{process: 4 s}], after: {b: 0}, places: 2}",
}


@pytest.mark.parametrize(
    "order",
    [
        "abc",
        "cab",
    ],
)
def test_circuit_within_the_activities_of_another_is_a_rival(order):
    model = machine([SHORTCUT[name] for name in order])
    assert model.evaluate("only").cycle_time == 4.0
    assert longer(model, "c", -0.1) == 4.0
    assert schedule(model.evaluate("only")).has_rivals


def test_critical_circuit_follows_the_setting():
    model = machine(
        [line.replace("3 s", "t") for line in DIAL],
        "settings: {t: {default: 3 s, low: 1 s, high: 5 s}}",
    )
    evaluation = model.evaluate("only", {"t": np.array([1.0, 3.0])})
    tails = [{arc.tail for arc in critical_circuit(evaluation, row)} for row in range(2)]
    assert tails == [{0, 2}, {1, 2}]
    np.testing.assert_allclose(evaluation.cycle_time, [2.75, 3.75], rtol=1e-15)
