"""Checks of a machine's graph: circuits without a token, counts that cannot be."""

from gigatwin.equipment.model.equipment_model import EquipmentModel
from gigatwin.factory.findings import Findings

_ROUNDING = 1e-9


def add_graph_problems(model: EquipmentModel, findings: Findings) -> None:
    """Add circuits in which activities wait for each other, and counts below one."""
    for product_format in model.dimensions:
        values = model.evaluate(product_format).values
        names = [activity.name for activity in model.activities]
        for activity in model.activities:
            if values[activity.duration] < 0:
                found = f"{values[activity.duration]:.6g} s with {product_format}"
                findings.add(("activities", activity.name), found, "must take 0 s or more")
        for arc in model.arcs:
            longest = values[model.activities[arc.tail].duration] * (1 + _ROUNDING)
            if arc.overlap >= 0 and not 0 <= values[arc.overlap] <= longest:
                path = ("activities", names[arc.tail], "overlap")
                required = f"must be from 0 s to the {longest:.6g} s that the activity takes"
                findings.add(path, f"{values[arc.overlap]:.6g} s with {product_format}", required)
                return
            if arc.why == "itself" and values[arc.tokens] < 1:
                path = ("activities", names[arc.tail], "places")
                findings.add(path, f"{values[arc.tokens]:g}", "must be 1 or more")
                return
            is_last = arc.why not in {"itself", "after"} and (
                model.machine.circulating[arc.why].path[0] == names[arc.head]
                and model.machine.circulating[arc.why].path[-1] == names[arc.tail]
            )
            if is_last and values[arc.tokens] < 1:
                path = ("circulating", arc.why, "count")
                findings.add(path, f"{values[arc.tokens]:g}", "must be 1 or more")
                return
        circuit = _without_token(model, values)
        if circuit:
            chain = " -> ".join(names[k] for k in [*circuit, circuit[0]])
            required = (
                "have no token between them, so that each waits for the other for ever; one of "
                "them must be 'after' the other of an earlier cycle (after: {name: 1})"
            )
            findings.add(("activities", names[circuit[0]], "after"), chain, required)
            return


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
