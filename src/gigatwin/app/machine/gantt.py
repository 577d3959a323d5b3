"""The Gantt chart of a machine: two cycles, what overlaps, what sets the pace, what has slack."""

from dataclasses import dataclass, field

import plotly.graph_objects as go

from gigatwin.app.figures import INK, QUIET, label, row_axis, styled
from gigatwin.app.machine.evaluated import Evaluated, number
from gigatwin.app.machine.quantities import seconds, time_unit
from gigatwin.app.machine.wording import CRITICAL, KINDS, plain, step_label, step_text
from gigatwin.app.numbers import ShownUnit
from gigatwin.equipment.model.equipment_model import Evaluation
from gigatwin.equipment.schedule import Schedule

_ROW = 50
"""Height of an activity with both cycles. [px]"""
_FIRST, _SECOND, _SLACK = (-0.16, 0.46), (0.25, 0.24), (-0.16, 0.1)
"""Middle and height of the bars of the first and second cycle, and of slack, in rows."""
_LIGHT = 0.45
_ROOM_FOR_LATER = 1.08
_SLACK_COLOUR = "#aab4bd"
_LEAST_SHARE_WITH_NAME = 0.035


@dataclass
class _Bars:
    """The bars of one kind of step in one cycle."""

    begins: list[float] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)
    rows: list[float] = field(default_factory=list)
    hover: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add(self, begin: float, length: float, row: float, hover: str, name: str) -> None:
        """Add a bar; times in the unit shown."""
        self.begins.append(float(f"{begin:.6g}"))
        self.lengths.append(float(f"{length:.6g}"))
        self.rows.append(row)
        self.hover.append(hover)
        self.names.append(name)


def gantt(shown: Evaluated, found: Schedule) -> go.Figure:
    """Draw two cycles of a machine, one below the other in each activity's row.

    Parameters
    ----------
    shown : Evaluated
        A machine of activities.
    found : Schedule
        Its schedule.
    """
    evaluation = shown.evaluation
    order = sorted(found.starts, key=lambda name: found.starts[name])
    row = {name: k for k, name in enumerate(order)}
    ends = {name: found.starts[name] + found.durations[name] for name in order}
    last = max(
        *(ends[name] + found.cycle_time for name in order),
        *(ends[name] + found.slack[name] for name in order),
    )
    if any(number(evaluation.values[arc.tokens]) > 1 for arc in found.circuit):
        last *= _ROOM_FOR_LATER
    unit = time_unit(last)
    figure = go.Figure()
    _add_steps(figure, evaluation, found, row, unit, last)
    _add_slack(figure, found, row, unit)
    _add_circuit(figure, evaluation, found, row, unit)
    styled(figure, 130 + _ROW * len(order))
    critical = {evaluation.model.activities[k].name for k in found.critical}
    row_axis(figure, [plain(name) for name in order])
    figure.update_yaxes(
        ticktext=[
            f"<span style='color:{CRITICAL}'><b>{label(plain(name))}</b></span>"
            if name in critical
            else label(plain(name))
            for name in order
        ]
    )
    for moment in (0.0, found.cycle_time):
        line = {"color": INK, "width": 1, "dash": "dot"}
        figure.add_vline(x=moment * unit.factor, line=line, layer="below")
    figure.add_annotation(
        x=found.cycle_time * unit.factor, y=1, yref="paper", yanchor="bottom", xanchor="left",
        text=f"the next cycle begins after {seconds(found.cycle_time)}", showarrow=False,
        font={"size": 11.5, "color": QUIET},
    )  # fmt: skip
    figure.update_xaxes(
        title=f"time from the begin of a cycle [{unit.name}]",
        range=[-0.004 * last * unit.factor, 1.01 * last * unit.factor],
        zeroline=False,
    )
    figure.update_layout(
        barmode="overlay",
        margin={"t": 74},
        legend={"yref": "container", "y": 1, "yanchor": "top"},
        uniformtext={"minsize": 10, "mode": "hide"},
    )
    return figure


def _add_steps(  # noqa: PLR0913, PLR0917 - where and in what unit
    figure: go.Figure,
    evaluation: Evaluation,
    found: Schedule,
    row: dict[str, int],
    unit: ShownUnit,
    last: float,
) -> None:
    bars = {(kind, cycle): _Bars() for cycle in (0, 1) for kind in KINDS}
    for activity in evaluation.model.activities:
        times = [number(evaluation.values[step.time]) for step in activity.steps]
        # A factor on the whole duration stretches every step.
        stretch = found.durations[activity.name] / sum(times) if sum(times) > 0 else 1.0
        for cycle, (middle, _) in enumerate((_FIRST, _SECOND)):
            begin = found.starts[activity.name] + cycle * found.cycle_time
            for step, time in zip(activity.steps, times, strict=True):
                length = time * stretch
                once = number(evaluation.values[step.once]) * stretch
                text = (
                    f"<b>{label(plain(activity.name))}</b>, {KINDS[step.kind][0]}"
                    f"{', next cycle' if cycle else ''}<br>{label(step_text(step, once, length))}"
                    f"<br>from {seconds(begin)} to {seconds(begin + length)}"
                )
                has_name = cycle == 0 and length > _LEAST_SHARE_WITH_NAME * last
                name = label(step_label(step)) if has_name else ""
                bars[step.kind, cycle].add(
                    begin * unit.factor,
                    length * unit.factor,
                    row[activity.name] + middle,
                    text,
                    name,
                )
                begin += length
    for (kind, cycle), part in bars.items():
        if part.begins:
            _bars(figure, part, KINDS[kind], (_FIRST, _SECOND)[cycle][1], is_light=cycle == 1)


def _bars(
    figure: go.Figure, part: _Bars, look: tuple[str, str], height: float, *, is_light: bool
) -> None:
    name, colour = look
    figure.add_bar(
        base=part.begins,
        x=part.lengths,
        y=part.rows,
        width=height,
        orientation="h",
        name=name,
        legendgroup=name,
        showlegend=not is_light,
        opacity=_LIGHT if is_light else 1.0,
        marker={"color": colour, "line": {"color": "white", "width": 0.8}},
        hovertext=part.hover,
        hoverinfo="text",
        text=part.names,
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"color": "white", "size": 12},
    )


def _add_slack(figure: go.Figure, found: Schedule, row: dict[str, int], unit: ShownUnit) -> None:
    middle, height = _SLACK
    part = _Bars()
    for name, slack in found.slack.items():
        if slack > 0:
            part.add(
                (found.starts[name] + found.durations[name]) * unit.factor,
                slack * unit.factor,
                row[name] + middle,
                f"<b>{label(plain(name))}</b><br>slack {seconds(slack)}: it could take so much "
                "longer,<br>or begin so much later, without a longer cycle",
                "",
            )
    if part.begins:
        _bars(figure, part, ("slack", _SLACK_COLOUR), height, is_light=False)


def _add_circuit(
    figure: go.Figure,
    evaluation: Evaluation,
    found: Schedule,
    row: dict[str, int],
    unit: ShownUnit,
) -> None:
    """Frame the activities that set the pace, and show who waits for whom."""
    names = [activity.name for activity in evaluation.model.activities]
    middle, height = _FIRST
    for k in dict.fromkeys(found.critical):
        name = names[k]
        begin = found.starts[name] * unit.factor
        figure.add_shape(
            type="rect",
            x0=begin,
            x1=begin + found.durations[name] * unit.factor,
            y0=row[name] + middle - height / 2,
            y1=row[name] + middle + height / 2,
            line={"color": CRITICAL, "width": 2.4},
        )
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        name="sets the cycle time",
        marker={"symbol": "square-open", "size": 12, "color": CRITICAL, "line": {"width": 2.4}},
    )
    for arc in found.circuit:
        if arc.tail == arc.head:
            continue
        tail, head = names[arc.tail], names[arc.head]
        cycles = round(number(evaluation.values[arc.tokens]))
        moment = (found.starts[tail] + number(evaluation.values[arc.weight])) * unit.factor
        if cycles > 1:
            figure.add_annotation(
                x=moment, y=row[tail] + middle, yanchor="middle", xanchor="left",
                text=f" \u2192 {label(plain(head))},<br>  {cycles} cycles later", showarrow=False,
                align="left",
                font={"size": 11.5, "color": CRITICAL},
            )  # fmt: skip
            continue
        target, extent = (_FIRST, _SECOND)[cycles]
        down = row[head] > row[tail] or (row[head] == row[tail] and cycles == 1)
        side = 1 if down else -1
        figure.add_annotation(
            x=moment, ax=moment, xref="x", axref="x", yref="y", ayref="y",
            ay=row[tail] + middle + side * height / 2,
            y=row[head] + target - side * extent / 2,
            arrowhead=2, arrowsize=1, arrowwidth=1.8, arrowcolor=CRITICAL, text="",
        )  # fmt: skip
