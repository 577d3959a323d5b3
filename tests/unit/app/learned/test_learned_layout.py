from itertools import pairwise

import numpy as np
import pytest

from gigatwin.app.learned.layout import layered


def random_flow(seed, size=18):
    random = np.random.default_rng(seed)
    names = [f"s{k}" for k in range(size)]
    weights = {}
    for k in range(1, size):
        for source in random.choice(k, size=min(k, 2), replace=False):
            weights[names[source], names[k]] = float(random.uniform(0.1, 1.0))
    return names, weights


def test_line_without_branches_stands_in_one_row():
    names = ["a", "b", "c", "d"]
    layout = layered(names, dict.fromkeys(pairwise(names), 1.0))
    assert layout.layer == {"a": 0, "b": 1, "c": 2, "d": 3}
    assert set(layout.row.values()) == {0.0}


def test_parallel_branches_stand_one_above_the_other():
    layout = layered("abcd", {("a", "b"): 0.5, ("a", "c"): 0.5, ("b", "d"): 1, ("c", "d"): 1})
    assert layout.layer["b"] == layout.layer["c"] == 1
    assert abs(layout.row["b"] - layout.row["c"]) == pytest.approx(1.0)
    assert layout.row["a"] == pytest.approx(layout.row["d"], abs=0.01)


@pytest.mark.parametrize("seed", range(8))
def test_every_way_leads_to_the_right(seed):
    names, weights = random_flow(seed)
    layout = layered(names, weights)
    for source, target in weights:
        between = [layer for layer, _ in layout.passes[source, target]]
        assert between == list(range(layout.layer[source] + 1, layout.layer[target]))


@pytest.mark.parametrize("seed", range(8))
def test_stations_of_a_layer_are_apart(seed):
    names, weights = random_flow(seed)
    layout = layered(names, weights)
    for layer in range(layout.n_layers):
        rows = sorted(layout.row[name] for name in names if layout.layer[name] == layer)
        assert np.all(np.diff(rows) > 1.0 - 1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_long_way_passes_no_station(seed):
    names, weights = random_flow(seed)
    layout = layered(names, weights)
    for chain in layout.passes.values():
        for layer, row in chain:
            here = [layout.row[name] for name in names if layout.layer[name] == layer]
            assert min(abs(row - other) for other in here) > 0.69


def test_side_line_stands_before_the_station_it_feeds():
    weights = {("a", "b"): 1, ("b", "c"): 1, ("c", "d"): 1, ("x", "d"): 1}
    layout = layered(["a", "x", "b", "c", "d"], weights)
    assert layout.layer["x"] == layout.layer["c"] == 2


def test_branches_are_put_in_the_order_that_does_not_cross():
    weights = {("a", "b"): 1, ("a", "c"): 1, ("b", "e"): 1, ("c", "d"): 1}
    layout = layered(["a", "b", "c", "d", "e"], weights)
    above = layout.row["b"] < layout.row["c"]
    assert (layout.row["e"] < layout.row["d"]) == above


def test_line_begins_in_the_upper_half():
    for seed in range(8):
        names, weights = random_flow(seed)
        layout = layered(names, weights)
        bottom = max([*layout.row.values(), *(r for c in layout.passes.values() for _, r in c)])
        assert layout.row["s0"] <= bottom / 2 + 1e-9
