"""The maximum cycle ratio of a graph by Howard's policy iteration.

Each node follows one of its arcs, the policy; its circuits are evaluated, and arcs that promise
more replace those of the policy until none does (J. Cochet-Terrasson, G. Cohen, S. Gaubert, M. Mc
Gettrick, J.-P. Quadrat, *Numerical computation of spectral elements in max-plus algebra*, IFAC
Conference on System Structure and Control, 1998).
"""

import math

import numpy as np
from numpy.typing import NDArray

from gigatwin.kernel._jit import jit

_MOST_ROUNDS = 10_000
_RELATIVE = 1e-12
"""Improvements below this share of the largest weight are rounding."""


class CycleGraph:
    """The arcs of graphs of one shape, sorted once for many sets of weights."""

    def __init__(self, tails: NDArray[np.int32], heads: NDArray[np.int32], n_nodes: int) -> None:
        """Sort the arcs by their tail.

        Parameters
        ----------
        tails, heads : arrays of int32, shape (n_arcs,)
            Nodes that each arc leads from and to.
        n_nodes : int
            Number of nodes, numbered from 0.
        """
        self.n_nodes = n_nodes
        self._heads = np.asarray(heads, dtype=np.int32)
        self._order = np.argsort(tails, kind="stable").astype(np.int32)
        bounds = np.searchsorted(np.asarray(tails)[self._order], np.arange(n_nodes + 1))
        self._first = bounds.astype(np.int32)

    def max_cycle_ratio(
        self, weights: NDArray[np.float64], tokens: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        r"""Return the largest ratio of weight to tokens over the circuits of each graph.

        Parameters
        ----------
        weights, tokens : arrays of float64, shape (n_graphs, n_arcs)
            Weight [s], and tokens, 0 or more; each circuit must hold one or more.

        Returns
        -------
        ratios : array of float64, shape (n_graphs,)
            :math:`\max_c \sum_c w / \sum_c t`; -inf without any circuit. [s]
        policies : array of int32, shape (n_graphs, n_nodes)
            Arc that each node follows at the end, -1 for a node from which no circuit can be
            reached. A circuit of it has the ratio.

        Raises
        ------
        ZeroDivisionError
            If a circuit with the largest weight holds no token.
        """
        ratios = np.empty(len(weights))
        policies = np.empty((len(weights), self.n_nodes), dtype=np.int32)
        values = np.empty((2, self.n_nodes))
        marks = np.empty((2, self.n_nodes), dtype=np.int32)
        failed = _solve_all(
            self._order, self._first, self._heads, weights, tokens,
            ratios, policies, values, marks, _MOST_ROUNDS,
        )  # fmt: skip
        if failed >= 0:
            message = "a circuit without a token: its activities wait for each other"
            raise ZeroDivisionError(message)
        return ratios, policies


def max_cycle_ratio(
    tails: NDArray[np.int32],
    heads: NDArray[np.int32],
    weights: NDArray[np.float64],
    tokens: NDArray[np.float64],
    n_nodes: int,
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return the largest cycle ratios of graphs; see `CycleGraph` for arguments and results."""
    return CycleGraph(tails, heads, n_nodes).max_cycle_ratio(weights, tokens)


@jit
def _solve_all(  # noqa: PLR0913, PLR0917 - arrays, which compiled code may not create
    order: NDArray[np.int32],
    first: NDArray[np.int32],
    heads: NDArray[np.int32],
    weights: NDArray[np.float64],
    tokens: NDArray[np.float64],
    ratios: NDArray[np.float64],
    policies: NDArray[np.int32],
    values: NDArray[np.float64],
    marks: NDArray[np.int32],
    most_rounds: int,
) -> int:
    """Solve graph after graph; return the first one with a circuit without tokens, or -1."""
    for g in range(weights.shape[0]):
        weight, token, policy = weights[g], tokens[g], policies[g]
        tolerance = _RELATIVE
        for arc in range(weight.shape[0]):
            tolerance = max(tolerance, _RELATIVE * abs(weight[arc]))
        _first_policy(order, first, heads, weight, policy, marks)
        for _ in range(most_rounds):
            if not _evaluate(heads, weight, token, policy, values, marks):
                return g
            if not _improve(order, first, heads, weight, token, policy, values, tolerance):
                break
        ratio = -np.inf
        for node in range(policy.shape[0]):
            ratio = max(ratio, values[0, node])
        ratios[g] = ratio
    return -1


@jit
def _first_policy(  # noqa: PLR0913, PLR0917 - as above
    order: NDArray[np.int32],
    first: NDArray[np.int32],
    heads: NDArray[np.int32],
    weight: NDArray[np.float64],
    policy: NDArray[np.int32],
    marks: NDArray[np.int32],
) -> None:
    """Let each node follow its heaviest arc to a node from which the way goes on."""
    n = policy.shape[0]
    for node in range(n):
        marks[0, node] = 1
    changed = True
    while changed:
        changed = False
        for node in range(n):
            if marks[0, node] == 0:
                continue
            best = -1
            for k in range(first[node], first[node + 1]):
                arc = order[k]
                if marks[0, heads[arc]] and (best < 0 or weight[arc] > weight[best]):
                    best = arc
            policy[node] = best
            if best < 0:
                marks[0, node] = 0
                changed = True
    for node in range(n):
        if marks[0, node] == 0:
            policy[node] = -1


@jit
def _evaluate(  # noqa: C901, PLR0913, PLR0917 - as above; one walk
    heads: NDArray[np.int32],
    weight: NDArray[np.float64],
    token: NDArray[np.float64],
    policy: NDArray[np.int32],
    values: NDArray[np.float64],
    marks: NDArray[np.int32],
) -> bool:
    """Give each node the ratio of the circuit it runs into, and its value on the way there.

    Rows of ``values``: ratio, value. Rows of ``marks``: 0 new, 1 on the way, 2 done; the way.
    """
    n = policy.shape[0]
    for node in range(n):
        marks[0, node] = 0
        if policy[node] < 0:
            marks[0, node] = 2
            values[0, node] = -np.inf
            values[1, node] = 0.0
    for start in range(n):
        length = 0
        node = start
        while marks[0, node] == 0:
            marks[0, node] = 1
            marks[1, length] = node
            length += 1
            node = heads[policy[node]]
        if marks[0, node] == 1:
            # A new circuit: `node` stands in it.
            total, held = 0.0, 0.0
            at = node
            while True:
                arc = policy[at]
                total += weight[arc]
                held += token[arc]
                at = heads[arc]
                if at == node:
                    break
            if held <= 0.0:
                return False
            values[0, node] = total / held
            values[1, node] = 0.0
            marks[0, node] = 2
        for k in range(length - 1, -1, -1):
            at = marks[1, k]
            if marks[0, at] == 2:  # noqa: PLR2004 - as said above
                continue
            arc = policy[at]
            ahead = heads[arc]
            values[0, at] = values[0, ahead]
            values[1, at] = weight[arc] - values[0, ahead] * token[arc] + values[1, ahead]
            marks[0, at] = 2
    return True


@jit
def _improve(  # noqa: C901, PLR0913, PLR0917 - as above
    order: NDArray[np.int32],
    first: NDArray[np.int32],
    heads: NDArray[np.int32],
    weight: NDArray[np.float64],
    token: NDArray[np.float64],
    policy: NDArray[np.int32],
    values: NDArray[np.float64],
    tolerance: float,
) -> bool:
    """Follow arcs to higher ratios, and where there are none, arcs of higher value."""
    changed = False
    for node in range(policy.shape[0]):
        if policy[node] < 0:
            continue
        best = values[0, node]
        for k in range(first[node], first[node + 1]):
            arc = order[k]
            if policy[heads[arc]] >= 0 and values[0, heads[arc]] > best + tolerance:
                best = values[0, heads[arc]]
                policy[node] = arc
                changed = True
    if changed:
        return True
    for node in range(policy.shape[0]):
        if policy[node] < 0:
            continue
        best = values[1, node]
        for k in range(first[node], first[node + 1]):
            arc = order[k]
            ahead = heads[arc]
            if policy[ahead] < 0 or math.fabs(values[0, ahead] - values[0, node]) > tolerance:
                continue
            value = weight[arc] - values[0, node] * token[arc] + values[1, ahead]
            if value > best + tolerance:
                best = value
                policy[node] = arc
                changed = True
    return changed
