"""Figures of how full buffers are, on average and over time."""

import math

import plotly.graph_objects as go
import polars as pl

from gigatwin.app.figures import ACCENT, INK, ROW, label, row_axis, styled, time_axis
from gigatwin.app.numbers import ShownUnit, count
from gigatwin.app.tables import half_widths

_MOST_MOMENTS = 200
_SCALE = [[0.0, "#f4f6f8"], [0.5, "#9dbcd4"], [0.9, "#2f6690"], [1.0, "#17344a"]]


def limited(buffers: pl.DataFrame) -> pl.DataFrame:
    """Return the buffers with a number of places."""
    capacity = pl.col("capacity [items]")
    return buffers.filter(capacity.is_not_null() & (capacity > 0))


def fill(buffers: pl.DataFrame) -> go.Figure:
    """Draw the mean level of each limited buffer, as a share of its places."""
    names = buffers["buffer"].to_list()
    capacities = buffers["capacity [items]"].to_list()
    means = buffers["level [items]"].to_list()
    widths = half_widths(buffers, "level [items]")
    items = ShownUnit("items", 1.0)
    shares = [100 * mean / places for mean, places in zip(means, capacities, strict=True)]
    texts = [
        f"{items.text(mean, width)[0]} {items.text(mean, width)[1]} of {count(places)}"
        for mean, width, places in zip(means, widths, capacities, strict=True)
    ]
    figure = go.Figure()
    rows = list(range(len(names)))
    figure.add_bar(
        x=[100.0] * len(names), y=rows, orientation="h", marker_color="#eef1f4", hoverinfo="skip"
    )
    figure.add_bar(
        x=[round(share, 3) for share in shares],
        y=rows,
        orientation="h",
        marker_color=ACCENT,
        error_x={
            "type": "data",
            "array": [
                100 * width / places if math.isfinite(width) else 0.0
                for width, places in zip(widths, capacities, strict=True)
            ],
            "color": INK,
            "thickness": 1,
            "width": 3,
        },
        hovertext=[
            f"{label(name)}: {share:.1f} % full, {text} items"
            for name, share, text in zip(names, shares, texts, strict=True)
        ],
        hoverinfo="text",
    )
    for row, text in enumerate(texts):
        figure.add_annotation(
            text=text,
            x=1.0,
            xref="paper",
            y=row,
            xanchor="left",
            xshift=8,
            showarrow=False,
            font={"size": 12},
        )
    figure.update_layout(barmode="overlay", bargap=0.3, showlegend=False)
    styled(figure, 84 + ROW * len(names))
    figure.update_xaxes(
        title="mean fill [% of places]; right: mean level [items]", range=[0, 100], dtick=10
    )
    row_axis(figure, names)
    figure.update_layout(margin={"t": 16, "r": 24 + 6.5 * max(len(text) for text in texts)})
    return figure


def fill_over_time(buffers: pl.DataFrame, levels: pl.DataFrame, warm_up: float) -> go.Figure:
    """Draw how full each limited buffer was over time, as colours.

    Parameters
    ----------
    buffers : polars.DataFrame
        Limited buffers, in the order in which they are shown.
    levels : polars.DataFrame
        Level of each buffer over time, means over replications.
    warm_up : float
        End of the warm-up. [s]
    """
    names = buffers["buffer"].to_list()
    step = max(1, math.ceil(levels.height / _MOST_MOMENTS))
    blocks = levels.with_columns(_block=pl.int_range(pl.len()) // step)
    means = blocks.group_by("_block", maintain_order=True).mean()
    hours = means["time [h]"].to_list()
    shares = [
        [round(100 * level / places, 1) for level in means[name]]
        for name, places in zip(names, buffers["capacity [items]"], strict=True)
    ]
    scale, unit = time_axis(hours[-1])
    times = [round(hour / scale, 4) for hour in hours]
    figure = go.Figure(
        go.Heatmap(
            x=times,
            y=list(range(len(names))),
            z=shares,
            zmin=0,
            zmax=100,
            colorscale=_SCALE,
            ygap=1,
            customdata=[[label(name)] * len(times) for name in names],
            hovertemplate=f"%{{customdata}}<br>%{{x:.2f}} {unit}: %{{z:.0f}} % full<extra></extra>",
            colorbar={
                "title": {"text": "fill [%]", "side": "right"},
                "thickness": 12,
                "outlinewidth": 0,
                "lenmode": "pixels",
                "len": min(200, 60 + ROW * len(names)),
                "y": 1,
                "yanchor": "top",
            },
        )
    )
    styled(figure, 84 + ROW * len(names))
    figure.update_xaxes(title=f"simulated time [{unit}]", showgrid=False)
    row_axis(figure, names)
    figure.update_layout(margin={"t": 16})
    if warm_up > 0:
        figure.add_vline(
            x=warm_up / 3600 / scale, line={"color": INK, "width": 1.5, "dash": "dash"}
        )
    return figure
