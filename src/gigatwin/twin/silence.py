"""Machines that fall silent while their neighbours are still heard: what they probably do.

Only a stretch of one machine between two buffers can be filled in: it takes items one by one, all
of one law, from a buffer of its own and passes them all to one buffer. Stops that count running
time are believed possible; planned stops are not. What is seen of the machine behind the stretch,
and of the level before it, tells when items have left.
"""

import dataclasses
from collections.abc import Mapping

from gigatwin.compiler.live_contents import LiveContents, LiveItem, LiveMachine
from gigatwin.kernel.layout import Clock, Size
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.observations import EventRow, Taken
from gigatwin.telemetry.tags import Quantity
from gigatwin.twin.mirror import Mirror
from gigatwin.twin.mirror_layout import StopFacts
from gigatwin.twin.particles import HiddenStop, SilentStation

_PARTICLES = 1000
_MOST_ENTRIES = 20_000


@dataclasses.dataclass
class _Stretch:
    """A machine with the buffers before and behind it."""

    machine: int
    before: int
    behind: int
    capacity: int | None
    """Places behind it."""
    next_machine: int
    """The only machine that takes from behind; -1: there are several."""
    since: float = 0.0
    """When it was last heard of. [s]"""
    n_waiting: int = 0
    n_behind: int = 0
    does_next_starve: bool = False
    entries: list[tuple[float, str, int]] = dataclasses.field(default_factory=list)
    """What was seen since: time, what, number."""


class SilentStations:
    """Remembers what the neighbours of a machine show from the moment on that it falls silent.

    Parameters
    ----------
    mirror : Mirror
        The mirror that is kept beside; it must have taken in the same before.
    """

    def __init__(self, mirror: Mirror) -> None:
        self.mirror = mirror
        self._laws = mirror.layout.laws
        self._stretches = {s.machine: s for s in self._found()}
        self._into: dict[int, _Stretch] = {s.before: s for s in self._stretches.values()}
        self._out_of: dict[int, _Stretch] = {s.behind: s for s in self._stretches.values()}

    def _found(self) -> list[_Stretch]:
        """Return the stretches that can be filled in."""
        layout = self.mirror.layout
        found = []
        for station in layout.stations:
            ways = {way for by_format in station.ways for way in by_format}
            simple = station.n_machines == 1 and not station.ports and not station.is_batch
            if not simple or station.buffer < 0 or max(station.counts) > 1 or len(ways) != 1:
                continue
            behind = ways.pop()
            if (
                behind < 0
                or not layout.capacities[station.buffer]
                or layout.capacities[behind] == 0
            ):
                continue
            consumer = layout.consumers[behind]
            # Others that lead to the same buffer would be taken for this machine.
            feeders = [
                s
                for s in layout.stations
                if any(behind in by_format for by_format in s.ways) and s is not station
            ]
            if feeders or consumer.buffer != behind:
                continue
            found.append(
                _Stretch(
                    station.first,
                    station.buffer,
                    behind,
                    layout.capacities[behind],
                    consumer.first if consumer.n_machines == 1 else -1,
                )
            )
        return found

    @property
    def machines(self) -> tuple[str, ...]:
        """Machines that can be filled in."""
        return tuple(self.mirror.compiled.machines[m] for m in self._stretches)

    def take(self, taken: Taken) -> None:
        """Take in what the mirror has just taken in."""
        heard: set[int] = set()
        index = self.mirror.layout.machines
        for row in taken.events:
            m = index.get(row.machine)
            if m is None:
                continue
            if m in self._stretches:
                heard.add(m)
            self._see(m, row)
        for observation in taken.observations:
            if observation.quantity is Quantity.LEVEL and isinstance(
                observation.value, int | float
            ):
                b = self.mirror.layout.buffers.get(observation.element)
                stretch = self._out_of.get(-1 if b is None else b)
                if stretch is not None:
                    stretch.entries.append((observation.time, "level", int(observation.value)))
        for m in heard:
            self._begin(self._stretches[m])

    def _see(self, m: int, row: EventRow) -> None:
        """Note what a neighbour did."""
        if row.kind == "LEAVE":
            b = self.mirror.layout.buffers.get(row.detail)
            stretch = self._into.get(-1 if b is None else b)
            if stretch is not None:
                stretch.entries.append((row.time, "in", 1))
        station = self.mirror.layout.station_of[m]
        stretch = self._out_of.get(station.buffer)
        if stretch is None:
            return
        if row.kind == "START":
            stretch.entries.append((row.time, "taken", 1))
        elif row.state is MachineState.STARVED and m == stretch.next_machine:
            stretch.entries.append((row.time, "starves", 1))
        if len(stretch.entries) > _MOST_ENTRIES:
            del stretch.entries[: _MOST_ENTRIES // 2]

    def _begin(self, stretch: _Stretch) -> None:
        """Start anew with a machine that was heard of."""
        mirror = self.mirror
        stretch.since = mirror.now
        stretch.n_waiting = mirror.level(stretch.before) + len(mirror.held(stretch.machine))
        stretch.n_behind = mirror.level(stretch.behind)
        if stretch.next_machine >= 0:
            state = mirror.machines[stretch.next_machine].state
            stretch.does_next_starve = state == int(MachineState.STARVED)
        stretch.entries.clear()

    # Estimating -----------------------------------------------------------------------------------

    def estimate(
        self, machine: str, now: float | None = None, *, n: int = _PARTICLES, seed: int = 1
    ) -> SilentStation | None:
        """Return the particles of a silent machine, None where it cannot be filled in.

        Parameters
        ----------
        machine : str
            Name of the machine.
        now : float, optional
            Clock of the source; left out, the newest time that the mirror has seen. [s]
        n : int
            Number of particles, 500 to 2000.
        seed : int
            Chooses the random numbers.
        """
        stretch = self._stretches.get(self.mirror.layout.machines.get(machine, -1))
        if stretch is None or stretch.since == 0.0:
            return None
        now = self.mirror.now if now is None else max(now, self.mirror.now)
        station = self._station(stretch, n, seed)
        transfer = self._transfer(stretch.before)
        entries = [
            (time + transfer if what == "in" else time, what, number)
            for time, what, number in stretch.entries
        ]
        entries.sort(key=lambda entry: entry[0])
        following = _Following(stretch, station, self._transfer(stretch.behind))
        has_level = any(what == "level" for _, what, _ in entries)
        for time, what, number in entries:
            if time > now:
                station.n_coming += what == "in"
                continue
            if has_level:
                following.by_level(time, what, number)
            else:
                following.by_starving(time, what)
        following.until(now, has_level=has_level)
        return station

    def _transfer(self, b: int) -> float:
        n_formats = int(self.mirror.compiled.model.sizes[Size.FORMATS])
        return self._laws.mean(int(self.mirror.compiled.model.transfers[b * n_formats]))

    def _station(self, stretch: _Stretch, n: int, seed: int) -> SilentStation:
        """Return particles of what is known at the moment the machine was last heard of."""
        mirror, model = self.mirror, self.mirror.compiled.model
        r = mirror.machines[stretch.machine]
        facts = mirror.layout.station_of[stretch.machine]
        n_formats = int(model.sizes[Size.FORMATS])
        recipe = model.recipes[facts.index * n_formats + max(r.format, 0)]
        first = int(model.stations[facts.index]["first_stop"])
        hidden, names = [], []
        for k, stop in enumerate(facts.stops):
            if stop.clock is not Clock.RUNNING or not stop.interrupts:
                continue
            record = model.stops[first + k]
            ended = r.stop_ended.get(stop.name)
            ran = r.running - (ended[1] if ended else 0.0)
            names.append(stop.name)
            hidden.append(
                HiddenStop(
                    int(record["law"]),
                    float(record["factor"]),
                    int(record["duration"]),
                    max(ran, 0.0),
                )
            )
        state = MachineState(r.state)
        worked = r.worked
        if state is MachineState.EXECUTING:
            worked += max(stretch.since - r.mark, 0.0)
        holds = bool(mirror.held(stretch.machine))
        return SilentStation(
            self._laws,
            int(recipe["law"]),
            float(recipe["factor"]),
            hidden,
            time=stretch.since,
            n_waiting=stretch.n_waiting,
            worked=worked if holds else 0.0,
            stands=names.index(r.stop) if r.stop in names else -1,
            stood=max(stretch.since - r.active_since, 0.0) if r.stop in names else 0.0,
            is_done=holds and state is MachineState.BLOCKED,
            n=n,
            seed=seed,
        )


class _Following:
    """Tells the particles what the neighbours showed, in the order of time."""

    def __init__(self, stretch: _Stretch, station: SilentStation, transfer: float) -> None:
        self.stretch = stretch
        self.station = station
        self.transfer = transfer
        """Time on the way behind the machine. [s]"""
        self.starves = stretch.does_next_starve
        self.n_taken = 0
        self.level = stretch.n_behind
        self.n_out = 0

    def _is_full(self) -> bool:
        return self.stretch.capacity is not None and self.level >= self.stretch.capacity

    def by_level(self, time: float, what: str, number: int) -> None:
        """Follow where the level behind the machine is read."""
        if what == "in":
            self.until(time, has_level=True)
            self.station.enter(time)
        elif what == "taken":
            self.n_taken += 1
        elif what == "level":
            out = number - self.stretch.n_behind + self.n_taken
            if out <= self.n_out and number == self.level:
                return  # nothing new: silence is followed in one step
            self.until(time, has_level=True)
            for _ in range(max(out - self.n_out, 0)):
                self.station.leave(time)
            self.n_out = max(out, self.n_out)
            self.level = number

    def by_starving(self, time: float, what: str) -> None:
        """Follow where only the machine behind is heard: what it waits for comes as it leaves."""
        if what == "in":
            self.until(time, has_level=False)
            self.station.enter(time)
        elif what == "starves":
            self.until(time, has_level=False)
            self.starves = True
        elif what == "taken":
            self.n_taken += 1
            missing = self.n_taken - self.stretch.n_behind
            if self.starves and missing > 0:
                self.station.leave(max(time - self.transfer, self.station.time))
            else:
                self.until(time, has_level=False)
                self.station.has_left(max(missing, 0))
            self.starves = False

    def until(self, time: float, *, has_level: bool) -> None:
        """Let time go on with nothing seen."""
        if not has_level and self.starves:
            time -= self.transfer  # what has left since then is on its way
        if time <= self.station.time:
            return
        if has_level and self._is_full():
            self.station.full(time)
        elif has_level or self.starves:
            self.station.quiet(time)
        else:
            self.station.unseen(time)


def filled_in(
    contents: LiveContents,
    mirror: Mirror,
    silent: Mapping[str, SilentStation],
    places: Mapping[str, float],
) -> LiveContents:
    """Return contents in which silent machines do what one of their particles does.

    Parameters
    ----------
    contents : LiveContents
        By the mirror.
    mirror : Mirror
        Where they come from.
    silent : mapping
        Particles by the name of the machine.
    places : mapping
        Which particle: a place in the sum of their weights, 0 <= u < 1, by name.
    """
    machines, buffers = dict(contents.machines), dict(contents.buffers)
    for name, station in silent.items():
        facts = mirror.layout.station_of[mirror.layout.machines[name]]
        before = mirror.compiled.buffers[facts.buffer]
        behind = mirror.compiled.buffers[facts.ways[0][0]]
        k = station.pick(places[name])
        has_item = station.n_arrived > int(station.n_left[k])
        # Items keep their order: those that have left the machine are the first of all.
        queue: list[LiveItem] = [
            *buffers.get(behind, ()),
            *machines[name].items,
            *buffers.get(before, ()),
        ]
        n_before = station.n_arrived - int(station.n_left[k]) - has_item + station.n_coming
        n_before = min(max(n_before, 0), len(queue))
        waiting, rest = queue[len(queue) - n_before :], queue[: len(queue) - n_before]
        held = [rest.pop()] if has_item and rest else []
        buffers[before] = tuple(waiting)
        buffers[behind] = tuple(rest)
        machines[name] = _particle_machine(machines[name], station, k, tuple(held), facts.stops)
    return dataclasses.replace(contents, machines=machines, buffers=buffers)


def _particle_machine(
    live: LiveMachine,
    station: SilentStation,
    k: int,
    held: tuple[LiveItem, ...],
    stops: tuple[StopFacts, ...],
) -> LiveMachine:
    """Return a machine as one particle has it."""
    stop = ""
    state = MachineState.STARVED
    if station.stands[k]:
        hidden = [s for s in stops if s.clock is Clock.RUNNING and s.interrupts]
        found = hidden[int(station.stop[k])]
        stop, state = found.name, found.state
    elif held:
        state = MachineState.BLOCKED if station.is_done[k] else MachineState.EXECUTING
    return dataclasses.replace(
        live,
        state=state,
        since=None,
        waits_since=None,
        items=held,
        target=None,
        worked=float(station.worked[k]),
        work_left=None,
        stop=stop,
        is_interrupted=bool(stop and held),
        elapsed=float(station.stood[k]) if stop else None,
        residual=None,
    )
