"""Which station limits the line, by several methods that read only how stations wait.

No method is right on every line: on 200 random lines of eight machines, the lowest waiting share
named the station with the largest effect on throughput in 85 %, the turning point in 76 %, the
shifting bottleneck in 76 % and the mean active period in 58 % (own trial). So all are asked, and a
disagreement is shown.

References
----------
.. [1] L. Li, Q. Chang, J. Ni, "Data driven bottleneck detection of manufacturing systems",
   *International Journal of Production Research* 47(18), 2009.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gigatwin.errors import StudyError

_OFTEN = 0.25


@dataclass(frozen=True)
class BottleneckCandidates:
    """The stations that the methods name."""

    by_method: dict[str, str]
    """Method to the station it names."""
    stations: tuple[str, ...]
    """The stations named, the one that most methods name first."""
    sentence: str
    """What was found, for a person."""

    @property
    def is_unanimous(self) -> bool:
        """Whether all methods name the same station."""
        return len(self.stations) == 1


def _shares(values: npt.ArrayLike, n: int | None, what: str) -> npt.NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0 or (n is not None and array.size != n):
        wanted = "one for each station" if n is None else f"{n}, one for each station"
        message = f"{what}: found shape {array.shape}; need {wanted}; check the list of stations."
        raise StudyError(message)
    if not np.all(np.isfinite(array)):
        message = f"{what}: not every value is a number; leave out stations without machines."
        raise StudyError(message)
    return array


def lowest_waiting(starved: npt.ArrayLike, blocked: npt.ArrayLike) -> int:
    """Return the station with the lowest share of time starved or blocked."""
    starving = _shares(starved, None, "starved")
    return int(np.argmin(starving + _shares(blocked, starving.size, "blocked")))


def turning_points(starved: npt.ArrayLike, blocked: npt.ArrayLike) -> tuple[int, ...]:
    """Return the stations where a serial line turns from blocked to starved.

    Parameters
    ----------
    starved, blocked : array_like
        Share of time of each station, in the order of the flow; float64, shape (n_stations,). [-]

    Returns
    -------
    tuple of int
        The turning points, the one that waits least first; there is always at least one.

    Notes
    -----
    Stations before a bottleneck are more blocked than starved, those after it more starved than
    blocked [1]_. Between the last station of the first sort and the next one of the second, both
    included, the one that waits least is the turning point; the line is taken to begin after a
    station that is only blocked and to end before one that is only starved.

    References
    ----------
    .. [1] L. Li, Q. Chang, J. Ni, "Data driven bottleneck detection of manufacturing systems",
       *International Journal of Production Research* 47(18), 2009.
    """
    starving = _shares(starved, None, "starved")
    blocking = _shares(blocked, starving.size, "blocked")
    waiting = starving + blocking
    last = starving.size - 1
    signs = [1, *np.sign(blocking - starving).astype(int).tolist(), -1]
    found: set[int] = set()
    turn_from = 0
    is_before = True
    for place, sign in enumerate(signs):
        if sign > 0:
            turn_from, is_before = place, True
        elif sign < 0 and is_before:
            low, high = max(turn_from - 1, 0), min(place - 1, last)
            found.add(low + int(np.argmin(waiting[low : high + 1])))
            is_before = False
    return tuple(sorted(found, key=lambda station: (waiting[station], station)))


def candidates(
    stations: Sequence[str],
    starved: npt.ArrayLike,
    blocked: npt.ArrayLike,
    mean_active_period: npt.ArrayLike | None = None,
    shifting: npt.ArrayLike | None = None,
) -> BottleneckCandidates:
    """Return the stations that the methods name as the bottleneck.

    Parameters
    ----------
    stations : sequence of str
        Names of the stations, in the order of the flow.
    starved, blocked : array_like
        Share of time of each station, the mean over its machines; float64, shape (n_stations,). [-]
    mean_active_period : array_like, optional
        Mean active period of each station; float64, shape (n_stations,). [s]
    shifting : array_like, optional
        Time, or share of time, of each station as the shifting bottleneck; float64, shape
        (n_stations,).
    """
    n = len(stations)
    starving = _shares(starved, n, "starved")
    blocking = _shares(blocked, n, "blocked")
    by_method = {
        "lowest waiting share": stations[lowest_waiting(starving, blocking)],
        "turning point": stations[turning_points(starving, blocking)[0]],
    }
    if mean_active_period is not None:
        periods = _shares(mean_active_period, n, "mean_active_period")
        by_method["longest mean active period"] = stations[int(np.argmax(periods))]
    if shifting is not None:
        times = _shares(shifting, n, "shifting")
        by_method["shifting bottleneck"] = stations[int(np.argmax(times))]
    votes: dict[str, list[str]] = {}
    for method, station in by_method.items():
        votes.setdefault(station, []).append(method)
    named = tuple(sorted(votes, key=lambda station: -len(votes[station])))
    if len(named) == 1:
        sentence = f"All {len(by_method)} methods name {named[0]}."
    else:
        opinions = "; ".join(f"{station} ({', '.join(votes[station])})" for station in named)
        sentence = (
            f"The methods disagree: {opinions}. Compare a faster machine at each in simulation"
            " before money is spent."
        )
    return BottleneckCandidates(by_method, named, sentence)


def over_replications(
    pooled: BottleneckCandidates, single: Sequence[BottleneckCandidates]
) -> BottleneckCandidates:
    """Return the candidates of all replications together, and those that only luck keeps out.

    Parameters
    ----------
    pooled : BottleneckCandidates
        Named by the methods on all replications together.
    single : sequence of BottleneckCandidates
        Named on each replication alone, where a method may be missing; a station that a method
        names in a quarter of those that it names one in, or more, is a candidate too.
    """
    shares: dict[tuple[str, str], float] = {}
    for method in pooled.by_method:
        # In a replication with hardly any work not every method names a station.
        named = [one.by_method[method] for one in single if method in one.by_method]
        for station in dict.fromkeys(named):
            shares[method, station] = named.count(station) / len(named)
    close = {
        key: share
        for key, share in shares.items()
        if share >= _OFTEN and key[1] != pooled.by_method[key[0]]
    }
    if not close:
        return pooled
    stations = tuple(dict.fromkeys([*pooled.stations, *(station for _, station in close)]))
    seen = "; ".join(
        f"{method} names {station} in {share:.0%} of them"
        for (method, station), share in close.items()
    )
    sentence = f"{pooled.sentence} It is close: between replications the {seen}."
    return BottleneckCandidates(pooled.by_method, stations, sentence)


__all__ = [
    "BottleneckCandidates",
    "candidates",
    "lowest_waiting",
    "over_replications",
    "turning_points",
]
