"""How well a number of a description is known, and what it was learned from."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Estimate(BaseModel):
    """A learned number with its interval and its provenance."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    value: float
    """The estimate, in ``unit``."""
    low: float
    """Lower end of the 95 % interval."""
    high: float | None = None
    """Upper end of the 95 % interval; left out: no upper bound is known."""
    unit: str = ""
    """Unit of the three numbers, always SI: ``s``, ``W``; empty for counts and shares."""
    n: Annotated[int, Field(ge=0)]
    """Number of observations; for the share of a way, those of all ways together."""
    method: str
    """How it was estimated."""
    rows: str = ""
    """Rows of the log it was learned from: ``2-5001 (4980 rows)``."""
    is_identified: bool = True
    """Whether the log determines it; if not, it is a bound or an assumption."""

    @field_validator("value", "low", "high")
    @classmethod
    def _rounded(cls, number: float | None) -> float | None:
        # Six digits say all that an estimate can, and a file reads back as the same factory.
        return None if number is None else float(f"{number:.6g}")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.value or (self.high is not None and self.high < self.value):
            message = "must be low <= value <= high"
            raise ValueError(message)
        return self
