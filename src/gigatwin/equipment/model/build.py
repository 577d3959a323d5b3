"""From a description to an equipment model: formulas compiled, units checked, graph laid out."""

import itertools
import keyword
from collections.abc import Iterable
from pathlib import Path as FilePath

from gigatwin.equipment.description.formulas import SCALAR, read_measure
from gigatwin.equipment.description.machine import Machine
from gigatwin.equipment.description.measures import same_kind, unit_name
from gigatwin.equipment.model.code import Code
from gigatwin.equipment.model.curves import add_defects, add_stops
from gigatwin.equipment.model.equipment_model import ActivityPart, Arc, EquipmentModel
from gigatwin.equipment.model.graph_checks import add_graph_problems
from gigatwin.equipment.model.motions import Motions
from gigatwin.equipment.model.ranges import read_dimensions, read_ranges
from gigatwin.factory.findings import Findings, Path

_RESERVED = {*SCALAR, "move_time", "index_time", "settle", "blended", "abs"}


def build(
    machine: Machine, findings: Findings, folder: FilePath | None = None
) -> EquipmentModel | None:
    """Return a machine ready for calculation, or None with all problems added to the findings."""
    before = len(findings.problems)
    ranges, dimensions = read_ranges(machine, findings), read_dimensions(machine, findings)
    _check_names(machine, findings)
    if len(findings.problems) > before:
        return None
    environments = {
        name: {**{key: value[name] for key, (value, _) in ranges.items()}, **dimensions[name]}
        for name in machine.formats
    }
    code = Code(environments, findings)
    for name, text in machine.constants.items():
        code.constant(name, text, ("constants", name))
    motions = Motions(machine, code, findings)
    activities = tuple(_activity(name, machine, motions, code) for name in machine.activities)
    arcs = _arcs(machine, activities, code, findings)
    defects, scrap = add_defects(machine, code)
    stops, downtime = add_stops(machine, code)
    units = dict(motions.units)
    positions = motions.positions | _limits(machine, code, findings, units) | _fmu(machine, code)
    if machine.energy is not None:
        for part in ("executing", "standby"):
            code.formula(getattr(machine.energy, part), ("energy", part), "W")
    energy, _ = code.formula(
        machine.energy.per_cycle if machine.energy else "0 J", ("energy", "per_cycle"), "J"
    )
    energy_position = code.position(energy)
    if len(findings.problems) > before:
        return None
    scalar, vector = code.functions()
    model = EquipmentModel(
        machine=machine,
        settings={name: found for name, (_, found) in ranges.items()},
        dimensions={
            name: {key: float(value.magnitude) for key, value in values.items()}
            for name, values in dimensions.items()
        },
        accepted={
            name: (
                float(read_measure(bounds.low).magnitude),
                float(read_measure(bounds.high).magnitude),
            )
            for name, bounds in machine.accepts.items()
        },
        parameters=tuple(code.parameters),
        activities=activities,
        arcs=arcs,
        scrap=scrap,
        downtime=downtime,
        defects=defects,
        stops=stops,
        energy_per_cycle=energy_position,
        positions=positions,
        units=units,
        scalar=scalar,
        vector=vector,
        folder=folder,
    )
    add_graph_problems(model, findings)
    return model if len(findings.problems) == before else None


def _check_names(machine: Machine, findings: Findings) -> None:
    """Add names that formulas could not use, and those given twice."""
    first = next(iter(machine.formats.values()))
    seen: dict[str, Path] = {}
    for group, names in (
        ("settings", machine.settings), ("formats", first), ("constants", machine.constants)
    ):  # fmt: skip
        for name in names:
            path: Path = (group, name)
            if not name.isidentifier() or not name.isascii() or name.startswith("_"):
                required = "must be a word of letters, digits and '_', as it stands in formulas"
                findings.add(path, f"'{name}'", required, is_element=True)
            elif name in _RESERVED or keyword.iskeyword(name):
                findings.add(path, f"'{name}'", "is a word of formulas; use another name")
            elif name in seen:
                required = f"is the name of {'.'.join(map(str, seen[name]))} already"
                findings.add(path, f"'{name}'", required)
            seen[name] = path


def _activity(name: str, machine: Machine, motions: Motions, code: Code) -> ActivityPart:
    activity = machine.activities[name]
    steps = tuple(
        motions.step(step, ("activities", name, "steps", k))
        for k, step in enumerate(activity.steps)
    )
    factor = code.factor()
    total = " + ".join(f"_v{step.time}" for step in steps)
    duration = code.add(f"({total}) * {factor}")
    return ActivityPart(name, code.position(duration), steps, activity.cv, factor)


class _Arcs:
    """Collects who waits for whom."""

    def __init__(self, machine: Machine, activities: tuple[ActivityPart, ...], code: Code) -> None:
        self.machine = machine
        self.activities = activities
        self.code = code
        self.index = {activity.name: k for k, activity in enumerate(activities)}
        self.arcs: list[Arc] = []
        self._counts: dict[int, int] = {}
        self._weights: list[int] = []
        self._overlaps: list[int] = []
        for activity in activities:
            path = ("activities", activity.name, "overlap")
            overlap, _ = code.formula(machine.activities[activity.name].overlap, path, "s")
            self._overlaps.append(code.position(overlap))
            weight = code.add(f"_v{activity.duration} - {overlap}")
            self._weights.append(code.position(weight))

    def constant(self, count: int) -> int:
        """Return the position of a number of tokens that no setting changes."""
        if count not in self._counts:
            self._counts[count] = self.code.position(self.code.add(f"{count}.0"))
        return self._counts[count]

    def tokens(self, text: str, path: Path) -> int:
        """Return the position of a number of tokens; of a broken carrier there is none."""
        variable, _ = self.code.formula(text, path, "")
        return self.code.position(self.code.add(f"whole({variable})"))

    def known(self, names: Iterable[str], path: Path, findings: Findings) -> bool:
        """Return whether names are all activities, and add those that are not."""
        unknown = [name for name in names if name not in self.index]
        for name in unknown:
            findings.add_unknown(path, name, self.index, "an activity")
        return not unknown

    def join(self, tail: str, head: str, tokens: int, why: str) -> None:
        """Let one activity wait for another."""
        k = self.index[tail]
        weight, overlap = self._weights[k], self._overlaps[k]
        self.arcs.append(Arc(k, self.index[head], weight, tokens, why, overlap))

    def repeat(self, name: str) -> None:
        """Let an activity wait for itself."""
        k = self.index[name]
        path = ("activities", name, "places")
        places = self.tokens(self.machine.activities[name].places, path)
        self.arcs.append(Arc(k, k, self.activities[k].duration, places, "itself"))


def _arcs(
    machine: Machine, activities: tuple[ActivityPart, ...], code: Code, findings: Findings
) -> tuple[Arc, ...]:
    arcs = _Arcs(machine, activities, code)
    for name, activity in machine.activities.items():
        arcs.repeat(name)
        for other, cycles in activity.after.items():
            if arcs.known([other], ("activities", name, "after", other), findings):
                arcs.join(other, name, arcs.constant(cycles), "after")
    for name, circulating in machine.circulating.items():
        path: Path = ("circulating", name)
        count = arcs.tokens(circulating.count, (*path, "count"))
        if arcs.known(circulating.path, (*path, "path"), findings):
            for one, following in itertools.pairwise(circulating.path):
                arcs.join(one, following, arcs.constant(0), name)
            arcs.join(circulating.path[-1], circulating.path[0], count, name)
    for name, zone in machine.zones.items():
        arcs.known(zone, ("zones", name), findings)
    return tuple(arcs.arcs)


def _limits(
    machine: Machine, code: Code, findings: Findings, units: dict[tuple[str, ...], str]
) -> dict[tuple[str, ...], int]:
    positions: dict[tuple[str, ...], int] = {}
    for name, limit in machine.limits.items():
        path: Path = ("limits", name)
        value, values = code.formula(limit.value, (*path, "value"))
        positions["limits", name, "value"] = code.position(value)
        units["limits", name] = unit_name(next(iter(values.values()))) if values else ""
        for bound in ("most", "least"):
            text = getattr(limit, bound)
            if text is None:
                continue
            variable, bounds = code.formula(text, (*path, bound))
            positions["limits", name, bound] = code.position(variable)
            for product_format in set(values) & set(bounds):
                if not same_kind(values[product_format], bounds[product_format]):
                    wanted = unit_name(values[product_format]) or "a plain number"
                    findings.add((*path, bound), text, f"must be in {wanted}, as its value")
                    break
    return positions


def _fmu(machine: Machine, code: Code) -> dict[tuple[str, ...], int]:
    if machine.fmu is None:
        return {}
    positions: dict[tuple[str, ...], int] = {}
    step, _ = code.formula(machine.fmu.step, ("fmu", "step"), "s")
    positions["fmu", "step"] = code.position(step)
    for name, text in machine.fmu.inputs.items():
        variable, _ = code.formula(text, ("fmu", "inputs", name))
        positions["fmu", name] = code.position(variable)
    return positions
