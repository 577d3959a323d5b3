"""How far a foretold law is from what came: CRPS, Kolmogorov-Smirnov, Wasserstein."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def crps(foretold: Array, actual: Array, weights: Array | None = None) -> float:
    """Return the mean continuous ranked probability score of equally likely foretold values.

    With the distribution functions F of the foretold and G of the actual values it is the integral
    of (F - G)^2 + G (1 - G).

    Parameters
    ----------
    foretold : ndarray
        Shape (n,).
    actual : ndarray
        Shape (m,).
    weights : ndarray, optional
        Weights of the actual values. Shape (m,).
    """
    width, first, second = _steps(foretold, actual, weights)
    return float(width @ ((first - second) ** 2 + second * (1 - second)))


def distances(foretold: Array, actual: Array, weights: Array | None = None) -> tuple[float, float]:
    """Return the Kolmogorov-Smirnov and the Wasserstein distance of foretold and actual values."""
    width, first, second = _steps(foretold, actual, weights)
    gaps = np.abs(first - second)
    # Between tied values a step has no width, and its height is none of the functions' values.
    return float(gaps[width > 0].max(initial=0.0)), float(width @ gaps)


def _steps(foretold: Array, actual: Array, weights: Array | None) -> tuple[Array, Array, Array]:
    """Return the widths between all values in order, and both distribution functions there."""
    n, m = len(foretold), len(actual)
    values = np.concatenate((foretold, actual))
    order = np.argsort(values, kind="stable")
    # Counts, so that the functions of equal samples are equal to the last digit.
    first = np.cumsum(order < n) / n
    if weights is None:
        second = np.cumsum(order >= n) / m
    else:
        mass = np.concatenate((np.zeros(n), weights / weights.sum()))
        second = np.minimum(np.cumsum(mass[order]), 1.0)
    return np.diff(values[order]), first[:-1], second[:-1]


def bound_weights(
    values: Array,
    is_bound: NDArray[np.bool_],
    weights: Array,
    bound: Literal["upper", "lower"] = "upper",
) -> Array:
    """Return weights that hand the mass of each upper bound to the exact values below it.

    This is the product-limit estimate for durations of which some are only known to be at most so
    long, or at least so long [1]_. A bound beyond every exact value keeps its mass.

    Parameters
    ----------
    values : ndarray
        Durations and bounds. Shape (n,). [s]
    is_bound : ndarray
        Which are bounds. Shape (n,).
    weights : ndarray
        Weights before. Shape (n,).
    bound : str
        Whether they are upper bounds, or lower ones, whose mass goes to longer exact values.

    References
    ----------
    .. [1] B. W. Turnbull, "Nonparametric estimation of a survivorship function with doubly
       censored data", J. Am. Stat. Assoc. 69 (1974) 169-173.
    """
    # From the largest down; at ties the bound comes first, so that its mass can go to its equal.
    ranked = values if bound == "upper" else -values
    order = np.lexsort((is_bound, ranked))[::-1]
    flags, mass = is_bound[order], np.asarray(weights[order], dtype=np.float64)
    exact_below = np.cumsum(np.where(flags, 0.0, mass)[::-1])[::-1]
    below = np.cumsum(mass[::-1])[::-1] - mass
    hands_on = flags & (exact_below > 0)
    growth = np.ones(len(mass))
    growth[hands_on] = 1 + mass[hands_on] / below[hands_on]
    result = np.empty(len(mass))
    result[order] = np.where(hands_on, 0.0, mass * np.cumprod(growth))
    return result
