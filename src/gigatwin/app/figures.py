"""How figures of a report look, and the one of where each station's time goes."""

import math
from html import escape

import plotly.graph_objects as go
import polars as pl

from gigatwin.app.tables import half_widths
from gigatwin.standards.machine_states import MachineState

ROW = 25
"""Height of a bar with the space around it. [px]"""
INK = "#22303c"
QUIET = "#66737f"
GRID = "#e6e9ec"
ACCENT = "#2f6690"
SECOND = "#d17a22"
COLOURS = (ACCENT, SECOND, "#5b9a6f", "#9b7fb8", "#9c755f", "#7f8c99")
"""Colours of formats, in order."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_CHARACTER = 7.0
_DAYS_FROM = 72.0

STATES = {
    MachineState.EXECUTING: ("executing", "#5b9a6f"),
    MachineState.SETUP: ("setup", "#9b7fb8"),
    MachineState.PLANNED_STOP: ("planned stop", "#5f6b76"),
    MachineState.BREAKDOWN: ("breakdown", "#c8453b"),
    MachineState.MICRO_STOP: ("micro-stop", "#ec9a3c"),
    MachineState.WAITING_FOR_CREW: ("waiting for crew", "#8a5a3c"),
    MachineState.BLOCKED: ("blocked", "#8fabc7"),
    MachineState.STARVED: ("starved", "#cfd8e0"),
    MachineState.NO_ORDER: ("no order", "#eef0f2"),
}
"""Name and colour of each machine state, in the order in which they are stacked."""


def label(text: str) -> str:
    """Return text as Plotly shows it, without its markup having a meaning."""
    return escape(text, quote=False)


def margin_for(labels: list[str]) -> float:
    """Return the margin that the labels of a vertical axis need [px]."""
    return 24 + _CHARACTER * max((len(text) for text in labels), default=0)


def time_axis(hours: float) -> tuple[float, str]:
    """Return the hours in the unit that suits a time of so many hours, and its name."""
    return (24.0, "d") if hours > _DAYS_FROM else (1.0, "h")


def styled(figure: go.Figure, height: float) -> go.Figure:
    """Give a figure the fonts, colours and margins of the report."""
    figure.update_layout(
        template="none",
        height=round(height),
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor="white",
        plot_bgcolor="white",
        hoverlabel={"font": {"family": FONT, "size": 13}, "bgcolor": "white"},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        dragmode=False,
    )
    axis = {"gridcolor": GRID, "zeroline": False}
    figure.update_xaxes(ticks="outside", tickcolor=GRID, **axis)
    figure.update_yaxes(ticks="", ticklabelstandoff=6, **axis)
    figure.update_layout(margin={"t": 36, "b": 48, "r": 24})
    return figure


def row_axis(figure: go.Figure, labels: list[str], **axis: object) -> None:
    """Name the rows of a figure from top to bottom, at the positions 0, 1, 2, ..."""
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=[label(text) for text in labels],
        range=[len(labels) - 0.5, -0.5],
        showgrid=False,
        **axis,
    )
    figure.update_layout(margin={"l": margin_for(labels)})


def as_html(figure: go.Figure, name: str) -> str:
    """Return a figure as a part of a page that has Plotly already.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        What to show.
    name : str
        Identifier of the element.
    """
    figure.update_xaxes(title_font_size=13)
    figure.update_yaxes(title_font_size=13)
    text: str = figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        config={"responsive": True, "displayModeBar": False, "displaylogo": False},
    )
    return f'<div class="figure">{text}</div>'


def is_storage(stations: pl.DataFrame) -> list[bool]:
    """Say of each station whether it only keeps items: they went through without any work."""
    return [
        executing == 0 and produced > 0
        for executing, produced in zip(
            stations["executing_share"], stations["produced [items]"], strict=True
        )
    ]


def in_flow_order(stations: pl.DataFrame) -> pl.DataFrame:
    """Return stations line by line in the order of the flow.

    A vehicle path stands before the place it leads to. Supply from outside, which is no station,
    is left out, and so is what was never counted.
    """
    position = {name: index for index, name in enumerate(stations["station"])}

    def place(name: str) -> float:
        target = name.removesuffix(".transport")
        if target == name:
            return position[name]
        station = target if target in position else target.rpartition(".")[0]
        return position.get(station, position[name]) - 0.5

    shown = stations.filter((pl.col("line") != "outside") & pl.col("executing_share").is_finite())
    lines = {line: index for index, line in enumerate(dict.fromkeys(stations["line"]))}
    return (
        shown.with_columns(
            _line=pl.Series([lines[line] for line in shown["line"]], dtype=pl.Int64),
            _place=pl.Series([place(name) for name in shown["station"]], dtype=pl.Float64),
        )
        .sort("_line", "_place", maintain_order=True)
        .drop("_line", "_place")
    )


def station_labels(stations: pl.DataFrame) -> list[str]:
    """Return names of stations with the number of their machines."""
    return [
        name if machines == 1 else f"{name}  \u00d7{machines}"
        for name, machines in zip(stations["station"], stations["machines"], strict=True)
    ]


def station_times(stations: pl.DataFrame) -> go.Figure:
    """Draw the share of time in each state, a bar for each station.

    Parameters
    ----------
    stations : polars.DataFrame
        Of a result, in the order of the flow.
    """
    labels = station_labels(stations)
    lines = stations["line"].to_list()
    starts = [i for i, line in enumerate(lines) if i == 0 or line != lines[i - 1]]
    gap = 1.0 if len(starts) > 1 else 0.0
    rows = [i + gap * sum(start <= i for start in starts) for i in range(len(lines))]
    storage = is_storage(stations)
    figure = go.Figure()
    for state, (name, colour) in STATES.items():
        shares = stations[f"{state.name.lower()}_share"].to_list()
        widths = half_widths(stations, f"{state.name.lower()}_share")
        shown = [0.0 if kept else 100 * share for share, kept in zip(shares, storage, strict=True)]
        hover = [
            f"{label(station)}: {name} {100 * share:.2f}"
            + (f" \u00b1 {100 * width:.2f}" if math.isfinite(width) else "")
            + " % of time"
            for station, share, width in zip(labels, shares, widths, strict=True)
        ]
        figure.add_bar(
            x=[round(value, 4) for value in shown],
            y=rows,
            name=name,
            orientation="h",
            marker={"color": colour, "line": {"color": "white", "width": 0.5}},
            hovertext=hover,
            hoverinfo="text",
            texttemplate="%{x:.0f} %" if state is MachineState.EXECUTING else None,
            textposition="inside",
            insidetextanchor="start",
            textangle=0,
            textfont={"color": "white", "size": 12},
            visible=True if sum(shown) > 0 else "legendonly",
            showlegend=sum(shown) > 0,
        )
    if any(storage):
        figure.add_bar(
            x=[100.0 if kept else 0.0 for kept in storage],
            y=rows,
            name="only keeps items",
            orientation="h",
            marker={
                "color": "white",
                "line": {"color": GRID, "width": 1},
                "pattern": {"shape": "/", "fgcolor": "#c9d0d6", "size": 7, "solidity": 0.15},
            },
            hovertext=[f"{label(text)}: storage, see the buffers" for text in labels],
            hoverinfo="text",
        )
    figure.update_layout(barmode="stack", bargap=0.22, uniformtext={"minsize": 10, "mode": "hide"})
    bottom = rows[-1] + 0.6 if rows else 0.5
    styled(figure, 96 + ROW * (bottom + 0.6))
    figure.update_xaxes(title="share of time [%]", range=[0, 100], dtick=10)
    row_axis(figure, labels)
    figure.update_yaxes(tickvals=rows, range=[bottom, -0.6])
    if gap:
        for start in starts:
            figure.add_annotation(
                text=f"<b>{label(lines[start])}</b>",
                x=0,
                y=rows[start] - 0.9,
                xanchor="left",
                yanchor="middle",
                showarrow=False,
            )
    return figure
