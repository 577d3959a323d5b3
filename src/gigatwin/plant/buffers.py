"""The places in which items wait, and who waits for a place."""

import math
from collections import deque

from gigatwin.plant.item import Item
from gigatwin.plant.laws import Draw
from gigatwin.plant.layout import BufferLayout
from gigatwin.plant.machine import Machine

NEVER = math.inf


class Buffer:
    """The places in front of a station or an input; items keep their order."""

    __slots__ = (
        "alarm",
        "capacity",
        "draw",
        "gathers",
        "idle",
        "is_dirty",
        "last_ready",
        "layout",
        "level_tag",
        "name",
        "queue",
        "shown_level",
        "transfer",
        "waiting",
    )

    def __init__(self, layout: BufferLayout, factor: float, draw: Draw, level_tag: str) -> None:
        """Build an empty buffer.

        Parameters
        ----------
        layout : BufferLayout
            As described.
        factor : float
            Factor on the time on the way.
        draw : Draw
            Random factor on the time on the way.
        level_tag : str
            Tag that says how many items it holds.
        """
        self.layout = layout
        self.name = layout.name
        self.capacity = layout.capacity
        self.gathers = False
        """Whether its machines take several items at a time."""
        self.transfer = tuple(seconds * factor for seconds in layout.transfer)
        self.draw = draw
        self.queue: deque[Item] = deque()
        self.waiting: list[Machine] = []
        """Blocked machines, in the order in which they came."""
        self.idle: deque[Machine] = deque()
        """Machines that wait for an item; shared by all buffers of a station."""
        self.alarm = NEVER
        """When somebody looks next whether an item has come to its end."""
        self.last_ready = 0.0
        self.level_tag = level_tag
        self.shown_level = 0
        self.is_dirty = False

    def put(self, item: Item, now: float) -> None:
        """Append an item; there is room for it."""
        seconds = self.transfer[item.format]
        if seconds > 0.0:
            ready = now + seconds * self.draw()
            item.ready = self.last_ready = max(ready, self.last_ready)
        else:
            item.ready = now
        self.queue.append(item)

    def first_waiting(self) -> Machine | None:
        """Return the blocked machine whose turn it is, None where there is none."""
        for machine in self.waiting:
            if not machine.is_halted:
                return machine
        return None
