"""Where the items of a plant are: the part of the mirror that moves them."""

from bisect import bisect_right
from typing import Any

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.standards.machine_states import MachineState
from gigatwin.twin.mirror_layout import OUT, SCRAP, MirrorLayout, StationFacts
from gigatwin.twin.mirror_parts import (
    GONE,
    Counter,
    MirroredBuffer,
    MirroredItem,
    MirroredMachine,
)

_MOST_LOST = 5_000
"""Items that vanished and are remembered, in case they turn up again."""
_PATIENCE = 2
"""Items that may pass another one in a buffer, beside one for each machine behind it."""
_SETTLE = 10.0
"""How long a level must say something else before it is believed, at least. [s]"""
_CYCLES = 3.0
"""The same in cycles of the machines behind the buffer."""
_MAY_HOLD = frozenset(
    int(s) for s in (MachineState.SETUP, MachineState.WAITING_FOR_CREW, MachineState.EXECUTING)
)
Place = dict[int, MirroredItem]
"""Items of a machine or a buffer by serial number, the first in front."""


class MirroredItems:
    """Keeps the places of items.

    Parameters
    ----------
    compiled : CompiledModel
        The factory.
    layout : MirrorLayout
        The same, in a form that is quick to ask.
    hold : float
        How long a level waits before it is compared. [s]
    """

    machines: list[MirroredMachine]
    processed: list[Counter]

    def __init__(self, compiled: CompiledModel, layout: MirrorLayout, hold: float) -> None:
        self.compiled = compiled
        self.layout = layout
        self.hold = hold
        self.now = 0.0
        """Newest time seen of the source. [s]"""
        self.n_appeared = 0
        """Items that turned up where they could not come from."""
        self.n_vanished = 0
        """Items that must have left without a word, and were not seen again."""
        self._n = len(compiled.machines)
        self._places: list[Place] = [{} for _ in range(self._n + len(compiled.buffers))]
        self._items: dict[int, MirroredItem] = {}
        self._lost: dict[int, MirroredItem] = {}
        self._next_unknown = -2
        self.buffers = [MirroredBuffer() for _ in compiled.buffers]
        """What is known of each buffer, in the order of the compiled factory."""
        self._compared: dict[int, None] = {}
        self._loaded: dict[tuple[int, int], list[float]] = {}
        self._arrived: dict[int, float] = {}
        self._limits = [_PATIENCE + station.n_machines for station in layout.consumers]
        self._settles = [max(_SETTLE, _CYCLES * max(s.run_times)) for s in layout.consumers]

    # Asking ---------------------------------------------------------------------------------------

    def held(self, m: int) -> Place:
        """Return what a machine holds, by serial number."""
        return self._places[m]

    def queued(self, b: int) -> Place:
        """Return what is in a buffer, by serial number, the first in front."""
        return self._places[self._n + b]

    def level(self, b: int) -> int:
        """Return how many items are in a buffer."""
        return len(self._places[self._n + b])

    def magazine(self, m: int, port: int) -> tuple[float, int] | None:
        """Return content and format that a machine has loaded from the buffer of an input."""
        found = self._loaded.get((m, port))
        return None if found is None else (found[0], int(found[1]))

    def last_arrival(self, b: int) -> float | None:
        """Return when an item last came into a buffer from outside; None: never seen. [s]."""
        return self._arrived.get(b)

    def where(self, serial: int) -> str | None:
        """Return the machine or buffer that holds an item, None where none does."""
        item = self._items.get(serial)
        if item is None or item.place == GONE:
            return None
        if item.place < self._n:
            return self.compiled.machines[item.place]
        return self.compiled.buffers[item.place - self._n]

    # Moving ---------------------------------------------------------------------------------------

    def _format(self, name: str, m: int) -> int:
        known = self.layout.formats.get(name)
        if known is not None:
            return known
        return max(self.machines[m].format, 0)

    def _move(self, item: MirroredItem, place: int, time: float) -> None:
        """Put an item to another place, at its end."""
        n = self._n
        old = item.place
        if old >= 0:
            del self._places[old][item.serial]
            if old >= n:
                self._count(old - n, -1, time)
        item.place = place
        item.entered = time
        item.skipped = 0
        if place >= 0:
            self._places[place][item.serial] = item
            if place >= n:
                self._count(place - n, 1, time)
        else:
            self._items.pop(item.serial, None)

    def _count(self, b: int, change: int, time: float) -> None:
        buffer = self.buffers[b]
        changes = buffer.changes
        changes.append([time, change])
        oldest = self.now - 2.0 * self.hold
        while changes and changes[0][0] < oldest:
            changes.popleft()
        buffer.heard = max(buffer.heard, time)

    def _find(self, serial: int) -> MirroredItem | None:
        item = self._items.get(serial)
        if item is None and self._lost:
            item = self._lost.pop(serial, None)
            if item is not None:
                self._items[serial] = item
                self.n_vanished -= 1
        return item

    def _new(self, serial: int, product_format: int, time: float) -> MirroredItem:
        if serial < 0:
            serial = self._next_unknown
            self._next_unknown -= 1
        item = MirroredItem(serial, product_format, time)
        self._items[serial] = item
        return item

    def _lose(self, item: MirroredItem, time: float) -> None:
        """Take an item out of the factory, without forgetting it at once."""
        self._move(item, GONE, time)
        if item.serial >= 0:
            self.n_vanished += 1
            self._lost[item.serial] = item
            if len(self._lost) > _MOST_LOST:
                del self._lost[next(iter(self._lost))]

    def _take_unknown(self, place: int) -> MirroredItem | None:
        """Return the first item at a place that is known by its number only."""
        return next((item for item in self._places[place].values() if item.serial < 0), None)

    def _appear(self, serial: int, name: str, m: int, time: float) -> MirroredItem:
        """Return an item that was not known and shows up at a machine."""
        station = self.layout.station_of[m]
        item = self._new(serial, self._format(name, m), time)
        if station.buffer < 0:
            self.machines[m].n_made += 1
            item.is_born_known = True
            item.order = self._order_of(station)
            return item
        unknown = self._take_unknown(self._n + station.buffer)
        if unknown is None:
            self.n_appeared += 1
        else:
            # It was counted already; now it gets its number.
            self._move(unknown, GONE, time)
        return item

    def _order_of(self, station: StationFacts) -> int:
        """Return the order that the last item of a station belongs to."""
        ends = self.layout.orders.get(station.index)
        if not ends:
            return 0
        return min(bisect_right(ends, self.n_made_at(station) - 1), len(ends) - 1)

    def n_made_at(self, station: StationFacts) -> int:
        """Return how many items a station has made, as far as is known."""
        made = 0
        for m in range(station.first, station.first + station.n_machines):
            before = self.processed[m].n_before if self.processed[m].is_known else 0
            made += before + self.machines[m].n_made
        return made

    def hold_item(self, m: int, serial: int, name: str, time: float) -> None:
        """Let a machine hold an item that it is about to work on, or done with."""
        item = self._find(serial)
        if item is None:
            if self._become(m, serial, time) is not None:
                return
            item = self._appear(serial, name, m, time)
        if item.place != m and item.entered <= time:
            self._move(item, m, time)

    def start_item(self, m: int, serial: int, name: str, time: float, target: str) -> MirroredItem:
        """Let a machine begin to work on an item; what it held before has left."""
        station = self.layout.station_of[m]
        held = self._places[m]
        for other in [k for k in held.values() if k.entered < time and k.serial != serial]:
            self._push_out(station, other, time, target)
        item = self._find(serial) if serial >= 0 else None
        if item is None and serial < 0 and station.buffer >= 0:
            item = next(iter(self._places[self._n + station.buffer].values()), None)
        if item is None:
            item = self._appear(serial, name, m, time)
        elif item.entered > time and item.place != m:
            return item  # it has gone further already
        if name in self.layout.formats:
            item.format = self.layout.formats[name]
        before = item.place
        entered = item.entered
        self._move(item, m, time)
        if before == self._n + station.buffer and station.buffer >= 0:
            self._see_passed(station.buffer, entered, time)
        for port, needs in zip(station.ports, station.needs, strict=True):
            loaded = self._loaded.get((m, port))
            if loaded is not None:
                loaded[0] = max(0.0, loaded[0] - needs[item.format])
        return item

    def _see_passed(self, b: int, entered: float, time: float) -> None:
        """Note that the first item of a buffer was passed by one that came later."""
        queue = self._places[self._n + b]
        while queue:
            first = next(iter(queue.values()))
            if first.entered >= entered:
                return
            first.skipped += 1
            if first.skipped <= self._limits[b]:
                return
            self.buffers[b].n_removed += 1
            self._lose(first, time)

    def _push_out(
        self, station: StationFacts, item: MirroredItem, time: float, target: str
    ) -> None:
        """Let an item leave whose row was lost, to where it must have gone."""
        ways = station.ways[item.format]
        known = self.layout.buffers.get(target)
        if known is not None:
            self._move(item, self._n + known, time)
        elif len(ways) == 1:
            self._move(item, self._n + ways[0] if ways[0] >= 0 else GONE, time)
        else:
            self._lose(item, time)

    def _become(self, m: int, serial: int, time: float) -> MirroredItem | None:
        """Return the item that a machine made of what it held, where it makes several of one."""
        station = self.layout.station_of[m]
        held = self._places[m]
        if max(station.counts) == 1 or not held:
            return None
        child = self._take_unknown(m)
        if child is None:
            for parent in list(held.values()):
                self._move(parent, GONE, time)
                for _ in range(station.counts[parent.format]):
                    new = self._new(-1, parent.format, parent.born)
                    new.is_born_known, new.order = parent.is_born_known, parent.order
                    self._move(new, m, time)
            child = self._take_unknown(m)
        if child is None:
            return None
        self._move(child, GONE, time)
        known = self._new(serial, child.format, child.born)
        known.is_born_known, known.order = child.is_born_known, child.order
        self._move(known, m, time)
        return known

    def leave_item(self, m: int, serial: int, name: str, time: float, to: str) -> MirroredItem:
        """Let an item leave a machine."""
        item = self._find(serial) if serial >= 0 else next(iter(self._places[m].values()), None)
        if item is None:
            item = self._become(m, serial, time) or self._appear(serial, name, m, time)
        elif item.entered > time and item.place != m:
            return item  # it has gone further already
        if to in (OUT, SCRAP):
            self._move(item, GONE, time)
            return item
        aim = self.layout.buffers.get(to)
        if aim is None:
            ways = self.layout.station_of[m].ways[item.format]
            aim = ways[0] if len(ways) == 1 else -1
        if aim < 0:
            self._move(item, GONE, time)
        else:
            self._move(item, self._n + aim, time)
        return item

    def load_item(self, m: int, serial: int, name: str, time: float, port_name: str) -> None:
        """Let a machine load an item into the magazine of an input."""
        station = self.layout.station_of[m]
        port = self.layout.input_buffer.get((station.index, port_name))
        if port is None:
            return
        item = self._find(serial)
        if item is None:
            item = self._take_unknown(self._n + port)
        product_format = self._format(name, m) if item is None else item.format
        if item is not None and item.entered <= time:
            self._move(item, GONE, time)
        loaded = self._loaded.setdefault((m, port), [0.0, float(product_format)])
        loaded[0] += float(self.layout.contents[port, product_format])
        loaded[1] = float(product_format)

    def arrive_item(self, m: int, serial: int, name: str, time: float, to: str) -> None:
        """Let an item come into the factory from outside."""
        station = self.layout.station_of[m]
        buffer = (
            station.buffer if station.is_arrival else self.layout.buffers.get(to, station.buffer)
        )
        if buffer < 0 or self._find(serial) is not None:
            return
        item = self._new(serial, self._format(name, m), time)
        item.is_born_known = True
        self._move(item, self._n + buffer, time)
        self._arrived[buffer] = time

    # Levels ---------------------------------------------------------------------------------------

    def see_level(self, b: int, level: int, time: float) -> None:
        """Take in a reading of a level."""
        buffer = self.buffers[b]
        self.now = max(self.now, time)
        if time >= buffer.level_time:
            buffer.level, buffer.level_time, buffer.is_level_seen = level, time, True
            buffer.heard = max(buffer.heard, time)
            buffer.pending.append([time, level])
            self._compared[b] = None

    def compare_levels(self) -> None:
        """Compare the readings of levels, once no earlier row is to be expected any more."""
        limit = self.now - self.hold
        for b in tuple(self._compared):
            buffer = self.buffers[b]
            pending = buffer.pending
            while pending and pending[0][0] <= limit:
                time, level = pending.popleft()
                later = sum(change for when, change in buffer.changes if when > time)
                self._compare(b, int(level) - (self.level(b) - int(later)), time)
            if not pending and not buffer.off_by:
                del self._compared[b]
            elif not pending:
                # Nothing new was said: what was said last still holds.
                self._reconcile_when_due(b, limit)

    def _compare(self, b: int, off_by: int, time: float) -> None:
        """Note by how much a level differs from the items mirrored."""
        buffer = self.buffers[b]
        if off_by * buffer.off_by <= 0:
            buffer.off_by, buffer.off_since = off_by, time
        elif abs(off_by) < abs(buffer.off_by):
            buffer.off_by = off_by
        self._reconcile_when_due(b, time)

    def _reconcile_when_due(self, b: int, time: float) -> None:
        buffer = self.buffers[b]
        if buffer.off_by and time - buffer.off_since >= self._settles[b]:
            self._reconcile(b, buffer.off_by, time)
            buffer.off_by, buffer.off_since = 0, time

    def _reconcile(self, b: int, difference: int, time: float) -> None:
        """Put as many items into a buffer, or take as many out, as the level says."""
        buffer = self.buffers[b]
        queue = self._places[self._n + b]
        if difference > 0:
            like = next(reversed(queue.values()), None)
            product_format = self._usual_format(b) if like is None else like.format
            for _ in range(difference):
                item = self._new(-1, product_format, time)
                self._move(item, self._n + b, time)
            buffer.n_added += difference
        else:
            for item in list(queue.values())[:-difference]:
                taker = self._taker(b)
                if taker is None:
                    self._lose(item, time)
                else:
                    self._move(item, taker, time)
                buffer.n_removed += 1

    def _usual_format(self, b: int) -> int:
        """Return the format that the machines behind a buffer are set up for."""
        station = self.layout.consumers[b]
        return max(0, *(m.format for m in self.machines[station.first :][: station.n_machines]))

    def _taker(self, b: int) -> int | None:
        """Return a machine that may have taken an item out of a buffer without a word."""
        station = self.layout.consumers[b]
        if station.buffer != b:
            return None
        for m in range(station.first, station.first + station.n_machines):
            if not self._places[m] and (station.ports or self.machines[m].state in _MAY_HOLD):
                return m
        return None

    # Keeping --------------------------------------------------------------------------------------

    def kept_items(self) -> dict[str, Any]:
        """Return all that is known of items and buffers, as plain data."""
        return {
            "now": self.now,
            "counts": [self.n_appeared, self.n_vanished, self._next_unknown],
            "places": [[item.kept() for item in place.values()] for place in self._places],
            "lost": [item.kept() for item in self._lost.values()],
            "buffers": [buffer.kept() for buffer in self.buffers],
            "compared": list(self._compared),
            "loaded": [[m, port, *loaded] for (m, port), loaded in self._loaded.items()],
            "arrived": [list(pair) for pair in self._arrived.items()],
        }

    def restore_items(self, kept: dict[str, Any]) -> None:
        """Go on from what `kept_items` returned."""
        self.now = kept["now"]
        self.n_appeared, self.n_vanished, self._next_unknown = kept["counts"]
        self._items = {}
        self._places = []
        for place in kept["places"]:
            items = [MirroredItem(0, 0, 0.0).restore(fields) for fields in place]
            self._places.append({item.serial: item for item in items})
            self._items.update(self._places[-1])
        lost = [MirroredItem(0, 0, 0.0).restore(fields) for fields in kept["lost"]]
        self._lost = {item.serial: item for item in lost}
        self.buffers = [MirroredBuffer().restore(fields) for fields in kept["buffers"]]
        self._compared = dict.fromkeys(kept["compared"])
        self._loaded = {(m, port): [level, fmt] for m, port, level, fmt in kept["loaded"]}
        self._arrived = {int(b): time for b, time in kept["arrived"]}
