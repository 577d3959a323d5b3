"""What ``gigatwin run`` prints."""

import math
from typing import Any

import polars as pl
from rich.table import Table

from gigatwin.cli.numbers import estimate, number, unit_for_people
from gigatwin.cli.tables import console, table, text
from gigatwin.simulation.result import Result
from gigatwin.standards.machine_states import MachineState
from gigatwin.units import format_quantity

_TOP_CAUSES = 6
_DAY = 86_400.0
_LINE_COLUMNS = {
    "good [1/h]": ("throughput_rate", "[1/h]", 1.0),
    "quality ratio [%]": ("quality_ratio", "", 100.0),
    "load of constraint [%]": ("load_of_constraint", "", 100.0),
    "OEE index [%]": ("oee_index", "", 100.0),
}
_STATION_COLUMNS = {
    "left [1/h]": ("throughput_rate", "[1/h]", 1.0),
    "availability [%]": ("availability", "", 100.0),
    "effectiveness [%]": ("effectiveness", "", 100.0),
    "quality ratio [%]": ("quality_ratio", "", 100.0),
    "OEE index [%]": ("oee_index", "", 100.0),
}
_SCRAP_COLUMNS = {
    "rate [1/h]": ("rate", "[1/h]", 1.0),
    "found after [s]": ("delay", "[s]", 1.0),
}


def print_result(result: Result) -> None:
    """Print the tables of a run."""
    out = console()
    out.print(text(headline(result)))
    out.print()
    out.print(totals_table(result))
    out.print(_estimates("Lines", result.lines, {"line": "line"}, _LINE_COLUMNS))
    names = {"station": "station", "machines": "machines"}
    out.print(_estimates("Stations", result.stations, names, _STATION_COLUMNS))
    out.print(_time_shares(result))
    if result.formats.filter(pl.col("good [items]") > 0).height > 1:
        columns = {
            "good [1/h]": ("throughput_rate", "[1/h]", 1.0),
            "yield [%]": ("yield_ratio", "", 100.0),
            "lead time, mean [min]": ("lead_time_mean", "[s]", 1 / 60),
        }
        out.print(_estimates("Formats", result.formats, {"format": "format"}, columns))
    if result.scrap.height:
        top = result.scrap.head(_TOP_CAUSES)
        places = {"found_at": "found at", "cause": "cause"}
        out.print(_estimates("Most frequent scrap", top, places, _SCRAP_COLUMNS))
    out.print(text(f"Bottleneck: {result.bottleneck.sentence}"))
    advice = warm_up_advice(result)
    if advice:
        out.print(text(advice))


def headline(result: Result) -> str:
    """Return what was simulated, in a sentence."""
    n = result.replications
    many = "1 replication" if n == 1 else f"{n} replications"
    start = (
        f"the first {format_quantity(result.warm_up, 's')} not counted"
        if result.warm_up
        else "all of it counted"
    )
    how_sure = "no interval from a single replication" if n == 1 else "± half a 95 % interval"
    return (
        f"{result.factory_name}: {many} of {number(result.days)} d, seed {result.seed}, {start}; "
        f"{how_sure}."
    )


def warm_up_advice(result: Result) -> str:
    """Return what to do when no steady part was found; empty when one was."""
    if result.is_warm_up_accepted:
        return ""
    return (
        "Warm-up: no steady part was found, output or contents still change in the second half of "
        f"the run, so these means depend on its length. Try --days {number(4 * result.days)}, or "
        "give --warm-up if you know when the line is full."
    )


def totals_table(result: Result) -> Table:
    """Return the table of the factory as a whole."""
    rows = []
    for row in result.totals.iter_rows(named=True):
        scale, unit = unit_for_people(row["kpi"], row["unit"], row["mean"])
        name = row["kpi"].replace("_", " ")
        rows.append((name, estimate(row["mean"], row["low"], row["high"], scale), unit))
    return table("Factory", ("quantity", "mean", "unit"), rows)


def _estimates(
    title: str,
    data: pl.DataFrame,
    names: dict[str, str],
    columns: dict[str, tuple[str, str, float]],
) -> Table:
    """Return a table of names and estimates: header to column, its unit in the data, and factor."""
    rows = [
        (
            *(str(row[name]) for name in names),
            *(_cell(row, name, unit, scale) for name, unit, scale in columns.values()),
        )
        for row in data.iter_rows(named=True)
    ]
    n_names = sum(data[name].dtype == pl.String for name in names)
    return table(title, (*names.values(), *columns), rows, n_names)


def _time_shares(result: Result) -> Table:
    """Return the shares of time in each state that occurred."""
    columns = {}
    for state in MachineState:
        name = f"{state.name.lower()}_share"
        if (result.stations[name].fill_nan(0.0) > 0).any():
            columns[state.name.lower().replace("_", " ")] = (name, "", 100.0)
    return _estimates("Time in each state [%]", result.stations, {"station": "station"}, columns)


def _cell(row: dict[str, Any], name: str, unit: str, scale: float) -> str:
    suffix = f" {unit}" if unit else ""
    mean, low, high = (row[f"{name}{end}{suffix}"] for end in ("", "_low", "_high"))
    if mean is not None and not math.isfinite(mean):
        mean = None
    return estimate(mean, low, high, scale)
