"""The line in motion: what there is, the calendar of events, and who has to act at a moment."""

import functools
import heapq
from collections import deque
from collections.abc import Callable
from typing import Any

from gigatwin.plant.appearance import Phase
from gigatwin.plant.buffers import Buffer
from gigatwin.plant.crews import Pool
from gigatwin.plant.item import Item
from gigatwin.plant.journal import Journal
from gigatwin.plant.laws import Draw
from gigatwin.plant.layout import PlantLayout
from gigatwin.plant.machine import Machine

_CALLS = {
    Phase.CALLS_FOR_SETUP: Phase.SETUP,
    Phase.CALLS_FOR_WORK: Phase.STAFFED,
    Phase.CALLS_FOR_REPAIR: Phase.REPAIR,
}

Action = Callable[[Any, int], None]
"""What happens at an event; gets its subject, and a number to tell stale events by."""


class Supply:
    """What a station with an endless supply makes: orders, or one format without end."""

    __slots__ = ("order", "remaining")

    def __init__(self, orders: tuple[tuple[int, int, float], ...]) -> None:
        """Begin with the first order."""
        self.order = 0
        self.remaining = orders[0][1] if orders else 0


class Line:
    """Machines, buffers, people and supply, and time: seconds of plant time since the start.

    An event wakes machines; what they do at that moment wakes others, until nobody has anything to
    do. Then the moment is closed, and what has changed by then is said.
    """

    __slots__ = (
        "agenda",
        "buffers",
        "end_segment",
        "events",
        "finished",
        "idle",
        "journal",
        "layout",
        "machines",
        "n_consumed",
        "n_created",
        "n_finished",
        "n_scrapped",
        "now",
        "own_buffers",
        "pools",
        "proceed",
        "sequence",
        "sources",
        "station_buffers",
        "station_machines",
        "supplies",
    )

    def __init__(
        self,
        layout: PlantLayout,
        journal: Journal,
        proceed: Callable[["Line", Machine], None],
        end_segment: Callable[["Line", Machine, int], None],
    ) -> None:
        """Start without machines; `gigatwin.plant.construction` adds them.

        Parameters
        ----------
        layout : PlantLayout
            What is to be built.
        journal : Journal
            Gets the readings.
        proceed : callable
            Lets a woken machine go on until it has to wait.
        end_segment : callable
            Ends what a machine's timer was set for.
        """
        self.layout = layout
        self.journal = journal
        self.proceed = proceed
        self.end_segment: Action = functools.partial(end_segment, self)
        self.now = 0.0
        self.machines: dict[str, Machine] = {}
        self.sources: list[tuple[Machine, Draw]] = []
        """Streams of arrivals with their intervals."""
        self.buffers: dict[str, Buffer] = {}
        self.station_machines: dict[str, list[Machine]] = {}
        self.station_buffers: dict[str, list[Buffer]] = {}
        """Buffers of a station: its own if it has one, then those of its inputs."""
        self.own_buffers: dict[str, Buffer] = {}
        """The buffer of a station's own items; those with an endless supply have none."""
        self.idle: dict[str, deque[Machine]] = {}
        self.pools: dict[str, Pool] = {}
        self.supplies: dict[str, Supply] = {}
        self.n_created = 0
        self.n_finished = 0
        self.n_scrapped = 0
        self.n_consumed = 0
        self.finished: dict[int, int] = {}
        """Format to the items that left as products."""
        self.events: list[tuple[float, int, Action, Any, int]] = []
        self.sequence = 0
        self.agenda: deque[Machine] = deque()

    def at(self, time: float, action: Action, subject: Any, number: int = 0) -> None:  # noqa: ANN401 - any
        """Let something happen at a time."""
        self.sequence += 1
        heapq.heappush(self.events, (time, self.sequence, action, subject, number))

    def wake(self, machine: Machine) -> None:
        """Let a machine look what it can do."""
        self.agenda.append(machine)

    def run(self, until: float) -> None:
        """Let time go on to a moment, its events included."""
        events, journal, start = self.events, self.journal, self.journal.start_time
        agenda, proceed, pop = self.agenda, self.proceed, heapq.heappop
        self.settle()
        end = start + until
        while events and start + events[0][0] <= end:
            # The clock is coarser than plant time; what it cannot tell apart is one moment.
            moment = journal.time = start + events[0][0]
            while events and start + events[0][0] <= moment:
                self.now, _, action, subject, number = pop(events)
                action(subject, number)
                while agenda:
                    proceed(self, agenda.popleft())
            journal.close_moment()
        self.now = max(self.now, until)
        journal.time = end

    def settle(self) -> None:
        """Let everything happen that follows at once from what was changed from outside."""
        agenda = self.agenda
        while agenda:
            self.proceed(self, agenda.popleft())
        self.journal.close_moment()

    def create(self, product_format: int) -> Item:
        """Return a new item."""
        self.n_created += 1
        return Item(self.n_created, product_format)

    def release(self, resource: str, n_people: int) -> None:
        """Give people back to their pool, or add some; who waited for them goes on."""
        for machine in self.pools[resource].release(n_people):
            machine.phase = _CALLS[machine.phase]
            machine.granted = machine.phase is not Phase.STAFFED
            self.agenda.append(machine)
