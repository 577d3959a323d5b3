"""A factory with some of its fields changed."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from gigatwin.factory.checks import add_problems
from gigatwin.factory.elements import MEAN
from gigatwin.factory.factory import Factory
from gigatwin.factory.findings import Findings, Path
from gigatwin.factory.nodes import NodeError, parse
from gigatwin.factory.paths import add_path_problem, resolve
from gigatwin.factory.validation import validate
from gigatwin.factory.writing import to_data
from gigatwin.units import UNITS_AS_TEXT

_RIVALS = {
    "time": ("rate", "cycle", "settings"),
    "rate": ("time", "cycle", "settings"),
    "cycle": ("time", "rate"),
    "samples": ("quantiles",),
    "quantiles": ("samples",),
}
_LISTS_OF_VALUES = {"samples", "quantiles"}


def with_changes(
    factory: Factory, changes: Mapping[str, object], origin: str = "changes"
) -> Factory:
    """Return a factory in which some fields have other values.

    Parameters
    ----------
    factory : Factory
        The factory to start from; it stays as it is.
    changes : Mapping
        Dotted name to value, as it would stand in a file: ``{"winding.speed": 1.2,
        "winding.stops.jam.duration": "30 s", "resources.crew.capacity": 3}``. A name begins with
        a station or with a field of the factory. Text that begins with ``{`` or ``[`` is read as
        YAML, and a model such as `Distribution` may be given. A station's time replaces its rate,
        and the other way round.
    origin : str
        Where the changes come from, for messages.

    Returns
    -------
    Factory
        A number that was changed has no estimate any more: what was learned is about the old one.

    Raises
    ------
    FactoryError
        With all problems: unknown names, values that do not fit, a factory that cannot work.
    """
    findings = Findings(origin)
    data = to_data(factory)
    for dotted, given in changes.items():
        value = _read(given, dotted, findings)
        may_add = isinstance(value, dict | list | str) and "." in dotted
        if not add_path_problem(factory, dotted, (dotted,), findings, may_add=may_add):
            _put(data, resolve(factory, dotted), value)
    findings.raise_if_any()
    changed = validate(Factory, data, findings)
    if changed is not None:
        add_problems(changed, findings)
    findings.raise_if_any()
    if changed is None:  # pragma: no cover
        message = "changes without problems must give a factory"
        raise AssertionError(message)
    return changed.beside(factory.folder)


def with_parameter_set(factory: Factory, name: str) -> Factory:
    """Return a factory with one of its parameter sets applied.

    Raises
    ------
    FactoryError
        If there is no such set, or with the problems of its changes.
    """
    if name not in factory.parameter_sets:
        findings = Findings("factory")
        findings.add_unknown(("parameter_sets",), name, factory.parameter_sets, "a parameter set")
        findings.raise_if_any()
    return with_changes(factory, factory.parameter_sets[name], f"parameter set {name}")


def _read(given: object, dotted: str, findings: Findings) -> Any:  # noqa: ANN401 - any value of a YAML file
    """Return a value as plain data, with text in brackets read as YAML."""
    if isinstance(given, BaseModel):
        return given.model_dump(mode="json", exclude_defaults=True, context=UNITS_AS_TEXT)
    if isinstance(given, tuple):
        return [_read(item, dotted, findings) for item in given]
    if isinstance(given, bool):
        return str(given)
    if not isinstance(given, str) or not given.lstrip().startswith(("{", "[")):
        return given
    try:
        return parse(given).root.plain()
    except NodeError as error:
        findings.add((dotted,), error.found, error.required)
        return given


def _put(data: dict[str, Any], path: Path, value: object) -> None:
    """Set the element at a path, making the mappings on the way that defaults stood for."""
    place: Any = data
    for position, part in enumerate(path[:-1]):
        if isinstance(place, dict):
            _drop_estimates(place, path[position:])
            inner = place.get(str(part))
            if not isinstance(inner, dict | list):
                inner = {}
                place[str(part)] = inner
            place = inner
        else:
            place = place[part]
    last = path[-1]
    if isinstance(place, dict):
        _drop_estimates(place, path[-1:])
        place[str(last)] = value
        # A machine's settings may have any name, and replace nothing.
        is_setting = path[-2:-1] == ("settings",)
        for rival in () if is_setting else _RIVALS.get(str(last), ()):
            place.pop(rival, None)
            _drop_estimates(place, (rival,))
    else:
        place[last] = value


def _drop_estimates(element: dict[str, Any], path: Path) -> None:
    """Remove the estimates of the numbers at a path within an element, and below it."""
    estimates = element.get("estimates")
    if path[0] == "estimates" or not isinstance(estimates, dict):
        return
    name = ".".join(str(part) for part in path)
    if name in _LISTS_OF_VALUES:
        name = MEAN
    # One value may have replaced those by format, or the other way round.
    stale = [
        key
        for key in estimates
        if f"{key}.".startswith(f"{name}.") or f"{name}.".startswith(f"{key}.")
    ]
    for key in stale:
        del estimates[key]
    if not estimates:
        del element["estimates"]
