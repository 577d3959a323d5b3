"""Write docs/validation.md from the cases: ``just validation-page`` (a minute or two)."""

from pathlib import Path

from tests.validation.case import (
    LARGEST_SHARE,
    STANDARD_ERRORS,
    Case,
    Estimate,
    Quantity,
    case_folders,
    disagreement,
    read_case,
)

PAGE = Path(__file__).parents[2] / "docs" / "validation.md"
_MOST_SHOWN = 4

_HEAD = f"""\
# Validation

What the simulation was checked against: exact results from theory (below), published data, and an
independent plain-Python simulator that follows [the same rules](simulation-rules.md).

## Exact results

Each case is a folder of `tests/validation/cases` with a factory, the exact values, and how they
were derived. The exact values come from closed forms, from solving the Markov chain of the system,
or by hand; formulas and chains are written without the package, and a test computes them again.

With chance, independent replications with a fixed seed are simulated, and the mean must lie within
{STANDARD_ERRORS} standard errors (s.e.) of the exact value, which a right program misses with a
chance of 1 in 80 000 (Student's t with 39 degrees of freedom). And {STANDARD_ERRORS} standard
errors must be below {LARGEST_SHARE * 100:g} % of the exact value, so that no larger error can hide.
Where the exact model and the simulated one differ (flowing material is cut into parts), a bound on
the difference is allowed in addition. Without chance, values must agree to 9 digits, moments to 12.

The figures are those of the tables that `gigatwin.simulate` returns; moments are those of the event
records. This page is written by `just validation-page`.
"""


def _number(value: float) -> str:
    return f"{value:.6g}"


def _exact(quantity: Quantity) -> str:
    unit = "" if quantity.unit == "-" else f" {quantity.unit}"
    if isinstance(quantity.exact, list):
        return _moments(quantity.exact) + unit
    return _number(quantity.exact) + unit


def _moments(values: list[float]) -> str:
    first = ", ".join(_number(value) for value in values[:_MOST_SHOWN])
    rest = len(values) - _MOST_SHOWN
    return f"{first} ... ({len(values)} moments)" if rest > 0 else first


def _found(quantity: Quantity, found: Estimate | list[float]) -> str:
    if isinstance(found, list):
        return _moments(found[: len(quantity.exact)])
    if quantity.relative is not None:
        return _number(found.mean)
    bias = f", bias ≤ {quantity.bias:.1g}" if quantity.bias else ""
    return f"{_number(found.mean)} ± {found.standard_error:.1g}{bias}"


def section(case: Case, found: list[Estimate | list[float]]) -> str:
    """Return the part of the page about one case."""
    wrong = [
        text for pair in zip(case.quantities, found, strict=True) if (text := disagreement(*pair))
    ]
    if wrong:
        message = f"{case.folder.name}: {'; '.join(wrong)}. Find out why before writing the page."
        raise SystemExit(message)
    often = f"{case.replications} replications of" if case.replications > 1 else "One run of"
    start = f", of which {case.warm_up:g} s are not counted" if case.warm_up else ""
    lines = [
        f"### {case.title}",
        "",
        f"`{case.folder.name}`. {often} {case.length:g} s{start}; seed {case.seed}.",
        "",
        "| quantity | derivation | exact | simulated ± s.e. |",
        "|---|---|---|---|",
    ]
    for quantity, value in zip(case.quantities, found, strict=True):
        derivation = quantity.derivation.replace("|", "\\|").replace("*", "\\*")
        if quantity.source:
            derivation += f" ({quantity.source})"
        lines.append(
            f"| {quantity.name} | {derivation} | {_exact(quantity)} | {_found(quantity, value)} |"
        )
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the whole page; simulates every case."""
    cases = [read_case(folder) for folder in case_folders()]
    n_quantities = sum(len(case.quantities) for case in cases)
    parts = [_HEAD, f"{len(cases)} cases, {n_quantities} quantities:\n"]
    parts += [section(case, case.simulated()) for case in cases]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
