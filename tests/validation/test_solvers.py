"""The solvers of the exact cases against published numbers and against each other."""

import ast
from itertools import pairwise

import pytest

from tests.validation import closed_forms, markov_chains
from tests.validation.case import CASES


def test_solvers_use_nothing_of_the_package():
    for name in ("closed_forms", "markov_chains"):
        tree = ast.parse((CASES.parent / f"{name}.py").read_text())
        modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        modules += [
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        ]
        assert modules
        assert not any(module.startswith("gigatwin") for module in modules)


@pytest.mark.parametrize(
    ("stations", "published"), [(2, 2 / 3), (3, 22 / 39), (4, 0.514775), (5, 0.485798)]
)
def test_lines_without_buffers_have_the_published_throughput(stations, published):
    found = markov_chains.serial_line([1.0] * stations, [0] * (stations - 1))
    assert found["throughput"] == pytest.approx(published, abs=5e-7)


def test_throughput_maximisation_has_the_published_optimum():
    assert markov_chains.serial_line([7, 7, 6], [7, 11])["throughput"] == pytest.approx(
        5.776122, abs=5e-7
    )


@pytest.mark.parametrize(
    ("failures", "repairs", "volume", "published"),
    [
        ([0.01, 0.01], [0.1, 0.1], 10.0, 0.858726),
        ([0.01, 0.01], [0.1, 0.1], 0.0, 1 / 1.2),
        ([0.01, 0.01], [0.1, 0.1], 100.0, 0.896552),
        ([0.01, 0.02], [0.1, 0.1], 5.0, 0.787217),
        ([0.005, 0.01], [0.05, 0.2], 20.0, 0.895761),
    ],
)
def test_continuous_line_has_the_known_efficiency(failures, repairs, volume, published):
    found = closed_forms.two_machines_continuous(failures, repairs, volume)
    assert found["efficiency"] == pytest.approx(published, abs=1e-6)


@pytest.mark.parametrize("places", [0, 1, 3, 8])
def test_chain_and_closed_form_agree_on_two_stations(places):
    chain = markov_chains.serial_line([1.0, 1.25], [places])
    formula = closed_forms.two_exponential_stations(1.0, 1.25, places)
    assert chain["throughput"] == pytest.approx(formula["throughput"], rel=1e-9)
    assert chain["level_2"] == pytest.approx(formula["level"], abs=1e-9)
    assert chain["blocked_1"] == pytest.approx(formula["blocked"], rel=1e-9)


def test_chain_and_closed_form_agree_on_parallel_machines():
    chain = markov_chains.serial_line([1.0, 0.4], [4], machines=[1, 3])
    formula = closed_forms.parallel_behind_source(1.0, 0.4, 3, 4)
    assert chain["throughput"] == pytest.approx(formula["throughput"], rel=1e-9)


def test_a_line_and_its_mirror_image_make_as_much():
    line = markov_chains.serial_line([1.0, 1.3, 0.9, 1.1], [2, 0, 1])
    mirror = markov_chains.serial_line([1.1, 0.9, 1.3, 1.0], [1, 0, 2])
    assert line["throughput"] == pytest.approx(mirror["throughput"], rel=1e-9)


def test_a_station_that_fails_alone_is_up_for_its_share():
    found = markov_chains.serial_line([1.0], [], failure_rates=[0.02], repair_rates=[0.1])
    assert found["executing_1"] == pytest.approx(1 / 1.2, rel=1e-9)


def test_equal_machines_with_one_repair_man_agree():
    chain = markov_chains.shared_repair([0.01] * 5, [0.05] * 5)
    formula = closed_forms.machine_repair(5, 0.01, 0.05, 1)
    assert chain["executing_1"] == pytest.approx(formula["executing"], rel=1e-9)
    assert chain["waiting_3"] == pytest.approx(formula["waiting"], rel=1e-9)


def test_batches_of_one_are_a_single_server_queue():
    chain = markov_chains.batch_queue(0.8, 1.0, 1, 1, 400)
    assert chain["level"] == pytest.approx(3.2, rel=1e-9)


def test_assembly_of_plenty_works_all_the_time():
    found = markov_chains.assembly([1e6, 1e6], 1.0, [2, 3], [1, 2])
    assert found["throughput"] == pytest.approx(1.0, abs=1e-5)


def test_closed_line_agrees_with_mean_value_analysis():
    rates, items = [1.0, 1.25, 0.8], 6
    levels = [0.0] * 3
    for n in range(1, items + 1):
        times = [(1 + level) / rate for level, rate in zip(levels, rates, strict=True)]
        throughput = n / sum(times)
        levels = [throughput * time for time in times]
    found = markov_chains.closed_line(rates, items)
    assert found["throughput"] == pytest.approx(throughput, rel=1e-9)
    waiting = levels[2] - throughput / rates[2]
    assert found["level_3"] == pytest.approx(waiting, rel=1e-9)


def test_general_laws_agree_with_the_exponential_one():
    exponential = closed_forms.mmc(0.1, 1 / 7, 1)
    by_cv = closed_forms.mg1_by_cv(0.1, 7.0, 1.0)
    unbroken = closed_forms.mg1_with_breakdowns(0.1, 7.0, 0.02, 0.0)
    for other in (by_cv, unbroken):
        assert other["time_in_system"] == pytest.approx(exponential["time_in_system"], rel=1e-12)


def test_bounded_laws_agree_where_they_are_the_same():
    wide = closed_forms.mg1_uniform(0.1, 2.0, 12.0)
    pieces = closed_forms.mg1_quantiles(0.1, [2.0, 7.0, 12.0])
    many = closed_forms.mg1_samples(0.1, [2 + 10 * (k + 0.5) / 10_000 for k in range(10_000)])
    assert pieces["time_in_system"] == pytest.approx(wide["time_in_system"], rel=1e-12)
    assert many["time_in_system"] == pytest.approx(wide["time_in_system"], rel=1e-6)


def test_triangular_second_moment_is_that_of_its_density():
    low, mode, high, n = 2.0, 4.0, 15.0, 200_000
    step = (high - low) / n
    second = 0.0
    for k in range(n):
        x = low + (k + 0.5) * step
        edge, width = (low, mode - low) if x < mode else (high, high - mode)
        second += x * x * 2 * abs(x - edge) / ((high - low) * width) * step
    found = closed_forms.mg1_triangular(0.1, low, mode, high)
    numeric = closed_forms.mg1(0.1, 7.0, second)
    assert found["time_in_system"] == pytest.approx(numeric["time_in_system"], rel=1e-6)


def test_arrivals_in_a_rhythm_wait_less_than_random_ones():
    found = closed_forms.dm1(1.25, 1.0)
    assert found["time_in_system"] == pytest.approx(2.69273, abs=1e-5)
    assert found["time_in_system"] < closed_forms.mmc(0.8, 1.0, 1)["time_in_system"]


def test_recursion_of_a_line_keeps_the_slowest_cycle():
    found = closed_forms.max_plus_line({"a": [2.0, 3.0, 1.0]}, "a" * 6, [0, 0])
    assert found["finished"][0] == 6.0
    assert {b - a for a, b in pairwise(found["finished"])} == {3.0}


def test_visits_of_a_repeated_step_are_geometric():
    assert markov_chains.visits([[0.25]], 0) == pytest.approx([1 / 0.75])


def test_shortest_queue_of_equal_machines_lies_between_one_and_two_queues():
    found = markov_chains.shortest_queue(1.6, [1.0, 1.0], 40)
    together = closed_forms.mmc(1.6, 1.0, 2)["time_in_system"]
    apart = closed_forms.mmc(0.8, 1.0, 1)["time_in_system"]
    assert together < found["time_in_system"] < apart
