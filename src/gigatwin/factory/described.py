"""What every element of a factory description has in common."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, WithJsonSchema

from gigatwin.factory.estimates import Estimate

T = TypeVar("T")


class Described(BaseModel):
    """An element of a description: frozen, unknown keys refused, sources beside its numbers."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    description: str = ""
    """What this is, in a sentence."""
    sources: dict[str, str] = Field(default_factory=dict)
    """Where a number comes from: field name to basis, range and reference, for example
    ``{time: "est, range 8-20 ppm [46-series section 2]"}``."""
    estimates: dict[str, Estimate] = Field(default_factory=dict)
    """How well a number is known: field name to its interval and what it was learned from."""


def _as_name(value: object) -> object:
    # YAML reads an unquoted 4680 as a number; a format's name is text.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Name = Annotated[
    str,
    BeforeValidator(_as_name),
    Field(min_length=1),
    WithJsonSchema({"type": ["string", "integer"], "minLength": 1}),
]
"""The name of an element."""
Names = tuple[Name, ...]
"""Names of elements."""


class ByFormat(BaseModel, Generic[T]):
    """A value that differs by product format, with one for every format."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Docstrings of fields are read from the source, which a specialised generic class lacks.
    by_format: dict[Name, T] = Field(
        description="Format name to value; every format of the factory must be listed."
    )


# Tags of a union's branches. The brackets keep them apart from the names that users give.
VALUE = "<value>"
BY_FORMAT = "<by format>"
MAPPING = "<mapping>"
LIST = "<list>"


def by_format_or_value(value: object) -> str:
    """Return the branch of a value that may differ by format."""
    return BY_FORMAT if isinstance(value, dict | ByFormat) else VALUE


def shape(value: object) -> str:
    """Return the branch that a value belongs to by its shape."""
    if isinstance(value, dict | BaseModel):
        return MAPPING
    return LIST if isinstance(value, list | tuple) else VALUE


EITHER = Discriminator(by_format_or_value)
"""Chooses between a value and one for each format, so that a mistake is reported once."""
SHAPE = Discriminator(shape)
"""Chooses between text or number, list, and mapping, so that a mistake is reported once."""
