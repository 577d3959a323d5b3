"""Dotted names of fields: ``winding.speed``, ``resources.crew.capacity``."""

from collections.abc import Mapping

from pydantic import BaseModel

from gigatwin.factory.factory import Factory
from gigatwin.factory.findings import Findings, Path


def resolve(factory: Factory, dotted: str) -> Path:
    """Return the path from the root: a station's name may stand first instead of ``stations``."""
    parts = dotted.split(".")
    if parts[0] in factory.stations:
        parts = ["stations", *parts]
    path: list[str | int] = []
    value: object = factory
    for part in parts:
        path.append(int(part) if isinstance(value, tuple) and part.isdecimal() else part)
        value = _step(value, path[-1])
    return tuple(path)


def _step(value: object, part: str | int) -> object:
    if isinstance(value, BaseModel):
        return getattr(value, str(part), None) if part in type(value).model_fields else None
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(value, tuple) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _group_of(factory: Factory, name: str) -> str | None:
    """Return where a name stands that is not a station's."""
    groups = ("resources", "arrivals", "constant_loads", "formats")
    return next((group for group in groups if name in getattr(factory, group)), None)


def add_path_problem(
    factory: Factory, dotted: str, place: Path, findings: Findings, *, may_add: bool = False
) -> bool:
    """Add a problem if a dotted name leads nowhere; return whether it does.

    Parameters
    ----------
    factory : Factory
        Where the name must lead to something.
    dotted : str
        The name.
    place : tuple
        Path to report.
    findings : Findings
        Takes the problem.
    may_add : bool
        Whether the last part may be a new name (of a stop, say), as it is given as a whole.
    """
    value: object = factory
    path = resolve(factory, dotted)
    for position, part in enumerate(path):
        known: list[str] = []
        if isinstance(value, BaseModel):
            known = list(type(value).model_fields)
        elif isinstance(value, Mapping):
            is_new = position == len(path) - 1
            # Which settings there are is known to the machine, not to the factory.
            if is_new and (may_add or path[position - 1] == "settings"):
                return False
            known = list(value)
        elif isinstance(value, tuple) and value:
            known = [str(index) for index in range(len(value))]
        elif value is None or isinstance(value, str | int | float):
            # What is not there yet, or is replaced, is judged with the whole factory.
            return False
        if str(part) not in known:
            if position == 0:
                known += list(factory.stations)
            element = ".".join(str(before) for before in path[:position])
            what = f"a field or name in {element}" if element else "a station or field"
            group = _group_of(factory, str(part)) if position == 0 else None
            hint = findings.suggest(str(part), known)
            if group is not None:
                hint = f"did you mean '{group}.{part}'?"
            findings.add(place, str(part), f"must be {what}; {hint}")
            return True
        value = _step(value, part)
    return False
