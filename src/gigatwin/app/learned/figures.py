"""Figures of a learned line: measured against learned times, and what changed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from gigatwin.app.figures import ACCENT, INK, QUIET, SECOND, label, styled, time_axis
from gigatwin.app.learned.numbers import half_width
from gigatwin.app.numbers import shown_unit
from gigatwin.factory.described import ByFormat
from gigatwin.factory.durations import Distribution, Duration, Empirical
from gigatwin.learning.drift.drift import Drift
from gigatwin.learning.learned import LearnedStation
from gigatwin.learning.times.law_fits import law_quantiles
from gigatwin.learning.times.law_scores import distances
from gigatwin.learning.times.stops import product_limit

Floats = NDArray[np.float64]
MOST_PANELS = 60
"""Stations whose distributions are shown."""
_COLUMNS = 3
_PANEL = 200
_DRAWS = 20_000
_N_QUANTILES = 4000
_MOST_VISITS = 50_000
_SHARES = np.concatenate(([0.0, 0.001, 0.003], np.linspace(0.005, 0.995, 100), [0.997, 0.999, 1.0]))
_TAIL, _LONG, _ALL_EQUAL = 0.998, 4.0, 1e-6
_CHANCE = 1.36
_DIGITS = 5
_BINS = 80
_MOST_TICKS = 5


@dataclass(frozen=True)
class Times:
    """Times at a station, as measured and as learned; times ascending. [s]."""

    station: str
    n: int
    """Visits."""
    measured: Floats
    """Times that were not held up, with those known as bounds allowed for."""
    masses: Floats
    """Their probabilities."""
    blocked: Floats
    """Times until departure of visits that were held up."""
    learned: Floats
    """Times that the description gives, stops included."""

    @property
    def distance(self) -> float:
        """KS distance of measured and learned times; NaN where all visits were held up."""
        if not len(self.measured):
            return float("nan")
        # A description keeps six digits, so that equal times differ in the last ones.
        decimals = _DIGITS - 1 - math.floor(math.log10(max(float(self.measured[-1]), 1e-6)))
        return distances(
            _rounded(self.learned, decimals), _rounded(self.measured, decimals), self.masses
        )[0]

    @property
    def chance(self) -> float:
        """KS distance that chance alone reaches in 5 % of logs."""
        return _CHANCE / float(np.sqrt(max(self.n - len(self.blocked), 1)))


def times_of(item: LearnedStation) -> Times | None:
    """Return the times at a station, or None where none was measured."""
    known = np.isfinite(item.durations) & (item.durations >= 0)
    # What is left of a long log still tells more than a small figure can show.
    step = max(1, int(known.sum()) // _MOST_VISITS)
    durations, is_blocked = item.durations[known][::step], item.is_blocked[known][::step]
    if not len(durations):
        return None
    exact, bounds = durations[~is_blocked], durations[is_blocked]
    times, masses = np.empty(0), np.empty(0)
    if len(exact):
        limit = product_limit(exact, bounds)
        times, masses = limit.times, limit.masses
    return Times(item.name, len(durations), times, masses, np.sort(bounds), learned_times(item))


def _rounded(values: Floats, decimals: int) -> Floats:
    return np.asarray(np.round(values, decimals))


def learned_times(item: LearnedStation) -> Floats:
    """Return times that the learned law and its stops give, ascending. [s]."""
    generator = np.random.default_rng(1)
    total = generator.choice(_values(item.times.law), _DRAWS)
    for every, duration in _stops(item):
        between = float(_values(every).mean())
        numbers = generator.poisson(total / between if between > 0 else 0.0)
        lengths = generator.choice(_values(duration), int(numbers.sum()))
        total = total + np.bincount(np.repeat(np.arange(_DRAWS), numbers), lengths, _DRAWS)
    return np.sort(total)


def _stops(item: LearnedStation) -> list[tuple[Duration, Duration]]:
    """Return time between and length of the stops that a visit can meet."""
    given = [stop.to_stop() for stop in item.recorded_stops or item.times.stops]
    by_kind = {stop.kind: stop for stop in reversed(given)}
    return [
        (stop.every, stop.duration)
        for kind, stop in by_kind.items()
        if kind in {"breakdown", "micro_stop"}
        and isinstance(stop.every, Distribution | Empirical | int | float)
        and not isinstance(stop.duration, ByFormat)
    ]


def _values(law: Duration) -> Floats:
    return law_quantiles(law, _N_QUANTILES)


def distributions(shown: Sequence[Times]) -> go.Figure:
    """Draw for each station the share of visits that take at most a time."""
    rows = -(-len(shown) // _COLUMNS)
    figure = make_subplots(
        rows=rows,
        cols=_COLUMNS,
        subplot_titles=[_title(times) for times in shown],
        horizontal_spacing=0.07,
        vertical_spacing=min(0.5 / rows, 84 / (84 + _PANEL * rows)),
    )
    for index, times in enumerate(shown):
        place = {"row": index // _COLUMNS + 1, "col": index % _COLUMNS + 1}
        low, middle, high, is_log = _range(times)
        unit = shown_unit("s", middle or high)
        curves: list[tuple[str, str, Floats, Floats | None, dict[str, Any]]] = [
            ("held up by a full buffer", QUIET, times.blocked, None, {"dash": "dot", "width": 1.4}),
            ("measured", ACCENT, times.measured, times.masses, {"width": 3.2}),
            ("learned", SECOND, times.learned, None, {"width": 1.6}),
        ]
        for name, colour, values, masses, line in curves:
            if not len(values):
                continue
            figure.add_scatter(
                x=[float(f"{x * unit.factor:.4g}") for x in _quantiles(values, masses)],
                y=[round(100 * share, 1) for share in _SHARES],
                mode="lines",
                name=name,
                legendgroup=name,
                showlegend=not any(trace.name == name for trace in figure.data),
                line={"color": colour, **line},
                hovertemplate=f"{name}: %{{y:.3~g}} % up to %{{x:.4~g}} {unit.name}<extra></extra>",
                **place,
            )
        ends = [low * unit.factor, high * unit.factor]
        figure.update_xaxes(
            title={"text": f"time [{unit.name}]", "standoff": 2},
            type="log" if is_log else "linear",
            range=[float(np.log10(end)) for end in ends] if is_log else ends,
            tickvals=_round_values(*ends) if is_log else None,
            nticks=5,
            tickfont={"size": 11},
            **place,
        )
        figure.update_yaxes(
            range=[-2, 102],
            tickvals=[0, 50, 100],
            ticktext=["0 %", "50 %", "100 %"],
            tickfont={"size": 11},
            **place,
        )
    styled(figure, 110 + _PANEL * rows)
    figure.update_annotations(font_size=13, yshift=2)
    figure.update_layout(
        margin={"l": 56, "t": 70, "b": 44},
        legend={"yref": "container", "y": 1, "yanchor": "top"},
    )
    return figure


def _title(times: Times) -> str:
    distance = f"KS {100 * times.distance:.1f} %" if len(times.measured) else "all held up"
    return f"<b>{label(_short(times.station))}</b>  {distance}"


def _short(name: str) -> str:
    most = 26
    return name if len(name) <= most else f"{name[: most - 9]}\u2026{name[-8:]}"


def _round_values(low: float, high: float) -> list[float]:
    """Return at most five of 1, 2, 5, 10, 20, ... between two values."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        found = [
            value
            for power in decades
            for digit in digits
            if low <= (value := digit * 10.0**power) <= high
        ]
        if len(found) <= _MOST_TICKS:
            return found
    return found[:: -(-len(found) // _MOST_TICKS)]


def _range(times: Times) -> tuple[float, float, float, bool]:
    """Return the ends and the middle of what a panel shows, and whether by the logarithm."""
    values = [
        _at(part, masses, np.array([1 - _TAIL, 0.5, _TAIL]))
        for part, masses in ((times.measured, times.masses), (times.learned, None))
        if len(part)
    ]
    low = float(min(value[0] for value in values))
    middle = float(min(value[1] for value in values))
    high = float(max(value[2] for value in values))
    if low > 0 and high > _LONG * middle:
        return low / 1.1, middle, high * 1.1, True
    room = 0.05 * (high - low) if high - low > _ALL_EQUAL * high else 0.1 * high or 1.0
    return max(low - room, 0.0), middle, high + room, False


def _quantiles(values: Floats, masses: Floats | None) -> Floats:
    return _at(values, masses, _SHARES)


def _at(values: Floats, masses: Floats | None, shares: Floats) -> Floats:
    """Return quantiles of ascending values, by their probabilities where they have some."""
    if masses is None:
        return np.asarray(np.quantile(values, shares))
    places = np.searchsorted(np.cumsum(masses) / masses.sum(), shares - 1e-12)
    return np.asarray(values[np.minimum(places, len(values) - 1)])


def changes_over_time(
    drifts: Sequence[Drift], length: float, series: dict[str, pl.DataFrame]
) -> go.Figure:
    """Draw the means of signals that changed, a panel each.

    Parameters
    ----------
    drifts : sequence of Drift
        Those with changes.
    length : float
        Length of the log in working time. [s]
    series : dict
        Station to the recorded times at it: columns end and duration [s].
    """
    figure = make_subplots(
        rows=len(drifts),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.3 / len(drifts),
        subplot_titles=[f"<b>{label(drift.signal)}</b>" for drift in drifts],
    )
    length = max(length, *(change.high for drift in drifts for change in drift.changes))
    scale, unit = time_axis(length / 3600)
    hours = 3600 * scale
    for row, drift in enumerate(drifts, start=1):
        first = drift.changes[0].before
        means = [first, *(change.after for change in drift.changes)]
        ends = [end for mean in means for end in (mean.low, mean.value, mean.high or mean.value)]
        shown = shown_unit("s", first.value) if first.unit == "s" else shown_unit("items", 1.0)
        points = series.get(drift.station or "")
        if first.unit == "s" and points is not None and points.height:
            medians = _medians(points)
            # Single repairs would leave no room to see a change of some percent.
            ends += np.quantile(medians["duration"].to_numpy(), [0.1, 0.9]).tolist()
            figure.add_scatter(
                x=[round(x / hours, 4) for x in medians["end"]],
                y=[float(f"{y * shown.factor:.4g}") for y in medians["duration"]],
                mode="markers",
                marker={"color": ACCENT, "size": 4, "opacity": 0.6},
                name="median of the visits of a time",
                showlegend=row == 1,
                hovertemplate=f"median %{{y:.4~g}} {shown.name}<extra></extra>",
                row=row,
                col=1,
            )
        moments = [0.0, *(change.time for change in drift.changes), length]
        for k, mean in enumerate(means):
            half = half_width(mean) * shown.factor
            x = [moments[k] / hours, moments[k + 1] / hours]
            figure.add_scatter(
                x=x,
                y=[mean.value * shown.factor] * 2,
                mode="lines",
                line={"color": SECOND, "width": 2.4},
                name="mean",
                showlegend=row == 1 and k == 0,
                hovertemplate=f"mean {shown.sentence(mean.value, half / shown.factor)}"
                "<extra></extra>",
                row=row,
                col=1,
            )
        for change in drift.changes:
            figure.add_vrect(
                x0=change.low / hours,
                x1=change.high / hours,
                fillcolor=INK,
                opacity=0.16,
                line_width=0,
                row=row,
                col=1,
            )
            figure.add_vline(
                x=change.time / hours,
                line={"color": INK, "width": 1, "dash": "dot"},
                row=row,
                col=1,
            )
        room = 0.4 * (max(ends) - min(ends)) or 0.1 * max(ends) or 1.0
        figure.update_yaxes(
            title=f"[{shown.name}]",
            range=[(min(ends) - room) * shown.factor, (max(ends) + room) * shown.factor],
            row=row,
            col=1,
        )
    styled(figure, 100 + 170 * len(drifts))
    figure.update_annotations(font_size=13, x=0, xanchor="left")
    figure.update_layout(
        margin={"l": 72, "t": 64}, legend={"yref": "container", "y": 1, "yanchor": "top"}
    )
    figure.update_xaxes(range=[0, length / hours])
    figure.update_xaxes(title=f"working time since the begin of the log [{unit}]", row=len(drifts))
    return figure


def _medians(points: pl.DataFrame) -> pl.DataFrame:
    """Return the medians of visits in parts of equal number."""
    size = max(1, points.height // _BINS)
    return (
        points.sort("end")
        .with_columns(_part=pl.int_range(pl.len()) // size)
        .group_by("_part", maintain_order=True)
        .agg(pl.col("end").mean(), pl.col("duration").median())
    )
