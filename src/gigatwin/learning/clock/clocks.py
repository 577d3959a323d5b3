r"""How exact the clocks of a log are, and how far those of its machines are apart.

The jitter shows at a busy machine: an item starts when the one before leaves, so that the recorded
gap is zero but for the errors of both records, and negative gaps are errors alone. An offset shows
where departures were held up: their records differ from the exit that made room by exactly the
offset. The time between two machines alone says little, since a transfer time looks the same; it is
only a bound, because no transfer time is negative.
"""

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.factory.estimates import Estimate
from gigatwin.learning.waiting.buffers import (
    FLOOR,
    BufferView,
    coincidences,
    held_up,
    is_direct,
    resolution,
    window_of,
)
from gigatwin.learning.waiting.passages import (
    Floats,
    Integers,
    Passages,
    numbers,
    passages_of,
    previous_ends,
)

LARGEST_OFFSET = 5.0
"""Offsets are looked for up to this. [s]"""
_NORMAL_QUANTILE = 1.959963984540054
_HALF_NORMAL = 1.4826  # standard deviation over median size
_FEWEST = 10
_LONGEST = 50_000  # passages of a station that are looked at
_MOST_CANDIDATES = 48


@dataclass(frozen=True)
class Clocks:
    """What is known of the clocks of a log."""

    sigma: Estimate
    """Standard deviation of a time stamp's random error. [s]"""
    offsets: dict[str, Estimate]
    """Machine to what its clock is ahead of most others. [s]"""
    resolution: float
    """Step of which all time stamps are multiples; 0: none. [s]"""
    notes: tuple[str, ...]
    """What is wrong with the clocks, in sentences."""


@dataclass(frozen=True)
class _Difference:
    """How far the clock of one machine is ahead of that of a machine before."""

    before: int
    after: int
    value: float
    error: float
    n: int


def find_clocks(
    visits: pl.DataFrame,
    predecessors: Mapping[str, Sequence[str]],
    largest_offset: float = LARGEST_OFFSET,
) -> Clocks:
    """Return the jitter of the clocks and the offset of each machine.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns case, station, machine, start, end (s, null where the event is missing).
    predecessors : Mapping
        Station to the stations before it.
    largest_offset : float
        Offsets are looked for up to this. [s]

    Returns
    -------
    Clocks
        An offset is identified where held-up departures link the machine to others; else it is 0
        or the smallest that makes no transfer time negative, within the interval that the order of
        events allows.
    """
    names = tuple(visits["machine"].unique().sort().to_list())
    stamps = np.concatenate([numbers(visits["start"]), numbers(visits["end"])])
    step = resolution(stamps)
    sigma = _jitter(visits, step)
    window = window_of(sigma.value, step)
    exact: list[_Difference] = []
    shortest: dict[tuple[int, int], float] = {}
    for passages in passages_of(visits, predecessors).values():
        for pair, times in _direct_times(passages).items():
            shortest[pair] = float(np.quantile(times, 0.002)) + window
        exact.extend(_differences(passages, sigma.value, window, largest_offset))
    values, is_exact, errors, doubt = _placed(len(names), exact, shortest)
    n_links = [
        sum(found.n for found in exact if i in (found.before, found.after))
        for i in range(len(names))
    ]
    offsets = {
        name: _linked(float(values[i]), float(errors[i]), float(doubt[i]), n_links[i])
        if is_exact[i]
        else _bounded(i, values, shortest, largest_offset)
        for i, name in enumerate(names)
    }
    return Clocks(sigma, offsets, step, tuple(_notes(visits, sigma, offsets, window)))


def corrected(visits: pl.DataFrame, clocks: Clocks) -> pl.DataFrame:
    """Return visits with the offsets of the machines taken away.

    Parameters
    ----------
    visits : polars.DataFrame
        Columns machine, start, end.
    clocks : Clocks
        As of `find_clocks`.
    """
    shifts = {name: estimate.value for name, estimate in clocks.offsets.items() if estimate.value}
    if not shifts:
        return visits
    shift = pl.col("machine").replace_strict(shifts, default=0.0, return_dtype=pl.Float64)
    return visits.with_columns(pl.col("start") - shift, pl.col("end") - shift)


def _jitter(visits: pl.DataFrame, step: float) -> Estimate:
    gaps = numbers(visits["start"]) - previous_ends(visits)
    stays = numbers(visits["end"]) - numbers(visits["start"])
    frame = pl.DataFrame({"machine": visits["machine"], "gap": gaps, "stay": stays})
    least = max(FLOOR, 0.5001 * step)
    negative: list[Floats] = []
    n_equal = 0
    for rows in frame.partition_by("machine"):
        gap = rows["gap"].to_numpy()
        gap = gap[np.isfinite(gap)]
        below = -gap[gap < -least]
        n_equal += int((np.abs(gap) <= least).sum())
        stay = rows["stay"].to_numpy()
        stay = stay[np.isfinite(stay)]
        typical = float(np.median(stay)) if len(stay) else 0.0
        # Larger overlaps belong to a machine that works on several items at once.
        if len(below) and np.median(below) < 0.1 * typical:
            negative.append(below)
    found = np.concatenate(negative) if negative else np.zeros(0)
    method = "gaps between an item and the one before at the same machine"
    if len(found) < _FEWEST or len(found) < 0.02 * n_equal:
        is_known = n_equal >= _FEWEST
        return Estimate(
            value=0.0,
            low=0.0,
            high=least if is_known else None,
            unit="s",
            n=n_equal,
            method=method if is_known else "assumed: no machine took an item at once after another",
            is_identified=is_known,
        )
    value = _HALF_NORMAL * float(np.median(found)) / math.sqrt(2.0)
    # Relative standard error of the median absolute deviation of a normal law: 1.17 / sqrt(n).
    reach = min(0.99, 1.17 * _NORMAL_QUANTILE / math.sqrt(len(found)))
    return Estimate(
        value=value,
        low=value * (1 - reach),
        high=value * (1 + reach),
        unit="s",
        n=len(found),
        method=method,
    )


def _direct_times(passages: Passages) -> dict[tuple[int, int], Floats]:
    """Return for each pair of machines the recorded times in s from one to the other."""
    times = passages.exits - passages.entries
    return {pair: times[rows] for pair, rows in _pairs(passages, np.isfinite(times)) if len(rows)}


def _pairs(
    passages: Passages, mask: NDArray[np.bool_], to_machine: Integers | None = None
) -> Iterator[tuple[tuple[int, int], Integers]]:
    """Return the numbers of the passages of each pair of machines."""
    after = passages.to_machine if to_machine is None else to_machine
    known = np.flatnonzero(mask & (passages.from_machine >= 0) & (after >= 0))
    codes = passages.from_machine[known] * len(passages.machines) + after[known]
    order = np.argsort(codes, kind="stable")
    edges = np.flatnonzero(np.diff(codes[order])) + 1
    for rows in np.split(known[order], edges):
        if len(rows):
            yield (int(passages.from_machine[rows[0]]), int(after[rows[0]])), rows


def _differences(
    passages: Passages, sigma: float, window: float, largest: float
) -> list[_Difference]:
    """Return the differences of clocks that held-up departures show."""
    passages = passages.taken(np.arange(min(len(passages.entries), _LONGEST)))
    view = BufferView(passages.entries, passages.exits)
    passages = passages.taken(view.order)
    best: dict[tuple[int, int], _Difference] = {}
    for capacity in _candidates(view, largest):
        late = view.entries - (view.bounds(capacity) if capacity else view.own_exits)
        after = passages.to_machine
        if capacity:
            after = np.full(len(late), -1)
            after[capacity:] = passages.to_machine[view.exit_order][: max(0, len(late) - capacity)]
        near = np.isfinite(late) & (np.abs(late) <= largest)
        for pair, rows in _pairs(passages, near, after):
            shift = _peak(late[rows], window)
            if shift is None:
                continue
            of_pair = np.full(len(late), np.nan)
            of_pair[rows] = late[rows] - shift
            if capacity:
                is_hit, _ = held_up(view, of_pair, passages.entered, capacity, window)
            else:
                is_hit = _handed_over(view, passages, of_pair, shift, window)
            n = int(is_hit.sum())
            if n > (best[pair].n if pair in best else _FEWEST):
                value = -shift - float(np.median(of_pair[is_hit]))
                # A median has 1.25 times the error of a mean.
                error = 1.25 * math.sqrt(2.0) * sigma / math.sqrt(n)
                best[pair] = _Difference(*pair, value, error, n)
    return list(best.values())


def _candidates(view: BufferView, largest: float) -> range:
    """Return the capacities that the levels allow, whatever the offset."""
    low, high = view.levels(largest), view.levels(-largest)
    if len(low) == 0:
        return range(0)
    first = max(0, int(np.quantile(low, 0.98)))
    last = max(first, int(high.max()))
    return range(first, min(last + 1, first + _MOST_CANDIDATES))


def _peak(values: Floats, window: float) -> float | None:
    """Return where more values lie together than anywhere else, if far more than beside."""
    ordered = np.sort(values)
    upto = np.searchsorted(ordered, ordered + window, side="right")
    counts = upto - np.arange(len(ordered))
    place = int(np.argmax(counts))
    centre = float(np.median(ordered[place : upto[place]]))
    found = coincidences(ordered - centre, window)
    # Of many places one is high by chance, hence a higher bar than at a given place.
    expected = found.n_by_chance
    is_high = found.n >= 3.0 * expected + 8.0 * math.sqrt(expected) + _FEWEST
    return centre if is_high else None


def _handed_over(
    view: BufferView, passages: Passages, late: Floats, shift: float, window: float
) -> NDArray[np.bool_]:
    """Return which items went from machine to machine when the latter was released."""
    if not is_direct(late, window):
        return np.zeros(len(late), dtype=np.bool_)
    waits = view.entries - shift - passages.released
    waits[~np.isfinite(late)] = np.nan
    return held_up(view, waits, passages.entered, 0, window)[0] & np.isfinite(late)


def _placed(
    n: int,
    exact: Sequence[_Difference],
    shortest: Mapping[tuple[int, int], float],
) -> tuple[Floats, NDArray[np.bool_], Floats, Floats]:
    """Return the offset of each machine, whether it is linked to others, its error and its doubt.

    The doubt is by how much it may be wrong because no majority of linked clocks agrees.
    """
    links: list[list[_Difference]] = [[] for _ in range(n)]
    for found in exact:
        links[found.before].append(found)
        back = _Difference(found.after, found.before, -found.value, found.error, found.n)
        links[found.after].append(back)
    values, errors = np.zeros(n), np.zeros(n)
    groups = []
    seen: set[int] = set()
    for root in range(n):
        if root not in seen:
            groups.append(_spread(root, links, values, errors))
            seen.update(groups[-1])
    is_exact, doubt = np.zeros(n, dtype=np.bool_), np.zeros(n)
    groups.sort(key=len, reverse=True)
    done: set[int] = set()
    for group in groups:
        own = values[group]
        # Most clocks are taken to be right.
        same = 0.01 + 2.0 * _NORMAL_QUANTILE * float(errors[group].max())
        is_close = np.abs(own[:, None] - own[None, :]) <= same
        most = int(np.argmax(is_close.sum(axis=1)))
        typical = own[is_close[most]]
        values[group] -= np.median(typical)
        is_exact[group] = len(group) > 1
        if 2 * len(typical) <= len(group):
            doubt[group] = np.ptp(own)
        low, high = _limits(group, values, shortest, done)
        values[group] += min(max(0.0, low), max(low, high))
        done.update(group)
    # Many links are looked at, so that a small difference is chance.
    values[np.abs(values) <= np.maximum(FLOOR, 3.0 * errors)] = 0.0
    return values, is_exact, errors, doubt


def _spread(
    root: int, links: Sequence[Sequence[_Difference]], values: Floats, errors: Floats
) -> list[int]:
    """Fill in the offsets of the machines that are linked to one; return those machines."""
    group, waiting = {root}, deque([root])
    while waiting:
        here = waiting.popleft()
        for link in sorted(links[here], key=lambda found: -found.n):
            if link.after not in group:
                values[link.after] = values[here] + link.value
                errors[link.after] = math.hypot(errors[here], link.error)
                group.add(link.after)
                waiting.append(link.after)
    return sorted(group)


def _limits(
    group: Sequence[int],
    values: Floats,
    shortest: Mapping[tuple[int, int], float],
    others: set[int],
) -> tuple[float, float]:
    """Return by how much a group can be shifted before a transfer time becomes negative."""
    low, high = -math.inf, math.inf
    inside = set(group)
    for (before, after), time in shortest.items():
        if after in inside and before in others:
            high = min(high, time + values[before] - values[after])
        elif before in inside and after in others:
            low = max(low, values[after] - time - values[before])
    return low, high


def _linked(value: float, error: float, doubt: float, n: int) -> Estimate:
    """Return the offset of a machine that held-up departures link to others."""
    reach = max(FLOOR, _NORMAL_QUANTILE * error) + doubt
    method = "departures that were held up"
    return Estimate(
        value=value,
        low=value - reach,
        high=value + reach,
        unit="s",
        n=n,
        method=f"{method}; which of the clocks is wrong is not known" if doubt else method,
        is_identified=doubt == 0.0,
    )


def _bounded(
    machine: int, values: Floats, shortest: Mapping[tuple[int, int], float], largest: float
) -> Estimate:
    """Return the offset of a machine of which only the order of events is known."""
    value = float(values[machine])
    others = set(range(len(values))) - {machine}
    low, high = (value + limit for limit in _limits([machine], values, shortest, others))
    method = "assumed equal to the others"
    if value:
        method = "the smallest that makes no transfer time negative"
    return Estimate(
        value=value,
        low=min(value, max(low, value - largest)),
        high=max(value, min(high, value + largest)),
        unit="s",
        n=sum(machine in pair for pair in shortest),
        method=method,
        is_identified=False,
    )


def _notes(
    visits: pl.DataFrame, sigma: Estimate, offsets: Mapping[str, Estimate], window: float
) -> Iterator[str]:
    if sigma.value:
        yield f"Time stamps are off by {sigma.value:.2g} s (standard deviation)."
    elif not sigma.is_identified:
        yield "The jitter of the clocks is not identified; none is assumed."
    for name, offset in offsets.items():
        if not offset.value:
            continue
        direction = "ahead of" if offset.value > 0 else "behind"
        size = f"{abs(offset.value):.3g} s {direction} most others"
        if offset.is_identified:
            yield f"The clock of '{name}' is {size}."
        else:
            yield f"The clock of '{name}' is perhaps {size}: {offset.method}."
    backward = int((visits["end"] < visits["start"] - window).sum())
    if backward:
        yield f"{backward} visits end before they start."
