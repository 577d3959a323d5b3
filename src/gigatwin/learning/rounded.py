"""A learned element with its numbers rounded to what is worth writing down."""

from typing import TypeVar, cast

from pydantic import BaseModel

from gigatwin.factory.estimates import Estimate

_EXACT = frozenset({"share", "formats", "steps", "period"})
"""Fields that have to sum to something, or to fit to others."""

Element = TypeVar("Element", bound=BaseModel)


def rounded(element: Element) -> Element:
    """Return an element of a description with six digits of every number, as its estimates have."""
    return cast("Element", _rounded(element))


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, tuple):
        return tuple(_rounded(item) for item in value)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, BaseModel) and not isinstance(value, Estimate):
        names = value.model_fields_set - _EXACT
        return value.model_copy(update={name: _rounded(getattr(value, name)) for name in names})
    return value
