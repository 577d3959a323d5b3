"""Cycle times that the FMU of a machine recorded."""

import plotly.graph_objects as go

from gigatwin.app.figures import ACCENT, INK, styled
from gigatwin.app.machine.evaluated import Evaluated, number
from gigatwin.app.machine.quantities import seconds, time_unit

_BINS = 40
_DIGITS = 6


def histogram(shown: Evaluated) -> go.Figure:
    """Draw how often each cycle time was recorded."""
    times = shown.evaluation.recorded_times[0]
    mean = number(shown.evaluation.cycle_time)
    unit = time_unit(mean)
    figure = go.Figure()
    figure.add_histogram(
        x=[float(f"{time * unit.factor:.{_DIGITS}g}") for time in times],
        nbinsx=_BINS,
        marker={"color": ACCENT, "line": {"color": "white", "width": 0.5}},
        hovertemplate=f"%{{y}} cycles of %{{x}} {unit.name}<extra></extra>",
    )
    figure.add_vline(x=mean * unit.factor, line={"color": INK, "width": 1.4, "dash": "dot"})
    figure.add_annotation(
        x=mean * unit.factor,
        y=1,
        yref="paper",
        yanchor="bottom",
        showarrow=False,
        text=f"mean {seconds(mean)}",
    )
    styled(figure, 320)
    figure.update_xaxes(title=f"cycle time [{unit.name}]")
    figure.update_yaxes(title="cycles recorded", rangemode="tozero")
    figure.update_layout(margin={"l": 72}, showlegend=False)
    return figure
