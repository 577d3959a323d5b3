"""What the columns of ordered visits say of machines: times, queues, servers, batches."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gigatwin.learning.flow.grouping import Times, times_of
from gigatwin.learning.flow.sequences import KEY, Ordered
from gigatwin.learning.flow.servers import n_servers

_OVERTAKEN = 0.02
"""Share of items from one queue that may seem to have overtaken another."""
_BATCHES = 0.5
"""Share of visits that begin together with others from which a machine works in batches."""


class VisitColumns:
    """The columns of ordered visits as arrays."""

    def __init__(self, order: Ordered) -> None:
        table = order.visits
        self.pair = order.pair
        self.first = order.first
        self.key = table[KEY].to_numpy().astype(float)
        self.start = table["start"].to_numpy().astype(float)
        self.end = table["end"].to_numpy().astype(float)


class Queues:
    """Whether machines took items in the order in which they came."""

    def __init__(self, columns: VisitColumns) -> None:
        left = np.roll(columns.end, 1)
        rows = np.flatnonzero(~columns.first & ~np.isnan(left))
        self._came = left[rows]
        self._from = np.roll(columns.pair, 1)[rows]
        self._pair = columns.pair[rows]
        self._start = columns.key[rows]

    def are_one(self, a: int, b: int) -> bool:
        """Return whether hardly an item overtook another one from the same machine."""
        rows = np.flatnonzero((self._pair == a) | (self._pair == b))
        rows = rows[np.lexsort((self._start[rows], self._came[rows], self._from[rows]))]
        if len(rows) < 2:  # noqa: PLR2004 - nothing to overtake
            return True
        crosses = (self._from[rows][1:] == self._from[rows][:-1]) & (
            self._pair[rows][1:] != self._pair[rows][:-1]
        )
        overtakes = np.diff(self._start[rows]) < 0
        return float((crosses & overtakes).sum()) <= _OVERTAKEN * max(int(crosses.sum()), 1)


def times_by_pair(columns: VisitColumns, n_pairs: int) -> list[Times]:
    """Return the typical time of each pair of activity and machine."""
    lengths = columns.end - columns.start
    known = np.flatnonzero(~np.isnan(lengths))
    return [times_of(lengths[known[rows]]) for rows in _rows_by(columns.pair[known], n_pairs)]


def servers_by_machine(columns: VisitColumns, pairs: tuple[tuple[str, str], ...]) -> dict[str, int]:
    """Return how many items each machine works on at once, whatever it does."""
    machines = sorted({machine for _, machine in pairs})
    place = {machine: index for index, machine in enumerate(machines)}
    of_pair = np.array([place[machine] for _, machine in pairs])
    return {
        machine: n_servers(columns.start[rows], columns.end[rows])
        for machine, rows in zip(
            machines, _rows_by(of_pair[columns.pair], len(machines)), strict=True
        )
    }


def batch_size(columns: VisitColumns, pairs: tuple[int, ...]) -> int:
    """Return how many visits of one machine begin at the same moment, as a rule."""
    sizes = []
    for pair in pairs:
        starts = columns.start[columns.pair == pair]
        _, counts = np.unique(starts[~np.isnan(starts)], return_counts=True)
        sizes.append(np.repeat(counts, counts))
    together = np.concatenate(sizes)
    if len(together) == 0 or float((together > 1).mean()) <= _BATCHES:
        return 1
    return int(np.median(together))


def _rows_by(number: NDArray[np.int64], n: int) -> list[NDArray[np.int64]]:
    """Return the rows of each number from 0 to n - 1."""
    rows = np.argsort(number, kind="stable")
    bounds = np.searchsorted(number[rows], np.arange(n + 1))
    return [rows[low:high] for low, high in pairwise(bounds)]
