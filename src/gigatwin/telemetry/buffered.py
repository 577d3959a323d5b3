"""Writing to a historian from a thread of its own: many batches in one commit, and no pile-up."""

import functools
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Literal

from gigatwin.errors import ConnectorError, TelemetryError
from gigatwin.telemetry.ports import Historian
from gigatwin.telemetry.readings import Reading
from gigatwin.telemetry.tags import Quantity, quantity_of

Policy = Literal["wait", "thin"]
"""What happens when readings come faster than they can be kept."""

_MEASURED = frozenset(
    {Quantity.VALUE, Quantity.SPEED, Quantity.SPEED_SET_POINT, Quantity.SETTING, Quantity.LEVEL}
)


@dataclass
class _Waiting:
    """A batch that is not kept yet, and whoever waits for its row."""

    readings: list[Reading]
    done: "Future[int]" = field(default_factory=Future)


class BufferedWriter:
    """Keeps batches in the background: those of a moment in one commit.

    At most ``max_readings`` wait. When that many do, the policy says what happens to the next:

    * ``wait``: whoever brings them waits until there is room; a source with a bounded queue of its
      own then drops, counts and refreshes as its port asks for. Nothing is lost here.
    * ``thin``: of measured values (speeds, levels, settings, other values that are no whole number)
      the oldest are dropped and counted where a newer one of the same tag waits behind them.
      States, counters, stop reasons and tracking telegrams are never dropped; when they alone are
      too many, whoever brings them waits.

    A batch is kept when its future has the number of its last row. What is only put is lost with
    the process. The historian must number the rows of one append one after the other.
    """

    def __init__(
        self,
        historian: Historian,
        *,
        max_readings: int = 100_000,
        max_delay: float = 0.1,
        when_full: Policy = "wait",
    ) -> None:
        """Start the thread that writes.

        Parameters
        ----------
        historian : Historian
            Where readings go; it stays open, and is used by one thread only.
        max_readings : int
            Readings that wait at most, at least 1; a larger batch goes alone.
        max_delay : float
            How long a batch waits for others before they are committed together. [s]
        when_full : str
            ``wait`` or ``thin``.
        """
        self._historian = historian
        self._most, self._delay, self._policy = max_readings, max_delay, when_full
        self._changed = threading.Condition()
        self._queue: list[_Waiting] = []
        self._under_way: list[_Waiting] = []
        self._n_waiting = 0
        self._is_urgent = self._is_closed = False
        self.n_batches = 0
        """Batches that were kept."""
        self.n_commits = 0
        """Commits that they took."""
        self.n_thinned = 0
        """Measured values that were dropped."""
        self._thread = threading.Thread(target=self._work, name="historian writer")
        self._thread.start()

    def put(self, readings: Sequence[Reading]) -> "Future[int]":
        """Hand readings over; return the future number of their last row.

        The future fails as the historian's ``append`` does: with `TelemetryError` for readings that
        cannot be kept, with `ConnectorError` where it cannot write; they are not tried again.

        Raises
        ------
        ConnectorError
            If the writer is closed.
        """
        waiting = _Waiting(list(readings))
        # From now on it cannot be taken back.
        waiting.done.set_running_or_notify_cancel()
        with self._changed:
            if self._policy == "thin" and not self._has_room(waiting):
                self._thin(waiting)
            self._changed.wait_for(lambda: self._is_closed or self._has_room(waiting))
            if self._is_closed:
                message = "the historian's writer is closed; nothing can be kept any more."
                raise ConnectorError(message)
            self._queue.append(waiting)
            self._n_waiting += len(waiting.readings)
            self._changed.notify_all()
        return waiting.done

    def _has_room(self, waiting: _Waiting) -> bool:
        return not self._n_waiting or self._n_waiting + len(waiting.readings) <= self._most

    def _thin(self, incoming: _Waiting) -> None:
        """Drop measured values that newer ones of their tags wait behind, the oldest first."""
        excess = self._n_waiting + len(incoming.readings) - self._most
        newest = [*self._queue, incoming]
        last = {reading.tag: reading for waiting in newest for reading in waiting.readings}
        for waiting in self._queue:
            kept = []
            for reading in waiting.readings:
                is_spare = excess > 0 and last[reading.tag] is not reading and _is_measured(reading)
                if is_spare:
                    excess -= 1
                    self._n_waiting -= 1
                    self.n_thinned += 1
                else:
                    kept.append(reading)
            waiting.readings = kept

    def flush(self) -> None:
        """Return when everything that was put before is kept, or has failed."""
        with self._changed:
            self._is_urgent = True
            self._changed.notify_all()
            open_batches = [*self._under_way, *self._queue]
        wait([waiting.done for waiting in open_batches])

    def close(self) -> None:
        """Keep what waits and end the thread; can be called twice. The historian stays open."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()

    def _work(self) -> None:
        while self._next_group():
            self._keep(self._under_way)
            with self._changed:
                self._n_waiting -= sum(len(waiting.readings) for waiting in self._under_way)
                self._under_way = []
                self._changed.notify_all()

    def _next_group(self) -> bool:
        """Take what to keep together; return False when the writer is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._queue)
            end = time.monotonic() + self._delay
            while not self._is_closed and not self._is_urgent and self._n_waiting < self._most:
                if not self._changed.wait(end - time.monotonic()):
                    break
            self._is_urgent = False
            self._under_way, self._queue = self._queue, []
            return bool(self._under_way)

    def _keep(self, group: Sequence[_Waiting]) -> None:
        try:
            last = self._historian.append(
                [reading for waiting in group for reading in waiting.readings]
            )
        except TelemetryError as error:
            # One reading that cannot be kept must not take the batches of others with it.
            if len(group) == 1:
                group[0].done.set_exception(error)
                return
            for waiting in group:
                self._keep([waiting])
            return
        except Exception as error:  # noqa: BLE001 - whoever waits has to learn of it
            for waiting in group:
                waiting.done.set_exception(error)
            return
        self.n_commits += 1
        self.n_batches += len(group)
        first = last - sum(len(waiting.readings) for waiting in group)
        for waiting in group:
            first += len(waiting.readings)
            waiting.done.set_result(first)


@functools.lru_cache(maxsize=65_536)
def _can_be_measured(tag: str) -> bool:
    meaning = quantity_of(tag.partition("/")[2])
    return meaning is None or meaning[0] in _MEASURED


def _is_measured(reading: Reading) -> bool:
    return isinstance(reading.value, float) and _can_be_measured(reading.tag)
