"""What ``gigatwin compare`` prints."""

import polars as pl
from rich.table import Table

from gigatwin.cli.numbers import estimate, number, relative, unit_for_people
from gigatwin.cli.run_tables import headline, warm_up_advice
from gigatwin.cli.tables import console, table, text
from gigatwin.studies.comparison import Comparison


def print_comparison(comparison: Comparison) -> None:
    """Print a table for each scenario, and where the bottleneck is."""
    out = console()
    out.print(text(headline(comparison.base)))
    out.print("Differences are paired: the same replications of scenario and base.")
    out.print()
    for name in comparison.results:
        out.print(scenario_table(comparison, name))
    out.print(text(f"Bottleneck of the base: {comparison.base.bottleneck.sentence}"))
    for name, result in comparison.results.items():
        if result.bottleneck.stations != comparison.base.bottleneck.stations:
            out.print(text(f"Bottleneck of {name}: {result.bottleneck.sentence}"))
    advice = warm_up_advice(comparison.base)
    if advice:
        out.print(text(advice))


def scenario_table(comparison: Comparison, scenario: str) -> Table:
    """Return the differences between a scenario and the base."""
    rows = []
    for row in comparison.table.filter(pl.col("scenario") == scenario).iter_rows(named=True):
        scale, unit = unit_for_people(row["kpi"], row["unit"], row["base"])
        rows.append(
            (
                row["kpi"].replace("_", " "),
                unit,
                number(row["base"], scale),
                number(row["mean"], scale),
                estimate(row["difference"], row["difference_low"], row["difference_high"], scale),
                relative(row["relative_difference"]),
                row["verdict"],
            )
        )
    headers = ("quantity", "unit", "base", "scenario", "difference", "relative [%]", "verdict")
    return table(scenario, headers, rows, n_names=2)
