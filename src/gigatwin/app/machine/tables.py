"""Tables of a machine report: activities, what to do next, interlocks."""

import math
from collections.abc import Sequence
from html import escape

from gigatwin.app.machine.evaluated import Evaluated, number
from gigatwin.app.machine.quantities import (
    gain_text,
    is_worth,
    pretty,
    range_text,
    seconds,
    setting_text,
    significant,
)
from gigatwin.app.machine.ranges import Lever
from gigatwin.app.machine.wording import plain, step_text, waits_text
from gigatwin.app.numbers import MISSING
from gigatwin.app.tables import Column, html_table, names
from gigatwin.equipment.description.machine import LEVERS
from gigatwin.equipment.schedule import Schedule
from gigatwin.equipment.sensitivity import cycle_time_by_activity

_WRAPPED = '<div style="white-space:normal;min-width:{least}ch;max-width:{most}ch">{text}</div>'


def _wrapped(title: str, texts: Sequence[str], least: int, most: int) -> Column:
    """Return a column of texts that may take several lines."""
    cells = [_WRAPPED.format(least=least, most=most, text=escape(text)) for text in texts]
    return Column(title, cells, list(texts), is_number=False)


def activities(shown: Evaluated, found: Schedule) -> str:
    """Return the table of activities, in the order in which they begin."""
    model, values = shown.model, shown.evaluation.values
    effects = cycle_time_by_activity(model, shown.product_format, shown.settings)
    order = sorted(model.activities, key=lambda activity: found.starts[activity.name])
    order_of = [activity.name for activity in order]
    critical = {model.activities[k].name for k in found.critical}
    steps = [
        " + ".join(
            step_text(step, number(values[step.once]), number(values[step.time]))
            for step in activity.steps
        )
        for activity in order
    ]
    waits = [
        waits_text(
            (model.activities[arc.tail].name, number(values[arc.tokens]), arc.why)
            for arc in model.arcs
            if model.activities[arc.head].name == name and arc.tail != arc.head
        )
        or MISSING
        for name in order_of
    ]
    columns = [
        Column(
            "Activity",
            [
                f'<b class="worse">{escape(plain(name))}</b>'
                if name in critical
                else escape(plain(name))
                for name in order_of
            ],
            order_of,
            is_number=False,
        ),
        _times("Duration", [found.durations[name] for name in order_of]),
        _times("Slack", [found.slack[name] for name in order_of]),
        Column(
            "Cycle [s per s longer]",
            [significant(effects[name], 3) for name in order_of],
            [effects[name] for name in order_of],
        ),
        _wrapped("Steps", steps, 34, 54),
        _wrapped("Waits for", waits, 16, 30),
    ]
    return html_table(columns, "Activities")


def _times(title: str, values: Sequence[float]) -> Column:
    return Column(title, [seconds(value) for value in values], list(values))


def next_steps(shown: Evaluated, found: Sequence[Lever]) -> str:
    """Return the table of settings, what changing them does, and what they bring alone."""
    settings = [
        f'<div style="white-space:normal;min-width:22ch"><b>{escape(lever.setting)}</b> '
        f"{escape(lever.description)}</div>"
        for lever in found
    ]
    classes = [lever.known.lever for lever in found]
    nows = [shown.settings[lever.setting] for lever in found]
    columns = [
        Column("Setting", settings, [lever.setting for lever in found], is_number=False),
        # Sorted by what it costs, not by the alphabet.
        Column("Kind", classes, [str(LEVERS.index(c)) for c in classes], is_number=False),
        Column(
            "Now",
            [
                escape(setting_text(now, lever.known))
                for now, lever in zip(nows, found, strict=True)
            ],
            nows,
        ),
        Column(
            "Range",
            [escape(range_text(lever.known)) for lever in found],
            [lever.known.high - lever.known.low for lever in found],
        ),
        Column(
            "Cycle time",
            [escape(_slope(lever)) for lever in found],
            [_slope_over_range(lever) for lever in found],
        ),
        Column(
            "Good items [% per %]",
            [_elasticity(lever) for lever in found],
            [_number(lever, "elasticity") for lever in found],
        ),
        Column(
            "Best alone",
            [_best(lever) for lever in found],
            [lever.best_value if is_worth(lever.gain) else math.nan for lever in found],
        ),
        Column(
            "Good items",
            [
                f'<span class="better">{gain_text(lever.gain)}</span>'
                if is_worth(lever.gain)
                else MISSING
                for lever in found
            ],
            [lever.gain for lever in found],
        ),
        _wrapped("Why not more", [lever.ends or MISSING for lever in found], 18, 26),
    ]
    return html_table(columns, "What next")


def _is_smooth(lever: Lever) -> bool:
    """Return whether a setting has values close to each other, so that a slope means something."""
    return lever.effect is not None and not lever.known.steps


def _number(lever: Lever, name: str) -> float:
    return float(getattr(lever.effect, name)) if _is_smooth(lever) else math.nan


def _slope(lever: Lever) -> str:
    # Differences leave rounding errors, which would show as 1 000 ms for 1.00 s.
    value = float(f"{_number(lever, 'cycle_time') * lever.known.scale:.6g}")
    if math.isnan(value):
        return MISSING
    if abs(value) * (lever.known.high - lever.known.low) < 1e-9 * lever.known.scale:
        return "no effect"
    sign = "+" if value > 0 else ""
    return f"{sign}{seconds(value)} per {pretty(lever.known.written) or 'unit'}"


def _slope_over_range(lever: Lever) -> float:
    return _number(lever, "cycle_time") * (lever.known.high - lever.known.low)


def _elasticity(lever: Lever) -> str:
    value = _number(lever, "elasticity")
    if math.isnan(value):
        return MISSING
    return "0" if abs(value) < 5e-4 else f"{value:+.2g}"  # noqa: PLR2004 - what two digits show


def _best(lever: Lever) -> str:
    if not is_worth(lever.gain):
        return MISSING
    text = escape(setting_text(lever.best_value, lever.known))
    is_step = lever.known.lever == "capital" and bool(lever.known.steps)
    return f"{text} (next step)" if is_step else text


def interlocks(shown: Evaluated) -> str:
    """Return the table of zones and whether two activities are in one together."""
    zones = shown.model.machine.zones
    found = [[pair for pair in shown.conflicts if pair[0] == zone] for zone in zones]
    verdicts = [
        "<br>".join(
            f'<span class="worse">{escape(plain(one))} and {escape(plain(other))} are both in it '
            f"for {seconds(time)} of each cycle</span>"
            for _, one, other, time in pairs
        )
        or "never two of them together"
        for pairs in found
    ]
    columns = [
        names("Zone", [plain(zone) for zone in zones]),
        names("Activities that enter it", [", ".join(map(plain, each)) for each in zones.values()]),
        Column("Verdict", verdicts, [str(len(pairs)) for pairs in found], is_number=False),
    ]
    return html_table(columns, "Interlocks")
