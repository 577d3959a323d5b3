"""The simulation against exact results, all of `cases/`.

Statistical quantities: replications with a fixed seed; the mean is within 5 standard errors of the
exact value (a right program misses with a chance of 1 in 80 000 for 40 replications, and the seed
is fixed), and 5 standard errors are below 3 % of the exact value, so that no larger error hides.
"""

import pytest

from tests.validation.case import Estimate, Quantity, case_folders, disagreement, read_case
from tests.validation.page import PAGE

FOLDERS = case_folders()
CASES = {folder.name: read_case(folder) for folder in FOLDERS}
SOLVED = {
    f"{name}: {quantity.name}": quantity
    for name, case in CASES.items()
    for quantity in case.quantities
    if quantity.solver
}


def _quantity(**fields):
    return Quantity("mean", exact=2.0, unit="s", measure={}, derivation="by hand", **fields)


@pytest.mark.compiled
@pytest.mark.parametrize("name", CASES)
def test_simulation_gives_the_exact_result(name):
    case = CASES[name]
    found = zip(case.quantities, case.simulated(), strict=True)
    assert [text for pair in found if (text := disagreement(*pair))] == []


@pytest.mark.parametrize("label", SOLVED)
def test_solver_gives_the_exact_value(label):
    quantity = SOLVED[label]
    assert quantity.solved() == pytest.approx(quantity.exact, rel=1e-9)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_case_has_its_three_files_and_a_derivation(folder):
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "expected.yaml",
        "factory.yaml",
    }
    assert (folder / "README.md").read_text().startswith(f"# {CASES[folder.name].title}\n")
    assert CASES[folder.name].factory.name == folder.name
    assert all(quantity.derivation for quantity in CASES[folder.name].quantities)


def test_there_are_cases():
    assert len(CASES) >= 30


def test_a_mean_five_standard_errors_away_disagrees():
    assert "standard errors apart" in disagreement(_quantity(), Estimate(2.051, 0.01))
    assert disagreement(_quantity(), Estimate(2.049, 0.01)) == ""


def test_a_bias_is_allowed_on_top():
    assert disagreement(_quantity(bias=0.01), Estimate(2.055, 0.01)) == ""
    assert "standard errors apart" in disagreement(_quantity(bias=0.01), Estimate(2.065, 0.01))


def test_a_run_too_short_to_tell_disagrees():
    assert "simulate longer" in disagreement(_quantity(), Estimate(2.0, 0.0121))


def test_a_mean_that_is_not_a_number_disagrees():
    assert disagreement(_quantity(), Estimate(float("nan"), 0.01)) != ""
    assert disagreement(_quantity(), Estimate(2.0, float("nan"))) != ""


def test_a_quantity_without_chance_must_be_exact():
    exact = _quantity(relative=1e-9)
    assert disagreement(exact, Estimate(2.0, 0.0)) == ""
    assert "exact 2.0" in disagreement(exact, Estimate(2.0 + 1e-8, 0.0))


def test_missing_and_shifted_events_disagree():
    times = Quantity("times", [1.0, 2.0], "s", {}, "by hand", relative=1e-12)
    assert disagreement(times, [1.0, 2.0, 3.0]) == ""
    assert "1 events, 2 expected" in disagreement(times, [1.0])
    assert "expected at" in disagreement(times, [1.0, 2.1])


@pytest.mark.parametrize("name", CASES)
def test_case_is_on_the_page(name):
    text = PAGE.read_text(encoding="utf-8")
    section = text.partition(f"`{name}`. ")[2].partition("\n### ")[0]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| ")]
    expected = [f"| {quantity.name}" for quantity in CASES[name].quantities]
    assert rows[1:] == expected
