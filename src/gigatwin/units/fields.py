"""Annotated types for the fields of models that are quantities."""

import math
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from gigatwin.units.dimensions import (
    CONTENT,
    COUNT,
    ENERGY,
    ENERGY_PER_ITEM,
    ENERGY_PER_LENGTH,
    LENGTH,
    MASS,
    POWER,
    RATE,
    SHARE,
    SPEED,
    TIME,
    Dimension,
)
from gigatwin.units.reading import (
    NUMBER,
    Content,
    QuantityError,
    example,
    parse_quantity,
    shown,
    wanted,
)
from gigatwin.units.writing import to_text

UNITS_REQUIRED: dict[str, Any] = {"units": "required"}
"""Validation context in which a plain number is refused where a unit is needed."""
UNITS_AS_TEXT: dict[str, Any] = {"units": "text"}
"""Serialization context in which quantities are written with their units."""


@dataclass(frozen=True, order=True)
class _Measured:
    """A number of its own kind, where a bare float would be taken for seconds."""

    value: float
    """In SI units."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return _QUANTITY_TYPES[cls.__name__].__get_pydantic_core_schema__(source, handler)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return _QUANTITY_TYPES[cls.__name__].__get_pydantic_json_schema__(schema, handler)


class Items(_Measured):
    """A number of items, told apart from seconds and metres: ``Items(5000)``."""


class Length(_Measured):
    """A length, told apart from seconds and items: ``Length(200_000.0)`` [m]."""


@dataclass(frozen=True)
class Quantity:
    """Marks a model's field as a quantity: reads it, writes it, and describes it in the schema."""

    dimension: Dimension
    above: float | None = None
    """Value it must exceed. [SI]"""
    least: float | None = None
    """Smallest allowed value. [SI]"""
    most: float | None = None
    """Largest allowed value. [SI]"""
    wrapped: type[_Measured] | None = None
    """Class of the value, when it is not a float."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Return the pydantic schema that reads and writes this quantity."""
        del source, handler
        return core_schema.with_info_plain_validator_function(
            self._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self._serialize, info_arg=True
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the JSON schema of what may stand in a file."""
        del schema, handler
        dimension = self.dimension
        described: JsonSchemaValue = {"unit": dimension.unit, "examples": [dimension.example]}
        if not dimension.plain_allowed:
            pattern = rf"^\s*{NUMBER}\s*[^\s0-9.].*$"
            return {"type": "string", "pattern": pattern, **described}
        if self.above is not None:
            described["exclusiveMinimum"] = self.above
        if self.least is not None:
            described["minimum"] = self.least
        if self.most is not None:
            described["maximum"] = self.most
        return {"type": ["number", "string"], "pattern": rf"^\s*{NUMBER}", **described}

    def read(self, given: object, *, units_required: bool = False) -> float | _Measured:
        """Return a value in SI, from text, a number, or a value of the wanted class.

        Raises
        ------
        QuantityError
            If it is no quantity of this kind, has no unit where one is needed, or is out of bounds.
        """
        dimension = self.dimension
        if isinstance(given, str):
            value = parse_quantity(given, dimension)
        elif isinstance(given, int | float) and not isinstance(given, bool):
            if units_required and not dimension.plain_allowed:
                raise QuantityError(shown(given), f"needs a unit, {example(dimension)}")
            try:
                value = given if isinstance(given, Content) else float(given)
            except OverflowError:
                value = math.inf
            if dimension is CONTENT and not isinstance(value, Content):
                value = Content(value)
        elif self.wrapped is not None and isinstance(given, self.wrapped):
            value = given.value
        else:
            raise QuantityError(shown(given), wanted(dimension))
        self._check_bounds(value, given)
        return value if self.wrapped is None else self.wrapped(value)

    def _check_bounds(self, value: float, given: object) -> None:
        unit = "" if self.dimension.plain_allowed else f" {self.dimension.written[0]}"
        required = ""
        if not math.isfinite(value):
            required = "must be finite"
        elif self.above is not None and value <= self.above:
            required = f"must be more than {self.above:g}{unit}"
        elif self.least is not None and value < self.least:
            required = f"must be {self.least:g}{unit} or more"
        elif self.most is not None and value > self.most:
            required = f"must be {self.most:g}{unit} or less"
        if required:
            raise QuantityError(shown(given), required)

    def _validate(self, given: object, info: core_schema.ValidationInfo) -> float | _Measured:
        required = info.context is not None and info.context.get("units") == "required"
        try:
            return self.read(given, units_required=required)
        except QuantityError as error:
            # The texts go in as parameters, because braces in them would be taken for fields.
            parts = {"found": error.found, "required": error.required}
            raise PydanticCustomError("quantity", "{found}; {required}", parts) from None  # noqa: EM101 - a template, not a text

    def _serialize(
        self, value: float | _Measured, info: core_schema.SerializationInfo
    ) -> str | float | _Measured:
        if info.context is not None and info.context.get("units") == "text":
            number = value.value if isinstance(value, _Measured) else value
            return to_text(number, self.dimension)
        if isinstance(value, _Measured) and info.mode == "json":
            return to_text(value.value, self.dimension)
        return value


_QUANTITY_TYPES = {
    "Items": Quantity(COUNT, above=0, wrapped=Items),
    "Length": Quantity(LENGTH, above=0, wrapped=Length),
}

Seconds = Annotated[float, Quantity(TIME, least=0)]
"""A time, 0 or more. [s]"""
PositiveSeconds = Annotated[float, Quantity(TIME, above=0)]
"""A time above 0. [s]"""
Metres = Annotated[float, Quantity(LENGTH, least=0)]
"""A length, 0 or more. [m]"""
MetresPerSecond = Annotated[float, Quantity(SPEED, above=0)]
"""A speed above 0. [m/s]"""
Kilograms = Annotated[float, Quantity(MASS, least=0)]
"""A mass, 0 or more. [kg]"""
Joules = Annotated[float, Quantity(ENERGY, least=0)]
"""An energy, 0 or more. [J]"""
Watts = Annotated[float, Quantity(POWER, least=0)]
"""A power, 0 or more. [W]"""
JoulesPerItem = Annotated[float, Quantity(ENERGY_PER_ITEM, least=0)]
"""An energy for each item, 0 or more. [J/item]"""
JoulesPerMetre = Annotated[float, Quantity(ENERGY_PER_LENGTH, least=0)]
"""An energy for each metre, 0 or more. [J/m]"""
ItemsPerSecond = Annotated[float, Quantity(RATE, above=0)]
"""A rate above 0. [item/s]"""
Ratio = Annotated[float, Quantity(SHARE, least=0, most=1)]
"""A share from 0 to 1."""
Amount = Annotated[float, Quantity(CONTENT, least=0)]
"""A content of a lot, 0 or more. [m, kg or item]"""
PositiveAmount = Annotated[float, Quantity(CONTENT, above=0)]
"""A content of a lot above 0. [m, kg or item]"""
