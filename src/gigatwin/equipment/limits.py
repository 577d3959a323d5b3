"""What a machine must not do: limits of its drives, its web, its tools, and its own list."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigatwin.equipment.model.equipment_model import Evaluation, StepPart
from gigatwin.equipment.motion.cams import PEAKS
from gigatwin.equipment.motion.s_curve import Profile, profile
from gigatwin.equipment.motion.vibration import residual_vibration
from gigatwin.equipment.motion.winding import spindle_speed, tension_deviation

SCRAP = "scrap"
"""Name of the limit of the process window."""
_ROUNDING = 1e-9
_TINY = 1e-12


@dataclass(frozen=True)
class LimitUse:
    """How much of a limit is used, for each setting."""

    name: str
    """What is limited, for example ``turret torque, root mean square``."""
    value: NDArray[np.float64]
    """What the machine does, shape (n,). [unit]"""
    limit: NDArray[np.float64]
    """What it may do, shape (n,). [unit]"""
    unit: str
    """Unit of both."""
    because: str
    """What happens beyond it."""
    is_least: bool = False
    """Whether the limit is the smallest value allowed, not the largest."""

    @property
    def margin(self) -> NDArray[np.float64]:
        """What is left, relative to the limit; negative beyond it."""
        of_value = np.maximum(np.abs(self.value), _TINY)
        scale = np.where(self.limit == 0, of_value, np.abs(self.limit))
        left = (self.value - self.limit) if self.is_least else (self.limit - self.value)
        margin: NDArray[np.float64] = left / scale
        return margin

    @property
    def holds(self) -> NDArray[np.bool_]:
        """Whether the limit is kept."""
        return self.margin >= -_ROUNDING


def limit_uses(evaluation: Evaluation) -> list[LimitUse]:
    """Return every limit that a machine has, and how much of it is used."""
    return [*_axes(evaluation), *_dials(evaluation), *_own(evaluation)]


class _Values:
    """Looks numbers up by their path; arrays of shape (n,)."""

    def __init__(self, evaluation: Evaluation, *path: str) -> None:
        self.evaluation = evaluation
        self.path = path

    def __call__(self, *path: str) -> NDArray[np.float64]:
        position = self.evaluation.model.positions[(*self.path, *path)]
        return self.at(position)

    def at(self, position: int) -> NDArray[np.float64]:
        value = np.asarray(self.evaluation.values[position], dtype=np.float64)
        return np.broadcast_to(value, (self.evaluation.n,))

    def has(self, *path: str) -> bool:
        return (*self.path, *path) in self.evaluation.model.positions


def _moves(evaluation: Evaluation, axis: str, kind: str) -> Iterator[StepPart]:
    for activity in evaluation.model.activities:
        for step in activity.steps:
            if step.kind == kind and step.axis == axis and step.stroke is not None:
                yield step


def _largest(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    largest: NDArray[np.float64] = np.max(parts, axis=0)
    return largest


def moves_of(evaluation: Evaluation, axis: str) -> list[tuple[StepPart, Profile]]:
    """Return the moves of an axis with their profiles, shape (n,) each.

    A move that begins or ends in motion counts as one from rest to rest: its speed at the ends is
    not looked at.
    """
    values = _Values(evaluation, "axes", axis)
    limits = [values(field) for field in ("speed", "acceleration", "jerk")]
    return [
        (step, profile(values.at(step.stroke or 0), *limits))
        for step in _moves(evaluation, axis, "move")
    ]


def _axes(evaluation: Evaluation) -> Iterator[LimitUse]:
    for name, axis in evaluation.model.machine.axes.items():
        values = _Values(evaluation, "axes", name)
        moves = moves_of(evaluation, name)
        if not moves:
            continue
        length = evaluation.model.units["axes", name]
        force = "N m" if length == "rad" else "N"
        strokes = _largest([values.at(step.stroke or 0) for step, _ in moves])
        speed = _largest([move.peak_speed for _, move in moves])
        acceleration = _largest([move.peak_acceleration for _, move in moves])
        if axis.travel is not None:
            room = values("travel", "high") - values("travel", "low")
            yield LimitUse(f"{name} travel", strokes, room, length, "the axis ends there")
            low, high = values("travel", "low"), values("travel", "high")
            for pose in axis.poses:
                place = values("poses", pose)
                beyond = f"axis {name} cannot reach the pose"
                yield LimitUse(f"{name} pose {pose}", place, high, length, beyond)
                yield LimitUse(f"{name} pose {pose}", place, low, length, beyond, is_least=True)
        if axis.drive is not None:
            if values.has("drive", "speed"):
                most = values("drive", "speed")
                yield LimitUse(f"{name} speed", speed, most, f"{length}/s", "the motor ends there")
            yield from _forces(evaluation, name, moves, acceleration, force)
        if axis.vibration is not None:
            yield from _swings(name, values, moves, axis.vibration.damping, length)
        if axis.web is not None:
            yield from _web(name, values, speed, acceleration, axis.web.most_deviation)


def _forces(
    evaluation: Evaluation,
    name: str,
    moves: list[tuple[StepPart, Profile]],
    acceleration: NDArray[np.float64],
    unit: str,
) -> Iterator[LimitUse]:
    values = _Values(evaluation, "axes", name, "drive")
    inertia, friction = values("inertia"), values("friction")
    word = "torque" if unit == "N m" else "force"
    if values.has("peak"):
        peak = inertia * acceleration + friction
        yield LimitUse(
            f"{name} peak {word}", peak, values("peak"), unit, "the drive trips on overcurrent"
        )
    if values.has("continuous"):
        # The mean square over the cycle: moves, and nothing while the axis stands.
        squares = sum(
            step.times
            * step.probability
            * (inertia**2 * move.squared_acceleration + friction**2 * move.duration)
            for step, move in moves
        )
        rms = np.sqrt(squares / np.broadcast_to(evaluation.cycle_time, (evaluation.n,)))
        reason = "the motor overheats over the cycles; a longer dwell helps as a lower acceleration"
        yield LimitUse(f"{name} {word}, root mean square", rms, values("continuous"), unit, reason)


def _swings(
    name: str,
    values: _Values,
    moves: list[tuple[StepPart, Profile]],
    damping: float,
    unit: str,
) -> Iterator[LimitUse]:
    if all(step.settles for step, _ in moves):
        return
    frequency = values("vibration", "frequency")
    residual = _largest(
        [residual_vibration(move, frequency, damping) for step, move in moves if not step.settles]
    )
    reason = "the tool still swings when work begins; a jerk time of a whole period leaves nothing"
    yield LimitUse(
        f"{name} residual vibration", residual, values("vibration", "tolerance"), unit, reason
    )


def _web(
    name: str,
    values: _Values,
    speed: NDArray[np.float64],
    acceleration: NDArray[np.float64],
    most_deviation: float,
) -> Iterator[LimitUse]:
    core = values("web", "core_radius")
    deviation = tension_deviation(
        values("web", "inertia"), acceleration, core, values("web", "tension")
    )
    most = np.full_like(deviation, 100 * most_deviation)
    reason = "the web wanders and the roll telescopes"
    yield LimitUse(f"{name} tension deviation", 100 * deviation, most, "%", reason)
    if values.has("web", "spindle_speed"):
        # It turns fastest on the empty core.
        turning = np.asarray(spindle_speed(speed, core))
        yield LimitUse(
            f"{name} spindle speed",
            turning,
            values("web", "spindle_speed"),
            "rad/s",
            "the spindle ends there",
        )


def _dials(evaluation: Evaluation) -> Iterator[LimitUse]:
    for name, dial in evaluation.model.machine.dials.items():
        values = _Values(evaluation, "dials", name)
        moves = list(_moves(evaluation, name, "index"))
        if not moves or not values.has("continuous"):
            continue
        ratio = PEAKS[dial.law].root_mean_square
        squares = np.zeros(evaluation.n)
        for step in moves:
            time = values.at(step.once)
            torque = values("inertia") * ratio * values.at(step.stroke or 0) / time**2
            squares += step.times * step.probability * time * torque**2
        rms = np.sqrt(squares / np.broadcast_to(evaluation.cycle_time, (evaluation.n,)))
        yield LimitUse(
            f"{name} torque, root mean square",
            rms,
            values("continuous"),
            "N m",
            "the motor overheats over the cycles",
        )


def _own(evaluation: Evaluation) -> Iterator[LimitUse]:
    for name, limit in evaluation.model.machine.limits.items():
        values = _Values(evaluation, "limits", name)
        unit = evaluation.model.units.get(("limits", name), "")
        if values.has("most"):
            yield LimitUse(name, values("value"), values("most"), unit, limit.because)
        if values.has("least"):
            yield LimitUse(
                name, values("value"), values("least"), unit, limit.because, is_least=True
            )
    most = evaluation.model.machine.most_defects
    if most is not None:
        scrap = np.broadcast_to(np.asarray(evaluation.scrap, dtype=np.float64), (evaluation.n,))
        yield LimitUse(
            SCRAP,
            100 * scrap,
            np.full_like(scrap, 100 * most),
            "%",
            "outside of the process window too much is spoiled",
        )


def broken(uses: list[LimitUse], row: int = 0) -> list[LimitUse]:
    """Return the limits that one of the settings does not keep."""
    return [use for use in uses if not use.holds[row]]


def is_possible(evaluation: Evaluation) -> NDArray[np.bool_]:
    """Return whether durations, overlaps and strokes can be, for each setting, shape (n,).

    They must not be negative, and an overlap must not be longer than its activity.
    """
    model = evaluation.model
    possible = np.ones(evaluation.n, dtype=bool)
    for activity in model.activities:
        possible &= np.asarray(evaluation.values[activity.duration]) >= -_TINY
        for step in activity.steps:
            if step.stroke is not None:
                possible &= np.asarray(evaluation.values[step.stroke]) >= -_TINY
    for arc in model.arcs:
        if arc.overlap >= 0:
            overlap = np.asarray(evaluation.values[arc.overlap])
            longest = np.asarray(evaluation.values[model.activities[arc.tail].duration])
            possible &= (overlap >= -_TINY) & (overlap <= longest + _ROUNDING)
    return possible
