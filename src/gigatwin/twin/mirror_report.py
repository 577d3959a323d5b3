"""How far the mirrored state can be believed, element by element, and why not."""

from dataclasses import asdict, dataclass
from typing import Any

from gigatwin.kernel.layout import Size
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.machine_view import STOPPED_STATES
from gigatwin.twin.mirror import Mirror
from gigatwin.twin.mirror_parts import MirroredMachine

_GRACE = 30.0
"""How long anything may take to be said. [s]"""
_SURE = 1.0 - 1e-4
"""Share of durations that are shorter than what is waited for."""
_SLACK = 1.5
_BUSY = (MachineState.EXECUTING, MachineState.SETUP)


@dataclass(frozen=True, slots=True)
class ElementReport:
    """One machine or buffer."""

    element: str
    age: float | None
    """Time since it was last heard of; None: never. [s]"""
    residual: int
    """Of a machine: its counter minus the events seen since, so the events that were lost. Of a
    buffer: its level as read minus the items mirrored, for as long as they have differed."""
    is_believable: bool
    reason: str
    """Why not; empty where it is."""


@dataclass(frozen=True, slots=True)
class MirrorReport:
    """All elements."""

    now: float
    """Clock of the source, seconds since 1970 in UTC. [s]"""
    machines: tuple[ElementReport, ...]
    buffers: tuple[ElementReport, ...]

    @property
    def doubtful(self) -> tuple[ElementReport, ...]:
        """Elements that are not to be believed."""
        return tuple(e for e in (*self.machines, *self.buffers) if not e.is_believable)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def mirror_report(
    mirror: Mirror, now: float | None = None, *, grace: float = _GRACE
) -> MirrorReport:
    """Return how far each element of a mirror can be believed.

    Parameters
    ----------
    mirror : Mirror
        It is not changed.
    now : float, optional
        Clock of the source, seconds since 1970 in UTC; left out, the newest time it has seen. [s]
    grace : float
        How long anything may take to be said, before silence counts. [s]

    Notes
    -----
    Silence is not a fault by itself: a starved machine says nothing for hours. It is one when the
    model expects a word: an item that takes longer than all but one of 10 000 items, a stop that
    lasts longer than all but one of 10 000 stops, half as much again in both cases; a machine that
    starves although items lie before it, or is blocked although there is room behind it.
    """
    now = mirror.now if now is None else max(now, mirror.now)
    return _Reporting(mirror, now, grace).report()


class _Reporting:
    def __init__(self, mirror: Mirror, now: float, grace: float) -> None:
        self.mirror = mirror
        self.now = now
        self.grace = grace
        self.layout = mirror.layout
        self.model = mirror.compiled.model

    def report(self) -> MirrorReport:
        compiled = self.mirror.compiled
        return MirrorReport(
            self.now,
            tuple(self._machine(m, name) for m, name in enumerate(compiled.machines)),
            tuple(self._buffer(b, name) for b, name in enumerate(compiled.buffers)),
        )

    # Machines -------------------------------------------------------------------------------------

    def _machine(self, m: int, name: str) -> ElementReport:
        r = self.mirror.machines[m]
        residual = self.mirror.processed[m].residual
        if r.heard == 0.0:
            return ElementReport(name, None, residual, is_believable=False, reason="never heard of")
        reason = r.doubt or self._odd_stop(r) or self._silence(m, r)
        age = max(self.now - r.heard, 0.0)
        return ElementReport(name, age, residual, is_believable=not reason, reason=reason)

    @staticmethod
    def _odd_stop(r: MirroredMachine) -> str:
        if r.odd_stop:
            return f"it stands for '{r.odd_stop}', which the model does not have"
        return ""

    def _silence(self, m: int, r: MirroredMachine) -> str:
        """Return why nothing should have been heard for so long, empty where it may be so."""
        limit, what = self._limit(m, r)
        silent = self.now - max(r.last_time, r.since, r.mark)
        if silent <= limit + self.grace:
            return ""
        return f"silent for {silent:.0f} s, {what}"

    def _limit(self, m: int, r: MirroredMachine) -> tuple[float, str]:
        """Return how long a machine may say nothing in the state it is in, and what is odd then."""
        station = self.layout.station_of[m]
        state = MachineState(r.state)
        laws = self.layout.laws
        if state in STOPPED_STATES and r.stop and state is not MachineState.WAITING_FOR_CREW:
            names = [stop.name for stop in station.stops]
            first = int(self.model.stations[station.index]["first_stop"])
            law = int(self.model.stops[first + names.index(r.stop)]["duration"])
            limit = laws.quantile(law, _SURE) * _SLACK
            return limit, f"and its {r.stop} takes at most {limit:.0f} s"
        if state is MachineState.EXECUTING:
            limit = self._longest_work(station.index, r) * _SLACK
            return limit, f"and an item takes at most {limit:.0f} s"
        if state is MachineState.STARVED and station.buffer >= 0 and not station.ports:
            return self._longest_wait(station.buffer, is_batch=station.is_batch)
        if state is MachineState.BLOCKED:
            return self._longest_block(m, r)
        return float("inf"), ""

    def _longest_work(self, station: int, r: MirroredMachine) -> float:
        n_formats = int(self.model.sizes[Size.FORMATS])
        recipe = self.model.recipes[station * n_formats + max(r.format, 0)]
        scale = float(recipe["factor"])
        if recipe["scales"]:
            buffer = self.layout.stations[station].buffer
            content = float(recipe["content"])
            if buffer >= 0:
                content = float(self.layout.contents[buffer, max(r.format, 0)])
            scale *= content if content == content else 1.0  # noqa: PLR0124 - NaN
        return self.layout.laws.quantile(int(recipe["law"]), _SURE) * scale

    def _longest_wait(self, b: int, *, is_batch: bool) -> tuple[float, str]:
        """Return how long a machine may starve with what lies before it."""
        queue = self.mirror.queued(b)
        capacity = self.layout.capacities[b]
        n_formats = int(self.model.sizes[Size.FORMATS])
        if not queue or capacity == 0 or is_batch:
            return float("inf"), ""
        first = next(iter(queue.values()))
        transfer = int(self.model.transfers[b * n_formats + first.format])
        limit = self.layout.laws.quantile(transfer, _SURE) * _SLACK
        since = max(0.0, self.now - first.entered)
        if since <= limit + self.grace:
            return float("inf"), ""
        return limit, f"and starves although {len(queue)} items lie before it"

    def _longest_block(self, m: int, r: MirroredMachine) -> tuple[float, str]:
        target = self.layout.buffers.get(r.target)
        if target is None:
            ways = {way for by_format in self.layout.station_of[m].ways for way in by_format}
            target = ways.pop() if len(ways) == 1 else -1
        capacity = self.layout.capacities[target] if target >= 0 else None
        if not capacity or self.mirror.level(target) >= capacity:
            return float("inf"), ""
        return 0.0, f"and is blocked although {self.mirror.compiled.buffers[target]} has room"

    # Buffers --------------------------------------------------------------------------------------

    def _buffer(self, b: int, name: str) -> ElementReport:
        buffer = self.mirror.buffers[b]
        level, capacity = self.mirror.level(b), self.layout.capacities[b]
        consumer = self.layout.consumers[b]
        reason = ""
        if buffer.off_by:
            reason = f"its level is {buffer.off_by:+d} against the items seen"
        elif capacity is not None and level > capacity + consumer.n_machines:
            reason = f"{level} items were seen to be in {capacity} places"
        age = max(self.now - buffer.heard, 0.0) if buffer.heard else None
        return ElementReport(name, age, buffer.off_by, is_believable=not reason, reason=reason)
