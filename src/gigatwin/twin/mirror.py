"""The mirrored state of a plant: who is where, and which machine does what since when.

Rows that get lost must not do lasting harm, so every row puts right what it contradicts: an item
that starts somewhere has left where it was; a machine that starts an item has let go of the last
one. Counters of the plant are the truth for counts, and levels for the number of items in a buffer.
"""

import math
from collections.abc import Iterable
from typing import Any

from gigatwin.compiler.compiled import CompiledModel
from gigatwin.errors import TelemetryError
from gigatwin.standards.machine_states import MachineState
from gigatwin.telemetry.machine_view import STOPPED_STATES, machine_state_of
from gigatwin.telemetry.observations import EventRow, Observation, Taken
from gigatwin.telemetry.readings import Quality, is_usable
from gigatwin.telemetry.tags import Quantity
from gigatwin.twin.mirror_items import MirroredItems
from gigatwin.twin.mirror_layout import OUT, SCRAP, MirrorLayout
from gigatwin.twin.mirror_parts import Counter, MirroredMachine

_VERSION = 1
_WEEK = 604_800.0
_FIRST_MONDAY = 345_600.0
"""Midnight of Monday, 1970-01-05. [s]"""
_EXECUTING = int(MachineState.EXECUTING)
_BLOCKED = int(MachineState.BLOCKED)
_STARVED = int(MachineState.STARVED)
_SETUP = int(MachineState.SETUP)
_WAITING = int(MachineState.WAITING_FOR_CREW)
_STOPS = frozenset(int(state) for state in STOPPED_STATES)
_VIEWED = (Quantity.STATE, Quantity.MODE, Quantity.STOP_REASON, Quantity.BLOCKED)


class Mirror(MirroredItems):
    """Keeps the state of a plant from what is seen of it.

    Parameters
    ----------
    compiled : CompiledModel
        The factory that the plant was described as.
    origin : float, optional
        Clock of the source at simulated time 0, from which shifts and timetables of the factory
        count, seconds since 1970 in UTC; left out, Monday 00:00 UTC of the week in which the first
        row falls. [s]
    hold : float
        How long a level waits for rows that may still come, before it is compared with the items
        that are mirrored; longer than the intake holds rows back. [s]
    """

    def __init__(
        self, compiled: CompiledModel, *, origin: float | None = None, hold: float = 3.0
    ) -> None:
        super().__init__(compiled, MirrorLayout(compiled), hold)
        self.origin = origin
        """Clock of the source at simulated time 0; None: nothing was seen yet. [s]"""
        n = len(compiled.machines)
        self.machines = [MirroredMachine() for _ in range(n)]
        """What each machine does, in the order of the compiled factory."""
        self.processed = [Counter() for _ in range(n)]
        """Items that left each machine."""
        self.defective = [Counter() for _ in range(n)]
        """Items that each machine spoiled or sorted out."""
        self.finished = dict.fromkeys(compiled.formats, 0)
        """Items seen to leave as products, by format."""
        self.n_rows = 0
        """Event rows taken in."""
        self.n_strange = 0
        """Rows and readings of elements that the factory does not have."""
        self.n_repeated = 0
        """Rows that had come before."""
        self._views: list[dict[str, Any]] = [{} for _ in range(n)]
        self._handlers = {
            "START": self._start,
            "LEAVE": self._leave,
            "BLOCK": self._block,
            "STARVE": self._starve,
            "STOP": self._stop,
            "REPAIR": self._stop,
            "RESUME": self._resume,
            "SETUP": self._set_up,
            "CALL": self._call,
            "LOAD": self._load,
            "ARRIVE": self._arrive,
        }

    # Taking in ------------------------------------------------------------------------------------

    def take(self, taken: Taken) -> None:
        """Take in what a batch of readings gave."""
        for row in taken.events:
            self.event(row)
        for observation in taken.observations:
            self.observe(observation)
        self.compare_levels()

    def events(self, rows: Iterable[EventRow]) -> None:
        """Take in event rows."""
        for row in rows:
            self.event(row)

    def event(self, row: EventRow) -> None:
        """Take in one event row."""
        m = self.layout.machines.get(row.machine)
        handler = self._handlers.get(row.kind)
        if m is None or handler is None:
            self.n_strange += 1
            return
        time = row.time
        r = self.machines[m]
        if row.number and not self._is_new(r, row):
            return
        self._pass_time(time, r)
        self.n_rows += 1
        handler(m, r, row)
        if time >= r.last_time:
            r.last_time = time
            r.doubt = ""

    def _is_new(self, r: MirroredMachine, row: EventRow) -> bool:
        """Follow the number of a telegram; say whether it has not been seen before."""
        number, last = row.number, r.number
        if number <= last and row.time <= r.last_time:
            self.n_repeated += 1
            return False
        if last and number > last + 1:
            r.n_lost += number - last - 1
        r.number = number
        return True

    def _pass_time(self, time: float, r: MirroredMachine) -> None:
        if self.origin is None:
            weeks = math.floor((time - _FIRST_MONDAY) / _WEEK)
            self.origin = weeks * _WEEK + _FIRST_MONDAY
        self.now = max(self.now, time)
        if r.heard == 0.0:
            r.seen_from = r.since = r.mark = r.waits_since = time
        r.heard = max(r.heard, time)

    # One kind of row each -------------------------------------------------------------------------

    @staticmethod
    def _enter(r: MirroredMachine, state: int, time: float) -> None:
        """Let a machine be in a state; a row that is older than the last changes nothing."""
        if time < r.last_time:
            return
        if r.state == _EXECUTING:
            done = time - r.mark
            if done > 0.0:
                r.running += done
                r.worked += done
            r.mark = time
        if state != r.state or not r.is_known:
            if state in (_STARVED, _BLOCKED, _WAITING):
                r.waits_since = time
            r.state = state
            r.since = r.mark = time
            r.is_known = True

    def _start(self, m: int, r: MirroredMachine, row: EventRow) -> None:
        time = row.time
        is_current = time >= r.last_time
        if r.stop and is_current and row.state not in STOPPED_STATES:
            self._end_stop(r, time)
        is_door = not any(self.layout.station_of[m].run_times)
        # A door takes no time: what does not leave at once has no place to go.
        self._enter(r, _BLOCKED if is_door else int(row.state), time)
        item = self.start_item(m, row.item, row.format, time, r.target)
        if not is_current:
            return
        r.target = ""
        r.worked = 0.0
        r.mark = time
        r.format = item.format
        if not is_door and r.state not in _STOPS and r.state != _EXECUTING:
            self._enter(r, _EXECUTING, time)

    def _leave(self, m: int, r: MirroredMachine, row: EventRow) -> None:
        time, detail = row.time, row.detail
        self.processed[m].event(time)
        if detail == SCRAP:
            self.defective[m].event(time)
        item = self.leave_item(m, row.item, row.format, time, detail)
        station = self.layout.station_of[m]
        share = 1.0 / station.counts[item.format]
        r.n_done += share
        if station.buffer >= 0:
            share *= float(self.layout.contents[station.buffer, item.format])
        r.content_done += share
        if detail == OUT:
            self.finished[self.compiled.formats[item.format]] += 1
        if time < r.last_time:
            return
        r.target = ""
        if r.stop and row.state not in STOPPED_STATES:
            self._end_stop(r, time)
        state = int(row.state)
        if state == _EXECUTING and not any(station.run_times):
            state = _BLOCKED if self.held(m) else _STARVED
        self._enter(r, state, time)
        r.waits_since = time

    def _block(self, m: int, r: MirroredMachine, row: EventRow) -> None:
        if row.item >= 0:
            self.hold_item(m, row.item, row.format, row.time)
        if row.time >= r.last_time:
            r.target = row.detail
            self._enter(r, _BLOCKED, row.time)
            r.waits_since = row.time

    def _starve(self, _: int, r: MirroredMachine, row: EventRow) -> None:
        if r.stop and row.time >= r.last_time:
            self._end_stop(r, row.time)
        self._enter(r, int(row.state), row.time)

    def _stop(self, m: int, r: MirroredMachine, row: EventRow) -> None:
        time, state = row.time, row.state
        if time < r.last_time:
            return
        was_executing = r.state == _EXECUTING and bool(self.held(m))
        station = self.layout.station_of[m]
        stop = self.layout.stop_of(station, row.detail, state)
        if stop is None and state is MachineState.WAITING_FOR_CREW:
            stop = self.layout.likely_stop(station, interrupts=was_executing)
        known = stop.name if stop is not None else ""
        if not r.stop and not r.odd_stop:
            r.is_interrupted = was_executing or (row.item >= 0 and bool(self.held(m)))
            r.active_since = time
        self._enter(r, int(state), time)
        r.stop = known or r.stop
        if not r.stop and state is not MachineState.WAITING_FOR_CREW:
            r.odd_stop = row.detail or state.name.lower()
        elif r.stop and state is not MachineState.WAITING_FOR_CREW:
            r.stop_begun[r.stop] = r.active_since
        if state is not MachineState.WAITING_FOR_CREW:
            r.active_since = time

    def _end_stop(self, r: MirroredMachine, time: float) -> None:
        if r.stop:
            r.stop_ended[r.stop] = [time, r.running, r.n_done, r.content_done]
        r.stop = r.odd_stop = ""
        r.is_interrupted = False

    def _resume(self, _: int, r: MirroredMachine, row: EventRow) -> None:
        if row.time < r.last_time:
            return
        if r.stop or r.odd_stop:
            self._end_stop(r, row.time)
        self._enter(r, int(row.state), row.time)

    def _set_up(self, m: int, r: MirroredMachine, row: EventRow) -> None:
        if row.item >= 0:
            self.hold_item(m, row.item, row.format, row.time)
        if row.time >= r.last_time:
            r.active_since = row.time
            self._enter(r, int(row.state), row.time)

    def _call(self, m: int, r: MirroredMachine, row: EventRow) -> None:
        if row.item >= 0:
            self.hold_item(m, row.item, row.format, row.time)
        self._enter(r, int(row.state), row.time)

    def _load(self, m: int, _: MirroredMachine, row: EventRow) -> None:
        self.load_item(m, row.item, row.format, row.time, row.detail)

    def _arrive(self, m: int, _: MirroredMachine, row: EventRow) -> None:
        self.arrive_item(m, row.item, row.format, row.time, row.detail)

    # Readings -------------------------------------------------------------------------------------

    def observe(self, observation: Observation) -> None:
        """Take in one reading; levels are compared when `compare_levels` is called."""
        element, quantity, _, value, time, quality = observation
        if quality >= Quality.BAD or not is_usable(value):
            return
        if quantity is Quantity.LEVEL:
            # The buffer before a station bears the name of the station.
            b = self.layout.buffers.get(element)
            if b is not None and isinstance(value, int | float):
                self.see_level(b, int(value), time)
                return
        m = self.layout.machines.get(element)
        if m is None:
            self.n_strange += 1
            return
        r = self.machines[m]
        self._pass_time(time, r)
        if quantity in _VIEWED:
            self._view(m, r, quantity, value, time)
        elif quantity is Quantity.FORMAT:
            found = self.layout.formats.get(str(value))
            if found is not None and r.state != _SETUP:
                r.format = found
        elif isinstance(value, int | float):
            self._measure(m, r, quantity, value, time)

    def _measure(
        self, m: int, r: MirroredMachine, quantity: Quantity, value: float, time: float
    ) -> None:
        """Take in a reading that is a number."""
        if quantity is Quantity.PROCESSED:
            self.processed[m].read(int(value), time)
            if self.processed[m].residual > 0 and r.last_time < time - self.hold:
                r.doubt = "its counter went on, but no events came"
        elif quantity is Quantity.DEFECTIVE:
            self.defective[m].read(int(value), time)
        elif quantity is Quantity.SPEED_SET_POINT:
            r.speed = float(value)

    def _view(
        self, m: int, r: MirroredMachine, quantity: Quantity, value: object, time: float
    ) -> None:
        """Tell the state from the tags, as long as no row has said it."""
        view = self._views[m]
        view[quantity.value] = value
        state = view.get(Quantity.STATE.value)
        if r.is_known and r.last_time > 0.0:
            return
        if isinstance(state, int | float):
            mode = view.get(Quantity.MODE.value)
            found = machine_state_of(
                int(state),
                None if mode is None else int(mode),
                str(view.get(Quantity.STOP_REASON.value, "")),
                is_blocked=bool(view.get(Quantity.BLOCKED.value, False)),
            )
            self._enter(r, int(found), time)
            r.active_since = r.since
            if found in STOPPED_STATES:
                reason = str(view.get(Quantity.STOP_REASON.value, ""))
                stop = self.layout.stop_of(self.layout.station_of[m], reason, found)
                r.stop = "" if stop is None else stop.name
                r.odd_stop = "" if stop is not None else reason
            else:
                r.stop = r.odd_stop = ""

    # Asking ---------------------------------------------------------------------------------------

    def output(self) -> dict[str, int]:
        """Return the items that left as products since the mirror began, by format.

        Events that were lost are made up for by the counters of the machines behind which nothing
        comes.
        """
        found = dict(self.finished)
        for m, r in enumerate(self.machines):
            ways = self.layout.station_of[m].ways
            if all(buffer < 0 for way in ways for buffer in way):
                lost = self.processed[m].residual - self.defective[m].residual
                found[self.compiled.formats[max(r.format, 0)]] += max(lost, 0)
        return found

    def speeds(self) -> dict[str, float]:
        """Return the speed set for each station whose machines say it, their mean. [-]."""
        found = {}
        for station in self.layout.stations:
            machines = self.machines[station.first : station.first + station.n_machines]
            given = [r.speed for r in machines if r.speed > 0.0]
            if given:
                found[station.name] = sum(given) / len(given)
        return found

    # Keeping --------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return all that it knows, as plain data that JSON has, to go on from with `restore`."""
        return {
            "version": _VERSION,
            "machines": dict(
                zip(self.compiled.machines, [r.kept() for r in self.machines], strict=True)
            ),
            "processed": [counter.kept() for counter in self.processed],
            "defective": [counter.kept() for counter in self.defective],
            "origin": self.origin,
            "finished": dict(self.finished),
            "counts": [self.n_rows, self.n_strange, self.n_repeated],
            "views": [dict(view) for view in self._views],
            "items": self.kept_items(),
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from what `state` returned.

        Raises
        ------
        TelemetryError
            If it is something else, of another version, or of another factory.
        """
        names = list(self.compiled.machines)
        if kept.get("version") != _VERSION or list(kept.get("machines", ())) != names:
            some = ", ".join(list(kept.get("machines", ()))[:5])
            message = (
                f"mirror of {self.compiled.factory.name}: a state of version "
                f"{kept.get('version')} with machines {some}; needs version {_VERSION} and the "
                "machines of this factory. Begin without it."
            )
            raise TelemetryError(message)
        try:
            self._restore(kept)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            message = f"mirror: a state that cannot be read ({error}); begin without it"
            raise TelemetryError(message) from error

    def _restore(self, kept: dict[str, Any]) -> None:
        self.machines = [MirroredMachine().restore(r) for r in kept["machines"].values()]
        self.processed = [Counter().restore(c) for c in kept["processed"]]
        self.defective = [Counter().restore(c) for c in kept["defective"]]
        self.origin = kept["origin"]
        self.finished = dict(kept["finished"])
        self.n_rows, self.n_strange, self.n_repeated = kept["counts"]
        self._views = [dict(view) for view in kept["views"]]
        self.restore_items(kept["items"])
