"""How good forecasts were, once it is known what came."""

import numpy as np
import numpy.typing as npt

from gigatwin.errors import StudyError


def crps(ensemble: npt.ArrayLike, observed: float) -> float:
    r"""Return the continuous ranked probability score of a forecast given by equally likely values.

    Parameters
    ----------
    ensemble : array_like
        The values, in any order, at least one; shape (n,).
    observed : float
        What came.

    Returns
    -------
    float
        The score in the unit of the values; smaller is better. For a single value it is the
        absolute error.

    Notes
    -----
    The integral of the squared difference between the distribution function of the values and the
    step at what came, which for n values is exactly [1]_

    .. math:: \frac1n \sum_i |x_i - y| - \frac1{2 n^2} \sum_{i, j} |x_i - x_j| .

    References
    ----------
    .. [1] T. Gneiting, A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation",
       J. American Statistical Association 102 (2007) 359-378, eq. 21.

    Examples
    --------
    >>> crps([1.0, 3.0], 2.0)
    0.5
    """
    values = np.sort(np.asarray(ensemble, dtype=np.float64).ravel())
    n = values.size
    if n == 0:
        message = "crps: no values; a forecast needs at least one."
        raise StudyError(message)
    error = float(np.abs(values - observed).mean())
    # Of sorted values, x_i is counted (2 i - n - 1) times in the sum of all differences.
    weights = 2.0 * np.arange(1, n + 1) - n - 1
    return error - float(weights @ values) / (n * n)


def interval(ensemble: npt.ArrayLike, probability: float) -> tuple[float, float]:
    """Return the central interval that holds a value with a probability.

    Parameters
    ----------
    ensemble : array_like
        Equally likely values; shape (n,).
    probability : float
        Between 0 and 1. [-]

    Notes
    -----
    The ends are order statistics for one more value of the same kind: of n values, the i-th
    smallest is not passed with probability i / (n + 1). Between two of them it is linear.
    """
    values = np.asarray(ensemble, dtype=np.float64).ravel()
    tail = (1.0 - probability) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail], method="weibull")
    return float(low), float(high)


def coverage(low: npt.ArrayLike, high: npt.ArrayLike, observed: npt.ArrayLike) -> float:
    """Return the share of values that lie within their intervals, ends included; NaN for none."""
    values = np.asarray(observed, dtype=np.float64)
    if values.size == 0:
        return float("nan")
    inside = (np.asarray(low) <= values) & (values <= np.asarray(high))
    return float(np.mean(inside))
