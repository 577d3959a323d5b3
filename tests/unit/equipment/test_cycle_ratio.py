import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigatwin.equipment.cycle_ratio import max_cycle_ratio
from tests.unit.equipment.cycle_ratio_oracles import karp, linear_program, ratio_along

BATCHES, IN_A_BATCH = 10, 100


def random_graph(rng, n_nodes):
    """Return a graph in which every circuit holds a token; arcs without one go upwards."""
    n_arcs = int(rng.integers(n_nodes, 4 * n_nodes + 1))
    tails, heads = rng.integers(0, n_nodes, (2, n_arcs)).astype(np.int32)
    rank = rng.permutation(n_nodes)
    tokens = rng.integers(0, 4, n_arcs) * (rng.random(n_arcs) < 0.7)
    tokens = np.maximum(tokens, rank[tails] >= rank[heads]).astype(np.float64)
    kind = rng.integers(0, 3)
    if kind == 0:
        weights = rng.normal(0.0, 1.0, n_arcs)
    elif kind == 1:
        weights = rng.lognormal(0.0, 2.0, n_arcs)
    else:  # many ties
        weights = rng.integers(-3, 10, n_arcs).astype(np.float64)
    return tails, heads, weights, tokens


def howard(tails, heads, weights, tokens, n_nodes):
    ratios, policies = max_cycle_ratio(
        np.asarray(tails, dtype=np.int32),
        np.asarray(heads, dtype=np.int32),
        np.array([weights], dtype=np.float64),
        np.array([tokens], dtype=np.float64),
        n_nodes,
    )
    return float(ratios[0]), policies[0]


def of_matrix(matrix):
    """Return the eigenvalue of a max-plus matrix; its arcs hold one token each."""
    n = len(matrix)
    heads, tails = np.divmod(np.arange(n * n), n)
    return howard(tails, heads, np.ravel(matrix), np.ones(n * n), n)[0]


@pytest.mark.parametrize(
    ("matrix", "eigenvalue"),
    [
        ([[3, 7], [2, 4]], 4.5),  # Baccelli et al., Synchronization and Linearity, 1992
        ([[2, 5], [3, 3]], 4.0),  # Heidergott et al., Max Plus at Work, 2006
        ([[1, 2], [3, 4]], 4.0),  # tests of MaxPlus.jl
    ],
)
def test_matrix_has_the_known_eigenvalue(matrix, eigenvalue):
    assert of_matrix(matrix) == pytest.approx(eigenvalue, rel=1e-15)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_three_ways_agree_on_random_graphs(batch):
    rng = np.random.default_rng([46, batch])
    for _ in range(IN_A_BATCH):
        n_nodes = int(rng.choice([rng.integers(1, 7), rng.integers(7, 21), rng.integers(21, 41)]))
        graph = random_graph(rng, n_nodes)
        ratio, _ = howard(*graph, n_nodes)
        scale = np.abs(graph[2]).max()
        if np.isneginf(ratio):
            assert np.isneginf(karp(*graph, n_nodes))
            assert np.isneginf(linear_program(*graph, n_nodes))
            continue
        assert ratio == pytest.approx(karp(*graph, n_nodes), rel=0, abs=1e-9 * scale)
        assert ratio == pytest.approx(linear_program(*graph, n_nodes), rel=0, abs=1e-9 * scale)


def test_policy_has_a_circuit_with_the_ratio():
    rng = np.random.default_rng(47)
    for _ in range(150):
        n_nodes = int(rng.integers(1, 30))
        tails, heads, weights, tokens = graph = random_graph(rng, n_nodes)
        ratio, policy = howard(*graph, n_nodes)
        followed = policy >= 0
        np.testing.assert_array_equal(tails[policy[followed]], np.flatnonzero(followed))
        exact = ratio_along(policy, heads, weights, tokens)
        if exact is None:
            assert np.isneginf(ratio)
            assert not followed.any()
        else:
            assert ratio == pytest.approx(float(exact), rel=1e-13, abs=1e-14)


def test_node_from_which_no_circuit_is_reached_follows_no_arc():
    # 0 and 1 go round; 2 leads to them, 3 comes from them, 4 stands alone.
    tails, heads = [0, 1, 2, 1], [1, 0, 0, 3]
    ratio, policy = howard(tails, heads, [2.0, 3.0, 50.0, 60.0], [1, 1, 1, 1], 5)
    assert ratio == 2.5
    np.testing.assert_array_equal(policy, [0, 1, 2, -1, -1])


def test_graph_without_circuits_has_no_ratio():
    ratio, policy = howard([0, 1], [1, 2], [5.0, 6.0], [0, 1], 3)
    assert np.isneginf(ratio)
    np.testing.assert_array_equal(policy, [-1, -1, -1])


def test_graph_without_arcs_has_no_ratio():
    assert np.isneginf(howard([], [], [], [], 2)[0])


def test_largest_part_counts_in_a_graph_that_is_not_connected():
    # A slow part that leads to a slower one, and a part of its own.
    tails, heads = [0, 0, 1, 2], [0, 1, 1, 2]
    assert howard(tails, heads, [3.0, 9.0, 4.0, 2.0], [1, 1, 1, 1], 3)[0] == 4.0
    assert howard(tails, heads, [5.0, 9.0, 4.0, 2.0], [1, 1, 1, 1], 3)[0] == 5.0
    assert howard(tails, heads, [3.0, 9.0, 4.0, 7.0], [1, 1, 1, 1], 3)[0] == 7.0


def test_weights_may_all_be_negative():
    assert howard([0, 1, 1], [1, 0, 1], [-3.0, -4.0, -6.0], [1, 1, 2], 2)[0] == -3.0


def test_best_of_several_arcs_between_two_nodes_counts():
    # The heavier arc holds more tokens, so that the lighter one has the larger ratio.
    tails, heads = [0, 0, 0, 1], [1, 1, 1, 0]
    assert howard(tails, heads, [5.0, 9.0, 4.0, 1.0], [1, 4, 1, 0], 2)[0] == 6.0


def test_many_graphs_at_once_equal_one_by_one():
    rng = np.random.default_rng(48)
    tails, heads, _, tokens = random_graph(rng, 12)
    weights = rng.normal(size=(200, len(tails)))
    counts = tokens * rng.integers(1, 4, (200, len(tails)))
    ratios, policies = max_cycle_ratio(tails, heads, weights, counts, 12)
    for row in range(200):
        ratio, policy = howard(tails, heads, weights[row], counts[row], 12)
        assert ratios[row] == ratio
        np.testing.assert_array_equal(policies[row], policy)


@pytest.mark.parametrize("place", range(5))
def test_circuit_without_a_token_raises(place):
    rng = np.random.default_rng([49, place])
    for n_nodes in (1, 2, 5, 20):
        tails, heads, weights, tokens = random_graph(rng, n_nodes)
        loop = rng.permutation(n_nodes)[: int(rng.integers(1, n_nodes + 1))]
        tails = np.concatenate([tails, loop]).astype(np.int32)
        heads = np.concatenate([heads, np.roll(loop, -1)]).astype(np.int32)
        weights = np.concatenate([weights, rng.random(len(loop))])
        tokens = np.concatenate([tokens, np.zeros(len(loop))])
        with pytest.raises(ZeroDivisionError, match="a circuit without a token"):
            howard(tails, heads, weights, tokens, n_nodes)


def test_circuit_without_a_token_is_seen_in_any_of_many_graphs():
    counts = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    tails, heads = np.array([0, 1], dtype=np.int32), np.array([1, 0], dtype=np.int32)
    with pytest.raises(ZeroDivisionError):
        max_cycle_ratio(tails, heads, np.ones((3, 2)), counts, 2)


def test_thousands_of_tokens_cost_no_precision():
    tails, heads = [0, 1, 2, 0], [1, 2, 0, 0]
    weights, tokens = [0.1, 1e4, 0.3, 10.0001], [0, 1000, 0, 1]
    ratio, policy = howard(tails, heads, weights, tokens, 3)
    assert ratio == pytest.approx(10.0004, rel=1e-14)
    assert policy[0] == 0


@given(st.integers(0, 10_000), st.floats(0.01, 100.0))
def test_slower_clock_has_a_larger_ratio_by_its_factor(seed, slower):
    rng = np.random.default_rng(seed)
    n_nodes = int(rng.integers(1, 8))
    tails, heads, weights, tokens = random_graph(rng, n_nodes)
    ratio, _ = howard(tails, heads, weights, tokens, n_nodes)
    slow, _ = howard(tails, heads, weights * slower, tokens, n_nodes)
    if np.isneginf(ratio):
        assert np.isneginf(slow)
    else:
        scale = slower * np.abs(weights).max()
        assert slow == pytest.approx(slower * ratio, rel=0, abs=1e-11 * scale)
