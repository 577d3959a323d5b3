"""Figures of what comes out: output and contents over time, and lead times."""

import math
from itertools import accumulate

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from gigatwin.app.figures import ACCENT, COLOURS, INK, QUIET, SECOND, label, styled, time_axis
from gigatwin.app.numbers import shown_unit
from gigatwin.simulation.result import Result

_BLOCKS = 100
_MOST_BARS = 60
_TAIL = 0.01
_BINS_PER_OCTAVE = 32
_MARKS = (("median", "median", INK), ("p95", "95 % below", SECOND))


def over_time(result: Result) -> go.Figure:
    """Draw output and items in process over time, with the warm-up shaded."""
    step = max(1, result.series.height // _BLOCKS)
    series = (
        result.series.with_columns(_block=pl.int_range(pl.len()) // step)
        .group_by("_block", maintain_order=True)
        .mean()
    )
    hours = series["time [h]"].to_list()
    scale, unit = time_axis(hours[-1])
    times = [round(hour / scale, 4) for hour in hours]
    mean, low, high = result.total("throughput_rate")
    rate = shown_unit("1/h", mean)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    made = [name for name in series.columns if name.startswith("output ") and series[name].sum()]
    for index, column in enumerate(made):
        name = label(column.removeprefix("output ").rpartition(" [")[0])
        figure.add_scatter(
            x=times,
            y=[round(value * rate.factor, 3) for value in series[column]],
            name=f"output of {name}",
            mode="lines",
            line={"color": COLOURS[index % len(COLOURS)], "width": 1.8, "shape": "hvh"},
            hovertemplate=f"{name}: %{{y:.4~g}} {rate.name}<extra></extra>",
            row=1,
            col=1,
        )
    start = result.warm_up / 3600 / scale
    end = result.days * 24 / scale
    if math.isfinite(low):
        band = [low * rate.factor, high * rate.factor]
        figure.add_scatter(
            x=[start, end, end, start],
            y=[band[0], band[0], band[1], band[1]],
            fill="toself",
            fillcolor="rgba(34,48,60,0.12)",
            line={"width": 0},
            mode="lines",
            name="95 % interval of the mean",
            hoverinfo="skip",
            row=1,
            col=1,
        )
    figure.add_scatter(
        x=[start, end],
        y=[mean * rate.factor] * 2,
        mode="lines",
        line={"color": INK, "width": 1.2, "dash": "dash"},
        name="mean of all formats" if len(made) > 1 else "mean",
        hoverinfo="skip",
        row=1,
        col=1,
    )
    figure.add_scatter(
        x=times,
        y=[round(value, 2) for value in series["in_process [items]"]],
        mode="lines",
        line={"color": QUIET, "width": 1.8},
        name="items in process",
        hovertemplate="%{y:,.4~g} items in process<extra></extra>",
        row=2,
        col=1,
    )
    styled(figure, 460)
    figure.update_layout(hovermode="x unified", margin={"l": 84})
    if start > 0:
        figure.add_vrect(
            x0=0, x1=start, fillcolor="#8a949e", opacity=0.16, line_width=0, row="all", col=1
        )
        figure.add_annotation(
            text="warm-up, not counted",
            x=0,
            xanchor="left",
            y=1,
            yref="y domain",
            yanchor="top",
            xshift=4,
            showarrow=False,
            font={"size": 12, "color": QUIET},
        )
    figure.update_xaxes(range=[0, end])
    figure.update_xaxes(title=f"simulated time [{unit}]", row=2, col=1)
    figure.update_yaxes(title=f"output [{rate.name}]", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title="in process [items]", rangemode="tozero", row=2, col=1)
    return figure


def formats_made(result: Result) -> list[str]:
    """Return the formats of which products were finished."""
    return [name for name in result.formats["format"] if result.lead_times[name].sum()]


def lead_times(result: Result) -> go.Figure:
    """Draw the distribution of lead times, a panel for each format that was made."""
    made = formats_made(result)
    rows = {row["format"]: row for row in result.formats.iter_rows(named=True)}
    unit = shown_unit("s", [rows[name]["lead_time_median [s]"] for name in made])
    figure = make_subplots(
        rows=len(made), cols=1, shared_xaxes=True, vertical_spacing=0.12 / len(made)
    )
    uppers = result.lead_times["lead_time [s]"].to_list()
    limits = []
    for panel, name in enumerate(made, start=1):
        bars = _bars(uppers, result.lead_times[name].to_list())
        limits += [bars[0][0], bars[-1][1]]
        total = sum(count for _, _, count in bars) or 1
        figure.add_bar(
            x=[(low + high) / 2 * unit.factor for low, high, _ in bars],
            y=[100 * n / total / ((high - low) * unit.factor) for low, high, n in bars],
            width=[(high - low) * unit.factor for low, high, _ in bars],
            marker={"color": ACCENT, "opacity": 0.75, "line": {"width": 0}},
            customdata=[
                [low * unit.factor, high * unit.factor, 100 * n / total] for low, high, n in bars
            ],
            hovertemplate=(
                f"%{{customdata[0]:.4~g}} to %{{customdata[1]:.4~g}} {unit.name}: "
                "%{customdata[2]:.2f} % of products<extra></extra>"
            ),
            row=panel,
            col=1,
        )
        notes = []
        for quantile, words, colour in _MARKS:
            column = f"lead_time_{quantile}"
            value = rows[name][f"{column} [s]"]
            half = (rows[name][f"{column}_high [s]"] - rows[name][f"{column}_low [s]"]) / 2
            figure.add_vline(
                x=value * unit.factor, line={"color": colour, "width": 1.5}, row=panel, col=1
            )
            shown = unit.sentence(value, half)
            notes.append(f'<span style="color:{colour}">{words} <b>{shown}</b></span>')
        suffix = panel if panel > 1 else ""
        figure.add_annotation(
            text="\u2003".join(notes),
            x=1,
            xref=f"x{suffix} domain",
            xanchor="right",
            y=1,
            yref=f"y{suffix} domain",
            yanchor="bottom",
            showarrow=False,
        )
        figure.update_yaxes(
            title=f"{label(name)}<br>[% per {unit.name}]", rangemode="tozero", row=panel, col=1
        )
    styled(figure, 90 + 220 * len(made))
    figure.update_layout(showlegend=False, bargap=0, margin={"l": 84, "t": 28})
    room = 0.05 * (max(limits) - min(limits))
    figure.update_xaxes(
        range=[max(0.0, min(limits) - room) * unit.factor, (max(limits) + room) * unit.factor]
    )
    figure.update_xaxes(title=f"lead time [{unit.name}]", row=len(made), col=1)
    return figure


def _bars(uppers: list[float], counts: list[int]) -> list[tuple[float, float, int]]:
    """Return lower edge, upper edge and count of bars, without the longest lead times.

    The bins are narrow on purpose; neighbours are joined until a figure can show them.
    """
    total = sum(counts)
    lowest = next(i for i, n in enumerate(counts) if n)
    seen = list(accumulate(counts))
    highest = next(i for i, n in enumerate(seen) if n >= (1 - _TAIL) * total)
    ratio = 2.0 ** (-1 / _BINS_PER_OCTAVE)
    join = max(1, math.ceil((highest + 1 - lowest) / _MOST_BARS))
    bars = []
    for first in range(lowest, highest + 1, join):
        last = min(first + join, len(counts)) - 1
        bars.append((uppers[first] * ratio, uppers[last], sum(counts[first : last + 1])))
    return bars
