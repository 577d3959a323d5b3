"""Random networks: they run, and their flow is found again."""

import numpy as np
import polars as pl
import pytest

from gigatwin.factory.checks import check
from gigatwin.learning.flow.topology import Flow, discover
from gigatwin.testing.random_networks import (
    f1,
    lose,
    random_network,
    true_edges,
    visits_of_run,
)

SEEDS = (0, 2, 5, 9, 17, 22, 44, 92)


def edges_of(flow: Flow) -> set[tuple[str, str]]:
    """Name the ways by the true stations; a station found twice has its second name."""
    names = {"in": "in", "out": "out"}
    for name, station in flow.stations.items():
        true = {machine.split("#")[0] for machine in station.machines}
        (only,) = true if len(true) == 1 else {f"{name}?"}
        names[name] = only if only not in names.values() else f"{only}!"
    return {(names[source], names[target]) for source, target in flow.edges}


def test_networks_are_valid_and_differ():
    factories = [random_network(seed) for seed in range(40)]
    for factory in factories:
        check(factory)
        assert 4 <= len(factory.stations) <= 13
    kinds = {station.kind for factory in factories for station in factory.stations.values()}
    assert kinds == {"discrete", "inspection", "assembly"}
    assert random_network(3) == factories[3]
    assert any(station.scrap for factory in factories for station in factory.stations.values())


def test_true_ways_are_those_of_the_description():
    factory = random_network(0)
    edges = true_edges(factory)
    assert {source for source, _ in edges} - {"in"} == set(factory.stations)
    assert {target for _, target in edges} - {"out"} == set(factory.stations)


def test_measure_of_ways_is_the_harmonic_mean_of_its_shares():
    # Two of three found ways are true, two of four true ways found.
    true = {("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")}
    assert f1(true, {("a", "b"), ("b", "c"), ("x", "y")}) == pytest.approx(2 / (1.5 + 2.0))
    assert f1(set(), set()) == 1.0


def test_lost_events_are_as_many_as_asked_for():
    visits = pl.DataFrame({"start": np.arange(20_000.0), "end": np.arange(20_000.0) + 1.0})
    left = lose(visits, 0.1, seed=2)
    assert left.height == pytest.approx(0.99 * 20_000, abs=5 * np.sqrt(200))
    assert left["start"].null_count() == pytest.approx(0.09 * 20_000, abs=5 * np.sqrt(1800))
    assert left.filter(pl.col("start").is_null() & pl.col("end").is_null()).height == 0


@pytest.mark.compiled
def test_flow_of_random_networks_is_found_with_and_without_lost_events():
    clean, spoiled, anonymous = [], [], []
    for seed in SEEDS:
        visits, true = visits_of_run(random_network(seed), 1200, seed + 1)
        clean.append(f1(true, edges_of(discover(visits))))
        spoiled.append(f1(true, edges_of(discover(lose(visits, 0.01, seed)))))
        # Where the log has no activities, machines must be told apart by what they do.
        machines = visits.with_columns(activity="machine")
        anonymous.append(f1(true, edges_of(discover(machines))))
    assert min(clean) == 1.0
    assert np.mean(spoiled) >= 0.98
    assert np.mean(anonymous) >= 0.97
