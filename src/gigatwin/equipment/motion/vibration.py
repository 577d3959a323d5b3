"""What is left of a vibration when a move ends, and how long it takes to settle."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gigatwin.equipment.motion.s_curve import Profile


def residual_vibration(
    move: Profile, frequency: ArrayLike, damping: ArrayLike = 0.0
) -> NDArray[np.float64]:
    r"""Return the amplitude with which a tool swings on its axis when a move has ended. [m].

    Parameters
    ----------
    move : Profile
        Moves from rest to rest.
    frequency : array_like
        Natural frequency of the tool on the axis. [Hz]
    damping : array_like
        Share of the critical damping, 0 or more and below 1.

    Notes
    -----
    The tool obeys :math:`\ddot q + 2\zeta\omega\dot q + \omega^2 q = -\ddot x`. A step of the jerk
    by :math:`\Delta_k` at :math:`t_k` adds a free vibration with the pole
    :math:`p = -\zeta\omega + i\omega_d`; after the move the amplitudes add up to

    .. math:: \frac{1}{\omega^2 \omega_d} \left| \sum_k \Delta_k e^{p (T - t_k)} \right| .

    Without damping it is 0 when the jerk time is a whole number of periods (N. C. Singer and W. P.
    Seering, *Preshaping command inputs to reduce system vibration*, ASME J. Dyn. Sys. 112, 1990).
    """
    times, steps = move.jerk_steps()
    omega = 2 * np.pi * np.asarray(frequency, dtype=np.float64)
    zeta = np.asarray(damping, dtype=np.float64)
    damped = omega * np.sqrt(1 - zeta * zeta)
    pole = -zeta * omega + 1j * damped
    swing = np.sum(steps * np.exp(pole * (times[-1] - times)), axis=0)
    residual: NDArray[np.float64] = np.abs(swing) / (omega * omega * damped)
    return residual


def settling_time(
    residual: ArrayLike, tolerance: ArrayLike, frequency: ArrayLike, damping: ArrayLike
) -> NDArray[np.float64]:
    """Return how long a vibration takes to fall to a tolerance. [s].

    Parameters
    ----------
    residual, tolerance : array_like
        Amplitude at the end of the move, and the one at which work may begin. [m]
    frequency : array_like
        Natural frequency. [Hz]
    damping : array_like
        Share of the critical damping, above 0; with none, a vibration never settles.
    """
    rate = 2 * np.pi * np.asarray(damping, dtype=np.float64) * np.asarray(frequency)
    with np.errstate(divide="ignore"):
        excess = np.log(np.asarray(residual, dtype=np.float64) / np.asarray(tolerance))
    waits: NDArray[np.float64] = np.maximum(excess, 0.0) / rate
    return waits
