"""Cam and indexing laws: how fast a dial can turn by an angle.

A law gives the place as a function of time, both from 0 to 1. Its peak speed and peak acceleration
are pure numbers, Cv and Ca (R. L. Norton, *Cam Design and Manufacturing Handbook*, 2nd ed.,
Industrial Press, 2009, chapters 3 and 4).
"""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigatwin.equipment.motion.s_curve import Floats

CamLaw = Literal["cycloidal", "modified_sine", "modified_trapezoid", "polynomial_345"]
"""Laws of motion of a cam or an indexing dial."""


class CamPeaks(NamedTuple):
    """Peaks of a law over a unit of angle in a unit of time."""

    speed: float
    """Cv."""
    acceleration: float
    """Ca."""
    root_mean_square: float
    """Root mean square of the acceleration, which heats the motor."""


PEAKS: dict[CamLaw, CamPeaks] = {
    "cycloidal": CamPeaks(2.0, 2 * math.pi, math.sqrt(2) * math.pi),
    "modified_sine": CamPeaks(
        4 * math.pi / (4 + math.pi),
        4 * math.pi**2 / (4 + math.pi),
        2 * math.sqrt(2) * math.pi**2 / (4 + math.pi),
    ),
    "modified_trapezoid": CamPeaks(
        2.0, 8 * math.pi / (2 + math.pi), 4 * math.sqrt(3) * math.pi / (2 + math.pi)
    ),
    "polynomial_345": CamPeaks(1.875, 10 / math.sqrt(3), math.sqrt(120 / 7)),
}
"""Peak speed and peak acceleration of each law."""


def index_time(
    angle: Floats, law: CamLaw, inertia: Floats, torque: Floats, speed: Floats
) -> Floats:
    r"""Return the time in which a dial can index by an angle. [s].

    Parameters
    ----------
    angle : float or array
        Angle of one index. [rad]
    law : str
        Law of motion.
    inertia : float or array
        Moment of inertia at the dial, drive included. [kg m^2]
    torque, speed : float or array
        Peak torque [N m] and top speed [rad/s] of the drive at the dial.

    Notes
    -----
    The longer of :math:`\sqrt{C_a \theta J / \tau}` and :math:`C_v \theta / \omega`.
    """
    peaks = PEAKS[law]
    if all(isinstance(part, float) for part in (angle, inertia, torque, speed)):
        return max(
            math.sqrt(peaks.acceleration * angle * inertia / torque), peaks.speed * angle / speed
        )
    by_torque = np.sqrt(peaks.acceleration * angle * inertia / torque)
    return np.maximum(by_torque, peaks.speed * angle / speed)


def place(law: CamLaw, share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the angle that is done after a share of the time, both 0 to 1."""
    return _LAWS[law](np.asarray(share, dtype=np.float64))


def _cycloidal(u: NDArray[np.float64]) -> NDArray[np.float64]:
    return u - np.sin(2 * np.pi * u) / (2 * np.pi)


def _polynomial_345(u: NDArray[np.float64]) -> NDArray[np.float64]:
    return u**3 * (10 - 15 * u + 6 * u * u)


def _modified_sine(u: NDArray[np.float64]) -> NDArray[np.float64]:
    pi = np.pi
    ends = pi * u - np.sin(4 * pi * u) / 4
    middle = 2 + pi * u - 9 * np.sin((4 * pi * u + pi) / 3) / 4
    last = 4 + pi * u - np.sin(4 * pi * u) / 4
    return np.where(u < 1 / 8, ends, np.where(u <= 7 / 8, middle, last)) / (4 + pi)


def _modified_trapezoid(u: NDArray[np.float64]) -> NDArray[np.float64]:
    half = np.where(u <= 1 / 2, u, 1 - u)
    pi = np.pi
    ca = PEAKS["modified_trapezoid"].acceleration
    ramp = ca * (half / (4 * pi) - np.sin(4 * pi * half) / (16 * pi * pi))
    # From 1/8 to 3/8 the acceleration is constant; speed and place go on where the ramp ends.
    v1, s1 = ca / (4 * pi), ca * (1 / (32 * pi) - 1 / (16 * pi * pi))
    w = half - 1 / 8
    flat = s1 + v1 * w + ca * w * w / 2
    v2, s2 = v1 + ca / 4, s1 + v1 / 4 + ca / 32
    w = half - 3 / 8
    down = s2 + v2 * w + ca * (1 - np.cos(4 * pi * w)) / (16 * pi * pi)
    first = np.where(half <= 1 / 8, ramp, np.where(half <= 3 / 8, flat, down))
    return np.where(u <= 1 / 2, first, 1 - first)


_LAWS: dict[CamLaw, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "cycloidal": _cycloidal,
    "modified_sine": _modified_sine,
    "modified_trapezoid": _modified_trapezoid,
    "polynomial_345": _polynomial_345,
}
