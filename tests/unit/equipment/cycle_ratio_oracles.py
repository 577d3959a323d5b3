"""The maximum cycle ratio by two other ways: Karp's theorem, and a linear program.

Neither follows policies. Both take graphs in which every circuit holds a token; the number of
tokens on an arc is a whole number of 0 or more.
"""

from fractions import Fraction

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

HIGHS = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
"""The tightest that HiGHS takes: an arc may miss its constraint by this, in weights up to one."""
UNBOUNDED = (2, 3, 4)
"""Answers of HiGHS to a program without a least value; 2 and 4 where it does not look further."""


def karp(tails, heads, weights, tokens, n_nodes):
    r"""Return the maximum cycle ratio by R. M. Karp's theorem, -inf without any circuit.

    Notes
    -----
    An arc with k tokens becomes k arcs with one token each. Longest ways A0* over arcs without
    tokens, behind each arc with a token, make a graph of one-token arcs with the same circuits;
    with D_k(v) the heaviest walk of k arcs that ends in v, its maximum cycle mean is
    :math:`\max_v \min_{k<n} (D_n(v) - D_k(v)) / (n - k)` (*A characterization of the minimum cycle
    mean in a digraph*, Discrete Mathematics 23, 1978).
    """
    extra = int(np.maximum(np.asarray(tokens) - 1, 0).sum())
    n = n_nodes + extra
    free, held = np.full((2, n, n), -np.inf)
    following = n_nodes
    for tail, head, weight, count in zip(tails, heads, weights, tokens, strict=True):
        if count == 0:
            free[tail, head] = max(free[tail, head], weight)
            continue
        at, on_the_way = tail, weight
        for _ in range(int(count) - 1):
            held[at, following] = on_the_way
            at, on_the_way, following = following, 0.0, following + 1
        held[at, head] = max(held[at, head], on_the_way)
    np.fill_diagonal(free, np.maximum(np.diag(free), 0.0))
    for k in range(n):
        np.maximum(free, free[:, k, None] + free[None, k, :], out=free)
    steps = np.array([np.max(row[:, None] + free, axis=0) for row in held])
    walks = np.zeros((n + 1, n))
    for k in range(n):
        walks[k + 1] = np.max(walks[k][:, None] + steps, axis=0)
    ends = np.isfinite(walks[n])
    if not ends.any():
        return -np.inf
    lengths = n - np.arange(n)[:, None]
    # A walk that does not exist is no bound.
    means = np.where(
        np.isfinite(walks[:n, ends]), (walks[n, ends] - walks[:n, ends]) / lengths, np.inf
    )
    return float(means.min(axis=0).max())


def linear_program(tails, heads, weights, tokens, n_nodes):
    r"""Return the least :math:`\lambda` with times :math:`x_v \ge x_u + w - \lambda t`, by HiGHS.

    Notes
    -----
    Its dual is a flow on the circuits (R. G. Dantzig, W. O. Blattner, M. R. Rao, *Finding a cycle
    in a graph with minimum cost to time ratio*, 1967).
    """
    scale = float(np.abs(weights).max(initial=0.0)) or 1.0
    m = len(tails)
    rows = np.arange(m)
    # x_u - x_v - lambda t <= -w; an arc from a node to itself has no x left.
    constraints = csr_array(
        (
            np.concatenate([np.ones(m), -np.ones(m), -np.asarray(tokens, dtype=np.float64)]),
            (np.tile(rows, 3), np.concatenate([tails, heads, np.full(m, n_nodes)])),
        ),
        shape=(m, n_nodes + 1),
    )
    cost = np.zeros(n_nodes + 1)
    cost[-1] = 1.0
    found = linprog(
        cost, constraints, -np.asarray(weights) / scale, bounds=(None, None),
        method="highs-ds", options=HIGHS,
    )  # fmt: skip
    if found.status in UNBOUNDED:
        return -np.inf
    assert found.status == 0, found.message
    return float(found.fun) * scale


def ratio_along(policy, heads, weights, tokens):
    """Return the largest ratio of the circuits of a policy, as an exact fraction; None: none."""
    ratios = []
    for start in range(len(policy)):
        way, node = [], start
        while node not in way and policy[node] >= 0:
            way.append(node)
            node = int(heads[policy[node]])
        if policy[node] >= 0:
            arcs = [policy[k] for k in way[way.index(node) :]]
            weight = sum(Fraction(float(weights[arc])) for arc in arcs)
            ratios.append(weight / sum(int(tokens[arc]) for arc in arcs))
    return max(ratios, default=None)
