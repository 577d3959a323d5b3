"""One text for the same data, so that a digest or a signature of it means something."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from gigatwin.units import UNITS_AS_TEXT


def canonical(data: object) -> str:
    """Return data as JSON in its only form: keys in order, no spaces, ASCII.

    Examples
    --------
    >>> canonical({"b": [1, 2.5], "a": None})
    '{"a":null,"b":[1,2.5]}'
    """
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(data: object) -> str:
    """Return the SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical(data).encode("ascii")).hexdigest()


def plain(value: Any) -> Any:  # noqa: ANN401 - any value
    """Return a value as JSON can say it: lists, names as text, Python's numbers, NaN as None."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True, context=UNITS_AS_TEXT)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
