r"""Winding a web onto a core: how the roll builds up, and what that asks of spindle and tension.

A web of thickness t wound with length L onto a core of radius r0 takes the area t L, so that
:math:`r^2 = r_0^2 + tL/\pi` whatever the tension.
"""

import math

import numpy as np

from gigatwin.equipment.motion.s_curve import Floats


def _root(value: Floats) -> Floats:
    return math.sqrt(value) if isinstance(value, float) else np.sqrt(value)


def roll_radius(core_radius: Floats, thickness: Floats, length: Floats) -> Floats:
    """Return the radius of a roll after so much web. [m].

    Parameters
    ----------
    core_radius, thickness, length : float or array
        Radius of the core, thickness of the whole stack of webs, and wound length. [m]
    """
    return _root(core_radius * core_radius + thickness * length / math.pi)


def roll_length(core_radius: Floats, radius: Floats, thickness: Floats) -> Floats:
    """Return the length of web in a roll. [m].

    Examples
    --------
    A roll for a 46 mm can, 44 mm over all on a 4 mm core, from a stack of 0.37 mm:

    >>> round(roll_length(2e-3, 22e-3, 0.37e-3), 2)
    4.08
    """
    return math.pi * (radius * radius - core_radius * core_radius) / thickness


def spindle_speed(web_speed: Floats, radius: Floats) -> Floats:
    """Return the turning speed at which a web of some speed is wound. [rad/s]."""
    return web_speed / radius


def tension_deviation(
    inertia: Floats, web_acceleration: Floats, radius: Floats, tension: Floats
) -> Floats:
    r"""Return by how much the web's tension is off while it accelerates, relative to it.

    Parameters
    ----------
    inertia : float or array
        Moment of inertia that the web has to turn: unwind roll, dancer and idlers, reduced to the
        spindle. [kg m^2]
    web_acceleration : float or array
        Acceleration of the web. [m/s^2]
    radius : float or array
        Radius at which the web runs on. [m]
    tension : float or array
        Tension of the web at constant speed. [N]

    Notes
    -----
    The torque :math:`J a / r` comes out of the web with the force :math:`J a / r^2`.
    """
    return inertia * web_acceleration / (radius * radius) / tension
