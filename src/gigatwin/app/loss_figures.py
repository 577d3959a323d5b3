"""Figures of what is lost or used: scrap by cause, energy by consumer."""

import math

import plotly.graph_objects as go
import polars as pl

from gigatwin.app.figures import ACCENT, INK, ROW, SECOND, label, row_axis, styled
from gigatwin.app.numbers import shown_unit
from gigatwin.app.tables import half_widths

MOST_ROWS = 15
"""Rows that a Pareto shows; the table has all."""


def scrap_pareto(scrap: pl.DataFrame) -> go.Figure:
    """Draw the most frequent findings by place and cause, with the delay until they were found.

    Parameters
    ----------
    scrap : polars.DataFrame
        Of a result, the most frequent first.
    """
    shown = scrap.head(MOST_ROWS)
    labels = [
        f"{cause} \u2013 {place}"
        for place, cause in zip(shown["found_at"], shown["cause"], strict=True)
    ]
    means = shown["rate [1/h]"].to_list()
    unit = shown_unit("1/h", means)
    widths = half_widths(shown, "rate [1/h]")
    delays = shown["delay [s]"].to_list()
    delay_widths = half_widths(shown, "delay [s]")
    texts = [
        f"found after {shown_unit('s', delay).sentence(delay, width)}" if delay > 0 else ""
        for delay, width in zip(delays, delay_widths, strict=True)
    ]
    total = scrap["rate [1/h]"].sum()
    figure = go.Figure()
    figure.add_bar(
        x=[round(mean * unit.factor, 5) for mean in means],
        y=list(range(len(labels))),
        orientation="h",
        marker_color=[SECOND if text else ACCENT for text in texts],
        error_x=_errors([width * unit.factor for width in widths]),
        hovertext=[
            f"{label(name)}: {unit.sentence(mean, width)}, {100 * mean / total:.1f} % of all"
            + (f", {text}" if text else "")
            for name, mean, width, text in zip(labels, means, widths, texts, strict=True)
        ],
        hoverinfo="text",
    )
    ends = [
        mean + (width if math.isfinite(width) else 0.0)
        for mean, width in zip(means, widths, strict=True)
    ]
    for row, text in enumerate(texts):
        figure.add_annotation(
            text=text,
            x=ends[row] * unit.factor,
            y=row,
            xanchor="left",
            xshift=8,
            showarrow=False,
            font={"size": 12},
        )
    styled(figure, 80 + ROW * len(labels))
    figure.update_layout(showlegend=False, bargap=0.3, margin={"t": 12})
    figure.update_xaxes(title=f"findings [{unit.name}]", range=[0, 1.25 * max(ends) * unit.factor])
    row_axis(figure, labels)
    return figure


def energy_bars(energy: pl.DataFrame) -> go.Figure:
    """Draw electricity and heat of the largest consumers, side by side.

    Parameters
    ----------
    energy : polars.DataFrame
        Of a result, the largest first.
    """
    shown = energy.head(MOST_ROWS)
    labels = shown["consumer"].to_list()
    unit = shown_unit("kWh/h", shown["electricity [kWh/h]"].to_list())
    figure = go.Figure()
    for column, name, colour in (
        ("electricity [kWh/h]", "electricity", ACCENT),
        ("heat [kWh/h]", "heat", SECOND),
    ):
        means = shown[column].to_list()
        if not any(means):
            continue
        widths = half_widths(shown, column)
        figure.add_bar(
            x=[round(mean * unit.factor, 5) if mean else None for mean in means],
            y=list(range(len(labels))),
            name=name,
            orientation="h",
            marker_color=colour,
            error_x=_errors([width * unit.factor for width in widths]),
            hovertext=[
                f"{label(consumer)}: {name} {unit.sentence(mean, width)}"
                for consumer, mean, width in zip(labels, means, widths, strict=True)
            ],
            hoverinfo="text",
        )
    styled(figure, 90 + 1.2 * ROW * len(labels))
    figure.update_layout(barmode="group", bargap=0.3, bargroupgap=0, showlegend=True)
    figure.update_xaxes(title=f"mean power [{unit.name}]", rangemode="tozero")
    row_axis(figure, labels)
    return figure


def _errors(widths: list[float]) -> dict[str, object]:
    """Return the whiskers of intervals; none where an interval is not known."""
    return {
        "type": "data",
        "array": [width if math.isfinite(width) and width > 0 else None for width in widths],
        "color": INK,
        "thickness": 1,
        "width": 3,
    }
