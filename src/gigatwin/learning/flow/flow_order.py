"""The order of the flow: ways back, places of stations, connected lines."""

import heapq

import numpy as np
from numpy.typing import NDArray

from gigatwin.learning.flow.arcs import Arcs, Walks, is_fresh

_MOSTLY = 0.5


def ways_back(arcs: Arcs, walk: Walks, first: NDArray[np.bool_]) -> set[tuple[int, int]]:
    """Return the ways that mostly led to where the case had been before.

    Parameters
    ----------
    arcs : dict
        Believed ways.
    walk : Walks
        The cases.
    first : ndarray
        Whether a visit is the first of its case. Shape (n,).
    """
    again = ~is_fresh(walk.code, first, walk.n_codes)
    inner = ~first
    base = walk.n_codes + 2
    keys, index = np.unique(walk.before[inner] * base + walk.code[inner], return_inverse=True)
    share = np.bincount(index, weights=again[inner]) / np.bincount(index)
    back = {
        (int(key) // base, int(key) % base)
        for key, part in zip(keys, share, strict=True)
        if part > _MOSTLY
    }
    return back & set(arcs)


def places(
    arcs: Arcs, rework: set[tuple[int, int]], walk: Walks, first: NDArray[np.bool_]
) -> list[int]:
    """Return the stations in the order of the flow.

    Ways that do not lead back decide; between stations that they leave open, and in circles, where
    in their cases the visits are on average.

    Parameters
    ----------
    arcs : dict
        Believed ways, with joins.
    rework : set
        Ways back.
    walk : Walks
        The cases.
    first : ndarray
        Whether a visit is the first of its case. Shape (n,).
    """
    n = walk.n_codes
    mean = _mean_places(walk, first)
    ahead: list[set[int]] = [set() for _ in range(n)]
    waits_for = [0] * n
    for source, target in arcs:
        if max(source, target) < n and source != target and (source, target) not in rework:
            ahead[source].add(target)
            waits_for[target] += 1
    ready = [(mean[index], index) for index in range(n) if waits_for[index] == 0]
    heapq.heapify(ready)
    order: list[int] = []
    left = set(range(n))
    while left:
        if not ready:
            # A circle, as in a job shop: go on where cases are earliest.
            start = min(left, key=lambda index: (mean[index], index))
            heapq.heappush(ready, (mean[start], start))
        _, index = heapq.heappop(ready)
        order.append(index)
        left.remove(index)
        for target in ahead[index]:
            waits_for[target] -= 1
            if waits_for[target] == 0 and target in left:
                heapq.heappush(ready, (mean[target], target))
    return order


def _mean_places(walk: Walks, first: NDArray[np.bool_]) -> list[float]:
    case = np.cumsum(first) - 1
    position = (np.arange(len(case)) - np.flatnonzero(first)[case]) / np.bincount(case)[case]
    total = np.bincount(walk.code, weights=position, minlength=walk.n_codes)
    counts = np.maximum(np.bincount(walk.code, minlength=walk.n_codes), 1)
    return [float(value) for value in total / counts]


def components(arcs: Arcs, order: list[int]) -> list[list[int]]:
    """Return the stations that are connected, in a given order."""
    root = {index: index for index in order}

    def top(index: int) -> int:
        while root[index] != index:
            root[index] = root[root[index]]
            index = root[index]
        return index

    for source, target in arcs:
        if source in root and target in root:
            root[top(source)] = top(target)
    parts: dict[int, list[int]] = {}
    for index in order:
        parts.setdefault(top(index), []).append(index)
    return list(parts.values())
