"""What is in the plant now, as the compiler wants it told to make a state that runs on."""

from gigatwin.compiler.live_contents import (
    LiveClock,
    LiveContents,
    LiveItem,
    LiveMachine,
    LiveMagazine,
    LiveSupply,
)
from gigatwin.kernel.layout import Clock
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.machine_view import STOPPED_STATES
from gigatwin.twin.mirror import Mirror
from gigatwin.twin.mirror_layout import StationFacts, StopFacts
from gigatwin.twin.mirror_parts import MirroredItem, MirroredMachine

_OVERDUE = 0.5
"""Share of a timetable's interval after which a stop that did not come is taken as left out."""
_HOLDING = frozenset({MachineState.SETUP, MachineState.WAITING_FOR_CREW, MachineState.EXECUTING})


def live_contents(mirror: Mirror, now: float | None = None) -> LiveContents:
    """Return what is in a plant, by what its mirror knows.

    Parameters
    ----------
    mirror : Mirror
        It is not changed.
    now : float, optional
        Clock of the source, seconds since 1970 in UTC; left out, the newest time it has seen. [s]

    Returns
    -------
    LiveContents
        Times are simulated seconds, from the mirror's origin. Where two things that were seen
        cannot both be so (a machine that works but holds nothing), the likelier one is told.
    """
    return _Telling(mirror, mirror.now if now is None else max(now, mirror.now)).contents()


class _Telling:
    def __init__(self, mirror: Mirror, now: float) -> None:
        self.mirror = mirror
        self.layout = mirror.layout
        self.compiled = mirror.compiled
        self.origin = now if mirror.origin is None else min(mirror.origin, now)
        self.clock = now
        n = len(self.compiled.machines)
        self.held = [list(mirror.held(m).values()) for m in range(n)]
        self.queued = [list(mirror.queued(b).values()) for b in range(len(self.compiled.buffers))]

    def contents(self) -> LiveContents:
        self._settle_holders()
        self._empty_doors()
        return LiveContents(
            now=self.clock - self.origin,
            machines={name: self._machine(m) for m, name in enumerate(self.compiled.machines)},
            buffers={
                name: tuple(self._item(item, in_buffer=True) for item in self.queued[b])
                for b, name in enumerate(self.compiled.buffers)
            },
            supplies=self._supplies(),
            arrivals=self._arrivals(),
        )

    # Items ----------------------------------------------------------------------------------------

    def _settle_holders(self) -> None:
        """Give every machine that works on something what it works on."""
        for m, r in enumerate(self.mirror.machines):
            station = self.layout.station_of[m]
            works = r.is_interrupted or (MachineState(r.state) in _HOLDING and not r.stop)
            if not works or not r.is_known:
                continue
            if self.held[m]:
                self._complete_batch(m, r, station)
            elif station.buffer >= 0:
                queue = self.queued[station.buffer]
                n = station.batch[queue[0].format] if queue and station.is_batch else 1
                self.held[m] = queue[:n]
                del queue[:n]
            elif not station.ports:
                self.held[m] = [self._made(r)]

    def _complete_batch(self, m: int, r: MirroredMachine, station: StationFacts) -> None:
        """Let a machine that waits with a batch hold all of it, not the first item only."""
        if not station.is_batch or r.stop or r.state == int(MachineState.EXECUTING):
            return
        held, queue = self.held[m], self.queued[station.buffer]
        first = held[0]
        while queue and len(held) < station.batch[first.format]:
            item = queue[0]
            if (item.format, item.order) != (first.format, first.order) or item.entered > r.since:
                return
            held.append(queue.pop(0))

    def _made(self, r: MirroredMachine) -> MirroredItem:
        item = MirroredItem(-1, max(r.format, 0), r.since)
        item.is_born_known = True
        return item

    def _empty_doors(self) -> None:
        """Let nothing stand between two machines that have no places between them."""
        for b, queue in enumerate(self.queued):
            if self.layout.capacities[b] != 0 or not queue:
                continue
            station = self.layout.consumers[b]
            for m in range(station.first, station.first + station.n_machines):
                if queue and not self.held[m]:
                    self.held[m] = [queue.pop(0)]
            queue.clear()

    def _item(self, item: MirroredItem, *, in_buffer: bool = False) -> LiveItem:
        return LiveItem(
            format=self.compiled.formats[item.format],
            serial=item.serial if item.serial >= 0 else -1,
            born=max(item.born - self.origin, 0.0) if item.is_born_known else None,
            order=item.order,
            elapsed=max(self.clock - item.entered, 0.0) if in_buffer else None,
        )

    # Machines -------------------------------------------------------------------------------------

    def _machine(self, m: int) -> LiveMachine:
        r = self.mirror.machines[m]
        station = self.layout.station_of[m]
        if not r.is_known and not self.held[m]:
            return LiveMachine(clocks=self._clocks(r, station))
        state = self._state(r, station, has_items=bool(self.held[m]))
        worked = r.worked
        if r.state == int(MachineState.EXECUTING):
            worked += max(self.clock - r.mark, 0.0)
        stands = state in STOPPED_STATES and bool(r.stop)
        elapsed = None
        if (stands and state is not MachineState.WAITING_FOR_CREW) or state is MachineState.SETUP:
            elapsed = max(self.clock - r.active_since, 0.0)
        ways = self._only_way(r, station, m) if state is MachineState.BLOCKED else None
        return LiveMachine(
            state=state,
            since=max(r.since - self.origin, 0.0),
            waits_since=r.waits_since - self.origin,
            items=tuple(self._item(item) for item in self.held[m]),
            is_created=station.buffer < 0,
            target=ways,
            worked=worked if state is MachineState.EXECUTING or r.is_interrupted else None,
            stop=r.stop if stands else "",
            is_interrupted=stands and r.is_interrupted,
            elapsed=elapsed,
            format=self.compiled.formats[r.format] if r.format >= 0 else "",
            clocks=self._clocks(r, station),
            magazines=self._magazines(m, station),
        )

    def _state(self, r: MirroredMachine, station: StationFacts, *, has_items: bool) -> MachineState:
        """Return the state that fits what a machine holds."""
        state = MachineState(r.state)
        if state in STOPPED_STATES:
            if r.stop or state is MachineState.WAITING_FOR_CREW:
                return state
            # A stop that the model does not have: it goes on as it was.
            state = MachineState.EXECUTING
        if has_items and not station.ports and state is MachineState.STARVED:
            return MachineState.BLOCKED  # done with it, but its leaving was not seen
        if not has_items and state in {MachineState.BLOCKED, *_HOLDING}:
            return MachineState.STARVED
        return state

    def _only_way(self, r: MirroredMachine, station: StationFacts, m: int) -> str | None:
        if r.target in self.layout.buffers:
            return r.target
        ways = set(station.ways[self.held[m][0].format]) if self.held[m] else set()
        if len(ways) == 1 and r.state == int(MachineState.BLOCKED):
            way = ways.pop()
            return self.compiled.buffers[way] if way >= 0 else None
        return None

    def _clocks(self, r: MirroredMachine, station: StationFacts) -> dict[str, LiveClock]:
        if r.heard == 0.0:
            return {}
        running = r.running
        if r.state == int(MachineState.EXECUTING):
            running += max(self.clock - r.mark, 0.0)
        clocks = {}
        for stop in station.stops:
            ended = r.stop_ended.get(stop.name)
            if stop.interval > 0.0:
                clocks[stop.name] = self._timetable(r, stop)
                continue
            time, ran, done, content = ended or (r.seen_from, 0.0, 0.0, 0.0)
            elapsed = {
                Clock.RUNNING: running - ran,
                Clock.CALENDAR: self.clock - time,
                Clock.ITEMS: r.n_done - done,
                Clock.CONTENT: r.content_done - content,
            }[stop.clock]
            clocks[stop.name] = LiveClock(elapsed=max(elapsed, 0.0), is_since_stop=bool(ended))
        return clocks

    def _timetable(self, r: MirroredMachine, stop: StopFacts) -> LiveClock:
        """Return how far a stop is away that comes at fixed times."""
        if r.stop == stop.name:
            return LiveClock(residual=min(r.active_since - self.clock, 0.0))
        begun = r.stop_begun.get(stop.name)
        if begun is None:
            return LiveClock(elapsed=0.0)
        left = begun + stop.interval - self.clock
        while left < -_OVERDUE * stop.interval:
            left += stop.interval
        return LiveClock(residual=left)

    def _magazines(self, m: int, station: StationFacts) -> dict[str, LiveMagazine]:
        found = {}
        for buffer in station.ports:
            loaded = self.mirror.magazine(m, buffer)
            if loaded is not None:
                name = self.compiled.buffers[buffer][len(station.name) + 1 :]
                order = self.held[m][0].order if self.held[m] else 0
                found[name] = LiveMagazine(loaded[0], self.compiled.formats[loaded[1]], order)
        return found

    # What comes in --------------------------------------------------------------------------------

    def _supplies(self) -> dict[str, LiveSupply]:
        found = {}
        model, n_formats = self.compiled.model, len(self.compiled.formats)
        for index, ends in self.layout.orders.items():
            station = self.layout.stations[index]
            made = self.mirror.n_made_at(station)
            order = next((k for k, end in enumerate(ends) if end > made), len(ends))
            remaining = 0.0
            if order < len(ends):
                recipe = model.recipes[index * n_formats + int(model.orders[order]["format"])]
                content = float(recipe["content"])
                remaining = (ends[order] - made) * (content if content == content else 1.0)  # noqa: PLR0124 - NaN
            found[station.name] = LiveSupply(order, remaining)
        return found

    def _arrivals(self) -> dict[str, LiveClock]:
        found = {}
        for index, name in enumerate(self.compiled.arrivals):
            b = int(self.compiled.model.arrivals[index]["buffer"])
            way = self.layout.consumers[b].ways[0][0]
            times = [self.mirror.last_arrival(k) for k in (b, way) if k >= 0]
            seen = [time for time in times if time is not None]
            if seen:
                found[name] = LiveClock(elapsed=max(self.clock - max(seen), 0.0))
        return found
