"""Axes, dials and steps as code: what each move takes, and where it must stay."""

from gigatwin.equipment.description.formulas import FormulaError, read_measure
from gigatwin.equipment.description.machine import Axis, Machine, Step
from gigatwin.equipment.description.measures import Quantity, measure, same_kind
from gigatwin.equipment.model.code import Code
from gigatwin.equipment.model.equipment_model import StepPart
from gigatwin.equipment.motion.blended import blended_move_time
from gigatwin.errors import EquipmentError
from gigatwin.factory.findings import Findings, Path

_ROUNDING = 1 + 1e-12
_MAY_BE_ZERO = {"friction", "length", "low", "high"}


class Motions:
    """Gives the axes and dials of a machine their variables, and turns steps into times."""

    def __init__(self, machine: Machine, code: Code, findings: Findings) -> None:
        """Give variables to every axis and dial."""
        self.machine = machine
        self.code = code
        self.findings = findings
        self.positions: dict[tuple[str, ...], int] = {}
        self.variables: dict[tuple[str, ...], str] = {}
        self.units: dict[tuple[str, ...], str] = {}
        self.poses: dict[tuple[str, str], tuple[str, dict[str, Quantity]]] = {}
        for name, axis in machine.axes.items():
            self._axis(name, axis)
        for name, dial in machine.dials.items():
            for field, unit in (
                ("inertia", "kg*m^2"), ("torque", "N*m"), ("speed", "rad/s"), ("continuous", "N*m")
            ):  # fmt: skip
                text = getattr(dial, field)
                if text is not None:
                    self._add(("dials", name, field), text, unit)

    def _add(self, path: tuple[str, ...], text: str, *units: str) -> None:
        variable, values = self.code.formula(text, path, *units)
        if path[-1] not in _MAY_BE_ZERO:
            for product_format, value in values.items():
                if value.magnitude <= 0:
                    found = f"{value.magnitude:.6g} with {product_format}"
                    self.findings.add(path, found, "must be more than 0")
                    break
        self.variables[path] = variable
        self.positions[path] = self.code.position(variable)

    def _axis(self, name: str, axis: Axis) -> None:
        here = ("axes", name)
        _, speeds = self.code.formula(axis.speed, (*here, "speed"), "m/s", "rad/s")
        # Radians have no dimension, so that a turning axis is known by its plain 1/s.
        speed = next(iter(speeds.values()), None)
        is_speed = speed is not None and any(
            same_kind(speed, measure(f"1 {unit}/s")) for unit in ("m", "rad")
        )
        if not is_speed:
            # What is wrong with the speed has been said; the acceleration tells how it moves.
            _, speeds = self.code.formula(axis.acceleration, (*here, "acceleration"))
        turns = bool(speeds) and "[length]" not in next(iter(speeds.values())).dimensionality
        length, force, mass = ("rad", "N*m", "kg*m^2") if turns else ("m", "N", "kg")
        self.units[here] = length
        fields = ("speed", "acceleration", "jerk")
        for power, field in enumerate(fields[0 if is_speed else 1 :], 1 if is_speed else 2):
            unit = f"{length}/s^{power}" if power > 1 else f"{length}/s"
            self._add((*here, field), getattr(axis, field), unit)
        parts: list[tuple[str, str, str | None]] = []
        if axis.drive is not None:
            parts += [
                ("drive", "inertia", mass), ("drive", "friction", None), ("drive", "peak", force),
                ("drive", "continuous", force), ("drive", "speed", f"{length}/s"),
            ]  # fmt: skip
        if axis.vibration is not None:
            parts += [("vibration", "frequency", "Hz"), ("vibration", "tolerance", length)]
        if axis.web is not None:
            parts += [
                ("web", "core_radius", "m"), ("web", "thickness", "m"), ("web", "length", "m"),
                ("web", "inertia", "kg*m^2"), ("web", "tension", "N"),
                ("web", "spindle_speed", "rad/s"),
            ]  # fmt: skip
        for group, field, wanted in parts:
            text = getattr(getattr(axis, group), field)
            if text is not None:
                units = (force, "") if wanted is None and text == "0" else (wanted or force,)
                self._add((*here, group, field), text, *units)
        self._travel(name, axis, length)

    def _travel(self, name: str, axis: Axis, unit: str) -> None:
        here: Path = ("axes", name)
        bounds: list[Quantity] = []
        if axis.travel is not None:
            for side in ("low", "high"):
                try:
                    bounds.append(read_measure(getattr(axis.travel, side)))
                except FormulaError as error:
                    self.findings.add((*here, "travel", side), error.found, error.required)
            if len(bounds) != 2 or not same_kind(*bounds):  # noqa: PLR2004 - low and high
                bounds = []
            elif bounds[1] < bounds[0]:
                required = f"must be {axis.travel.low} or more"
                self.findings.add((*here, "travel", "high"), axis.travel.high, required)
            for side, text in zip(
                ("low", "high"), (axis.travel.low, axis.travel.high), strict=True
            ):
                self._add(("axes", name, "travel", side), text, unit)
        self._add_poses(name, axis, unit, bounds)

    def _add_poses(self, name: str, axis: Axis, unit: str, bounds: list[Quantity]) -> None:
        """Give variables to the poses of an axis, and add those that it cannot reach."""
        for pose, text in axis.poses.items():
            place = ("axes", name, "poses", pose)
            variable, values = self.code.formula(text, place, unit)
            self.poses[name, pose] = variable, values
            self.positions["axes", name, "poses", pose] = self.code.position(variable)
            if bounds:
                for product_format, value in values.items():
                    if same_kind(value, bounds[0]) and not bounds[0] <= value <= bounds[1]:
                        found = f"{value.magnitude:.6g} {unit} with {product_format}"
                        limits = f"from {axis.travel.low} to {axis.travel.high}"  # type: ignore[union-attr]  # bounds came from it
                        self.findings.add(place, found, f"must be {limits}: it cannot be reached")
                        break

    def step(self, step: Step, path: Path) -> StepPart:
        """Return a step with the variables of its times."""
        kind = step.kind
        label = step.name or kind
        axis = stroke = None
        if kind in {"move", "index"}:
            axis = str(step.move or step.index)
            label = step.name or axis
            once, stroke = self._motion(step, axis, path)
        else:
            once, _ = self.code.formula(getattr(step, kind), (*path, kind), "s")
        share = step.times * step.probability
        time = once if share == 1 else self.code.add(f"{share!r} * {once}")
        return StepPart(
            kind=kind,
            label=label,
            time=self.code.position(time),
            once=self.code.position(once),
            times=step.times,
            probability=step.probability,
            axis=axis,
            stroke=stroke,
            settles=step.settle,
        )

    def _motion(self, step: Step, axis: str, path: Path) -> tuple[str, int | None]:
        known = self.machine.axes if step.move is not None else self.machine.dials
        if axis not in known:
            what = "an axis" if step.move is not None else "a dial"
            self.findings.add_unknown((*path, step.kind), axis, known, what)
            return "0.0", None
        if step.index is not None:
            if step.stroke is None:
                self.findings.add((*path, "index"), axis, "must have a stroke; a dial has no poses")
                return "0.0", None
            stroke, angles = self.code.formula(step.stroke, (*path, "stroke"), "rad")
            for product_format, value in angles.items():
                if value.magnitude < 0:
                    found = f"{value.magnitude:.6g} rad with {product_format}"
                    self.findings.add((*path, "stroke"), found, "must be 0 or more")
                    break
            here = [self.variables["dials", axis, f] for f in ("inertia", "torque", "speed")]
            law = self.machine.dials[axis].law
            arguments = ", ".join([stroke, repr(law), *here])
            return self.code.add(f"index_time({arguments})"), self.code.position(stroke)
        stroke_variable = self._stroke(step, axis, path)
        fields = ("speed", "acceleration", "jerk")
        limits = [self.variables.get(("axes", axis, field), "0.0") for field in fields]
        arguments = ", ".join([stroke_variable, *limits])
        time = f"move_time({arguments})"
        if step.start_speed is not None or step.end_speed is not None:
            unit = f"{self.units['axes', axis]}/s"
            ends = [
                self.code.formula(text or f"0 {unit}", path, unit)
                for text in (step.start_speed, step.end_speed)
            ]
            speeds = [variable for variable, _ in ends]
            self._check_flight(step, axis, path, [values for _, values in ends])
            time = f"blended({', '.join([stroke_variable, *limits, *speeds])})"
        if step.settle:
            vibration = self.machine.axes[axis].vibration
            if vibration is None or vibration.damping == 0:
                required = f"needs axes.{axis}.vibration with a damping above 0"
                self.findings.add((*path, "settle"), "true", required)
            else:
                swing = [
                    self.variables["axes", axis, "vibration", "frequency"],
                    repr(vibration.damping),
                    self.variables["axes", axis, "vibration", "tolerance"],
                ]
                time = f"{time} + settle({', '.join([stroke_variable, *limits, *swing])})"
        return self.code.add(time), self.code.position(stroke_variable)

    def _check_flight(
        self, step: Step, axis: str, path: Path, ends: list[dict[str, Quantity]]
    ) -> None:
        """Add a move that cannot begin and end at its speeds."""
        described = self.machine.axes[axis]
        texts = (step.stroke or "0", described.speed, described.acceleration, described.jerk)
        parts = [self.code.formula(text, path)[1] for text in texts]
        for product_format in self.code.environments:
            tables = (*parts, *ends)
            if step.stroke is None or any(product_format not in values for values in tables):
                return
            found = [values[product_format] for values in tables]
            try:
                blended_move_time(*(float(value.magnitude) for value in found))
            except EquipmentError as error:
                self.findings.add((*path, "move"), axis, str(error))
                return

    def _stroke(self, step: Step, axis: str, path: Path) -> str:
        unit = self.units["axes", axis]
        if step.stroke is not None:
            variable, values = self.code.formula(step.stroke, (*path, "stroke"), unit)
        else:
            ends = []
            for side, pose in (("start", step.start), ("end", step.end)):
                if (axis, str(pose)) not in self.poses:
                    known = self.machine.axes[axis].poses
                    self.findings.add_unknown((*path, side), str(pose), known, f"a pose of {axis}")
                    return "0.0"
                ends.append(self.poses[axis, str(pose)])
            (first, from_values), (last, to_values) = ends
            values = {
                name: abs(to_values[name] - from_values[name])
                for name in set(from_values) & set(to_values)
                if same_kind(to_values[name], from_values[name])
            }
            return self.code.add(f"abs({last} - {first})")
        travel = self.machine.axes[axis].travel
        for product_format, value in values.items():
            if value.magnitude < 0:
                found = f"{value.magnitude:.6g} {unit} with {product_format}"
                self.findings.add((*path, "stroke"), found, "must be 0 or more")
                break
            if travel is not None and ("axes", axis, "travel", "high") in self.positions:
                try:
                    low, high = read_measure(travel.low), read_measure(travel.high)
                except FormulaError:
                    break
                if not same_kind(low, high):
                    break
                room = high - low
                if same_kind(room, value) and value > room * _ROUNDING:
                    found = f"{value.magnitude:.6g} {unit} with {product_format}"
                    required = (
                        f"must be {room.magnitude:.6g} {unit} or less, the travel of axis {axis}"
                    )
                    self.findings.add((*path, "stroke"), found, required)
                    break
        return variable
