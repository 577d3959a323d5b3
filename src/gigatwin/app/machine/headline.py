"""The top of a machine report: what to beware of, the main numbers, and what sets the cycle."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from gigatwin.app.headline import card
from gigatwin.app.machine.evaluated import Evaluated, number
from gigatwin.app.machine.limit_bars import value_text
from gigatwin.app.machine.quantities import (
    PER_MINUTE,
    gain_text,
    percent,
    seconds,
    setting_text,
    significant,
    stops_text,
    with_unit,
)
from gigatwin.app.machine.ranges import Lever, largest
from gigatwin.app.machine.wording import EVIDENCE, limit_name, plain, waits_text
from gigatwin.app.numbers import count
from gigatwin.equipment.cycle_model import cycle_model
from gigatwin.equipment.description.formulas import read_measure
from gigatwin.equipment.motion_energy import energy_per_cycle
from gigatwin.equipment.schedule import Schedule
from gigatwin.equipment.stepping import is_random

_JOULES_PER_WH = 3600.0
_CHAIN = '<p class="value" style="font-size:16px;white-space:normal;line-height:1.35">'


def source(shown: Evaluated) -> str:
    """Return what the report is about, as HTML."""
    machine = shown.model.machine
    items = machine.items_per_cycle
    parts = [
        f"format {shown.product_format}{_dimensions(shown)}",
        f"{items} {'item' if items == 1 else 'items'} in a cycle",
        _changes(shown),
        EVIDENCE[machine.evidence],
        f"written {datetime.now().astimezone():%Y-%m-%d %H:%M}",
    ]
    first = f"{escape(machine.description)}<br>" if machine.description else ""
    return first + " \u00b7 ".join(escape(part) for part in parts)


def _dimensions(shown: Evaluated) -> str:
    given = shown.model.machine.formats
    written = next(iter(given.values()))
    texts = []
    for name, value in shown.model.dimensions[shown.product_format].items():
        unit = written[name].strip().lstrip("+-0123456789.eE").strip()
        one = float(read_measure(f"1 {unit}").magnitude) if unit else 1.0
        texts.append(f"{plain(name)} {with_unit(significant(value / one), unit)}")
    return f" ({', '.join(texts)})" if texts else ""


def _changes(shown: Evaluated) -> str:
    texts = [
        f"{name} = {setting_text(value, shown.model.settings[name])}"
        for name, value in shown.changed.items()
    ]
    return f"changed: {', '.join(texts)}" if texts else "settings as delivered"


def cautions(shown: Evaluated) -> str:
    """Return what a reader has to know before using the numbers, as HTML."""
    found = []
    if shown.model.machine.evidence == "synthetic":
        found.append(
            "<b>Synthetic reference numbers.</b> The numbers of this machine were made up to be "
            "plausible: they show the method and say nothing about a real machine. Replace them by "
            "the maker\u2019s data or by measurements."
        )
    for use in shown.broken:
        side = "at least" if use.is_least else "at most"
        value, limit = value_text(use)
        found.append(
            f"<b>Limit not kept: {escape(limit_name(use.name))}</b> is {escape(value)}, must be "
            f"{side} {escape(limit)}: {escape(use.because)}."
        )
    for zone, one, other, time in shown.conflicts:
        found.append(
            f"<b>Collision in zone {escape(plain(zone))}:</b> {escape(plain(one))} and "
            f"{escape(plain(other))} are both in it for {seconds(time)} of each cycle. Let one "
            "wait for the other, or let them overlap less."
        )
    return "".join(f'<p class="caution">{text}</p>' for text in found)


def cards(shown: Evaluated) -> str:
    """Return the main numbers as HTML."""
    evaluation = shown.evaluation
    machine = shown.model.machine
    found = [
        _card("Cycle time", seconds(number(evaluation.cycle_time)), _cycle_note(shown)),
        *(
            _card(title, PER_MINUTE.sentence(number(getattr(evaluation, name))), note)
            for title, name, note in (
                ("Gross rate", "gross_rate", _rate_note(shown, "gross_rate", "never stopped")),
                (
                    "Good rate",
                    "good_rate",
                    _rate_note(shown, "good_rate", "after stops and scrap"),
                ),
            )
        ),
        _card("Scrap", percent(number(evaluation.scrap)), _share_note(shown, "scrap")),
        _card("Availability", percent(number(evaluation.availability)), _availability_note(shown)),
    ]
    if machine.energy is not None:
        found.append(_energy_card(shown))
    if shown.schedule is not None:
        found.append(card("Critical circuit", [_chain(shown, shown.schedule)]))
    return f'<div class="cards">{"".join(found)}</div>'


def _card(title: str, text: str, note: str) -> str:
    value, _, unit = text.partition(" ")
    shown = f'<span class="value">{escape(value)} <span class="unit">{escape(unit)}</span></span>'
    return card(title, [shown], note)


def _cycle_note(shown: Evaluated) -> str:
    if shown.model.machine.fmu is not None:
        times = shown.evaluation.recorded_times[0]
        return f"mean of {count(len(times))} cycles recorded from the FMU"
    low, high = shown.interval["cycle_time"]
    note = f"95 %: {_between(seconds(low), seconds(high))}"
    if is_random(shown.evaluation):
        mean = cycle_model(shown.evaluation).cycle_time
        note += f"; {seconds(mean)} with the variation of its activities, as a line sees it"
    return note


def _rate_note(shown: Evaluated, name: str, what: str) -> str:
    if name not in shown.interval:
        return f"{what}; items/min = ppm"
    low, high = (PER_MINUTE.text(end)[0] for end in shown.interval[name])
    return f"{what}; 95 %: {low} to {high} ppm (items/min)"


def _share_note(shown: Evaluated, name: str) -> str:
    if name not in shown.interval:
        return ""
    low, high = (percent(end) for end in shown.interval[name])
    # What no uncertain number moves needs no interval.
    return "" if low == high else f"95 %: {_between(low, high)}"


def _availability_note(shown: Evaluated) -> str:
    per_cycle = sum(number(shown.evaluation.values[curve.value]) for curve in shown.model.stops)
    parts = (stops_text(per_cycle), _share_note(shown, "availability"))
    return "; ".join(part for part in parts if part)


def _between(low: str, high: str) -> str:
    first, _, unit = low.partition(" ")
    return f"{first} to {high}" if high.endswith(f" {unit}") else f"{low} to {high}"


def _energy_card(shown: Evaluated) -> str:
    evaluation, machine = shown.evaluation, shown.model.machine
    if machine.energy is None:
        return ""
    executing, standby = (
        float(read_measure(text).magnitude)
        for text in (machine.energy.executing, machine.energy.standby)
    )
    motion = energy_per_cycle(evaluation)
    total = executing * number(evaluation.cycle_time) + standby * number(evaluation.downtime)
    per_item, of_motion = (
        energy / machine.items_per_cycle / _JOULES_PER_WH for energy in (total + motion, motion)
    )
    share = percent(of_motion / per_item) if per_item > 0 else "0 %"
    note = f"{share} of it for the process and for moving drives; the rest is drawn all the time"
    if of_motion == 0:
        note = "drawn all the time, stops included"
    return _card("Energy per item", f"{significant(per_item, 3)} Wh", note)


def circuit_names(shown: Evaluated, found: Schedule) -> list[str]:
    """Return the activities of the critical circuit, the earliest in the cycle first."""
    names = [shown.model.activities[arc.tail].name for arc in found.circuit]
    first = min(range(len(names)), key=lambda k: found.starts[names[k]])
    return [*names[first:], *names[:first]]


def _chain(shown: Evaluated, found: Schedule) -> str:
    chain = " \u2192 ".join(escape(plain(name)) for name in circuit_names(shown, found))
    cycles = "1 cycle" if found.tokens == 1 else f"{found.tokens:g} cycles"
    return f'{_CHAIN}{chain}</p><p class="note">spans {cycles}</p>'


def finding(shown: Evaluated, levers: Sequence[Lever]) -> str:
    """Return what sets the cycle and what would bring most, as HTML."""
    parts = [] if shown.schedule is None else [_sum(shown, shown.schedule)]
    if shown.broken or shown.conflicts:
        parts.append("<b>First bring the settings back within limits and interlocks.</b>")
    parts.append(_advice(shown, levers))
    return f'<p class="finding">{" ".join(part for part in parts if part)}</p>'


def _sum(shown: Evaluated, found: Schedule) -> str:
    names = circuit_names(shown, found)
    chain = " \u2192 ".join(escape(plain(name)) for name in names)
    terms = [f"{escape(plain(name))} {seconds(found.durations[name])}" for name in names]
    whole = found.cycle_time * found.tokens
    text = " + ".join(terms)
    overlap = sum(found.durations[name] for name in names) - whole
    if overlap > 1e-9 * whole:
        text += f" \u2212 {seconds(overlap)} overlap"
    if len(terms) > 1 or overlap > 1e-9 * whole:
        text += f" = {seconds(whole)}"
    if found.tokens == 1:
        text = f"<b>{chain}</b> sets the cycle time of {seconds(found.cycle_time)}: {text}."
    else:
        text = (
            f"<b>{chain}</b> sets the cycle time: {text}, shared by the {found.tokens:g} cycles "
            f"under way at once, that is {seconds(found.cycle_time)} for each."
        )
    waits = [
        f"{escape(plain(shown.model.activities[arc.head].name))} waits for "
        + escape(waits_text([(shown.model.activities[arc.tail].name, tokens, arc.why)]))
        for arc in found.circuit
        if (tokens := number(shown.evaluation.values[arc.tokens])) > 0 and arc.tail != arc.head
    ]
    if waits:
        text += f" In it {'; '.join(waits)}."
    if found.has_rivals:
        text += " Another circuit is as long, so that shortening this one alone gains nothing."
    return text


def _advice(shown: Evaluated, levers: Sequence[Lever]) -> str:
    if not levers:
        return "Nothing can be set on this machine."
    if not shown.can_afford(1) or all(lever.effect is None for lever in levers):
        return "What its settings bring was not calculated: each value would run the FMU again."
    by_setting = largest(levers, is_capital=False)
    hardware = largest(levers, is_capital=True)
    if by_setting is None:
        text = "No single setting brings more good items without breaking a limit."
    else:
        text = f"The largest single lever is {_lever(shown, by_setting)}."
    if hardware is not None:
        text += f" With new hardware: {_lever(shown, hardware)}."
    return text


def _lever(shown: Evaluated, lever: Lever) -> str:
    now = shown.settings[lever.setting]
    what = f", {escape(lever.description)}," if lever.description else ""
    return (
        f"<b>{escape(lever.setting)}</b>{what} from {escape(setting_text(now, lever.known))} to "
        f"{escape(setting_text(lever.best_value, lever.known))}: <b>{gain_text(lever.gain)}</b> "
        "good items"
    )
