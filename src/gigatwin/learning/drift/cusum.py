r"""Cumulative sums that notice a change while it happens, with a stated rate of false alarms.

The chart adds up how far standardised values :math:`z` lie above (and below) their reference,

.. math:: S_t = \max(0, S_{t-1} + z_t - k),

and calls when :math:`S_t > h` [1]_. The limit ``h`` follows from the wanted mean number of values
between two false alarms (ARL0). For normal values that number solves an integral equation, which
is solved here by Gauss-Legendre quadrature; the Markov chain of Brook and Evans [2]_ is the same
equation with equal cells, and comes to the same number with far more of them.

References
----------
.. [1] E. S. Page, "Continuous inspection schemes", Biometrika 41 (1954) 100-115.
.. [2] D. Brook, D. A. Evans, "An approach to the probability distribution of CUSUM run length",
   Biometrika 59 (1972) 539-549.
"""

import functools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Floats = NDArray[np.float64]

ALLOWANCE = 0.25
"""Default allowance k: quickest for shifts by half a standard deviation."""
_HIGHEST = 40.0
_NODES_OF_MEAN, _NODES_OF_SPREAD = 11, 5
_MOST_STEPS, _PRECISION = 12, 2e-4


def average_run_length(
    limit: float, allowance: float = 0.5, shift: float = 0.0, *, two_sided: bool = True
) -> float:
    """Return the mean number of standard normal values until the chart calls.

    Parameters
    ----------
    limit : float
        Limit h, above 0. [standard deviations]
    allowance : float
        Allowance k. [standard deviations]
    shift : float
        Mean of the values; 0 while nothing has changed. [standard deviations]
    two_sided : bool
        Whether a sum downwards is kept too.

    Examples
    --------
    >>> round(average_run_length(4.0, two_sided=False), 1)
    335.4
    >>> round(average_run_length(5.0), 0)
    465.0
    """
    drifts = np.array([allowance - shift, allowance + shift][: 1 + two_sided])
    lengths = _run_lengths(np.full(len(drifts), limit), drifts)
    return float(1.0 / np.sum(1.0 / lengths))


def _run_lengths(limits: Floats, allowances: Floats) -> Floats:
    """Return the one-sided run lengths for several charts at once. Shape (n_charts,)."""
    n = 12 + math.ceil(1.6 * float(limits.max()))
    nodes, weights = np.polynomial.legendre.leggauss(n)
    x = 0.5 * limits[:, None] * (nodes + 1.0)
    w = 0.5 * limits[:, None] * weights
    k = allowances[:, None]
    # Unknowns: the run lengths from each node, and last from 0.
    begins = np.concatenate((x, np.zeros((len(limits), 1))), axis=1)
    steps = x[:, None, :] + k[:, :, None] - begins[:, :, None]
    matrix = np.empty((len(limits), n + 1, n + 1))
    matrix[:, :, :n] = -w[:, None, :] * np.exp(-0.5 * steps**2) / math.sqrt(2.0 * math.pi)
    matrix[:, :, n] = -special.ndtr(k - begins)
    index = np.arange(n + 1)
    matrix[:, index, index] += 1.0
    lengths = np.linalg.solve(matrix, np.ones((len(limits), n + 1, 1)))[:, n, 0]
    # Beyond the precision of the machine the solution loses its sign.
    return np.asarray(np.where(lengths > 0, np.minimum(lengths, 1e14), 1e14))


@functools.lru_cache(maxsize=512)
def threshold(
    arl0: float,
    allowance: float = 0.5,
    *,
    two_sided: bool = True,
    n_reference: int | None = None,
) -> float:
    """Return the limit h of a chart with a wanted mean number of values between false alarms.

    Parameters
    ----------
    arl0 : float
        Wanted mean number of values between two false alarms, above 2.
    allowance : float
        Allowance k. [standard deviations]
    two_sided : bool
        Whether a sum downwards is kept too.
    n_reference : int, optional
        Number of values that mean and spread were estimated from; the limit is then raised until
        the false alarms, averaged over the errors of both estimates, are as rare as wanted. Left
        out: mean and spread are known.

    Returns
    -------
    float
        Limit h. [standard deviations]

    Raises
    ------
    ValueError
        If ``arl0`` is not above 2, or if no limit gives it with so few reference values.

    Examples
    --------
    >>> round(threshold(465.4), 2)
    5.0
    """
    least = 2.0
    if not least < arl0 < math.inf:
        message = f"CUSUM threshold: arl0 is {arl0:g}; must be a number of values above {least:g}"
        raise ValueError(message)

    (offsets, ratios), weights = _estimation_errors(n_reference)

    def excess(limit: float, *, exact: bool) -> float:
        run_lengths = _run_lengths if exact else _rough_run_lengths
        lengths = run_lengths(limit * ratios, allowance * ratios - offsets)
        return math.log(arl0 * (1 + two_sided) * float(np.sum(weights / lengths)))

    if excess(_HIGHEST, exact=False) > 0:
        message = (
            f"CUSUM threshold: {n_reference} reference values cannot give one false alarm in "
            f"{arl0:g} values with allowance {allowance:g}; give more of them, or a larger "
            "allowance"
        )
        raise ValueError(message)
    limit = float(optimize.brentq(lambda h: excess(h, exact=False), 0.0, _HIGHEST))
    # The rough curve has nearly the slope of the exact one, so few exact solutions are needed.
    for _ in range(_MOST_STEPS):
        error = excess(limit, exact=True)
        if abs(error) < _PRECISION:
            break
        step = 1e-3
        slope = (excess(limit + step, exact=False) - excess(limit, exact=False)) / step
        limit = max(limit - error / slope, 0.5 * limit)
    return limit


def false_alarm_rate(
    limit: float, allowance: float, n_reference: int, *, two_sided: bool = True
) -> float:
    """Return the false alarms per value when mean and spread were estimated, on average.

    Parameters
    ----------
    limit, allowance : float
        Limit h and allowance k. [estimated standard deviations]
    n_reference : int
        Number of normal values that mean and spread were estimated from.
    two_sided : bool
        Whether a sum downwards is kept too.
    """
    (offsets, ratios), weights = _estimation_errors(n_reference)
    lengths = _run_lengths(limit * ratios, allowance * ratios - offsets)
    # The error of the mean is as likely up as down, so both sides have the same mean rate.
    return float((1 + two_sided) * np.sum(weights / lengths))


def _estimation_errors(n_reference: int | None) -> tuple[tuple[Floats, Floats], Floats]:
    """Return errors of the mean, ratios of the spread, and how much each pair counts."""
    if n_reference is None:
        return (np.zeros(1), np.ones(1)), np.ones(1)
    offsets, mean_weights = _normal_nodes(_NODES_OF_MEAN)
    spreads, spread_weights = _normal_nodes(_NODES_OF_SPREAD)
    # The logarithm of an estimated standard deviation is nearly normal.
    ratios = np.exp(spreads / math.sqrt(2.0 * n_reference))
    grid = np.meshgrid(offsets / math.sqrt(n_reference), ratios)
    return (grid[0].ravel(), grid[1].ravel()), np.outer(spread_weights, mean_weights).ravel()


def _rough_run_lengths(limits: Floats, allowances: Floats) -> Floats:
    """Return one-sided run lengths by the approximation of D. Siegmund (1985)."""
    reach = limits + 1.166
    # At allowance 0 the formula is 0/0, and its limit the square of the reach.
    k = np.where(np.abs(allowances) < 1e-3, 1e-3, allowances)  # noqa: PLR2004  any small number
    return np.asarray((np.expm1(2 * k * reach) - 2 * k * reach) / (2 * k * k))


def _normal_nodes(n: int) -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    return nodes, weights / math.sqrt(2.0 * math.pi)


def normal_scores(values: Floats, reference: Floats) -> Floats:
    """Return where values lie among reference values, as standard normal quantiles.

    Ranks know no heavy tails: whatever the law of the values, the scores are standard normal
    while nothing changes, and a single wild value counts no more than the largest reference
    value. Equal values share their rank, which makes scores smaller, never larger.

    Parameters
    ----------
    values : ndarray
        Shape (n,).
    reference : ndarray
        Shape (n_reference,), at least 1.

    Returns
    -------
    ndarray
        Shape (n,).
    """
    ordered = np.sort(reference)
    below = np.searchsorted(ordered, values, side="left")
    up_to = np.searchsorted(ordered, values, side="right")
    ranks = 0.5 * (below + up_to) + 0.5
    return np.asarray(special.ndtri(ranks / (len(ordered) + 1)))


@dataclass(frozen=True)
class Call:
    """A moment at which the chart crossed its limit."""

    index: int
    """Value at which it called."""
    begin: int
    """First value of the sum that crossed: where the change began, roughly."""
    direction: Literal[-1, 1]
    """1 when values went up, -1 when they went down."""


def first_call(scores: Floats, limit: float, allowance: float) -> Call | None:
    """Return the first time that the two-sided chart calls, or None if it never does.

    Parameters
    ----------
    scores : ndarray
        Standardised values. Shape (n,).
    limit, allowance : float
        Limit h and allowance k. [standard deviations]
    """
    calls = []
    for direction in (1, -1):
        sums = np.concatenate(([0.0], np.cumsum(direction * scores - allowance)))
        lowest = np.minimum.accumulate(sums)
        over = np.flatnonzero(sums - lowest > limit)
        if len(over):
            last = int(over[0])
            begin = int(np.flatnonzero(sums[: last + 1] == lowest[last])[-1])
            calls.append(Call(last - 1, begin, 1 if direction == 1 else -1))
    return min(calls, key=lambda call: call.index, default=None)
