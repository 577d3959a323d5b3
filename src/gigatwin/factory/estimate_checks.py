"""Cross-checks of estimates: each belongs to a number of its element, and agrees with it."""

from gigatwin.factory.described import Described
from gigatwin.factory.elements import (
    allowed_in,
    described_elements,
    names_of_numbers,
    number_of,
)
from gigatwin.factory.estimates import Estimate
from gigatwin.factory.factory import Factory
from gigatwin.factory.findings import Findings, Path

TOLERANCE = 0.01
"""How far an estimate may be from the number it stands beside, relative to it."""


def add_estimate_problems(factory: Factory, findings: Findings) -> None:
    """Add estimates of what is no number, and those that the number has moved away from."""
    for path, element in described_elements(factory):
        for key, estimate in element.estimates.items():
            _check(element, key, estimate, (*path, "estimates", key), findings)


def _check(
    element: Described, key: str, estimate: Estimate, path: Path, findings: Findings
) -> None:
    number = number_of(element, key)
    if number is None:
        field = key.partition(".")[0]
        value = getattr(element, field, None) if field in type(element).model_fields else None
        if isinstance(value, Described):
            required = f"must stand with its number: in the estimates of {field}"
            findings.add(path, key, required)
        else:
            known = names_of_numbers(element)
            findings.add_unknown(path, key, known, "the name of a number beside it")
        return
    if abs(estimate.value - number) > TOLERANCE * abs(number):
        unit = allowed_in(type(element), key.partition(".")[0]).unit if estimate.unit else ""
        unit = f" {estimate.unit}" if unit else ""
        found = f"estimate of {estimate.value:g}{unit}, but {key} is {number:.6g}{unit}"
        required = (
            "must agree to 1 %; if the number was changed by hand, remove its estimate, or give "
            "the one that belongs to it"
        )
        findings.add(path, found, required)
