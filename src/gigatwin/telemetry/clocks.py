"""The clock of a source, and what to do when somebody sets it.

Time never runs backwards inside the twin. When a clock is set back, what it says from then on is
moved by the step, so that times go on where they were. That a clock was set back, and that the
reading is not merely late, is known from what must have happened later: a telegram with a higher
number, a counter that has counted on. Where there is neither, it is believed after everything has
been old for a while.
"""

import math
from typing import Any

from gigatwin.telemetry.counts import IntakeCounts

STUMBLE = 1.0
"""Steps back up to this are no setting of a clock. [s]"""
LATEST = 1e12
"""Bound on times, some thirty thousand years from 1970 in both directions. [s]"""
_OLD = 30.0
"""Readings older than the newest by more than this are unusual. [s]"""
_PERSISTENCE = 10.0
"""How long everything has to be old before the clock is believed to be set; wall time. [s]"""
_SOON = 30.0
"""How far behind the step of a clock may put the next reading. [s]"""
_DAY = 86_400.0
_N_ASTRAY = 50
"""Readings from the far future, one after the other, that are believed in the end."""
_FORWARD = 60.0
_FASTER = 10.0
_N_BATCHES = 20
"""Batches to see before the speed of a clock is known."""


class SourceClock:
    """How the clock of a source runs, and by how much its times are moved."""

    def __init__(self) -> None:
        self.now = -math.inf
        """Newest time seen, moved by the steps back; never goes back itself. [s]"""
        self.step = 0.0
        """Size of the last step back. [s]"""
        self.n_steps = 0
        """Steps back so far."""
        self.n_followers = 0
        """Elements in which the last step back was seen."""
        self.offset: float | None = None
        """How far the newest reading of the last batch was ahead of this side's clock; None: no
        batch came yet. [s]"""
        self._n_astray = 0
        self._received = -math.inf
        self._old_since: float | None = None
        self._rate = 1.0
        self._n_batches = 0

    def latest_credible(self, received: float) -> float:
        """Return the latest time that a reading can have."""
        if self.now == -math.inf:
            return LATEST
        return min(LATEST, max(self.now, received) + _DAY)

    def goes_astray(self) -> bool:
        """Count a reading from the far future; return whether so many came that it is true."""
        self._n_astray += 1
        return self._n_astray >= _N_ASTRAY

    def estimate(self, received: float) -> float:
        """Return what the source's clock should say when something is received here."""
        return self.now + min(max(0.0, received - self._received), _SOON)

    def set_back(self, newest: float, time: float, received: float, counts: IntakeCounts) -> float:
        """Return by how much the times of an element have to be moved on.

        Parameters
        ----------
        newest : float
            Time of what happened before, at that element. [s]
        time : float
            Time of what happened after it, which is earlier. [s]
        received : float
            This side's clock. [s]
        counts : IntakeCounts
            Counts the step, unless it was seen at another element already.
        """
        if self.fits(newest, time, received):
            self.n_followers += 1
            return self.step
        self.step = max(newest, self.estimate(received)) - time
        self.n_steps += 1
        self.n_followers = 1
        counts.clock_jumps += 1
        return self.step

    def fits(self, newest: float, time: float, received: float) -> bool:
        """Return whether the last step back explains that a reading is old."""
        moved = time + self.step
        is_later = newest - STUMBLE <= moved <= self.estimate(received) + _SOON
        return self.n_steps > 0 and self.step > 0.0 and is_later

    def end_batch(
        self, newest: float, received: float, counts: IntakeCounts, *, is_snapshot: bool
    ) -> float:
        """Take in the newest time of a batch; return by how much all times must be moved on, or 0.

        Parameters
        ----------
        newest : float
            Newest time of the batch, moved. [s]
        received : float
            This side's clock. [s]
        counts : IntakeCounts
            Counts steps in both directions.
        is_snapshot : bool
            Whether the batch may hold old times by right.
        """
        if newest == -math.inf:
            return 0.0
        self._n_astray = 0
        before = self.now
        if newest >= before - _OLD or is_snapshot:
            self._old_since = None
            if newest > before:
                self._go_on(newest, received, counts)
            return 0.0
        if self._old_since is None:
            self._old_since = received
        if received - self._old_since < _PERSISTENCE:
            return 0.0
        self._old_since = None
        self.step = self.estimate(received) - newest
        self.n_steps += 1
        self.n_followers = 0
        counts.clock_jumps += 1
        return self.step

    def _go_on(self, newest: float, received: float, counts: IntakeCounts) -> None:
        advance, wall = newest - self.now, received - self._received
        self.now = newest
        self._received = received
        if not math.isfinite(advance) or not math.isfinite(wall):
            return
        self._n_batches += 1
        usual = _FORWARD + _FASTER * max(1.0, self._rate) * max(wall, 1.0)
        if self._n_batches > _N_BATCHES and advance > usual:
            counts.clock_jumps += 1
            return
        # An accelerated plant is no clock that somebody set.
        weight = min(1.0, max(wall, 0.0) / _SOON)
        self._rate += weight * (advance / max(wall, 1e-3) - self._rate)

    def checkpoint(self) -> list[Any]:
        """Return all that it knows, as plain data."""
        numbers = [self.now, self.step, self.n_steps, self.n_followers, self.offset]
        numbers += [self._received, self._old_since, self._rate, self._n_batches, self._n_astray]
        return [
            None if number is None or not math.isfinite(number) else number for number in numbers
        ]

    def restore(self, kept: list[Any]) -> None:
        """Go on from what `checkpoint` returned."""
        now, self.step, self.n_steps, self.n_followers, self.offset = kept[:5]
        received, self._old_since, self._rate, self._n_batches, self._n_astray = kept[5:]
        self.now = -math.inf if now is None else now
        self._received = -math.inf if received is None else received
