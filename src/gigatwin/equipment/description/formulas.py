"""Formulas of a description: arithmetic with units over the names of settings and dimensions.

``0.15 m / vf + 3 * tau`` is a sum of a length over a setting and of a number times another. A
formula becomes Python code over floats in SI units, for one setting or for arrays of them, and its
units are checked by calculating it once with pint. Only arithmetic, the names a machine declares
and the functions below are understood; nothing else is ever executed.
"""

import ast
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gigatwin.equipment.description.measures import NUMBER, Quantity, measure, registry, unit_of
from gigatwin.equipment.motion.winding import roll_length, roll_radius

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_WORD = r"[A-Za-z_µμ°%][A-Za-z0-9_µμ°%]*"
_LITERAL = re.compile(rf"(?<![A-Za-z0-9_.])({NUMBER})(?:\s*({_WORD}))?")
_POWER = re.compile(r"\s*(?:\^|\*\*)\s*-?[0-9]+|[²³]")
_MORE = re.compile(rf"\s*[*/·]\s*({_WORD})")
_TAKEN = re.compile(r"(?<![A-Za-z0-9_])_[0-9]+")
_LONGEST = 500
_DEEPEST = 60
_GAP = 1e-9
"""Counts that are this close to a whole number are meant to be it."""


def _over_scalar(x: float) -> float:
    return max(x, 0.0)


def _over(x: Any) -> Any:  # noqa: ANN401 - floats or arrays
    return np.maximum(x, 0.0)


def _least(*values: Any) -> Any:  # noqa: ANN401 - floats or arrays
    found = values[0]
    for value in values[1:]:
        found = np.minimum(found, value)
    return found


def _most(*values: Any) -> Any:  # noqa: ANN401 - floats or arrays
    found = values[0]
    for value in values[1:]:
        found = np.maximum(found, value)
    return found


def _whole(x: Any) -> Any:  # noqa: ANN401 - floats or arrays
    return np.floor(x + _GAP)


def _pure(function: Callable[[float], float]) -> Callable[[Quantity], Quantity]:
    def checked(x: Quantity) -> Quantity:
        return registry().Quantity(function(x.to("dimensionless").magnitude))

    return checked


def _largest(*values: Quantity) -> Quantity:
    return max(values)


def _smallest(*values: Quantity) -> Quantity:
    return min(values)


SCALAR: dict[str, Callable[..., Any]] = {
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "over": _over_scalar,
    "whole": lambda x: float(math.floor(x + _GAP)),
    "roll_radius": roll_radius,
    "roll_length": roll_length,
}
"""Functions for floats."""
VECTOR: dict[str, Callable[..., Any]] = {
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "min": _least,
    "max": _most,
    "over": _over,
    "whole": _whole,
    "roll_radius": roll_radius,
    "roll_length": roll_length,
}
"""The same functions for arrays."""
_CHECKED: dict[str, Callable[..., Any]] = {
    "sqrt": lambda x: x**0.5,
    "exp": _pure(math.exp),
    "log": _pure(math.log),
    "min": _smallest,
    "max": _largest,
    "over": lambda x: max(x, 0 * x),
    "whole": _pure(lambda x: math.floor(x + _GAP)),
    "roll_radius": lambda r, t, length: (r * r + t * length / math.pi) ** 0.5,
    "roll_length": lambda r0, r, t: math.pi * (r * r - r0 * r0) / t,
}


class FormulaError(ValueError):
    """A formula that means nothing: what was found, what is required."""

    def __init__(self, found: str, required: str) -> None:
        """Keep both halves of the message."""
        self.found = found
        self.required = required
        super().__init__(f"{found}; {required}")


@dataclass(frozen=True)
class Formula:
    """A formula whose names are known."""

    text: str
    """As it was written."""
    names: frozenset[str]
    """Names it depends on."""
    code: str
    """Python expression over floats in SI units."""
    _checked: str
    _literals: Mapping[str, Quantity]

    def quantity(self, values: Mapping[str, Quantity]) -> Quantity:
        """Return the value with its unit.

        Raises
        ------
        FormulaError
            If units do not fit together, or there is no value (a division by zero).
        """
        scope = {"__builtins__": {}, **_CHECKED, **self._literals}
        scope.update({name: values[name] for name in self.names})
        from pint import DimensionalityError  # noqa: PLC0415 - heavy

        units = registry()
        try:
            found = eval(self._checked, scope)  # noqa: S307 - made of checked parts, below
        except DimensionalityError as error:
            found_text = f"{error.units1} together with {error.units2}"
            raise FormulaError(self.text, f"has units that do not fit: {found_text}") from None
        except (ArithmeticError, ValueError, TypeError, RecursionError) as error:
            raise FormulaError(self.text, f"has no value at the defaults ({error})") from None
        if isinstance(found, complex) or not hasattr(found, "dimensionality"):
            found = units.Quantity(found)
        if isinstance(found.magnitude, complex) or not math.isfinite(found.magnitude):
            raise FormulaError(self.text, "has no finite value at the defaults")
        return found.to_base_units()


def compile_formula(text: str, known: Collection[str]) -> Formula:
    """Return a formula over known names.

    Raises
    ------
    FormulaError
        If it is no arithmetic, or has a name or unit that is not known.

    Examples
    --------
    >>> compile_formula("15 cm / vf", {"vf"}).code
    '0.15 / vf'
    """
    if len(text) > _LONGEST:
        found = f"{len(text)} characters"
        raise FormulaError(found, f"must be {_LONGEST} at most")
    python, literals = _with_placeholders(text, known)
    try:
        tree = ast.parse(python, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FormulaError(text, "must be arithmetic, e.g. '0.15 m / vf + 2 * tau'") from None
    if _depth(tree) > _DEEPEST:
        raise FormulaError(text, "must be simpler; give parts of it names (constants)")
    names = _names(tree.body, text, known, literals)
    checked = ast.unparse(tree)
    code = ast.unparse(_Literals(literals).visit(tree))
    return Formula(text, frozenset(names), code, checked, literals)


def read_measure(given: object) -> Quantity:
    """Return a number with its unit, from text or from a plain number.

    Raises
    ------
    FormulaError
        If it is not a number with a unit.
    """
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise FormulaError(str(given), "must be a number with its unit, e.g. '1.5 m/s'")
    try:
        return measure(given if isinstance(given, str) else repr(float(given)))
    except ValueError as error:
        raise FormulaError(str(given), str(error)) from None


def _with_placeholders(text: str, known: Collection[str]) -> tuple[str, dict[str, Quantity]]:
    """Return a text in which numbers with units are names, and what these stand for."""
    literals: dict[str, Quantity] = {}
    if (taken := _TAKEN.search(text)) is not None:
        found = f"'{taken[0]}' in {text}"
        raise FormulaError(found, _unknown(taken[0], known))
    parts: list[str] = []
    position = 0
    while (match := _LITERAL.search(text, position)) is not None:
        end, unit = match.end(1), ""
        word = match[2]
        if word is not None and word not in known:
            end = match.end()
            end = _after_power(text, end)
            # A unit goes on as long as words follow that are no names of the machine.
            while (more := _MORE.match(text, end)) is not None and not _is_name(more, text, known):
                end = _after_power(text, more.end())
            unit = text[match.end(1) : end].strip().replace("**", "^")
        try:
            value = float(match[1]) * (unit_of(unit) if unit else registry().Quantity(1.0))
        except ValueError as error:
            raise FormulaError(text, str(error)) from None
        name = f"_{len(literals)}"
        literals[name] = value
        parts += [text[position : match.start()], f" {name} "]
        position = end
    parts.append(text[position:])
    return "".join(parts).replace("^", "**").strip(), literals


def _depth(tree: ast.AST) -> int:
    """Return how many levels a tree has."""
    level: list[ast.AST] = [tree]
    deepest = 0
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        deepest += 1
    return deepest


def _after_power(text: str, end: int) -> int:
    match = _POWER.match(text, end)
    return end if match is None else match.end()


def _is_name(match: re.Match[str], text: str, known: Collection[str]) -> bool:
    word = match[1]
    is_call = text[match.end() :].lstrip().startswith("(")
    return word in known or (word in SCALAR and is_call)


def _names(
    node: ast.AST, text: str, known: Collection[str], literals: Mapping[str, object]
) -> set[str]:
    match node:
        case ast.BinOp(left=left, op=operator, right=right) if isinstance(operator, _OPERATORS):
            return _names(left, text, known, literals) | _names(right, text, known, literals)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _names(operand, text, known, literals)
        case ast.Name(id=name) if name in literals:
            return set()
        case ast.Name(id=name):
            if name not in known:
                found = f"'{name}' in {text}"
                raise FormulaError(found, _unknown(name, known))
            return {name}
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in SCALAR:
            if not arguments:
                raise FormulaError(text, f"{name} needs an argument")
            return set().union(*(_names(a, text, known, literals) for a in arguments))
        case ast.Call(func=ast.Name(id=name)):
            required = f"must use the functions {', '.join(sorted(SCALAR))}"
            found = f"{name}() in {text}"
            raise FormulaError(found, required)
    raise FormulaError(text, "must be arithmetic with + - * / ^ and names of this machine")


def _unknown(name: str, known: Collection[str]) -> str:
    from gigatwin.factory.findings import find_similar  # noqa: PLC0415 - only for messages

    similar = find_similar(name, known)
    if similar is not None:
        return f"must be a name of this machine; did you mean '{similar}'?"
    return f"must be a name of this machine; known: {', '.join(sorted(known)) or 'none'}"


class _Literals(ast.NodeTransformer):
    """Puts floats in SI units where the names of literals stand."""

    def __init__(self, literals: Mapping[str, Quantity]) -> None:
        self.literals = literals

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return a literal's value."""
        if node.id in self.literals:
            return ast.Constant(float(self.literals[node.id].magnitude))
        return node
