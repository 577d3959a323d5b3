"""Which ways between stations are real, and which only seem so because events are missing.

Where a visit to B was lost, A seems to be followed by C. Such a skip is known by A, B, C being the
usual way and by its rate being that at which visits are lost all over the log, which is estimated
from all possible skips together and from the visits of which one event is missing.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

Codes = NDArray[np.int64]
"""Numbers of stations."""
_FLOOR = 0.005
"""Share of what leaves a station below which an unexplained way is doubted, if events are lost."""
_SURE = 1e-4
"""Probability that lost visits make more skips than are allowed for."""
_MOST_LOST = 0.05
"""Share of lost visits above which skips are taken for real."""
_QUANTILE = 0.25
_USUAL = 0.5
"""Share of ends (or begins) of cases from which a station is a usual last (or first) one."""
_LONG = 0.995
"""Quantile of the waits after a station; up to twice the longest wait, or six times this one, a
case may still go on."""
_SHORT_LOG = 0.25
"""Part of the log that this margin may take."""
_DIRTY = 0.001
"""Share of lost events from which a log counts as one with losses."""
_MOST_OF_SKIP = 0.2
"""A skip is at most this share of the ways through the station left out."""


@dataclass(frozen=True)
class Loss:
    """How much of the log is missing or out of turn."""

    events: float
    """Share of lost events, from visits with one event only."""
    visits: float
    """Share of lost visits, from all possible skips, and at least the square of ``events``."""
    n_swapped: int = 0
    """Visits found in the wrong order."""

    @property
    def is_dirty(self) -> bool:
        """Whether some ways may be made by what is missing."""
        return self.events > _DIRTY or self.visits > 0 or self.n_swapped > 0


@dataclass(frozen=True)
class DroppedArc:
    """A way that the log shows but that is not believed."""

    source: str
    """Station, or ``in``."""
    target: str
    """Station, or ``out``."""
    n: int
    """How often it was seen."""
    reason: str
    """Why it is not believed."""


@dataclass(frozen=True)
class Walks:
    """The cases as walks over numbered stations: what each visit came from and led to."""

    code: Codes
    """Station of each visit. Shape (n,)."""
    before: Codes
    """Station before; ``n_codes`` for the outside, -1 if not known. Shape (n,)."""
    after: Codes
    """Station after; ``n_codes + 1`` for the outside, -1 if not known. Shape (n,)."""
    n_codes: int
    """Number of stations."""
    n_inside: int
    """Cases that were under way when the log began."""
    n_in_process: int
    """Cases that were under way when the log ended."""


def walks(code: Codes, first: NDArray[np.bool_], key: NDArray[np.float64], n_codes: int) -> Walks:
    """Return the cases as walks, with begins and ends only where they are not cut by the log.

    Parameters
    ----------
    code : ndarray
        Station of each visit, in the order of the cases. Shape (n,).
    first : ndarray
        Whether the visit is the first of its case. Shape (n,).
    key : ndarray
        Moment of each visit. Shape (n,). [s]
    n_codes : int
        Number of stations.
    """
    last = np.append(first[1:], True)
    is_begun = _is_begun(code, first, key, n_codes)
    is_over = _is_over(code, last, key, n_codes)
    before = np.where(first, np.where(is_begun, n_codes, -1), np.roll(code, 1))
    after = np.where(last, np.where(is_over, n_codes + 1, -1), np.roll(code, -1))
    return Walks(
        code,
        before,
        after,
        n_codes,
        int((first & ~is_begun).sum()),
        int((last & ~is_over).sum()),
    )


def is_fresh(code: Codes, first: NDArray[np.bool_], n_codes: int) -> NDArray[np.bool_]:
    """Return whether a case had not been at the station of a visit before."""
    key = np.cumsum(first) * n_codes + code
    fresh: NDArray[np.bool_] = pl.Series(key).is_first_distinct().to_numpy()
    return fresh


def _is_begun(
    code: Codes, first: NDArray[np.bool_], key: NDArray[np.float64], n_codes: int
) -> NDArray[np.bool_]:
    """Return False for cases first seen where few begin, no later than the way there takes."""
    n_first = np.bincount(code[first], minlength=n_codes)
    case = np.cumsum(first) - 1
    begin = key[first][case]
    came = is_fresh(code, first, n_codes) & ~first
    n_came = np.bincount(code[came], minlength=n_codes)
    travel = np.zeros(n_codes)
    np.maximum.at(travel, code[came], (key - begin)[came])
    is_usual = n_first >= _USUAL * (n_first + n_came)
    # Later than any case takes to get there, it would have been seen before.
    is_late = key - key.min(initial=np.inf) > travel[code]
    begun: NDArray[np.bool_] = np.logical_or(is_usual[code], is_late)
    return begun


def _is_over(
    code: Codes, last: NDArray[np.bool_], key: NDArray[np.float64], n_codes: int
) -> NDArray[np.bool_]:
    """Return False for cases last seen where most go on, no longer ago than going on takes."""
    n_all = np.bincount(code, minlength=n_codes)
    n_last = np.bincount(code[last], minlength=n_codes)
    waits = np.diff(key, append=key[-1:])
    goes = ~last
    limit = np.zeros(n_codes)
    waits_after = (
        pl.DataFrame({"code": code[goes], "wait": waits[goes]})
        .group_by("code")
        .agg(long=pl.col("wait").quantile(_LONG, "higher"), longest=pl.col("wait").max())
    )
    longest = np.minimum(waits_after["longest"].to_numpy(), 3 * waits_after["long"].to_numpy())
    is_small = 2 * longest <= _SHORT_LOG * np.ptp(key)
    limit[waits_after["code"].to_numpy()] = np.where(is_small, 2 * longest, longest)
    is_usual = n_last > _USUAL * n_all
    is_long_ago = key.max(initial=-np.inf) - key > limit[code]
    over: NDArray[np.bool_] = np.logical_or(is_usual[code], is_long_ago)
    return over


Arcs = dict[tuple[int, int], int]
"""Counts by the numbers of source and target."""


def counted(walk: Walks) -> Arcs:
    """Return how often each way was taken, from and to the outside included."""
    base = walk.n_codes + 2
    on = walk.after >= 0
    begins = walk.before == walk.n_codes
    keys = np.concatenate(
        (walk.code[on] * base + walk.after[on], walk.n_codes * base + walk.code[begins])
    )
    ways, counts = np.unique(keys, return_counts=True)
    return {
        (int(way) // base, int(way) % base): int(n) for way, n in zip(ways, counts, strict=True)
    }


def passed(walk: Walks) -> Arcs:
    """Return how many visits would leave each way behind if they were lost."""
    base = walk.n_codes + 2
    known = (walk.before >= 0) & (walk.after >= 0)
    known &= ~((walk.before == walk.n_codes) & (walk.after == walk.n_codes + 1))
    ways, counts = np.unique(walk.before[known] * base + walk.after[known], return_counts=True)
    return {
        (int(way) // base, int(way) % base): int(n) for way, n in zip(ways, counts, strict=True)
    }


def lost_events(
    has_start: NDArray[np.bool_], has_end: NDArray[np.bool_], first: NDArray[np.bool_]
) -> float:
    """Return the share of events that are missing, from the visits that have only one.

    The first and last visit of a case do not count: the log may have cut them.
    """
    last = np.append(first[1:], True)
    inner = ~(first | last)
    if not inner.any():
        return 0.0
    # A log that never has starts (or ends) does not lose them.
    if not has_start.any() or not has_end.any():
        return 0.0
    half = float((has_start ^ has_end)[inner].mean())
    return half / (2.0 - half)


def lost_visits(arcs: Arcs, skips: Arcs, n_codes: int) -> float:
    """Return the share of lost visits that explains most of the possible skips.

    Parameters
    ----------
    arcs, skips : dict
        Results of `counted` and `passed`.
    n_codes : int
        Number of stations.
    """
    if not skips:
        return 0.0
    passes = np.array(list(skips.values()), dtype=float)
    seen = np.array([arcs.get(way, 0) for way in skips], dtype=float)
    order = np.argsort(seen / passes, kind="stable")
    weight = np.cumsum(passes[order])
    low = int(order[np.searchsorted(weight, _QUANTILE * weight[-1])])
    rate = seen[low] / passes[low]
    if rate <= 0 or rate > _MOST_LOST or n_codes < 2:  # noqa: PLR2004 - a pair to lose one of
        return 0.0
    alike = seen <= _most(np.maximum(rate * passes, 1.0))
    pooled = float(seen[alike].sum() / passes[alike].sum())
    return pooled if pooled <= _MOST_LOST else 0.0


def _most(mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a Poisson number of this mean almost never exceeds."""
    most: NDArray[np.float64] = np.ceil(special.pdtrik(1.0 - _SURE, np.maximum(mean, 1e-9)))
    return most


def believed(
    arcs: Arcs, skips: Arcs, loss: Loss, names: list[str]
) -> tuple[Arcs, tuple[DroppedArc, ...]]:
    """Return the ways that are real, and those that are not with the reason.

    Parameters
    ----------
    arcs, skips : dict
        Results of `counted` and `passed`.
    loss : Loss
        What is missing.
    names : list of str
        Names by number, those of the outside last.
    """
    if not loss.is_dirty:
        return arcs, ()
    leaving: dict[int, int] = {}
    for (source, _), n in arcs.items():
        leaving[source] = leaving.get(source, 0) + n
    kept: Arcs = {}
    dropped: list[DroppedArc] = []
    for (source, target), n in arcs.items():
        reason = _doubt(n, skips.get((source, target), 0), leaving[source], loss)
        if reason:
            dropped.append(DroppedArc(names[source], names[target], n, reason))
        else:
            kept[source, target] = n
    return kept, tuple(dropped)


def _doubt(n: int, passes: int, leaving: int, loss: Loss) -> str:
    """Return why a way is not believed; empty if it is."""
    if passes and n <= _MOST_OF_SKIP * passes:
        most = float(_most(np.array([loss.visits * passes]))[0])
        if n <= most:
            return (
                f"{n} of {passes} passes with a station left out, as many as "
                f"{100 * loss.visits:.2g} % lost visits make"
            )
    if n < _FLOOR * leaving and n <= max(3.0, 0.1 * loss.events * leaving):
        return f"{n} of {leaving} moves, in a log with lost or turned events"
    return ""
