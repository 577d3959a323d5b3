"""The numbers of an element: by name, with their kind and the values allowed."""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gigatwin.factory.described import ByFormat, Described
from gigatwin.factory.durations import Distribution, Empirical, Triangular, Uniform, mean_of
from gigatwin.factory.findings import Path
from gigatwin.units import Items, Length
from gigatwin.units.dimensions import SHARE
from gigatwin.units.fields import Quantity

LAWS_OF_TIME = (Distribution, Uniform, Triangular, Empirical)
"""Laws; an estimate beside one, instead of in it, is about its mean."""
MEAN = "mean"
"""Name under which the mean of an empirical law has its estimate."""


@dataclass(frozen=True)
class Allowed:
    """What a field may hold."""

    is_share: bool = False
    """Whether it is a share from 0 to 1."""
    least: float = -math.inf
    """Smallest value. [SI]"""
    most: float = math.inf
    """Largest value. [SI]"""
    unit: str = ""
    """SI unit; empty for a count."""


def described_elements(value: object, path: Path = ()) -> Iterator[tuple[Path, Described]]:
    """Yield every element within a value, itself included, with its path."""
    if isinstance(value, BaseModel):
        if isinstance(value, Described):
            yield path, value
        # Fields that were not given have their defaults, which have no estimates.
        for name in value.model_fields_set:
            yield from described_elements(getattr(value, name), (*path, name))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from described_elements(item, (*path, key))
    elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        for index, item in enumerate(value):
            yield from described_elements(item, (*path, index))


def steps_to(element: Described, key: str) -> tuple[str, ...] | None:
    """Return the steps from an element to one of its own numbers, None if it has none there.

    ``mean`` leads to a field, ``defects.pore`` into a mapping, ``time.by_format.4680`` to the value
    of a format. A law counts as its mean; other elements within keep their own numbers.
    """
    value: Any = element
    steps: list[str] = []
    rest = key
    while rest:
        part, _, rest = rest.partition(".")
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif (value is element or isinstance(value, ByFormat)) and part in type(value).model_fields:
            value = getattr(value, part)
        else:
            return None
        steps.append(part)
    return tuple(steps) if _as_number(value) is not None else None


def _as_number(value: object) -> float | None:
    if isinstance(value, Items | Length):
        return value.value
    if isinstance(value, LAWS_OF_TIME):
        return mean_of(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return None


def value_at(element: object, steps: tuple[str, ...]) -> Any:  # noqa: ANN401 - a number, measure or law
    """Return what stands where `steps_to` leads."""
    value: Any = element
    for step in steps:
        value = value[step] if isinstance(value, dict) else getattr(value, step)
    return value


def number_of(element: Described, key: str) -> float | None:
    """Return the number, in SI, that an estimate is about; None if the element has none."""
    if isinstance(element, Empirical):
        return mean_of(element) if key == MEAN else None
    steps = steps_to(element, key)
    return None if steps is None else _as_number(value_at(element, steps))


def names_of_numbers(element: Described) -> list[str]:
    """Return the names of all numbers that an element has, as estimates name them."""
    if isinstance(element, Empirical):
        return [MEAN]
    found = []
    for field in type(element).model_fields:
        found += list(_names_within(getattr(element, field), field))
    return found


def _names_within(value: object, name: str) -> Iterator[str]:
    if isinstance(value, ByFormat):
        yield from _names_within(value.by_format, f"{name}.by_format")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _names_within(item, f"{name}.{key}")
    elif _as_number(value) is not None:
        yield name


@functools.cache
def allowed_in(element: type[Described], field: str) -> Allowed:
    """Return what a field of a kind of element may hold as a number."""
    if issubclass(element, Empirical):
        return Allowed(least=0.0, unit="s")
    info = element.model_fields[field]
    found = [*info.metadata, *_metadata(info.annotation)]
    least, most, unit = -math.inf, math.inf, ""
    is_share = False
    for item in found:
        if isinstance(item, Quantity):
            is_share = is_share or item.dimension is SHARE
            unit = unit or ("" if is_share else item.dimension.unit)
            above = -math.inf if item.above is None else math.nextafter(item.above, math.inf)
            least = max(least, above, -math.inf if item.least is None else item.least)
            most = min(most, math.inf if item.most is None else item.most)
        else:
            # The constraints of a plain number are objects with one of these attributes.
            least = max(least, getattr(item, "ge", -math.inf))
            least = max(least, math.nextafter(getattr(item, "gt", -math.inf), math.inf))
            most = min(most, getattr(item, "le", math.inf))
    return Allowed(is_share, least, most, unit)


def _metadata(annotation: Any) -> Iterator[object]:  # noqa: ANN401 - annotations have no common type
    if isinstance(annotation, type) and issubclass(annotation, ByFormat):
        yield from _metadata(annotation.model_fields["by_format"].annotation)
    for extra in getattr(annotation, "__metadata__", ()):
        yield from extra.metadata if isinstance(extra, FieldInfo) else (extra,)
    for inner in get_args(annotation):
        if not isinstance(inner, str):
            yield from _metadata(inner)
