"""Moves that begin or end in motion: flying transfers and blends, calculated by ruckig."""

from gigatwin.errors import EquipmentError


def blended_move_time(  # noqa: PLR0913, PLR0917 - the parts of a move
    stroke: float,
    speed: float,
    acceleration: float,
    jerk: float,
    start_speed: float = 0.0,
    end_speed: float = 0.0,
) -> float:
    """Return the shortest duration of a move with given speeds at its ends. [s].

    Parameters
    ----------
    stroke : float
        Length of the move. [m or rad]
    speed, acceleration, jerk : float
        Limits, above 0.
    start_speed, end_speed : float
        Speeds at the ends, at most ``speed``; the acceleration is 0 there.

    Raises
    ------
    EquipmentError
        If ruckig is not installed, or the move is impossible.

    Notes
    -----
    L. Berscheid and T. Kroeger, *Jerk-limited real-time trajectory generation with arbitrary target
    states*, RSS 2021. Only one target is ever given: ruckig sends a move with intermediate
    waypoints to a service on the internet.
    """
    try:
        from ruckig import (  # noqa: PLC0415 - an extra
            InputParameter,
            Result,
            Ruckig,
            RuckigError,
            Trajectory,
        )
    except ImportError:
        message = (
            "a move that begins or ends in motion: ruckig is not installed; it must be there. "
            "Install it with pip install 'gigatwin[motion]', or let the move begin and end at rest."
        )
        raise EquipmentError(message) from None
    wanted = InputParameter(1)
    wanted.current_position, wanted.target_position = [0.0], [stroke]
    wanted.current_velocity, wanted.target_velocity = [start_speed], [end_speed]
    wanted.current_acceleration, wanted.target_acceleration = [0.0], [0.0]
    wanted.max_velocity, wanted.max_acceleration = [speed], [acceleration]
    wanted.max_jerk = [jerk]
    found = Trajectory(1)
    try:
        possible = (
            max(abs(start_speed), abs(end_speed)) <= speed
            and Ruckig(1).calculate(wanted, found) == Result.Working
        )
    except RuckigError:
        possible = False
    if possible:
        # A move too short for its speeds overshoots, or takes a run-up behind its start.
        reach = found.position_extrema[0]
        spare = 1e-9 * max(stroke, 1e-9)
        possible = reach.min >= -spare and reach.max <= stroke + spare
    if not possible:
        message = (
            f"a move of {stroke:g} m from {start_speed:g} m/s to {end_speed:g} m/s within "
            f"{speed:g} m/s, {acceleration:g} m/s^2 and {jerk:g} m/s^3: there is none; speeds at "
            "the ends must be within the limits, and the stroke long enough for them."
        )
        raise EquipmentError(message)
    return float(found.duration)
