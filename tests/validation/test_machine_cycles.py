"""Cycle times of machines against published results; below them, regression values of our own.

Each machine stands in `machines/`, with its source and derivation. Where the answer is a sum or a
maximum of given times, the tolerance is rounding.
"""

from pathlib import Path

import numpy as np
import pytest

from gigatwin.equipment.line import MachineGroup, line_rate
from gigatwin.equipment.model.reading import load_machine
from gigatwin.equipment.schedule import schedule

MACHINES = Path(__file__).parent / "machines"
CASES = sorted(path.stem for path in MACHINES.iterdir())


def case(name):
    return load_machine(MACHINES / f"{name}.yaml")


def circuit_names(model, evaluation):
    return {model.activities[index].name for index in schedule(evaluation).critical}


@pytest.mark.parametrize("name", CASES)
def test_case_says_where_it_comes_from(name):
    assert "# Source: " in (MACHINES / f"{name}.yaml").read_text("utf-8")


def test_flow_shop_with_one_pallet_has_the_published_period():
    model = case("flow-shop")
    evaluation = model.evaluate("only")
    assert evaluation.cycle_time == pytest.approx(16.95, rel=1e-14)
    # The whole round of piece 3, which passes all machines.
    assert circuit_names(model, evaluation) == {f"m{machine}_p3" for machine in range(1, 9)}


@pytest.mark.parametrize("pallets", [2.0, 3.0, 9.0])
def test_flow_shop_with_more_pallets_is_bound_by_machine_3(pallets):
    model = case("flow-shop")
    evaluation = model.evaluate("only", {"pallets": pallets})
    assert evaluation.cycle_time == pytest.approx(12.3, rel=1e-14)
    assert circuit_names(model, evaluation) == {"m3_p1", "m3_p3", "m3_p5"}


# Processing times a and b, move, handling; periods of S1 and S2 by the published formulas.
ROBOTIC_CELLS = [
    ((10.0, 8.0, 1.0, 0.5), 27.0, 16.0),
    ((3.0, 4.0, 1.0, 0.5), 16.0, 11.0),
    ((2.0, 12.0, 1.5, 0.25), 24.5, 19.0),
]


@pytest.mark.parametrize(("times", "s1", "s2"), ROBOTIC_CELLS)
def test_robotic_cell_has_the_known_periods(times, s1, s2):
    settings = dict(zip(("a", "b", "delta", "eps"), times, strict=True))
    for name, period in (("robotic-cell-s1", s1), ("robotic-cell-s2", s2)):
        found = case(name).evaluate("only", settings).cycle_time
        assert found == pytest.approx(period, rel=1e-14)


def test_robotic_cell_follows_the_published_formulas():
    rng = np.random.default_rng(46)
    a, b = rng.uniform(0.0, 30.0, (2, 500))
    delta, eps = rng.uniform(0.0, 3.0, (2, 500))
    settings = {"a": a, "b": b, "delta": delta, "eps": eps}
    away = 4 * delta + 2 * eps
    s1 = 6 * eps + 6 * delta + a + b
    s2 = 6 * eps + 8 * delta + np.maximum(0, np.maximum(a - away, b - away))
    for name, exact in (("robotic-cell-s1", s1), ("robotic-cell-s2", s2)):
        found = case(name).evaluate("only", settings).cycle_time
        np.testing.assert_allclose(found, exact, rtol=1e-12)


def test_indexing_dial_takes_its_turn_and_its_slowest_station():
    rng = np.random.default_rng(46)
    turn = rng.uniform(0.1, 2.0, 500)
    stations = rng.uniform(0.0, 10.0, (4, 500))
    settings = {"t_index": turn} | {f"t{k + 1}": times for k, times in enumerate(stations)}
    found = case("indexing-dial").evaluate("only", settings).cycle_time
    np.testing.assert_allclose(found, turn + stations.max(axis=0), rtol=1e-14)


# Below: the machines of the library. Their data are SYNTHETIC, so that these values prove nothing
# about a plant. They were calculated in a trial by formulas of their own (a dial takes its turn and
# its slowest station; the rest as in the tests), and hold the descriptions to what was meant.

COUNTS = {
    "winder": 6,
    "collector-welder": 1,
    "can-inserter": 2,
    "groover": 1,
    "filler": 1,
    "crimper": 2,
}
DELIVERED = {
    "winder": (5.6876, 63.3),
    "collector-welder": (2.0619, 58.2),
    "can-inserter": (2.0033, 59.9),
    "groover": (2.2626, 53.0),
    "filler": (3.4062, 70.5),
    "crimper": (1.4759, 81.3),
}
FILLER_BY_FORMAT = {
    "4680": (3.4062, 70.5),
    "4695": (4.0051, 59.9),
    "46100": (4.2086, 57.0),
    "46110": (4.6211, 51.9),
    "46120": (5.0404, 47.6),
}
LINE = {"4680": (53.0, 52.2, "groover"), "46120": (47.6, 46.2, "filler")}
STEPS = {"4680": (52.2, 56.7, 59.5), "4695": (52.2, 56.7, 58.2), "46120": (46.2, 46.5, 46.5)}
"""Good cells a minute: as delivered, with the shortest waits, with the longest overlaps as well."""


@pytest.fixture(scope="module")
def groups():
    return [MachineGroup(name, load_machine(name), count, {}) for name, count in COUNTS.items()]


def per_minute(rate):
    return 60 * float(rate)


@pytest.mark.parametrize("name", DELIVERED)
def test_library_machine_keeps_its_regression_values(groups, name):
    """Synthetic: a change of these numbers is a change of the description or of the model."""
    group = next(group for group in groups if group.name == name)
    evaluation = group.model.evaluate("4680")
    cycle_time, rate = DELIVERED[name]
    assert evaluation.cycle_time == pytest.approx(cycle_time, abs=5e-5)
    assert per_minute(group.machines * evaluation.gross_rate) == pytest.approx(rate, abs=0.05)


@pytest.mark.parametrize("product_format", FILLER_BY_FORMAT)
def test_filler_keeps_its_regression_values_by_height(groups, product_format):
    """Synthetic, as above."""
    filler = next(group for group in groups if group.name == "filler")
    evaluation = filler.model.evaluate(product_format)
    cycle_time, rate = FILLER_BY_FORMAT[product_format]
    assert evaluation.cycle_time == pytest.approx(cycle_time, abs=5e-5)
    assert per_minute(evaluation.gross_rate) == pytest.approx(rate, abs=0.05)


@pytest.mark.parametrize("product_format", LINE)
def test_line_keeps_its_regression_values(groups, product_format):
    """Synthetic, as above; the bottleneck moves from the groover to the filler with the height."""
    line = line_rate(groups, product_format)
    gross, good, bottleneck = LINE[product_format]
    assert per_minute(min(line.gross)) == pytest.approx(gross, abs=0.05)
    assert per_minute(line.good_rate) == pytest.approx(good, abs=0.05)
    assert line.bottleneck == bottleneck
    if product_format == "4680":
        assert line.first_pass_yield == pytest.approx(0.9938, abs=5e-5)


@pytest.mark.parametrize("product_format", STEPS)
def test_first_steps_of_tuning_keep_their_regression_values(groups, product_format):
    """Synthetic, as above; the settings are given here, not searched for."""
    waits = {group.name: {"tau": 0.02} for group in groups}
    overlaps = {
        group.name: {
            name: known.high for name, known in group.model.settings.items() if name == "ov"
        }
        for group in groups
    }
    rates = [
        per_minute(line_rate(groups, product_format, settings).good_rate)
        for settings in (None, waits, {name: waits[name] | overlaps[name] for name in waits})
    ]
    assert rates == pytest.approx(STEPS[product_format], abs=0.05)
