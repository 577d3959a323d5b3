"""How the axes and dials of a machine move: place, speed and acceleration over time."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from gigatwin.app.figures import COLOURS, label, styled
from gigatwin.app.machine.evaluated import Evaluated, number
from gigatwin.app.machine.quantities import pretty, quantity, scaled, seconds
from gigatwin.app.machine.wording import plain
from gigatwin.app.numbers import MISSING
from gigatwin.app.tables import Column, html_table, names
from gigatwin.equipment.limits import moves_of
from gigatwin.equipment.motion.cams import PEAKS, place
from gigatwin.equipment.motion.s_curve import Profile
from gigatwin.equipment.motion.vibration import residual_vibration

Floats = NDArray[np.float64]
_POINTS = 161
_FINE = 50
_PLACES = 12
_DIGITS = 5
_ROW = 150
_RMS = ", root mean square"
"""How the names of these limits end."""


@dataclass(frozen=True, eq=False)
class Move:
    """A move of an axis or dial from rest to rest."""

    axis: str
    unit: str
    """``m`` or ``rad``."""
    label: str
    """What is done."""
    stroke: float
    """[unit]"""
    duration: float
    """[s]"""
    peak_speed: float
    """[unit/s]"""
    peak_acceleration: float
    """[unit/s^2]"""
    residual: float
    """Amplitude of the tool when the move ends; NaN where none is described. [unit]"""
    is_flying: bool
    """Whether it begins or ends in motion, which is not drawn."""
    times: Floats
    """Moments of the curves. [s]"""
    curves: tuple[Floats, Floats, Floats]
    """Place, speed and acceleration at these moments."""


def moves(shown: Evaluated) -> list[Move]:
    """Return the moves of all axes and dials, those that are alike once."""
    found: dict[tuple[str, float, float], Move] = {}
    for move in (*_of_axes(shown), *_of_dials(shown)):
        if move.stroke > 0:
            key = (move.axis, round(move.stroke, _PLACES), round(move.duration, _PLACES))
            found.setdefault(key, move)
    return list(found.values())


def _of_axes(shown: Evaluated) -> Iterator[Move]:
    evaluation, model = shown.evaluation, shown.model
    flying = [
        step
        for activity in model.activities
        for step, given in zip(
            activity.steps, model.machine.activities[activity.name].steps, strict=True
        )
        if given.start_speed is not None or given.end_speed is not None
    ]
    for name, axis in model.machine.axes.items():
        for step, profile in moves_of(evaluation, name):
            residual = math.nan
            if axis.vibration is not None:
                frequency = evaluation.values[
                    model.positions["axes", name, "vibration", "frequency"]
                ]
                residual = number(residual_vibration(profile, frequency, axis.vibration.damping))
            times, curves = sampled(profile)
            yield Move(
                axis=name,
                unit=model.units["axes", name],
                label=step.label,
                stroke=number(evaluation.values[step.stroke or 0]),
                duration=number(profile.duration),
                peak_speed=number(profile.peak_speed),
                peak_acceleration=number(profile.peak_acceleration),
                residual=residual,
                is_flying=any(step is part for part in flying),
                times=times,
                curves=curves,
            )


def sampled(profile: Profile) -> tuple[Floats, tuple[Floats, Floats, Floats]]:
    """Return moments of a move, with place, speed and acceleration at them."""
    changes, steps = (np.ravel(part) for part in profile.jerk_steps())
    times = np.unique(np.concatenate([np.linspace(0.0, changes[-1], _POINTS), changes]))
    since = np.maximum(times[:, None] - changes, 0.0)
    acceleration, speed, way = (
        np.sum(steps * since**power / divisor, axis=1)
        for power, divisor in ((1, 1), (2, 2), (3, 6))
    )
    return times, (way, speed, acceleration)


def _of_dials(shown: Evaluated) -> Iterator[Move]:
    evaluation, model = shown.evaluation, shown.model
    for activity in model.activities:
        for step in activity.steps:
            if step.kind != "index" or step.axis is None or step.stroke is None:
                continue
            law = model.machine.dials[step.axis].law
            stroke, duration = (
                number(evaluation.values[position]) for position in (step.stroke, step.once)
            )
            # Differences need a finer grid than the eye.
            shares = np.linspace(0.0, 1.0, _FINE * (_POINTS - 1) + 1)
            way = place(law, shares)
            speed = np.gradient(way, shares, edge_order=2)
            acceleration = np.gradient(speed, shares, edge_order=2)
            shares, way, speed, acceleration = (
                part[::_FINE] for part in (shares, way, speed, acceleration)
            )
            yield Move(
                axis=step.axis,
                unit="rad",
                label=step.label,
                stroke=stroke,
                duration=duration,
                peak_speed=PEAKS[law].speed * stroke / duration,
                peak_acceleration=PEAKS[law].acceleration * stroke / duration**2,
                residual=math.nan,
                is_flying=False,
                times=shares * duration,
                curves=(
                    way * stroke, speed * stroke / duration, acceleration * stroke / duration**2
                ),
            )  # fmt: skip


def profiles(found: list[Move]) -> go.Figure:
    """Draw the moves of each axis: a row for each, with place, speed and acceleration."""
    axes = list(dict.fromkeys(move.axis for move in found))
    figure = make_subplots(
        rows=len(axes),
        cols=3,
        horizontal_spacing=0.075,
        vertical_spacing=min(0.5 / len(axes), 58 / (58 + _ROW * len(axes))),
        subplot_titles=[
            f"<b>{label(plain(axis))}</b>  {what}"
            for axis in axes
            for what in ("place", "speed", "acceleration")
        ],
    )
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"margin": {"l": 70, "t": 36, "b": 44}}
    # All at once: Plotly takes its time with every single part.
    for row, axis in enumerate(axes):
        own = [move for move in found if move.axis == axis]
        longest = max(move.duration for move in own)
        time_name, time_factor = ("ms", 1e3) if longest < 1 else ("s", 1.0)
        for column in range(3):
            panel = str(3 * row + column + 1) if row or column else ""
            unit = own[0].unit + ("", "/s", "/s^2")[column]
            name, factor = unit, 1.0
            if column == 0:
                name, factor = scaled(unit, max(move.stroke for move in own))
            traces += [
                {
                    "type": "scatter",
                    "xaxis": f"x{panel}",
                    "yaxis": f"y{panel}",
                    "x": _short(move.times * time_factor),
                    "y": _short(move.curves[column] / factor),
                    "mode": "lines",
                    "line": {"color": COLOURS[k % len(COLOURS)], "width": 2, "simplify": False},
                    "showlegend": False,
                    "hovertemplate": (
                        f"<b>{label(plain(move.label))}</b> {quantity(move.stroke, move.unit)}<br>"
                        f"%{{y:.4~g}} {pretty(name)} after %{{x:.4~g}} {time_name}<extra></extra>"
                    ),
                }
                for k, move in enumerate(own)
            ]
            layout[f"yaxis{panel}"] = {
                "title": {"text": f"[{pretty(name)}]", "standoff": 4},
                "nticks": 5,
                "tickfont": {"size": 11},
            }
            layout[f"xaxis{panel}"] = {
                "title": {"text": f"[{time_name}]", "standoff": 0},
                "range": [-0.02 * longest * time_factor, 1.02 * longest * time_factor],
                "nticks": 6,
                "tickfont": {"size": 11},
            }
    figure.add_traces(traces)
    styled(figure, 70 + (_ROW + 52) * len(axes))
    figure.update_annotations(font_size=13, yshift=2)
    figure.update_layout(**layout)
    return figure


def _short(values: Floats) -> list[float]:
    peak = float(np.max(np.abs(values))) or 1.0
    return [float(f"{value:.{_DIGITS}g}") if abs(value) > 1e-9 * peak else 0.0 for value in values]


def table(shown: Evaluated, found: list[Move]) -> str:
    """Return the table of moves."""
    rms = {
        use.name.removesuffix(f" {word}{_RMS}"): (
            number(use.value),
            quantity(number(use.value), use.unit),
        )
        for use in shown.uses
        for word in ("force", "torque")
        if use.name.endswith(f" {word}{_RMS}")
    }
    columns = [
        names("Axis", [plain(move.axis) for move in found]),
        _labels(found),
        _column("Stroke", [(move.stroke, move.unit) for move in found]),
        Column(
            "Time",
            [f"{seconds(move.duration)}{'*' if move.is_flying else ''}" for move in found],
            [move.duration for move in found],
        ),
        _column("Peak speed", [(move.peak_speed, f"{move.unit}/s") for move in found]),
        _column(
            "Peak acceleration", [(move.peak_acceleration, f"{move.unit}/s^2") for move in found]
        ),
    ]
    if rms:
        columns.append(
            Column(
                "Root mean square of the drive",
                [rms.get(move.axis, ("", MISSING))[1] for move in found],
                [rms.get(move.axis, (math.nan, ""))[0] for move in found],
            )
        )
    if any(not math.isnan(move.residual) for move in found):
        columns.append(_column("Vibration left", [(move.residual, move.unit) for move in found]))
    return html_table(columns, "Moves")


def _labels(found: list[Move]) -> Column:
    """Return what the moves are called, in their colours where an axis has several."""
    cells = []
    for move in found:
        own = [other for other in found if other.axis == move.axis]
        colour = COLOURS[own.index(move) % len(COLOURS)]
        mark = f'<span style="color:{colour}">\u25a0</span> ' if len(own) > 1 else ""
        cells.append(f"{mark}{escape(plain(move.label))}")
    return Column("Move", cells, [move.label for move in found], is_number=False)


def _column(title: str, values: list[tuple[float, str]]) -> Column:
    return Column(
        title,
        [MISSING if math.isnan(value) else quantity(value, unit) for value, unit in values],
        [value for value, _ in values],
    )
