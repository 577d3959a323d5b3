r"""Limits of charts that count events: how long they run without a change, exactly.

The chart for a rising rate drains at a constant slope with every opportunity (an item made, a
stretch of running time) and gains 1 with every event [1]_,

.. math:: S_t = \max(0, S_{t-1} - 1/m) + x_t ;

the chart for a falling rate climbs by 1/m and loses 1 with every event. On the lattice of 1/m both
are Markov chains that move by one cell in one direction, so that the mean run lengths for *all*
limits follow from one recursion with positive terms only. Running time is taken in short steps with
at most one event each, of a probability for which long runs are as likely as in running time.

References
----------
.. [1] M. R. Reynolds, Z. G. Stoumbos, "A CUSUM chart for monitoring a proportion when inspecting
   continuously", J. Quality Technology 31 (1999) 87-108.
"""

import functools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gigatwin.errors import StudyError

Direction = Literal[-1, 1]
RATIO = 2.0
"""The charts are quickest for an event rate that doubles, or halves."""
CELLS = 128
"""Cells of the lattice to one event, where events come in running time; the mean run length is then
off by less than 1 %."""
_HIGHEST = 60
_MOST_CELLS = 2000
_LEAST_PROBABILITY, _MOST_PROBABILITY = 1e-9, 0.5


@dataclass(frozen=True)
class RateLimit:
    """A chart for a rate, ready to be run."""

    slope: float
    """What an expected event moves the sum by, against the direction of events."""
    limit: float
    """Sum above which it calls. [events]"""


def slope_of(direction: Direction, probability: float = 0.0, ratio: float = RATIO) -> float:
    """Return the slope for which the chart is quickest, by the ratio of likelihoods.

    Parameters
    ----------
    direction : int
        1 for a rate that rises by the ratio, -1 for one that falls by it.
    probability : float
        Probability of an event at an opportunity; 0 for events in time.
    ratio : float
        Ratio of the rates, above 1.

    Returns
    -------
    float
        Move of the sum for each expected event; the rate at which the chart neither rises nor
        falls, relative to the present one.
    """
    changed = ratio if direction > 0 else 1.0 / ratio
    if probability <= 0.0:
        return (changed - 1.0) / math.log(changed)
    after = min(changed * probability, 0.5 * (1.0 + probability))
    odds = math.log(after * (1 - probability) / (probability * (1 - after)))
    return -math.log((1 - after) / (1 - probability)) / odds / probability


def run_lengths(
    direction: Direction, cells: int, probability: float, n_cells: int
) -> NDArray[np.float64]:
    """Return the mean number of opportunities until the chart calls, for each limit.

    Parameters
    ----------
    direction : int
        1: events lift the sum by 1 and it drains; -1: events lower it and it climbs.
    cells : int
        Cells m of the lattice to one event; the sum drains or climbs by 1/m an opportunity.
    probability : float
        Probability of an event at an opportunity.
    n_cells : int
        Largest limit. [cells]

    Returns
    -------
    ndarray
        From the sum 0 on, for limits of 1, 2, ... ``n_cells`` cells. The chart calls when the sum
        is at the limit or above. Shape (n_cells,).
    """
    if direction > 0:
        return _rising(cells, probability, n_cells)
    return _falling(cells, probability, n_cells)


def _rising(cells: int, p: float, n_cells: int) -> NDArray[np.float64]:
    # T(i) = a A(d) - C(d) with the distance d = H - 1 - i from the limit: the chain goes down by
    # one cell, so that A and C follow from the cells above, whatever the limit is. Their increments
    # are sums of positive numbers; the values themselves would lose all digits.
    q = 1.0 - p
    a_steps, c_steps = np.empty(n_cells + 1), np.empty(n_cells + 1)
    a_window = c_window = 0.0  # sums of the last m - 1 increments
    for d in range(n_cells + 1):
        before = d < cells - 1
        # Fewer than m - 1 increments: the event leads over the limit, and T is 0 there.
        a_steps[d] = a_step = p / q * (a_window + (1.0 if before else 0.0))
        c_steps[d] = c_step = (1.0 + p * c_window) / q
        a_window += a_step
        c_window += c_step
        first = d + 1 - (cells - 1)
        if first >= 0:
            # The increment that begins the values at distance 0 is the value 1 of A itself.
            a_window -= a_steps[first - 1] if first > 0 else 0.0
            c_window -= c_steps[first - 1] if first > 0 else 0.0
    a = 1.0 + np.concatenate(([0.0], np.cumsum(a_steps)))
    c = np.concatenate(([0.0], np.cumsum(c_steps)))
    # The sum 0 drains no further: T(0) = T(1), which gives a; limit H has the distance H - 1.
    h = np.arange(1, n_cells + 1)
    ratio = np.where(h > 1, c_steps[h - 2] / a_steps[h - 2], 0.0)
    lengths = ratio * a[h - 1] - c[h - 1]
    # With a limit of one cell any event calls.
    lengths[: min(cells, n_cells)] = 1.0 / p
    return np.asarray(lengths)


def _falling(cells: int, p: float, n_cells: int) -> NDArray[np.float64]:
    q = 1.0 - p
    steps = np.empty(n_cells)
    window, lengths = 0.0, np.empty(n_cells)
    total = 0.0
    for i in range(n_cells):
        steps[i] = step = (1.0 + p * window) / q
        total += step
        lengths[i] = total
        window += step
        if i + 1 >= cells:
            window -= steps[i + 1 - cells]
    return lengths


def steps_in_time(direction: Direction, ratio: float = RATIO) -> tuple[float, float]:
    """Return the probability of an event in a step of running time, and the length of the step.

    Parameters
    ----------
    direction : int
        1 for a rate that rises by the ratio, -1 for one that falls by it.
    ratio : float
        Ratio of the rates, above 1.

    Returns
    -------
    float
        Probability that makes the sum of log likelihood ratios of a step a martingale, as it is in
        running time, so that long runs come out alike.
    float
        Expected events in a step.
    """
    changed = ratio if direction > 0 else 1.0 / ratio
    chance = math.expm1(math.log(changed) / CELLS) / (changed - 1.0)
    return chance, 1.0 / (slope_of(direction, 0.0, ratio) * CELLS)


@functools.lru_cache(maxsize=512)
def rate_limit(
    arl0: float, direction: Direction, probability: float = 0.0, ratio: float = RATIO
) -> RateLimit:
    """Return slope and limit of a chart with a wanted mean number of events between false alarms.

    Parameters
    ----------
    arl0 : float
        Wanted mean number of expected events (opportunities times probability, or running time
        times rate) between two false alarms, above 0.
    direction : int
        1 for a rising, -1 for a falling rate.
    probability : float
        Probability of an event at an opportunity; 0 for events in time.
    ratio : float
        Ratio of the rates for which it is quickest, above 1.

    Raises
    ------
    StudyError
        If a number is out of range, or no limit up to 60 events is enough.
    """
    if not (0.0 < arl0 < math.inf and ratio > 1.0 and 0.0 <= probability <= _MOST_PROBABILITY):
        message = (
            f"rate chart: arl0 {arl0:g}, ratio {ratio:g}, probability {probability:g}; must be "
            f"above 0, above 1, and from 0 to {_MOST_PROBABILITY:g}."
        )
        raise StudyError(message)
    slope = slope_of(direction, probability, ratio)
    cells = round(1.0 / (slope * probability)) if probability > _LEAST_PROBABILITY else 0
    if 0 < cells <= _MOST_CELLS:
        # The slope has to fit the lattice; with few cells that moves it a little.
        slope, chance, step = 1.0 / (cells * probability), probability, probability
    else:
        cells = CELLS
        chance, step = steps_in_time(direction, ratio)
    lengths = run_lengths(direction, cells, chance, _HIGHEST * cells) * step
    enough = np.flatnonzero(lengths >= arl0)
    if not len(enough):
        message = (
            f"rate chart: one false alarm in {arl0:g} events with a ratio of {ratio:g}; needs a "
            f"limit above {_HIGHEST} events. Ask for more false alarms, or a larger ratio."
        )
        raise StudyError(message)
    return RateLimit(slope, (int(enough[0]) + 1) / cells)
