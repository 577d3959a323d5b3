"""The top of a report: what to beware of, the headline numbers, and the bottleneck."""

import math
from html import escape

from gigatwin.app.figures import STATES
from gigatwin.app.numbers import ShownUnit, shown_unit
from gigatwin.app.tables import estimate_html, half_widths
from gigatwin.app.wording import kpi_name
from gigatwin.simulation.result import Result
from gigatwin.standards.machine_states import MachineState

_LEAST_SHARE = 0.002
_MOST_LINES = 6
_ITEMS_PER_HOUR = ShownUnit("items/h", 1.0)


def cautions(result: Result) -> list[str]:
    """Return what a reader has to know before using the numbers, as HTML."""
    found = []
    if not result.total("throughput_rate")[0]:
        found.append(
            "<b>No product was finished after the warm-up.</b> The run is shorter than the way "
            "through the factory: simulate more days."
        )
    if result.is_overloaded:
        found.append(
            "<b>More arrives than the factory can pass on.</b> Its contents grow without end, so "
            "these means depend on the length of the run."
        )
    elif not result.is_warm_up_accepted:
        found.append(
            "<b>The run is too short to be steady.</b> Output or contents were still changing in "
            "its second half, so these numbers describe a start, not normal operation. Simulate "
            "more days."
        )
    if result.replications == 1:
        found.append(
            "<b>One replication gives no intervals.</b> Simulate several to know how far chance "
            "alone moves these numbers."
        )
    elif result.parameters == "uncertain":
        found.append(
            "<b>95 % interval over parameters as well as chance.</b> Each replication drew the "
            "learned numbers from their intervals. The number after ± covers one such replication, "
            "as the plant is one of them: more data about the plant narrow it, more replications "
            "do not."
        )
    return found


def cards(result: Result) -> str:
    """Return the headline numbers as HTML."""
    found = []
    for row in result.totals.iter_rows(named=True):
        kpi, mean = row["kpi"], row["mean"]
        unit = shown_unit(row["unit"] or "", mean)
        half = (row["high"] - row["low"]) / 2
        note = ""
        if kpi == "throughput_rate" and unit.name != _ITEMS_PER_HOUR.name:
            note = _ITEMS_PER_HOUR.sentence(mean, half)
        if row["unit"] == "kWh/kWh":
            note = "electricity and heat"
        found.append(card(kpi_name(kpi), [_number(unit, mean, half)], note))
        if kpi == "yield_ratio":
            found.append(_line_card(result))
    return f'<div class="cards">{"".join(found)}</div>'


def _number(unit: ShownUnit, mean: float, half: float) -> str:
    """Return a number with its interval and unit, as HTML."""
    name = "" if not math.isfinite(mean) else f' <span class="unit">{escape(unit.name)}</span>'
    return f'<span class="value">{estimate_html(unit, mean, half)}{name}</span>'


def card(title: str, numbers: list[str], note: str = "") -> str:
    """Return a box with a headline number."""
    small = f'<p class="note">{escape(note)}</p>' if note else ""
    return f'<div class="card"><h3>{escape(title)}</h3>{"".join(numbers)}{small}</div>'


def _line_card(result: Result) -> str:
    lines = result.lines.filter(result.lines["line"] != "outside")
    unit = shown_unit("", 1.0)
    rows = list(
        zip(lines["line"], lines["oee_index"], half_widths(lines, "oee_index"), strict=True)
    )
    if len(rows) == 1:
        _, mean, half = rows[0]
        return card(kpi_name("oee_index"), [_number(unit, mean, half)])
    shown = "".join(
        f"<div><dt>{escape(line)}</dt><dd>{_number(unit, mean, half)}</dd></div>"
        for line, mean, half in rows[:_MOST_LINES]
    )
    note = "" if len(rows) <= _MOST_LINES else "the others: see the table of lines"
    return card(kpi_name("oee_index"), [f"<dl>{shown}</dl>"], note)


def bottleneck(result: Result) -> str:
    """Return what limits the factory and where its time goes, as HTML."""
    found = result.bottleneck
    if not found.stations:
        return f'<p class="finding">{escape(found.sentence)}</p>'
    name = found.stations[0]
    rows = result.stations.filter(result.stations["station"] == name)
    unit = shown_unit("", 1.0)
    parts = []
    for state, (word, _) in STATES.items():
        column = f"{state.name.lower()}_share"
        mean, half = rows[column][0], half_widths(rows, column)[0]
        if state is MachineState.EXECUTING or mean >= _LEAST_SHARE:
            parts.append((mean, f"{word} {escape(unit.sentence(mean, half))}"))
    work, *others = [text for _, text in parts[:1]] + [
        text for _, text in sorted(parts[1:], reverse=True)
    ]
    rest = f"; the rest: {', '.join(others)}" if others else ""
    which = "limits the output" if found.is_unanimous else "most probably limits the output"
    if not result.total("throughput_rate")[0]:
        which = "waits least so far"
    return (
        f'<p class="finding"><b>{escape(name)}</b> {which}. Its time: {work}{rest}. '
        f'<span class="quiet">{escape(found.sentence)}</span></p>'
    )
