"""When the stops of one machine are due, by its running time, its items, or the calendar."""

import math
import random

from gigatwin.plant.laws import Draw, plain_law, weibull_law
from gigatwin.plant.layout import StopLayout
from gigatwin.plant.truth import StopTruth
from gigatwin.standards.machine_states import MachineState

STATES = {
    "breakdown": MachineState.BREAKDOWN,
    "micro_stop": MachineState.MICRO_STOP,
    "planned": MachineState.PLANNED_STOP,
}
"""State of a machine in each kind of stop."""


class StopClock:
    """One stop of one machine, and when it is due next."""

    __slots__ = ("due", "duration", "duration_mean", "interrupts", "interval", "layout", "state")

    def __init__(self, layout: StopLayout, truth: StopTruth, stream: random.Random) -> None:
        """Draw when it is due for the first time.

        Parameters
        ----------
        layout : StopLayout
            The stop as described.
        truth : StopTruth
            What is true about it.
        stream : random.Random
            Its random numbers.
        """
        self.layout = layout
        self.state = STATES[layout.kind]
        self.interrupts = layout.kind != "planned"
        self.duration: Draw = plain_law(truth.duration_family, truth.duration_cv, stream)
        self.duration_mean = layout.duration * truth.duration_factor
        if layout.is_random:
            law = weibull_law(truth.shape, stream)
            mean = layout.every * truth.interval_factor
        else:
            law = plain_law("rectangular", layout.every_cv, stream)
            mean = layout.every
        self.interval: Draw = lambda: mean * law()
        self.due = self.interval()


class StopClocks:
    """All stops of one machine.

    ``age`` counts running time, weighted by how much speed and settings favour stops; ``running``
    counts plain running time. The ``next_`` fields say when the first stop of each sort is due.
    """

    __slots__ = (
        "age",
        "clocks",
        "items",
        "next_age",
        "next_calendar",
        "next_interruption",
        "next_items",
        "next_running",
        "next_weighted_items",
        "running",
        "weighted_items",
    )

    def __init__(self, clocks: list[StopClock]) -> None:
        """Start with nothing done."""
        self.clocks = clocks
        self.age = 0.0
        self.running = 0.0
        self.items = 0.0
        self.weighted_items = 0.0
        self.find_next()

    def find_next(self) -> None:
        """Find out again what is due next."""
        self.next_age = self._first("running", interrupts=True)
        self.next_running = self._first("running", interrupts=False)
        self.next_weighted_items = self._first("items", interrupts=True)
        self.next_items = self._first("items", interrupts=False)
        self.next_interruption = self._first("calendar", interrupts=True)
        self.next_calendar = min(self.next_interruption, self._first("calendar", interrupts=False))

    def _first(self, counts: str, *, interrupts: bool) -> float:
        return min(
            (
                clock.due
                for clock in self.clocks
                if clock.layout.counts == counts and clock.interrupts is interrupts
            ),
            default=math.inf,
        )

    def _counted(self, clock: StopClock, now: float) -> float:
        """Return what a clock counts, as far as it has come."""
        if clock.layout.counts == "calendar":
            return now
        if clock.layout.counts == "items":
            return self.weighted_items if clock.interrupts else self.items
        return self.age if clock.interrupts else self.running

    def time_to_interruption(self, now: float, rate: float) -> float:
        """Return how many seconds the machine can run until a stop interrupts it.

        Parameters
        ----------
        now : float
            Plant time. [s]
        rate : float
            How much speed and settings favour stops.
        """
        by_age = max(0.0, self.next_age - self.age) / rate
        return min(by_age, max(0.0, self.next_interruption - now))

    def run(self, seconds: float, rate: float) -> None:
        """Count running time."""
        self.age += seconds * rate
        self.running += seconds

    def first_due(self, now: float) -> StopClock | None:
        """Return a stop that is due, None where there is none."""
        if (
            now < self.next_calendar
            and self.age < self.next_age
            and self.running < self.next_running
            and self.items < self.next_items
            and self.weighted_items < self.next_weighted_items
        ):
            return None
        due = (clock for clock in self.clocks if self._counted(clock, now) >= clock.due)
        return next(due, None)

    def interrupting(self, now: float, rate: float) -> StopClock:
        """Return the stop that a running machine has come to."""
        clock = min(
            (c for c in self.clocks if c.interrupts and c.layout.counts != "items"),
            key=lambda c: (
                c.due - now if c.layout.counts == "calendar" else (c.due - self.age) / rate
            ),
        )
        if clock.layout.counts == "running":
            # Over the last rounding error.
            self.age = max(self.age, clock.due)
        return clock

    def restart(self, clock: StopClock, now: float) -> None:
        """Let a stop be over, and find out when it is due again."""
        begin = clock.due if clock.layout.is_timetable else self._counted(clock, now)
        clock.due = begin + clock.interval()
        while clock.layout.is_timetable and clock.due <= now:
            # A stop that took longer than its timetable is not made up for.
            clock.due += clock.interval()
        self.find_next()
