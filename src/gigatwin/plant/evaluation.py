"""What really happened in the virtual plant, for those who judge a mirror of it.

Everything here can be observed by somebody who stands beside the line with a notebook; parameters
of the truth are not among it.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gigatwin.plant.journal import StateInterval
from gigatwin.plant.line import Line
from gigatwin.standards.machine_states import MachineState


@dataclass(frozen=True, slots=True)
class TrueMachine:
    """One machine as it is."""

    processed: int
    """Items that left it, scrap included."""
    defective: int
    """Items that it sorted out as scrap."""
    good_rejected: int
    """Good items that it took for bad ones."""
    bad_passed: int
    """Bad items that it took for good ones."""
    n_telegrams: int
    """Tracking telegrams sent."""
    n_ignored: int
    """Commands that it did not follow."""
    items: tuple[int, ...]
    """Serial numbers of the items in it."""
    format: str
    """Format that it is set up for; empty before its first item."""
    state: StateInterval
    """State now, with an end at infinity."""


@dataclass(frozen=True, slots=True)
class TrueState:
    """The plant as it is at one moment, and how it came there."""

    time: float
    """Clock of the plant, seconds since 1970 in UTC. [s]"""
    machines: Mapping[str, TrueMachine]
    """By name as in the compiled factory."""
    buffers: Mapping[str, tuple[int, ...]]
    """Buffer to the serial numbers of its items, the first to leave first."""
    waiting_outside: Mapping[str, tuple[int, ...]]
    """Stream of arrivals to the items that find no room."""
    n_created: int
    """Items that came into being, arrivals included."""
    n_finished: int
    """Items that left as products."""
    n_scrapped: int
    """Items that were scrapped."""
    n_consumed: int
    """Items that went into others."""
    finished: Mapping[str, int]
    """Format to the items that left as products."""
    intervals: Mapping[str, tuple[StateInterval, ...]]
    """States of each machine in the order of time, the last cut off now; empty where the plant was
    made without ``record_truth``."""

    @property
    def levels(self) -> dict[str, int]:
        """Items in each buffer."""
        return {name: len(items) for name, items in self.buffers.items()}

    @property
    def n_inside(self) -> int:
        """Items in machines, buffers, and waiting outside."""
        groups = (
            *(machine.items for machine in self.machines.values()),
            *self.buffers.values(),
            *self.waiting_outside.values(),
        )
        return sum(len(items) for items in groups)

    def state_at(self, machine: str, time: float) -> MachineState | None:
        """Return the state of a machine at a time, None before its first recorded one.

        Parameters
        ----------
        machine : str
            Name as in the compiled factory.
        time : float
            Clock of the plant, seconds since 1970 in UTC. [s]
        """
        intervals = self.intervals[machine]
        place = bisect_right(intervals, time, key=lambda interval: interval.begin)
        return intervals[place - 1].state if place else None

    def time_apart(
        self, machine: str, seen: Sequence[tuple[float, MachineState]], begin: float, end: float
    ) -> float:
        """Return how many seconds a machine was in another state than somebody thought.

        Parameters
        ----------
        machine : str
            Name as in the compiled factory.
        seen : sequence of tuple
            Changes of the state that was thought of: time [s since 1970] and state, by time.
        begin, end : float
            What is compared, seconds since 1970 in UTC. [s]
        """
        intervals = self.intervals[machine]
        moments = {begin, end}
        moments.update(i.begin for i in intervals if begin < i.begin < end)
        moments.update(time for time, _ in seen if begin < time < end)
        times = [time for time, _ in seen]
        ordered = sorted(moments)
        apart = 0.0
        for first, last in pairwise(ordered):
            place = bisect_right(times, first)
            thought = seen[place - 1][1] if place else None
            if thought is not self.state_at(machine, first):
                apart += last - first
        return apart


def true_state(line: Line) -> TrueState:
    """Return how a line is now.

    Parameters
    ----------
    line : Line
        The line.
    """
    journal = line.journal
    intervals: dict[str, tuple[StateInterval, ...]] = {}
    if journal.past is not None:
        for name in line.machines:
            now = journal.begun[name]._replace(end=journal.time)
            intervals[name] = (*journal.past.get(name, ()), now)
    formats = line.layout.formats
    return TrueState(
        time=journal.time,
        machines={
            name: TrueMachine(
                processed=m.processed,
                defective=m.defective,
                good_rejected=m.good_rejected,
                bad_passed=m.bad_passed,
                n_telegrams=m.n_telegrams,
                n_ignored=m.n_ignored,
                items=tuple(item.serial for item in m.items),
                format=formats[m.format] if m.format >= 0 else "",
                state=journal.begun[name],
            )
            for name, m in line.machines.items()
        },
        buffers={
            name: tuple(item.serial for item in buffer.queue)
            for name, buffer in line.buffers.items()
        },
        waiting_outside={
            source.name: tuple(item.serial for item in source.items) for source, _ in line.sources
        },
        n_created=line.n_created,
        n_finished=line.n_finished,
        n_scrapped=line.n_scrapped,
        n_consumed=line.n_consumed,
        finished={formats[number]: count for number, count in sorted(line.finished.items())},
        intervals=intervals,
    )
