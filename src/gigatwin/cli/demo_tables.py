"""What ``gigatwin demo`` prints."""

from gigatwin.cli.numbers import estimate, relative
from gigatwin.cli.run_tables import headline, totals_table, warm_up_advice
from gigatwin.cli.tables import console, table, text
from gigatwin.studies.comparison import Comparison


def print_demo(comparison: Comparison, scenarios: dict[str, dict[str, object]]) -> None:
    """Print the line as it is, its bottleneck, and what each change is worth."""
    out = console()
    out.print(text(headline(comparison.base)))
    out.print()
    out.print(totals_table(comparison.base))
    out.print(text(f"Bottleneck: {comparison.base.bottleneck.sentence}"))
    advice = warm_up_advice(comparison.base)
    if advice:
        out.print(text(advice))
    out.print()
    rows = []
    for name, changes in scenarios.items():
        cells = comparison.row(name, "throughput_rate")
        share = comparison.row(name, "yield_ratio")
        change = ", ".join(f"{field} = {value}" for field, value in changes.items())
        rows.append(
            (
                name,
                change,
                _difference(cells, 1.0),
                relative(cells["relative_difference"]),
                cells["verdict"],
                _difference(share, 100.0),
            )
        )
    headers = (
        "change",
        "field",
        "throughput [1/h]",
        "relative [%]",
        "verdict",
        "yield [% points]",
    )
    out.print(table("Difference from the line as it is", headers, rows, n_names=1))


def _difference(cells: dict[str, float], scale: float) -> str:
    return estimate(cells["difference"], cells["difference_low"], cells["difference_high"], scale)
