r"""How far observations may be from their prediction, when they are looked at several times.

At look k the cumulative count :math:`N_k` is predicted with mean :math:`m_k` and covariance
:math:`\Sigma`. The watch ends at the first look with

.. math:: z_k = (m_k - N_k) / \sqrt{\Sigma_{kk}} > c .

The critical value c is the quantile of the largest :math:`z_k` of all looks when the prediction is
right, so that the probability of a false end *over the whole watch* is the stated one (Pocock's
form of a group sequential test [1]_). It is found from drawn paths: normal with covariance
:math:`\Sigma`, and divided by a common chi where :math:`\Sigma` was estimated from few runs.

References
----------
.. [1] S. J. Pocock, "Group sequential methods in the design and analysis of clinical trials",
   Biometrika 64 (1977) 191-199.
"""

import functools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Covariance = Sequence[Sequence[float]]

_PATHS = 200_000
_SEED = 46
_ENOUGH = 1000.0
"""Degrees of freedom from which on a t is as good as normal."""


def critical_value(
    covariance: Covariance, degrees: float, error: float, *, is_two_sided: bool = False
) -> float:
    """Return how many standard deviations off a count may be at any look.

    Parameters
    ----------
    covariance : sequence of sequences
        Of the predicted cumulative counts, shape (looks, looks).
    degrees : float
        Degrees of freedom of the covariance; infinite when it is known.
    error : float
        Probability of going beyond at any look although the prediction is right. [-]
    is_two_sided : bool
        Whether both directions count.

    Examples
    --------
    One look is the ordinary quantile.

    >>> round(critical_value([[4.0]], float("inf"), 0.05), 1)
    1.6
    """
    found = _drawn(tuple(map(tuple, covariance)), degrees)
    largest = (np.abs(found) if is_two_sided else found).max(axis=1)
    return float(np.quantile(largest, 1.0 - error, method="higher"))


def power(
    covariance: Covariance,
    degrees: float,
    critical: float,
    loss: Sequence[float],
    *,
    is_two_sided: bool = False,
) -> float:
    """Return the probability that the watch ends when each count is less by ``loss``.

    Parameters
    ----------
    covariance, degrees
        As of `critical_value`.
    critical : float
        The critical value.
    loss : sequence of float
        Items by which the counts are lower than predicted, for each look.
    is_two_sided : bool
        Whether both directions count.
    """
    spread = np.sqrt(np.diag(np.asarray(covariance, dtype=np.float64)))
    found = _drawn(tuple(map(tuple, covariance)), degrees) + np.asarray(loss) / spread
    return float(np.mean(((np.abs(found) if is_two_sided else found) > critical).any(axis=1)))


@functools.lru_cache(maxsize=4)
def _drawn(covariance: tuple[tuple[float, ...], ...], degrees: float) -> Floats:
    """Return standardised paths, shape (n, looks)."""
    matrix = np.asarray(covariance, dtype=np.float64)
    spread = np.sqrt(np.diag(matrix))
    correlation = matrix / np.outer(spread, spread)
    # A covariance of few runs has no Cholesky factor.
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    rng = np.random.default_rng(_SEED)
    paths = rng.standard_normal((_PATHS, len(spread))) @ root.T
    if math.isfinite(degrees) and degrees < _ENOUGH:
        paths /= np.sqrt(rng.chisquare(degrees, _PATHS) / degrees)[:, None]
    return np.asarray(paths)
