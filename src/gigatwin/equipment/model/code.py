"""The formulas of a machine as one Python function, over floats or over arrays."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gigatwin.equipment.description.formulas import (
    SCALAR,
    VECTOR,
    Formula,
    FormulaError,
    compile_formula,
)
from gigatwin.equipment.description.measures import Quantity, measure, same_kind, unit_name
from gigatwin.equipment.motion.blended import blended_move_time
from gigatwin.equipment.motion.cams import index_time
from gigatwin.equipment.motion.s_curve import Floats, move_time, profile
from gigatwin.equipment.motion.vibration import residual_vibration, settling_time
from gigatwin.factory.findings import Findings, Path

Function = Callable[[tuple[Floats, ...]], tuple[Floats, ...]]
"""Values of all parameters to values of all variables."""


def _settle(  # noqa: PLR0913, PLR0917 - the parts of a move and of a vibration
    stroke: Floats,
    speed: Floats,
    acceleration: Floats,
    jerk: Floats,
    frequency: Floats,
    damping: float,
    tolerance: Floats,
) -> Floats:
    move = profile(stroke, speed, acceleration, jerk)
    residual = residual_vibration(move, frequency, damping)
    return settling_time(residual, tolerance, frequency, damping)


_MOTION: dict[str, Callable[..., Any]] = {
    "move_time": move_time,
    "index_time": index_time,
    "abs": abs,
}
_SCALAR = {
    **SCALAR,
    **_MOTION,
    "settle": lambda *parts: float(_settle(*parts)),
    "blended": blended_move_time,
}
_VECTOR = {
    **VECTOR,
    **_MOTION,
    "settle": _settle,
    "blended": np.vectorize(blended_move_time, otypes=[np.float64]),
}


class Code:
    """Collects formulas and gives each a variable; finds what is wrong with them."""

    def __init__(self, environments: Mapping[str, dict[str, Quantity]], findings: Findings) -> None:
        """Begin with the default values of all names, for each format."""
        self.environments = environments
        self.findings = findings
        self.parameters = list(next(iter(environments.values())))
        self._lines: list[str] = []
        self._variables: list[str] = []
        self.broken: set[str] = set()
        self._known_texts: dict[str, tuple[str, dict[str, Quantity]]] = {}

    @property
    def names(self) -> set[str]:
        """Names that a formula may use."""
        return set(next(iter(self.environments.values())))

    def quantities(self, text: str, path: Path) -> tuple[Formula, dict[str, Quantity]] | None:
        """Return a formula and its default value for each format, or None with a problem."""
        try:
            formula = compile_formula(text, self.names)
            if formula.names & self.broken:
                return None
            return formula, {
                name: formula.quantity(values) for name, values in self.environments.items()
            }
        except FormulaError as error:
            self.findings.add(path, error.found, error.required)
            return None

    def formula(self, text: str, path: Path, *units: str) -> tuple[str, dict[str, Quantity]]:
        """Return the variable of a formula, and its value for each format.

        Parameters
        ----------
        text : str
            The formula.
        path : tuple
            Where it stands.
        units : str
            Units of which it must have one; none: it may have any.
        """
        known = self._known_texts.get(text)
        if known is None:
            found = self.quantities(text, path)
            if found is None:
                return "0.0", {}
            formula, values = found
            known = self.add(formula.code), values
            self._known_texts[text] = known
        variable, values = known
        if units and values:
            value = next(iter(values.values()))
            if not any(same_kind(value, measure(f"1 {unit}")) for unit in units):
                wanted = " or ".join(unit or "a plain number" for unit in units)
                required = f"must be in {wanted}, but is in {unit_name(value) or 'no unit'}"
                self.findings.add(path, text, required)
        return variable, values

    def constant(self, name: str, text: str, path: Path) -> None:
        """Give a formula a name that those after it may use."""
        found = self.quantities(text, path)
        formula, values = (None, {}) if found is None else found
        if found is None:
            self.broken.add(name)
        for product_format, environment in self.environments.items():
            environment[name] = values.get(product_format, measure("1"))
        self._lines.append(f"{name} = {'1.0' if formula is None else formula.code}")

    def add(self, expression: str) -> str:
        """Return the variable of an expression over variables and motion functions."""
        variable = f"_v{len(self._variables)}"
        self._variables.append(variable)
        self._lines.append(f"{variable} = {expression}")
        return variable

    def factor(self) -> str:
        """Return a new parameter that is 1 unless something is varied: a factor on a knee."""
        self.parameters.append(f"_f{len(self.parameters)}")
        return self.parameters[-1]

    def position(self, variable: str) -> int:
        """Return where a variable stands in the result."""
        if not variable.startswith("_v"):
            variable = self.add(variable)
        return self._variables.index(variable)

    def functions(self) -> tuple[Function, Function]:
        """Return the function for floats and the function for arrays."""
        body = [
            "def evaluate(parameters):",
            f"    ({', '.join(self.parameters)},) = parameters",
            *(f"    {line}" for line in self._lines),
            f"    return ({', '.join(self._variables)},)",
        ]
        code = compile("\n".join(body), "<machine>", "exec")
        found: list[Function] = []
        for functions in (_SCALAR, _VECTOR):
            scope: dict[str, Any] = {"__builtins__": {}, **functions}
            exec(code, scope)  # noqa: S102 - made of formulas that passed the checks
            found.append(scope["evaluate"])
        return found[0], found[1]
