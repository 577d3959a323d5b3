"""Where the stations of a line are drawn: in layers from left to right, with few crossings.

The steps of Sugiyama: layers by the longest way, places for long ways in the layers that they
cross, order by the mean place of the neighbours, positions by least squares.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Edge = tuple[str, str]
_SWEEPS = 24
_PASSING = 0.4
"""Height of a way that passes a layer, in heights of a station."""
_STRAIGHT = 8.0
"""How much more a long way is kept straight than a short one."""


@dataclass(frozen=True)
class Layout:
    """Places of stations and of the ways between them."""

    layer: dict[str, int]
    """Station to its layer, from 0."""
    row: dict[str, float]
    """Station to its height, downwards from 0, in heights of a station."""
    passes: dict[Edge, tuple[tuple[int, float], ...]]
    """Way to the layers that it passes, and its height in each."""

    @property
    def n_layers(self) -> int:
        """Number of layers."""
        return 1 + max(self.layer.values(), default=0)


@dataclass(frozen=True)
class _Item:
    """A station, or a place where a long way passes."""

    name: str
    edge: Edge | None = None
    layer: int = 0


def layered(nodes: Sequence[str], weights: Mapping[Edge, float]) -> Layout:
    """Return the places of nodes.

    Parameters
    ----------
    nodes : sequence of str
        In the order of the flow: no way leads to an earlier one.
    weights : mapping
        Way to its share of items; ways with a large one are drawn straight.
    """
    layers = _layers(nodes, list(weights))
    columns: list[list[_Item]] = [[] for _ in range(1 + max(layers.values(), default=0))]
    for name in nodes:
        columns[layers[name]].append(_Item(name, None, layers[name]))
    links: list[tuple[_Item, _Item, float]] = []
    stations = {item.name: item for column in columns for item in column}
    chains: dict[Edge, list[_Item]] = {}
    for (source, target), weight in weights.items():
        places = range(layers[source] + 1, layers[target])
        chain = [_Item(f"{k}", (source, target), k) for k in places]
        for item in chain:
            columns[item.layer].append(item)
        chains[source, target] = chain
        steps = [stations[source], *chain, stations[target]]
        for a, b in pairwise(steps):
            is_long = a.edge is not None and b.edge is not None
            links.append((a, b, (0.05 + weight) * (_STRAIGHT if is_long else 1.0)))
    _sort(columns, links)
    rows = _upright(_rows(columns, links), stations, nodes, layers)
    return Layout(
        layer=layers,
        row={name: rows[stations[name]] for name in nodes},
        passes={
            edge: tuple((item.layer, rows[item]) for item in chain)
            for edge, chain in chains.items()
        },
    )


def _upright(
    rows: dict[_Item, float],
    stations: Mapping[str, _Item],
    nodes: Sequence[str],
    layers: Mapping[str, int],
) -> dict[_Item, float]:
    """Return the heights turned over where the begin of the line would stand far below."""
    first = next((name for name in nodes if layers[name] == 0), None)
    bottom = max(rows.values(), default=0.0)
    if first is None or rows[stations[first]] <= bottom / 2:
        return rows
    return {item: bottom - row for item, row in rows.items()}


def _layers(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """Return the layer of each node; side lines stand as near as possible to where they join."""
    before: dict[str, list[str]] = {name: [] for name in nodes}
    after: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in edges:
        before[target].append(source)
        after[source].append(target)
    layer: dict[str, int] = {}
    for name in nodes:
        layer[name] = 1 + max((layer[other] for other in before[name]), default=-1)
    main = _reached(after, _main(nodes, before, after))
    for name in reversed(nodes):
        if name not in main and after[name]:
            layer[name] = min(layer[other] for other in after[name]) - 1
    return layer


def _main(
    nodes: Sequence[str], before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]
) -> str:
    """Return the begin from which the most nodes are reached."""
    begins = [name for name in nodes if not before[name]]
    return max(begins, key=lambda name: len(_reached(after, name)), default="")


def _reached(after: Mapping[str, Sequence[str]], begin: str) -> set[str]:
    found: set[str] = set()
    rest = [begin]
    while rest:
        name = rest.pop()
        if name not in found:
            found.add(name)
            rest += after.get(name, ())
    return found


def _sort(columns: list[list[_Item]], links: Sequence[tuple[_Item, _Item, float]]) -> None:
    """Put each column in the order of the mean places of its neighbours; keep the best."""
    near = _neighbours(links)
    best, fewest = [list(column) for column in columns], _crossings(columns, links)
    for sweep in range(_SWEEPS):
        is_forward = sweep % 2 == 0
        for column in columns if is_forward else reversed(columns):
            place = {item: k for other in columns for k, item in enumerate(other)}
            side = -1 if is_forward else 1
            keys = {}
            for item in column:
                found = [
                    (place[other], weight)
                    for other, weight in near.get(item, ())
                    if other.layer == item.layer + side
                ]
                total = sum(weight for _, weight in found)
                keys[item] = (
                    sum(k * weight for k, weight in found) / total if found else place[item]
                )
            column.sort(key=keys.__getitem__)
        crossings = _crossings(columns, links)
        if crossings < fewest:
            best, fewest = [list(column) for column in columns], crossings
    for column, order in zip(columns, best, strict=True):
        column[:] = order


def _neighbours(
    links: Sequence[tuple[_Item, _Item, float]],
) -> dict[_Item, list[tuple[_Item, float]]]:
    found: dict[_Item, list[tuple[_Item, float]]] = {}
    for a, b, weight in links:
        found.setdefault(a, []).append((b, weight))
        found.setdefault(b, []).append((a, weight))
    return found


def _crossings(
    columns: Sequence[Sequence[_Item]], links: Sequence[tuple[_Item, _Item, float]]
) -> int:
    """Return the number of pairs of ways that cross."""
    place = {item: k for column in columns for k, item in enumerate(column)}
    total = 0
    for layer in range(len(columns)):
        ends = np.array([(place[a], place[b]) for a, b, _ in links if a.layer == layer])
        if len(ends):
            apart = (ends[:, None, :] - ends[None, :, :]).prod(axis=2)
            total += int((apart < 0).sum()) // 2
    return total


def _rows(
    columns: Sequence[Sequence[_Item]], links: Sequence[tuple[_Item, _Item, float]]
) -> dict[_Item, float]:
    """Return heights that keep ways straight and items apart."""
    near = _neighbours(links)
    rows = {item: float(k) for column in columns for k, item in enumerate(column)}
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            wanted, weights = [], []
            for item in column:
                found = near.get(item, [])
                total = sum(weight for _, weight in found)
                mean = sum(rows[other] * weight for other, weight in found)
                wanted.append(mean / total if found else rows[item])
                weights.append(max(total, 0.01))
            for item, row in zip(
                column, _apart(column, np.array(wanted), np.array(weights)), strict=True
            ):
                rows[item] = float(row)
    top = min(rows.values(), default=0.0)
    return {item: row - top for item, row in rows.items()}


def _apart(
    column: Sequence[_Item], wanted: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the heights nearest to the wanted ones at which the items of a column fit."""
    heights = np.array([1.0 if item.edge is None else _PASSING for item in column])
    offsets = np.concatenate(([0.0], np.cumsum((heights[1:] + heights[:-1]) / 2)))[: len(column)]
    # Isotonic regression: neighbours that are too near share the mean of what they want.
    blocks: list[list[float]] = []
    for value, weight in zip(wanted - offsets, weights, strict=True):
        blocks.append([value, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, total, n = blocks.pop()
            last = blocks[-1]
            last[0] = (last[0] * last[1] + mean * total) / (last[1] + total)
            last[1] += total
            last[2] += n
    return np.repeat([b[0] for b in blocks], [int(b[2]) for b in blocks]) + offsets
