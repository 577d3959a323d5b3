"""What is left of a duration that has already lasted a while: the law of X - e, given X > e.

Everything here is about the compiled laws, so that a live state continues with exactly the numbers
that the kernel would draw.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.law_kinds import law_kind
from gigatwin.kernel.layout import Law

_GRID = 4096
"""Cells of probability in which the time to the next event is calculated."""


class ResidualLaws:
    """The laws of a compiled factory, and what is left of a duration that follows one of them.

    Parameters
    ----------
    laws : numpy.ndarray
        Records of `gigatwin.kernel.layout.LAW`, as `Model.laws`.
    tables : numpy.ndarray
        The values they refer to, as `Model.tables`.

    Notes
    -----
    Each draw takes one uniform number, 0 <= u < 1, and grows with it, so that two factories that
    share their numbers share their luck.
    """

    def __init__(self, laws: NDArray[np.void], tables: NDArray[np.float64]) -> None:
        self._kinds = [law_kind(record, tables) for record in laws]
        self._is_exponential = [bool(record["kind"] == Law.EXPONENTIAL) for record in laws]
        self._recurrence = functools.cache(self._recurrence_of)

    def mean(self, law: int) -> float:
        """Return the mean of a law. [s]."""
        return self._kinds[law].mean

    def quantile(self, law: int, u: float) -> float:
        """Return the value that the kernel draws with a uniform number."""
        return self._kinds[law].quantile(u)

    def survival(self, law: int, value: float) -> float:
        """Return the probability of more than a value. [-]."""
        return 1.0 if value < 0.0 else self._kinds[law].survival(value)

    def density(self, law: int, value: float, tolerance: float) -> float:
        """Return the probability density about a value, averaged over plus and minus a tolerance.

        Parameters
        ----------
        law : int
            Number of the law.
        value : float
            Duration. [s]
        tolerance : float
            Half the width that is averaged over, above 0; it makes a density of constants and of
            samples, too. [s]

        Returns
        -------
        float
            Probability per second. [1/s]
        """
        low, high = value - tolerance, value + tolerance
        return (self.survival(law, low) - self.survival(law, high)) / (high - low)

    def left(self, law: int, elapsed: float, u: float) -> float:
        """Return what is left of a duration that has lasted ``elapsed`` and goes on.

        Parameters
        ----------
        law : int
            Number of the law.
        elapsed : float
            How long it has lasted, 0 or more. [s]
        u : float
            Uniform number, 0 <= u < 1.

        Returns
        -------
        float
            Time left, 0 or more; 0 where the law does not allow so long a duration. [s]
        """
        kind = self._kinds[law]
        return kind.quantile(u) if elapsed <= 0.0 else kind.left(elapsed, u)

    def until_next(self, law: int, watched: float, u: float) -> float:
        """Return the time until the next of a row of events, none of which was seen so far.

        Parameters
        ----------
        law : int
            Number of the law of the time between two events.
        watched : float
            How long it has been watched in vain, 0 or more. [s]
        u : float
            Uniform number, 0 <= u < 1.

        Notes
        -----
        When the last event is not known, the time from any moment to the next one has the density
        (1 - F(x)) / mean (the forward recurrence time of a renewal process in its steady state).
        """
        if self._is_exponential[law]:
            return self.quantile(law, u)
        values, shares = self._recurrence(law)
        used = float(np.interp(watched, values, shares))
        if used >= 1.0:
            return 0.0
        return max(float(np.interp(used + u * (1.0 - used), shares, values)) - watched, 0.0)

    def _recurrence_of(self, law: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return durations and the probability that the next event comes within each of them."""
        middles = (np.arange(_GRID) + 0.5) / _GRID
        at_middle = np.array([self.quantile(law, float(u)) for u in middles])
        # The integral of 1 - F up to Q(u) is Q(u) (1 - u) + the integral of Q below u.
        below = np.cumsum(at_middle) / _GRID
        inner = at_middle * (1.0 - middles) + below - at_middle / (2 * _GRID)
        values = np.concatenate(([0.0], at_middle, [at_middle[-1]]))
        areas = np.concatenate(([0.0], inner, [below[-1]]))
        areas = np.maximum.accumulate(areas)
        return values, areas / areas[-1] if areas[-1] > 0.0 else np.ones_like(areas)
