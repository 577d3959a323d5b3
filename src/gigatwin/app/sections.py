"""The sections of a report: a heading, a sentence on how to read it, figures and tables."""

from dataclasses import dataclass
from html import escape

import polars as pl

from gigatwin.app import buffer_figures, comparison_figure, flow_figures, loss_figures
from gigatwin.app.figures import as_html, in_flow_order, is_storage, station_times
from gigatwin.app.loss_figures import MOST_ROWS
from gigatwin.app.numbers import shown_unit
from gigatwin.app.tables import Column, blank, counts, estimates, html_table, names
from gigatwin.app.wording import kpi_name
from gigatwin.simulation.result import Result
from gigatwin.studies.comparison import Comparison

_STATION_KPIS = (
    ("Availability", "availability"),
    ("Effectiveness", "effectiveness"),
    ("Quality ratio", "quality_ratio"),
    ("OEE index", "oee_index"),
    ("Technical efficiency", "technical_efficiency"),
    ("Scrap ratio", "scrap_ratio"),
)


@dataclass(frozen=True)
class Section:
    """A part of a report."""

    anchor: str
    """Name that links within the page use."""
    title: str
    """Heading."""
    body: str
    """HTML."""
    link: str
    """What links to it say."""

    def html(self) -> str:
        """Return the section with its heading."""
        return f'<section id="{self.anchor}"><h2>{escape(self.title)}</h2>\n{self.body}\n</section>'


def sections(result: Result, comparison: Comparison | None) -> list[Section]:
    """Return the sections for which there is something to show."""
    found = [
        None if comparison is None else compared(comparison),
        times(result),
        stations(result),
        lines(result),
        buffers(result),
        output(result),
        lead_times(result),
        scrap(result),
        stops(result),
        resources(result),
        energy(result),
    ]
    return [section for section in found if section is not None]


def compared(comparison: Comparison) -> Section:
    """Return the differences of the scenarios."""
    table = comparison.table
    figure = comparison_figure.forest(table)
    rows = []
    for row in table.iter_rows(named=True):
        unit = shown_unit(row["unit"], [row["base"], row["mean"]])
        half = (row["difference_high"] - row["difference_low"]) / 2
        value, interval = unit.text(row["difference"], half)
        sign = "+" if row["difference"] > 0 else ""
        rows.append(
            (
                f"{kpi_name(row['kpi'])} [{unit.name}]" if unit.name else kpi_name(row["kpi"]),
                unit.text(row["base"], half)[0],
                unit.text(row["mean"], half)[0],
                f'{sign}{value} <span class="pm">{interval}</span>',
            )
        )
    verdicts = table["verdict"].to_list()
    columns = [
        names("Scenario", table["scenario"].to_list()),
        names("Total", [row[0] for row in rows]),
        Column("Base", [row[1] for row in rows], table["base"].to_list()),
        Column("Scenario", [row[2] for row in rows], table["mean"].to_list()),
        Column("Difference", [row[3] for row in rows], table["difference"].to_list()),
        Column(
            "Verdict",
            [f'<span class="{escape(v.split()[0])}">{escape(v)}</span>' for v in verdicts],
            verdicts,
            is_number=False,
        ),
    ]
    body = (
        "<p>Each replication of a scenario met the same luck as the same replication of the base, "
        "so that the differences below are those of the change. An interval that contains 0 shows "
        "no clear difference: use more replications, or accept that the effect is small. All other "
        "numbers in this report are those of the base.</p>"
        + (as_html(figure, "figure-comparison") if figure is not None else "")
        + html_table(columns, "Differences of the scenarios from the base")
    )
    return Section("comparison", "What the changes do", body, "Comparison")


def times(result: Result) -> Section:
    """Return where each station's time goes."""
    shown = in_flow_order(result.stations)
    body = (
        "<p>Stations in the order of the flow. A station that is mostly <b>blocked</b> waits for "
        "room behind it, one that is mostly <b>starved</b> waits for items: the bottleneck stands "
        "where the first turns into the second.</p>" + as_html(station_times(shown), "figure-times")
    )
    return Section("times", "Where each station\u2019s time goes", body, "Time")


def stations(result: Result) -> Section:
    """Return the KPIs of the stations."""
    shown = in_flow_order(result.stations)
    storage = is_storage(shown)
    columns = [
        names("Station", shown["station"].to_list()),
        blank(counts("Machines", shown["machines"].to_list()), storage),
        estimates("Output", shown, "throughput_rate [1/h]"),
    ]
    for title, quantity in _STATION_KPIS:
        column = estimates(title, shown, quantity)
        columns.append(column if quantity == "scrap_ratio" else blank(column, storage))
    kept = " A station that only keeps items has no times of its own." if any(storage) else ""
    body = (
        "<p>Computed with the ISO 22400-2:2014 formulas. Waiting for others counts as a loss of "
        f"availability there, so a station that is not the bottleneck has a low OEE index.{kept} "
        "Select a heading to sort.</p>" + html_table(columns, "KPIs of stations")
    )
    return Section("stations", "Stations", body, "Stations")


def lines(result: Result) -> Section:
    """Return the KPIs of lines and formats."""
    shown = result.lines.filter(pl.col("line") != "outside")
    made = result.formats.filter((pl.col("good [items]") > 0) | (pl.col("scrap [items]") > 0))
    of_lines = [
        names("Line", shown["line"].to_list()),
        estimates("Output", shown, "throughput_rate [1/h]"),
        estimates("Quality ratio", shown, "quality_ratio"),
        estimates("Load of constraint", shown, "load_of_constraint"),
        estimates("OEE index", shown, "oee_index"),
    ]
    of_formats = [
        names("Format", made["format"].to_list()),
        estimates("Output", made, "throughput_rate [1/h]"),
        estimates("Yield", made, "yield_ratio"),
        estimates("First pass yield", made, "first_pass_yield"),
        estimates("Mean lead time", made, "lead_time_mean [s]"),
        estimates("Median", made, "lead_time_median [s]"),
        estimates("95 % below", made, "lead_time_p95 [s]"),
    ]
    body = (
        "<p>A line counts as one work unit: its OEE index is the share of time that its constraint "
        "needs by design for what it made, times the quality ratio of the line.</p>"
        + html_table(of_lines, "KPIs of production lines")
    )
    if made.height:
        body += "<h3>Formats</h3>" + html_table(of_formats, "KPIs of formats")
    return Section("lines", "Lines and formats", body, "Lines")


def buffers(result: Result) -> Section | None:
    """Return how full the buffers are."""
    limited = buffer_figures.limited(result.buffers)
    unlimited = result.buffers.filter(pl.col("capacity [items]").is_null())
    unlimited = unlimited.filter(pl.col("level [items]") > 0)
    body = ""
    if limited.height:
        body += (
            "<p>Each buffer has the name of the station it feeds. Full buffers before a station "
            "and empty ones behind it mark a bottleneck.</p>"
            + as_html(buffer_figures.fill(limited), "figure-buffers")
            + "<p>The same over time, means over replications: a wave that runs through the line "
            "is a stop that its neighbours feel.</p>"
            + as_html(
                buffer_figures.fill_over_time(limited, result.levels, result.warm_up),
                "figure-levels",
            )
        )
    if unlimited.height:
        columns = [
            names("Buffer without limit", unlimited["buffer"].to_list()),
            estimates("Mean level", unlimited, "level [items]"),
        ]
        body += html_table(columns, "Buffers without limit")
    return Section("buffers", "Buffers", body, "Buffers") if body else None


def output(result: Result) -> Section:
    """Return output and contents over time."""
    body = (
        "<p>Means over replications. The mean and its interval count only what comes after the "
        "warm-up.</p>" + as_html(flow_figures.over_time(result), "figure-output")
    )
    return Section("output", "Output over time", body, "Output")


def lead_times(result: Result) -> Section | None:
    """Return how long products take through the factory."""
    if not flow_figures.formats_made(result):
        return None
    body = (
        "<p>From the moment an item enters, or is made, to the moment the product leaves; all "
        "replications together. The longest 1 % are left out of the figure, not of the numbers. "
        "Bars are no narrower than 2 % of the lead time, the precision of the count.</p>"
        + as_html(flow_figures.lead_times(result), "figure-lead-times")
    )
    return Section("lead-times", "Lead times", body, "Lead times")


def scrap(result: Result) -> Section | None:
    """Return what is found, where, and how late."""
    shown = result.scrap.filter(pl.col("rate [1/h]") > 0)
    if not shown.height:
        return None
    found_late = pl.when(pl.col("delay [s]") > 0)
    delays = shown.with_columns(
        found_late.then(pl.col(name)).otherwise(None).fill_null(float("nan")).alias(name)
        for name in ("delay [s]", "delay_low [s]", "delay_high [s]")
    )
    columns = [
        names("Cause", shown["cause"].to_list()),
        names("Found at", shown["found_at"].to_list()),
        estimates("Findings", shown, "rate [1/h]"),
        estimates("Found after", delays, "delay [s]"),
    ]
    rest = shown.height - MOST_ROWS
    body = (
        "<p>Cause and place of each finding, the most frequent first. <i>Spoiled here</i> is seen "
        "where it happens; the other causes were made earlier and travelled on until an inspection "
        "found them. What is found for rework is counted too.</p>"
        + as_html(loss_figures.scrap_pareto(shown), "figure-scrap")
        + (f"<p>{rest} more causes in the table.</p>" if rest > 0 else "")
        + _folded(html_table(columns, "Findings by cause and place"), "Table of findings")
    )
    return Section("scrap", "Scrap and rework", body, "Scrap")


def stops(result: Result) -> Section | None:
    """Return how often and how long machines stop."""
    shown = (
        result.stops.filter(pl.col("rate [1/h]") > 0)
        .with_columns(_lost=pl.col("rate [1/h]") * pl.col("mean_duration [s]"))
        .sort("_lost", descending=True)
    )
    if not shown.height:
        return None
    per_day = shown.with_columns(
        (24 * pl.col(f"rate{end} [1/h]")).alias(f"rate{end} [1/d]") for end in ("", "_low", "_high")
    )
    columns = [
        names("Station", shown["station"].to_list()),
        names("Stop", shown["stop"].to_list()),
        estimates("Stops", per_day, "rate [1/d]"),
        estimates("Mean length", shown, "mean_duration [s]"),
    ]
    first = [Column(c.title, c.cells[:MOST_ROWS], c.keys[:MOST_ROWS], c.is_number) for c in columns]
    body = (
        "<p>Those that cost the most machine time come first. The number is that of all machines "
        "of the station; the length includes waiting for the crew.</p>"
    )
    body += html_table(first, "Stops that cost the most time")
    if shown.height > MOST_ROWS:
        body += _folded(html_table(columns, "Stops"), f"All {shown.height} stops")
    return Section("stops", "Stops", body, "Stops")


def resources(result: Result) -> Section | None:
    """Return how much of each crew and vehicle is in use."""
    if not result.resources.height:
        return None
    columns = [
        names("Resource", result.resources["resource"].to_list()),
        estimates("Mean in use", result.resources, "in_use [units]"),
    ]
    return Section(
        "resources", "People and vehicles", html_table(columns, "Resources in use"), "People"
    )


def energy(result: Result) -> Section | None:
    """Return what uses electricity and heat."""
    if not result.energy.height:
        return None
    shown = result.energy.with_columns(
        _all=pl.col("electricity [kWh/h]") + pl.col("heat [kWh/h]")
    ).sort("_all", descending=True)
    columns = [
        names("Consumer", shown["consumer"].to_list()),
        estimates("Electricity", shown, "electricity [kWh/h]"),
        estimates("Heat", shown, "heat [kWh/h]"),
    ]
    rest = shown.height - MOST_ROWS
    body = (
        "<p>Mean power of the largest consumers. A constant load draws the same whatever is made, "
        "so its share of each product falls when output rises.</p>"
        + as_html(loss_figures.energy_bars(shown), "figure-energy")
        + (f"<p>{rest} more consumers in the table.</p>" if rest > 0 else "")
        + _folded(html_table(columns, "Energy by consumer"), "Table of energy")
    )
    return Section("energy", "Energy", body, "Energy")


def _folded(table: str, title: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{table}</details>"
