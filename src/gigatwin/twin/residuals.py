"""What is left of a duration that has lasted a while, and whether a machine has failed meanwhile.

States are drawn by the same laws in `gigatwin.compiler.residual_laws`; here they are asked one by
one, by the durations that a factory is described with.
"""

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.laws import LawTable
from gigatwin.compiler.residual_laws import ResidualLaws
from gigatwin.factory.durations import Duration

_STEPS = 800
"""Steps into which the time so far is cut."""


def _laws_of(duration: Duration) -> ResidualLaws:
    table = LawTable()
    table.add(duration)
    return ResidualLaws(*table.arrays())


def residual(duration: Duration, elapsed: float, u: float) -> float:
    """Return the time left at a probability, given how long a duration has lasted.

    Parameters
    ----------
    duration : float or law
        As in a description. [s]
    elapsed : float
        How long it has lasted, 0 or more. [s]
    u : float
        Probability with which the time left is shorter, 0 <= u < 1. [-]

    Returns
    -------
    float
        Time left; 0 where the law does not allow so long a duration. [s]

    Examples
    --------
    >>> residual(12.0, 5.0, 0.5)
    7.0
    """
    return _laws_of(duration).left(0, elapsed, u)


def residual_draws(duration: Duration, elapsed: float, n: int, seed: int) -> NDArray[np.float64]:
    """Return random times left, given how long a duration has lasted. Shape (n,). [s]."""
    laws = _laws_of(duration)
    uniforms = np.random.default_rng(seed).random(n)
    return np.array([laws.left(0, elapsed, float(u)) for u in uniforms])


def probability_longer(duration: Duration, elapsed: float) -> float:
    """Return the probability that a duration lasts longer than so long. [-]."""
    return _laws_of(duration).survival(0, elapsed)


def probability_down(
    work: Duration,
    interval: Duration,
    repair: Duration,
    elapsed: float,
    *,
    since_stop: float | None = None,
) -> float:
    r"""Return the probability that a machine stands, as its item is not done after so long.

    Parameters
    ----------
    work : float or law
        Processing time of an item. [s]
    interval : float or law
        Running time between two stops. [s]
    repair : float or law
        Length of a stop. [s]
    elapsed : float
        Time since it began to work on the item. [s]
    since_stop : float, optional
        Running time between the end of the last stop and the beginning of the item; left out, not
        known. [s]

    Returns
    -------
    float
        Probability that it stands now. [-]

    Notes
    -----
    By Bayes' rule, for a machine whose states nobody sees. With X the work, R the repair and h(s)
    the density of the running time to the next stop, the item is not done after e because it was
    never stopped, P(X > e) P(stop > e), because it stands,
    :math:`\int h(s) P(X > s) P(R > e - s) ds`, or because it stood for a time r,
    :math:`\int \int h(s) f_R(r) P(X > e - r) dr\,ds`. More than one stop of the same item is left
    out; the result is low by about the probability of two.
    """
    if elapsed <= 0.0:
        return 0.0
    works, stops, repairs = (_laws_of(law) for law in (work, interval, repair))
    grid = np.linspace(0.0, elapsed, _STEPS + 1)
    if since_stop is None:
        # Seen at any moment, the time to the next stop has the density P(interval > s) / mean.
        density = np.array([stops.survival(0, float(s)) for s in grid])
        mean = stops.mean(0)
        cells = (density[1:] + density[:-1]) / 2 * (elapsed / _STEPS) / mean
    else:
        left = np.array([stops.survival(0, since_stop + float(s)) for s in grid])
        cells = -np.diff(left) / left[0] if left[0] > 0.0 else np.zeros(_STEPS)
    never = max(1.0 - float(cells.sum()), 0.0)
    works_on = np.array([works.survival(0, float(s)) for s in grid])
    stands_on = np.array([repairs.survival(0, float(s)) for s in grid])
    # A stop in cell k is taken to begin in its middle.
    middle = (works_on[1:] + works_on[:-1]) / 2
    stands = float((cells * middle * ((stands_on[1:] + stands_on[:-1]) / 2)[::-1]).sum())
    ends = -np.diff(stands_on)
    # After a stop from s on of length r it has worked for elapsed - r, with r < elapsed - s.
    worked = (works_on[1:] + works_on[:-1])[::-1] / 2
    begun = np.cumsum(cells)[::-1]
    went_on = float((ends * worked * begun).sum())
    total = never * float(works_on[-1]) + stands + went_on
    return stands / total if total > 0.0 else 1.0
