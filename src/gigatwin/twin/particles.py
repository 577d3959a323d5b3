r"""A machine that says nothing, seen through its neighbours: a particle filter of one station.

What is hidden is whether the machine stands, how much work it has done on its item, and how many
items have left it. Each particle is one such history, simulated by the laws of the model; what the
neighbours show gives it a weight.

The work on an item is not drawn as long as a departure would be seen: the particle carries the work
done so far, and silence multiplies its weight by the probability that the item needs more, a
departure by the density of needing just so much (Rao-Blackwell). When the next stop comes, and how
long one under way lasts, is drawn anew at each look, given what has passed; otherwise all particles
would soon descend from the few that drew a stop far away. Where a departure cannot be seen,
or cannot happen because there is no room, the rest of the work is drawn given the work done, which
is the interpolation of elapsed time of Xie and Verbraeck [1]_. Particles are drawn anew by residual
resampling when fewer than half of them count.

References
----------
.. [1] X. Xie, A. Verbraeck, "A particle filter-based framework for real-time state estimation of
   discrete-event simulations", *Simulation* (2018).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gigatwin.compiler.residual_laws import ResidualLaws

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Booleans = NDArray[np.bool_]
_Way = Literal["quiet", "unseen", "full"]
_CELLS = 1536
_TAIL = 1e-9
_DONE = 1e-12
_FEW = 0.5
"""Share of particles that must count."""


@dataclass(frozen=True, slots=True)
class HiddenStop:
    """A stop that may have come unseen; its interval counts running time."""

    interval: int
    """Number of the law."""
    factor: float
    """Of the interval."""
    duration: int
    """Number of the law."""
    elapsed: float
    """Running time since the last one, or since the machine was first seen. [s]"""


@dataclass(frozen=True, slots=True)
class StationEstimate:
    """What a silent machine probably does."""

    time: float
    """Clock of the source. [s]"""
    stands: float
    """Probability that it is in a stop. [-]"""
    works: float
    """Probability that it works. [-]"""
    waits: float
    """Probability that it is done with an item that has no place, or has none to work on. [-]"""
    n_left: float
    """Items that have left it since the filter began, mean."""
    n_left_deviation: float
    """Standard deviation of that."""
    worked: float
    """Mean work done on the item in work, where there is one. [s]"""
    effective: float
    """Number of particles that count."""
    n_lost: int
    """Times that no particle explained what was seen, and all began anew."""


class _Table:
    """A law in a table that is asked for many particles at once."""

    def __init__(self, laws: ResidualLaws, law: int, scale: float, margin: float = 0.0) -> None:
        longest = scale * laws.quantile(law, 1.0 - _TAIL) + margin
        self.values = np.linspace(0.0, longest, _CELLS)
        self.exact = np.array([laws.survival(law, float(v) / scale) for v in self.values])

    def draw(self, elapsed: Floats, uniforms: Floats) -> Floats:
        """Return durations in all, given that they last longer than so long. [s]."""
        tail = np.interp(elapsed, self.values, self.exact, right=0.0) * (1.0 - uniforms)
        found = np.interp(-tail, -self.exact, self.values)
        return np.asarray(np.maximum(found, elapsed))


class _WorkTable(_Table):
    """The law of the work on an item, with what is seen of it to some accuracy."""

    def __init__(self, laws: ResidualLaws, law: int, scale: float, tolerance: float) -> None:
        super().__init__(laws, law, scale, 2.0 * tolerance)
        later = [laws.survival(law, (float(v) - tolerance) / scale) for v in self.values]
        density = [
            laws.density(law, float(v) / scale, tolerance / scale) / scale for v in self.values
        ]
        self.later, self.density = np.array(later), np.array(density)

    def not_done(self, worked: Floats) -> Floats:
        """Return the probability that an item needs more, with the tolerance on its side."""
        return np.asarray(np.interp(worked, self.values, self.later, right=0.0))

    def done_at(self, worked: Floats) -> Floats:
        """Return the probability density of needing just so much. [1/s]."""
        return np.asarray(np.interp(worked, self.values, self.density, right=0.0))


class SilentStation:
    """Particles of one machine that takes items from a buffer one by one.

    Parameters
    ----------
    laws : ResidualLaws
        Laws of the compiled factory.
    work : int
        Number of the law of the work on an item.
    scale : float
        Factor on it, such as the inverse of a speed.
    stops : sequence of HiddenStop
        Stops that may come unseen.
    time : float
        Clock of the source when the filter begins. [s]
    n_waiting : int
        Items at the machine then, the one in work included.
    worked : float
        Work done on the first of them; 0: none. [s]
    stands : int
        Stop that it is in then, by its place in ``stops``; -1: none.
    stood : float
        How long that stop has lasted. [s]
    is_done : bool
        Whether the first item is done and has no place.
    tolerance : float, optional
        Accuracy of times; left out, 1 % of the mean work, and 20 ms at least. [s]
    n : int
        Number of particles.
    seed : int
        Chooses the random numbers.
    """

    def __init__(  # noqa: PLR0913 - what is known at the start, by keyword
        self,
        laws: ResidualLaws,
        work: int,
        scale: float,
        stops: Sequence[HiddenStop],
        *,
        time: float,
        n_waiting: int,
        worked: float = 0.0,
        stands: int = -1,
        stood: float = 0.0,
        is_done: bool = False,
        tolerance: float | None = None,
        n: int = 1000,
        seed: int = 1,
    ) -> None:
        self.time = time
        """How far it has come. [s]"""
        self.n_arrived = n_waiting
        """Items that have reached it in all."""
        self.n_coming = 0
        """Items on their way to it."""
        self.n_lost = 0
        self._laws = laws
        self._stops = tuple(stops)
        self._random = np.random.default_rng(seed)
        if tolerance is None:
            tolerance = max(0.01 * scale * laws.mean(work), 0.02)
        self._work = _WorkTable(laws, work, scale, tolerance)
        self.n_left: Ints = np.zeros(n, dtype=np.int64)
        """Items that have left, by particle."""
        self.worked: Floats = np.full(n, worked)
        """Work done on the item in work, by particle. [s]"""
        self.stands: Booleans = np.full(n, stands >= 0)
        """Whether it is in a stop, by particle."""
        self.stood: Floats = np.full(n, stood)
        """How long the stop has lasted, by particle. [s]"""
        self.is_done: Booleans = np.full(n, is_done)
        """Whether it is done with an item that has no place, by particle."""
        self.stop: Ints = np.full(n, max(stands, 0), dtype=np.int64)
        """The stop it is in, by particle."""
        self._total: Floats = np.full(n, np.nan)
        self._log: Floats = np.zeros(n)
        self._was_full = is_done
        self._repair: Floats = np.zeros(n)
        """What is left of the stop, until the next look. [s]"""
        self._intervals = [_Table(laws, stop.interval, stop.factor) for stop in self._stops]
        self._durations = [_Table(laws, stop.duration, 1.0) for stop in self._stops]
        self._ran: Floats = np.tile([[stop.elapsed for stop in self._stops]], (n, 1))
        """Running time since each stop, by particle. [s]"""
        self._due: Floats = np.full((n, max(len(self._stops), 1)), np.inf)
        """Running time to each stop, until the next look. [s]"""

    def _foresee(self) -> None:
        """Draw when the next stops come and when those under way end, given what has passed."""
        n = len(self.worked)
        for k, (interval, duration) in enumerate(
            zip(self._intervals, self._durations, strict=True)
        ):
            ran = self._ran[:, k]
            self._due[:, k] = interval.draw(ran, self._random.random(n)) - ran
            mine = self.stands & (self.stop == k)
            left = duration.draw(self.stood, self._random.random(n)) - self.stood
            self._repair = np.where(mine, left, self._repair)

    # What is seen ---------------------------------------------------------------------------------

    def enter(self, time: float) -> None:
        """Let an item reach the machine; none was seen to leave since the last time told."""
        if time > self.time:
            self._advance(time, "full" if self._was_full else "quiet")
        self.n_arrived += 1

    def quiet(self, time: float) -> None:
        """Let time go on; nothing left, and it would have been seen."""
        self._advance(time, "quiet")

    def unseen(self, time: float) -> None:
        """Let time go on; items may have left without being seen."""
        self._advance(time, "unseen")

    def full(self, time: float) -> None:
        """Let time go on; there was no room behind it, so that nothing could leave."""
        self._advance(time, "full")

    def leave(self, time: float) -> None:
        """Let an item leave at the time at which it was seen to."""
        made_room = self._was_full and time <= self.time
        if time > self.time:
            self._advance(time, "quiet")
        if made_room:
            chance = self.is_done.astype(np.float64)
        else:
            works = ~self.stands & ~self.is_done & (self.n_arrived > self.n_left)
            left = self._work.not_done(self.worked)
            hazard = self._work.done_at(self.worked) / np.where(left > 0.0, left, 1.0)
            chance = np.where(works, hazard, 0.0)
        if not self._weigh(chance):
            # No history explains it: it works, as something came out.
            self.stands[:] = False
        self.n_arrived = max(self.n_arrived, int(self.n_left.max()) + 1)
        self._let_go(np.ones(len(self.worked), dtype=np.bool_))
        self._was_full = False
        self._resample()

    def has_left(self, n: int) -> None:
        """Know that so many items in all, at least, must have left by now."""
        chance = (self.n_left >= n).astype(np.float64)
        if not self._weigh(chance):
            missing = n - self.n_left
            self._let_go(missing > 0)
            self.n_left = np.maximum(self.n_left, n)
            self.n_arrived = max(self.n_arrived, n)
            self.stands[missing > 0] = False
        self._resample()

    def _let_go(self, who: Booleans) -> None:
        self.n_left = self.n_left + who
        self.worked = np.where(who, 0.0, self.worked)
        self.is_done = self.is_done & ~who
        self._total = np.where(who, np.nan, self._total)

    # Going on -------------------------------------------------------------------------------------

    def _advance(self, time: float, way: _Way) -> None:
        """Let all particles go on; weigh what they would have shown."""
        left = np.full(len(self.worked), time - self.time)
        self._foresee()
        if way == "quiet":
            if self._was_full:
                # There was room, and who was done would have left.
                self._weigh((~self.is_done).astype(np.float64))
                self.is_done[:] = False
            self._total[:] = np.nan
            before = self._work.not_done(self.worked)
        active = left > _DONE
        while active.any():
            self._step(left, active, way)
            active = left > _DONE
        self.time = max(time, self.time)
        self._was_full = way == "full"
        if way == "quiet":
            now = self._work.not_done(self.worked)
            self._weigh(np.where(before > 0.0, now / np.where(before > 0.0, before, 1.0), 0.0))
            self._resample()

    def _step(self, left: Floats, active: Booleans, way: _Way) -> None:
        """Let each particle go on to whatever happens next in it."""
        standing = active & self.stands
        working = active & ~self.stands & ~self.is_done & (self.n_arrived > self.n_left)
        idle = active & ~standing & ~working
        left[idle] = 0.0
        step = np.where(standing, np.minimum(self._repair, left), 0.0)
        self._repair = self._repair - step
        self.stood = self.stood + step
        left -= step
        self.stands &= ~(standing & (self._repair <= _DONE))
        if not working.any():
            return
        if way != "quiet":
            unknown = working & np.isnan(self._total)
            drawn = self._work.draw(self.worked, self._random.random(len(self.worked)))
            self._total = np.where(unknown, drawn, self._total)
        until_done = np.where(np.isnan(self._total), np.inf, self._total - self.worked)
        first = self._due.argmin(axis=1)
        until_stop = self._due[np.arange(len(first)), first]
        step = np.minimum(np.minimum(until_done, until_stop), left)
        step = np.where(working, np.maximum(step, 0.0), 0.0)
        self.worked += step
        self._due -= step[:, None]
        self._ran += step[:, None]
        left -= step
        done = working & (until_done - step <= _DONE)
        if way == "unseen":
            self._let_go(done)
        else:
            self.is_done |= done
        stops = np.flatnonzero(working & ~done & (until_stop - step <= _DONE))
        for particle in stops:
            self._stop_now(int(particle), int(first[particle]))

    def _stop_now(self, particle: int, k: int) -> None:
        stop = self._stops[k]
        u, v = self._random.random(2)
        self.stands[particle] = True
        self.stop[particle] = k
        self.stood[particle] = 0.0
        self._repair[particle] = self._laws.quantile(stop.duration, float(u))
        self._ran[particle, k] = 0.0
        self._due[particle, k] = stop.factor * self._laws.quantile(stop.interval, float(v))

    # Weights --------------------------------------------------------------------------------------

    @property
    def weights(self) -> Floats:
        """Weights of the particles; their sum is 1."""
        raw = np.exp(self._log - self._log.max())
        return np.asarray(raw / raw.sum())

    def _weigh(self, chance: Floats) -> bool:
        """Multiply the weights; say whether any particle is left."""
        with np.errstate(divide="ignore"):
            log = self._log + np.log(chance)
        if not np.isfinite(log.max()):
            self.n_lost += 1
            self._log = np.zeros(len(log))
            return False
        self._log = log - log.max()
        return True

    def _resample(self) -> None:
        weights = self.weights
        n = len(weights)
        if 1.0 / float(weights @ weights) >= _FEW * n:
            return
        copies = np.floor(n * weights).astype(np.int64)
        rest = n - int(copies.sum())
        if rest:
            left = n * weights - copies
            total = float(left.sum())
            more = self._random.choice(n, rest, p=left / total if total > 0.0 else None)
            np.add.at(copies, more, 1)
        chosen = np.repeat(np.arange(n), copies)
        for name in ("n_left", "worked", "stands", "stood", "is_done", "stop", "_total", "_ran"):
            setattr(self, name, getattr(self, name)[chosen].copy())
        self._log = np.zeros(n)

    def estimate(self) -> StationEstimate:
        """Return what the machine probably does now."""
        weights = self.weights
        has_item = self.n_arrived > self.n_left
        works = has_item & ~self.stands & ~self.is_done
        n_left = self.n_left.astype(np.float64)
        mean = float(weights @ n_left)
        busy = float(weights @ has_item)
        return StationEstimate(
            time=self.time,
            stands=float(weights @ self.stands),
            works=float(weights @ works),
            waits=float(weights @ (~self.stands & ~works)),
            n_left=mean,
            n_left_deviation=(math.sqrt(max(float(weights @ (n_left - mean) ** 2), 0.0))),
            worked=float(weights @ np.where(has_item, self.worked, 0.0)) / busy if busy else 0.0,
            effective=1.0 / float(weights @ weights),
            n_lost=self.n_lost,
        )

    def pick(self, u: float) -> int:
        """Return the particle at a place in the sum of weights, 0 <= u < 1."""
        at = int(np.searchsorted(np.cumsum(self.weights), u, "right"))
        return min(at, len(self.worked) - 1)
