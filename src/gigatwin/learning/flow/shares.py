"""Shares of ways, scrap and rework with their intervals, and whether a way depends on the last."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from gigatwin.factory.estimates import Estimate
from gigatwin.learning.intervals import jeffreys_interval, wilson_interval

_LEAST = 10
"""Moves from which shares count as identified."""
_RARE = 5.0
"""Least expected count of a cell; rarer ways are taken together."""


def share(n: int, total: int, n_ways: int = 2, rows: str = "") -> Estimate:
    """Return a share with its interval.

    Parameters
    ----------
    n, total : int
        Moves on this way and on all ways.
    n_ways : int
        Number of ways.
    rows : str
        Rows of the log they come from.
    """
    value = n / total if total else 0.0
    low, high = jeffreys_interval(n, total, n_ways)
    other_low, other_high = wilson_interval(n, total)
    return Estimate(
        value=value,
        low=min(low, value),
        high=max(high, value),
        n=total,
        method=(
            f"{n} of {total} counted; Jeffreys posterior of {n_ways} ways "
            f"(Wilson {other_low:.4g} to {other_high:.4g})"
        ),
        rows=rows,
        is_identified=total >= _LEAST,
    )


def way_shares(ways: Mapping[str, int], rows: str = "") -> dict[str, Estimate]:
    """Return the share of each way that leaves a station; the values sum to 1.

    Parameters
    ----------
    ways : mapping
        Target to number of moves, as in ``Flow.arcs``.
    rows : str
        Rows of the log they come from.
    """
    total = sum(ways.values())
    return {target: share(n, total, max(2, len(ways)), rows) for target, n in ways.items()}


@dataclass(frozen=True)
class Dependence:
    """Whether the way that an item takes depends on the way of the one before."""

    p_value: float
    """Probability of such a table of successive ways if each is drawn by itself."""
    n: int
    """Successive pairs of items."""
    repeat_ratio: float
    """Share of items that took the way of the one before; 0 where ways alternate."""


def dependence(ways: NDArray[np.int64]) -> Dependence:
    """Return whether the way that an item takes depends on the way of the one before.

    A chi-square test of the table of successive ways; rare ways are taken together.

    Parameters
    ----------
    ways : ndarray
        Way of each item, in the order in which they left. Shape (n,).
    """
    n = max(len(ways) - 1, 0)
    if n == 0:
        return Dependence(1.0, 0, 0.0)
    repeats = float((ways[1:] == ways[:-1]).mean())
    _, codes, counts = np.unique(ways, return_inverse=True, return_counts=True)
    rare = counts**2 < _RARE * len(ways)
    codes = np.where(rare[codes], len(counts), codes)
    _, codes = np.unique(codes, return_inverse=True)
    k = int(codes.max()) + 1
    table = np.bincount(codes[:-1] * k + codes[1:], minlength=k * k).reshape(k, k).astype(float)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    if k < 2 or expected.min() < 1.0:  # noqa: PLR2004 - no choice, or too few to tell
        return Dependence(1.0, n, repeats)
    chi_square = float(((table - expected) ** 2 / expected).sum())
    return Dependence(float(special.chdtrc((k - 1) ** 2, chi_square)), n, repeats)
