"""What happened at one machine, put into order: from state tags and telegrams to event rows.

While a telegram is missing, rows with later times are held back, so that the rows of a machine come
out in the order of their times; after some patience the gap is given up. Tags that change at the
same source time are settled together; where one that is needed is still missing (held, but why?),
rows wait for it a moment.
"""

import math
from collections.abc import Iterator
from typing import Any

from gigatwin.standards.machine_states import MachineState
from gigatwin.standards.packml import Mode, PackMLState
from gigatwin.telemetry.counts import IntakeCounts
from gigatwin.telemetry.machine_view import STOPPED_STATES, is_settled, machine_state_of
from gigatwin.telemetry.observations import EventRow
from gigatwin.telemetry.readings import Value
from gigatwin.telemetry.sequence import Sequence, finite, time_of
from gigatwin.telemetry.tags import Quantity
from gigatwin.telemetry.tracking import Tracking, TrackingKind

_SETTLE = 0.2
"""How long rows wait for a tag that belongs to the same change; source time. [s]"""
_S = MachineState
_BUSY = STOPPED_STATES | {_S.SETUP}
_STANDING_MODES = frozenset({Mode.CHANGEOVER, Mode.MAINTENANCE, Mode.MANUAL})
_WAITS = {_S.BLOCKED: "BLOCK", _S.STARVED: "STARVE", _S.NO_ORDER: "STARVE"}

Entry = tuple[float, int, Quantity, Any, bool]
"""Time, order of arrival, quantity, value, and whether it came with a snapshot."""
Row = tuple[float, int, EventRow]
"""A row with its time and its order among all machines."""


class Timeline:
    """Puts the readings of one machine into order.

    Parameters
    ----------
    machine : str
        Name of the machine.
    quantities : set of Quantity
        What the machine has tags for.
    patience : float
        How long to wait for a missing telegram; source time. [s]
    counts : IntakeCounts
        Counts what is late, repeated or missing, and restarts of the numbers.
    """

    def __init__(
        self, machine: str, quantities: set[Quantity], patience: float, counts: IntakeCounts
    ) -> None:
        self.machine = machine
        self.state: MachineState | None = None
        """State after the last row; None: not known."""
        self.telegrams = Sequence(patience, counts)
        """Its telegrams, until they are in order."""
        self.last_time = -math.inf
        """Time of the last change that was settled. [s]"""
        self._has_reason = Quantity.STOP_REASON in quantities
        self._has_interlocks = {Quantity.BLOCKED, Quantity.STARVED} <= quantities
        self._view: dict[Quantity, Any] = {}
        self._shown: MachineState | None = None
        self._changed = -math.inf
        # When an item was begun though the tags said that the machine waits or stands.
        self._begun = math.inf
        self._stop = ""
        self._queue: list[Entry] = []

    @property
    def is_holding(self) -> bool:
        """Whether something waits to become a row."""
        return bool(self._queue) or self.telegrams.is_waiting

    def add(
        self, time: float, order: int, quantity: Quantity, value: Value, *, is_snapshot: bool
    ) -> None:
        """Take in what a state tag said, at a time and in the order of arrival."""
        self._queue.append((time, order, quantity, value, is_snapshot))

    def advance(self, now: float, rows: list[Row]) -> None:
        """Append the rows that are certain.

        Parameters
        ----------
        now : float
            Newest time of the source; infinity: wait for nothing. [s]
        rows : list of Row
            Takes the rows.
        """
        queue = self._queue
        for time, order, telegram in self.telegrams.release(now):
            queue.append((time, order, Quantity.TRACKING, telegram, False))
        queue.sort()
        # What a missing telegram says may have happened at any time after the last one.
        horizon = self.telegrams.last_time if self.telegrams.is_waiting else math.inf
        begin = 0
        while begin < len(queue):
            time = queue[begin][0]
            if time > horizon:
                break
            end = begin + 1
            while end < len(queue) and queue[end][0] == time:
                end += 1
            if not self._settle(queue[begin:end], rows, is_patient=now - time < _SETTLE):
                break
            begin = end
        del queue[:begin]

    def _settle(self, group: list[Entry], rows: list[Row], *, is_patient: bool) -> bool:
        """Append the rows of one moment; False: something that belongs to it has not come yet."""
        view, shown = self._view_before(group[0][0])
        telegrams = []
        is_snapshot = False
        for _, order, quantity, value, came_with_snapshot in group:
            if quantity is Quantity.TRACKING:
                telegrams.append((order, value))
            else:
                view[quantity] = value
                is_snapshot |= came_with_snapshot
        state, has_changed = self.state, len(telegrams) < len(group)
        if has_changed and Quantity.STATE in view:
            if is_patient and not self._is_settled(view):
                return False
            state = shown = machine_state_of(
                view[Quantity.STATE],
                view.get(Quantity.MODE),
                view.get(Quantity.STOP_REASON, ""),
                is_blocked=view.get(Quantity.BLOCKED, False),
            )
        self._view, self._shown = view, shown
        self.last_time = time = max(self.last_time, group[0][0])
        if has_changed:
            self._changed, self._begun = time, math.inf
        if state is not None and state is not self.state:
            if self.state is not None or not is_snapshot:
                kinds = {telegram.kind for _, telegram in telegrams}
                # Before the telegrams of this moment, and behind all that came before.
                order = min(entry[1] for entry in group)
                rows += [(time, order, row) for row in self._change(time, state, kinds)]
            self.state = state
            self._stop = ""
        if state in STOPPED_STATES:
            # The reason may come after the stop, and go before its end.
            self._stop = view.get(Quantity.STOP_REASON, "") or self._stop
        for order, telegram in telegrams:
            rows += [(time, order, row) for row in self._follow(time, telegram)]
        return True

    def _view_before(self, time: float) -> tuple[dict[Quantity, Any], MachineState | None]:
        """Return what the tags said before a moment, and the state that this is."""
        view = dict(self._view)
        if time <= self._begun or self.state is not _S.EXECUTING:
            return view, self._shown
        # The machine has begun an item since, so what its tags said before is over: the message
        # that said so was lost.
        view |= {Quantity.STATE: int(PackMLState.EXECUTE), Quantity.STOP_REASON: ""}
        view |= {Quantity.BLOCKED: False, Quantity.STARVED: False}
        if view.get(Quantity.MODE) in _STANDING_MODES:
            view[Quantity.MODE] = int(Mode.PRODUCTION)
        return view, _S.EXECUTING

    def _is_settled(self, view: dict[Quantity, Any]) -> bool:
        """Return whether the tags say all that they can about the state."""
        return is_settled(
            view[Quantity.STATE],
            view.get(Quantity.STOP_REASON, "") or ("" if self._has_reason else "none"),
            is_blocked=view.get(Quantity.BLOCKED, False) or not self._has_interlocks,
            is_starved=view.get(Quantity.STARVED, False),
        )

    def _change(
        self, time: float, state: MachineState, kinds: set[TrackingKind]
    ) -> Iterator[EventRow]:
        """Yield the rows that say that the machine is in another state."""
        before = self.state
        if before in _BUSY and state not in STOPPED_STATES:
            detail = self._stop if before in STOPPED_STATES else ""
            yield EventRow(time, self.machine, "RESUME", state, detail=detail)
        if state in STOPPED_STATES:
            reason = self._view.get(Quantity.STOP_REASON, "")
            yield EventRow(time, self.machine, "STOP", state, detail=reason)
        elif state is _S.SETUP:
            yield EventRow(time, self.machine, "SETUP", state)
        elif before in _BUSY:
            pass
        elif state is _S.EXECUTING:
            if TrackingKind.START not in kinds:
                yield EventRow(time, self.machine, "RESUME", state)
        elif state is _S.BLOCKED or TrackingKind.LEAVE not in kinds:
            yield EventRow(time, self.machine, _WAITS[state], state)

    def _follow(self, time: float, telegram: Tracking) -> Iterator[EventRow]:
        """Yield the row of a telegram, once the state has followed it."""
        if telegram.kind is TrackingKind.START:
            if self.state in _BUSY and time > self._changed:
                # No machine begins an item while it stands.
                yield EventRow(time, self.machine, "RESUME", _S.EXECUTING, detail=self._stop)
                self.state, self._stop = _S.EXECUTING, ""
            elif self.state not in _BUSY:
                self.state = _S.EXECUTING
            if self._shown not in {None, _S.EXECUTING}:
                self._begun = time
        elif telegram.kind is TrackingKind.LEAVE and self.state not in _BUSY:
            # What took no time shows in no tag.
            self.state = _S.STARVED if self._shown is None else self._shown
        yield EventRow(
            time,
            self.machine,
            telegram.kind.value,
            _S.STARVED if self.state is None else self.state,
            telegram.item,
            telegram.format,
            telegram.detail,
            telegram.number,
        )

    def checkpoint(self) -> dict[str, Any]:
        """Return all that it knows, as plain data."""
        return {
            "state": self.state,
            "last_time": finite(self.last_time),
            "view": {quantity.value: value for quantity, value in self._view.items()},
            "shown": self._shown,
            "changed": finite(self._changed),
            "begun": finite(self._begun),
            "stop": self._stop,
            "queue": [
                [time, order, quantity.value, _plain(value), is_snapshot]
                for time, order, quantity, value, is_snapshot in self._queue
            ],
            "telegrams": self.telegrams.checkpoint(),
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from what `checkpoint` returned."""
        state = kept["state"]
        self.state = None if state is None else MachineState(state)
        self.last_time = time_of(kept["last_time"])
        self._view = {Quantity(name): value for name, value in kept["view"].items()}
        self._shown = None if kept["shown"] is None else MachineState(kept["shown"])
        self._changed = time_of(kept["changed"])
        self._begun = math.inf if kept["begun"] is None else kept["begun"]
        self._stop = kept["stop"]
        self._queue = [
            (time, order, Quantity(name), _value(name, value), is_snapshot)
            for time, order, name, value, is_snapshot in kept["queue"]
        ]
        self.telegrams.restore(kept["telegrams"])


def _plain(value: Value | Tracking) -> Value:
    return value.text if isinstance(value, Tracking) else value


def _value(quantity: str, value: Value) -> Value | Tracking | None:
    return Tracking.parse(value) if quantity == Quantity.TRACKING else value
