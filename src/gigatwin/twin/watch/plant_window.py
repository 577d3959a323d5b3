"""What a plant did in the last hours: output, time in states, levels of buffers.

The window is kept in portions, so that its oldest part can be dropped; a portion is closed when the
plant's clock has passed its end.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.observations import EventRow

N_PORTIONS = 12
"""Portions of a window; it moves on by one at a time."""
_N_STATES = len(MachineState)
IN_PROCESS = ""
"""Name under which the number of items in the factory is given as a level."""


class PlantWindow:
    """A moving window of what a plant did.

    Parameters
    ----------
    machines : iterable of str
        Machines to keep.
    length : float
        Length of the window, above 0. [s]
    """

    def __init__(self, machines: Iterable[str], length: float) -> None:
        self.length = length
        self._portion = length / N_PORTIONS
        self._end: float | None = None  # of the portion under way
        self._states: dict[str, tuple[int, float]] = {}  # state of a machine, counted up to
        self._seconds = {name: [0.0] * _N_STATES for name in machines}
        self._levels: dict[str, tuple[float, float]] = {}
        self._areas: dict[str, float] = {}
        self._finished: dict[str, int] = {}
        self._closed: deque[dict[str, Any]] = deque(maxlen=N_PORTIONS)

    def take(self, rows: Iterable[EventRow]) -> int:
        """Take event rows in, and return how many portions they closed."""
        closed = 0
        for time, machine, kind, state, _, product_format, detail, _ in rows:
            end = self._end
            if end is None:
                end = self._end = time + self._portion
            if time > end + 2.0 * self.length:
                self._forget()  # the plant was not seen for longer than the window
                end = self._end = time + self._portion
            while time > end:
                self._close(end)
                closed += 1
                end = self._end = end + self._portion
            if kind == "LEAVE" and detail == "out":
                self._finished[product_format] = self._finished.get(product_format, 0) + 1
            seconds = self._seconds.get(machine)
            if seconds is None:
                continue
            before = self._states.get(machine)
            if before is not None and time > before[1]:
                seconds[before[0]] += time - before[1]
            self._states[machine] = int(state), time if before is None else max(time, before[1])
        return closed

    def set_level(self, name: str, level: float, time: float) -> None:
        """Say how full a buffer is from a moment on.

        Parameters
        ----------
        name : str
            Buffer of the compiled factory; `IN_PROCESS` for the items in the factory.
        level : float
            Items in it.
        time : float
            Clock of the plant. [s]
        """
        before = self._levels.get(name)
        if before is not None and time > before[1]:
            self._areas[name] = self._areas.get(name, 0.0) + before[0] * (time - before[1])
        self._levels[name] = level, time if before is None else max(time, before[1])

    def _forget(self) -> None:
        self._closed.clear()
        self._states.clear()
        self._levels.clear()
        self._seconds = {name: [0.0] * _N_STATES for name in self._seconds}
        self._areas, self._finished = {}, {}

    def _close(self, end: float) -> None:
        for machine, (state, since) in self._states.items():
            if end > since:
                self._seconds[machine][state] += end - since
                self._states[machine] = state, end
        for name, (level, since) in self._levels.items():
            if end > since:
                self._areas[name] = self._areas.get(name, 0.0) + level * (end - since)
                self._levels[name] = level, end
        self._closed.append(
            {
                "seconds": self._seconds,
                "areas": self._areas,
                "finished": self._finished,
                "end": end,
            }
        )
        self._seconds = {name: [0.0] * _N_STATES for name in self._seconds}
        self._areas, self._finished = {}, {}

    @property
    def machines(self) -> tuple[str, ...]:
        """Machines that are kept."""
        return tuple(self._seconds)

    @property
    def is_full(self) -> bool:
        """Whether as long as the window was seen."""
        return len(self._closed) == N_PORTIONS

    @property
    def end(self) -> float:
        """End of the last closed portion, in s."""
        return float(self._closed[-1]["end"]) if self._closed else 0.0

    @property
    def finished(self) -> dict[str, int]:
        """Products by format."""
        found: dict[str, int] = {}
        for portion in self._closed:
            for name, n in portion["finished"].items():
                found[name] = found.get(name, 0) + n
        return found

    def shares(self, machine: str) -> list[float] | None:
        """Return the shares of time by state, None if less than half of the window was seen."""
        sums = [0.0] * _N_STATES
        for portion in self._closed:
            for state, seconds in enumerate(portion["seconds"].get(machine, ())):
                sums[state] += seconds
        total = sum(sums)
        if total < 0.5 * self._portion * len(self._closed) or total <= 0.0:
            return None
        return [seconds / total for seconds in sums]

    @property
    def levels(self) -> dict[str, float]:
        """Mean level in items of each buffer that was known for the whole window."""
        if not self._closed:
            return {}
        names = set.intersection(*(set(portion["areas"]) for portion in self._closed))
        length = self._portion * len(self._closed)
        return {name: sum(p["areas"][name] for p in self._closed) / length for name in names}

    def state(self) -> dict[str, Any]:
        """Return what has to be kept, as plain data."""
        return {
            "end": self._end,
            "states": {name: list(pair) for name, pair in self._states.items()},
            "seconds": {name: list(values) for name, values in self._seconds.items()},
            "levels": {name: list(pair) for name, pair in self._levels.items()},
            "areas": dict(self._areas),
            "finished": dict(self._finished),
            "closed": list(self._closed),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._end = state["end"]
        self._states = {name: (int(s), t) for name, (s, t) in state["states"].items()}
        self._seconds |= {
            name: list(values) for name, values in state["seconds"].items() if name in self._seconds
        }
        self._levels = {name: (level, t) for name, (level, t) in state["levels"].items()}
        self._areas, self._finished = dict(state["areas"]), dict(state["finished"])
        self._closed = deque(state["closed"], maxlen=N_PORTIONS)
