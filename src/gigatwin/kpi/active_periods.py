"""Active periods of machines: their mean, and the bottleneck that shifts among them.

A machine is active in every state but starved, blocked and without order. The machine that is
active for longest without a break is the one that the others wait for.

References
----------
.. [1] C. Roser, M. Nakano, M. Tanaka, "A practical bottleneck detection method", *Winter
   Simulation Conference*, 2001.
.. [2] C. Roser, M. Nakano, M. Tanaka, "Shifting bottleneck detection", *Winter Simulation
   Conference*, 2002.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gigatwin.errors import StudyError


@dataclass(frozen=True)
class ShiftingBottleneck:
    """How long each machine was the bottleneck."""

    sole: npt.NDArray[np.float64]
    """Time as the only bottleneck; float64, shape (n_machines,). [s]"""
    shifting: npt.NDArray[np.float64]
    """Time in which the bottleneck moved from or to it; float64, shape (n_machines,). [s]"""

    @property
    def total(self) -> npt.NDArray[np.float64]:
        """Time as the bottleneck, alone or shared; float64, shape (n_machines,) [s]."""
        return self.sole + self.shifting


def mean_active_period(starts: npt.ArrayLike, ends: npt.ArrayLike) -> float:
    """Return the mean length of a machine's active periods, 0 if it was never active [s]."""
    lengths = np.asarray(ends, dtype=np.float64) - np.asarray(starts, dtype=np.float64)
    return float(lengths.mean()) if lengths.size else 0.0


def mean_active_period_from_tallies(
    active_seconds: npt.ArrayLike, n_active_periods: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Return the mean active period of each machine from sums over a run.

    Parameters
    ----------
    active_seconds : array_like
        Time in active states; float64, shape (n_machines,). [s]
    n_active_periods : array_like
        How often the machine left an inactive state; int64, shape (n_machines,). A machine that
        never did was active all the time, if at all: one period.

    Returns
    -------
    ndarray
        Mean length of an active period; float64, shape (n_machines,). [s]
    """
    periods = np.maximum(np.asarray(n_active_periods, dtype=np.float64), 1.0)
    return np.asarray(np.asarray(active_seconds, dtype=np.float64) / periods)


def _successive_bottlenecks(
    starts: npt.NDArray[np.float64], ends: npt.NDArray[np.float64]
) -> list[int]:
    """Return the periods that are the longest one active at some instant, in order of time."""
    lengths = ends - starts
    chain: list[int] = []
    waiting: list[tuple[float, float, int]] = []  # a heap: the longest first, then the earliest
    current_end, current_length = -np.inf, 0.0

    def follow() -> None:
        # When the bottleneck ends, the longest of the periods still active follows it.
        nonlocal current_end, current_length
        while waiting:
            negative_length, _, period = heapq.heappop(waiting)
            if ends[period] > current_end:
                chain.append(period)
                current_end, current_length = float(ends[period]), -negative_length
                return

    for period in np.lexsort((-lengths, starts)).tolist():
        start, length = float(starts[period]), float(lengths[period])
        while waiting and current_end < start:
            follow()
        if length > current_length:
            chain.append(period)
            current_end, current_length = float(ends[period]), length
            continue
        heapq.heappush(waiting, (-length, start, period))
        if current_end <= start:
            follow()
    while waiting:
        follow()
    return chain


def shifting_bottleneck(
    machines: npt.ArrayLike, starts: npt.ArrayLike, ends: npt.ArrayLike, n_machines: int
) -> ShiftingBottleneck:
    """Return how long each machine was the bottleneck, alone and while it shifted.

    Parameters
    ----------
    machines : array_like
        Machine of each active period, from 0; int64, shape (n_periods,).
    starts, ends : array_like
        Begin and end of each active period; float64, shape (n_periods,). [s]
    n_machines : int
        Number of machines.

    Notes
    -----
    At each instant the machine whose active period is the longest is the bottleneck. Where the
    periods of two successive bottlenecks overlap, the bottleneck is shifting from one to the
    other; the time counts for both.
    """
    owner = np.asarray(machines, dtype=np.int64)
    begin = np.asarray(starts, dtype=np.float64)
    finish = np.asarray(ends, dtype=np.float64)
    if not owner.shape == begin.shape == finish.shape or np.any(finish <= begin):
        message = (
            f"active periods: {owner.size} machines, {begin.size} starts, {finish.size} ends;"
            " need as many of each, and every end after its start; check the log."
        )
        raise StudyError(message)
    chain = np.asarray(_successive_bottlenecks(begin, finish), dtype=np.int64)
    first, last = begin[chain], finish[chain]
    alone_from = np.maximum(first, np.concatenate(([-np.inf], last[:-1])))
    alone_until = np.minimum(last, np.concatenate((first[1:], [np.inf])))
    sole = np.maximum(alone_until - alone_from, 0.0)
    holder = owner[chain]
    return ShiftingBottleneck(
        sole=_sums(holder, sole, n_machines),
        shifting=_sums(holder, last - first - sole, n_machines),
    )


def _sums(
    owner: npt.NDArray[np.int64], values: npt.NDArray[np.float64], n: int
) -> npt.NDArray[np.float64]:
    return np.bincount(owner, weights=values, minlength=n).astype(np.float64)


def station_means(
    values: npt.ArrayLike, station_of_machine: Sequence[int], n_stations: int
) -> npt.NDArray[np.float64]:
    """Return the mean over the machines of each station; float64, shape (n_stations,)."""
    station = np.asarray(station_of_machine, dtype=np.int64)
    sums = _sums(station, np.asarray(values, dtype=np.float64), n_stations)
    return np.asarray(sums / np.bincount(station, minlength=n_stations))


__all__ = [
    "ShiftingBottleneck",
    "mean_active_period",
    "mean_active_period_from_tallies",
    "shifting_bottleneck",
    "station_means",
]
