"""Curves of defects and stops as code: what it costs to leave the comfortable settings."""

from gigatwin.equipment.description.machine import Machine, Term
from gigatwin.equipment.model.code import Code
from gigatwin.equipment.model.equipment_model import CurvePart
from gigatwin.factory.findings import Path

_LARGEST_EXPONENT = "500.0"


def _term(term: Term, path: Path, code: Code) -> tuple[str, str, str]:
    """Return the variable of a term, and the factors on its knee and weight."""
    text = term.above if term.above is not None else term.below
    side = "above" if term.above is not None else "below"
    of, values = code.formula(term.of, (*path, "of"))
    knee, knees = code.formula(str(text), (*path, side))
    scale, _ = code.formula(term.scale, (*path, "scale"))
    weight, _ = code.formula(term.weight, (*path, "weight"), "")
    if values and knees:
        # The distance over the scale must be a plain number.
        sign = "" if side == "above" else "-"
        code.formula(f"{sign}(({term.of}) - ({text})) / ({term.scale})", path, "")
    knee_factor, weight_factor = code.factor(), code.factor()
    moved = f"{knee} * {knee_factor}"
    distance = f"({of} - {moved})" if side == "above" else f"({moved} - {of})"
    if term.shape == "logistic":
        exponent = f"min(-{distance} / {scale}, {_LARGEST_EXPONENT})"
        rise = f"1.0 / (1.0 + exp({exponent}))"
    else:
        rise = f"over({distance} / {scale}) ** {term.power!r}"
    return code.add(f"{weight} * {weight_factor} * {rise}"), knee_factor, weight_factor


class _Terms:
    """The terms of one curve: variables of what they add, and factors on knees and weights."""

    def __init__(self, terms: tuple[Term, ...], path: Path, code: Code) -> None:
        found = [_term(term, (*path, "terms", k), code) for k, term in enumerate(terms)]
        self.variables = [variable for variable, _, _ in found]
        self.knees = tuple(knee for _, knee, _ in found)
        self.weights = tuple(weight for _, _, weight in found)
        self.code = code

    def part(self, name: str, value: str) -> CurvePart:
        """Return the curve whose value stands in a variable."""
        positions = tuple(self.code.position(variable) for variable in self.variables)
        return CurvePart(name, self.code.position(value), positions, self.knees, self.weights)


def add_defects(machine: Machine, code: Code) -> tuple[tuple[CurvePart, ...], int]:
    """Return the curves of defects, and the position of the scrap that the machine sees."""
    parts = []
    good = "1.0"
    for name, curve in machine.defects.items():
        path: Path = ("defects", name)
        least, _ = code.formula(curve.least, (*path, "least"), "")
        terms = _Terms(curve.terms, path, code)
        value = code.add(f"min({' + '.join([least, *terms.variables])}, 1.0)")
        if curve.is_seen_here:
            good += f" * (1.0 - {value})"
        parts.append(terms.part(name, value))
    return tuple(parts), code.position(code.add(f"1.0 - {good}"))


def add_stops(machine: Machine, code: Code) -> tuple[tuple[CurvePart, ...], int]:
    """Return the curves of stops, and the position of the mean downtime in a cycle."""
    parts = []
    downtime = "0.0"
    for name, curve in machine.stops.items():
        path: Path = ("stops", name)
        base, _ = code.formula(curve.per_cycle, (*path, "per_cycle"), "")
        duration, _ = code.formula(curve.duration, (*path, "duration"), "s")
        terms = _Terms(curve.terms, path, code)
        value = code.add(f"{base} * ({' + '.join(['1.0', *terms.variables])})")
        downtime += f" + {value} * {duration}"
        parts.append(terms.part(name, value))
    return tuple(parts), code.position(code.add(downtime))
