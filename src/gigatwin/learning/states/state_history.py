"""The states of a machine in time: without overlaps, with gaps marked, and its stops on a clock."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gigatwin.standards.machine_states import MachineState

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Clock = Literal["executing", "calendar"]

STATES = tuple(state.name.lower() for state in MachineState)
"""Names of the states; any other text is a gap."""
EXECUTING = "executing"


@dataclass(frozen=True)
class Spells:
    """The stops of one state, and the stretches of a clock between them."""

    begins: Array
    """When each stop began whose beginning was seen. Shape (n,). [s]"""
    ends: Array
    """When it ended, or the record of it. Shape (n,). [s]"""
    lengths: Array
    """Time in the stop. Shape (n,). [s]"""
    is_whole: Flags
    """Whether its end was seen, too. Shape (n,)."""
    follows_executing: Flags
    """Whether the machine executed right before. Shape (n,)."""
    ages: Array
    """Clock between a stop and the next one, or the end of the record; without stretches of which
    the beginning was not seen. Shape (m,). [s]"""
    is_cut: Flags
    """Whether a gap or the end of the record cut that stretch off. Shape (m,)."""
    cycles: Array
    """Calendar time from the begin of a stop to the begin of the next, within the record. Shape
    (k,). [s]"""
    exposure: float
    """All of the clock in which a stop could begin. [s]"""


@dataclass(frozen=True)
class History:
    """States of a machine in the order of time; neighbours differ or lie on two sides of a gap."""

    starts: Array
    """Begin of each interval. Shape (n,). [s]"""
    ends: Array
    """End of each interval. Shape (n,). [s]"""
    states: NDArray[np.int64]
    """Number of the state. Shape (n,)."""
    follows_gap: Flags
    """Whether what was before is not known; true for the first. Shape (n,)."""

    @property
    def lengths(self) -> Array:
        """Length of each interval, in s."""
        return self.ends - self.starts

    def has(self, state: str) -> bool:
        """Return whether the machine was ever in a state."""
        return bool((self.states == STATES.index(state)).any())

    def split(self, state: str, short: str, long: str, threshold: float) -> "History":
        """Return the history with a state renamed by its length."""
        own = self.states == STATES.index(state)
        names = np.where(self.lengths < threshold, STATES.index(short), STATES.index(long))
        return replace(self, states=np.where(own, names, self.states))

    def spells(self, state: str, clock: Clock = "calendar") -> Spells:
        """Return the stops of one state.

        Parameters
        ----------
        state : str
            State that counts as a stop.
        clock : str
            ``executing`` counts time in which the machine executes, ``calendar`` all time outside
            the state. Stops without any of the clock between them are one.
        """
        n = len(self.states)
        own = self.states == STATES.index(state)
        lengths = self.lengths
        counts = self.states == STATES.index(EXECUTING) if clock == "executing" else ~own
        ticks = np.where(counts, lengths, 0.0)
        # Clock before each interval, with one more for the end.
        clocks = np.concatenate(([0.0], np.cumsum(ticks)))
        segments = np.cumsum(self.follows_gap) - 1
        index = np.flatnonzero(own)
        if not len(index):
            none, flags = np.empty(0), np.empty(0, dtype=np.bool_)
            return Spells(none, none, none, flags, flags, none, flags, none, float(clocks[-1]))
        # Join stops of a segment with none of the clock between them.
        is_new = np.ones(len(index), dtype=np.bool_)
        is_new[1:] = (segments[index[1:]] != segments[index[:-1]]) | (
            clocks[index[1:]] > clocks[index[:-1] + 1]
        )
        first = np.flatnonzero(is_new)
        last = np.append(first[1:], len(index)) - 1
        opening, closing = index[first], index[last]
        totals = np.add.reduceat(lengths[index], first)
        is_last = closing == n - 1
        cut_after = is_last | self.follows_gap[np.minimum(closing + 1, n - 1)]
        seen = ~self.follows_gap[opening]
        edges = np.append(np.flatnonzero(self.follows_gap), n)
        at_end = clocks[edges[segments[closing] + 1]]
        # A stretch after each stop: to the next stop of the segment, or to the segment's end.
        has_next = np.append(segments[opening[1:]] == segments[opening[:-1]], False)
        until = np.where(has_next, np.append(clocks[opening[1:]], 0.0), at_end)
        ages = until - clocks[closing + 1]
        kept = has_next | (ages > 0)
        before = np.maximum(opening - 1, 0)
        executed = self.states[before] == STATES.index(EXECUTING)
        return Spells(
            begins=self.starts[opening][seen],
            ends=self.ends[closing][seen],
            lengths=totals[seen],
            is_whole=~cut_after[seen],
            follows_executing=executed[seen],
            ages=ages[kept],
            is_cut=~has_next[kept],
            cycles=np.diff(self.starts[opening])[has_next[:-1]],
            exposure=float(clocks[-1]),
        )


def histories(intervals: pl.DataFrame, *, tolerance: float = 1.0) -> dict[str, History]:
    """Return the states of each machine in time.

    Rows without a time, without length or without a known state are gaps; of two that overlap the
    later one begins when the earlier one ends; neighbours in one state are one interval.

    Parameters
    ----------
    intervals : polars.DataFrame
        Columns machine, start, end [s] and state: lower-case names of `MachineState`. Optional:
        is_cut, whether the begin or the end is no change of state; between two such rows even the
        shortest time is a gap.
    tolerance : float
        Time without a state that is not a gap yet. [s]
    """
    has_cuts = "is_cut" in intervals.columns
    cut = pl.col("is_cut").fill_null(value=False) if has_cuts else pl.lit(value=False)
    numbers = {name: number for number, name in enumerate(STATES)}
    table = (
        intervals.filter(
            pl.col("machine").is_not_null()
            & pl.col("start").is_finite()
            & pl.col("end").is_finite()
            & (pl.col("end") > pl.col("start"))
        )
        .select(
            pl.col("machine").cast(pl.String),
            pl.col("start").cast(pl.Float64),
            pl.col("end").cast(pl.Float64),
            cut.alias("is_cut"),
            number=pl.col("state")
            .cast(pl.String)
            .replace_strict(numbers, default=-1, return_dtype=pl.Int64),
        )
        .sort("machine", "start", "end")
    )
    return {
        str(machine): _history(
            group["start"].to_numpy(),
            group["end"].to_numpy(),
            group["number"].fill_null(-1).to_numpy(),
            np.where(group["is_cut"].to_numpy(), 0.0, tolerance),
        )
        for (machine,), group in table.group_by("machine", maintain_order=True)
    }


def _history(starts: Array, ends: Array, states: NDArray[np.int64], tolerances: Array) -> History:
    until = np.concatenate(([-np.inf], np.maximum.accumulate(ends)[:-1]))
    starts = np.maximum(starts, until)
    kept = ends > starts
    starts, ends, states, tolerances = starts[kept], ends[kept], states[kept], tolerances[kept]
    until = np.concatenate(([-np.inf], ends[:-1]))
    # A short hole belongs to what comes after it.
    is_gap = starts - until > np.maximum(tolerances, np.concatenate(([0.0], tolerances[:-1])))
    starts = np.where(is_gap, starts, until)
    known = states >= 0
    after_unknown = np.concatenate(([True], ~known[:-1]))
    follows = (is_gap | after_unknown)[known]
    starts, ends, states = starts[known], ends[known], states[known]
    if not len(states):
        return History(starts, ends, states, follows)
    is_new = follows | np.concatenate(([True], states[1:] != states[:-1]))
    first = np.flatnonzero(is_new)
    last = np.append(first[1:], len(states)) - 1
    return History(starts[first], ends[last], states[first], follows[first])
