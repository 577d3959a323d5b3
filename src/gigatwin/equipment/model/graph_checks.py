"""Checks of a machine's graph: circuits without a token, counts that cannot be."""

import math

from gigatwin.equipment.description.formulas import read_measure
from gigatwin.equipment.model.equipment_model import EquipmentModel
from gigatwin.errors import EquipmentError
from gigatwin.factory.findings import Findings

_ROUNDING = 1e-9


def add_graph_problems(model: EquipmentModel, findings: Findings) -> None:
    """Add what cannot be at the defaults, for the first format for which something cannot."""
    before = len(findings.problems)
    for name, stop in model.machine.stops.items():
        if read_measure(stop.duration).magnitude < 0:
            findings.add(("stops", name, "duration"), stop.duration, "must be 0 s or more")
    for product_format in model.dimensions:
        values = _values(model, product_format, findings)
        if values is not None:
            _check_numbers(model, product_format, values, findings)
            _check_arcs(model, product_format, values, findings)
        if len(findings.problems) == before and values is not None:
            _check_circuits(model, values, findings)
        if len(findings.problems) > before:
            return


def _values(
    model: EquipmentModel, product_format: str, findings: Findings
) -> tuple[float, ...] | None:
    """Return the values of all variables, or None with a problem if there are none."""
    why = "a number is not finite"
    try:
        values = model.evaluate(product_format).values
        if all(math.isfinite(value) for value in values):
            return values
    except EquipmentError as error:
        why = str(error)
    findings.add(("formats", product_format), product_format, f"gives no cycle: {why}")
    return None


def _check_numbers(
    model: EquipmentModel, product_format: str, values: tuple[float, ...], findings: Findings
) -> None:
    """Add negative probabilities and durations, and a cycle that takes no time."""
    for group, curves in (("defects", model.defects), ("stops", model.stops)):
        for curve in curves:
            if values[curve.value] < 0:
                found = f"{values[curve.value]:g} with {product_format}"
                findings.add((group, curve.name), found, "must be 0 or more")
    durations = [values[activity.duration] for activity in model.activities]
    if durations and not any(durations):
        findings.add(("activities",), "0 s", "must take more than 0 s")
    for activity, duration in zip(model.activities, durations, strict=True):
        if duration < 0:
            found = f"{duration:.6g} s with {product_format}"
            findings.add(("activities", activity.name), found, "must take 0 s or more")


def _check_arcs(
    model: EquipmentModel, product_format: str, values: tuple[float, ...], findings: Findings
) -> None:
    """Add overlaps longer than what overlaps, and counts below one."""
    names = [activity.name for activity in model.activities]
    checked: set[int] = set()
    for arc in model.arcs:
        name = names[arc.tail]
        longest = values[model.activities[arc.tail].duration] * (1 + _ROUNDING)
        if arc.overlap >= 0 and arc.tail not in checked:
            checked.add(arc.tail)
            if not 0 <= values[arc.overlap] <= longest:
                required = f"must be from 0 s to the {longest:.6g} s that the activity takes"
                found = f"{values[arc.overlap]:.6g} s with {product_format}"
                findings.add(("activities", name, "overlap"), found, required)
        if values[arc.tokens] >= 1:
            continue
        if arc.why == "itself":
            path = ("activities", name, "places")
            findings.add(path, f"{values[arc.tokens]:g}", "must be 1 or more")
        elif arc.why != "after":
            passed = model.machine.circulating[arc.why].path
            if (passed[-1], passed[0]) == (name, names[arc.head]):
                path = ("circulating", arc.why, "count")
                findings.add(path, f"{values[arc.tokens]:g}", "must be 1 or more")


def _check_circuits(model: EquipmentModel, values: tuple[float, ...], findings: Findings) -> None:
    """Add a circuit in which activities wait for each other."""
    names = [activity.name for activity in model.activities]
    circuit = _without_token(model, values)
    if circuit:
        chain = " -> ".join(names[k] for k in [*circuit, circuit[0]])
        required = (
            "have no token between them, so that each waits for the other for ever; one of "
            "them must be 'after' the other of an earlier cycle (after: {name: 1})"
        )
        findings.add(("activities", names[circuit[0]], "after"), chain, required)


def _without_token(model: EquipmentModel, values: tuple[float, ...]) -> list[int]:
    """Return the nodes of a circuit of arcs without tokens, empty when there is none."""
    ahead: dict[int, list[int]] = {}
    for arc in model.arcs:
        if values[arc.tokens] == 0:
            ahead.setdefault(arc.tail, []).append(arc.head)
    done: set[int] = set()
    for start in ahead:
        way: list[int] = []
        stack = [(start, iter(ahead.get(start, ())))]
        if start in done:
            continue
        way.append(start)
        while stack:
            node, following = stack[-1]
            head = next(following, None)
            if head is None:
                done.add(node)
                stack.pop()
                way.pop()
            elif head in way:
                return way[way.index(head) :]
            elif head not in done:
                way.append(head)
                stack.append((head, iter(ahead.get(head, ()))))
    return []
