"""The telegrams of one machine by their numbers: in order, each once, gaps given up in the end."""

import math
from typing import Any

from gigatwin.telemetry.counts import IntakeCounts
from gigatwin.telemetry.tracking import Tracking

_GAPS_KEPT = 20
_N_RECENT = 32

Sequenced = tuple[float, int, Tracking]
"""Time, order among all readings of the source, and telegram."""


class Sequence:
    """Puts the telegrams of one machine into the order of their numbers.

    Parameters
    ----------
    patience : float
        How long to wait for a missing telegram; source time. [s]
    counts : IntakeCounts
        Counts what is late, repeated or missing, and restarts of the numbers.
    """

    def __init__(self, patience: float, counts: IntakeCounts) -> None:
        self.newest = -math.inf
        """Time of the newest telegram. [s]"""
        self.last_time = -math.inf
        """Time of the last telegram that was released. [s]"""
        self._patience = patience
        self._counts = counts
        self._order = 0
        self._expected: int | None = None
        self._waiting: dict[int, tuple[float, float, int, Tracking]] = {}
        self._released: list[Sequenced] = []
        self._highest = 0
        self._recent: dict[int, Tracking] = {}
        self._begin = -math.inf
        self._given_up: list[tuple[int, int]] = []

    @property
    def is_waiting(self) -> bool:
        """Whether a telegram waits for one before it."""
        return bool(self._waiting)

    def is_next(self, number: int) -> bool:
        """Return whether a telegram of this number was written after all that came."""
        return self._expected is not None and number == self._highest + 1

    def add(
        self,
        time: float,
        order: int,
        telegram: Tracking,
        now: float,
        *,
        is_snapshot: bool,
    ) -> None:
        """Take in a telegram.

        Parameters
        ----------
        time : float
            When it was written; clock of the source. [s]
        order : int
            Order of arrival among all readings of the source.
        telegram : Tracking
            What it says.
        now : float
            Newest time seen of the source. [s]
        is_snapshot : bool
            Whether it is the last one before somebody began to listen, as far as is known.
        """
        number = telegram.number
        if self._expected is None and not self._waiting and is_snapshot:
            # What happened before anybody listened is no news.
            self._expected, self._highest, self.newest = number + 1, number, time
            self._recent[number] = telegram
            return
        if self._expected is None and number == 1:
            self._expected = 1
        # A snapshot may bring one again with a newer time, so what it says counts too.
        is_known = number in self._waiting or self._recent.get(number) == telegram
        if is_known or time < self._begin:
            self._count_old(number, is_snapshot=is_snapshot)
            return
        if self._expected is not None and number < self._expected:
            if time <= self.newest:
                self._count_old(number, is_snapshot=is_snapshot)
                return
            self._give_up()
            self._counts.counter_resets += 1
            self._expected, self._highest, self._begin = 1, 0, time
            self._given_up.clear()
            self._recent.clear()
        if number < self._highest:
            self._counts.late += 1
        self._highest = max(self._highest, number)
        self.newest = max(self.newest, time)
        self._waiting[number] = time, now, order, telegram

    def _count_old(self, number: int, *, is_snapshot: bool) -> None:
        if any(first <= number <= last for first, last in self._given_up):
            self._counts.late += 1
        elif not is_snapshot:
            self._counts.duplicates += 1

    def _give_up(self) -> None:
        """Release every waiting telegram, whatever is missing before it."""
        while self._waiting:
            self._skip()
            self._sequence()

    def _skip(self) -> None:
        """Give up what is missing before the first waiting telegram."""
        first = min(self._waiting)
        if self._expected is not None and first > self._expected:
            self._counts.gaps += 1
            self._counts.lost_telegrams += first - self._expected
            self._given_up.append((self._expected, first - 1))
            del self._given_up[:-_GAPS_KEPT]
        self._expected = first

    def _sequence(self) -> None:
        """Release the telegrams that are next."""
        waiting = self._waiting
        while self._expected in waiting:
            time, _, order, telegram = waiting.pop(self._expected)
            # Neither a clock that stumbles nor the way here changes the order of the numbers.
            self.last_time = max(self.last_time, time)
            self._order = max(self._order + 1, order)
            self._released.append((self.last_time, self._order, telegram))
            self._recent[self._expected] = telegram
            self._recent.pop(self._expected - _N_RECENT, None)
            self._expected += 1

    def release(self, now: float) -> list[Sequenced]:
        """Return the telegrams that need not wait any longer, in order.

        Parameters
        ----------
        now : float
            Newest time of the source; infinity: wait for nothing. [s]
        """
        self._sequence()
        while self._waiting and now - self._waiting[min(self._waiting)][1] >= self._patience:
            self._skip()
            self._sequence()
        released, self._released = self._released, []
        return released

    def checkpoint(self) -> dict[str, Any]:
        """Return all that it knows, as plain data."""
        return {
            "newest": finite(self.newest),
            "last_time": finite(self.last_time),
            "order": self._order,
            "expected": self._expected,
            "waiting": [
                [time, seen, order, held.text] for time, seen, order, held in self._waiting.values()
            ],
            "highest": self._highest,
            "recent": [telegram.text for telegram in self._recent.values()],
            "begin": finite(self._begin),
            "given_up": [list(gap) for gap in self._given_up],
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from what `checkpoint` returned."""
        self.newest, self.last_time = time_of(kept["newest"]), time_of(kept["last_time"])
        self._order, self._expected = kept["order"], kept["expected"]
        self._waiting = {}
        for time, seen, order, text in kept["waiting"]:
            telegram = Tracking.parse(text)
            if telegram is not None:
                self._waiting[telegram.number] = time, seen, order, telegram
        self._highest = kept["highest"]
        recent = (Tracking.parse(text) for text in kept["recent"])
        self._recent = {telegram.number: telegram for telegram in recent if telegram is not None}
        self._begin = time_of(kept["begin"])
        self._given_up = [(first, last) for first, last in kept["given_up"]]


def finite(time: float) -> float | None:
    """Return a time as JSON has it; None: infinitely long ago."""
    return time if math.isfinite(time) else None


def time_of(kept: float | None) -> float:
    """Return the time that `finite` made plain."""
    return -math.inf if kept is None else kept
