r"""Jerk-limited moves from rest to rest: duration and profile in closed form.

A move over a stroke with limits on speed, acceleration and jerk has up to seven phases: jerk up,
constant acceleration, jerk down, cruise, and the same mirrored. With :math:`a^* = \min(a,
\sqrt{vj})` its duration is, by the phase that is missing,

.. math::

    T = \frac{s}{v} + \frac{v}{a^*} + \frac{a^*}{j}, \qquad
    T = \frac{a^*}{j} + \sqrt{(a^*/j)^2 + 4s/a^*}, \qquad
    T = (32 s/j)^{1/3}

for :math:`s \ge v(v/a^* + a^*/j)`, :math:`s \ge 2a^{*3}/j^2`, and below (L. Biagiotti and C.
Melchiorri, *Trajectory Planning for Automatic Machines and Robots*, Springer, 2008, section 3.4).
Lengths may be metres or radians, with the limits in the same unit.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = Any
"""A float, or an array of float64 of any shape; results have the shape of the arguments."""


def move_time(stroke: Floats, speed: Floats, acceleration: Floats, jerk: Floats) -> Floats:
    """Return the duration of a move from rest to rest. [s].

    Parameters
    ----------
    stroke : float or array
        Length of the move, 0 or more. [m or rad]
    speed, acceleration, jerk : float or array
        Limits, above 0; the same unit per second, second squared, second cubed.

    Examples
    --------
    >>> round(move_time(0.3, 2.0, 20.0, 1000.0), 9)
    0.27
    >>> round(move_time(1.0, 1.0, 1.0, 1.0), 9)
    3.174802104
    """
    if (
        isinstance(stroke, float)
        and isinstance(speed, float)
        and isinstance(acceleration, float)
        and isinstance(jerk, float)
    ):
        peak = min(acceleration, math.sqrt(speed * jerk))
        ramp = peak / jerk
        if stroke >= speed * (speed / peak + ramp):
            return stroke / speed + speed / peak + ramp
        if stroke >= 2 * peak * ramp * ramp:
            return ramp + math.sqrt(ramp * ramp + 4 * stroke / peak)
        return math.cbrt(32 * stroke / jerk)
    stroke, speed, acceleration, jerk = np.broadcast_arrays(stroke, speed, acceleration, jerk)
    peak = np.minimum(acceleration, np.sqrt(speed * jerk))
    ramp = peak / jerk
    return np.where(
        stroke >= speed * (speed / peak + ramp),
        stroke / speed + speed / peak + ramp,
        np.where(
            stroke >= 2 * peak * ramp * ramp,
            ramp + np.sqrt(ramp * ramp + 4 * stroke / peak),
            np.cbrt(32 * stroke / jerk),
        ),
    )


@dataclass(frozen=True)
class Profile:
    """The phases of moves from rest to rest; arrays of one shape."""

    jerk: NDArray[np.float64]
    """Jerk in the phases of changing acceleration. [m/s^3]"""
    ramp: NDArray[np.float64]
    """Duration of each of the four phases of changing acceleration. [s]"""
    hold: NDArray[np.float64]
    """Duration of each of the two phases of constant acceleration. [s]"""
    cruise: NDArray[np.float64]
    """Duration of the phase of constant speed. [s]"""

    @property
    def duration(self) -> NDArray[np.float64]:
        """Duration of the whole move. [s]."""
        return 4 * self.ramp + 2 * self.hold + self.cruise

    @property
    def peak_acceleration(self) -> NDArray[np.float64]:
        """Largest acceleration reached. [m/s^2]."""
        return self.jerk * self.ramp

    @property
    def peak_speed(self) -> NDArray[np.float64]:
        """Largest speed reached. [m/s]."""
        return self.peak_acceleration * (self.ramp + self.hold)

    @property
    def squared_acceleration(self) -> NDArray[np.float64]:
        """Integral of the squared acceleration over the move. [m^2/s^3].

        Each ramp of length t contributes a third of what a constant peak would.
        """
        return self.peak_acceleration**2 * (4 * self.ramp / 3 + 2 * self.hold)

    def jerk_steps(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return when the jerk changes and by how much.

        Returns
        -------
        times, steps : arrays of float64, shape (8, ...)
            Time from the start of the move [s], and change of the jerk [m/s^3].
        """
        phases = [
            self.ramp, self.hold, self.ramp, self.cruise, self.ramp, self.hold, self.ramp
        ]  # fmt: skip
        times = np.concatenate([np.zeros_like(self.ramp)[None], np.cumsum(phases, axis=0)])
        signs = np.array([1, 0, -1, 0, -1, 0, 1, 0])
        changes = np.diff(signs, prepend=0).reshape(-1, *[1] * self.ramp.ndim)
        return times, changes * self.jerk


def profile(
    stroke: ArrayLike, speed: ArrayLike, acceleration: ArrayLike, jerk: ArrayLike
) -> Profile:
    """Return the phases of moves from rest to rest; the arguments are those of `move_time`."""
    stroke, speed, acceleration, jerk = np.broadcast_arrays(
        *(np.asarray(part, dtype=np.float64) for part in (stroke, speed, acceleration, jerk))
    )
    peak = np.minimum(acceleration, np.sqrt(speed * jerk))
    ramp = peak / jerk
    reaches_speed = stroke >= speed * (speed / peak + ramp)
    reaches_peak = stroke >= 2 * peak * ramp * ramp
    hold = np.where(
        reaches_speed,
        speed / peak - ramp,
        (np.sqrt(ramp * ramp + 4 * stroke / peak) - 3 * ramp) / 2,
    )
    return Profile(
        jerk=jerk,
        ramp=np.where(reaches_peak, ramp, np.cbrt(stroke / (2 * jerk))),
        hold=np.where(reaches_peak, np.maximum(hold, 0.0), 0.0),
        cruise=np.where(reaches_speed, stroke / speed - speed / peak - ramp, 0.0),
    )
