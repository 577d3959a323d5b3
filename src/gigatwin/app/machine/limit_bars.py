"""How near each limit of a machine is."""

import math
from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from gigatwin.app.figures import ACCENT, INK, ROW, label, row_axis, styled
from gigatwin.app.machine.evaluated import Evaluated, number
from gigatwin.app.machine.quantities import quantity
from gigatwin.app.machine.wording import CRITICAL, limit_name
from gigatwin.app.numbers import MISSING
from gigatwin.app.tables import Column, html_table, names
from gigatwin.equipment.limits import LimitUse

_NEAR = 85.0
_NEAR_COLOUR = "#d17a22"
_LONGEST = 200.0
"""Longest bar; beyond it only its text tells how far. [%]"""


def used(use: LimitUse) -> float:
    """Return how much of a limit is used, 1 at the limit; NaN where there is no such share."""
    value, limit = number(use.value), number(use.limit)
    if limit <= 0 or value < 0 or (use.is_least and value == 0):
        return math.nan
    return limit / value if use.is_least else value / limit


def value_text(use: LimitUse) -> tuple[str, str]:
    """Return what the machine does and what it may do, in one unit."""
    value, limit = number(use.value), number(use.limit)
    size = limit or value
    return quantity(value, use.unit, size), quantity(limit, use.unit, size)


def reached_poses(shown: Evaluated) -> set[str]:
    """Return the names of limits on poses that can be reached: no question of how far."""
    axes = shown.model.machine.axes
    poses = {f"{name} pose {pose}" for name, axis in axes.items() for pose in axis.poses}
    found = {use.name for use in shown.uses} & poses
    return found - {use.name for use in shown.broken}


def drawn(uses: Sequence[LimitUse]) -> list[LimitUse]:
    """Return the limits that a bar can show, the nearest first."""
    found = [use for use in uses if not math.isnan(used(use))]
    return sorted(found, key=lambda use: -used(use))


def holds(use: LimitUse) -> bool:
    """Return whether a limit is kept."""
    return bool(use.holds[0])


def bars(uses: Sequence[LimitUse]) -> go.Figure:
    """Draw how much of each limit is used, with its numbers on the right."""
    shares = [100 * used(use) for use in uses]
    longest = max(min(share, _LONGEST) for share in shares)
    figure = go.Figure()
    figure.add_bar(
        x=[round(min(share, _LONGEST), 2) for share in shares],
        y=list(range(len(uses))),
        orientation="h",
        marker={"color": [_colour(use, share) for use, share in zip(uses, shares, strict=True)]},
        hovertext=[
            f"<b>{label(limit_name(use.name))}</b><br>beyond it: {label(use.because)}"
            for use in uses
        ],
        hoverinfo="text",
    )
    figure.add_vline(x=100, line={"color": INK, "width": 1.4, "dash": "dot"})
    figure.update_layout(bargap=0.32, showlegend=False)
    styled(figure, 92 + (ROW + 3) * len(uses))
    row_axis(figure, [limit_name(use.name) for use in uses])
    figure.update_xaxes(
        title="used share of the limit [%]", range=[0, 1.04 * max(longest, 100.0)], dtick=20
    )
    lengths = []
    for row, (use, share) in enumerate(zip(uses, shares, strict=True)):
        value, limit = value_text(use)
        text = f"{value}, at least {limit}" if use.is_least else f"{value} of {limit}"
        lengths.append(len(text))
        colour = INK if holds(use) else CRITICAL
        figure.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=8, y=row, yanchor="middle", showarrow=False,
            text=f"<b>{share:.0f} %</b>  {label(text)}", font={"size": 12.5, "color": colour},
        )  # fmt: skip
    figure.update_layout(margin={"r": 64 + 7 * max(lengths)})
    return figure


def _colour(use: LimitUse, share: float) -> str:
    if not holds(use):
        return CRITICAL
    return _NEAR_COLOUR if share >= _NEAR else ACCENT


def table(uses: Sequence[LimitUse]) -> str:
    """Return the table of all limits."""
    texts = [value_text(use) for use in uses]
    verdicts = ["kept" if holds(use) else '<span class="worse">not kept</span>' for use in uses]
    columns = [
        names("Limit", [limit_name(use.name) for use in uses]),
        Column("Value", [escape(text[0]) for text in texts], [number(use.value) for use in uses]),
        Column(
            "May be",
            [
                f"{'at least' if use.is_least else 'at most'} {escape(text[1])}"
                for use, text in zip(uses, texts, strict=True)
            ],
            [number(use.limit) for use in uses],
        ),
        Column(
            "Used",
            [MISSING if math.isnan(used(use)) else f"{100 * used(use):.0f} %" for use in uses],
            [used(use) for use in uses],
        ),
        Column("Verdict", verdicts, [str(holds(use)) for use in uses], is_number=False),
        Column(
            "What happens beyond it",
            [f'<div class="long">{escape(use.because)}</div>' for use in uses],
            [use.because for use in uses],
            is_number=False,
        ),
    ]
    return html_table(columns, "Limits")
