"""The process window: what speed costs in defects and stops along each setting's range."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from gigatwin.app.figures import ACCENT, QUIET, SECOND, label, styled
from gigatwin.app.machine.evaluated import Evaluated, number
from gigatwin.app.machine.quantities import PER_MINUTE, percent, pretty, stops_text
from gigatwin.app.machine.ranges import Floats, Range, spoiled
from gigatwin.app.machine.wording import CRITICAL, limit_name, plain
from gigatwin.app.tables import Column, html_table, names
from gigatwin.equipment.description.machine import Term

_COLUMNS = 3
_PANEL = 190
_DIGITS = 5
_TITLE = 38
_LEAST_SPAN = 0.04
"""Smallest range of an axis of rates, relative to the rate now."""
_LEAST_DEFECTS = 0.2
"""Smallest range of an axis of defects. [%]"""
_ROOM = 0.08

Parts = dict[str, Any]
"""A part of a figure as Plotly takes it."""


def window(shown: Evaluated, along: Sequence[Range]) -> go.Figure:
    """Draw the defects and the rate of good items along the ranges of settings, a panel each.

    Parameters
    ----------
    shown : Evaluated
        The machine.
    along : sequence of Range
        Settings that defects or stops depend on.
    """
    rows = -(-len(along) // _COLUMNS)
    figure = make_subplots(
        rows=rows,
        cols=_COLUMNS,
        specs=[[{"secondary_y": True}] * _COLUMNS] * rows,
        subplot_titles=[_title(shown, part) for part in along],
        horizontal_spacing=0.11,
        vertical_spacing=min(0.5 / rows, 92 / (92 + _PANEL * rows)),
    )
    traces: list[Parts] = []
    axes: Parts = {}
    shapes: list[Parts] = []
    # All at once: Plotly takes its time with every single part.
    for index, part in enumerate(along):
        _panel(shown, part, index, traces, axes, shapes)
    if any(shape["type"] == "rect" for shape in shapes):
        marker = {"symbol": "square", "size": 12, "color": CRITICAL, "opacity": 0.25}
        traces.append(
            {"type": "scatter", "x": [None], "y": [None], "mode": "markers", "marker": marker,
             "name": "a limit is broken there"}
        )  # fmt: skip
    figure.add_traces(traces)
    figure.update_layout(shapes=shapes)
    styled(figure, 124 + _PANEL * rows + 30 * (rows - 1))
    figure.update_annotations(font_size=13, yshift=4)
    figure.update_layout(
        margin={"l": 64, "r": 64, "t": 84, "b": 52},
        legend={"yref": "container", "y": 1, "yanchor": "top"},
        **axes,
    )
    return figure


def _title(shown: Evaluated, part: Range) -> str:
    text = shown.model.machine.settings[part.setting].description
    text = text if len(text) <= _TITLE else f"{text[: _TITLE - 1].rstrip()}\u2026"
    return f"<b>{label(part.setting)}</b>  {label(text)}"


def _panel(  # noqa: PLR0913, PLR0917 - what it adds to
    shown: Evaluated,
    part: Range,
    index: int,
    traces: list[Parts],
    axes: Parts,
    shapes: list[Parts],
) -> None:
    """Add the panel of a setting, counted from 0; it has one x axis and two y axes."""
    x_axis = str(index + 1) if index else ""
    now = shown.settings[part.setting] / part.known.scale
    x = _short(part.values / part.known.scale)
    unit = pretty(part.known.written)
    for is_right, name, colour, values, here, unit_name in _curves(shown, part):
        y_axis = str(2 * index + 1 + is_right) if index or is_right else ""
        hover = f"{label(part.setting)} %{{x:.4~g}} {unit}<br>{name} %{{y:.4~g}} {unit_name}"
        at: Parts = {"type": "scatter", "xaxis": f"x{x_axis}", "yaxis": f"y{y_axis}"}
        traces += [
            at
            | {
                "x": x,
                "y": _short(values),
                "mode": "markers+lines" if part.known.steps else "lines",
                "name": f"{name} [{unit_name}]",
                "legendgroup": name,
                "showlegend": index == 0,
                "line": {"color": colour, "width": 2.2},
                "hovertemplate": f"{hover}<extra></extra>",
            },
            at
            | {
                "x": [now],
                "y": [here],
                "mode": "markers",
                "name": "now",
                "legendgroup": "now",
                "showlegend": index == 0 and is_right,
                "marker": {"color": "white", "size": 9, "line": {"color": colour, "width": 2.2}},
                "hovertemplate": f"now: {hover}<extra></extra>",
            },
        ]
        axes[f"yaxis{y_axis}"] = {
            "range": _axis(values, here, is_right=is_right),
            "nticks": 5,
            "tickmode": "auto",
            "tickfont": {"size": 11, "color": colour},
            "showgrid": not is_right,
        }
    whole: Parts = {"xref": f"x{x_axis}", "yref": f"y{2 * index + 1 if index else ''} domain"}
    whole |= {"y0": 0, "y1": 1}
    shapes += [
        whole
        | {"type": "rect", "x0": begin, "x1": end, "fillcolor": CRITICAL, "opacity": 0.1,
           "line": {"width": 0}, "layer": "below"}
        for begin, end in _bands(part)
    ]  # fmt: skip
    line = {"color": QUIET, "width": 1, "dash": "dot"}
    shapes.append(whole | {"type": "line", "x0": now, "x1": now, "line": line})
    bracket = f" [{unit}]" if unit else ""
    axes[f"xaxis{x_axis}"] = {
        "title": {"text": f"{label(part.setting)}{bracket}", "standoff": 2},
        "nticks": 6,
        "tickfont": {"size": 11},
    }


def _curves(shown: Evaluated, part: Range) -> Iterator[tuple[bool, str, str, Floats, float, str]]:
    """Return side, name, colour, values, value now and unit of both curves."""
    rate = PER_MINUTE.factor
    if len(part.good_rate):
        here = rate * number(shown.evaluation.good_rate)
        yield False, "good items", ACCENT, rate * part.good_rate, here, "items/min"
    here = 100 * number(spoiled(shown.evaluation))
    yield True, "defects", SECOND, 100 * part.defects, here, "%"


def _short(values: Floats) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]


def _axis(values: Floats, here: float, *, is_right: bool) -> list[float]:
    low, high = min(float(values.min()), here), max(float(values.max()), here)
    if is_right:
        return [0.0, 1.12 * max(high, _LEAST_DEFECTS)]
    least = _LEAST_SPAN * high
    if high - low < least:
        low, high = (low + high - least) / 2, (low + high + least) / 2
    return [low - _ROOM * (high - low), high + _ROOM * (high - low)]


def _bands(part: Range) -> Iterator[tuple[float, float]]:
    """Return where a limit is broken, in the unit of the description."""
    if part.known.steps or len(part.values) < 2:  # noqa: PLR2004 - a band has two ends
        return
    x = part.values / part.known.scale
    half = (x[1] - x[0]) / 2
    for is_broken, group in groupby(range(len(x)), key=lambda k: bool(part.broken[k])):
        places = list(group)
        if is_broken:
            yield (
                max(float(x[places[0]] - half), float(x[0])),
                min(float(x[places[-1]] + half), float(x[-1])),
            )


def broken_beyond(shown: Evaluated, along: Sequence[Range]) -> str:
    """Return in words which limits, kept now, bound which ranges; empty where none does."""
    now = {use.name for use in shown.broken}
    settings: dict[str, list[str]] = {}
    for part in along:
        for limit in sorted(frozenset().union(*part.broken) - now):
            settings.setdefault(limit, []).append(part.setting)
    return "; ".join(
        f"{limit_name(limit)} along {', '.join(found)}" for limit, found in settings.items()
    )


def causes(shown: Evaluated) -> str:
    """Return the table of what spoils items and what stops the machine."""
    model, values = shown.model, shown.evaluation.values
    rows: list[tuple[str, str, str, str, float]] = []
    for curve in model.defects:
        described = model.machine.defects[curve.name]
        seen = "" if described.is_seen_here else ", found later"
        kind = f"defect: {plain(curve.name)}{seen}"
        added = [number(values[position]) for position in curve.terms]
        least = max(number(values[curve.value]) - sum(added), 0.0)
        rows.append(("with comfortable settings", kind, "always", percent(least), least))
        for term, value in zip(described.terms, added, strict=True):
            rows.append((term.cause, kind, _knee(term), percent(value), value))
    for curve in model.stops:
        stop = model.machine.stops[curve.name]
        kind = f"stop: {plain(curve.name)} ({stop.duration})"
        added = [number(values[position]) for position in curve.terms]
        base = number(values[curve.value]) / (1 + sum(added))
        rows.append(("with comfortable settings", kind, "always", stops_text(base), base))
        for term, value in zip(stop.terms, added, strict=True):
            rows.append((term.cause, kind, _knee(term), stops_text(base * value), base * value))
    return html_table(
        [
            names("Cause", [row[0] for row in rows]),
            names("What it does", [row[1] for row in rows]),
            names("Rises when", [row[2] for row in rows]),
            Column("Adds now", [escape(row[3]) for row in rows], [row[4] for row in rows]),
        ],
        "Causes of defects and stops",
    )


def _knee(term: Term) -> str:
    side = "above" if term.above is not None else "below"
    return f"{pretty(term.of)} {side} {pretty(str(term.above or term.below))}"
