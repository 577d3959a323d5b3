"""The process window: what speed costs in defects and stops along each setting's range."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

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
_TITLE = 34
_LEAST_SPAN = 0.04
"""Smallest range of an axis of rates, relative to the rate now."""
_LEAST_DEFECTS = 0.2
"""Smallest range of an axis of defects. [%]"""
_ROOM = 0.08


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
    for index, part in enumerate(along):
        place = {"row": index // _COLUMNS + 1, "col": index % _COLUMNS + 1}
        _panel(figure, shown, part, place, is_first=index == 0)
    _legend_of_bands(figure, along)
    styled(figure, 124 + _PANEL * rows + 30 * (rows - 1))
    figure.update_annotations(font_size=13, yshift=4)
    figure.update_layout(
        margin={"l": 64, "r": 64, "t": 84, "b": 52},
        legend={"yref": "container", "y": 1, "yanchor": "top"},
    )
    return figure


def _title(shown: Evaluated, part: Range) -> str:
    text = shown.model.machine.settings[part.setting].description
    text = text if len(text) <= _TITLE else f"{text[: _TITLE - 1].rstrip()}\u2026"
    return f"<b>{label(part.setting)}</b>  {label(text)}"


def _panel(
    figure: go.Figure, shown: Evaluated, part: Range, place: dict[str, int], *, is_first: bool
) -> None:
    now = shown.settings[part.setting] / part.known.scale
    x = part.values / part.known.scale
    unit = pretty(part.known.written)
    bracket = f" [{unit}]" if unit else ""
    mode = "markers+lines" if part.known.steps else "lines"
    defects = 100 * part.defects
    for name, colour, values, here, unit_name, is_right in (
        (
            "good items",
            ACCENT,
            part.good_rate * PER_MINUTE.factor,
            number(shown.evaluation.good_rate) * PER_MINUTE.factor if len(part.good_rate) else None,
            "items/min",
            False,
        ),
        ("defects", SECOND, defects, 100 * number(spoiled(shown.evaluation)), "%", True),
    ):
        if not len(values):
            continue
        hover = f"{label(part.setting)} %{{x:.4~g}} {unit}<br>{name} %{{y:.4~g}} {unit_name}"
        figure.add_scatter(
            x=_short(x),
            y=_short(values),
            mode=mode,
            name=f"{name} [{unit_name}]",
            legendgroup=name,
            showlegend=is_first,
            line={"color": colour, "width": 2.2},
            hovertemplate=f"{hover}<extra></extra>",
            secondary_y=is_right,
            **place,
        )
        figure.add_scatter(
            x=[now],
            y=[here],
            mode="markers",
            name="now",
            legendgroup="now",
            showlegend=is_first and is_right,
            marker={"color": "white", "size": 9, "line": {"color": colour, "width": 2.2}},
            hovertemplate=f"now: {hover}<extra></extra>",
            secondary_y=is_right,
            **place,
        )
        low, high = _axis(values, here, is_right=is_right)
        figure.update_yaxes(
            range=[low, high],
            nticks=5,
            tickmode="auto",
            tickfont={"size": 11, "color": colour},
            showgrid=not is_right,
            secondary_y=is_right,
            **place,
        )
    for begin, end in _bands(part):
        figure.add_vrect(
            x0=begin, x1=end, fillcolor=CRITICAL, opacity=0.1, line_width=0, layer="below", **place
        )
    figure.add_vline(x=now, line={"color": QUIET, "width": 1, "dash": "dot"}, **place)
    figure.update_xaxes(
        title={"text": f"{label(part.setting)}{bracket}", "standoff": 2},
        nticks=6,
        tickfont={"size": 11},
        **place,
    )


def _short(values: Floats) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]


def _axis(values: Floats, here: float | None, *, is_right: bool) -> tuple[float, float]:
    ends = [float(values.min()), float(values.max()), *([here] if here is not None else [])]
    low, high = min(ends), max(ends)
    if is_right:
        return 0.0, 1.12 * max(high, _LEAST_DEFECTS)
    least = _LEAST_SPAN * high
    if high - low < least:
        low, high = (low + high - least) / 2, (low + high + least) / 2
    return low - _ROOM * (high - low), high + _ROOM * (high - low)


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


def _legend_of_bands(figure: go.Figure, along: Sequence[Range]) -> None:
    if any(True for part in along for _ in _bands(part)):
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            name="a limit is broken there",
            marker={"symbol": "square", "size": 12, "color": CRITICAL, "opacity": 0.25},
            row=1,
            col=1,
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
