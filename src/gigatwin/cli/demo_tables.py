"""What ``gigatwin demo`` prints."""

from collections.abc import Mapping
from typing import Any

from gigatwin.cli.numbers import estimate, relative
from gigatwin.cli.run_tables import headline, totals_table, warm_up_advice
from gigatwin.cli.tables import console, table, text
from gigatwin.studies.comparison import Comparison
from gigatwin.studies.verdicts import BETTER

_THROUGHPUT = "throughput_rate"


def print_demo(comparison: Comparison, scenarios: Mapping[str, Mapping[str, object]]) -> None:
    """Print the line as it is, its bottleneck, and what each change is worth."""
    out = console()
    out.print(text(headline(comparison.base)))
    out.print()
    out.print(totals_table(comparison.base))
    out.print(text(f"Bottleneck: {comparison.base.bottleneck.sentence}"))
    advice = warm_up_advice(comparison.base)
    if advice:
        out.print(text(advice))
    out.print("\nThree changes:")
    for name, changes in scenarios.items():
        fields = ", ".join(f"{field} = {value}" for field, value in changes.items())
        out.print(text(f"  {name}: {fields}"))
    out.print()
    rows = []
    for name in scenarios:
        cells = comparison.row(name, _THROUGHPUT)
        rows.append(
            (
                name,
                _difference(cells, 1.0),
                relative(cells["relative_difference"]),
                cells["verdict"],
                _difference(comparison.row(name, "yield_ratio"), 100.0),
            )
        )
    headers = ("change", "throughput [1/h]", "[%]", "verdict", "yield [points of %]")
    out.print(table("Difference from the line as it is", headers, rows))
    out.print(text(conclusion(comparison)))


def conclusion(comparison: Comparison) -> str:
    """Return which change raises the throughput most, and which ones show no effect on it."""
    rows = {name: comparison.row(name, _THROUGHPUT) for name in comparison.results}
    good = {name: row for name, row in rows.items() if row["verdict"] == BETTER}
    sentences = []
    if good:
        best = max(good, key=lambda name: float(good[name]["relative_difference"]))
        gain = relative(good[best]["relative_difference"])
        sentences.append(f"Most throughput is gained by '{best}': {gain} %.")
    idle = [f"'{name}'" for name in rows if name not in good]
    if idle:
        sentences.append(
            f"Nothing is gained by {' or '.join(idle)}: that is not where it is tight."
        )
    return " ".join(sentences)


def _difference(cells: Mapping[str, Any], scale: float) -> str:
    return estimate(cells["difference"], cells["difference_low"], cells["difference_high"], scale)
