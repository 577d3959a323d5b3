"""Stretches of work of a machine, and means that do not depend on where its record was cut."""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.factory.durations import Distribution, Duration, Empirical
from gigatwin.factory.estimates import Estimate
from gigatwin.learning.states.reliability import rate_interval
from gigatwin.learning.states.state_history import EXECUTING, STATES, History
from gigatwin.learning.times.durations import FEW, rounded, student_quantile
from gigatwin.learning.times.laws import LawChoice, choose_law

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_STOPS = [STATES.index(name) for name in ("breakdown", "micro_stop")]
_WAITING_FOR_CREW = STATES.index("waiting_for_crew")
_N_BATCHES = 20
_LEAST_BATCHES = 2
_LEAST_PER_BATCH = 5
_RELATIVE_REACH = 0.1


@dataclass(frozen=True)
class Stretches:
    """Times with their begins, in the order of time."""

    begins: Array
    """When each began. Shape (n,). [s]"""
    lengths: Array
    """How long each lasted, or the part of it that was seen. Shape (n,). [s]"""
    is_begun: Flags
    """Whether its begin was seen. Shape (n,)."""
    is_whole: Flags
    """Whether its begin and its end were seen. Shape (n,)."""


def work_by_states(history: History) -> Stretches:
    """Return the stretches of work, each up to the next time that the machine waits or is set up.

    A breakdown or a micro-stop, and waiting for somebody next to one, interrupts a stretch and does
    not end it; its length is working time only. A planned stop ends it, as in a description.
    """
    works = history.states == STATES.index(EXECUTING)
    within = works | np.isin(history.states, _STOPS)
    is_crew = history.states == _WAITING_FOR_CREW
    next_to_stop = np.zeros(len(works), dtype=np.bool_)
    stops = np.isin(history.states, _STOPS)
    next_to_stop[1:] |= stops[:-1] & ~history.follows_gap[1:]
    next_to_stop[:-1] |= stops[1:] & ~history.follows_gap[1:]
    within |= is_crew & next_to_stop
    opens = history.follows_gap | ~within
    openings = np.flatnonzero(opens)
    group = np.cumsum(opens) - 1
    n_groups = len(openings)
    worked = np.zeros(n_groups)
    np.add.at(worked, group[works], history.lengths[works])
    first = np.full(n_groups, len(works))
    np.minimum.at(first, group[works], np.flatnonzero(works))
    # A group that opens with what is no work has its begin in the record.
    is_begun = ~within[openings]
    is_ended = np.append(~history.follows_gap[openings[1:]], False)[:n_groups]
    has_work = worked > 0
    return Stretches(
        begins=history.starts[first[has_work]],
        lengths=worked[has_work],
        is_begun=is_begun[has_work],
        is_whole=(is_begun & is_ended)[has_work],
    )


def work_by_key(rows: pl.DataFrame) -> Stretches:
    """Return the work on each item (or order) of one machine, as one stretch each.

    Parameters
    ----------
    rows : polars.DataFrame
        Intervals in which the machine works: columns start, end [s], key, is_cut.
    """
    table = (
        rows.group_by("key")
        .agg(
            pl.col("start").min(),
            worked=(pl.col("end") - pl.col("start")).sum(),
            is_cut=pl.col("is_cut").any(),
        )
        .filter(pl.col("worked") > 0)
        .sort("start", "key")
    )
    is_whole = ~table["is_cut"].to_numpy()
    return Stretches(
        begins=table["start"].to_numpy(),
        lengths=table["worked"].to_numpy(),
        is_begun=np.ones_like(is_whole),
        is_whole=is_whole,
    )


def between_begins(history: History, begins: Array) -> Stretches:
    """Return the times from begin to begin, each within the record; the last of one is cut off.

    Parameters
    ----------
    history : History
        The record.
    begins : ndarray
        Ascending. Shape (n,). [s]
    """
    edges = np.append(np.flatnonzero(history.follows_gap), len(history.states))
    record_ends = history.ends[edges[1:] - 1]
    record = np.searchsorted(history.starts[edges[:-1]], begins, side="right") - 1
    has_next = np.append(record[1:] == record[:-1], False)[: len(begins)]
    until = np.where(has_next, np.append(begins[1:], 0.0)[: len(begins)], record_ends[record])
    seen = np.ones(len(begins), dtype=np.bool_)
    return Stretches(begins, np.maximum(until - begins, 0.0), seen, has_next)


def long_run_mean(history: History, times: Array, begins: Array, rows: str = "") -> Estimate:
    """Return all of a time over the number of begins that were seen.

    Where a record is cut without regard to what the machine does, this is the mean however long
    it lasts, while what was seen from begin to end is too short. The interval is that of a ratio
    of sums over batches in time.

    Parameters
    ----------
    history : History
        The record.
    times : ndarray
        Time that counts in each interval of the record. Shape (n,). [s]
    begins : ndarray
        When something began; ascending. Shape (n_begins,). [s]
    rows : str
        Rows of the log.
    """
    n = len(begins)
    total = float(times.sum())
    mean = total / max(n, 1)
    method = "all of the time over number of begins"
    n_batches = min(_N_BATCHES, n // _LEAST_PER_BATCH)
    if n_batches < _LEAST_BATCHES:
        slow, fast = rate_interval(n, total)
        return Estimate(
            value=mean,
            low=min(1 / fast, mean),
            high=max(1 / slow, mean) if slow > 0 else None,
            unit="s",
            n=n,
            method=f"{method}, chi-square interval",
            rows=rows,
            is_identified=False,
        )
    clock = np.concatenate(([0.0], np.cumsum(history.lengths)))
    edges = np.linspace(0.0, clock[-1], n_batches + 1)
    spent = np.diff(np.interp(edges, clock, np.concatenate(([0.0], np.cumsum(times)))))
    k = np.maximum(np.searchsorted(history.starts, begins, side="right") - 1, 0)
    places = clock[k] + np.clip(begins - history.starts[k], 0.0, history.lengths[k])
    counts, _ = np.histogram(places, edges)
    misses = spent - mean * counts
    error = math.sqrt(float((misses * misses).sum()) * n_batches / (n_batches - 1)) / n
    reach = student_quantile(n_batches - 1) * error
    return Estimate(
        value=mean,
        low=min(max(mean - reach, 0.0), mean),
        high=mean + reach,
        unit="s",
        n=n,
        method=f"{method}, {n_batches} batches in time",
        rows=rows,
        is_identified=n >= FEW and reach <= _RELATIVE_REACH * mean,
    )


def law_of(stretches: Stretches, mean: Estimate, rows: str = "") -> LawChoice:
    """Return the law of stretches; with the mean of the long run where it has another one.

    Parameters
    ----------
    stretches : Stretches
        Those that are not whole count as lower bounds.
    mean : Estimate
        Mean of the long run. [s]
    rows : str
        Rows of the log.
    """
    if not (stretches.is_whole & (stretches.lengths > 0)).any():
        reason = "No stretch was seen from its begin to its end: all time over all begins."
        mean = mean.model_copy(update={"is_identified": False})
        cv = Estimate(value=0.0, low=0.0, n=mean.n, method="assumed", is_identified=False)
        return LawChoice(mean.value, "constant", reason, pl.DataFrame(), mean, cv)
    choice = choose_law(
        stretches.lengths,
        times=stretches.begins,
        is_lower_bound=~stretches.is_whole,
        rows=rows,
    )
    return with_long_run(choice, mean)


def with_long_run(choice: LawChoice, mean: Estimate) -> LawChoice:
    """Return a law scaled to another mean, unless both may be the same."""
    own = choice.mean
    is_same = own.low <= mean.value <= _high(own) and mean.low <= own.value <= _high(mean)
    # One begin more or less, at the ends of the record, says nothing.
    is_same |= abs(mean.value - own.value) * mean.n <= own.value
    if is_same or mean.value <= 0:
        return choice
    note = (
        f"Single ones, cut off or not, give a mean of {own.value:.4g} s, but all time over all "
        f"begins is {mean.value:.4g} s, which is used, so that the share of the time agrees."
    )
    return LawChoice(
        law=scaled(choice.law, mean),
        kind=choice.kind,
        reason=choice.reason,
        table=choice.table,
        mean=mean,
        cv=choice.cv,
        notes=(*choice.notes, note),
    )


def scaled(law: Duration, mean: Estimate) -> Duration:
    """Return a law of the same form with another mean."""
    if isinstance(law, Distribution):
        update = {"mean": mean.value, "estimates": {**law.estimates, "mean": mean}}
        return law.model_copy(update=update)
    if isinstance(law, Empirical):
        values = np.asarray(law.samples or law.quantiles)
        old = values.mean() if law.samples else (values[1:] + values[:-1]).mean() / 2
        name = "samples" if law.samples else "quantiles"
        new = rounded(values * (mean.value / old))
        return law.model_copy(update={name: new, "estimates": {"mean": mean}})
    return mean.value


def _high(estimate: Estimate) -> float:
    return math.inf if estimate.high is None else estimate.high
