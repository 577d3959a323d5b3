"""The calendar: the next time of each actor, and a tournament that keeps the earliest on top."""

import numpy as np
from numpy.typing import NDArray

from gigatwin.kernel._jit import jit_inline


def empty_calendar(n_actors: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return a clock and a tree in which no actor has an entry.

    Parameters
    ----------
    n_actors : int
        Number of actors.

    Returns
    -------
    clock : numpy.ndarray
        Next time of each leaf, infinite. float64, shape (n_leaves,) [s]
    tree : numpy.ndarray
        Winner of each node; node 1 is the root, leaf ``i`` is node ``n_leaves + i``.
        int32, shape (2 * n_leaves,)
    """
    n_leaves = 2
    while n_leaves < n_actors:
        n_leaves *= 2
    tree = np.zeros(2 * n_leaves, dtype=np.int32)
    tree[n_leaves:] = np.arange(n_leaves)
    for node in range(n_leaves - 1, 0, -1):
        tree[node] = tree[2 * node]
    return np.full(n_leaves, np.inf), tree


@jit_inline
def schedule(clock: NDArray[np.float64], tree: NDArray[np.int32], actor: int, time: float) -> None:
    """Give an actor its next time (infinite: none). On equal times the lower number wins."""
    clock[actor] = time
    node = np.uint32(actor + clock.shape[0])
    winner = np.int32(actor)
    earliest = time
    while node > 1:
        other = tree[np.uint32(node ^ 1)]
        rival = clock[np.uint32(other)]
        # Written without a branch: which of two comes first is as good as random.
        gives_way = (rival < earliest) | ((rival == earliest) & (other < winner))
        winner = winner ^ ((winner ^ other) & -np.int32(gives_way))
        earliest = min(earliest, rival)
        node = np.uint32(node >> 1)
        tree[node] = winner
