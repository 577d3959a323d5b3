"""What ``gigatwin run`` prints."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl
from rich.table import Table

from gigatwin.cli.numbers import estimate, number, unit_for_people
from gigatwin.cli.tables import console, table, text
from gigatwin.simulation.result import Result
from gigatwin.standards.machine_states import MachineState
from gigatwin.units import format_quantity

_TOP_CAUSES = 6


class Column(NamedTuple):
    """A quantity of a result table and how it is shown."""

    header: str
    name: str
    unit: str = ""
    scale: float = 100.0
    most_places: int = 2


_LINE_COLUMNS = (
    Column("good [1/h]", "throughput_rate", "[1/h]", 1.0),
    Column("quality [%]", "quality_ratio"),
    Column("load of constraint [%]", "load_of_constraint"),
    Column("OEE index [%]", "oee_index"),
)
_STATION_COLUMNS = (
    Column("left [1/h]", "throughput_rate", "[1/h]", 1.0),
    Column("available [%]", "availability", most_places=1),
    Column("effective [%]", "effectiveness", most_places=1),
    Column("quality [%]", "quality_ratio"),
    Column("OEE index [%]", "oee_index", most_places=1),
)
_FORMAT_COLUMNS = (
    Column("good [1/h]", "throughput_rate", "[1/h]", 1.0),
    Column("yield [%]", "yield_ratio"),
    Column("lead time [min]", "lead_time_mean", "[s]", 1 / 60),
)
_SCRAP_COLUMNS = (
    Column("rate [1/h]", "rate", "[1/h]", 1.0),
    Column("found after [s]", "delay", "[s]", 1.0),
)


def print_result(result: Result) -> None:
    """Print the tables of a run."""
    out = console()
    out.print(text(headline(result)))
    out.print()
    out.print(totals_table(result))
    out.print(_estimates("Lines", result.lines, {"line": "line"}, _LINE_COLUMNS))
    out.print(_stations("Stations", result, _STATION_COLUMNS))
    out.print(_stations("Time in each state [%]", result, _states(result)))
    made = result.formats.filter(pl.col("good [items]") > 0)
    if made.height > 1:
        out.print(_estimates("Formats", made, {"format": "format"}, _FORMAT_COLUMNS))
    if result.scrap.height:
        top = result.scrap.head(_TOP_CAUSES)
        places = {"found_at": "found at", "cause": "cause"}
        title = "Most frequent findings (scrap and rework)"
        out.print(_estimates(title, top, places, _SCRAP_COLUMNS))
    out.print(text(f"Bottleneck: {result.bottleneck.sentence}"))
    for advice in (output_advice(result), warm_up_advice(result)):
        if advice:
            out.print(text(advice))


def output_advice(result: Result) -> str:
    """Return what to do when nothing was finished; empty when something was."""
    if result.total("throughput_rate")[0] > 0:
        return ""
    return (
        f"Nothing was finished in the {number(result.days)} d: the way through the factory takes "
        f"longer. Try --days {number(4 * result.days)}."
    )


def headline(result: Result) -> str:
    """Return what was simulated, in a sentence."""
    n = result.replications
    many = "1 replication" if n == 1 else f"{n} replications"
    start = (
        f"the first {format_quantity(result.warm_up, 's')} not counted"
        if result.warm_up
        else "all of it counted"
    )
    over = " over parameters as well as chance" if result.parameters == "uncertain" else ""
    how_sure = (
        "no interval from a single replication" if n == 1 else f"± half a 95 % interval{over}"
    )
    return (
        f"{result.factory_name}: {many} of {number(result.days)} d, seed {result.seed}, {start}; "
        f"{how_sure}."
    )


def warm_up_advice(result: Result) -> str:
    """Return what to do when no steady part was found; empty when one was."""
    if result.is_overloaded:
        return (
            "More arrives than the factory can pass on: its contents grow without end, and there "
            "is no steady state to wait for. Lengthen the interval of the arrivals, or make the "
            "bottleneck faster."
        )
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
    title: str, data: pl.DataFrame, names: dict[str, str], columns: Sequence[Column]
) -> Table:
    """Return a table of names (column of the data to header) and estimates."""
    rows = [
        (*(str(row[name]) for name in names), *(_cell(row, column) for column in columns))
        for row in data.iter_rows(named=True)
    ]
    headers = (*names.values(), *(column.header for column in columns))
    return table(title, headers, rows, n_names=len(names))


def _stations(title: str, result: Result, columns: Sequence[Column]) -> Table:
    """Return a table of the stations, with their number of machines when there are several."""
    many = pl.col("machines") > 1
    name = pl.col("station") + pl.when(many).then(" x" + pl.col("machines").cast(pl.String))
    data = result.stations.with_columns(station=pl.coalesce(name, pl.col("station")))
    return _estimates(title, data, {"station": "station"}, columns)


def _states(result: Result) -> list[Column]:
    """Return the columns of the states that occurred."""
    return [
        Column(_state_name(state), f"{state.name.lower()}_share", most_places=1)
        for state in MachineState
        if (result.stations[f"{state.name.lower()}_share"].fill_nan(0.0) > 0).any()
    ]


def _state_name(state: MachineState) -> str:
    # Nine columns fit on few terminals; this is by far the longest name.
    return (
        "no crew"
        if state is MachineState.WAITING_FOR_CREW
        else state.name.lower().replace("_", " ")
    )


def _cell(row: dict[str, Any], column: Column) -> str:
    suffix = f" {column.unit}" if column.unit else ""
    mean, low, high = (row[f"{column.name}{end}{suffix}"] for end in ("", "_low", "_high"))
    # Without blanks, so that many columns fit and a number does not break in two.
    return estimate(mean, low, high, column.scale, column.most_places).replace(" ", "")
